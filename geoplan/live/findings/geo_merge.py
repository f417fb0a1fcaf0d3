"""Units about to become partners share one GEO configuration: what they have must be the same, or lose a word."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.plan.model import Action
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.live.findings.kinds import Command
    from geoplan.live.model import GeoCluster, Observation, Observations
    from geoplan.plan.model import Plan

HINT = (
    "which one would stay is not known: back up the unit whose GEO configuration is right, restore its "
    "'GEO Configuration' on the others by hand (System Administration > Backup/Restore), and push then; "
    "or give --accept-geo-merge"
)
JOIN = f"{HINT}. Where sites join others at work, a change gives them first what those have:"


class Merge(NamedTuple):
    """A group in which partnering would merge different configurations."""

    group: str
    sites: tuple[str, ...]
    units: tuple[str, ...]
    message: str
    hint: str = HINT
    commands: tuple[str, ...] = ()


def merge_problems(plan: Plan, facts: Observations, command: Command) -> Iterator[Merge]:
    """Yield each group in which partnering would merge different configurations.

    Who takes over its group's configuration by a step of a change is compared there, once it has it.
    """
    seeded = {step.site for step in plan.steps if step.action is Action.SEED_GEO_CONFIGURATION}
    places = sites_by_address(plan)
    for group in plan.groups:
        told = {name: unit for name in group.sites if (unit := facts.active(name)) and unit.clusters is not None}
        active = {name: unit for name, unit in told.items() if name not in seeded}
        differing = [
            (one, other)
            for one, other in combinations(active, 2)
            if not _are_partners(plan, active[one], active[other])
            and _geo(places, active[one]) != _geo(places, active[other])
        ]
        if differing:
            shown = "; ".join(f"{active[name].address} has {_shown(active[name])}" for name in _named(differing))
            message = f"these units are about to share one GEO configuration, and theirs differ: {shown}"
            sites = tuple(_named(differing))
            units = tuple(active[name].address for name in sites)
            if plan.change is None and any(unit.geo_partners for unit in active.values()):
                yield Merge(group.name, sites, units, message, JOIN, (command("push", "--from", "live"),))
            else:
                yield Merge(group.name, sites, units, message)


def _named(pairs: list[tuple[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for pair in pairs for name in pair))


def _are_partners(plan: Plan, one: Observation, other: Observation) -> bool:
    """Return whether each of two sites' units already lists the other's."""
    return _lists(plan, one, other.site) and _lists(plan, other, one.site)


def _lists(plan: Plan, unit: Observation, site: str) -> bool:
    held = {canonical(address) for address in unit.geo_partners or ()}
    return all(canonical(member.nat_address or member.address) in held for member in plan.site(site).units)


def _geo(places: Mapping[str, str], unit: Observation) -> tuple[frozenset[tuple[str, str, str]], frozenset[str]]:
    """Return clusters and FQDNs as they can be compared: a pair's addresses all stand for the pair."""
    clusters = frozenset((site_at(places, cluster), cluster.name, cluster.type) for cluster in unit.clusters or ())
    return clusters, frozenset(name.lower() for name in unit.fqdns or ())


def sites_by_address(plan: Plan) -> dict[str, str]:
    """Return the site of every address of a unit; of two that share one the first."""
    places: dict[str, str] = {}
    for site in plan.sites:
        for unit in site.units:
            for known in (unit.address, unit.nat_address):
                if known:
                    places.setdefault(canonical(known), site.name)
    return places


def site_at(places: Mapping[str, str], cluster: GeoCluster) -> str:
    """Return the site that a cluster is of, by any address of its units, or else its address."""
    address = canonical(cluster.address)
    return places.get(address, address)


def _shown(unit: Observation) -> str:
    clusters = some_of([f"'{cluster.name}'" for cluster in unit.clusters or ()]) or "none"
    fqdns = some_of(unit.fqdns or ()) or "none"
    return f"clusters {clusters}; FQDNs {fqdns}"
