"""The picture as a graph in DOT, for Graphviz.

A site is a node with its name over its units; groups are clusters. ``dot`` sets nodes in layers, in which lines from
each site to each other one would be a tangle, so the sites of a group of more than three are joined with a node that
says "partners, all with all".
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from geoplan.render.diagram.captions import (
    HUB,
    fates_of,
    graph_of,
    group_title,
    legend_of,
    partners_in_words,
    sites_in_words,
)
from geoplan.render.diagram.svg import xml_text
from geoplan.render.diagram.text_metrics import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan, PlannedGroup, PlannedUnit, SiteSettings

INK, LINE, ACCENT, AREA, MASTER = "#1f2933", "#5f7388", "#19618f", "#f4f6f8", "#e4edf4"
_NAME_WIDTH = 240
_LINE_BREAK = '<br align="left"/>'


def render(plan: Plan) -> str:
    """Return the graph, one node or line a row."""
    return "".join(f"{line}\n" for line in _graph(plan))


def _graph(plan: Plan) -> Iterator[str]:
    yield "graph {"
    title = f'<font point-size="15"><b>{_broken(plan.topology, 15, "<br/>")}</b></font>'
    words = "<br/>".join(map(_escaped, filter(None, (sites_in_words(plan), legend_of(plan)))))
    label = f"{title}<br/>{words}<br/> "
    yield "    graph [rankdir=LR, ordering=out, ranksep=1.2, nodesep=0.2]"
    yield f'    graph [fontname="sans-serif", fontsize=10, fontcolor="{INK}", labelloc=t, label=<{label}>]'
    yield f'    node [shape=plain, fontname="sans-serif", fontsize=10, color="{LINE}", fontcolor="{INK}"]'
    yield f'    edge [color="{LINE}"]'
    # From left to right, dot sets groups and lines from the bottom up: both are written last first.
    for number, group in reversed(list(enumerate(plan.groups, start=1))):
        yield from _group(plan, group, number)
    yield "}"


def _group(plan: Plan, group: PlannedGroup, number: int) -> Iterator[str]:
    graph = graph_of(group, number)
    title = group_title(plan, group)
    heading = f'<font point-size="12"><b>{_broken(title, 12, "<br/>")}</b></font><br/>' if title else ""
    yield f"    subgraph cluster_{number} {{"
    yield f'        graph [style="rounded,filled", pencolor=none, fillcolor="{AREA}", margin=16]'
    yield f"        graph [label=<{heading}{_escaped(partners_in_words(group))}>]"
    fates = fates_of(plan)
    for name, site_id in graph.sites.items():
        yield f"        {site_id} [label=<{_site(plan.site(name), fates.get(name, ''))}>]"
    if graph.hub:
        yield f'        {graph.hub} [shape=box, style="rounded,dashed", margin="0.15,0.08", label=<{_escaped(HUB)}>]'
    for one, other in reversed(graph.links):
        yield f"        {one} -- {other}"
    yield "    }"


_BORDERS = {
    "leaves": 'border="1" style="rounded,dashed"',
    **dict.fromkeys(("joins", "moves"), 'border="3" style="rounded"'),
}


def _site(site: SiteSettings, fate: str = "") -> str:
    name = f'<font point-size="11"><b>{_broken(site.name, 11, _LINE_BREAK)}</b></font>'
    rows = "".join(f"<tr>{_unit(unit)}</tr>" for unit in site.units)
    name += f"{_LINE_BREAK}{_escaped(fate)}" if fate else ""
    border = _BORDERS.get(fate, 'border="1" style="rounded"')
    look = f'{border} color="{LINE}" bgcolor="white" cellborder="0" cellpadding="4" cellspacing="3"'
    return f'<table {look}><tr><td align="left" balign="left">{name}</td></tr>{rows}</table>'


def _unit(unit: PlannedUnit) -> str:
    address = f'<font face="monospace">{_escaped(unit.address)}</font>'
    nat = f'{_LINE_BREAK}NAT <font face="monospace">{_escaped(unit.nat_address)}</font>' if unit.nat_address else ""
    role = ""
    if unit.role == "master":
        role = f'  <font color="{ACCENT}"><b>master</b></font>'
    elif unit.role == "slave":
        role = "  slave"
    color = MASTER if unit.role == "master" else AREA
    return f'<td align="left" balign="left" bgcolor="{color}">{address}{role}{nat}</td>'


def _broken(name: str, size: float, line_break: str) -> str:
    return line_break.join(map(_escaped, wrap(name, size, _NAME_WIDTH)))


def _escaped(text: str) -> str:
    return escape(xml_text(text))
