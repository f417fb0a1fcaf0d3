"""What the pictures say about a group in words: how many sites, and who is whose partner."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from geoplan.topology.model import DEFAULT_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan, PlannedGroup, SiteSettings


# Programs that lay a graph out in layers make a tangle of more sites than that when each is joined to each.
JOINED_ONE_BY_ONE = 3
HUB = "partners, all with all"


def links(group: PlannedGroup, ids: list[str], hub: str) -> Iterator[tuple[str, str]]:
    """Yield which nodes to join: each two sites of a small group, and the sites of a larger one with its hub.

    The hub stands for "all with all". Half of the sites come before it and half after, so that a program that draws
    from left to right sets them on both sides.
    """
    if not has_hub(group):
        yield from combinations(ids, 2)
        return
    half = (len(ids) + 1) // 2
    yield from ((site, hub) for site in ids[:half])
    yield from ((hub, site) for site in ids[half:])


def has_hub(group: PlannedGroup) -> bool:
    """Tell whether a group's sites are joined with a hub rather than with one another."""
    return len(group.sites) > JOINED_ONE_BY_ONE


def group_title(plan: Plan, group: PlannedGroup) -> str:
    """Return the name that a group is shown by; the one that stands for "no groups" has none."""
    return "" if len(plan.groups) == 1 and group.name == DEFAULT_GROUP else group.name


def partners_in_words(group: PlannedGroup) -> str:
    """Say who in a group is whose partner."""
    count = len(group.sites)
    if count == 1:
        return "one site, no partners"
    return "2 sites, partners" if count == 2 else f"{count} sites, partners all with all"  # noqa: PLR2004


def sites_in_words(plan: Plan) -> str:
    """Count the sites by kind, and the groups where there are several."""
    pairs = sum(site.kind == "ha_pair" for site in plan.sites)
    kinds = [_counted(pairs, "HA pair"), _counted(len(plan.sites) - pairs, "standalone LoadMaster")]
    text = " and ".join(kind for kind in kinds if kind)
    return f"{text} in {len(plan.groups)} groups" if len(plan.groups) > 1 else text


def unit_in_words(site: SiteSettings) -> tuple[str, ...]:
    """Return a line for each unit of a site: its role in a pair, its address, and how others reach it."""
    lines = []
    for unit in site.units:
        role = "" if unit.role == "standalone" else f"{unit.role} "
        nat = f", NAT {unit.nat_address}" if unit.nat_address else ""
        lines.append(f"{role}{unit.address}{nat}")
    return tuple(lines)


def picture_in_words(plan: Plan) -> str:
    """Say everything that the picture shows, for those who do not see it."""
    groups = []
    for group in plan.groups:
        sites = "; ".join(f"{name} ({', '.join(unit_in_words(plan.site(name)))})" for name in group.sites)
        title = group_title(plan, group)
        groups.append(f"{title + ': ' if title else ''}{partners_in_words(group)}: {sites}.")
    return " ".join(groups)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""
