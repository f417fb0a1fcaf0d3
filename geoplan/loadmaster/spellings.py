"""Changes that firmware spells in two ways: which way a unit has refused, and so how to say it next time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import RefusedSpellingError, UnitRefusedError

if TYPE_CHECKING:
    from geoplan.loadmaster.wire import Command

OF_PARAMETERS = frozenset({400, 404, 405, 422})
"""Codes of a refusal that can be about how a command was spelled; every other is about something else."""

_WORDS = frozenset({"hamode"})  # parameters whose value is a word of the firmware's


class Spellings:
    """What one unit has refused for its spelling."""

    def __init__(self) -> None:
        self._refused: dict[str, UnitRefusedError] = {}

    def choose(self, usual: Command, other: Command | None) -> Command:
        """Return a change as the unit may take it: the other way once it has refused the usual one."""
        return other if other is not None and _way(usual) in self._refused else usual

    def failure(self, refusal: UnitRefusedError, usual: Command, other: Command | None) -> UnitRefusedError:
        """Note an explicit refusal; return it as what is left to do.

        After the usual way that is to look again, and then to call again. After both it is no matter of spelling.
        """
        if other is None or refusal.code not in OF_PARAMETERS:
            return refusal
        first = self._refused.pop(_way(usual), None)
        if first is None:
            self._refused[_way(usual)] = refusal
            return RefusedSpellingError(refusal.unit, refusal.reason, code=refusal.code, answer=refusal.answer)
        both = "" if first.answer == refusal.answer else f"; otherwise: {refusal.answer}"
        reason, answer = f"{first.reason}{both}", first.answer
        return UnitRefusedError(refusal.unit, reason, code=first.code, answer=answer, hint=first.hint)


def _way(command: Command) -> str:
    """Return what is refused with a spelling: the command, its parameters, and of their values the firmware's words."""
    parameters = (f"{name}={value if name in _WORDS else ''}" for name, value in command.parameters.items())
    return " ".join([command.name, *parameters])
