"""A push whose units answer at once: what is left is the executor's own work, and its journal's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from geoplan.live.fleet import Fleet
from geoplan.live.polling import SystemClock, Timings
from geoplan.live.unit import Unit
from geoplan.plan.model import Phase, Plan, Step
from geoplan.plan.planner import make_plan
from geoplan.push import executor, steps
from geoplan.push.changes import Change
from geoplan.push.context import Context, Options, StepReporter
from geoplan.push.events import Outcome, StepState
from geoplan.push.executor import Executor
from geoplan.push.journal import Journal
from geoplan.push.readiness import Pair
from geoplan.topology.model import Topology


def plan_of_groups(count: int, *, pairs: int = 2, standalones: int = 0) -> Plan:
    """Return the plan of so many groups, each of so many pairs and standalones."""
    sites: list[dict[str, Any]] = []
    groups: dict[str, list[str]] = {}
    for group in range(count):
        net = f"10.{group // 250}.{group % 250}"
        members: list[dict[str, Any]] = [
            {"name": f"G{group}-P{k}", "ha_pair": {"master": f"{net}.{2 * k + 1}", "slave": f"{net}.{2 * k + 2}"}}
            for k in range(pairs)
        ]
        members += [{"name": f"G{group}-S{k}", "standalone": f"{net}.{2 * pairs + 1 + k}"} for k in range(standalones)]
        sites += members
        groups[f"g{group}"] = [member["name"] for member in members]
    document = {"name": "many", "sites": sites, "groups": groups, "limits": {"max_clusters": pairs + standalones}}
    return make_plan(Topology.model_validate(document), [Phase.GEO])


def instant_units(
    monkeypatch: pytest.MonkeyPatch, *, step_seconds: float = 0.0, reboot_seconds: float = 0.0
) -> list[str]:
    """Let every step be done at once, with the records that it leaves; the disk is never waited for.

    Return a list that gets the ids of the steps as they end. The seconds, of a step and of a pair's reboot, are for a
    simulated loop.
    """
    ended: list[str] = []

    async def change_at_once(context: Context, step: Step) -> Outcome:
        unit = context.fleet.unit(context.site(step).units[0].address)
        change = Change(context, step, unit, "geo_partners")
        change.begin([], list(context.plan.values(step)))
        await asyncio.sleep(step_seconds)
        change.end()
        ended.append(step.id)
        return Outcome(StepState.DONE, unit.address, "entered and read back")

    async def submit_at_once(_context: Context, step: Step) -> Outcome:
        ended.append(step.id)
        return Outcome(StepState.DONE, None, "submitted")

    monkeypatch.setattr("os.fsync", lambda _handle: None)
    monkeypatch.setattr(steps, "set_list", change_at_once)
    monkeypatch.setattr(steps, "add_cluster", change_at_once)
    monkeypatch.setattr(steps, "resubmit_on_standalone", submit_at_once)
    monkeypatch.setattr(executor, "PairReboot", partial(InstantReboot, seconds=reboot_seconds, ended=ended))
    return ended


class InstantReboot:
    """Stands in for a pair's reboot: in no time, and with its records."""

    def __init__(self, pair: Pair, _telling: StepReporter, *, seconds: float, ended: list[str]) -> None:
        self._pair = pair
        self._seconds = seconds
        self._ended = ended
        self.outcomes: dict[str, Outcome] = {}

    async def run(self) -> None:
        pair, journal = self._pair, self._pair.context.journal
        journal.write("rebooting", step=pair.reboot.id, site=pair.site.name, unit=pair.master)
        await asyncio.sleep(self._seconds)
        journal.write("resubmitting", step=pair.resubmission.id, site=pair.site.name, unit=pair.slave, after=[])
        journal.write("resubmitted", step=pair.resubmission.id, site=pair.site.name, unit=pair.slave)
        journal.write("healthy", site=pair.site.name)
        for step in (pair.reboot, pair.resubmission):
            self.outcomes[step.id] = Outcome(StepState.DONE, pair.slave, "done")
            self._ended.append(step.id)


class _Addressed:
    def __init__(self, address: str) -> None:
        self.address = address


def instant_fleet(plan: Plan) -> Fleet:
    units = {unit.address: cast("Unit", _Addressed(unit.address)) for site in plan.sites for unit in site.units}
    return Fleet(plan, units, SystemClock(), Timings(120, 120))


@contextmanager
def instant_push(plan: Plan, folder: Path, options: Options | None = None) -> Iterator[Executor]:
    """Have an executor and its journal, on units that answer at once; see :func:`instant_units`."""
    options = options or Options()
    with Journal.begin(folder, plan, options.as_plain(), SystemClock()) as journal:
        yield Executor(Context(instant_fleet(plan), journal, options, lambda _event: None))
