"""Single values of a topology file as far as they can be read: anything else counts as not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import PydanticCustomError

from geoplan.topology.values import IpAddress, parse_address, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.document import Loc


class Text(NamedTuple):
    """A text and where it stands."""

    loc: Loc
    text: str


class WrittenAddress(NamedTuple):
    """An address, as written and as what it means."""

    loc: Loc
    text: str
    address: IpAddress


class Number(NamedTuple):
    """A whole number and where it stands."""

    loc: Loc
    value: int


class Seconds(NamedTuple):
    """A time in seconds and where it stands."""

    loc: Loc
    value: float


def read_addresses(loc: Loc, written: object) -> Iterator[WrittenAddress]:
    """Yield the address, if it is one."""
    if isinstance(written, str):
        try:
            yield WrittenAddress(loc, written, parse_address(written))
        except PydanticCustomError:
            return


def read_text(loc: Loc, written: object) -> Text | None:
    """Return a text with its place."""
    return Text(loc, str(written)) if isinstance(written, str) else None


def read_number(loc: Loc, written: object) -> Number | None:
    """Return a whole number with its place."""
    value = typed(written)
    return Number(loc, value) if isinstance(value, int) and not isinstance(value, bool) else None


def read_seconds(loc: Loc, written: object) -> Seconds | None:
    """Return a time in seconds with its place."""
    value = typed(written)
    return Seconds(loc, value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_mapping(value: object) -> Mapping[object, object]:
    """Return a mapping, an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """Return a list, an empty one in place of anything else."""
    return value if isinstance(value, list | tuple) else ()
