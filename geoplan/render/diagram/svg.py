"""The picture as SVG: a document of its own that can also stand inside a page."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from geoplan.render.diagram.captions import picture_in_words
from geoplan.render.diagram.layout import FLUSH_RIGHT, SIZES, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.plan.model import Plan
    from geoplan.render.diagram.layout import Area, Box, Card, Label, Line, UnitRow


# What XML 1.0 leaves out, however it is escaped. A name may hold U+FFFE and U+FFFF, which are no control characters.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Replace the characters that no XML document may hold."""
    return _FORBIDDEN.sub("\ufffd", text)


PREFIX = "geoplan-diagram"
_SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, sans-serif"
_MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
_LIGHT = {"ink": "#1f2933", "paper": "#ffffff", "line": "#5f7388", "accent": "#19618f", "area": "#f4f6f8"}
_DARK = {"ink": "#e4e9ee", "paper": "#14191f", "line": "#8fa3b8", "accent": "#6cb6e8", "area": "#1b2229"}

# Of each class, the colours by property: in a style sheet for browsers, as attributes for all others.
_PAINT = {
    "paper": {"fill": "paper"},
    "area": {"fill": "area"},
    "lines": {"stroke": "line"},
    "anchor": {"fill": "line"},
    "card": {"fill": "paper", "stroke": "line"},
    "unit": {"fill": "area"},
    "master-unit": {"fill": "accent"},
    "master-mark": {"fill": "accent"},
    "mark": {"fill": "paper", "stroke": "line"},
    **{kind: {"fill": "ink"} for kind in ("title", "group", "name", "address", "nat", "note")},
    "master": {"fill": "accent"},
    "slave": {"fill": "ink"},
}
_BOLD = {"title", "group", "name", "master"}
_MONOSPACED = {"address", "nat"}
_MUTED = {"note": "0.78", "slave": "0.78", "nat": "0.78"}
_FAINTEST, _STRONGEST = 0.22, 0.75
_LINES_AT_FULL_STRENGTH = 6
_THIN_FROM = 46  # lines: ten sites
_SIX_DIGITS = 99_999


def render(plan: Plan, *, is_marked: bool = False) -> str:
    """Return the picture as an ``svg`` element, without an XML declaration, in UTF-8 text.

    One that ``is_marked`` is for a page whose script changes it: each site has its name as ``data-site`` and its
    place in the plan as ``data-place``, each unit its address as ``data-unit``, and each partnership is a line of its
    own with both places as ``data-link``.
    """
    picture = lay_out(plan)
    width, height = number(picture.width), number(picture.height)
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": PREFIX,
            "viewBox": f"0 0 {width} {height}",
            "width": width,
            "height": height,
            "role": "img",
            "aria-labelledby": f"{PREFIX}-title {PREFIX}-desc",
        },
    )
    ET.SubElement(root, "title", {"id": f"{PREFIX}-title"}).text = xml_text(f"GEO partners of {plan.topology}")
    ET.SubElement(root, "desc", {"id": f"{PREFIX}-desc"}).text = xml_text(picture_in_words(plan))
    ET.SubElement(root, "style").text = style_sheet()
    ET.SubElement(root, "rect", {"width": width, "height": height, **look("paper")})
    _add_labels(root, picture.labels)
    places = {site.name: place for place, site in enumerate(plan.sites)} if is_marked else None
    for area in picture.areas:
        _add_area(root, area, places)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", short_empty_elements=True) + "\n"


def _add_area(parent: ET.Element, area: Area, places: Mapping[str, int] | None) -> None:
    group = ET.SubElement(parent, "g")
    add_box(group, area.box, 14, look("area"))
    if area.lines:
        count = len(area.lines)
        opacity = max(_FAINTEST, _STRONGEST * min(1, _LINES_AT_FULL_STRENGTH / count) ** 0.35)
        painted = {**look("lines"), "fill": "none", "stroke-width": "1.25" if count < _THIN_FROM else "0.9"}
        for ends, path in _paths(area, places):
            ET.SubElement(group, "path", {"d": path, **painted, "stroke-opacity": f"{opacity:.2f}", **ends})
    for card in area.cards:
        _add_card(group, card, None if places is None else places[card.site.name])
    for point in area.anchors:
        ET.SubElement(group, "circle", {"cx": number(point.x), "cy": number(point.y), "r": "3", **look("anchor")})
    _add_labels(group, area.labels)


def _paths(area: Area, places: Mapping[str, int] | None) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the lines of a group: as one path, or each as a path that names both its ends."""
    if places is None:
        yield {}, " ".join(_curve(line) for line in area.lines)
        return
    for (one, other), line in zip(combinations(area.cards, 2), area.lines, strict=True):
        yield {"data-link": f"{places[one.site.name]} {places[other.site.name]}"}, _curve(line)


def _add_card(parent: ET.Element, card: Card, place: int | None) -> None:
    marks = {} if place is None else {"data-site": xml_text(card.site.name), "data-place": str(place)}
    group = ET.SubElement(parent, "g", marks)
    ET.SubElement(group, "title").text = xml_text(card.site.name)
    add_box(group, card.box, 9, {**look("card"), **_BORDERS.get(card.fate, {"stroke-opacity": "0.45"})})
    _add_labels(group, card.labels)
    for row in card.rows:
        _add_unit(ET.SubElement(group, "g", {"data-unit": row.unit.address}) if marks else group, row)


_BORDERS = {
    "leaves": {"stroke-dasharray": "6 4", "fill-opacity": "0.45"},
    "joins": {"stroke-width": "3"},
    "moves": {"stroke-width": "3"},
}
"""How sites are drawn of which a change makes something; each says it in a word as well."""


def _add_unit(parent: ET.Element, row: UnitRow) -> None:
    master = row.unit.role == "master"
    add_box(parent, row.box, 5, {**look("master-unit"), "fill-opacity": "0.12"} if master else look("unit"))
    place = {"cx": number(row.mark.x), "cy": number(row.mark.y), "r": "4"}
    ET.SubElement(parent, "circle", {**place, **look("master-mark" if master else "mark")})
    _add_labels(parent, row.labels)


def _add_labels(parent: ET.Element, labels: tuple[Label, ...]) -> None:
    for label in labels:
        place = {"x": number(label.box.x), "y": number(label.baseline)}
        if label.kind in FLUSH_RIGHT:
            place |= {"x": number(label.box.right), "text-anchor": "end"}
        ET.SubElement(parent, "text", {**place, **font_of(label.kind), **look(label.kind)}).text = xml_text(label.text)


def add_box(parent: ET.Element, box: Box, radius: float, painted: dict[str, str]) -> None:
    """Add a rectangle."""
    place = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": radius}
    ET.SubElement(parent, "rect", {**{key: number(value) for key, value in place.items()}, **painted})


def _curve(line: Line) -> str:
    start, bend, end = (f"{number(point.x)} {number(point.y)}" for point in line)
    return f"M{start}Q{bend} {end}"


def look(kind: str) -> dict[str, str]:
    """Return the class of an element, and its colours for programs that do not know the style sheet's."""
    return {"class": f"{PREFIX}-{kind}", **{key: _LIGHT[color] for key, color in _PAINT[kind].items()}}


def font_of(kind: str, *, unit: str = "", sans: str = "sans-serif", mono: str = "monospace") -> dict[str, str]:
    """Return how a label is set, as attributes for programs that do not know the style sheet's fonts."""
    family = mono if kind in _MONOSPACED else sans
    font = {"font-size": f"{SIZES[kind]:g}{unit}", "font-family": family}
    font |= {"font-weight": "600"} if kind in _BOLD else {}
    font |= {"fill-opacity": _MUTED[kind]} if kind in _MUTED else {}
    return {name: value for name, value in font.items() if value}


def style_sheet() -> str:
    """Return rules that touch nothing outside the picture; what a page sets itself wins over light and dark.

    The rules for text leave nothing to the page around: the layout holds for these sizes alone.
    """
    rules = [
        f".{PREFIX} {{ max-width: 100%; height: auto; {_colors(_LIGHT)} }}",
        f"@media (prefers-color-scheme: dark) {{ .{PREFIX} {{ {_colors(_DARK)} }} }}",
        f".{PREFIX} text {{ font: 400 11px {_SANS}; letter-spacing: 0; word-spacing: 0; white-space: pre; }}",
    ]
    for kind in SIZES:
        font = _declared(font_of(kind, unit="px", sans="", mono=_MONO))
        rules.append(f".{PREFIX} .{PREFIX}-{kind} {{ {font} }}")
    for kind, paint in _PAINT.items():
        colors = _declared({key: f"var(--{PREFIX}-{color})" for key, color in paint.items()})
        rules.append(f".{PREFIX} .{PREFIX}-{kind} {{ {colors} }}")
    return "\n" + "\n".join(rules) + "\n"


def _colors(palette: dict[str, str]) -> str:
    return _declared({f"--{PREFIX}-{name}": f"var(--diagram-{name}, {value})" for name, value in palette.items()})


def _declared(style: dict[str, str]) -> str:
    return " ".join(f"{name}: {value};" for name, value in style.items())


def number(value: float) -> str:
    """Write a length to a tenth of a pixel, the same on every machine."""
    return f"{round(value, 1) + 0:g}" if abs(value) < _SIX_DIGITS else f"{value:.0f}"
