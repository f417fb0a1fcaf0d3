"""Every fault of the lab on every command of a push, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.lab.faults import FaultKind
from geoplan.loadmaster import Secret, Timeouts, UserPassword, load_endpoints, unit_accesses
from geoplan.plan.planner import make_plan
from geoplan.push import journal
from geoplan.push.api import connected
from geoplan.push.clock import SystemClock
from geoplan.push.context import Options
from geoplan.push.fleet import Fleet
from geoplan.push.run import Mission, Result, carry_out
from geoplan.push.waits import Timings
from geoplan.topology.loader import load_topology
from tests.push.support import CREDENTIALS, PASSWORD, Site, lab_for, red_in_any_state, write_topology

QUICK = Timeouts(connect=2.0, answer=0.7, backup=0.7, health=0.5)
MAX_RUNS = 4

COMMANDS = {
    "get": (1, 9),
    "set:geoclients": (1, 2),
    "set:geopartners": (1, 3, 4),
    "addcluster": (1,),
    "modcluster": (2,),
    "listclusters": (1, 4),
    "listfqdns": (1,),
    "getgeopartnerstatus": (1, 3),
    "isgeoenabled": (1,),
    "getawshaparams": (1,),
    "backup": (1,),
    "reboot": (1,),
    "health": (1, 9),
}
OF_REQUESTS = [kind for kind in FaultKind if not kind.befalls_unit]
OF_UNITS = [kind for kind in FaultKind if kind.befalls_unit]


def _faults() -> Iterator[str]:
    for command, occurrences in COMMANDS.items():
        for kind in OF_REQUESTS:
            seconds = ",seconds=1" if kind in (FaultKind.REFUSE, FaultKind.SLOW) else ""
            yield from (f"{kind},command={command},occurrence={number}{seconds}" for number in occurrences)
    yield from (f"{kind},command=reboot,occurrence=1" for kind in OF_UNITS)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    topology = write_topology(tmp_path, "5.3")
    with lab_for(topology) as lab:
        endpoints = tmp_path / "lab.yaml"
        endpoints.write_text(lab.endpoints.to_yaml())
        yield Site(lab, topology, endpoints, tmp_path / "state")


async def _push(site: Site, options: Options, *, resume: bool) -> Result:
    topology = load_topology(str(site.topology))
    plan = make_plan(topology)
    credentials = UserPassword(CREDENTIALS.user, Secret(PASSWORD))
    accesses = unit_accesses(
        topology, lambda _address: credentials, endpoints=load_endpoints(site.endpoints), timeouts=QUICK
    )
    clock = SystemClock()
    async with connected(accesses, clock) as units:
        fleet = Fleet(plan, units, clock, Timings.of(plan.estimates))
        return await carry_out(Mission(fleet, options, site.state, 18, lambda _event: None, resume=resume))


@pytest.mark.parametrize("fault", list(_faults()))
def test_fault_ends_in_success_or_in_a_stop_that_a_resume_completes(site: Site, fault: str) -> None:
    site.lab.inject(fault)
    options = Options()
    for number in range(MAX_RUNS):
        if number:
            site.lab.lift_all()
        resume = bool(list(site.state.glob("*.jsonl"))) and not journal.histories(site.state)[-1].is_finished
        try:
            result = asyncio.run(_push(site, options, resume=resume))
        except (PushStoppedError, PushRefusedError):
            continue
        if not result.report.pairs_to_finish:
            break
        options = replace(options, reboot_sites=result.report.pairs_to_finish)
    assert result.is_complete, result.report.differences
    assert red_in_any_state(site.lab) == set()
    flaps = 2 if fault.startswith("flap") else 0
    assert sum(site.reboots.values()) <= 2 + flaps
