"""The lab over real sockets and TLS: what crosses a network."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from geoplan.lab.errors import LabError
from geoplan.lab.fixtures import StartLab
from geoplan.lab.lab import Lab
from geoplan.lab.serve.endpoints import Endpoints
from tests.lab.support import A1, CREDENTIALS, M1, M2, S1, TOPOLOGIES, example

QUICK: dict[str, Any] = {"boot_seconds": 0.3, "failover_seconds": 0.1, "sync_seconds": 0.05}
AUTH = httpx.BasicAuth("bal", "correct horse")
IDENTITY = {"apiuser": "bal", "apipass": "correct horse"}


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[Lab, httpx.AsyncClient]]:
    """Serve the example of section 5.4; the client trusts everyone and asks no proxy."""
    async with (
        Lab(example(), credentials=CREDENTIALS, **{**QUICK, **options}) as lab,
        httpx.AsyncClient(verify=False, trust_env=False, timeout=10) as client,  # noqa: S501 - loopback
    ):
        yield lab, client


async def refused(url: str) -> None:
    """See a new connection refused: one that is kept alive could still be about to end."""
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=10) as client:  # noqa: S501 - loopback
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for the lab's own clock to bring something about."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_both_formats_answer_over_tls_and_agree() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            api = lab.endpoints.units[M1].api
            answer = await client.post(
                f"{api}/access/set", data={"param": "geopartners", "value": "172.24.1.7,172.24.1.9"}, auth=AUTH
            )
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml")
            v2 = await client.post(f"{api}/accessv2", json={"cmd": "get", "param": "geopartners", **IDENTITY})
            assert v2.json()["geopartners"] == ["172.24.1.7", "172.24.1.9"]
            v1 = await client.get(f"{api}/access/get", params={"param": "geopartners", "apikey": "the-key"})
            assert "<geopartners>172.24.1.7,172.24.1.9</geopartners>" in v1.text
            refused = await client.get(f"{api}/access/get", params={"param": "geopartners"})
            assert (refused.status_code, refused.headers["www-authenticate"][:5]) == (401, "Basic")
            assert (await client.get(f"{api}/access/listclusters", auth=AUTH)).status_code == 404

    run(test)


def test_every_unit_has_a_certificate_of_its_own_which_can_be_pinned_or_trusted() -> None:
    async def test() -> None:
        async with serving() as (lab, _):
            prints = []
            for endpoint in lab.endpoints.units.values():
                port = httpx.URL(endpoint.api).port
                assert port
                pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
                prints.append("sha256:" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest())
                context = ssl.create_default_context(cadata=pem)
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
                async with httpx.AsyncClient(verify=context, trust_env=False) as trusting:
                    assert (await trusting.get(endpoint.api)).status_code == 200
            assert prints == [endpoint.fingerprint for endpoint in lab.endpoints.units.values()]
            assert len(set(prints)) == len(prints)

    run(test)


def test_a_reboot_refuses_connections_fails_over_and_comes_back() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            master, slave = lab.endpoints.units[M1], lab.endpoints.units[S1]
            statuses = [(await client.get(url)).status_code for url in (master.health, slave.health)]
            assert statuses == [200, 503]
            answer = await client.get(f"{master.api}/access/reboot", auth=AUTH)
            assert answer.status_code == 200
            await until(lambda: lab.state()["units"][M1]["power"] == "booting")
            for url in (master.api, master.health):
                await refused(url)
            await until(lambda: lab.state()["units"][S1]["active"])
            assert (await client.get(slave.health)).status_code == 200
            await until(lambda: lab.state()["units"][M1]["active"])
            assert (await client.get(master.health)).status_code == 200
            with pytest.raises(httpx.ConnectError):
                await client.get(lab.endpoints.units[A1].health)

    run(test)


def test_connections_that_are_kept_alive_end_with_their_unit() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            api = lab.endpoints.units[A1].api
            await client.get(api)
            lab.power_off(A1)
            with pytest.raises(httpx.TransportError):
                await client.get(api)
            lab.power_on(A1)
            await until(lambda: lab.state()["units"][A1]["power"] == "up")
            assert (await client.get(api)).status_code == 200

    run(test)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (f"refuse,unit={M1}", httpx.ConnectError),
        ("refuse,command=get", httpx.ReadError),
        ("reset,command=get", httpx.ReadError),
        ("timeout,command=get", httpx.ReadTimeout),
        ("truncate,command=get", httpx.RemoteProtocolError),
    ],
)
def test_faults_act_on_the_transport(fault: str, error: type[Exception]) -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            url = f"{lab.endpoints.units[M1].api}/access/get?param=version"
            lab.inject(fault)
            with pytest.raises(error):
                await client.get(url, auth=AUTH, timeout=httpx.Timeout(10, read=0.3))
            lab.lift_all()
            await until(lambda: lab.simulation.accepts(M1))
            assert (await client.get(url, auth=AUTH)).status_code == 200

    run(test)


def test_a_slow_answer_arrives_unless_its_unit_goes_down_first() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            url = f"{lab.endpoints.units[A1].api}/access/get?param=version"
            number = lab.inject("slow,command=get,seconds=0.05")
            assert (await client.get(url, auth=AUTH)).status_code == 200
            lab.lift(number)
            lab.inject("slow,command=get,seconds=60")
            waiting = asyncio.create_task(client.get(url, auth=AUTH))
            await until(lambda: lab.simulation.faults.met(2) == 1)
            lab.power_off(A1)
            with pytest.raises(httpx.TransportError):
                await waiting

    run(test)


def test_the_rate_limit_ends_tls_without_its_goodbye() -> None:
    async def test() -> None:
        async with serving(rate_limit=1) as (lab, _):
            port = httpx.URL(lab.endpoints.units[M1].api).port
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF

            def ask_twice() -> None:
                for _ in range(2):
                    with (
                        socket.create_connection(("127.0.0.1", port or 0), timeout=10) as plain,
                        context.wrap_socket(plain, suppress_ragged_eofs=False) as tls,
                    ):
                        tls.sendall(b"GET /access/get HTTP/1.1\r\nHost: lab\r\n\r\n")
                        tls.recv(1000)

            with pytest.raises(ssl.SSLError, match=r"(?i)eof"):
                await asyncio.to_thread(ask_twice)

    run(test)


def test_the_control_endpoint_drives_everything() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            control = lab.endpoints.control
            injected = await client.post(f"{control}/faults", content="error,command=get,occurrence=1")
            assert (injected.status_code, injected.json()["number"]) == (201, 1)
            again = await client.post(f"{control}/faults", json={"kind": "slow", "seconds": 1, "unit": M2})
            assert again.json()["fault"] == "slow,unit=172.24.1.8,seconds=1"
            assert (await client.delete(f"{control}/faults/2")).json()["faults"][0]["number"] == 1
            assert (await client.delete(f"{control}/faults")).json() == {"faults": []}

            assert (await client.post(f"{control}/sites/HA Pair 1/fail-over")).status_code == 200
            await until(lambda: lab.state()["units"][S1]["active"])
            assert (await client.post(f"{control}/units/{A1}/power-off")).json()["power"] == "off"
            assert (await client.post(f"{control}/units/{A1}/power-on")).json()["power"] == "booting"
            assert (await client.post(f"{control}/units/{M2}/lose-configuration")).status_code == 200
            assert (await client.post(f"{control}/units/{M2}/reboot")).json()["power"] == "booting"
            state = (await client.get(f"{control}/state")).json()
            assert state["units"][M2]["reboots"] == 1
            assert CREDENTIALS.password not in str(state)

    run(test)


@pytest.mark.parametrize(
    ("request_line", "content", "status", "complaint"),
    [
        ("POST /faults", "explode", 422, "no fault 'explode'"),
        ("POST /faults", "{", 422, "no JSON"),
        ("POST /faults", '{"where": 1}', 422, "no 'where'"),
        ("POST /faults", "reset,unit=10.9.9.9", 422, "no unit 10.9.9.9"),
        ("POST /faults", "reset,unit=somewhere", 422, "no unit somewhere"),
        ("POST /faults", "reset,command=explode", 422, "the command 'explode'"),
        ("DELETE /faults/7", "", 404, "no fault 7"),
        ("DELETE /faults/seven", "", 404, "no /faults/seven"),
        ("POST /sites/Nowhere/fail-over", "", 404, "no HA pair"),
        ("POST /units/10.9.9.9/power-off", "", 404, "no unit"),
        (f"POST /units/{M1}/explode", "", 404, "cannot 'explode'"),
        ("GET /", "", 404, "no / here"),
        ("GET /state/", "", 404, "no /state/ here"),
        ("POST /state", "", 405, "/state takes no POST"),
        ("GET /faults", "", 405, "/faults takes no GET"),
        ("GET /sites/HA Pair 1/fail-over", "", 405, "fail-over takes no GET"),
        ("PUT /faults/1", "", 405, "/faults/1 takes no PUT"),
    ],
)
def test_the_control_endpoint_says_in_json_what_it_refuses(
    request_line: str, content: str, status: int, complaint: str
) -> None:
    method, _, path = request_line.partition(" ")

    async def test() -> None:
        async with serving() as (lab, client):
            answer = await client.request(method, lab.endpoints.control + path, content=content)
            assert answer.status_code == status
            assert complaint in answer.json()["error"]
            assert answer.json()["hint"]
            assert answer.text.endswith("}\n")

    run(test)


def test_what_is_refused_for_its_method_says_which_there_are() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            answer = await client.put(f"{lab.endpoints.control}/faults")
            assert set(answer.headers["allow"].split(", ")) == {"DELETE", "POST"}
            for method in ("DELETE", "POST"):
                assert method in answer.json()["hint"]

    run(test)


def test_a_fault_that_is_not_there_says_which_are() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            url = f"{lab.endpoints.control}/faults/9"
            assert (await client.delete(url)).json()["hint"] == "no fault is set"
            lab.inject("reset")
            lab.inject("ignore")
            assert (await client.delete(url)).json()["hint"] == "those that are set: 1, 2"

    run(test)


def test_every_answer_of_the_control_endpoint_ends_its_line() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            control = lab.endpoints.control
            injected = await client.post(
                f"{control}/faults", content="timeout,unit=172.24.1.9,command=set,occurrence=1"
            )
            assert injected.text == '{"number":1,"fault":"timeout,unit=172.24.1.9,command=set,occurrence=1"}\n'
            assert (await client.post(f"{control}/sites/HA%20Pair%202/fail-over")).text == '{"site":"HA Pair 2"}\n'
            assert (await client.get(f"{control}/state")).text.endswith("}\n")

    run(test)


def test_the_log_tells_what_the_control_endpoint_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            for request_line, content in [
                ("POST /faults", f"slow,unit={M2},seconds=1"),
                ("POST /faults", "explode"),
                ("DELETE /faults/1", ""),
                ("POST /sites/HA%20Pair%201/fail-over", ""),
                (f"POST /units/{A1}/power-off", ""),
                ("POST /units/10.9.9.9/power-off", ""),
                ("POST /sites/two%0Alines/fail-over", ""),
                ("PUT /state", ""),
                ("GET /nothing", ""),
            ]:
                method, _, path = request_line.partition(" ")
                await client.request(method, lab.endpoints.control + path, content=content)

    with caplog.at_level("INFO", "geoplan.lab.requests"):
        run(test)
    assert [record.getMessage() for record in caplog.records] == [
        "control POST /faults -> 201 (fault 1: slow,unit=172.24.1.8,seconds=1)",
        "control POST /faults -> 422 (there is no fault 'explode')",
        "control DELETE /faults/1 -> 200",
        "control POST /sites/HA Pair 1/fail-over -> 200",
        "control POST /units/172.24.1.9/power-off -> 200",
        "control POST /units/10.9.9.9/power-off -> 404 (the lab has no unit 10.9.9.9)",
        "control POST '/sites/two\\nlines/fail-over' -> 404 ('there is no /sites/two\\nlines/fail-over here')",
        "control PUT /state -> 405 (/state takes no PUT)",
        "control GET /nothing -> 404 (there is no /nothing here)",
    ]


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


def test_a_pair_forms_over_tls_by_both_formats_and_its_health_checks_open() -> None:
    async def test() -> None:
        async with serving(unpaired=True) as (lab, client):
            master, slave = lab.endpoints.units[M1], lab.endpoints.units[S1]
            for unit in (master, slave):
                with pytest.raises(httpx.ConnectError):
                    await client.get(unit.health)
            for command, values in (
                ("awshaparam", {"partner": S1, "hcp": "8444"}),
                ("awshamode", {"hamode": "master"}),
            ):
                answer = await client.get(f"{master.api}/access/{command}", params=values, auth=AUTH)
                assert "<Success>" in answer.text
            for content in (
                {"cmd": "setcloudhaparam", "partner": M1, "hcp": 8444},
                {"cmd": "setcloudhamode", "hamode": "second"},
            ):
                assert (await client.post(f"{slave.api}/accessv2", json={**content, **IDENTITY})).status_code == 200
            read = await client.get(f"{slave.api}/access/getawshaparams", auth=AUTH)
            assert f"<Partner>{M1}</Partner><Port>8444</Port></AwsHA>" in read.text
            read = await client.post(f"{master.api}/accessv2", json={"cmd": "getawshaparams", **IDENTITY})
            assert read.json()["AwsHA"]["HaMode"] == "first"
            assert lab.state()["pairs"]["HA Pair 1"]["formed"]
            assert lab.state()["units"][M1]["ha_status"] == "Master Unconnected"
            statuses = [(await client.get(unit.health)).status_code for unit in (master, slave)]
            assert statuses == [200, 503]
            assert lab.state()["units"][S1]["ha_status"] == "Slave (Standby)"

            await client.get(f"{slave.api}/access/awshaparam", params={"hcp": "8445"}, auth=AUTH)
            with pytest.raises(httpx.ConnectError):
                await client.get(slave.health)

    run(test)


def test_the_control_endpoint_upgrades_a_unit() -> None:
    async def test() -> None:
        async with serving(firmware="7.2.48.6") as (lab, client):
            url = f"{lab.endpoints.control}/units/{S1}/upgrade"
            answer = await client.post(url, content="7.2.52.0")
            assert answer.json() == {"unit": S1, "power": "booting"}
            assert (await client.post(url, content="7.2.52.0")).status_code == 422
            await until(lambda: lab.state()["units"][S1]["firmware"] == "7.2.52.0")
            refused = await client.post(url, content="")
            assert (refused.status_code, refused.json()["error"]) == (422, "'' is not a firmware version")
            lab.upgrade(S1, "7.2.48.7")
            await until(lambda: lab.state()["units"][S1]["firmware"] == "7.2.48.7")

    run(test)


def test_the_fixture_starts_unpaired_units_and_upgrades_them(start_lab: StartLab) -> None:
    lab = start_lab(example(), **QUICK, unpaired=True)
    assert {unit["ha_mode"] for unit in lab.state()["units"].values()} == {"single"}
    lab.upgrade(S1, "7.2.52.0")
    assert lab.state()["units"][S1]["power"] == "booting"


@pytest.mark.parametrize("turns", range(8))
def test_connection_made_while_a_unit_goes_down_ends_at_once(turns: int) -> None:
    """However far the loop has come with it: nobody may wait for a unit that is gone until a time-out."""

    async def test() -> None:
        async with serving(boot_seconds=30) as (lab, _client):
            trusting = ssl.create_default_context()
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            port = int(lab.endpoints.units[M1].api.rpartition(":")[2])

            async def connect() -> bytes:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
                try:
                    return await reader.read()
                finally:
                    writer.transport.abort()

            connecting = asyncio.create_task(connect())
            for _ in range(turns):
                await asyncio.sleep(0)
            lab.power_off(M1)
            async with asyncio.timeout(5):
                with suppress(OSError):  # refused, reset or aborted in the handshake
                    assert await connecting == b""

    run(test)


def test_no_answer_waits_for_the_acknowledgement_of_its_own_head() -> None:
    """With Nagle's algorithm every answer came 40 ms late: head and body are two small packets."""

    async def test() -> None:
        async with serving() as (lab, client):
            await client.get(f"{lab.endpoints.units[M1].api}/access/get?param=version", auth=AUTH)
            await client.get(lab.endpoints.units[M1].health or "")
            for port in ("api", "health"):
                (connection,) = lab._listeners[M1, port]._connections.connections
                connected = connection.transport.get_extra_info("socket")
                assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    run(test)
