"""Where everything in the picture stands.

Each group is an area. In it the sites stand around an oval, half of them left and half right, and each is tied to the
oval by an anchor at the inner edge of its card. A card is wider than high, so the two sides stack well, and every
partnership is a line from anchor to anchor that no card has to make way for.
"""

from __future__ import annotations

import math
from itertools import accumulate, combinations
from typing import TYPE_CHECKING, NamedTuple

from geoplan.render.cards import Card, inner_width, site_card
from geoplan.render.partners import group_title, partners_in_words, sites_in_words
from geoplan.render.shapes import Box, Label, Line, Point, column, paragraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.plan.model import Plan, PlannedGroup

_TITLE_WIDTH = 420.0
_MARGIN = 28.0
_AREA_PADDING = 24.0
_BELOW_TITLE = 18.0
_AREA_GAP = 24.0
_CARD_GAP = 16.0
_ROOMY_CARD_GAP = 32.0
_ROOMY_SITES = 6  # up to so many, cards stand further apart

_STEEPEST = math.radians(52)  # how far up the oval cards stand: any further, and those left and right would meet
_NARROWEST, _WIDEST = 124.0, 310.0  # half of the oval
_HALF_AS_WIDE_AS_HIGH = 0.42
_LANDSCAPE = 1.3


class Area(NamedTuple):
    """A group: its labels, its sites, and a line for each two that are partners."""

    group: PlannedGroup
    box: Box
    labels: tuple[Label, ...]
    cards: tuple[Card, ...]
    anchors: tuple[Point, ...]
    lines: tuple[Line, ...]

    def moved(self, by: Point) -> Area:
        """Return it elsewhere."""
        return Area(
            self.group,
            self.box.moved(by),
            tuple(label.moved(by) for label in self.labels),
            tuple(card.moved(by) for card in self.cards),
            tuple(anchor.moved(by) for anchor in self.anchors),
            tuple(line.moved(by) for line in self.lines),
        )


class Picture(NamedTuple):
    """The whole, and how large it is."""

    width: float
    height: float
    labels: tuple[Label, ...]
    areas: tuple[Area, ...]


def lay_out(plan: Plan) -> Picture:
    """Give every site, unit, label and line of a plan its place."""
    title = paragraph(plan.topology, "title", _TITLE_WIDTH)
    note = paragraph(sites_in_words(plan), "note", _TITLE_WIDTH)
    labels = column(_MARGIN, _MARGIN, title, note)
    areas = _on_shelves([_area(plan, group) for group in plan.groups], labels[-1].box.bottom + _BELOW_TITLE)
    boxes = [label.box for label in labels] + [area.box for area in areas]
    width, height = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Picture(math.ceil(width + _MARGIN), math.ceil(height + _MARGIN), labels, areas)


def _on_shelves(areas: Sequence[Area], top: float) -> tuple[Area, ...]:
    """Set areas side by side in rows, each row as high as its highest."""
    surface = sum((area.box.width + _AREA_GAP) * (area.box.height + _AREA_GAP) for area in areas)
    shelf = max(*(area.box.width for area in areas), _LANDSCAPE * math.sqrt(surface), 0)
    placed: list[Area] = []
    x, y, height = 0.0, top, 0.0
    for area in areas:
        if x and x + area.box.width > shelf:
            x, y, height = 0.0, y + height + _AREA_GAP, 0.0
        placed.append(area.moved(Point(_MARGIN + x, y)))
        x, height = x + area.box.width + _AREA_GAP, max(height, area.box.height)
    return tuple(placed)


def _area(plan: Plan, group: PlannedGroup) -> Area:
    """Lay out a group with the upper left corner of its area at 0, 0."""
    sites = [plan.site(name) for name in group.sites]
    inner = max(inner_width(site) for site in sites)
    cards, anchors = _around_oval([site_card(site, inner) for site in sites])
    left, right = min(card.box.x for card in cards), max(card.box.right for card in cards)
    labels = _area_labels(plan, group, max(right - left, _TITLE_WIDTH / 2))
    top = labels[-1].box.bottom + _BELOW_TITLE
    shift = Point(_AREA_PADDING - left, top - min(card.box.y for card in cards))
    cards = [card.moved(shift) for card in cards]
    anchors = [anchor.moved(shift) for anchor in anchors]
    boxes = [label.box for label in labels] + [card.box for card in cards]
    box = Box(0, 0, max(box.right for box in boxes) + _AREA_PADDING, max(box.bottom for box in boxes) + _AREA_PADDING)
    centre = Point(-left + _AREA_PADDING, shift.y)
    return Area(group, box, labels, tuple(cards), tuple(anchors), tuple(_lines(anchors, centre)))


def _area_labels(plan: Plan, group: PlannedGroup, width: float) -> tuple[Label, ...]:
    title = paragraph(group_title(plan, group), "group", width)
    note = paragraph(partners_in_words(group), "note", width)
    return column(_AREA_PADDING, _AREA_PADDING * 0.75, title, note)


def _around_oval(cards: Sequence[Card]) -> tuple[list[Card], list[Point]]:
    """Set cards around an oval with its centre at 0, 0: the first down its left side, the others down its right."""
    if len(cards) == 1:
        return list(cards), []
    gap = _ROOMY_CARD_GAP if len(cards) <= _ROOMY_SITES else _CARD_GAP
    first_right = _first_right([card.box.height + gap for card in cards])
    left, right = cards[:first_right], cards[first_right:]
    tallest = max(_stack_height(side, gap) for side in (left, right))
    half_height = tallest / 2 / math.sin(_STEEPEST)
    half_width = min(max(tallest * _HALF_AS_WIDE_AS_HIGH, _NARROWEST), _WIDEST)
    placed: list[Card] = []
    anchors: list[Point] = []
    for side, direction in ((left, -1), (right, 1)):
        for card, y in zip(side, _middles(side, tallest), strict=True):
            x = direction * half_width * math.sqrt(1 - (y / half_height) ** 2)
            corner = Point(x - card.box.width if direction < 0 else x, y - card.box.height / 2)
            placed.append(card.moved(corner))
            anchors.append(Point(x, y))
    return placed, anchors


def _first_right(heights: Sequence[float]) -> int:
    """Return where to cut a row in two so that both parts are as alike in height as can be."""
    total = sum(heights)
    sums = list(accumulate(heights))[:-1]
    return 1 + min(range(len(sums)), key=lambda index: abs(2 * sums[index] - total))


def _stack_height(cards: Sequence[Card], gap: float) -> float:
    return sum(card.box.height for card in cards) + gap * (len(cards) - 1)


def _middles(cards: Sequence[Card], height: float) -> list[float]:
    """Return the y of each card's middle when they fill a height around 0, with equal gaps, also at the ends."""
    free = height - sum(card.box.height for card in cards)
    gap = free / (len(cards) - 1) if len(cards) > 1 else 0
    middles: list[float] = []
    y = -height / 2 + (free / 2 if len(cards) == 1 else 0)
    for card in cards:
        middles.append(y + card.box.height / 2)
        y += card.box.height + gap
    return middles


def _lines(anchors: Sequence[Point], centre: Point) -> list[Line]:
    """Join each two anchors by a curve."""
    pairs = list(combinations(anchors, 2))
    longest = max((math.dist(one, other) for one, other in pairs), default=0)
    return [Line(one, _bend(one, other, centre, longest), other) for one, other in pairs]


def _bend(one: Point, other: Point, centre: Point, longest: float) -> Point:
    """Lean a line to the middle, the more the longer it is, so that the many of one side fan out and do not bunch."""
    one_sided = (one.x < centre.x) == (other.x < centre.x)
    lean = 0.12 + 0.5 * math.dist(one, other) / longest if one_sided else 0.16
    middle = Point((one.x + other.x) / 2, (one.y + other.y) / 2)
    return Point(middle.x + (centre.x - middle.x) * lean, middle.y + (centre.y - middle.y) * lean)
