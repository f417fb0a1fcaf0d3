"""Every fault of the lab on every command of a push, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.lab.device.network import REBOOT_WINDOW_SECONDS
from geoplan.lab.faults import FLAPS, FaultKind
from geoplan.lab.lab import Lab
from geoplan.live.fleet import Fleet
from geoplan.live.polling import SystemClock, Timings
from geoplan.loadmaster import Secret, Timeouts, UserPassword, load_endpoints, unit_connections
from geoplan.loadmaster.clients import connected
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push import journal
from geoplan.push.events import Event
from geoplan.push.listener import PushListener
from geoplan.push.options import Options
from geoplan.push.run import PushResult, run_push
from geoplan.topology.loader import load_topology
from tests.campaign.conftest import Record
from tests.campaign.support import (
    BOOT,
    CHANGES,
    FAILOVER,
    HA_COMMANDS,
    READS,
    SYNC,
    Ending,
    assert_as_planned,
    assert_no_secret,
    faults,
    write_topology,
)
from tests.push.support import CREDENTIALS, PASSWORD, real_store, settled

QUICK = Timeouts(connect=2.0, answer=1.5, backup=1.5, health=0.5)
PLANNED_REBOOTS = 1  # of 5.3


class Scene(PushListener):
    """A lab with one fault, and pushes to it as an operator would send them."""

    def __init__(self, topology: Path, folder: Path, phases: Sequence[Phase] = (Phase.GEO,)) -> None:
        self.topology = load_topology(str(topology))
        self.plan = make_plan(self.topology, phases)
        self.lab = Lab(
            self.topology,
            boot_seconds=BOOT,
            failover_seconds=FAILOVER,
            sync_seconds=SYNC,
            credentials=CREDENTIALS,
            unpaired=Phase.HA in phases,
        )
        self.folder = folder
        self.said: list[str] = []

    def __repr__(self) -> str:
        return "\n".join(["", *self.said])

    @property
    def is_begun(self) -> bool:
        histories = journal.histories(self.folder)
        return bool(histories) and not histories[-1].is_finished

    @property
    def reboots(self) -> int:
        return sum(len(unit.reboots) for unit in self.lab.simulation.network.units.values())

    async def push(self, options: Options) -> PushResult | None:
        """Push, or resume what was begun; return nothing where it was refused or stopped."""
        credentials = UserPassword(CREDENTIALS.user, Secret(PASSWORD))
        endpoints = self.folder.parent / "lab.yaml"
        endpoints.write_text(self.lab.endpoints.to_yaml())
        accesses = unit_connections(
            self.topology, lambda _address: credentials, endpoints=load_endpoints(endpoints), timeouts=QUICK
        )
        clock = SystemClock()
        asked = replace(options, resume=self.is_begun)
        async with connected(accesses, clock) as units:
            fleet = Fleet(self.plan, units, clock, Timings.of(self.plan.estimates, is_lab=True))
            try:
                return await run_push(fleet, asked, real_store(self.folder, self.plan), self)
            except PushRefusedError as error:
                self.said += [str(error), *error.problems]
            except PushStoppedError as error:
                self.said.append(f"{error} {error.hint}")
        return None

    async def push_with_word(self, options: Options) -> PushResult:
        """Push to the end; where GEO configurations were lost, give the word that the refusal asks for."""
        result = await self.push(options)
        if result is None and "--accept-geo-merge" in self.said[-1]:
            result = await self.push(replace(options, accept_geo_merge=True))
        assert result is not None, self
        return result

    async def lift(self) -> None:
        """Take the fault away, restart who was pacified by it, and wait until all units are up and where they stay.

        Whoever mends a unit that keeps going down takes his time: its reboots are then too long ago to pacify it.
        """
        self.lab.lift_all()
        for unit in self.lab.simulation.network.units.values():
            unit.reboots[:] = [moment - REBOOT_WINDOW_SECONDS for moment in unit.reboots]
            if unit.pacified:
                self.lab.power_off(unit.address)
                self.lab.power_on(unit.address)
        await settled(self.lab.simulation.network)

    def on_event(self, event: Event) -> None:
        where = event.unit or (event.step.id if event.step else "")
        self.said.append(f"{event.seconds:6.2f} {event.kind} {where} {event.message} {event.as_plain()}")


@pytest.mark.parametrize("fault", list(faults(HA_COMMANDS)))
def test_fault_while_a_pair_is_formed_ends_in_success_or_in_a_stop_that_a_resume_completes(
    tmp_path: Path, record: Record, fault: str
) -> None:
    scene = Scene(write_topology(tmp_path, "5.3"), tmp_path / "state", list(Phase))
    record(asyncio.run(_try(scene, fault)))
    pairs = scene.lab.simulation.network.pairs.values()
    assert all(pair.is_formed and not pair.ever_same_mode for pair in pairs), scene


@pytest.mark.parametrize("fault", list(faults((*CHANGES, *READS))))
def test_fault_ends_in_success_or_in_a_stop_that_a_resume_completes(tmp_path: Path, record: Record, fault: str) -> None:
    record(asyncio.run(_try(Scene(write_topology(tmp_path, "5.3"), tmp_path / "state"), fault)))


async def _try(scene: Scene, fault: str) -> Ending:
    async with scene.lab as lab:
        number = lab.inject(fault)
        result, way = await scene.push(Options()), "succeeded at once"
        assert lab.simulation.faults.met(number), "the push sent no such request"
        await scene.lift()
        if result is None:
            way = "stopped and resumed" if scene.is_begun else "refused and pushed anew"
            result = await scene.push_with_word(Options())
        if not result.is_complete:  # it ended with findings, such as a link to a unit that was down just then
            way += ", then finished as reported"
            result = await scene.push_with_word(Options(reboot_sites=result.report.pairs_to_finish))
        assert result.is_complete, (result.report.differences, scene)
        await scene.lift()
        assert_as_planned(lab.simulation.network, scene.plan)
        assert_no_secret(PASSWORD, "\n".join(scene.said), scene.folder)
        extra = scene.reboots - PLANNED_REBOOTS - _own_reboots(fault)
        assert extra <= 1, scene
        return Ending("fault", way, max(0, extra))


def _own_reboots(fault: str) -> int:
    """Return how often a fault itself takes a unit down, beside the reboot that it hits."""
    kind, is_of_reboot = FaultKind(fault.partition(",")[0]), "command=reboot," in fault
    flaps = FLAPS if kind is FaultKind.FLAP else 0
    return flaps + (kind in (FaultKind.FLAP, FaultKind.NO_RETURN) and not is_of_reboot)
