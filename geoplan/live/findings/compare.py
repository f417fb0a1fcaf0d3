"""Live units compared with the plan: lists and clusters of every unit that tells them, and the links between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, without
from geoplan.live.findings import Difference, Kind, Mend, Note, NoteKind, Report, SiteReport
from geoplan.live.findings.clusters import (
    RETYPE,
    ClusterState,
    addresses_of,
    deleted_from,
    find,
    how_to_rename,
    misplaced,
    oddities,
    state_of,
    unknown_to,
)
from geoplan.live.findings.geo_merge import site_at, sites_by_address
from geoplan.live.findings.ha_changes import ha_change_differences
from geoplan.live.findings.ha_differences import ha_differences
from geoplan.live.findings.kinds import FindingKind
from geoplan.live.findings.newcomers import seeded_sites
from geoplan.live.findings.pairs import planned_pairs, sites_to_form
from geoplan.live.findings.partners import (
    link_notes,
    red_differences,
    standby_notes,
    units_to_submit_again,
    unproven_notes,
    unproven_units,
)
from geoplan.live.links import NOTHING_KNOWN, links_of
from geoplan.live.model import LIST_NAMES, REMOTE_LM, SUBJECTS, ClusterType, GeoCluster, State, how_to_reach
from geoplan.plan.model import Action, Phase
from geoplan.vendor import SSH_PORT, SYNC_PORT
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from geoplan.live.links import GivenSecrets, KnownLinks, Link
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import ClusterDefinition, Plan, PlannedUnit, SiteSettings

__all__ = ["Difference", "Kind", "Mend", "Note", "Report", "SiteReport", "is_seen_green", "verify"]

CLUSTERS = "clusters"
UNIT, ACTIVE_UNIT, STANDBY_UNIT = "unit", "active unit", "standby unit"
TWICE = "remove the one too many by hand first, once no FQDN uses it"
STALE = (
    "a failover and the way back may correct it; else note which FQDNs use it, remove it by hand, and push: it is "
    "added with the right address"
)
SHARE = (
    f"its partners have it, and do not share it with this unit: see that TCP port {SSH_PORT} is open between them, and "
    "submit GEO LoadMaster Partners again on this unit"
)


class _Seen(NamedTuple):
    """What is compared: the plan, what units say, and the links that follow."""

    plan: Plan
    facts: Observations
    links: Mapping[str, tuple[Link, ...]]
    """By groups."""
    hosts: Mapping[str, str]
    """The site on which each site's cluster is entered."""
    deleted_on: Mapping[str, str]
    """The site on which the cluster of each site that has left is deleted."""
    places: Mapping[str, str]
    """The site of every address of a unit."""
    seeded: frozenset[str]
    """The sites that take over a GEO configuration: what they have of another one is no one's to put right by hand."""
    secrets: GivenSecrets


def verify(
    plan: Plan,
    facts: Observations,
    known: KnownLinks = NOTHING_KNOWN,
    *,
    forming: Collection[str] | None = None,
) -> Report:
    """Compare what units say with the plan.

    ``known`` is what journals hold of links: it proves those that nobody tells now, and explains standbys that are red.
    ``forming`` are the sites whose pairs a push forms, where more is known of that than the units tell.
    """
    pairs = {pair.site: pair for pair in planned_pairs(plan)}
    forming = sites_to_form(plan, facts) if forming is None else forming
    has_geo = Phase.GEO in plan.phases()
    links = links_of(plan, facts, known) if has_geo else {}
    entering = (Action.ADD_CLUSTER, Action.MODIFY_CLUSTER)
    hosts = {step.site: step.on.site for step in plan.steps if step.action in entering}
    deleted_on = {step.site: step.on.site for step in plan.steps if step.action is Action.DELETE_CLUSTER}
    places, seeded = sites_by_address(plan), frozenset(seeded_sites(plan))
    seen = _Seen(plan, facts, links, hosts, deleted_on, places, seeded, known.secrets)
    reports = []
    for site in facts.asked(plan):
        pair = pairs.get(site.name)
        of_pair = tuple(ha_differences(site, pair, facts, is_formed=site.name in forming)) if pair else ()
        of_pair += tuple(ha_change_differences(plan, site, facts))
        report = _geo_report(site, seen) if has_geo else _state_report(site, facts, known.secrets)
        reports.append(replace(report, differences=(*of_pair, *report.differences)))
    return Report(plan.topology, plan.checksum, tuple(reports))


def _state_report(site: SiteSettings, facts: Observations, secrets: GivenSecrets) -> SiteReport:
    unit = facts.active(site.name)
    return SiteReport(site.name, unit.address, (), ()) if unit else _no_active(site, facts, secrets)


def _geo_report(site: SiteSettings, seen: _Seen) -> SiteReport:
    plan, facts, links = seen.plan, seen.facts, seen.links[site.group]
    unit = facts.active(site.name)
    if unit is None:
        return _no_active(site, facts, seen.secrets)
    if unit.failure:
        return SiteReport(site.name, unit.address, (_unreadable(site, unit),), ())
    own = (*_list_differences(site, unit), *_without_links(_cluster_differences(site, unit, seen), site, seen))
    differences = (
        *_states_of_standby(site, facts),
        *own,
        *_oddities(plan, site, unit),
        *_standby_differences(site, unit, own, seen),
        *red_differences(site, unit, links, facts, seen.places),
    )
    unproven = unproven_units(site, links, facts)
    notes = (
        *_notes(plan, site, unit),
        *_standby_refusals(site, facts),
        *link_notes(site, unit, links),
        *standby_notes(site, links),
        *unproven_notes(site, unproven),
    )
    own_links = tuple(link for link in links if link.site == site.name)
    return SiteReport(site.name, unit.address, differences, notes, own_links, unproven)


def _unreadable(site: SiteSettings, unit: Observation) -> Difference:
    reason = unit.failure.message if unit.failure else "it does not answer"
    message = f"{unit.address} could not be read: {reason}"
    hint = unit.failure.hint or "" if unit.failure else ""
    return Difference(site.name, unit.address, Kind.UNREADABLE, UNIT, message, hint=hint)


def _no_active(site: SiteSettings, facts: Observations, secrets: GivenSecrets) -> SiteReport:
    states = ", ".join(f"{unit.address} {unit.condition}" for unit in facts.of_site(site.name))
    message = f"not exactly one unit is active: {states}"
    hint = how_to_reach(secrets.how_to_repair(site), *facts.of_site(site.name))
    found = Difference(site.name, None, Kind.UNREADABLE, ACTIVE_UNIT, message, hint=hint)
    return SiteReport(site.name, None, (found,), ())


def _states_of_standby(site: SiteSettings, facts: Observations) -> Iterator[Difference]:
    for unit in facts.of_site(site.name):
        if unit.state is State.CONTRADICTORY:
            message = f"{unit.address} ({unit.role}) {unit.condition}"
            hint = "see why health check and API do not agree first"
            yield Difference(site.name, unit.address, Kind.UNREADABLE, STANDBY_UNIT, message, hint=hint)
        elif unit.state in (State.DOWN, State.UNKNOWN):
            message = f"{unit.address} ({unit.role}) does not answer its health check"
            hint = "bring it up first"
            yield Difference(site.name, unit.address, Kind.UNREADABLE, STANDBY_UNIT, message, hint=hint)


def _oddities(plan: Plan, site: SiteSettings, unit: Observation) -> Iterator[Difference]:
    """Yield what somebody should look at about clusters, and no push changes; who leaves keeps what it had."""
    if plan.change and site.name in plan.change.leaving:
        return
    for odd in oddities(plan, site.group, unit.clusters or ()):
        kind = Kind.EXTRA if odd.kind is FindingKind.UNKNOWN_CLUSTER else Kind.DIFFERENT
        message = f"{unit.address}: {odd.message}"
        yield Difference(site.name, unit.address, kind, CLUSTERS, message, (odd.name,), Mend.BY_HAND, odd.hint)


def _standby_differences(
    site: SiteSettings, active: Observation, own: tuple[Difference, ...], seen: _Seen
) -> Iterator[Difference]:
    """Yield what the standby has otherwise than planned, or than its active unit.

    What its active unit has just so comes with that one.
    """
    of_active = {(found.kind, found.subject, found.values) for found in own}
    for unit in seen.facts.of_site(site.name):
        if unit.state is not State.STANDBY:
            continue
        if unit.failure and not unit.refuses_reads:
            yield _unreadable(site, unit)
            continue
        hint = f"see that the pair synchronises (TCP port {SYNC_PORT}): {unit.address} is to follow its active unit"
        told = (*_told_lists(site, unit), *_told_clusters(site, unit, seen))
        for found in told:
            if (found.kind, found.subject, found.values) not in of_active:
                message = f"on the standby {unit.address}: {found.message}"
                yield replace(found, message=message, mends=Mend.REPLICATION, hint=hint)
        if not any(found.subject == CLUSTERS for found in (*told, *own)):
            yield from _other_clusters(seen.places, site, unit, active, hint)


def _other_clusters(
    places: Mapping[str, str], site: SiteSettings, standby: Observation, active: Observation, hint: str
) -> Iterator[Difference]:
    """Yield the clusters that a standby and its active unit do not have alike: no plan has them."""
    if standby.clusters is None or active.clusters is None:
        return
    one, other = (
        {(site_at(places, cluster), cluster.name, cluster.type) for cluster in unit.clusters or ()}
        for unit in (standby, active)
    )
    if values := tuple(sorted({name for _, name, _ in one ^ other})):
        shown = some_of([f"'{name}'" for name in values])
        message = f"on the standby {standby.address}: its clusters are not those of {active.address}: {shown}"
        yield Difference(site.name, standby.address, Kind.DIFFERENT, CLUSTERS, message, values, Mend.BY_HAND, hint)


def _told_lists(site: SiteSettings, unit: Observation) -> Iterator[Difference]:
    """Yield how lists differ, as far as they were told."""
    for subject in SUBJECTS:
        wanted: tuple[str, ...] = getattr(site, subject)
        found: tuple[str, ...] | None = getattr(unit, subject)
        if found is None:
            continue
        name = LIST_NAMES[subject]
        if missing := without(wanted, found):
            message = f"{name} lacks {some_of(missing)}"
            yield Difference(site.name, unit.address, Kind.MISSING, subject, message, missing)
        if extra := without(found, wanted):
            message = f"{name} has {some_of(extra)}, which the plan does not have"
            yield Difference(site.name, unit.address, Kind.EXTRA, subject, message, extra)


def _list_differences(site: SiteSettings, unit: Observation) -> Iterator[Difference]:
    for subject in SUBJECTS:
        if getattr(unit, subject) is None:
            message = f"{unit.address} does not say its {LIST_NAMES[subject]}"
            yield Difference(site.name, unit.address, Kind.UNREADABLE, subject, message)
    yield from (replace(found, mends=Mend.STEP) for found in _told_lists(site, unit))


def _cluster_differences(site: SiteSettings, unit: Observation, seen: _Seen) -> Iterator[Difference]:
    if unit.clusters is None:
        message = f"{unit.address} does not list its clusters"
        yield Difference(site.name, unit.address, Kind.UNREADABLE, CLUSTERS, message)
        return
    yield from _told_clusters(site, unit, seen)


def _told_clusters(site: SiteSettings, unit: Observation, seen: _Seen) -> Iterator[Difference]:
    """Yield how clusters differ, where they were told."""
    is_seeded = site.name in seen.seeded
    for cluster in seen.plan.clusters_of(site.group) if unit.clusters is not None else ():
        at_host = Mend.STEP if seen.hosts.get(cluster.site) == site.name else Mend.REPLICATION
        for kind, message, by_hand in _of_cluster(seen.plan, cluster, unit, seen.facts):
            comes = SHARE if at_host is Mend.REPLICATION and _is_at_host(cluster, seen) else ""
            mends, hint = (Mend.NOTHING, by_hand) if by_hand and not is_seeded else (at_host, comes)
            yield Difference(site.name, unit.address, kind, CLUSTERS, message, (cluster.name,), mends, hint)
    yield from _left_behind(site, unit, seen)


def _left_behind(site: SiteSettings, unit: Observation, seen: _Seen) -> Iterator[Difference]:
    """Yield the clusters that are still there of sites that have left, and that a step deletes."""
    hosts = seen.deleted_on
    for cluster, addresses in deleted_from(seen.plan, site.group) if hosts else ():
        for found in unit.clusters or ():
            if canonical(found.address) in addresses:
                leaves = seen.plan.change and seen.plan.change.departure_of(cluster.site)
                why = f"'{cluster.site}' leaves" if leaves else "the plan does not have it"
                message = f"cluster '{found.name}' ({found.address}) is there, and {why}"
                mends = Mend.STEP if hosts[cluster.site] == site.name else Mend.REPLICATION
                yield Difference(site.name, unit.address, Kind.EXTRA, CLUSTERS, message, (found.name,), mends)


def _is_at_host(cluster: ClusterDefinition, seen: _Seen) -> bool:
    """Return whether the unit on which a cluster is entered has it."""
    host = seen.facts.active(seen.hosts.get(cluster.site, ""))
    return host is not None and find(seen.plan, cluster, host.clusters or ()) is not None


def _without_links(found: Iterable[Difference], site: SiteSettings, seen: _Seen) -> Iterator[Difference]:
    """Yield clusters that do not come from partner to partner as mended by the submission that mends the links.

    A red link that no submission mends, such as that to a slave in standby, keeps no cluster from an active unit.
    """
    is_cut = bool(units_to_submit_again(seen.links[site.group], seen.facts))
    for each in found:
        yield replace(each, mends=Mend.SUBMISSION) if is_cut and each.mends is Mend.REPLICATION else each


def _of_cluster(
    plan: Plan, cluster: ClusterDefinition, unit: Observation, facts: Observations
) -> Iterator[tuple[Kind, str, str]]:
    """Yield how a cluster differs, in words, and what to do by hand where its step does not mend that."""
    live = unit.clusters or ()
    shown = f"cluster '{cluster.name}' ({cluster.address})"
    found = find(plan, cluster, live)
    match state_of(plan, cluster, live):
        case ClusterState.MISSING:
            yield Kind.MISSING, f"{shown} is missing", ""
        case ClusterState.NAME_TAKEN:
            taken = next(other.address for other in live if other.name == cluster.name)
            mended = is_in_the_way_alone(plan, cluster, taken)
            message = f"{shown} is missing, and a cluster at {taken} has its name"
            yield Kind.DIFFERENT, message, "" if mended else how_to_rename(plan)
        case ClusterState.OTHER_NAME if found:
            mended = is_old_cluster(plan, cluster.site, found.address, found.name)
            by_hand = "" if mended else how_to_rename(plan)
            place = f", and {elsewhere}" if (elsewhere := misplaced(cluster, found)) else ""
            yield Kind.DIFFERENT, f"{shown} is called '{found.name}', of type {found.type}{place}", by_hand
        case ClusterState.UNFINISHED if found:
            yield Kind.DIFFERENT, f"{shown} is of type {found.type}, not Remote LM", ""
        case ClusterState.OTHER_TYPE if found:
            yield Kind.DIFFERENT, f"{shown} is of type {found.type}, not Remote LM", RETYPE
        case ClusterState.MISPLACED if found:
            yield Kind.DIFFERENT, f"{shown} {misplaced(cluster, found)}", ""
        case _:
            pass
    if found and unit.state is not State.STANDBY and (stale := _stale_address(plan, cluster, found, facts)):
        yield Kind.DIFFERENT, f"{shown} {stale}", STALE
    own = addresses_of(plan, cluster)
    if sum(canonical(other.address) in own for other in live) > 1:
        yield Kind.EXTRA, f"{shown} is there twice", TWICE


def is_in_the_way_alone(plan: Plan, cluster: ClusterDefinition, address: str) -> bool:
    """Return whether the cluster that has a planned one's name is one that a change takes away, or renames first."""
    going = frozenset().union(*(addresses for _, addresses in deleted_from(plan, cluster.group)))
    return canonical(address) in going or is_old_cluster(plan, cluster.site, address, cluster.name)


def is_old_cluster(plan: Plan, site: str, address: str, name: str) -> bool:
    """Return whether a cluster is the one that a site had before a change, by its name and any address of the pair."""
    change = plan.change
    old, before = (change.old_cluster(site), change.old_site(site)) if change else (None, None)
    if old is None or before is None:
        return False
    known = {canonical(old.address)}
    known |= {canonical(each) for unit in before.units for each in (unit.address, unit.nat_address) if each}
    return canonical(address) in known and (
        name == old.name or GeoCluster(address, name, REMOTE_LM).is_rewritten(old.name)
    )


def _stale_address(plan: Plan, cluster: ClusterDefinition, found: GeoCluster, facts: Observations) -> str | None:
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


def is_seen_green(unit: PlannedUnit, facts: Observations) -> bool:
    """Return whether any other unit says that it sees this one green."""
    known = {canonical(address) for address in (unit.address, unit.nat_address) if address}
    return any(
        green is True and canonical(address) in known
        for other in facts.units.values()
        for address, green in (other.partner_status or {}).items()
    )


def _notes(plan: Plan, site: SiteSettings, unit: Observation) -> Iterator[Note]:
    for cluster in unknown_to(plan, site.group, unit.clusters or ()):
        if cluster.type is ClusterType.REMOTE_LM:  # which is told as a difference
            continue
        message = (
            f"{unit.address} has the cluster '{cluster.name}' ({cluster.address}), which the plan does not mention"
        )
        yield Note(site.name, message, NoteKind.UNKNOWN_CLUSTER)


def _standby_refusals(site: SiteSettings, facts: Observations) -> Iterator[Note]:
    """Yield what a standby does not tell, so that it could not be compared."""
    names = {**{str(subject): name for subject, name in LIST_NAMES.items()}, CLUSTERS: "clusters"}
    for unit in facts.of_site(site.name):
        untold = [name for subject, name in names.items() if getattr(unit, subject) is None]
        if unit.state is State.STANDBY and untold and (unit.failure is None or unit.refuses_reads):
            message = f"the standby {unit.address} does not tell: {', '.join(untold)}"
            yield Note(site.name, message, NoteKind.STANDBY_REFUSES)
