"""A push over time as SVG: a lane for each unit, and under them how many links are green."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from geoplan.render.diagram.layout import SIZES, Box
from geoplan.render.diagram.svg import PREFIX, add_box, font_of, look, number, style_sheet, xml_text
from geoplan.render.diagram.text_metrics import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "geoplan-timeline"
Span = tuple[float, float]

WIDTH = 860.0
_MARGIN, _LEFT, _NAME_WIDTH = 16.0, 190.0, 168.0
_LINE, _LANE, _BAR, _GAP = 18.0, 20.0, 12.0, 8.0
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)
_MOST_TICKS = 9
_MINUTE = 60


class UnitLane(NamedTuple):
    """A unit over the whole time, in seconds: when it is down, and when it takes traffic."""

    unit: str
    role: str
    down: tuple[Span, ...]
    active: tuple[Span, ...]


class SiteLanes(NamedTuple):
    """A site with its units."""

    site: str
    units: tuple[UnitLane, ...]


class TimePicture(NamedTuple):
    """All that the picture shows."""

    title: str
    description: str
    """The same in words, for who cannot see it."""
    seconds: float
    sites: Sequence[SiteLanes]
    links: int
    """How many links there are to be."""
    green: Sequence[tuple[float, int]]
    """From when on how many links are green."""


def render(picture: TimePicture) -> str:
    """Return the picture as an ``svg`` element, without an XML declaration; it grows with units and moments alone."""
    root = ET.Element("svg")
    ET.SubElement(root, "title", {"id": f"{NAME}-title"}).text = xml_text(picture.title)
    ET.SubElement(root, "desc", {"id": f"{NAME}-desc"}).text = xml_text(picture.description)
    ET.SubElement(root, "style").text = style_sheet()
    paper = ET.SubElement(root, "rect")
    scale = _Scale(picture.seconds)
    bottom = _add_ticks(root, scale)
    for site in picture.sites:
        bottom = _add_site(root, site, scale, bottom + _GAP)
    bottom = _add_green(root, picture, scale, bottom + _GAP)
    bottom = _add_key(root, bottom + _GAP) + _MARGIN
    for line in root.iterfind("line"):
        line.set("y2", number(bottom - _MARGIN - _LINE - _GAP))
    paper.attrib.update({"width": number(WIDTH), "height": number(bottom), **look("paper")})
    root.attrib.update(
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": PREFIX,
            "viewBox": f"0 0 {number(WIDTH)} {number(bottom)}",
            "width": number(WIDTH),
            "height": number(bottom),
            "role": "img",
            "aria-labelledby": f"{NAME}-title {NAME}-desc",
        }
    )
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", short_empty_elements=True) + "\n"


class _Scale:
    """Seconds as places."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(seconds, 1.0)

    def at(self, moment: float) -> float:
        return _LEFT + min(moment, self.seconds) / self.seconds * (WIDTH - _MARGIN - _LEFT)

    def box(self, span: Span, top: float, height: float) -> Box:
        begin, end = map(self.at, span)
        return Box(begin, top, max(end - begin, 1.0), height)

    @property
    def ticks(self) -> list[float]:
        step = next((each for each in _TICKS if self.seconds / each <= _MOST_TICKS), _TICKS[-1])
        return [float(each) for each in range(0, int(self.seconds) + 1, step)]


def _add_ticks(root: ET.Element, scale: _Scale) -> float:
    for moment in scale.ticks:
        x = scale.at(moment)
        look_of_line = {**look("lines"), "stroke-width": "1", "stroke-opacity": "0.3"}
        ET.SubElement(root, "line", {"x1": number(x), "x2": number(x), "y1": number(_MARGIN + _LINE), **look_of_line})
        _add_text(root, clock(moment), "note", x, _MARGIN + 12, anchor="middle")
    return _MARGIN + _LINE


def _add_site(root: ET.Element, site: SiteLanes, scale: _Scale, top: float) -> float:
    group = ET.SubElement(root, "g")
    ET.SubElement(group, "title").text = xml_text(site.site)
    for line in wrap(site.site, 13.5, _NAME_WIDTH):
        _add_text(group, line, "name", _MARGIN, top + 13)
        top += _LINE
    for lane in site.units:
        address = wrap(lane.unit, SIZES["address"], _NAME_WIDTH)
        for place, line in enumerate(address):
            _add_text(group, line, "address", _MARGIN, top + 13 + place * _LINE)
        middle = top + _LANE / 2
        stand_by = Box(_LEFT, middle - 1, scale.at(scale.seconds) - _LEFT, 2)
        add_box(group, stand_by, 1, {**look("anchor"), "fill-opacity": "0.5"})
        for span in lane.active:
            add_box(group, scale.box(span, middle - _BAR / 2, _BAR), 2, look("master-unit"))
        for span in lane.down:
            dashed = {**look("card"), "stroke-dasharray": "4 3"}
            add_box(group, scale.box(span, middle - _BAR / 2, _BAR), 2, dashed)
        top += _LANE + (len(address) - 1) * _LINE
    return top


def _add_green(root: ET.Element, picture: TimePicture, scale: _Scale, top: float) -> float:
    """Add how many links are green, as a bar that is higher the more there are, with the numbers where they change."""
    group = ET.SubElement(root, "g")
    _add_text(group, f"Links green, of {picture.links}", "name", _MARGIN, top + 13)
    height, right = _LINE, -1.0
    steps = _steps(picture)
    for (begin, green), (end, _) in zip(steps, [*steps[1:], (scale.seconds, 0)], strict=True):
        if green and picture.links:
            share = height * green / picture.links
            add_box(group, scale.box((begin, end), top + height - share, share), 0, look("master-unit"))
        if begin and scale.at(begin) > right:
            _add_text(group, str(green), "note", scale.at(begin), top + height + 13)
            right = scale.at(begin) + 8 * len(str(green))
    return top + height + _LINE


def _steps(picture: TimePicture) -> list[tuple[float, int]]:
    """Return from when on how many links are green, from the beginning; of one moment the last that is so then."""
    found = {0.0: 0} | dict(picture.green)
    return list(found.items())


def _add_key(root: ET.Element, top: float) -> float:
    group = ET.SubElement(root, "g")
    kinds = (
        ("takes traffic", _BAR, look("master-unit")),
        ("standby", 2.0, {**look("anchor"), "fill-opacity": "0.5"}),
        ("down", _BAR, {**look("card"), "stroke-dasharray": "4 3"}),
    )
    for place, (word, height, painted) in enumerate(kinds):
        x = _LEFT + place * 150
        add_box(group, Box(x, top + 8 - height / 2, 28, height), min(2.0, height / 2), painted)
        _add_text(group, word, "note", x + 36, top + 12)
    return top + _LINE


def _add_text(parent: ET.Element, text: str, kind: str, x: float, y: float, *, anchor: str = "") -> None:  # noqa: PLR0913
    place = {"x": number(x), "y": number(y), **({"text-anchor": anchor} if anchor else {})}
    ET.SubElement(parent, "text", {**place, **font_of(kind), **look(kind)}).text = xml_text(text)


def in_words(picture: TimePicture) -> str:
    """Return what the picture shows in words: who is down from when to when, and when all links are green."""
    said = [
        f"{lane.unit} of {site.site} is down from {clock(begin)} to {clock(end)}."
        for site in picture.sites
        for lane in site.units
        for begin, end in lane.down
    ]
    steps = _steps(picture)
    if picture.links and steps[-1][1] == picture.links:
        since = max(after for (_, before), (after, _) in pairwise(steps) if before < picture.links)
        said.append(f"All links are green from {clock(since)} on.")
    return " ".join([f"{clock(picture.seconds)} in all.", *said])


def clock(seconds: float) -> str:
    """Return a time since the beginning as minutes and seconds."""
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes}:{rest:02}"
