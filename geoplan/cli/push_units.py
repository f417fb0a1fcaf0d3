"""The units that a push command goes to: live ones, an embedded lab's, or live ones on paper."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geoplan.cli.units import live_fleet
from geoplan.plan.model import Phase
from geoplan.push.clock import SystemClock
from geoplan.push.fleet import Fleet
from geoplan.push.paper import Paper, PaperClock, on_paper
from geoplan.push.store import Store
from geoplan.push.waits import Timings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from geoplan.cli.units import Reach
    from geoplan.loadmaster import ShownRequest, UnitAccess
    from geoplan.plan.model import Plan
    from geoplan.topology.model import Topology

LAB_GRACE_SECONDS = 15.0


@dataclass(frozen=True)
class Wishes:
    """What the command line says beside the push's own options."""

    path: str
    phase: str | None
    store: Store
    state_dir: str | None
    backup_folder: Path | None
    output_format: str
    yes: bool
    dry_run: bool
    resume: bool
    only_preflight: bool
    lab: bool


class PushUnits(NamedTuple):
    """Where a push goes, and where it is written down."""

    fleet: Fleet
    store: Store
    """For its journals and locks; a temporary one for whatever is gone when the push ends."""
    show_requests: Callable[[Callable[[str], None]], None]
    """Takes what writes the requests of a dry run; without one nothing is shown."""


@asynccontextmanager
async def push_units(topology: Topology, plan: Plan, reach: Reach, wishes: Wishes) -> AsyncIterator[PushUnits]:
    """Have the units at hand that a push is wished for, while the block lasts."""
    clock = SystemClock()
    if wishes.lab:
        async with _lab(topology, plan) as (accesses, timings), live_fleet(plan, accesses, clock) as live:
            with _temporary_folder() as folder:
                store = Store(folder, wishes.store.keys, folder / "locks")
                yield PushUnits(_with_timings(live, timings), store, lambda _say: None)
        return
    accesses, is_lab = reach.accesses(topology), reach.lab_id() is not None
    if not wishes.dry_run:
        async with live_fleet(plan, accesses, clock, is_lab=is_lab) as live:
            yield PushUnits(live, wishes.store, lambda _say: None)
        return
    shown = _Requests()
    async with live_fleet(plan, accesses, clock, observer=shown, dry_run=True, is_lab=is_lab) as live:
        paper_clock = PaperClock()
        paper = Paper(plan, paper_clock, live.timings)
        units = on_paper({address: live.unit(address) for address in accesses}, paper)
        with _temporary_folder() as folder:
            store = wishes.store.copied_to(folder)  # so that it also shows what --resume would do
            yield PushUnits(Fleet(plan, units, paper_clock, live.timings), store, shown.tell)


@asynccontextmanager
async def _lab(topology: Topology, plan: Plan) -> AsyncIterator[tuple[dict[str, UnitAccess], Timings]]:
    from geoplan.lab import Lab
    from geoplan.lab.timings import DEFAULT_BOOT_SECONDS, DEFAULT_SYNC_SECONDS
    from geoplan.loadmaster import Endpoints, Secret, UnitEndpoint, UserPassword, unit_accesses

    async with Lab(topology, unpaired=Phase.HA in plan.phases()) as lab:
        known = Endpoints(
            {
                address: UnitEndpoint(unit.api, unit.health, unit.fingerprint)
                for address, unit in lab.endpoints.units.items()
            }
        )
        credentials = UserPassword(lab.credentials.user, Secret(lab.credentials.password))
        accesses = unit_accesses(topology, lambda _address: credentials, endpoints=known)
        yield accesses, Timings(DEFAULT_BOOT_SECONDS, DEFAULT_SYNC_SECONDS, LAB_GRACE_SECONDS)


class _Requests:
    """Shows the requests that would change a unit."""

    def __init__(self) -> None:
        self._say: Callable[[str], None] = lambda _text: None

    def tell(self, say: Callable[[str], None]) -> None:
        self._say = say

    def __call__(self, request: ShownRequest) -> None:
        if request.changes:
            self._say(f"    {request}")


def _with_timings(fleet: Fleet, timings: Timings) -> Fleet:
    units = {unit.address: fleet.unit(unit.address) for site in fleet.plan.sites for unit in site.units}
    return Fleet(fleet.plan, units, fleet.clock, timings)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="geoplan-") as folder:
        yield Path(folder)
