"""One simulated LoadMaster: its firmware, what it has and remembers, who may use its API and whether it is up."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from geoplan.lab.device.parameters import GEO_PARTNERS, OWN_DEFAULTS, REMOTE_GEO_ACCESS, SYNCHRONISED_DEFAULTS, Value
from geoplan.lab.errors import LabError
from geoplan.topology.types import is_firmware
from geoplan.vendor import Version, has_partner_secret, parse_version
from geoplan.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.lab.device.geo import Entries
    from geoplan.topology.model import HaPair, Topology


DEFAULT_FIRMWARE = "7.2.59.4"

API_V2 = (7, 2, 52, 0)  # JSON-based Input and Output: official from here on
CLOUD_HA = (7, 2, 42, 0)  # about: the vendor's PowerShell SDK has setcloudha… since June 2018

BUILD = "22338.RELEASE"


@dataclass(frozen=True)
class Firmware:
    """A release, such as 7.2.59.4. Raises :class:`LabError` where the text names none."""

    text: str = DEFAULT_FIRMWARE

    def __post_init__(self) -> None:
        if not is_firmware(self.text):
            raise LabError(f"'{shorten(self.text)}' is not a firmware version", hint="write it as 7.2.59.4")

    @cached_property
    def version(self) -> Version:
        """The four numbers of the release."""
        return parse_version(self.text)

    @property
    def has_api_v2(self) -> bool:
        """Whether it answers JSON at /accessv2."""
        return self.version >= API_V2

    @property
    def has_partner_secret(self) -> bool:
        """Whether partners have to share a secret (Updating the LoadMaster Software)."""
        return has_partner_secret(self.version)

    @property
    def has_cloud_ha(self) -> bool:
        """Whether the HA commands exist for every cloud."""
        return self.version >= CLOUD_HA

    @property
    def release(self) -> str:
        """The version as the unit gives it, for example ``7.2.54.12.22642.RELEASE``."""
        if self.text.count(".") > len(self.version) - 1:
            return self.text
        return ".".join(map(str, self.version)) + f".{BUILD}"


DEFAULT_USER = "bal"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with a password, generated unless given, and an API key where one is given; the same on every unit."""

    user: str = DEFAULT_USER
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    api_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Credentials:
        """Take ``GEOPLAN_USER``, ``GEOPLAN_PASSWORD`` and ``GEOPLAN_APIKEY``; generate a password where none is set."""
        user = environment.get("GEOPLAN_USER") or DEFAULT_USER
        api_key = environment.get("GEOPLAN_APIKEY") or None
        password = environment.get("GEOPLAN_PASSWORD")
        return cls(user, password, api_key) if password else cls(user, api_key=api_key)

    def accept_user(self, user: str, password: str) -> bool:
        """Return whether this user has this password."""
        same_user, same_password = _same(user, self.user), _same(password, self.password)
        return same_user and same_password

    def accept_key(self, api_key: str) -> bool:
        """Return whether this is the API key."""
        return self.api_key is not None and _same(api_key, self.api_key)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass"))


UP_BEFORE_SECONDS = 86_400.0
Role = Literal["master", "slave", "standalone"]
Mode = Literal["single", "master", "slave"]


class Power(StrEnum):
    """Whether a unit answers at all."""

    UP = "up"
    BOOTING = "booting"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the active unit of a pair replicates: settings and GEO entries. Never changed, only replaced."""

    settings: Mapping[str, Value] = field(default_factory=lambda: SYNCHRONISED_DEFAULTS)
    geo: Entries = field(default_factory=dict)

    def with_settings(self, changed: Mapping[str, Value]) -> Configuration:
        """Return it with some settings changed."""
        return replace(self, settings={**self.settings, **changed})

    def with_geo(self, entries: Entries) -> Configuration:
        """Return it with these GEO entries and no others."""
        return replace(self, geo=entries)


@dataclass(frozen=True, slots=True)
class HaParameters:
    """The HA mode and parameters of one unit, which are never synchronised. Never changed, only replaced."""

    mode: Mode = "single"
    partner: str = ""
    health_check_port: int = 0
    prefer_master: bool = True
    all_interfaces: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether everything is entered that HA needs, right or wrong."""
        return self.mode != "single" and bool(self.partner) and self.health_check_port != 0


@dataclass(eq=False, slots=True)
class Unit:
    """One LoadMaster. The network moves it from state to state; a unit does nothing of its own accord."""

    address: str
    nat_address: str | None
    site: str
    role: Role
    """What the topology makes of it; its HA mode is its own."""
    firmware: Firmware
    published_health_port: int | None = None
    """The health check port of the topology, which the lab's endpoint stands for; a standalone has none."""
    ha: HaParameters = field(default_factory=HaParameters)
    secret: str | None = field(default=None, repr=False)
    pairs_with_other_secrets: bool = False
    """Whether HA goes on with a partner that holds another one."""
    """The Partner Shared Secret."""
    own: dict[str, Value] = field(default_factory=lambda: dict(OWN_DEFAULTS))
    """The settings that HA does not synchronise (section 4)."""
    configuration: Configuration = field(default_factory=Configuration)
    submitted: tuple[str, ...] | None = None
    """The partners list last submitted on this very unit: replication leaves it alone, a reboot keeps it."""
    power: Power = Power.UP
    is_polled: bool = False
    """Whether something has polled its health check since it came up, or since its mode or port changed."""
    previous: Firmware | None = None
    """What it ran before its last update, and can go back to."""
    pacified: bool = False
    """Rebooted too often: it answers, and takes part in nothing."""
    reboots: list[float] = field(default_factory=list)
    """When it was rebooted, in seconds of the lab's clock."""
    booted: float = -UP_BEFORE_SECONDS
    changed: float = -UP_BEFORE_SECONDS
    """When its configuration was changed last, in seconds of the lab's clock."""
    """When it last came up, in seconds of the lab's clock; a fresh unit was up long before the lab."""

    @property
    def is_up(self) -> bool:
        """Whether it answers."""
        return self.power is Power.UP

    @property
    def takes_part(self) -> bool:
        """Whether HA and GEO can count on it."""
        return self.is_up and not self.pacified

    @property
    def remote_geo_access(self) -> tuple[str, ...]:
        """Its Remote GEO access list, as it has it now."""
        return self._addresses(REMOTE_GEO_ACCESS)

    @property
    def geo_partners(self) -> tuple[str, ...]:
        """Its GEO partners list, as it has it now: submitted here, or replicated."""
        return self._addresses(GEO_PARTNERS)

    def setting(self, name: str) -> Value:
        """Return a parameter's value; raises :class:`KeyError` for one that it does not have."""
        return self.own[name] if name in self.own else self.configuration.settings[name]

    def _addresses(self, name: str) -> tuple[str, ...]:
        addresses = self.configuration.settings[name]
        return addresses if isinstance(addresses, tuple) else ()


def fresh_units(
    topology: Topology, firmware: str | None, secret: str | None, *, unpaired: bool = False
) -> Iterator[Unit]:
    """Yield a fresh unit for each one of the topology, in order of declaration.

    ``firmware`` is every unit's; without it each has the topology's, or the default. The units of a pair have their
    HA mode and parameters from the topology, or, ``unpaired``, none at all. Raises :class:`LabError` for a firmware
    that is none.
    """
    for site in topology.sites:
        roles: tuple[Role, ...] = ("master", "slave") if site.ha_pair else ("standalone",)
        for number, (unit, role) in enumerate(zip(site.units, roles, strict=True)):
            version = Firmware(firmware or unit.firmware or DEFAULT_FIRMWARE)
            simulated = Unit(
                address=unit.address,
                nat_address=unit.nat_address,
                site=site.name,
                role=role,
                firmware=version,
                secret=secret if version.has_partner_secret else None,
            )
            if site.ha_pair:
                wanted = _ha_of(site.ha_pair, number, topology.health_check_port)
                simulated.published_health_port = wanted.health_check_port
                simulated.ha = HaParameters() if unpaired else wanted
            simulated.own["hostname"] = "lb-" + unit.address.replace(".", "-").replace(":", "-")
            yield simulated


def _ha_of(pair: HaPair, number: int, default_port: int) -> HaParameters:
    """Return what the topology wants of a pair's master, number 0, or slave, number 1."""
    check = pair.health_check
    return HaParameters(
        mode="slave" if number else "master",
        partner=(pair.master if number else pair.slave).address,
        health_check_port=(check.port if check else None) or default_port,
        prefer_master=pair.preferred_host == "master",
        all_interfaces=check.all_interfaces if check else False,
    )
