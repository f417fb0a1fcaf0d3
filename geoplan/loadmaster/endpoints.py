"""Where units answer and what they are known by: the file that the lab and ``geoplan trust`` write."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import yaml

from geoplan.addresses import canonical, is_address
from geoplan.errors import GeoplanError, NotInLabError, UnusableFileError
from geoplan.loadmaster.tls import parse_fingerprint
from geoplan.yaml12 import MAX_BYTES, read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geoplan.topology.model import Topology


MAX_SHOWN = 60
LAB_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class UnitEndpoint:
    """Where one unit answers; what the file leaves out is ``None``."""

    api: str | None = None
    """The URL before ``/access`` and ``/accessv2``."""
    health: str | None = None
    """The URL of the health check."""
    fingerprint: str | None = None
    """``sha256:`` and 64 hexadecimal digits of its certificate."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """All units of a file by their addresses, and the lab's control endpoint where it is a lab's."""

    units: Mapping[str, UnitEndpoint] = field(default_factory=lambda: MappingProxyType({}))
    control: str | None = None

    def unit(self, address: str) -> UnitEndpoint:
        """Return what is known of a unit, in whatever spelling of its address; nothing is known of a new one."""
        wanted = canonical(address)
        return next((endpoint for known, endpoint in self.units.items() if canonical(known) == wanted), UnitEndpoint())

    @property
    def is_lab(self) -> bool:
        """Whether these are a lab's: only a lab has a control endpoint."""
        return self.control is not None

    @property
    def lab_id(self) -> str | None:
        """What tells this lab from every other: hexadecimal digits over its control endpoint and its certificates.

        ``None`` where these are no lab's. A lab that is started again has new certificates, and so another id.
        """
        if self.control is None:
            return None
        known = sorted((canonical(address), unit.fingerprint or "") for address, unit in self.units.items())
        identity = "\n".join([self.control, *(f"{address} {fingerprint}" for address, fingerprint in known)])
        return hashlib.sha256(identity.encode()).hexdigest()[:LAB_ID_DIGITS]

    def require_all_of(self, topology: Topology) -> None:
        """Check that a lab serves every unit of a topology: one that it does not would be reached in production.

        Raises :class:`NotInLabError` with all that are missing. Endpoints that are no lab's may leave units out.
        """
        if not self.is_lab:
            return
        missing = [
            f"{unit.address} ('{site.name}')"
            for site in topology.sites
            for unit in site.units
            if not self._serves(unit.address, needs_health=site.ha_pair is not None)
        ]
        if missing:
            raise NotInLabError(
                f"the endpoints file is that of a lab ({self.control}), and these units are not in it: "
                "they would be reached at their real addresses",
                missing,
                hint="start geoplan lab anew with this topology and the same --endpoints FILE; "
                "to reach real LoadMasters, leave the lab's file out",
            )

    def _serves(self, address: str, *, needs_health: bool) -> bool:
        unit = self.unit(address)
        return unit.api is not None and (unit.health is not None or not needs_health)

    def to_yaml(self) -> str:
        """Return the content of the file."""
        units = {
            address: {name: value for name in _KEYS if (value := getattr(endpoint, name)) is not None}
            for address, endpoint in self.units.items()
        }
        content: dict[str, object] = {"units": units}
        if self.control is not None:
            content["control"] = self.control
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


_KEYS = ("api", "health", "fingerprint")


def load_endpoints(path: str | Path) -> Endpoints:
    """Read an endpoints file. Raises :class:`UnusableFileError` that says what is wrong with it."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnusableFileError(f"cannot read {path}: {reason}", hint="check the path and its permissions") from None
    return read_endpoints(content, str(path))


def read_endpoints(content: bytes, path: str) -> Endpoints:
    """Read the content of an endpoints file; ``path`` is what errors call it."""
    if len(content) > MAX_BYTES:
        raise _unusable(path, f"it is larger than {MAX_BYTES // 2**20} MiB")
    try:
        document = read_document(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _unusable(path, "it is not UTF-8 text") from None
    if document.faults:
        fault = document.faults[0]
        raise _unusable(path, f"line {fault.place.line + 1}: {fault.message}")
    top = _mapping(path, "the file", document.value, ("units", "control"))
    units = _mapping(path, "units", top.get("units") or {}, None)
    control = top.get("control")
    return Endpoints(
        MappingProxyType({address: _endpoint(path, address, written) for address, written in units.items()}),
        None if control is None else _url(path, "control", control, ("http",)),
    )


def _endpoint(path: str, address: str, written: object) -> UnitEndpoint:
    where = f"units: {_shown(address)}"
    if not is_address(address):
        raise _unusable(path, f"{where}: that is not an address")
    given = _mapping(path, where, written, _KEYS)
    api, health, fingerprint = (given.get(name) for name in _KEYS)
    return UnitEndpoint(
        None if api is None else _url(path, f"{where}: api", api, ("https",)),
        None if health is None else _url(path, f"{where}: health", health, ("http", "https")),
        None if fingerprint is None else _fingerprint(path, f"{where}: fingerprint", fingerprint),
    )


def _mapping(path: str, where: str, written: object, known: Iterable[str] | None) -> Mapping[str, object]:
    if not isinstance(written, dict):
        raise _unusable(path, f"{where} is not a mapping")
    unknown = [key for key in written if known is not None and key not in known]
    if unknown:
        raise _unusable(path, f"{where}: unknown key '{_shown(unknown[0])}'")
    return written


def _url(path: str, where: str, written: object, schemes: tuple[str, ...]) -> str:
    try:
        url = urlsplit(str(written))
        usable = url.scheme in schemes and bool(url.hostname) and url.port != 0 and url.username is None
    except ValueError:
        usable = False
    if not isinstance(written, str) or not usable or not written.isprintable() or " " in written:
        raise _unusable(path, f"{where}: that is not a URL with {' or '.join(f'{name}://' for name in schemes)}")
    return written.rstrip("/")


def _fingerprint(path: str, where: str, written: object) -> str:
    try:
        return parse_fingerprint(str(written))
    except GeoplanError as error:
        raise _unusable(path, f"{where}: {error}") from None


def _unusable(path: str, reason: str) -> UnusableFileError:
    return UnusableFileError(
        f"{path} is not a usable endpoints file: {reason}",
        hint="let geoplan trust write it anew, or geoplan lab --endpoints",
    )


def _shown(text: str) -> str:
    return text if text.isprintable() and len(text) <= MAX_SHOWN else ascii(text)[1:MAX_SHOWN]
