"""Where each part of the picture is placed; a site is a card with its name over its units."""

from __future__ import annotations

import math
from itertools import accumulate, combinations
from typing import TYPE_CHECKING, NamedTuple

from geoplan.render.diagram.captions import group_title, partners_in_words, sites_in_words
from geoplan.render.diagram.shapes import SIZES, Box, Label, Line, Point, column, paragraph, text_label
from geoplan.render.diagram.text_metrics import monospaced_width_of, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.plan.model import Plan, PlannedGroup, PlannedUnit, SiteSettings


_NAME_WIDTH = 232.0  # names wider than this are broken
_CARD_PADDING = 12.0
_NAME_GAP = 6.0
_UNIT_PADDING = 5.0
_UNIT_GAP = 4.0
_MARK_WIDTH = 24.0  # the mark before an address
_ROLE_GAP = 10.0
_ROW_END = 8.0


class UnitRow(NamedTuple):
    """One unit of a site: a box with a mark, its address, and its role in a pair."""

    unit: PlannedUnit
    box: Box
    mark: Point
    labels: tuple[Label, ...]

    def moved(self, by: Point) -> UnitRow:
        """Return it elsewhere."""
        labels = tuple(label.moved(by) for label in self.labels)
        return UnitRow(self.unit, self.box.moved(by), self.mark.moved(by), labels)


class Card(NamedTuple):
    """A site: its name over its units."""

    site: SiteSettings
    box: Box
    labels: tuple[Label, ...]
    rows: tuple[UnitRow, ...]

    def moved(self, by: Point) -> Card:
        """Return it elsewhere."""
        labels = tuple(label.moved(by) for label in self.labels)
        return Card(self.site, self.box.moved(by), labels, tuple(row.moved(by) for row in self.rows))


def inner_width(site: SiteSettings) -> float:
    """Return how wide a site's card has to be inside: its units, and its name as far as that is not broken."""
    name = min(width_of(site.name, SIZES["name"]), _NAME_WIDTH)
    return max(name, *(_row_width(unit) for unit in site.units))


def site_card(site: SiteSettings, inner: float) -> Card:
    """Lay out a site with the upper left corner of its card at 0, 0."""
    name = column(_CARD_PADDING, _CARD_PADDING * 0.75, paragraph(site.name, "name", inner))
    rows: list[UnitRow] = []
    y = name[-1].box.bottom + _NAME_GAP
    for unit in site.units:
        rows.append(_unit_row(unit, inner).moved(Point(_CARD_PADDING, y)))
        y = rows[-1].box.bottom + _UNIT_GAP
    box = Box(0, 0, inner + 2 * _CARD_PADDING, rows[-1].box.bottom + _CARD_PADDING)
    return Card(site, box, name, tuple(rows))


def _row_width(unit: PlannedUnit) -> float:
    address, nat = _address(unit), _nat(unit)
    role = _role(unit, 0, address)
    first = address.box.right + sum(_ROLE_GAP + label.box.width for label in role)
    return max(first, *(label.box.right for label in nat), 0) + _ROW_END


def _unit_row(unit: PlannedUnit, width: float) -> UnitRow:
    address = _address(unit)
    labels = (address, *_role(unit, width - _ROW_END, address), *_nat(unit))
    box = Box(0, 0, width, max(label.box.bottom for label in labels) + _UNIT_PADDING)
    mark = Point(_MARK_WIDTH / 2, address.box.y + address.box.height / 2)
    return UnitRow(unit, box, mark, labels)


def _address(unit: PlannedUnit) -> Label:
    width = monospaced_width_of(unit.address, SIZES["address"])
    return text_label(unit.address, "address", width, Point(_MARK_WIDTH, _UNIT_PADDING))


def _role(unit: PlannedUnit, right: float, address: Label) -> tuple[Label, ...]:
    """Return the role of a pair's unit, on the line that its address stands on."""
    if unit.role == "standalone":
        return ()
    width = width_of(unit.role, SIZES[unit.role])
    label = text_label(unit.role, unit.role, width, Point(right - width, 0))
    return (label.moved(Point(0, address.baseline - label.baseline)),)


def _nat(unit: PlannedUnit) -> tuple[Label, ...]:
    """Return how the others reach a unit, under its address."""
    if not unit.nat_address:
        return ()
    y = _address(unit).box.bottom
    word = text_label("NAT", "note", width_of("NAT ", SIZES["note"]), Point(_MARK_WIDTH, y))
    width = monospaced_width_of(unit.nat_address, SIZES["nat"])
    return word, text_label(unit.nat_address, "nat", width, Point(word.box.right, y))


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
