"""What a change takes off units: the addresses of who leaves, and clusters, of which FQDNs may make use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.live.findings import Note, NoteKind
from geoplan.live.findings.clusters import addresses_before, addresses_of, deleted_from, old_name
from geoplan.live.model import Cause, ClusterType
from geoplan.plan.actions import DELETIONS, Action
from geoplan.vendor import MANAGE_FQDNS
from geoplan.wording import join_words, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from geoplan.live.model import GeoCluster, GeoFqdn, Observations, Subject
    from geoplan.plan.model import Plan, Step


def known_before(plan: Plan, site: str, subject: Subject, addresses: Iterable[str]) -> tuple[str, ...]:
    """Return those of some addresses that the older plan has on a site's list: a change may take these off it."""
    old = plan.change.old_site(site) if plan.change else None
    held: Collection[str] = getattr(old, subject) if old else ()
    known = {canonical(address) for address in held}
    return tuple(address for address in addresses if canonical(address) in known)


def shown_at(addresses: Collection[str], live: Iterable[GeoCluster]) -> GeoCluster | None:
    """Return the cluster that a unit shows at one of some addresses, or None."""
    return next((found for found in live if canonical(found.address) in addresses), None)


def clusters_to_delete(plan: Plan, step: Step, live: Iterable[GeoCluster]) -> tuple[GeoCluster, ...]:
    """Return those of a unit's clusters that a step deletes there, as the unit shows them."""
    change, clusters = plan.change, tuple(live)
    if change is None or step.action not in DELETIONS:
        return ()
    sites: tuple[str, ...] = (step.site,)
    if step.action is Action.DELETE_OTHER_CLUSTERS:
        part = change.part_of(step.site)
        sites = part.others if part else ()
        if part and step.site in change.leaving:  # its own is there where it was added as a probe
            sites = tuple(name for name in (*part.others, *part.sites) if name not in part.keeps)
    elif change.departure_of(step.site) is None:
        kept = _kept(plan, step.site)
        clusters = tuple(each for each in clusters if canonical(each.address) not in kept)
    sites = tuple(site for site in sites if change.old_cluster(site))
    found = (shown_at(addresses_before(plan, site), clusters) for site in sites)
    return tuple(cluster for cluster in found if cluster)


def _kept(plan: Plan, site: str) -> frozenset[str]:
    """Return where the cluster of a site that goes on may be shown, as long as that is not where it was before.

    A standby shows its own pair's cluster at its own address.
    """
    planned = [cluster for cluster in plan.clusters if cluster.site == site]
    shown = frozenset().union(*(addresses_of(plan, cluster) for cluster in planned))
    old = plan.change.old_cluster(site) if plan.change else None
    gone = {canonical(old.address)} if old else set()
    return (shown - gone) | {canonical(cluster.address) for cluster in planned}


def unlike_before(plan: Plan, cluster: GeoCluster) -> str | None:
    """Return how a cluster at an address that a change clears is not the one that was there before; None where it is.

    A cluster of another name or type at that address is somebody else's, and no step deletes it. One that geoplan has
    moved out of the way goes by its old name, one that it has entered since by its new one; one of type default is
    half-made.
    """
    change, address = plan.change, canonical(cluster.address)
    known = [each for each in (change.old_clusters if change else ()) if address in addresses_before(plan, each.site)]
    now = {each.site: each.name for each in plan.clusters}
    allowed = {name for each in known for name in (each.name, old_name(each.name), now.get(each.site, each.name))}
    if not any(map(cluster.is_named, allowed)):
        names = some_of([f"'{each.name}'" for each in known]) or "unknown"
        return f"it is called '{cluster.name}', and was {names} before"
    if cluster.type not in (ClusterType.REMOTE_LM, ClusterType.DEFAULT):
        return f"it is of type {cluster.type.value}, and was {ClusterType.REMOTE_LM.value} before"
    return None


def using(fqdns: Iterable[GeoFqdn], cluster: GeoCluster) -> tuple[str, ...]:
    """Return the FQDNs of which a map uses a cluster."""
    return tuple(
        fqdn.name for fqdn in fqdns if any(each.cluster and cluster.is_named(each.cluster) for each in fqdn.maps)
    )


class InUse(NamedTuple):
    """Why clusters must not be deleted on a unit."""

    unit: str
    message: str


def clusters_in_use(plan: Plan, facts: Observations) -> Iterator[InUse]:
    """Yield the clusters that steps delete although FQDNs use them, and where that cannot be known."""
    told: set[InUse] = set()
    for step in plan.steps:
        unit = facts.active(step.on.site)
        if unit is None or unit.failure or step.action not in DELETIONS:
            continue
        if plan.change and step.action is Action.DELETE_OTHER_CLUSTERS and step.site not in plan.change.leaving:
            continue  # where there are FQDNs, these clusters are left to the seed
        if unit.fqdn_maps is None:
            found = [
                InUse(unit.address, "it does not tell which clusters its FQDNs use, and clusters are deleted there")
            ]
        else:
            going = clusters_to_delete(plan, step, unit.clusters or ())
            uses = [(cluster, names) for cluster in going if (names := using(unit.fqdn_maps, cluster))]
            found = [InUse(unit.address, in_use(cluster, names)) for cluster, names in uses]
        yield from (each for each in found if each not in told)
        told.update(found)


def in_use(cluster: GeoCluster, fqdns: Collection[str]) -> str:
    """Say which FQDNs use a cluster that is to be deleted."""
    verb = "uses" if len(fqdns) == 1 else "use"
    return f"the cluster '{cluster.name}' is to be deleted, and {some_of(fqdns)} {verb} it"


def notes_of_entries(plan: Plan, facts: Observations) -> Iterator[Note]:
    """Say which FQDNs go on answering with addresses that leave: no step changes an FQDN."""
    for group in plan.groups:
        gone = {address: old.site for old, addresses in deleted_from(plan, group.name) for address in addresses}
        told: set[str] = set()
        for name in group.sites if gone else ():
            unit = facts.active(name)
            for fqdn in (unit.fqdn_maps or ()) if unit else ():
                answers = [each.address for each in fqdn.maps if canonical(each.address) in gone]
                if answers and fqdn.name not in told:
                    told.add(fqdn.name)
                    sites = join_words(f"'{site}'" for site in dict.fromkeys(gone[canonical(each)] for each in answers))
                    message = (
                        f"the FQDN {fqdn.name} answers with {some_of(answers)}, of {sites}, and goes on doing so: no "
                        f"push changes an FQDN. Take that out at {MANAGE_FQDNS} before nothing serves there any more"
                    )
                    yield Note(name, message, NoteKind.FQDN_NAMES_GONE)


def silent_leavers(plan: Plan, facts: Observations) -> frozenset[str]:
    """Return the sites that leave for good and have a unit that does not answer: they are left alone, as far as not."""
    leaving = plan.change.leaving if plan.change else ()
    return frozenset(
        unit.site
        for unit in facts.units.values()
        if unit.site in leaving and unit.failure is not None and unit.failure.cause is Cause.UNREACHABLE
    )


def note_of_silence(site: str) -> Note:
    """Say before a push that a site that leaves will be left alone."""
    message = (
        f"'{site}' leaves, and not every unit of it answers: what does not is left alone, and "
        "what is to be done on it some day is said at the end"
    )
    return Note(site, message, NoteKind.LEFT_ALONE)
