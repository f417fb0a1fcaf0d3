"""Changes of units that are drawn: roles, addresses, NAT and HA, while sites join, leave, move, split and merge."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import ChangeRefusedError, PushRefusedError, PushStoppedError
from geoplan.live.findings.newcomers import seeded_sites
from geoplan.plan.model import Action, Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.reboots import Reboots
from geoplan.topology.model import Topology
from tests.lab.boxes import make_whole, put_in_pair, swap_roles
from tests.simulation.changes import BOOT, SYNC, ChangingWorld

MAX_PAIRS = 3
HA_RATE = 0.5
KINDS = ("same", "same", "same", "NAT", "roles", "address", "joins", "leaves")


@dataclass(frozen=True)
class UnitsChange:
    """What a seed has in store."""

    lab: Topology
    old: Topology
    new: Topology
    swapped: tuple[str, ...]
    """The pairs whose units have swapped their roles before the change."""
    boxes: tuple[tuple[str, str, str], ...]
    """The pairs, each with its unit that is gone and the new one."""
    ha_faults: tuple[str, ...] = ()
    """Faults that hit requests on HA parameters."""
    killed_at: int | None = None
    """At which request on HA parameters the push is killed."""


def draw_units_change(seed: int) -> UnitsChange:
    """Draw a change of 2 to 5 sites with at most 3 pairs; of the first one at most HA parameters change."""
    ha_chance = random.Random(f"HA of units {seed}")  # noqa: S311 - not for secrets
    chance = random.Random(f"units {seed}")  # noqa: S311 - not for secrets
    lab, old, new = [], [], []
    swapped, boxes = [], []
    pairs = 0
    for number in range(chance.randint(2, 5)):
        is_pair = pairs < MAX_PAIRS and chance.random() < 0.6
        pairs += is_pair
        name, kind = f"S{number}", chance.choice(KINDS) if number else "same"
        own = [f"10.0.{number}.{host}" for host in ((1, 2) if is_pair else (1,))]
        before, after, there = _site(name, own), _site(name, own), _site(name, own)
        if kind == "NAT":
            behind = _site(name, own, {unit: f"192.0.2.{10 * number + host}" for host, unit in enumerate(own)})
            before, after = (behind, after) if chance.random() < 0.5 else (before, behind)
            there = behind
        elif kind == "roles" and is_pair:
            after = _site(name, own[::-1])
            swapped.append(name)
        elif kind == "address":
            box = f"10.0.{number}.9"
            after = _site(name, [*own[:-1], box])
            lab.append(_site(f"N{number}", [box]))
            boxes += [(name, own[1], box)] if is_pair else []
        if is_pair and kind in ("same", "NAT") and ha_chance.random() < HA_RATE:
            there = {**there}  # of NAT it is one of the two
            _draw_ha(ha_chance, before, after, there)
        lab.append(there)
        old += [before] if kind != "joins" else []
        new += [after] if kind != "leaves" else []
    units = [unit for site in lab for unit in site.get("ha_pair", {}).values() if isinstance(unit, str) and "." in unit]
    units = units or ["10.0.0.1"]
    faults = [
        f"{ha_chance.choice(['reset', 'truncate', 'error'])},unit={ha_chance.choice(units)},command=awshaparam,"
        "occurrence=1"
        for _ in range(ha_chance.choice([0, 0, 1, 2]))
    ]
    return UnitsChange(
        _topology("lab", lab),
        _topology("old", old, chance),
        _topology("new", new, chance),
        (*swapped,),
        (*boxes,),
        ha_faults=tuple(dict.fromkeys(faults)),
        killed_at=ha_chance.choice([None, 1, 2, 3]),
    )


def _draw_ha(chance: random.Random, before: dict[str, Any], after: dict[str, Any], there: dict[str, Any]) -> None:
    """Let the preferred host, the interfaces or the port of a pair be others, before or after the change."""
    drawn: dict[str, Any] = {}
    if chance.random() < 0.6:
        drawn["preferred_host"] = "none"
    if chance.random() < 0.6 or not drawn:
        drawn["health_check"] = chance.choice([{"port": 9000}, {"all_interfaces": True, "port": 9001}])
    one, other = (before, after) if chance.random() < 0.3 else (after, before)
    one["ha_pair"] = {**one["ha_pair"], **drawn}
    if "health_check" in drawn:
        other["ha_pair"] = {**other["ha_pair"], "health_check": {"all_interfaces": False}}
    held = {name: before["ha_pair"][name] for name in ("preferred_host", "health_check") if name in before["ha_pair"]}
    there["ha_pair"] = {**there["ha_pair"], **held}


def _site(name: str, units: list[str], nat: dict[str, str] | None = None) -> dict[str, Any]:
    written: list[Any] = [{"address": each, "nat_address": nat[each]} if nat else each for each in units]
    if units[1:]:
        return {"name": name, "ha_pair": {"master": written[0], "slave": written[1]}}
    return {"name": name, "standalone": written[0]}


def _topology(name: str, sites: list[dict[str, Any]], chance: random.Random | None = None) -> Topology:
    document: dict[str, Any] = {"name": name, "sites": sites, "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC}}
    if chance:
        groups: dict[str, list[str]] = {}
        has_two = chance.random() < 0.3
        for site in sites:
            groups.setdefault(chance.choice("xy") if has_two else "x", []).append(site["name"])
        document["groups"] = groups
    return Topology.model_validate(document)


async def _begun(drawn: UnitsChange, folder: Path) -> tuple[ChangingWorld, Plan]:
    """Push the old topology, and let everything happen to units that the change is about."""
    world = ChangingWorld(drawn.lab, folder)
    await world.push_new(drawn.old)
    world.make_masters_active()
    await asyncio.sleep(60.0)
    plan = world.plan_of_change(drawn.old, drawn.new)
    for name in drawn.swapped:
        swap_roles(world.network, name)
    for name, gone, box in drawn.boxes:
        put_in_pair(world.network, gone, box)
        world.by_hand(partial(make_whole, world.network, name, box), 200.0)
    if drawn.swapped:
        await asyncio.sleep(60.0)
    for site, names in _kept(plan, drawn):
        world.kept[site] = names
    return world, plan


def _kept(plan: Plan, drawn: UnitsChange) -> Iterator[tuple[str, set[str]]]:
    """Yield the sites that go on in their group, each with the names of those that go on there with it."""
    change, before = plan.change, make_plan(drawn.old, (Phase.GEO,))
    assert change
    gone = {*seeded_sites(plan), *change.leaving, *(site for part in change.parts for site in part.sites)}
    staying = [site for site in plan.sites if change.old_site(site.name) and site.name not in gone]
    known = {unit.address for site in before.sites for unit in site.units}
    for site in staying:
        if all(unit.address in known for unit in site.units):  # a new box has nothing, and may be alone at first
            group = change.old_site(site.name).group  # type: ignore[union-attr]
            yield site.name, {each.name for each in staying if change.old_site(each.name).group == group}  # type: ignore[union-attr]


async def simulate_units_change(seed: int, folder: Path) -> list[str]:
    """Carry a drawn change out; return what was wrong on the way or at the end, and which reboot was needless."""
    drawn = draw_units_change(seed)
    try:
        world, plan = await _begun(drawn, folder / "change")
    except ChangeRefusedError:
        return []
    before, sent = world.reboots(), len(world.sent)
    try:
        for fault in drawn.ha_faults:
            world.simulation.inject(fault)
        result = await world.change_to_the_end(plan, resume=await _is_killed(world, plan, drawn.killed_at))
    except PushRefusedError as error:
        is_told = all("a group that nobody goes on with" in problem for problem in error.problems)
        return [] if is_told and len(world.sent) == sent else [f"refused: {error.problems}"]
    await asyncio.sleep(60.0)
    broken = [*world.broken, *(f"not done: {each.message}" for each in result.report.undone)]
    try:
        world.check_is(plan)
    except AssertionError as error:
        broken.append(f"the end is not the plan's: {str(error)[:300]}")
    rebooted = {step.site for step in plan.steps if step.action is Action.REBOOT_MASTER}
    now = world.reboots()
    if sum(now.values()) - sum(before.values()) != len(rebooted):
        broken.append(f"{now} after {before}, and {sorted(rebooted)} were to be rebooted")
    needless = [site for site in sorted(rebooted) if not await _is_red_without(site, drawn, folder / f"no {site}")]
    return broken + ([f"all links are there without the reboots of {needless}"] if needless else [])


async def _is_killed(world: ChangingWorld, plan: Plan, at: int | None) -> bool:
    """Kill a push at one of its requests on HA parameters, if it has so many; return whether one is to be resumed."""
    if at is None or not plan.ha_changes:
        return False
    pushing = asyncio.ensure_future(world.push(plan))
    seen = 0

    def kill(_address: str, command: str) -> None:
        nonlocal seen
        seen += command == "awshaparam"
        if seen == at:
            pushing.cancel()

    world.after_change = kill
    with contextlib.suppress(asyncio.CancelledError, PushStoppedError):
        await pushing
    world.after_change = lambda _address, _command: None
    await asyncio.sleep(40.0)
    return world.is_unfinished()


async def _is_red_without(site: str, drawn: UnitsChange, folder: Path) -> bool:
    """Return whether a link is red in some state of pairs where the reboot of one pair is left out of the change."""
    without_reboot = Reboots.without

    def leave_out(reboots: Reboots, pair: str) -> Outcome | None:
        if pair == site:
            return Outcome(StepState.LEFT_OUT, None, "it is tried without")
        return without_reboot(reboots, pair)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reboots, "without", leave_out)
        world, plan = await _begun(drawn, folder)
        await world.change_to_the_end(plan)
    await asyncio.sleep(60.0)
    return bool(world.red_in_any_state())
