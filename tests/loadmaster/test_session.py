"""Retries, reading back and the first request, against a scripted unit and a clock that never waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from geoplan.errors import (
    AuthenticationError,
    UnclearOutcomeError,
    UnitError,
    UnitRefusedError,
    UnitUnreachableError,
    UnusableAnswerError,
)
from geoplan.loadmaster import LoadMaster, Retries
from tests.loadmaster.support import UNIT, ScriptedUnit, access, ok, refused, run

LIST = ("10.0.0.1", "10.0.0.2")
SET = {"cmd": "set", "param": "geopartners", "value": ",".join(LIST)}

LOGIN_PAGE = httpx.Response(200, text="<html>login</html>")  # it does not go away by itself
LOST: list[Exception | httpx.Response] = [
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("closed"),
    httpx.ReadTimeout("silence"),
    httpx.WriteError("reset"),
    httpx.Response(500, text="oops"),
    LOGIN_PAGE,
    httpx.Response(200, text='{"code": 200, "stat'),
    httpx.Response(200, json={"code": 503, "message": "busy"}),
]
NOT_SENT: list[Exception] = [httpx.ConnectError("refused"), httpx.ConnectTimeout("silence"), httpx.PoolTimeout("full")]


def set_list(unit: LoadMaster) -> Awaitable[None]:
    return unit.set_geo_partners(LIST)


@pytest.mark.parametrize("failure", [each for each in (*LOST, *NOT_SENT) if each is not LOGIN_PAGE], ids=repr)
def test_reads_are_retried_with_growing_pauses(failure: Any) -> None:
    unit = ScriptedUnit()
    unit.plan("get:geopartners", failure, failure, failure)
    assert unit.use(lambda client: client.geo_partners()) == ()
    assert unit.clock.pauses == pytest.approx([0.4, 0.8, 1.6])


def test_pauses_are_shortened_by_chance_and_bounded() -> None:
    retries = Retries(first_pause=1, growth=3, longest_pause=5)
    assert [retries.pause(attempt, 1.0) for attempt in range(4)] == [1, 3, 5, 5]
    assert [retries.pause(attempt, 0.0) for attempt in range(4)] == [0.5, 1.5, 2.5, 2.5]


def test_a_read_gives_up_and_names_the_unit() -> None:
    unit = ScriptedUnit()
    unit.plan("get:geopartners", *[httpx.ConnectError("refused")] * 9)
    with pytest.raises(UnitUnreachableError, match=UNIT) as caught:
        unit.use(lambda client: client.geo_partners())
    assert not caught.value.request_sent
    assert unit.sent("get:geopartners") == 5


def test_a_read_gives_up_when_patience_ends_before_the_attempts_do() -> None:
    unit = ScriptedUnit()
    unit.plan("get:geopartners", *[httpx.ConnectError("refused")] * 99)
    with pytest.raises(UnitUnreachableError):
        unit.use(lambda client: client.geo_partners(), retries=Retries(attempts=99, first_pause=20, patience=25))
    assert unit.sent("get:geopartners") == 4  # pauses of 10 s: at 10, 20 and 30 s


@pytest.mark.parametrize("code", [400, 403, 422])
def test_a_refusal_is_not_retried(code: int) -> None:
    unit = ScriptedUnit()
    unit.plan("get:geopartners", refused("Unknown parameter", code))
    with pytest.raises(UnitRefusedError, match=r"refuses 'get' with .*Unknown parameter") as caught:
        unit.use(lambda client: client.geo_partners())
    assert (caught.value.code, caught.value.answer) == (code, "Unknown parameter")
    assert unit.sent("get:geopartners") == 1


@pytest.mark.parametrize("failure", LOST, ids=repr)
def test_a_change_that_arrived_is_not_sent_again(failure: Any) -> None:
    unit = ScriptedUnit()
    unit.plan("set:geopartners", unit.after(failure, SET))
    unit.use(set_list)
    assert unit.sent("set:geopartners") == 1
    assert unit.sent("get:geopartners") == 1


@pytest.mark.parametrize("failure", LOST, ids=repr)
def test_a_change_that_did_not_arrive_is_sent_again(failure: Any) -> None:
    unit = ScriptedUnit()
    unit.plan("set:geopartners", failure)
    unit.use(set_list)
    assert unit.parameters["geopartners"] == "10.0.0.1,10.0.0.2"
    assert unit.requests[1:] == ["set:geopartners", "get:geopartners", "set:geopartners"]


@pytest.mark.parametrize("failure", NOT_SENT, ids=repr)
def test_a_change_that_was_never_sent_needs_no_reading_back(failure: Exception) -> None:
    unit = ScriptedUnit()
    unit.plan("set:geopartners", failure)
    unit.use(set_list)
    assert unit.requests[1:] == ["set:geopartners", "set:geopartners"]


@pytest.mark.parametrize("failure", LOST, ids=repr)
def test_a_change_is_unclear_where_reading_back_fails(failure: Any) -> None:
    unit = ScriptedUnit()
    unit.plan("set:geopartners", failure)
    unit.plan("get:geopartners", *[httpx.ConnectError("refused")] * 9)
    with pytest.raises(UnclearOutcomeError, match="'set' was sent and may or may not have been carried out"):
        unit.use(set_list)
    assert unit.sent("set:geopartners") == 1


@pytest.mark.parametrize("answer", [ok(), ok(geopartners={"a": "b"}), refused("not active")], ids=repr)
def test_an_answer_that_cannot_be_read_back_never_leads_to_a_blind_repetition(answer: httpx.Response) -> None:
    unit = ScriptedUnit()
    unit.plan("set:geopartners", unit.after(httpx.ReadError("reset"), SET))
    unit.plan("get:geopartners", answer, answer)
    try:
        unit.use(set_list)
    except UnclearOutcomeError:
        assert unit.sent("set:geopartners") == 1
    assert unit.parameters["geopartners"] == "10.0.0.1,10.0.0.2"


def test_a_change_that_never_arrives_is_given_up_as_not_carried_out() -> None:
    unit = ScriptedUnit()
    unit.plan("set:geopartners", *[httpx.ReadError("reset")] * 9)
    with pytest.raises(UnitUnreachableError):
        unit.use(set_list)
    assert unit.sent("set:geopartners") == 5
    assert unit.parameters["geopartners"] == ""


@pytest.mark.parametrize("act", [lambda unit: unit.reboot(), lambda unit: unit.resubmit_geo_partners(LIST)])
@pytest.mark.parametrize("failure", LOST, ids=repr)
def test_what_nothing_tells_is_unclear_at_once(act: Callable[[LoadMaster], Awaitable[None]], failure: Any) -> None:
    unit = ScriptedUnit()
    unit.plan("reboot", failure)
    unit.plan("set:geopartners", failure)
    with pytest.raises(UnclearOutcomeError):
        unit.use(act)
    assert unit.sent("reboot", "set:geopartners") == 1
    assert unit.clock.pauses == []


@pytest.mark.parametrize("failure", NOT_SENT, ids=repr)
@pytest.mark.parametrize(
    "act",
    [
        lambda unit: unit.reboot(),
        lambda unit: unit.resubmit_geo_partners(LIST),
        lambda unit: unit.set_ha_mode("master"),
    ],
    ids=["reboot", "submission", "mode"],
)
def test_what_cannot_be_taken_back_is_sent_once_even_where_nothing_was_sent(
    act: Callable[[LoadMaster], Awaitable[None]], failure: Exception
) -> None:
    unit = ScriptedUnit()
    for command in ("reboot", "set:geopartners", "awshamode"):
        unit.plan(command, failure)
    unit.plan("getawshaparams", ok(AwsHA={"HaMode": "single"}))
    with pytest.raises(UnitUnreachableError) as caught:
        unit.use(act)
    assert not caught.value.request_sent
    assert unit.sent("reboot", "set:geopartners", "awshamode") == 1
    assert unit.clock.pauses == []


@pytest.mark.parametrize("failure", [*LOST, *NOT_SENT], ids=repr)
def test_no_change_is_sent_twice_where_each_wants_a_look(failure: Any) -> None:
    unit = ScriptedUnit()
    unit.plan("set:geopartners", failure)
    with pytest.raises(UnitError):
        unit.use(set_list, changes_once=True)
    assert unit.sent("set:geopartners") == 1


def test_a_cluster_that_arrives_late_is_not_an_error() -> None:
    """The first attempt times out, is not there when read back, and has arrived when the second is refused."""
    unit = ScriptedUnit()
    add = {"cmd": "addcluster", "ip": UNIT, "name": "Dublin"}

    def arrived() -> httpx.Response:
        unit.carry_out(add)
        return unit.carry_out(add)

    unit.plan("addcluster", httpx.ReadTimeout("silence"), arrived)
    unit.use(lambda client: client.add_remote_lm_cluster("Dublin", UNIT))
    assert unit.clusters[UNIT]["Type"] == "remoteLM"
    assert unit.sent("addcluster") == 2


def test_a_location_that_cannot_be_read_back_is_unclear() -> None:
    unit = ScriptedUnit()
    unit.clusters[UNIT] = {"IPAddress": UNIT, "Name": "Dublin", "Type": "remoteLM"}
    unit.plan("clustchangeloc", httpx.ReadError("reset"))
    with pytest.raises(UnclearOutcomeError, match="does not say where"):
        unit.use(lambda client: client.set_cluster_location(UNIT, 53.35, -6.26))


@pytest.mark.parametrize(("degrees", "seconds"), [(43.3442, 156039), (-6.2675, -22563), (0.0001, 0), (-90.0, -324000)])
def test_degrees_are_rounded_to_seconds_of_arc(degrees: float, seconds: int) -> None:
    unit = ScriptedUnit()
    shown: list[Any] = []
    unit.use(lambda client: client.set_cluster_location(UNIT, degrees, 0), observer=shown.append, dry_run=True)
    assert f'"latsecs": {seconds}, "longsecs": 0' in shown[-1].body


def test_one_request_authenticates_before_any_other_is_sent() -> None:
    unit = ScriptedUnit()
    under_way = most = 0
    authenticated = asyncio.Event()

    async def answer(http: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        if not authenticated.is_set():
            most = max(most, under_way)
        await asyncio.sleep(0)
        response = unit._answer(http)
        authenticated.set()
        under_way -= 1
        return response

    async def act() -> None:
        async with LoadMaster(access(), transport=httpx.MockTransport(answer), clock=unit.clock) as client:
            await asyncio.gather(*(client.geo_partners() for _ in range(20)))

    run(act())
    assert most == 1
    assert unit.requests[0] == "get:version"


def test_callers_that_waited_for_a_failed_first_request_do_not_repeat_it() -> None:
    unit = ScriptedUnit()
    unit.plan("get:version", *[httpx.ConnectError("refused")] * 99)

    async def act(client: LoadMaster) -> None:
        failures = await asyncio.gather(*(client.geo_partners() for _ in range(20)), return_exceptions=True)
        assert {type(failure) for failure in failures} == {UnitUnreachableError}

    unit.use(act, retries=Retries(attempts=3))
    assert unit.sent("get:version") == 3


def test_a_unit_that_comes_back_is_asked_again() -> None:
    unit = ScriptedUnit()
    unit.plan("get:version", httpx.ConnectError("refused"))

    async def act(client: LoadMaster) -> None:
        with pytest.raises(UnitUnreachableError):
            await client.geo_partners()
        assert await client.geo_partners() == ()

    unit.use(act, retries=Retries(attempts=1))


@pytest.mark.parametrize("answer", [httpx.Response(401, text="no"), refused("no", 401), ok(code=401)], ids=repr)
def test_a_401_ends_all_requests_to_that_unit(answer: httpx.Response) -> None:
    unit = ScriptedUnit()
    unit.plan("get:geopartners", answer)

    async def act(client: LoadMaster) -> None:
        for _ in range(3):
            with pytest.raises(AuthenticationError):
                await client.geo_partners()

    unit.use(act)
    assert unit.requests == ["get:version", "get:geopartners"]


@pytest.mark.parametrize("missing", [httpx.Response(404, text="<html>"), httpx.Response(200, text="<html>"),
                                     httpx.Response(302, text=""), httpx.Response(501, text=""),
                                     refused("Session Management is off", 400)], ids=repr)  # fmt: skip
def test_without_apiv2_the_client_falls_back_once(missing: httpx.Response) -> None:
    paths: list[str] = []

    def answer(http: httpx.Request) -> httpx.Response:
        paths.append(http.url.path)
        if http.url.path == "/accessv2":
            return missing
        parameter = http.url.params["param"]
        data = f"<Data><{parameter}>1</{parameter}></Data>"
        return httpx.Response(200, text=f'<Response stat="200" code="ok"><Success>{data}</Success></Response>')

    async def act() -> None:
        async with LoadMaster(access(api_version=None), transport=httpx.MockTransport(answer)) as client:
            for _ in range(2):
                assert await client.firmware() == "1"

    run(act())
    assert paths == ["/accessv2", "/access/get", "/access/get", "/access/get"]


def test_an_overloaded_apiv2_is_no_reason_to_fall_back() -> None:
    unit = ScriptedUnit()
    unit.plan("get:version", *[httpx.Response(503, text="busy")] * 9)

    async def act() -> None:
        async with LoadMaster(
            access(api_version=None), transport=httpx.MockTransport(unit._answer), clock=unit.clock
        ) as client:
            with pytest.raises(UnusableAnswerError):
                await client.firmware()

    run(act())
    assert set(unit.requests) == {"get:version"}


def test_no_more_than_four_requests_are_under_way_and_waiting_for_a_turn_is_no_timeout() -> None:
    unit = ScriptedUnit()
    under_way: list[int] = [0]
    most = 0

    async def answer(http: httpx.Request) -> httpx.Response:
        nonlocal most
        under_way[0] += 1
        most = max(most, under_way[0])
        for _ in range(5):
            await asyncio.sleep(0)
        under_way[0] -= 1
        return unit._answer(http)

    async def act() -> None:
        async with LoadMaster(access(), transport=httpx.MockTransport(answer), clock=unit.clock) as client:
            await asyncio.gather(*(client.geo_partners() for _ in range(20)))

    run(act())
    assert most == 4


def test_an_endless_answer_is_cut_off() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            while True:
                yield b" " * 2**20

    unit = ScriptedUnit()
    unit.plan("get:geopartners", httpx.Response(200, stream=Endless()))
    with pytest.raises(UnusableAnswerError, match="larger than 8 MiB"):
        unit.use(lambda client: client.geo_partners())


def test_every_error_says_what_to_do_next() -> None:
    failures = [*LOST, *NOT_SENT, refused("no"), refused("no", 401)]
    for failure in failures:
        unit = ScriptedUnit()
        unit.plan("get:geopartners", *[failure] * 9)
        with pytest.raises(UnitError) as caught:
            unit.use(lambda client: client.geo_partners())
        assert caught.value.hint
        assert caught.value.unit == UNIT
