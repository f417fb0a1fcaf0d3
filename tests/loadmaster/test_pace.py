"""A unit is never sent more calls than its pace allows, and what is urgent finds room."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
from hypothesis import given
from hypothesis import strategies as st

from geoplan.loadmaster import LoadMaster
from geoplan.loadmaster.clients import connected
from geoplan.loadmaster.pace import OWN_CALLS, Haste, Pace, Paces, at_once
from geoplan.vendor import CALLS_WINDOW_SECONDS, MAX_CALLS
from tests.loadmaster.support import FakeClock, access, ok, run


def most_at_a_time(moments: Sequence[float]) -> int:
    return max(
        (sum(first <= moment < first + CALLS_WINDOW_SECONDS for moment in moments) for first in moments), default=0
    )


@given(st.lists(st.tuples(st.sampled_from(Haste), st.floats(0, 1.5), st.booleans()), max_size=120))
def test_whatever_is_asked_a_unit_gets_at_most_its_calls(asked: list[tuple[Haste, float, bool]]) -> None:
    clock, sent = FakeClock(), []

    async def go() -> None:
        pace = Pace(clock)
        for haste, pause, is_urgent in asked:
            clock.time += pause
            if is_urgent:
                with at_once():
                    await pace.turn(haste)
            elif haste is Haste.GLANCE:
                if not await pace.look():
                    continue
            else:
                await pace.turn(haste)
            sent.append(clock.time)

    run(go())
    assert most_at_a_time(sent) <= OWN_CALLS < MAX_CALLS


@given(st.lists(st.sampled_from([Haste.READ, Haste.CHANGE, Haste.GLANCE]), max_size=60))
def test_submission_goes_out_at_once_with_its_read_and_its_look_whatever_was_asked_before(before: list[Haste]) -> None:
    """In the window of a reboot nothing waits: a read, a look, the submission."""
    clock = FakeClock()

    async def go() -> float:
        pace = Pace(clock)
        for haste in before:
            if haste is Haste.GLANCE:
                await pace.look()
            else:
                await pace.turn(haste)
        began = clock.time
        with at_once():
            await pace.turn(Haste.READ)
            assert await pace.look()
        await pace.turn(Haste.AT_ONCE)
        return clock.time - began

    assert run(go()) == 0.0


def test_look_that_is_one_of_many_is_left_out_rather_than_waited_for() -> None:
    clock = FakeClock()

    async def go() -> list[bool]:
        pace = Pace(clock)
        return [await pace.look() for _ in range(OWN_CALLS)]

    looked = run(go())
    assert looked == [True] * Haste.GLANCE + [False] * (OWN_CALLS - Haste.GLANCE)
    assert clock.pauses == []


def test_clients_of_one_unit_share_its_pace_and_others_have_their_own() -> None:
    clock, paces = FakeClock(), Paces(FakeClock())
    moments: dict[str, list[float]] = {"a": [], "b": []}
    units = {"a": access(api_url="https://unit.test"), "b": access(address="172.24.1.6", api_url="https://other.test")}

    def answer(http: httpx.Request) -> httpx.Response:
        moments["a" if http.url.host == "unit.test" else "b"].append(paces._clock.now())
        return ok(version="7.2.59.4", sshaccess=True)

    async def ask(names: Sequence[str]) -> None:
        wanted = {name: units[name] for name in names}
        transport = httpx.MockTransport(answer)
        async with connected(wanted, clock, transport_of=lambda _unit: transport, paces=paces) as clients:
            for client in clients.values():
                for _ in range(10):
                    await client.remote_ssh_access()

    async def go() -> None:
        await ask(["a"])
        await ask(["a", "b"])

    run(go())
    assert most_at_a_time(moments["a"]) <= Haste.READ
    assert len(moments["a"]) == 2 * 11, "each client finds out the wire format for itself"
    assert len(moments["b"]) == 11


def test_both_wire_formats_count() -> None:
    clock = FakeClock()
    moments: list[float] = []

    def answer(http: httpx.Request) -> httpx.Response:
        moments.append(clock.now())
        if http.url.path == "/accessv2":
            return httpx.Response(404, html="<html></html>")
        body = '<Response stat="200" code="ok"><Success><Data><sshaccess>yes</sshaccess></Data></Success></Response>'
        return httpx.Response(200, text=body)

    async def go() -> None:
        unit = LoadMaster(access(api_version=None), transport=httpx.MockTransport(answer), clock=clock)
        async with unit:
            await asyncio.gather(*(unit.remote_ssh_access() for _ in range(40)))

    run(go())
    assert len(moments) > 40
    assert most_at_a_time(moments) <= Haste.READ
