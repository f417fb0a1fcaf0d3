"""What a phase of the work adds to the checks before the first step and after the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.render.runbook.prose import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from geoplan.render.runbook.bearings import Bearings
    from geoplan.render.runbook.model import Check
    from geoplan.render.runbook.prose import Prose

SYNC_PORT = Value("6973")  # between the units of a pair (section 6)


class PhaseChecks(NamedTuple):
    """The parts of the checks, each in its place among those of the other phases."""

    units_are_ready: Callable[[Bearings], Iterable[Check]]
    ports: Callable[[Bearings], Iterable[Prose]]
    """What has to be open, and for whom; a line that another phase has too stands once."""
    way_back: Callable[[Bearings], Iterable[Check]]
    """What is written down or decided while everything is as it was."""
    verify: Callable[[Bearings], Iterable[Check]]
