"""The lab takes only so much, in so much time, and at its control endpoint from programs of this machine alone."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator

import httpx
import pytest

from geoplan.lab.serve import limits, listener
from tests.lab.serve.support import AUTH, IDENTITY, run, serving, until
from tests.lab.support import M1, S1

WITH_PORT = ["127.0.0.1", "localhost", "LocalHost", "[::1]"]


@pytest.mark.parametrize("name", WITH_PORT)
def test_the_control_endpoint_is_this_machine_by_its_names(name: str) -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            url = httpx.URL(lab.endpoints.control)
            local = {"Host": f"{name}:{url.port}", "Origin": f"http://{name}:{url.port}"}
            assert (await client.get(f"{url}/state", headers=local)).status_code == 200

    run(test)


@pytest.mark.parametrize(
    "host",
    ["evil.example:PORT", "127.0.0.1.evil.example:PORT", "127.0.0.1", "localhost", "127.0.0.1:1", "[::2]:PORT",
     "127.0.0.1:PORT@evil.example", "evil.example", "10.0.0.1:PORT", ""],
)  # fmt: skip
def test_by_another_name_nothing_is_read_or_done(host: str) -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            url = httpx.URL(lab.endpoints.control)
            foreign = {"Host": host.replace("PORT", str(url.port))}
            for method, path in (("GET", "/state"), ("POST", f"/units/{M1}/reboot"), ("POST", "/faults")):
                answer = await client.request(method, f"{url}{path}", headers=foreign, content="reset")
                assert answer.status_code == 400
                assert "Host" in answer.json()["error"]
                assert "units" not in answer.json()
            assert lab.state()["units"][M1]["reboots"] == 0
            assert lab.state()["faults"] == []

    run(test)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:PORT"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_no_web_page_of_another_place_does_anything(headers: dict[str, str]) -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            url = httpx.URL(lab.endpoints.control)
            foreign = {name: value.replace("PORT", str(url.port)) for name, value in headers.items()}
            for path in (f"/units/{M1}/reboot", f"/units/{M1}/power-off", "/faults", "/sites/HA%20Pair%201/fail-over"):
                answer = await client.post(f"{url}{path}", headers=foreign, content="reset")
                assert answer.status_code == 403
                assert answer.json()["hint"]
            assert (await client.get(f"{url}/state", headers=foreign)).status_code == 403
            assert {unit["power"] for unit in lab.state()["units"].values()} == {"up"}

    run(test)


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 64 * 1024


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("where", ["control", "api", "api v1", "health"])
def test_a_body_without_end_is_refused_and_not_kept(where: str, announced: bool) -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            unit = lab.endpoints.units[M1]
            url = {
                "control": f"{lab.endpoints.control}/faults",
                "api": f"{unit.api}/accessv2",
                "api v1": f"{unit.api}/access/get",
                "health": f"{unit.health}/",
            }[where]
            headers = {"Content-Length": str(300 * 2**20)} if announced else {}
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            try:
                answer = await client.post(url, content=endless(), headers=headers)
            except httpx.HTTPError:  # it may be closed while the rest is still sent
                pass
            else:
                assert answer.status_code == 413
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
            assert (await client.get(f"{lab.endpoints.control}/state")).status_code == 200

    run(test)


def test_a_body_of_just_the_limit_is_read() -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            content = "x" * limits.MAX_BODY_BYTES
            assert (await client.post(f"{lab.endpoints.control}/faults", content=content)).status_code == 422
            request = {**IDENTITY, "cmd": "get", "param": "version"}
            padding = " " * (limits.MAX_BODY_BYTES - len(json.dumps(request)))
            answer = await client.post(f"{lab.endpoints.units[M1].api}/accessv2", content=json.dumps(request) + padding)
            assert answer.json()["code"] == 200

    run(test)


@pytest.mark.parametrize("length", ["9" * 5000, "1e99", "-1", "0x10", "\u0661".encode().decode("latin-1")])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    async def test() -> None:
        async with serving() as (lab, _client):
            url = httpx.URL(lab.endpoints.control)
            reader, writer = await asyncio.open_connection("127.0.0.1", url.port)
            writer.write(
                f"POST /faults HTTP/1.1\r\nHost: 127.0.0.1:{url.port}\r\nContent-Length: {length}\r\n\r\n".encode(
                    "latin-1"
                )
            )
            assert (await asyncio.wait_for(reader.read(), 20)).startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))
            writer.close()

    run(test)


UNREADABLE: dict[str, str | bytes] = {
    "deep lists": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "deep inside a fault": '{"kind": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "half a character": '{"kind": "\\ud800"}',
    "half a character in a name": '{"\\udfff": 1}',
    "half a character in bytes": b"\xed\xa0\x80",
    "not UTF-8": b"\xff\xfe\x00",
    "a huge number": '{"kind": "slow", "seconds": ' + "9" * 5000 + "}",
    "no number": '{"kind": "slow", "seconds": NaN}',
    "infinite": '{"kind": "slow", "seconds": 1e999}',
    "a list": '{"kind": ["slow"]}',
    "nothing": '{"kind": null}',
    "NUL": '{"kind": "\\u0000"}',
    "raw NUL": "\0",
    "newlines": "reset,unit=\n\n",
    "an object as seconds": '{"kind": "slow", "seconds": {}}',
    "truth as a number": '{"kind": "slow", "seconds": true, "occurrence": false}',
    "many faults": "reset," * 100_000,
}


@pytest.mark.parametrize("what", UNREADABLE)
@pytest.mark.parametrize("path", ["/faults", f"/units/{S1}/upgrade"])
def test_what_cannot_be_read_is_refused_in_words(what: str, path: str) -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            answer = await client.post(lab.endpoints.control + path, content=UNREADABLE[what])
            assert 400 <= answer.status_code < 500
            assert answer.json()["error"]
            assert answer.json()["hint"]
            assert lab.state()["faults"] == []

    run(test)


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"cmd": ' * 100_000, b"\xff", '{"cmd": "\\ud800"}', '{"cmd": "get", "param": 1e999}']
)
def test_a_unit_refuses_what_it_cannot_read(content: str | bytes) -> None:
    async def test() -> None:
        async with serving() as (lab, client):
            for body in (content, json.dumps(IDENTITY)[:-1].encode() + b", " + json.dumps("x").encode() + b": 1}"):
                answer = await client.post(f"{lab.endpoints.units[M1].api}/accessv2", content=body)
                assert 400 <= answer.status_code < 500
                assert answer.json()["status"] == "fail"

    run(test)


def test_a_client_that_never_ends_its_head_or_body_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)

    async def test() -> None:
        async with serving() as (lab, _client):
            port = httpx.URL(lab.endpoints.control).port
            head = f"POST /faults HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            whole = f"GET /state HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
            for sent, answered in (
                ("", b""),
                (head, b""),
                (whole + head, b"HTTP/1.1 200"),
                (f"{head}Content-Length: 9\r\n\r\nres", b"HTTP/1.1 408"),
            ):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent.encode())
                received = await asyncio.wait_for(reader.read(), 20)
                assert received.startswith(answered)
                assert bool(received) == bool(answered)
                writer.close()
            await until(lambda: lab.state()["faults"] == [])

    run(test)


# -- an image, which is no request of the usual size -----------------------------------------------------------------


def test_an_image_is_counted_and_not_kept() -> None:
    size, part = 48 * 2**20, bytes(2**16)

    async def image() -> AsyncIterator[bytes]:
        for _ in range(size // len(part)):
            yield part

    async def test() -> None:
        async with serving() as (lab, client):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            answer = await client.post(
                f"{lab.endpoints.units[S1].api}/access/installpatch",
                auth=AUTH,
                headers={"Content-Disposition": 'attachment; filename="7.2.60.1.bin"'},
                content=image(),
            )
            assert answer.status_code == 200, answer.text
            assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024 < size / 2

    run(test)
