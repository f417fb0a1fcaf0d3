"""Where units answer and what they are known by: the file that the lab and ``geoplan trust`` write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, TypeAlias
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from geoplan.addresses import canonical, is_address, url_fault
from geoplan.errors import GeoplanError, NotInLabError, UnusableFileError
from geoplan.files import display_name, read_bounded
from geoplan.loadmaster.tls import parse_fingerprint
from geoplan.topology.api import PortSource, ReachedApi
from geoplan.topology.names import nearest
from geoplan.wording import join_words
from geoplan.yaml12 import MAX_BYTES, read_document

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from geoplan.topology.api import UnitApi
    from geoplan.topology.model import Topology


MAX_SHOWN = 60
LAB_ID_DIGITS = 16
_STRICT = ConfigDict(extra="forbid")


def _address(written: str) -> str:
    if not is_address(written):
        raise ValueError("that is not an address")
    return written


def _url_with(*schemes: str) -> Callable[[object], str]:
    """Return what takes a URL with one of these schemes, without its final slash."""

    def check(written: object) -> str:
        try:
            url = urlsplit(str(written))
            usable = url.scheme in schemes and bool(url.hostname) and url.port != 0 and url.username is None
        except ValueError:
            usable = False
        if not isinstance(written, str) or not usable or not written.isprintable() or " " in written:
            raise ValueError(f"that is not a URL with {' or '.join(f'{name}://' for name in schemes)}")
        if fault := url_fault(written):
            raise ValueError(f"{_shown(written)}: {fault}")
        return written.rstrip("/")

    return check


def _fingerprint(written: object) -> str:
    try:
        return parse_fingerprint(str(written))
    except GeoplanError as error:
        raise ValueError(str(error)) from None


Address: TypeAlias = Annotated[str, AfterValidator(_address)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class UnitEndpoint:
    """Where one unit answers; what the file leaves out is ``None``."""

    api: Annotated[str, BeforeValidator(_url_with("https"))] | None = None
    """The URL before ``/access`` and ``/accessv2``."""
    health: Annotated[str, BeforeValidator(_url_with("http", "https"))] | None = None
    """The URL of the health check."""
    fingerprint: Annotated[str, BeforeValidator(_fingerprint)] | None = None
    """``sha256:`` and 64 hexadecimal digits of its certificate."""

    def reached(self, usual: UnitApi) -> ReachedApi:
        """Return where the unit's API is asked: the file's URL goes before the topology's."""
        return ReachedApi(self.api, PortSource.ENDPOINTS) if self.api else usual.reached


@dataclass(frozen=True, slots=True, config=_STRICT)
class Endpoints:
    """All units of a file by their addresses, and the lab's control endpoint where it is a lab's."""

    units: Mapping[Address, UnitEndpoint] = Field(default_factory=dict)
    control: Annotated[str, BeforeValidator(_url_with("http"))] | None = None

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

    def require(self, address: str) -> None:
        """Check that a lab serves a unit, as :meth:`require_all_of` does for those of a topology."""
        if self.is_lab and not self._serves(address, needs_health=False):
            raise NotInLabError(
                f"the endpoints file is that of a lab ({self.control}), and this unit is not in it: "
                "it would be reached at its real address",
                [address],
                hint="give an address that the lab serves; to reach a real LoadMaster, leave the lab's file out",
            )

    def _serves(self, address: str, *, needs_health: bool) -> bool:
        unit = self.unit(address)
        return unit.api is not None and (unit.health is not None or not needs_health)

    def to_yaml(self) -> str:
        """Return the content of the file."""
        return yaml.safe_dump(
            _FILE.dump_python(self, exclude_none=True), sort_keys=False, allow_unicode=True, width=1000
        )


_FILE = TypeAdapter(Endpoints)


def load_endpoints(path: str | Path) -> Endpoints:
    """Read an endpoints file; ``-`` is standard input. Raises :class:`UnusableFileError` that says what is wrong."""
    return read_endpoints(read_bounded(path, MAX_BYTES, is_stdin_allowed=True), display_name(path))


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
    try:
        endpoints = _FILE.validate_python(document.value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        line = document.place_of(tuple(part for part in first["loc"] if part != "[key]")).line + 1
        raise _unusable(path, f"line {line}: {_described(first)}") from None
    # Cut off or emptied, a lab's file would send every command to the real addresses.
    if isinstance(document.value, dict) and document.value.get("control", "") is None:
        raise _unusable(path, "control: it has no value")
    if not endpoints.units:
        raise _unusable(path, "it names no unit")
    return endpoints


def _described(fault: ErrorDetails) -> str:
    """Say where the file has another shape than an endpoints file, and what is wrong there."""
    *around, last = [_shown(str(part)) for part in fault["loc"] if part != "[key]"] or [""]
    if fault["type"] == "unexpected_keyword_argument":
        known = [each.name for each in fields(UnitEndpoint if around else Endpoints)]
        near = nearest(last, known)
        meant = f" (did you mean '{near}'?)" if near else ""
        return f"{': '.join(around) or 'the file'}: unknown key '{last}'{meant}; its keys are {join_words(known)}"
    where = ": ".join([*around, last]) or "the file"
    return f"{where}: {fault['ctx']['error']}" if fault["type"] == "value_error" else f"{where} is not a mapping"


def _unusable(path: str, reason: str) -> UnusableFileError:
    return UnusableFileError(
        f"{path} is not a usable endpoints file: {reason}",
        hint="let geoplan trust write it anew, or geoplan lab --endpoints",
    )


def _shown(text: str) -> str:
    return text if text.isprintable() and len(text) <= MAX_SHOWN else ascii(text)[1:MAX_SHOWN]
