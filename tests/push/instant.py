"""A push whose units answer at once: what is left is the executor's own work, and its journal's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from geoplan.live.fleet import Fleet
from geoplan.live.polling import SystemClock, Timings
from geoplan.live.unit import Unit
from geoplan.plan.model import Action, Phase, Plan, Step
from geoplan.plan.planner import make_plan
from geoplan.push import executor
from geoplan.push.actions.readiness import Pair
from geoplan.push.context import Context
from geoplan.push.executor import Executor
from geoplan.push.journal import Journal
from geoplan.push.listener import Reporter
from geoplan.push.options import Options
from geoplan.push.outcome import Outcome, StepState
from geoplan.topology.model import Topology
from geoplan.twin.rehearsal import Heard


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
        unit, action = context.plan.site(step.on.site).units[0].address, step.action.value
        after = list(context.plan.values(step))
        context.record("changing", step, unit, action=action, what="geo_partners", before=[], after=after)
        await asyncio.sleep(step_seconds)
        context.record("changed", step, unit, action=action)
        ended.append(step.id)
        return Outcome(StepState.DONE, unit, "entered and read back")

    async def submit_at_once(_context: Context, step: Step) -> Outcome:
        ended.append(step.id)
        return Outcome(StepState.DONE, None, "submitted")

    monkeypatch.setattr("os.fsync", lambda _handle: None)
    changes = (Action.SET_REMOTE_GEO_ACCESS, Action.SET_GEO_PARTNERS, Action.ADD_CLUSTER)
    instant = {**dict.fromkeys(changes, change_at_once), Action.RESUBMIT_GEO_PARTNERS: submit_at_once}
    monkeypatch.setattr(executor, "ACTIONS", instant)
    reboot_by(monkeypatch, partial(InstantReboot, seconds=reboot_seconds, ended=ended))
    return ended


def reboot_by(monkeypatch: pytest.MonkeyPatch, made: Callable[[Context, Step, Step], Any]) -> None:
    """Have pairs rebooted by what is made of their two steps."""
    monkeypatch.setattr(executor, "PAIR_ACTIONS", {Action.REBOOT_MASTER: made})


class InstantReboot(Pair):
    """Stands in for a pair's reboot: in no time, and with its records."""

    def __init__(
        self, context: Context, reboot: Step, resubmission: Step, *, seconds: float = 0.0, ended: list[str]
    ) -> None:
        super().__init__(context, reboot, resubmission)
        self._seconds = seconds
        self._ended = ended
        self.outcomes: dict[str, Outcome] = {}

    async def run(self) -> None:
        context, slave = self.context, self.slave
        context.record("rebooting", self.reboot, self.master)
        await asyncio.sleep(self._seconds)
        context.record("resubmitting", self.resubmission, slave, after=[])
        context.record("resubmitted", self.resubmission, slave)
        context.journal.write("healthy", site=self.site.name)
        for step in (self.reboot, self.resubmission):
            self.outcomes[step.id] = Outcome(StepState.DONE, slave, "done")
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
    with Journal.begin(folder, plan, options, SystemClock()) as journal:
        yield Executor(Context(instant_fleet(plan), journal, options, Reporter(Heard(), SystemClock())))
