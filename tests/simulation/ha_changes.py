"""Changes of HA parameters of pairs at work, as situations in which a safeguard shows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.lab.api.request import ApiError, ApiRequest, Context
from geoplan.lab.api.server import WireFormat
from geoplan.lab.http import Response
from geoplan.topology.model import Topology
from geoplan.twin.shapes import Shape, shape_units
from tests.simulation.changes import ChangingWorld, topology

SITES = "A:10.0.0.1:10.0.0.2 B:10.0.0.3 C:10.0.0.5:10.0.0.6"
OLD = topology("old", SITES)
HA_COMMANDS = ("awshaparam", "setcloudhaparam", "awshamode", "setcloudhamode")


PAIRS = {"A": ("10.0.0.1", "10.0.0.2"), "C": ("10.0.0.5", "10.0.0.6")}


def with_pair(pair: str = "A", **settings: Any) -> Topology:
    """Return the old topology with other settings of one of its pairs."""
    master, slave = PAIRS[pair]
    described: dict[str, Any] = {pair: {"ha_pair": {"master": master, "slave": slave, **settings}}}
    return topology("new", SITES, **described)


NEW_PORT = with_pair(health_check={"port": 9000})


async def begun(folder: Path, lab: Topology = OLD) -> ChangingWorld:
    """Return a world in which the old topology is pushed."""
    world = ChangingWorld(lab, folder)
    await world.push_new(OLD)
    world.make_masters_active()
    await asyncio.sleep(60.0)
    world.keep("ABC", "ABC")
    world.sent.clear()
    return world


def ha_requests(world: ChangingWorld) -> list[str]:
    """Return the units that were sent HA parameters, in order."""
    return [address for address, command in world.sent if command in HA_COMMANDS]


def refusing(unit: str) -> Shape:
    """Let a unit refuse any of its HA parameters."""

    def shape(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
        is_meant = context.unit.address == unit and call.command in HA_COMMANDS
        return dialect.write_refusal(ApiError(422, "Not on this unit")) if is_meant else None

    return shape


def set_port(world: ChangingWorld, port: int, *units: str) -> None:
    """Set the health check port of units, as a person does."""
    for address in units:
        unit = world.network.unit(address)
        world.network.set_ha(unit, replace(unit.ha, health_check_port=port))


async def _end(world: ChangingWorld, push: Awaitable[Any]) -> list[str]:
    """Return what was wrong with a push and its end."""
    try:
        await push
    except (PushStoppedError, PushRefusedError) as error:
        return [*world.broken, f"it did not come to its end: {error}"]
    pair = world.network.pair("A")
    ports = {unit.ha.health_check_port for unit in pair.units}
    return [*world.broken, *([] if pair.is_formed else [f"the pair does not work: ports {sorted(ports)}"])]


async def port_cut_in_between(folder: Path) -> list[str]:
    """A push is killed between the two units of a pair: both are active then, and to resume makes them a pair again."""
    world = await begun(folder)
    plan = world.plan_of_change(OLD, NEW_PORT)
    pushing = asyncio.ensure_future(world.push(plan))

    def kill(_address: str, _command: str) -> None:
        if len(ha_requests(world)) == 1:
            pushing.cancel()

    world.after_change = kill
    with contextlib.suppress(asyncio.CancelledError):
        await pushing
    world.after_change = lambda _address, _command: None
    await asyncio.sleep(60.0)
    return await _end(world, world.push(plan, resume=True))


async def port_that_one_unit_refuses(folder: Path) -> list[str]:
    """The active unit refuses its new port: the pair goes on at the old one until a person has set both."""
    world = await begun(folder)
    shape_units(world.simulation).append(refusing("10.0.0.1"))
    apart: list[str] = []

    def by_hand() -> None:
        if not world.network.pair("A").is_formed:
            apart.append("the pair is parted while the push waits for a person")
        set_port(world, 9000, "10.0.0.2", "10.0.0.1")

    world.by_hand(by_hand, 200.0)
    ended = await _end(world, world.push(world.plan_of_change(OLD, NEW_PORT)))
    return [*apart, *ended]


async def preferred_host(folder: Path) -> list[str]:
    """The preferred host of a pair is changed, and nothing else of it."""
    world = await begun(folder)
    return await _end(world, world.push(world.plan_of_change(OLD, with_pair(preferred_host="none"))))


Scenario = Callable[[Path], Awaitable[list[str]]]
SCENARIOS: dict[str, Scenario] = {
    "port changed, cut between its two units": port_cut_in_between,
    "port that one unit refuses": port_that_one_unit_refuses,
    "preferred host changed": preferred_host,
}
