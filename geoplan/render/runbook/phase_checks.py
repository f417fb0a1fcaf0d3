"""What a phase of the work adds to the checks before the first step and after the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.render.runbook import wui
from geoplan.render.runbook.model import Check
from geoplan.render.runbook.prose import Value, listing, prose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from geoplan.render.runbook.context import RunbookContext
    from geoplan.render.runbook.prose import Prose

SYNC_PORT = Value("6973")  # between the units of a pair (section 6)


class PhaseChecks(NamedTuple):
    """The parts of the checks, each in its place among those of the other phases."""

    units_are_ready: Callable[[RunbookContext], Iterable[Check]]
    ports: Callable[[RunbookContext], Iterable[Prose]]
    """What has to be open, and for whom; a line that another phase has too stands once."""
    way_back: Callable[[RunbookContext], Iterable[Check]]
    """What is written down or decided while everything is as it was."""
    verify: Callable[[RunbookContext], Iterable[Check]]


def same_firmware() -> Check:
    """Return the check that no pair has two firmwares."""
    return Check(
        "firmware",
        prose("Both units of every pair run the same firmware"),
        (prose("The home screen of each unit shows it. Do not start with a pair whose units differ (section 7)."),),
    )


def same_secret() -> Check:
    """Return the check that units which speak to each other have one secret."""
    return Check(
        "shared-secret",
        prose("The {} is the same everywhere, where the firmware has it", wui.SHARED_SECRET),
        (
            prose(
                "Firmware {} and later {}, and {} and later: set it to the same 8 to 127 characters on every unit of "
                "every site, at {}. A unit without it and a unit with it refuse each other. It cannot be read back: "
                "when in doubt, set it again everywhere.",
                Value("7.2.54.10"),
                Value("7.2.54.x"),
                Value("7.2.59.4"),
                wui.REMOTE_ACCESS.path,
            ),
        ),
    )


def ports_of_pairs(bearings: RunbookContext) -> Iterator[Prose]:
    """Yield what has to be open to the units of pairs."""
    if not bearings.pairs:
        return
    yield prose("TCP {} between the two units of each pair: replication.", SYNC_PORT)
    for port, sites in bearings.health_check_ports.items():
        whose = prose("each pair") if len(bearings.health_check_ports) == 1 else listing(sites)
        yield prose("TCP {} to both units of {}, from the load balancer and from where you sit.", port, whose)
