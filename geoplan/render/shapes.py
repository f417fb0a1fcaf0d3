"""What the picture is made of: points, boxes and lines of text, in pixels from the top left, y downwards."""

from __future__ import annotations

from typing import NamedTuple

from geoplan.render.typesetting import width_of, wrap

SMALL_SIZE = 11.0
LEADING = 1.35
_ASCENT = 0.98  # from the top of a line to what its letters stand on, in em


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float

    def moved(self, by: Point) -> Point:
        """Return it elsewhere."""
        return Point(self.x + by.x, self.y + by.y)


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


def paragraph(text: str, kind: str, size: float, width: float) -> tuple[Label, ...]:
    """Break a text into lines, all of them at 0, 0: :func:`column` sets them under one another."""
    lines = wrap(text, size, width)
    return tuple(Label(line, kind, size, Box(0, 0, width_of(line.rstrip(), size), size * LEADING)) for line in lines)
