"""What the picture is made of: points, boxes and lines of text, in pixels from the top left, y downwards."""

from __future__ import annotations

from typing import NamedTuple

from geoplan.render.diagram.text_metrics import width_of, wrap

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


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float

    def moved(self, by: Point) -> Point:
        """Return it elsewhere."""
        return Point(self.x + by.x, self.y + by.y)


_ORIGIN = Point(0, 0)


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

    It begins at the box's left edge; the kinds in ``FLUSH_RIGHT`` end at the right one.
    """

    text: str
    kind: str
    box: Box

    @property
    def baseline(self) -> float:
        """The y that its letters stand on."""
        return self.box.y + SIZES[self.kind] * _ASCENT

    def moved(self, by: Point) -> Label:
        """Return it elsewhere."""
        return self._replace(box=self.box.moved(by))


class Line(NamedTuple):
    """A partnership: a curve between two anchors, drawn towards ``bend``."""

    start: Point
    bend: Point
    end: Point

    def moved(self, by: Point) -> Line:
        """Return it elsewhere."""
        return Line(self.start.moved(by), self.bend.moved(by), self.end.moved(by))


def column(left: float, top: float, *paragraphs: tuple[Label, ...]) -> tuple[Label, ...]:
    """Set lines of text under one another."""
    placed: list[Label] = []
    for label in (label for paragraph in paragraphs for label in paragraph):
        placed.append(label.moved(Point(left, top)))
        top += label.box.height
    return tuple(placed)


def paragraph(text: str, kind: str, width: float) -> tuple[Label, ...]:
    """Break a text into lines, all of them at 0, 0: :func:`column` sets them under one another."""
    size = SIZES[kind]
    return tuple(text_label(line, kind, width_of(line.rstrip(), size)) for line in wrap(text, size, width))


def text_label(text: str, kind: str, width: float, at: Point = _ORIGIN) -> Label:
    """Return a line of text that is so wide, with its upper left corner at a point."""
    return Label(text, kind, Box(at.x, at.y, width, SIZES[kind] * LEADING))
