"""A lab as a whole: its ports, its beginning and end, and the fixture that serves it from a thread."""

from __future__ import annotations

import asyncio
import os
import socket

import httpx
import pytest

from geoplan.lab.errors import LabError
from geoplan.lab.fixtures import StartLab
from geoplan.lab.lab import Lab
from geoplan.lab.serve.endpoints import Endpoints
from tests.lab.serve.support import AUTH, QUICK, run, serving, until
from tests.lab.support import A1, CREDENTIALS, M1, M2, S1, TOPOLOGIES, example


def test_only_loopback_is_bound() -> None:
    async def test() -> None:
        async with serving() as (lab, _):
            urls = [lab.endpoints.control, *(u for e in lab.endpoints.units.values() for u in (e.api, e.health))]
            assert {httpx.URL(url).host for url in urls} == {"127.0.0.1"}
            for url in urls:
                with socket.socket() as other:  # the same port of another address is still free
                    other.bind(("127.0.0.2", httpx.URL(url).port or 0))

    run(test)


def test_a_lab_starts_again_on_the_same_ports_at_once_and_a_second_one_beside_it() -> None:
    async def test() -> None:
        async with serving() as (lab, client), serving() as (second, _):
            base = 61000 + os.getpid() % 200 * 20  # above what the system gives out as free ports
            for _ in range(2):
                async with serving(port_base=base) as (fixed, _):
                    assert fixed.endpoints.control == f"http://127.0.0.1:{base}"
                    assert fixed.endpoints.units[M1].api == f"https://127.0.0.1:{base + 1}"
                    assert fixed.endpoints.units[M1].health == f"http://127.0.0.1:{base + 2}"
                    assert (await client.get(fixed.endpoints.units[M1].api)).status_code == 200
                    with pytest.raises(LabError, match="cannot take port"):
                        await Lab(example(), port_base=base).__aenter__()
            for running in (lab, second):
                assert (await client.get(running.endpoints.units[M1].health)).status_code == 200

    run(test)


def test_nothing_is_left_behind_not_even_by_requests_under_way() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            lab.inject("timeout,command=get")
            waiting = asyncio.create_task(client.get(f"{lab.endpoints.units[M1].api}/access/get", auth=AUTH))
            await until(lambda: lab.simulation.faults.met(1) == 1)
            lab.power_off(M2)
            lab.power_on(M2)
            await lab.__aexit__(None, None, None)
            with pytest.raises(httpx.TransportError):
                await waiting
            for endpoint in lab.endpoints.units.values():
                with pytest.raises(httpx.ConnectError):
                    await client.get(endpoint.api)
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    run(test)


@pytest.mark.parametrize(
    ("base", "complaint"),
    [(0, "no port 0"), (-5, "no port -5"), (65530, "from 65530 on there are not that many"), (70000, "no port 70000")],
)
def test_a_port_base_without_room_is_refused(base: int, complaint: str) -> None:
    async def test() -> None:
        with pytest.raises(LabError, match=f"needs 13 ports, and .*{complaint}"):
            await Lab(example(), port_base=base).__aenter__()

    run(test)


def test_a_lab_that_is_not_running_says_so() -> None:
    with pytest.raises(LabError, match="not running"):
        _ = Lab(example()).endpoints


def test_the_fixture_serves_programs_without_an_event_loop(start_lab: StartLab) -> None:
    lab = start_lab(TOPOLOGIES / "section-5.4.yaml", credentials=CREDENTIALS, **QUICK)
    endpoints: Endpoints = lab.endpoints
    with httpx.Client(verify=False, trust_env=False) as client:  # noqa: S501 - loopback
        assert client.get(endpoints.units[S1].health).status_code == 503
        number = lab.inject("error,command=health")
        assert client.get(endpoints.units[S1].health).status_code == 500
        lab.lift(number)
        lab.inject(f"reset,unit={M1}")
        lab.lift_all()
        lab.fail_over("HA Pair 1")
        lab.power_off(A1)
        lab.power_on(A1)
        lab.lose_configuration(A1)
        assert lab.state()["units"][A1]["power"] == "booting"


def test_a_lab_that_cannot_start_says_why_to_programs_too(start_lab: StartLab) -> None:
    with pytest.raises(LabError, match="ports"):
        start_lab(example(), port_base=70000)


def test_the_fixture_starts_unpaired_units_and_upgrades_them(start_lab: StartLab) -> None:
    lab = start_lab(example(), **QUICK, unpaired=True)
    assert {unit["ha_mode"] for unit in lab.state()["units"].values()} == {"single"}
    lab.upgrade(S1, "7.2.52.0")
    assert lab.state()["units"][S1]["power"] == "booting"
