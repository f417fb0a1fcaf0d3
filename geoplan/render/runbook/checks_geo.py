"""What to see to before GEO is set up, and what shows that it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Phase
from geoplan.render.runbook import wui
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.drills import drill
from geoplan.render.runbook.model import Check
from geoplan.render.runbook.phase_checks import PhaseChecks, ports_of_pairs, same_firmware, same_secret
from geoplan.render.runbook.prose import Name, Prose, Value, count, listing, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import ClusterDefinition, PlannedGroup
    from geoplan.render.runbook.context import Pair, RunbookContext

SSH_PORT = Value("22")  # partners, and the health check of Remote LM clusters


def _units_are_ready(bearings: RunbookContext) -> Iterator[Check]:
    if bearings.pairs and not bearings.has(Phase.HA):
        yield from _pairs_are_sound(bearings)
    yield Check(
        "ssh",
        prose("{} is on, on every unit", wui.ALLOW_SSH),
        (prose("{}. Partners and clusters speak to each other over SSH.", wui.REMOTE_ACCESS.path),),
    )
    yield same_secret()


def _pairs_are_sound(bearings: RunbookContext) -> Iterator[Check]:
    pairs = tuple(bearings.pairs.values())
    yield Check(
        "pairs-up",
        prose("Both units of every pair are up, and the master is the active one"),
        (
            prose("On the health check the master answers {} and the slave {}; see the table of units.", OK, BUSY),
            prose("Top right, their web interfaces say Master (Active) and Slave (Standby)."),
        ),
    )
    yield same_firmware()
    yield Check("preferred-host", prose("{} is set as planned", wui.PREFERRED_SERVER), tuple(_preferred(pairs)))


def _preferred(pairs: tuple[Pair, ...]) -> Iterator[Prose]:
    yield prose("{}. The order and the waiting of the steps depend on it.", wui.HA_PARAMETERS.path)
    for returns, choice in ((True, "master"), (False, "none")):
        names = [pair.site for pair in pairs if pair.master_returns is returns]
        if names:
            yield prose("{}: {}.", wui.PREFERRED_CHOICE[choice], listing(names))


def _ports(bearings: RunbookContext) -> Iterator[Prose]:
    plan = bearings.plan
    if len(plan.sites) > 1:
        yield prose(
            "TCP {} between the units of all sites of a group, both ways: partners and cluster checks.", SSH_PORT
        )
    else:
        yield prose("TCP {} to the site's own address: the cluster's check.", SSH_PORT)
    yield from ports_of_pairs(bearings)


def _way_back(bearings: RunbookContext) -> Iterator[Check]:
    plan = bearings.plan
    yield Check(
        "old-lists",
        prose("Both lists of every site are written down as they are now"),
        (
            prose(
                "They are the way back. What is submitted replaces the whole list: an address that stands there today "
                "and not in the table of lists below loses its access."
            ),
        ),
    )
    yield from (_right_configuration(group, bearings) for group in plan.groups if len(group.sites) > 1)


def _right_configuration(group: PlannedGroup, bearings: RunbookContext) -> Check:
    several = len(bearings.plan.groups) > 1
    # Before there are pairs there is no active unit; the slave takes it over from its master.
    where = "the master or only unit" if bearings.has(Phase.HA) else "the active unit"
    decided = prose("It is decided whose GEO configuration is the right one, and all the others hold it")
    return Check(
        f"geo-configuration/{group.name}" if several else "geo-configuration",
        prose(
            "{}: it is decided whose GEO configuration is the right one, and all its other sites hold it",
            Name(group.name),
        )
        if several
        else decided,
        (
            prose("Partners share one GEO configuration: what differs now is lost on one side or the other."),
            prose("On the right one: {}, {}.", wui.BACKUP.path, wui.CREATE_BACKUP),
            prose(
                "On {} of every other site: the same screen, choose that file, tick {} alone, press {}.",
                prose(where),
                wui.GEO_CONFIGURATION,
                wui.RESTORE,
            ),
            prose("The geographical IP database is not shared: update it on every unit by itself."),
        ),
        blank="GEO configuration taken from",
    )


def _verify(bearings: RunbookContext) -> Iterator[Check]:
    plan = bearings.plan
    joined = [group for group in plan.groups if len(group.sites) > 1]
    if joined:
        sites = [plan.site(name) for group in joined for name in group.sites]
        yield Check(
            "partners-green",
            prose("Every partner is green, seen from every site"),
            (
                prose("On the active unit of each site: {}, {}.", wui.REMOTE_ACCESS.path, wui.PARTNERS_STATUS),
                *(
                    prose("{}: {}, all green.", Name(site.name), prose(count(len(site.geo_partners), "partner")))
                    for site in sites
                ),
            ),
        )
    for group in plan.groups:
        several = len(plan.groups) > 1
        clusters = [cluster for cluster in plan.clusters if cluster.group == group.name]
        yield Check(
            f"clusters-up/{group.name}" if several else "clusters-up",
            prose("{}: every cluster is up", Name(group.name)) if several else prose("Every cluster is up"),
            (
                prose(
                    "{}, on the active unit of any site. A new cluster shows as up until it has been checked once: "
                    "look again a minute later.",
                    wui.MANAGE_CLUSTERS.path,
                ),
                *(prose("{}, {}: up.", Name(cluster.name), Value(cluster.address)) for cluster in clusters),
                *(
                    _cluster_behind_nat(bearings.pairs[cluster.site], cluster)
                    for cluster in clusters
                    if cluster.site in bearings.pairs and bearings.pairs[cluster.site].behind_nat
                ),
            ),
        )
    yield from (drill(pair, bearings, _look_after_failover(pair, bearings)) for pair in bearings.pairs.values())


def _cluster_behind_nat(pair: Pair, cluster: ClusterDefinition) -> Prose:
    """Say that nobody but a person sees to a cluster with a NAT address (section 4, GEO505)."""
    return prose(
        "After every failover of {}, look by hand where the cluster {}, entered with {}, points: {}",
        pair.site,
        Name(cluster.name),
        Value(cluster.address),
        _why_by_hand(pair),
    )


def _why_by_hand(pair: Pair) -> Prose:
    return prose(
        "HA replaces a unit's own address in a cluster by the other unit's own, but not a NAT address. From outside, "
        "the master is reached at {}, the slave at {}.",
        *pair.reached_at,
    )


def _look_after_failover(pair: Pair, bearings: RunbookContext) -> Iterator[Prose]:
    cluster = bearings.plan.cluster(pair.site)
    partners = bearings.plan.site(pair.site).geo_partners
    if pair.behind_nat:
        if partners:
            yield prose("On that unit, every partner is green and every other cluster is up.")
        words = "At {}, look by hand where the cluster {} points, now and once the drill is over: {}"
        yield prose(words, wui.MANAGE_CLUSTERS.path, Name(cluster.name), _why_by_hand(pair))
    elif partners:
        yield prose("On that unit, every partner is green and every cluster is up.")
    else:
        yield prose("On that unit, the cluster is up; its address may now show as that unit's own (section 5).")


CHECKS = PhaseChecks(units_are_ready=_units_are_ready, ports=_ports, way_back=_way_back, verify=_verify)
