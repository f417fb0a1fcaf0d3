"""The control endpoint: every verb, and what it says of what it refuses."""

from __future__ import annotations

import pytest

from tests.lab.serve.support import run, serving, until
from tests.lab.support import A1, CREDENTIALS, M1, M2, S1


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
        ("POST /faults", "{", 400, "no JSON"),
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
