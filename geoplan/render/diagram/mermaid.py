"""The picture as a Mermaid flowchart, which Markdown on GitHub shows in place.

A site is a node with its name and a line for each unit; groups are subgraphs. Mermaid sets nodes in layers, in which
lines from each site to each other one would be a tangle, so the sites of a group of more than three are joined with a
node that says "partners, all with all".

Mermaid takes up to 50,000 characters unless it is set up for more: some 300 sites. Before 11.13 it reads Markdown in
every label, whatever is done to it: there a name such as ``*x*`` is shown otherwise, and nothing else happens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geoplan.render.diagram.captions import HUB, fates_of, graph_of, group_title
from geoplan.render.diagram.svg import xml_text
from geoplan.render.diagram.text_metrics import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan, PlannedGroup, SiteSettings

_NAME_WIDTH = 380
_NAME_SIZE = 16
_TITLE_LINE = 24
# Wide enough for an IPv6 address, so that Mermaid breaks no line itself.
_CONFIG = (
    '%%{{init: {{"flowchart": {{"wrappingWidth": 460, "subGraphTitleMargin": {{"top": 6, "bottom": {bottom}}}}}}}}}%%'
)

# What Mermaid acts on after it has read the character codes: formulas, line breaks and icons.
_ACTED_ON = re.compile(r"\$(?=\$)|\\(?=n)|:(?=fa-)")
_PLAIN = frozenset(" ,.-()")
_WORD_JOINER = "\u2060"  # no width, no break: it parts such a sequence and is not seen


def render(plan: Plan) -> str:
    """Return the flowchart, one node or line a row."""
    return "".join(f"{line}\n" for line in _flowchart(plan))


def _flowchart(plan: Plan) -> Iterator[str]:
    title_lines = max((len(_lines(group_title(plan, group))) for group in plan.groups), default=0)
    yield _CONFIG.format(bottom=6 + _TITLE_LINE * max(title_lines - 1, 0))
    yield "flowchart LR"
    yield "    accTitle: GEO partners"
    # Mermaid sets subgraphs from the bottom up.
    for number, group in reversed(list(enumerate(plan.groups, start=1))):
        title = group_title(plan, group)
        if title:
            yield f'    subgraph g{number}["<b>{_label(*_lines(title))}</b>"]'
            yield "        direction LR"
        yield from _group(plan, group, number)
        if title:
            yield "    end"
    yield "    classDef hub stroke-dasharray: 4 4"
    for fate in sorted(set(fates_of(plan).values())):
        yield f"    classDef {fate} {_LOOKS[fate]}"


def _group(plan: Plan, group: PlannedGroup, number: int) -> Iterator[str]:
    graph = graph_of(group, number)
    fates = fates_of(plan)
    for name, site_id in graph.sites.items():
        fate = fates.get(name, "")
        yield f'        {site_id}["{_site(plan.site(name), fate)}"]'
        if fate:
            yield f"        class {site_id} {fate}"
    if graph.hub:
        yield f'        {graph.hub}(["{_label(HUB)}"])'
        yield f"        class {graph.hub} hub"
    for one, other in graph.links:
        yield f"        {one} --- {other}"


_LOOKS = {"leaves": "stroke-dasharray: 6 4, opacity: 0.6", "joins": "stroke-width: 3px", "moves": "stroke-width: 3px"}


def _site(site: SiteSettings, fate: str = "") -> str:
    word = f"<br/>{_label(fate)}" if fate else ""
    return f"<b>{_label(*_lines(site.name))}</b>{word}<br/>{_label(*_units(site))}"


def _units(site: SiteSettings) -> Iterator[str]:
    for unit in site.units:
        yield unit.address if unit.role == "standalone" else f"{unit.role} {unit.address}"
        if unit.nat_address:
            yield f"(NAT {unit.nat_address})"


def _lines(name: str) -> tuple[str, ...]:
    return wrap(name, _NAME_SIZE, _NAME_WIDTH)


def _label(*lines: str) -> str:
    return "<br/>".join(map(_escaped, lines))


def _escaped(text: str) -> str:
    """Write everything as Mermaid's character codes that it, Markdown or HTML could take for its own."""
    parted = _ACTED_ON.sub(rf"\g<0>{_WORD_JOINER}", xml_text(text))
    return "".join(
        character if character.isalnum() or character in _PLAIN else f"#{ord(character)};" for character in parted
    )
