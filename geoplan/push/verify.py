"""Live units against the plan: on the active unit of every site its two lists, every cluster and its partners."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from geoplan.plan.model import Phase
from geoplan.push.addresses import canonical, without
from geoplan.push.facts import HA_SUBJECT, LIST_NAMES, SUBJECTS, State
from geoplan.push.ha import deviations, planned_pairs
from geoplan.push.matching import ClusterState, addresses_of, find, state_of, unknown_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.ha_model import HaPairSettings
    from geoplan.plan.model import ClusterDefinition, Plan, PlannedUnit, SiteSettings
    from geoplan.push.facts import Facts, LiveCluster, UnitFacts


class Kind(StrEnum):
    """How something differs from the plan."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"
    RED = "red"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference at one site; ``values`` are the addresses or names that it is about."""

    site: str
    unit: str | None
    kind: Kind
    subject: str
    message: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is no difference and worth knowing."""

    site: str
    message: str


@dataclass(frozen=True, slots=True)
class SiteReport:
    """What one site has, held against the plan."""

    site: str
    unit: str | None
    """Its active unit, which was asked."""
    differences: tuple[Difference, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Every site of a plan, in its order."""

    topology: str
    checksum: str
    sites: tuple[SiteReport, ...]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences, site by site."""
        return tuple(difference for site in self.sites for difference in site.differences)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes, site by site."""
        return tuple(note for site in self.sites for note in site.notes)

    @property
    def is_in_place(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def is_configured(self) -> bool:
        """Whether nothing differs but the colour of partners, which no setting changes."""
        return all(difference.kind is Kind.RED for difference in self.differences)

    @property
    def pairs_to_finish(self) -> tuple[str, ...]:
        """The pairs whose slave is up and red elsewhere: it seems never to have submitted its partners.

        They stand in the plan's order.
        """
        named = {value for found in self.differences if found.kind is Kind.RED for value in found.values}
        return tuple(site.site for site in self.sites if site.site in named)


def verify(plan: Plan, facts: Facts) -> Report:
    """Hold what units say against the plan."""
    pairs = {pair.site: pair for pair in planned_pairs(plan)}
    reports = tuple(_site_report(plan, site, facts, pairs.get(site.name)) for site in plan.sites)
    return Report(plan.topology, plan.checksum, reports)


def _site_report(plan: Plan, site: SiteSettings, facts: Facts, pair: HaPairSettings | None) -> SiteReport:
    unit = facts.active(site.name)
    of_pair = tuple(_ha_differences(site, pair, facts)) if pair else ()
    if Phase.GEO not in plan.phases():
        states = () if unit else (_no_active(site, facts),)
        return SiteReport(site.name, unit.address if unit else None, (*of_pair, *states), ())
    if unit is None:
        return SiteReport(site.name, None, (*of_pair, _no_active(site, facts)), ())
    if unit.failure:
        message = f"{unit.address} could not be read: {unit.failure.message}"
        unreadable = Difference(site.name, unit.address, Kind.UNREADABLE, "unit", message)
        return SiteReport(site.name, unit.address, (*of_pair, unreadable), ())
    differences = (
        *of_pair,
        *_standby_differences(site, facts),
        *_list_differences(site, unit),
        *_cluster_differences(plan, site, unit, facts),
        *_red_partners(plan, site, unit, facts),
    )
    return SiteReport(site.name, unit.address, differences, tuple(_notes(plan, site, unit)))


def _ha_differences(site: SiteSettings, pair: HaPairSettings, facts: Facts) -> Iterator[Difference]:
    for wanted in (pair.master, pair.slave):
        unit = facts.unit(wanted.address)
        if unit is None or unit.ha is None:
            message = f"{wanted.address} does not tell its HA parameters"
            yield Difference(site.name, wanted.address, Kind.UNREADABLE, HA_SUBJECT, message)
            continue
        for deviation in deviations(unit.ha, wanted):
            kind = Kind.MISSING if deviation.is_unset else Kind.DIFFERENT
            message = f"{wanted.address} ({wanted.mode}): {deviation}"
            yield Difference(site.name, wanted.address, kind, HA_SUBJECT, message, (deviation.name,))


def _no_active(site: SiteSettings, facts: Facts) -> Difference:
    states = ", ".join(f"{unit.address} {unit.condition}" for unit in facts.of_site(site.name))
    return Difference(site.name, None, Kind.UNREADABLE, "active unit", f"not exactly one unit is active: {states}")


def _standby_differences(site: SiteSettings, facts: Facts) -> Iterator[Difference]:
    for unit in facts.of_site(site.name):
        if unit.state in (State.DOWN, State.UNKNOWN):
            message = f"{unit.address} ({unit.role}) does not answer its health check"
            yield Difference(site.name, unit.address, Kind.UNREADABLE, "standby unit", message)


def _list_differences(site: SiteSettings, unit: UnitFacts) -> Iterator[Difference]:
    for subject in SUBJECTS:
        wanted: tuple[str, ...] = getattr(site, subject)
        found: tuple[str, ...] | None = getattr(unit, subject)
        name = LIST_NAMES[subject]
        if found is None:
            message = f"{unit.address} does not say its {name}"
            yield Difference(site.name, unit.address, Kind.UNREADABLE, subject, message)
            continue
        if missing := without(wanted, found):
            message = f"{name} lacks {', '.join(missing)}"
            yield Difference(site.name, unit.address, Kind.MISSING, subject, message, missing)
        if extra := without(found, wanted):
            message = f"{name} has {', '.join(extra)}, which the plan does not have"
            yield Difference(site.name, unit.address, Kind.EXTRA, subject, message, extra)


def _cluster_differences(plan: Plan, site: SiteSettings, unit: UnitFacts, facts: Facts) -> Iterator[Difference]:
    if unit.clusters is None:
        message = f"{unit.address} does not list its clusters"
        yield Difference(site.name, unit.address, Kind.UNREADABLE, "clusters", message)
        return
    for cluster in plan.clusters:
        if cluster.group == site.group:
            for kind, message in _of_cluster(plan, cluster, unit.clusters, facts):
                yield Difference(site.name, unit.address, kind, "clusters", message, (cluster.name,))


def _of_cluster(
    plan: Plan, cluster: ClusterDefinition, live: tuple[LiveCluster, ...], facts: Facts
) -> Iterator[tuple[Kind, str]]:
    shown = f"cluster '{cluster.name}' ({cluster.address})"
    found = find(plan, cluster, live)
    match state_of(plan, cluster, live):
        case ClusterState.MISSING:
            yield Kind.MISSING, f"{shown} is missing"
        case ClusterState.NAME_TAKEN:
            taken = next(other.address for other in live if other.name == cluster.name)
            yield Kind.DIFFERENT, f"{shown} is missing, and a cluster at {taken} has its name"
        case ClusterState.OTHER_NAME if found:
            yield Kind.DIFFERENT, f"{shown} is called '{found.name}'"
        case ClusterState.UNFINISHED | ClusterState.OTHER_TYPE if found:
            yield Kind.DIFFERENT, f"{shown} is of type {found.type}, not Remote LM"
        case ClusterState.MISPLACED:
            yield Kind.DIFFERENT, f"{shown} stands at another place"
        case _:
            pass
    if found and (stale := _stale_address(plan, cluster, found, facts)):
        yield Kind.DIFFERENT, f"{shown} {stale}"
    if sum(canonical(other.address) in addresses_of(plan, cluster) for other in live) > 1:
        yield Kind.EXTRA, f"{shown} is there twice"


def _stale_address(plan: Plan, cluster: ClusterDefinition, found: LiveCluster, facts: Facts) -> str | None:
    """Say that a cluster carries the address of a unit that is not the active one of its pair.

    After a failover the address changes by itself (section 5), so the slave's is in place while the slave is active.
    """
    active = facts.active(cluster.site)
    site = plan.site(cluster.site)
    if active is None or site.kind != "ha_pair" or canonical(found.address) == canonical(cluster.address):
        return None
    mine = next((u for u in site.units if canonical(u.address) == canonical(active.address)), None)
    own = {canonical(address) for address in ((mine.address, mine.nat_address) if mine else ()) if address}
    return None if canonical(found.address) in own else f"carries {found.address}, and {active.address} is active"


def _red_partners(plan: Plan, site: SiteSettings, unit: UnitFacts, facts: Facts) -> Iterator[Difference]:
    for address, green in (unit.partner_status or {}).items():
        if green is not False:
            continue
        partner, pair = _unit_at(plan, address, facts)
        if partner is not None and partner.role == "slave" and partner.state in (State.ACTIVE, State.STANDBY):
            message = (
                f"partner {address} is red though it is up: the slave of '{pair}' may never have submitted its partners"
            )
            yield Difference(site.name, unit.address, Kind.RED, "partner_status", message, (partner.site,))
        else:
            yield Difference(site.name, unit.address, Kind.RED, "partner_status", f"partner {address} is red")


def is_seen_green(unit: PlannedUnit, facts: Facts) -> bool:
    """Tell whether any other unit says that it sees this one green."""
    known = {canonical(address) for address in (unit.address, unit.nat_address) if address}
    return any(
        green is True and canonical(address) in known
        for other in facts.units.values()
        for address, green in (other.partner_status or {}).items()
    )


def _unit_at(plan: Plan, address: str, facts: Facts) -> tuple[UnitFacts | None, str]:
    for site in plan.sites:
        for unit in site.units:
            if canonical(address) in {canonical(known) for known in (unit.address, unit.nat_address) if known}:
                return facts.unit(unit.address), site.name
    return None, ""


def _notes(plan: Plan, site: SiteSettings, unit: UnitFacts) -> Iterator[Note]:
    for cluster in unknown_to(plan, site.group, unit.clusters or ()):
        message = (
            f"{unit.address} has the cluster '{cluster.name}' ({cluster.address}), which the plan does not mention"
        )
        yield Note(site.name, message)
    unknown = [address for address, green in (unit.partner_status or {}).items() if green is None]
    if unknown or (unit.partner_status is None and site.geo_partners):
        yield Note(site.name, f"{unit.address} does not tell in a known way which partners it sees")
