"""A wrong password that is given for many units is tried on one of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from geoplan.errors import AuthenticationError, NotAskedError
from geoplan.loadmaster import Secret, UnitConnection, UserPassword
from geoplan.loadmaster.clients import connected
from geoplan.loadmaster.shared_credentials import FIRST_TURN_SECONDS
from geoplan.twin.loop import run_simulated
from tests.loadmaster.support import FakeClock, access, ok

ADDRESSES = [f"10.0.0.{number}" for number in range(1, 31)]


def units(**own: UserPassword) -> dict[str, UnitConnection]:
    same = UserPassword("bal", Secret("given for all"))
    return {
        address: access(address=address, api_url=f"https://{address}", credentials=own.get(address, same))
        for address in ADDRESSES
    }


async def ask(
    accesses: dict[str, UnitConnection], refusing: set[str], *, dead: frozenset[str] = frozenset()
) -> tuple[dict[str, Exception | None], Counter[str]]:
    asked: Counter[str] = Counter()

    async def answer(http: httpx.Request) -> httpx.Response:
        asked[http.url.host] += 1
        await asyncio.sleep(0.1)
        if http.url.host in dead:
            await asyncio.sleep(10)
            raise httpx.ConnectTimeout("nobody", request=http)
        return httpx.Response(401) if http.url.host in refusing else ok(version="7.2.59.4")

    found: dict[str, Exception | None] = {}
    async with connected(accesses, FakeClock(), transport_of=lambda _unit: httpx.MockTransport(answer)) as clients:

        async def firmware(address: str) -> None:
            try:
                await clients[address].firmware()
                found[address] = None
            except AuthenticationError as error:
                found[address] = error

        slow = [asyncio.create_task(firmware(address)) for address in ADDRESSES if address in dead]
        await asyncio.gather(*(firmware(address) for address in ADDRESSES if address not in dead))
        for task in slow:
            task.cancel()
    return found, asked


def test_first_refusal_of_credentials_that_are_given_for_all_stops_the_asking_with_them() -> None:
    found, asked = run_simulated(ask(units(), set(ADDRESSES)))
    assert sum(asked.values()) == 1
    not_asked = [error for error in found.values() if isinstance(error, NotAskedError)]
    assert len(not_asked) == len(ADDRESSES) - 1
    assert {error.refused_by for error in not_asked} == {ADDRESSES[0]}


def test_unit_with_credentials_of_its_own_is_asked_nevertheless() -> None:
    last = ADDRESSES[-1]
    own = units(**{last: UserPassword("bal", Secret("its own"))})
    found, asked = run_simulated(ask(own, set(ADDRESSES[:-1])))
    assert found[last] is None
    assert sum(asked[address] for address in ADDRESSES[:-1]) == 1


def test_credentials_that_are_right_reach_every_unit() -> None:
    found, _ = run_simulated(ask(units(), set()))
    assert set(found.values()) == {None}


def test_unit_that_has_taken_them_is_asked_on_although_another_refuses_them() -> None:
    accesses = {address: units()[address] for address in ADDRESSES[:2]}
    refusing: set[str] = set()

    def answer(http: httpx.Request) -> httpx.Response:
        return httpx.Response(401) if http.url.host in refusing else ok(version="7.2.59.4", sshaccess=True)

    async def go() -> bool:
        async with connected(accesses, FakeClock(), transport_of=lambda _unit: httpx.MockTransport(answer)) as clients:
            first, second = clients.values()
            await first.firmware()
            refusing.add(ADDRESSES[1])
            try:
                await second.firmware()
            except AuthenticationError:
                return await first.remote_ssh_access()
            return False

    assert run_simulated(go())


def test_unit_that_is_down_does_not_hold_up_the_others() -> None:
    async def go() -> tuple[float, dict[str, Exception | None]]:
        began = asyncio.get_running_loop().time()
        found, _ = await ask(units(), set(), dead=frozenset(ADDRESSES[:1]))
        return asyncio.get_running_loop().time() - began, found

    seconds, found = run_simulated(go())
    assert seconds < 2 * FIRST_TURN_SECONDS
    assert {address for address, error in found.items() if error is None} == set(ADDRESSES[1:])


@pytest.mark.parametrize("dead", [1, 3])
def test_wrong_password_reaches_one_unit_that_answers_although_those_before_it_are_silent(dead: int) -> None:
    silent = frozenset(ADDRESSES[:dead])
    _, asked = run_simulated(ask(units(), set(ADDRESSES), dead=silent))
    assert set(asked) == {*silent, ADDRESSES[dead]}


@pytest.mark.parametrize(("partner", "asked"), [(ADDRESSES[0], 1), (ADDRESSES[5], 0), (None, 0)])
def test_standby_that_takes_no_login_stops_nothing_once_its_partner_has_taken_it(
    partner: str | None, asked: int
) -> None:
    accesses = {address: units()[address] for address in ADDRESSES[:3]}
    accesses[ADDRESSES[1]] = replace(accesses[ADDRESSES[1]], partner=partner)
    sent: Counter[str] = Counter()

    def answer(http: httpx.Request) -> httpx.Response:
        sent[http.url.host] += 1
        return httpx.Response(401) if http.url.host == ADDRESSES[1] else ok(version="7.2.59.4")

    async def go() -> None:
        async with connected(accesses, FakeClock(), transport_of=lambda _unit: httpx.MockTransport(answer)) as clients:
            for client in clients.values():
                with suppress(AuthenticationError):
                    await client.firmware()

    run_simulated(go())
    assert sent[ADDRESSES[1]] == 1
    assert min(sent[ADDRESSES[2]], 1) == asked


def pairs(accesses: dict[str, UnitConnection], *members: tuple[str, str]) -> dict[str, UnitConnection]:
    for one, other in members:
        accesses[one] = replace(accesses[one], partner=other)
        accesses[other] = replace(accesses[other], partner=one)
    return accesses


@pytest.mark.parametrize("active", [1, 4, 29])
def test_standby_that_is_asked_first_and_takes_no_login_stops_nothing_once_its_active_unit_takes_it(
    active: int,
) -> None:
    standby, other = ADDRESSES[0], ADDRESSES[active]
    found, asked = run_simulated(ask(pairs(units(), (standby, other)), {standby}))
    assert {address for address, error in found.items() if error} == {standby}
    assert not isinstance(found[standby], NotAskedError)
    assert asked[standby] == 1


def test_standbys_of_many_pairs_that_are_asked_before_their_active_units_stop_nothing() -> None:
    members = list(zip(ADDRESSES[::2], ADDRESSES[1::2], strict=True))
    standbys = set(ADDRESSES[::2])
    found, asked = run_simulated(ask(pairs(units(), *members), standbys))
    assert {address for address, error in found.items() if error} == standbys
    assert {asked[address] for address in standbys} == {1}


def test_wrong_password_that_a_unit_of_a_pair_refuses_is_tried_on_its_partner_and_on_no_other_unit() -> None:
    found, asked = run_simulated(ask(pairs(units(), (ADDRESSES[0], ADDRESSES[7])), set(ADDRESSES)))
    assert asked == {ADDRESSES[0]: 1, ADDRESSES[7]: 1}
    others = [found[address] for address in ADDRESSES if address not in asked]
    assert {error.refused_by for error in others if isinstance(error, NotAskedError)} == {ADDRESSES[0]}
    assert all(isinstance(error, NotAskedError) for error in others)


def test_others_are_not_asked_while_the_partner_of_a_unit_that_refuses_is_silent() -> None:
    async def go() -> tuple[float, dict[str, Exception | None], Counter[str]]:
        began = asyncio.get_running_loop().time()
        accesses = pairs(units(), (ADDRESSES[0], ADDRESSES[1]))
        found, asked = await ask(accesses, set(ADDRESSES), dead=frozenset(ADDRESSES[1:2]))
        return asyncio.get_running_loop().time() - began, found, asked

    seconds, found, asked = run_simulated(go())
    assert seconds < 3 * FIRST_TURN_SECONDS
    assert set(asked) <= {ADDRESSES[0], ADDRESSES[1]}
    assert sum(isinstance(error, NotAskedError) for error in found.values()) == len(ADDRESSES) - 2


def test_units_that_were_not_asked_for_a_doubt_are_asked_once_the_partner_has_taken_the_credentials() -> None:
    accesses = pairs({address: units()[address] for address in ADDRESSES[:3]}, (ADDRESSES[0], ADDRESSES[1]))

    def answer(http: httpx.Request) -> httpx.Response:
        return httpx.Response(401) if http.url.host == ADDRESSES[0] else ok(version="7.2.59.4")

    async def go() -> list[type[Exception] | None]:
        said: list[type[Exception] | None] = []
        async with connected(accesses, FakeClock(), transport_of=lambda _unit: httpx.MockTransport(answer)) as clients:
            for number in (0, 2, 1, 2):
                try:
                    await clients[ADDRESSES[number]].firmware()
                    said.append(None)
                except AuthenticationError as error:
                    said.append(type(error))
        return said

    assert run_simulated(go()) == [AuthenticationError, NotAskedError, None, None]
