"""The units over real sockets and TLS: what crosses a network."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from contextlib import suppress

import httpx
import pytest

from tests.lab.serve.support import AUTH, IDENTITY, refused, run, serving, until
from tests.lab.support import A1, M1, S1


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
            assert read.json()["AwsHA"]["HaMode"] == "master"
            assert lab.state()["pairs"]["HA Pair 1"]["formed"]
            assert lab.state()["units"][M1]["ha_status"] == "Master Unconnected"
            statuses = [(await client.get(unit.health)).status_code for unit in (master, slave)]
            assert statuses == [200, 503]
            assert lab.state()["units"][S1]["ha_status"] == "Slave (Standby)"

            await client.get(f"{slave.api}/access/awshaparam", params={"hcp": "8445"}, auth=AUTH)
            with pytest.raises(httpx.ConnectError):
                await client.get(slave.health)

    run(test)


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
