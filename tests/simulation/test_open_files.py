"""This machine has no more open files to give, at any moment of a push: never a unit's failure, and never the end."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import httpx
import pytest

from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError, TooManyOpenFilesError
from geoplan.push import journal
from geoplan.push.options import Options
from geoplan.topology.loader import load_topology
from geoplan.twin.loop import run_simulated
from geoplan.twin.script import Script
from geoplan.twin.transport import LabTransport
from tests.conftest import TOPOLOGIES
from tests.simulation.world import World

REQUESTS = 200  # of a push that nothing disturbs, at least
CHANGES = ("changing", "rebooting", "resubmitting")


class _Machine:
    """Lets the connections to all units fail from one request on, as the kernel does, until there is room again."""

    def __init__(self, world: World, first: int) -> None:
        self._world = world
        self._requests_left = first - 1
        self.has_room = False

    def transport(self, address: str) -> httpx.AsyncBaseTransport:
        machine, lab = self, LabTransport(self._world.simulation, address, self._world._latency)

        class Limited(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                machine._requests_left -= 1
                if machine._requests_left < 0 and not machine.has_room:
                    raise httpx.ConnectError("no connection", request=request) from _refused_by_the_kernel()
                return await lab.handle_async_request(request)

        return Limited()


def _refused_by_the_kernel() -> OSError:
    """Return what anyio raises: its own error, caused by that of the socket."""
    refused = OSError("All connection attempts failed")
    refused.__cause__ = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return refused


@pytest.mark.parametrize("first", range(1, REQUESTS, 9))
def test_push_without_open_files_ends_before_its_first_change_or_is_resumed(first: int, tmp_path: Path) -> None:
    async def go() -> None:
        topology = load_topology(TOPOLOGIES / "section-5.3.yaml")
        world = World(Script(topology, "7.2.59.4", Options()), 1, tmp_path)
        machine = _Machine(world, first)
        world._transport = machine.transport  # type: ignore[method-assign, assignment]
        with pytest.raises((TooManyOpenFilesError, PushStoppedError)) as ended:
            await world._push(resume=False, kill_after=None)
        assert "too many open files" in str(ended.value)
        assert "ulimit" in f"{ended.value} {ended.value.hint}"
        _nothing_is_said_of_units(ended.value, tmp_path)
        machine.has_room = True
        for _ in range(3):
            await asyncio.sleep(60)
            try:
                result = await world._push(resume=world.is_unfinished, kill_after=None)
            except PushRefusedError:  # the lab's own background may need another moment
                world.make_masters_active()
            else:
                assert result.is_complete
                return
        raise AssertionError("it never came to its end")

    run_simulated(go())


def _nothing_is_said_of_units(error: GeoplanError, folder: Path) -> None:
    records = [record for history in journal.histories(folder) for record in history.records]
    assert isinstance(error, PushStoppedError) or not any(record.event in CHANGES for record in records)
    failed = [r for r in records if r.event == "step" and r.state == "failed"]
    assert all(step.unit is None for step in failed)
    if isinstance(error, TooManyOpenFilesError):
        assert all(record.event != "end" or record.outcome == "refused" for record in records)
