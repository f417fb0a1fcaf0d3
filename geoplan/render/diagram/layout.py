"""Where each part of the picture is placed, in pixels from the top left, y downwards.

A site is a card with its name over its units.
"""

from __future__ import annotations

import math
from itertools import accumulate, combinations
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from geoplan.render.diagram.captions import fates_of, group_title, legend_of, partners_in_words, sites_in_words
from geoplan.render.diagram.text_metrics import monospaced_width_of, width_of, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geoplan.plan.model import Plan, PlannedGroup, PlannedUnit, SiteSettings

# In pixels, by the kind of a label.
SIZES = {
    "title": 19.0,
    "group": 14.0,
    "name": 13.5,
    "address": 12.0,
    "nat": 11.0,
    "master": 11.0,
    "slave": 11.0,
    "note": 11.0,
}
FLUSH_RIGHT = {"master", "slave"}
LEADING = 1.35
_ASCENT = 0.98  # from the top of a line to what its letters stand on, in em

_NAME_WIDTH = 232.0  # names wider than this are broken
_CARD_PADDING = 12.0
_NAME_GAP = 6.0
_UNIT_PADDING = 5.0
_UNIT_GAP = 4.0
_MARK_WIDTH = 24.0  # the mark before an address
_ROLE_GAP = 10.0
_ROW_END = 8.0

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


class Label(NamedTuple):
    """A line of text with the box that it stays in, whatever the font.

    It begins at the box's left edge; the kinds in ``FLUSH_RIGHT`` end at the right one.
    """

    text: str
    kind: str
    box: Box

    @property
    def baseline(self) -> float:
        """The y that its letters stand on."""
        return self.box.y + SIZES[self.kind] * _ASCENT


class Line(NamedTuple):
    """A partnership: a curve between two anchors, drawn towards ``bend``."""

    start: Point
    bend: Point
    end: Point


Part = TypeVar("Part", bound=tuple[object, ...])


def moved(part: Part, by: Point) -> Part:
    """Return a part of the picture elsewhere, and with it every part in it."""
    inside: Iterable[object]
    if isinstance(part, Point | Box):
        inside = (part.x + by.x, part.y + by.y, *part[2:])
    else:
        inside = (moved(piece, by) if isinstance(piece, tuple) else piece for piece in part)
    return cast("Part", getattr(part, "_make", tuple)(inside))


def column(left: float, top: float, *paragraphs: tuple[Label, ...]) -> tuple[Label, ...]:
    """Set lines of text under one another."""
    placed: list[Label] = []
    for label in (label for paragraph in paragraphs for label in paragraph):
        placed.append(moved(label, Point(left, top)))
        top += label.box.height
    return tuple(placed)


def paragraph(text: str, kind: str, width: float) -> tuple[Label, ...]:
    """Break a text into lines, all of them at 0, 0: :func:`column` sets them under one another."""
    size = SIZES[kind]
    return tuple(text_label(line, kind, width_of(line.rstrip(), size)) for line in wrap(text, size, width))


def text_label(text: str, kind: str, width: float, x: float = 0, y: float = 0) -> Label:
    """Return a line of text that is so wide, with its upper left corner at x, y."""
    return Label(text, kind, Box(x, y, width, SIZES[kind] * LEADING))


class UnitRow(NamedTuple):
    """One unit of a site: a box with a mark, its address, and its role in a pair."""

    unit: PlannedUnit
    box: Box
    mark: Point
    labels: tuple[Label, ...]


class Card(NamedTuple):
    """A site: its name over its units."""

    site: SiteSettings
    box: Box
    labels: tuple[Label, ...]
    rows: tuple[UnitRow, ...]
    fate: str = ""
    """What a change makes of it, in one word."""


def inner_width(site: SiteSettings) -> float:
    """Return how wide a site's card has to be inside: its units, and its name as far as that is not broken."""
    name = min(width_of(site.name, SIZES["name"]), _NAME_WIDTH)
    return max([name, *(_row_width(unit) for unit in site.units)])


def site_card(site: SiteSettings, inner: float, fate: str = "") -> Card:
    """Lay out a site with the upper left corner of its card at 0, 0; ``fate`` stands under its name."""
    word = (paragraph(fate, "note", inner),) if fate else ()
    name = column(_CARD_PADDING, _CARD_PADDING * 0.75, paragraph(site.name, "name", inner), *word)
    rows: list[UnitRow] = []
    y = name[-1].box.bottom + _NAME_GAP if name else _CARD_PADDING
    for unit in site.units:
        rows.append(moved(_unit_row(unit, inner), Point(_CARD_PADDING, y)))
        y = rows[-1].box.bottom + _UNIT_GAP
    bottom = rows[-1].box.bottom if rows else y
    box = Box(0, 0, inner + 2 * _CARD_PADDING, bottom + _CARD_PADDING)
    return Card(site, box, name, tuple(rows), fate)


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
    return text_label(unit.address, "address", width, _MARK_WIDTH, _UNIT_PADDING)


def _role(unit: PlannedUnit, right: float, address: Label) -> tuple[Label, ...]:
    """Return the role of a pair's unit, on the line that its address stands on."""
    if unit.role == "standalone":
        return ()
    width = width_of(unit.role, SIZES[unit.role])
    label = text_label(unit.role, unit.role, width, right - width)
    return (moved(label, Point(0, address.baseline - label.baseline)),)


def _nat(unit: PlannedUnit) -> tuple[Label, ...]:
    """Return how the others reach a unit, under its address."""
    if not unit.nat_address:
        return ()
    y = _address(unit).box.bottom
    word = text_label("NAT", "note", width_of("NAT ", SIZES["note"]), _MARK_WIDTH, y)
    width = monospaced_width_of(unit.nat_address, SIZES["nat"])
    return word, text_label(unit.nat_address, "nat", width, word.box.right, y)


class Area(NamedTuple):
    """A group: its labels, its sites, and a line for each two that are partners."""

    group: PlannedGroup
    box: Box
    labels: tuple[Label, ...]
    cards: tuple[Card, ...]
    anchors: tuple[Point, ...]
    lines: tuple[Line, ...]


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
    legend = (paragraph(words, "note", _TITLE_WIDTH),) if (words := legend_of(plan)) else ()
    labels = column(_MARGIN, _MARGIN, title, note, *legend)
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
        placed.append(moved(area, Point(_MARGIN + x, y)))
        x, height = x + area.box.width + _AREA_GAP, max(height, area.box.height)
    return tuple(placed)


def _area(plan: Plan, group: PlannedGroup) -> Area:
    """Lay out a group with the upper left corner of its area at 0, 0."""
    sites = [plan.site(name) for name in group.sites]
    inner = max((inner_width(site) for site in sites), default=0)
    fates = fates_of(plan)
    cards, anchors = _around_oval([site_card(site, inner, fates.get(site.name, "")) for site in sites])
    left, right = min((card.box.x for card in cards), default=0), max((card.box.right for card in cards), default=0)
    labels = _area_labels(plan, group, max(right - left, _TITLE_WIDTH / 2))
    top = labels[-1].box.bottom + _BELOW_TITLE
    shift = Point(_AREA_PADDING - left, top - min((card.box.y for card in cards), default=0))
    cards, anchors = moved((cards, anchors), shift)
    boxes = [label.box for label in labels] + [card.box for card in cards]
    box = Box(0, 0, max(box.right for box in boxes) + _AREA_PADDING, max(box.bottom for box in boxes) + _AREA_PADDING)
    centre = Point(-left + _AREA_PADDING, shift.y)
    return Area(group, box, labels, cards, anchors, tuple(_lines(anchors, centre)))


def _area_labels(plan: Plan, group: PlannedGroup, width: float) -> tuple[Label, ...]:
    title = paragraph(group_title(plan, group), "group", width)
    note = paragraph(partners_in_words(group), "note", width)
    return column(_AREA_PADDING, _AREA_PADDING * 0.75, title, note)


def _around_oval(cards: Sequence[Card]) -> tuple[tuple[Card, ...], tuple[Point, ...]]:
    """Set cards around an oval with its centre at 0, 0: the first down its left side, the others down its right."""
    if len(cards) <= 1:
        return tuple(cards), ()
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
            placed.append(moved(card, corner))
            anchors.append(Point(x, y))
    return tuple(placed), tuple(anchors)


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
