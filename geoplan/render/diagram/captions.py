"""What the pictures say about a group in words: how many sites, and who is whose partner."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from geoplan.render.delta import deltas_of
from geoplan.wording import count

if TYPE_CHECKING:
    from geoplan.plan.model import Plan, PlannedGroup, SiteSettings


# Programs that lay a graph out in layers make a tangle of more sites than that when each is joined to each.
JOINED_ONE_BY_ONE = 3
HUB = "partners, all with all"


class Graph(NamedTuple):
    """A group's sites as nodes, and which of them to join."""

    sites: dict[str, str]
    """The names of the nodes by those of the sites."""
    hub: str | None
    """The node that stands for "all with all", if the sites are joined with it rather than with one another."""
    links: list[tuple[str, str]]


def graph_of(group: PlannedGroup, number: int) -> Graph:
    """Return the graph of a group: each two sites of a small one are joined, those of a larger one with a hub.

    Half of the sites come before the hub and half after, so that a program that draws from left to right sets them on
    both sides.
    """
    ids = [f"g{number}s{position}" for position in range(1, len(group.sites) + 1)]
    sites = dict(zip(group.sites, ids, strict=True))
    if len(ids) <= JOINED_ONE_BY_ONE:
        return Graph(sites, None, list(combinations(ids, 2)))
    hub, half = f"g{number}hub", (len(ids) + 1) // 2
    return Graph(sites, hub, [(site, hub) for site in ids[:half]] + [(hub, site) for site in ids[half:]])


def group_title(plan: Plan, group: PlannedGroup) -> str:
    """Return the name that a group is shown by; the one that stands for "no groups" has none."""
    return group.name if plan.is_group_written(group.name) else ""


def fates_of(plan: Plan) -> dict[str, str]:
    """Return, of a change, which sites leave, join or move, each in one word; those that stay have none."""
    return {delta.site: delta.fate for delta in deltas_of(plan) if delta.fate != "stays"}


_LEGEND = {
    "leaves": "Dashed: leaves for good.",
    "joins": "Thick border, joins: a new site.",
    "moves": "Thick border, moves: from another group.",
}


def legend_of(plan: Plan) -> str:
    """Say how the sites are drawn that a change takes away, brings or moves; nothing where there are none."""
    found = set(fates_of(plan).values())
    return " ".join(words for fate, words in _LEGEND.items() if fate in found)


def partners_in_words(group: PlannedGroup) -> str:
    """Say who in a group is whose partner."""
    match len(group.sites):
        case 1:
            return "one site, no partners"
        case 2:
            return "2 sites, partners"
        case many:
            return f"{many} sites, partners all with all"


def sites_in_words(plan: Plan) -> str:
    """Count the sites by kind, and the groups where there are several."""
    pairs = sum(site.kind == "ha_pair" for site in plan.sites)
    kinds = ((pairs, "HA pair"), (len(plan.sites) - pairs, "standalone LoadMaster"))
    text = " and ".join(count(number, noun) for number, noun in kinds if number)
    groups = len(plan.groups) - len(plan.change.leaving if plan.change else ())
    return f"{text} in {groups} groups" if groups > 1 else text


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
    fates = {name: f", {fate}" for name, fate in fates_of(plan).items()}
    for group in plan.groups:
        sites = "; ".join(
            f"{name} ({', '.join(unit_in_words(plan.site(name)))}){fates.get(name, '')}" for name in group.sites
        )
        title = group_title(plan, group)
        groups.append(f"{title + ': ' if title else ''}{partners_in_words(group)}: {sites}.")
    return " ".join(groups)
