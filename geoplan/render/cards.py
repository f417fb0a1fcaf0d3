"""A site in the picture: a card with its name over its units."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.render.shapes import SIZES, Box, Label, Point, column, paragraph, text_label
from geoplan.render.typesetting import monospaced_width_of, width_of

if TYPE_CHECKING:
    from geoplan.plan.model import PlannedUnit, SiteSettings

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
