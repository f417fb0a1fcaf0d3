"""What a unit confirms, contradicts or adds; and the report, which names nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from geoplan import __version__, vendor
from geoplan.live.probe.answers import HA_FAMILIES
from geoplan.live.probe.checks import CHECKS, CHECKS_AMONG_UNITS
from geoplan.live.probe.sketch import names_in, sketch, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geoplan.live.probe.answers import ProbeAnswers
    from geoplan.loadmaster.raw import RawAnswer

FORMAT = "geoplan/probe/1"
_VERSION = re.compile(r"[1-9]\d?\.\d{1,2}\.\d{1,3}(\.\d{1,6}){0,2}(\.[A-Z]+)?")
Verdict: TypeAlias = Literal["confirms", "contradicts", "may contradict", "adds", "does not show"]

TELLING_STATES = frozenset({"get hastatus", "getgeopartnerstatus", *HA_FAMILIES})
"""The answers in which words are looked for that nobody has seen yet."""
_FACTS = {fact.name: fact for fact in vendor.FACTS}
NOT_READ = tuple(fact for fact in vendor.FACTS if fact.not_read)
"""The facts that no read can show."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One fact, and what a unit shows of it."""

    fact: vendor.Fact
    seen: str | None
    is_sign: bool = False
    """Whether what differs may have another cause."""

    @property
    def verdict(self) -> Verdict:
        """What that means for the ledger."""
        if self.seen is None:
            return "does not show"
        if self.fact.value == vendor.UNKNOWN:
            return "adds"
        if self.seen == self.fact.shown:
            return "confirms"
        return "may contradict" if self.is_sign else "contradicts"


def readings(unit: ProbeAnswers, among: Sequence[ProbeAnswers] = ()) -> tuple[Reading, ...]:
    """Return what a unit shows of every fact that a read can show, in the ledger's order.

    ``among`` are the units that were asked with it, of which some facts need several.
    """
    others = [each for each in among if each is not unit]
    shown = {check.fact: (check.seen(unit), check.is_sign) for check in CHECKS}
    shown |= {check.fact: (check.seen(unit, others), True) for check in CHECKS_AMONG_UNITS}
    return tuple(Reading(fact, *shown[name]) for name, fact in _FACTS.items() if name in shown)


def report(units: Sequence[ProbeAnswers], *, known_names: Iterable[str] = ()) -> dict[str, Any]:
    """Return the report on some units: facts and the shapes of all answers, no address, name or secret.

    ``known_names`` are taken out as well, such as the user's.
    """
    names = names_in(content for unit in units for content in unit.contents())
    names |= {name.lower() for name in known_names}
    return {
        "format": FORMAT,
        "geoplan": __version__,
        "units": [
            {
                "number": number,
                "firmware": _firmware(unit),
                "health_check": unit.health.said if unit.health else None,
                "facts": [
                    {"fact": each.fact.name, "expected": each.fact.shown, "seen": each.seen, "verdict": each.verdict}
                    for each in readings(unit, units)
                ],
                "answers": [
                    {"api": wire, "command": command, **_answer(command, raw, names)}
                    for (wire, command), raw in unit.raw.items()
                ],
            }
            for number, unit in enumerate(units, 1)
        ],
        "no_read_can_show": [{"fact": fact.name, "shown_by": fact.not_read} for fact in NOT_READ],
    }


def _firmware(unit: ProbeAnswers) -> str | None:
    """Return the version in numbers alone, if it is written as one."""
    told = unit.value("version") or ""
    return ".".join(map(str, vendor.parse_version(told))) if _VERSION.fullmatch(told) else None


def _answer(command: str, raw: RawAnswer, names: frozenset[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"outcome": raw.outcome, "http": raw.status}
    if raw.answer is None:
        return told
    return {
        **told,
        "code": raw.answer.code,
        "message": text(raw.answer.message, names),
        "content": sketch(raw.answer.content, names, tells_states=command in TELLING_STATES),
    }
