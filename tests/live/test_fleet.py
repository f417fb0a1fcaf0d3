"""How many units are asked at once, and what the slow ones among them cost the others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from geoplan.errors import UnitUnreachableError, UpgradeRefusedError
from geoplan.live.firmware import firmware_of
from geoplan.live.model import Cause, State
from geoplan.live.survey import observe_for_status
from geoplan.twin.loop import run_simulated
from tests.live.scripted import ScriptedUnit, fleet_of
from tests.push.instant import instant_fleet, plan_of_groups
from tests.status.made import A1, M1, M2, PLAN, S1


def test_seconds_of_a_unit_begin_when_it_is_asked_and_not_while_it_waits_for_its_turn() -> None:
    silent = {address: ScriptedUnit(address, {"firmware": None}) for address in (M1, S1, M2)}
    addresses = [unit.address for site in PLAN.sites for unit in site.units]
    units = {address: silent.get(address, ScriptedUnit(address)) for address in addresses}
    facts = run_simulated(observe_for_status(fleet_of(PLAN, units, jobs=1), unit_seconds=20))
    failed = {address for address, unit in facts.units.items() if unit.failure}
    assert failed == set(silent)
    assert all(facts.units[address].failure.cause is Cause.UNREACHABLE for address in silent)  # type: ignore[union-attr]
    assert facts.units[A1].firmware == "7.2.59.4"


def test_units_of_a_fleet_share_one_bound() -> None:
    plan = plan_of_groups(4)
    asked = 0
    most: list[int] = []

    async def ask(_item: int) -> State:
        nonlocal asked
        asked += 1
        most.append(asked)
        await asyncio.sleep(1)
        asked -= 1
        return State.ACTIVE

    async def go() -> None:
        fleet = instant_fleet(plan)
        await asyncio.gather(*(fleet.ask_each(range(10), ask) for _ in range(5)))

    run_simulated(go())
    assert max(most) == 8


def test_versions_are_asked_within_the_bound_and_a_failure_is_told_with_the_others() -> None:
    class Silent(ScriptedUnit):
        async def firmware(self) -> str:
            raise UnitUnreachableError(self.address, "no answer", request_sent=False)

    units: dict[str, Any] = {address: ScriptedUnit(address) for address in (M1, S1)}
    assert run_simulated(firmware_of(units, jobs=1)) == {M1: "7.2.59.4", S1: "7.2.59.4"}
    with pytest.raises(UpgradeRefusedError, match=f"{M2}: no answer"):
        run_simulated(firmware_of(units | {M2: Silent(M2)}, jobs=1))
