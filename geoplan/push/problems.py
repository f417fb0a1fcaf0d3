"""What blocks a push, and what lets it go on nevertheless."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from geoplan.live.findings.kinds import explained
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.live.findings.kinds import FindingKind


class Override(StrEnum):
    """What the operator can say to let a push go on nevertheless."""

    REMOVE_UNKNOWN = "--remove-unknown"
    ACCEPT_GEO_MERGE = "--accept-geo-merge"
    ACCEPT_FQDN_LOSS = "--accept-fqdn-loss"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that blocks the push: where, what, and what to do."""

    where: str
    """A unit's address, or the name of a site or a group."""
    message: str
    hint: str = ""
    word: Override | None = None
    sites: tuple[str, ...] = ()
    """The sites of a finding that it is made of."""
    commands: tuple[str, ...] = ()
    """What the hint says to type."""
    kind: FindingKind | None = None
    """What it is about, where that is a finding's kind."""

    def __str__(self) -> str:
        return f"{self.where}: {explained(self.message, self.hint, self.commands)}"


def told_once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return each problem once, with all who have it: what partners share, each of them shows."""
    found: dict[Problem, list[Problem]] = {}
    for problem in problems:
        found.setdefault(replace(problem, where="", sites=()), []).append(problem)
    return tuple(
        replace(
            same[0],
            where=some_of(dict.fromkeys(each.where for each in same)),
            sites=tuple(dict.fromkeys(site for each in same for site in each.sites)),
        )
        for same in found.values()
    )
