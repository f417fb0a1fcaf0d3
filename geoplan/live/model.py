"""What units say of themselves at one moment, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from geoplan import vendor
from geoplan.addresses import canonical
from geoplan.errors import (
    AuthenticationError,
    NotAskedError,
    ProxyRefusedError,
    UnitError,
    UnitRefusedError,
    UnitUnreachableError,
    UntrustedUnitError,
    UnusableAnswerError,
)
from geoplan.live.activity import Look
from geoplan.loadmaster.model import ClusterType, GeoCluster, GeoFqdn, HaFacts, HaStatus, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.plan.model import Plan, Role, SiteSettings

REMOTE_LM = ClusterType.REMOTE_LM

__all__ = [
    "CHECK_CREDENTIALS", "HA_SUBJECT", "LIST_NAMES", "REMOTE_LM", "SUBJECTS", "Cause", "ClusterType",
    "Failure", "GeoCluster", "GeoFqdn", "HaFacts", "Observation", "Observations", "State", "Subject", "failure_of",
    "how_to_reach",
]  # fmt: skip


class Cause(StrEnum):
    """Why a unit could not be read."""

    UNREACHABLE = "unreachable"
    PROXY = "proxy"
    """It was not asked: the proxy on the way to it is dead, or lets nothing through. It may well be up."""
    UNAUTHORIZED = "unauthorized"
    NOT_ASKED = "not asked"
    """Another unit has refused the credentials that are given for both."""
    UNREADABLE = "unreadable"
    """It answered something that is not the API's, or of which nothing is understood."""
    REFUSED = "refused"
    """It answered in the API's own format, and said no: that is a word of the unit, and no word on what it holds."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a unit could not be read, for a program and for a person."""

    cause: Cause
    message: str
    hint: str | None = None
    """What to do, where the reason alone tells that, and not its cause."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One unit. What was not asked, or not answered, is nothing."""

    address: str
    site: str
    role: Role
    state: State | None = None
    """Who it is in its pair, by its health check and its API; a standalone need not tell."""
    health: str | None = None
    """What its health check answered: a status code, or how it failed."""
    by_health: State | None = None
    """Who it is by its health check alone; None where no look is known but the state."""
    ha_status: HaStatus | None = None
    """What its API says of its place in its pair."""
    failure: Failure | None = None
    host_name: str | None = None
    firmware: str | None = None
    boot_time: str | None = None
    """When it was booted last, in its own words."""
    change_time: str | None = None
    """When its configuration was changed last, likewise."""
    geo_enabled: bool | None = None
    ssh_access: bool | None = None
    ha: HaFacts | None = None
    remote_geo_access: tuple[str, ...] | None = None
    geo_partners: tuple[str, ...] | None = None
    partner_status: Mapping[str, bool | None] | None = None
    """Whether each partner is green, by its address; None where its colour could not be read."""
    clusters: tuple[GeoCluster, ...] | None = None
    fqdns: tuple[str, ...] | None = None
    fqdn_maps: tuple[GeoFqdn, ...] | None = None
    """Its FQDNs with their maps, where a push deletes clusters that these may use."""
    unread: tuple[str, ...] = ()
    """What this unit does not answer in a known way although the rest of it was read."""
    unanswered: tuple[str, ...] = ()
    """What it gave no answer to, in time or at all, although it had told its firmware: it is up, and this not told."""
    refused: tuple[str, ...] = ()
    """What it explicitly refused to tell as a standby, over a connection that can be believed; the rest was asked."""
    is_trusted: bool = True
    """Whether its certificate was verified or pinned: otherwise anybody may have answered in its place."""
    wants_basic: bool = False
    """Whether it refuses APIv2 for a setting of its logins, so that it was asked in APIv1."""
    certificate: str | None = None
    """The fingerprint of the certificate that it presented; None where that is not known."""

    @property
    def refuses_reads(self) -> bool:
        """Whether it is a standby that explicitly refuses reads, which is known of none and may be.

        Only a refusal in the API's own format counts, over a connection that can be believed, while its health check
        says that it is the standby: who is unreachable, or answers something else, has told nothing at all.
        """
        is_refusal = self.failure is not None and self.failure.cause is Cause.REFUSED
        is_standby = self.look is not None and self.look.health is State.STANDBY
        return is_standby and self.is_trusted and (is_refusal or bool(self.refused))

    @property
    def look(self) -> Look | None:
        """What its health check and its API say by themselves; None for a unit that is in no pair."""
        if self.state is None:
            return None
        return Look(self.by_health or self.state, self.ha_status)

    @property
    def condition(self) -> str:
        """How it stands in its pair, as what follows its name: a unit whose API answers is never called down."""
        if self.ha is not None and self.ha.mode == "single":
            return "is in HA mode single"
        if self.look is not None and self.state is State.CONTRADICTORY:
            return f"is {self.look}"
        if self.state is State.DOWN and (self.failure is None or self.failure.cause is not Cause.UNREACHABLE):
            return "is up, but does not answer its health check"
        return f"is {self.state or State.UNKNOWN}"


@dataclass(frozen=True)
class Observations:
    """All units by their own addresses, in the plan's order."""

    units: Mapping[str, Observation] = field(default_factory=dict)
    only: frozenset[str] | None = None
    """The sites that were asked, by their names; None where all of the plan were."""

    def asked(self, plan: Plan) -> tuple[SiteSettings, ...]:
        """Return the sites of a plan whose units were asked: of the others nothing is known, and nothing is wrong."""
        return tuple(site for site in plan.sites if self.only is None or site.name in self.only)

    def of_site(self, name: str) -> tuple[Observation, ...]:
        """Return the units of a site: master and slave, or the only one."""
        return self._by_site.get(name, ())

    def active(self, site: str) -> Observation | None:
        """Return the one unit of a site that takes settings, or None where that is not exactly one."""
        units = self.of_site(site)
        if len(units) == 1:
            return units[0]
        active = [unit for unit in units if unit.state is State.ACTIVE]
        is_clear = all(unit.state is not State.CONTRADICTORY for unit in units)
        return active[0] if is_clear and len(active) == 1 else None

    def unit(self, address: str) -> Observation | None:
        """Return the unit of an address, in any spelling."""
        return self._by_address.get(canonical(address))

    @cached_property
    def _by_site(self) -> Mapping[str, tuple[Observation, ...]]:
        by_site: dict[str, tuple[Observation, ...]] = {}
        for unit in self.units.values():
            by_site[unit.site] = (*by_site.get(unit.site, ()), unit)
        return by_site

    @cached_property
    def _by_address(self) -> Mapping[str, Observation]:
        return {canonical(unit.address): unit for unit in self.units.values()}


Subject = Literal["remote_geo_access", "geo_partners"]
HA_SUBJECT = "ha_parameters"
SUBJECTS: tuple[Subject, ...] = ("remote_geo_access", "geo_partners")
LIST_NAMES: Mapping[Subject, str] = {
    "remote_geo_access": vendor.REMOTE_GEO_ACCESS,
    "geo_partners": vendor.GEO_PARTNERS,
}


CHECK_CREDENTIALS = (
    "check its credentials: --credentials, GEOPLAN_USER and GEOPLAN_PASSWORD or GEOPLAN_APIKEY, or the keyring"
)


def failure_of(error: UnitError) -> Failure:
    """Return why a unit could not be read."""
    match error:
        case NotAskedError():
            cause = Cause.NOT_ASKED
        case AuthenticationError() | UntrustedUnitError():
            cause = Cause.UNAUTHORIZED
        case ProxyRefusedError():
            cause = Cause.PROXY
        case UnitUnreachableError():
            cause = Cause.UNREACHABLE
        case UnitRefusedError():
            cause = Cause.REFUSED
        case _:
            cause = Cause.UNREADABLE
    return Failure(cause, error.reason, error.hint if _tells_more(error) else None)


def how_to_reach(hint: str, *units: Observation) -> str:
    """Add to a hint why the APIs of units did not answer, and how to name another port."""
    failures = [unit.failure for unit in units if unit.failure and unit.failure.hint]
    hints = dict.fromkeys(failure.hint for failure in failures if failure.hint)
    return "; ".join((hint, *(failure.message for failure in failures), *hints))


def _tells_more(error: UnitError) -> bool:
    """Return whether the hint of an error says more than its cause: of a certificate, a setting, or the API's port."""
    match error:
        case UntrustedUnitError():
            return True
        case AuthenticationError():
            return error.asks_for_basic
        case UnitUnreachableError():
            return not error.request_sent
        case UnusableAnswerError():
            return error.is_page
    return False
