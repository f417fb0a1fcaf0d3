"""Sites that join a group: they need its GEO configuration before they are linked, since what differs may be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.live.findings.clusters import deleted_from
from geoplan.live.findings.geo_merge import site_at, sites_by_address
from geoplan.plan.model import Action
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.live.model import GeoCluster
    from geoplan.plan.model import Plan


class GeoConfiguration(NamedTuple):
    """What partners share, as one unit tells it."""

    clusters: tuple[GeoCluster, ...]
    fqdns: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not self.clusters and not self.fqdns

    @property
    def shown(self) -> str:
        """All of it in words."""
        clusters = some_of([f"'{cluster.name}'" for cluster in self.clusters]) or "none"
        return f"clusters {clusters}; FQDNs {some_of(self.fqdns) or 'none'}"


def seeded_sites(plan: Plan) -> tuple[str, ...]:
    """Return the sites that take over the GEO configuration of their group, in the order of the steps."""
    return tuple(step.site for step in plan.steps if step.action is Action.SEED_GEO_CONFIGURATION)


def reference_of(plan: Plan, group: str) -> str:
    """Return the site of a group whose GEO configuration those that join it take over: its first one that has it."""
    seeded = set(seeded_sites(plan))
    in_order = sorted(plan.sites_of(group), key=lambda site: site.kind != "ha_pair")
    return next(site.name for site in in_order if site.name not in seeded)


def differences(plan: Plan, group: str, newcomer: GeoConfiguration, reference: GeoConfiguration) -> tuple[str, ...]:
    """Return how a newcomer's configuration differs from the group's, in words; nothing where they can be linked.

    The clusters of sites that join are the plan's own: they may be on either side by now, or on none.
    """
    known = sites_by_address(plan)
    of_joining = set(seeded_sites(plan)) & {site.name for site in plan.sites_of(group)}
    for old, addresses in deleted_from(plan, group):  # goes once all are linked and the planned one is there
        known |= dict.fromkeys(addresses - known.keys(), old.site)

    def told(clusters: Iterable[GeoCluster]) -> set[tuple[str, str, str]]:
        places = ((site_at(known, cluster), cluster.name, cluster.type.value) for cluster in clusters)
        return {place for place in places if place[0] not in of_joining}

    here, there = told(newcomer.clusters), told(reference.clusters)
    names, wanted = _names(newcomer.fqdns), _names(reference.fqdns)
    found = (
        ("it lacks the cluster", sorted(f"'{name}'" for _, name, _ in there - here)),
        ("it has the cluster", sorted(f"'{name}'" for _, name, _ in here - there)),
        ("it lacks the FQDN", sorted(wanted - names)),
        ("it has the FQDN", sorted(names - wanted)),
    )
    return tuple(f"{what} {some_of(values)}" for what, values in found if values)


def _names(fqdns: Iterable[str]) -> set[str]:
    return {name.lower().removesuffix(".") for name in fqdns}
