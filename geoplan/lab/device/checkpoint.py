"""A moment of a network to which it can go back, so that many things can be tried from it without building it anew."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.lab.clock import SimulatedClock
    from geoplan.lab.device.network import Network


class Checkpoint:
    """What a network is at a moment at which nothing is under way; time itself only goes on.

    Raises :class:`ValueError` while something is under way: what is to come would come twice.
    """

    def __init__(self, network: Network, clock: SimulatedClock) -> None:
        if clock.next_due() is not None:
            raise ValueError("something is under way in this network")
        self._clock = clock
        things = (network, *network.parts(), *network.units.values(), *network.pairs.values())
        kept = [(thing, name, _own(value)) for thing in things for name, value in _state_of(thing)]
        self._owned = [each for each in kept if isinstance(each[2], _OWNED)]
        self._shared = [each for each in kept if not isinstance(each[2], _OWNED)]

    def restore(self) -> None:
        """Go back: whatever was done since, or was still to come of it, has not happened."""
        self._clock.forget()
        for thing, name, value in self._shared:
            setattr(thing, name, value)
        for thing, name, value in self._owned:
            setattr(thing, name, value.copy())


_OWNED = (list, set, dict)
"""What is changed in its place, so that everybody needs a copy."""


def _state_of(thing: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - units, pairs and what joins them
    names = [field.name for field in fields(thing)] if is_dataclass(thing) else list(vars(thing))
    return ((name, getattr(thing, name)) for name in names)


def _own(value: Any) -> Any:  # noqa: ANN401 - of any attribute
    return value.copy() if isinstance(value, _OWNED) else value
