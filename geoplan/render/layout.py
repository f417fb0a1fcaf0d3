"""Where everything in the picture stands: geometry alone, in pixels from the top left, y downwards.

Each group is an area. In it the sites stand around an oval, half of them left and half right, and each is tied to the
oval by an anchor at the inner edge of its card. A card is wider than high, so the two sides stack well, and every
partnership is a line from anchor to anchor that no card has to make way for.
"""

from __future__ import annotations

import math
from itertools import accumulate, combinations
from typing import TYPE_CHECKING, NamedTuple

from geoplan.render.partners import group_title, partners_in_words, sites_in_words
from geoplan.render.typesetting import monospaced_width_of, width_of, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geoplan.plan.model import Plan, PlannedGroup, PlannedUnit, SiteSettings

TITLE_SIZE, GROUP_SIZE, NAME_SIZE, ADDRESS_SIZE, SMALL_SIZE = 19.0, 14.0, 13.5, 12.0, 11.0
_LEADING = 1.35
_ASCENT = 0.98  # of a line's height above its baseline, in em

MARGIN = 28.0
_AREA_PADDING = 24.0
_AREA_GAP = 24.0
_CARD_PADDING = 12.0
_CARD_GAP = 16.0
_ROOMY_CARD_GAP = 32.0
_ROOMY_SITES = 6  # up to so many, cards stand further apart
_UNIT_PADDING = 5.0
_UNIT_GAP = 4.0
_MARK_WIDTH = 24.0  # the mark before an address
_NAME_WIDTH = 228.0  # names wider than this are broken
_TITLE_WIDTH = 420.0

_STEEPEST = math.radians(52)  # how far up the oval cards stand: any further, and those left and right would meet
_NARROWEST, _WIDEST = 150.0, 310.0  # half of the oval
_HALF_AS_WIDE_AS_HIGH = 0.42
_LANDSCAPE = 1.3


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


class Box(NamedTuple):
    """A rectangle in the picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower edge."""
        return self.y + self.height

    def moved(self, by: Point) -> Box:
        """Return it elsewhere."""
        return Box(self.x + by.x, self.y + by.y, self.width, self.height)


class Label(NamedTuple):
    """A line of text with the box that it stays in, whatever the font.

    It begins at the box's left edge; a role ends at the right one.
    """

    text: str
    kind: str
    size: float
    box: Box

    @property
    def baseline(self) -> float:
        """The y that its letters stand on."""
        return self.box.y + self.size * _ASCENT

    def moved(self, by: Point) -> Label:
        """Return it elsewhere."""
        return self._replace(box=self.box.moved(by))


class UnitRow(NamedTuple):
    """One unit of a site: a box with a mark, its address, and its role in a pair."""

    unit: PlannedUnit
    box: Box
    mark: Point
    labels: tuple[Label, ...]

    def moved(self, by: Point) -> UnitRow:
        """Return it elsewhere."""
        mark = Point(self.mark.x + by.x, self.mark.y + by.y)
        return UnitRow(self.unit, self.box.moved(by), mark, tuple(label.moved(by) for label in self.labels))


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


class Line(NamedTuple):
    """A partnership: a curve between two anchors, drawn towards ``bend``."""

    start: Point
    bend: Point
    end: Point

    def moved(self, by: Point) -> Line:
        """Return it elsewhere."""
        return Line(*(Point(point.x + by.x, point.y + by.y) for point in self))


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
            tuple(Point(point.x + by.x, point.y + by.y) for point in self.anchors),
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
    labels = (
        *_paragraph(plan.topology, "title", TITLE_SIZE, Point(MARGIN, MARGIN), _TITLE_WIDTH),
        *_paragraph(sites_in_words(plan), "note", SMALL_SIZE, Point(MARGIN, MARGIN), _TITLE_WIDTH),
    )
    labels = _stacked(labels, top=MARGIN)
    top = labels[-1].box.bottom + _AREA_PADDING * 0.75
    areas = _on_shelves([_area(plan, group) for group in plan.groups], top)
    boxes = [label.box for label in labels] + [area.box for area in areas]
    width, height = max(box.right for box in boxes), max(box.bottom for box in boxes)
    return Picture(math.ceil(width + MARGIN), math.ceil(height + MARGIN), labels, areas)


def _on_shelves(areas: Sequence[Area], top: float) -> tuple[Area, ...]:
    """Set areas side by side in rows, each row as high as its highest."""
    surface = sum((area.box.width + _AREA_GAP) * (area.box.height + _AREA_GAP) for area in areas)
    shelf = max(*(area.box.width for area in areas), _LANDSCAPE * math.sqrt(surface), 0)
    placed: list[Area] = []
    x, y, height = 0.0, top, 0.0
    for area in areas:
        if x and x + area.box.width > shelf:
            x, y, height = 0.0, y + height + _AREA_GAP, 0.0
        placed.append(area.moved(Point(MARGIN + x, y)))
        x, height = x + area.box.width + _AREA_GAP, max(height, area.box.height)
    return tuple(placed)


def _area(plan: Plan, group: PlannedGroup) -> Area:
    """Lay out a group with the upper left corner of its area at 0, 0."""
    sites = [plan.site(name) for name in group.sites]
    inner = max(_inner_width(site) for site in sites)
    cards = [_card(site, inner) for site in sites]
    if len(cards) == 1:
        placed, anchors, lines = cards, [], []
    else:
        placed, anchors = _around_oval(cards)
        lines = _lines(anchors)
    shift = Point(_AREA_PADDING - min(card.box.x for card in placed), -min(card.box.y for card in placed))
    corner = Point(_AREA_PADDING, _AREA_PADDING)
    room = max(max(card.box.right for card in placed) + shift.x - _AREA_PADDING, _TITLE_WIDTH / 2)
    labels = (
        *_paragraph(group_title(plan, group), "group", GROUP_SIZE, corner, room),
        *_paragraph(partners_in_words(group), "note", SMALL_SIZE, corner, room),
    )
    labels = _stacked(labels, top=_AREA_PADDING * 0.75)
    shift = Point(shift.x, shift.y + labels[-1].box.bottom + _AREA_PADDING * 0.75)
    placed = [card.moved(shift) for card in placed]
    right = max(*(label.box.right for label in labels), *(card.box.right for card in placed), 0)
    box = Box(0, 0, right + _AREA_PADDING, max(card.box.bottom for card in placed) + _AREA_PADDING)
    anchors = [Point(point.x + shift.x, point.y + shift.y) for point in anchors]
    return Area(group, box, labels, tuple(placed), tuple(anchors), tuple(line.moved(shift) for line in lines))


def _around_oval(cards: Sequence[Card]) -> tuple[list[Card], list[Point]]:
    """Set cards around an oval with its centre at 0, 0: the first ones down its left side, the others down its right."""
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


def _lines(anchors: Sequence[Point]) -> list[Line]:
    """Join each two anchors by a curve."""
    longest = max(math.dist(one, other) for one, other in combinations(anchors, 2))
    return [Line(one, _bend(one, other, longest), other) for one, other in combinations(anchors, 2)]


def _bend(one: Point, other: Point, longest: float) -> Point:
    """Lean a line to the middle, the more the longer it is, so that the many of one side fan out and do not bunch."""
    lean = 0.12 + 0.5 * math.dist(one, other) / longest if one.x * other.x > 0 else 0.16
    return Point((one.x + other.x) / 2 * (1 - lean), (one.y + other.y) / 2 * (1 - lean))


def _inner_width(site: SiteSettings) -> float:
    """Return how wide a site's card has to be inside: its units, and its name as far as that is not broken."""
    name = width_of(site.name, NAME_SIZE)
    return max(min(name, _NAME_WIDTH), *(_row_width(unit) for unit in site.units), 0)


def _row_width(unit: PlannedUnit) -> float:
    address = monospaced_width_of(unit.address, ADDRESS_SIZE)
    role = _role(unit)
    first = address + (10 + width_of(role, SMALL_SIZE) if role else 0)
    second = width_of("NAT ", SMALL_SIZE) + monospaced_width_of(unit.nat_address or "", SMALL_SIZE)
    return _MARK_WIDTH + max(first, second if unit.nat_address else 0) + 10


def _role(unit: PlannedUnit) -> str:
    return "" if unit.role == "standalone" else unit.role


def _card(site: SiteSettings, inner: float) -> Card:
    """Lay out a site with the upper left corner of its card at 0, 0."""
    name = _stacked(_paragraph(site.name, "name", NAME_SIZE, Point(_CARD_PADDING, 0), inner), top=_CARD_PADDING * 0.75)
    rows: list[UnitRow] = []
    y = name[-1].box.bottom + 6
    for unit in site.units:
        row = _unit_row(unit, inner).moved(Point(_CARD_PADDING, y))
        rows.append(row)
        y = row.box.bottom + _UNIT_GAP
    box = Box(0, 0, inner + 2 * _CARD_PADDING, rows[-1].box.bottom + _CARD_PADDING)
    return Card(site, box, name, tuple(rows))


def _unit_row(unit: PlannedUnit, width: float) -> UnitRow:
    line = ADDRESS_SIZE * _LEADING
    address_width = monospaced_width_of(unit.address, ADDRESS_SIZE)
    address = Label(unit.address, "address", ADDRESS_SIZE, Box(_MARK_WIDTH, _UNIT_PADDING, address_width, line))
    labels = [address]
    if role := _role(unit):
        role_width = width_of(role, SMALL_SIZE)
        # A smaller size on the same baseline.
        y = address.baseline - SMALL_SIZE * _ASCENT
        box = Box(width - role_width - _UNIT_PADDING * 1.6, y, role_width, SMALL_SIZE * _LEADING)
        labels.append(Label(role, "role", SMALL_SIZE, box))
    if unit.nat_address:
        y, small_line = address.box.bottom, SMALL_SIZE * _LEADING
        prefix = width_of("NAT ", SMALL_SIZE)
        nat_width = monospaced_width_of(unit.nat_address, SMALL_SIZE)
        labels.append(Label("NAT", "note", SMALL_SIZE, Box(_MARK_WIDTH, y, prefix, small_line)))
        labels.append(Label(unit.nat_address, "nat", SMALL_SIZE, Box(_MARK_WIDTH + prefix, y, nat_width, small_line)))
    height = max(label.box.bottom for label in labels) + _UNIT_PADDING
    return UnitRow(unit, Box(0, 0, width, height), Point(_MARK_WIDTH / 2, _UNIT_PADDING + line / 2), tuple(labels))


def _paragraph(text: str, kind: str, size: float, at: Point, width: float) -> tuple[Label, ...]:
    """Break a text into labels that all begin at one point; ``_stacked`` sets them under one another."""
    return tuple(
        Label(line, kind, size, Box(at.x, at.y, width_of(line.rstrip(), size), size * _LEADING))
        for line in wrap(text, size, width)
    )


def _stacked(labels: Iterable[Label], top: float) -> tuple[Label, ...]:
    stacked: list[Label] = []
    for label in labels:
        stacked.append(label._replace(box=label.box._replace(y=top)))
        top += label.box.height
    return tuple(stacked)
