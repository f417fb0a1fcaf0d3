"""One row of the ledger of what the vendor's product fixes; :mod:`geoplan.vendor` has the rows."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Fact(NamedTuple):
    """One thing that the vendor's product fixes."""

    name: str
    value: object
    meaning: str
    source: str
    held_by: str
    """The test that fails when geoplan no longer goes by it."""
    confirmed: bool
    not_read: str = ""
    """What alone can show it, if no read of the API can: ``geoplan probe`` says so."""

    @property
    def shown(self) -> str:
        """The value as people write it: a version with dots."""
        if isinstance(self.value, tuple):
            return ".".join(map(str, self.value)).removesuffix(".0")
        return str(self.value)


FACTS: list[Fact] = []


def fact(name: str, value: T, meaning: str, *, source: str, held_by: str) -> T:
    """Enter a fact that is confirmed; return its value."""
    FACTS.append(Fact(name, value, meaning, source, held_by, confirmed=True))
    return value


def unconfirmed(name: str, value: T, meaning: str, *, source: str, held_by: str, not_read: str = "") -> T:  # noqa: PLR0913 - a row
    """Enter a fact that nobody has confirmed; return its value."""
    FACTS.append(Fact(name, value, meaning, source, held_by, confirmed=False, not_read=not_read))
    return value
