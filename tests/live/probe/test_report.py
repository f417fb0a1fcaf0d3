"""What a unit confirms and contradicts, and the report that its user can send."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from itertools import product

import httpx
import pytest

from geoplan import vendor
from geoplan.errors import AuthenticationError, NotAskedError
from geoplan.lab.clock import SimulatedClock
from geoplan.lab.variants import Variant
from geoplan.live.probe.answers import ask_unit
from geoplan.live.probe.checks import CHECKS, CHECKS_AMONG_UNITS
from geoplan.live.probe.report import NOT_READ, Reading, readings, report
from geoplan.loadmaster import LoadMaster, Secret, UserPassword, connected
from geoplan.loadmaster.pace import OWN_CALLS
from geoplan.twin.transport import Sent, Watcher
from geoplan.vendor import CALLS_WINDOW_SECONDS
from tests.live.probe.probed import (
    ALONE,
    MASTER,
    NAMES,
    PASSWORD,
    SLAVE,
    UNITS,
    USER,
    LabClock,
    access_to,
    probe,
    probe_all,
    simulated,
)

CHANGES = ("set", "add", "mod", "del", "reboot", "restore", "install", "enable", "disable", "aws", "clust", "azure")


class Log(Watcher):
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []

    def left(self, sent: Sent) -> None:
        self.sent.append(sent)

    def ended(self, sent: Sent, response: httpx.Response | None) -> None:
        pass


@pytest.mark.parametrize("address", [MASTER, SLAVE, ALONE])
def test_probe_confirms_what_a_lab_as_usual_shows(address: str) -> None:
    told = readings(probe(simulated(), address))
    assert {each.fact.name: each.seen for each in told if each.verdict == "contradicts"} == {}
    confirmed = {each.fact.name for each in told if each.verdict == "confirms"}
    assert {"API_FORMATS", "GETALL", "LIST_FORM", "HA_STATUS", "PARTNER_STATUS"} <= confirmed
    assert ("ACTIVE_CODE" in confirmed, "STANDBY_CODE" in confirmed) == (address == MASTER, address == SLAVE)


def test_every_unconfirmed_fact_is_checked_or_says_what_alone_can_show_it() -> None:
    facts = {fact.name: fact for fact in vendor.FACTS}
    checked = {check.fact for check in (*CHECKS, *CHECKS_AMONG_UNITS)}
    assert checked <= set(facts)
    asked = {name for name, fact in facts.items() if not fact.confirmed and fact.meaning != vendor.WUI}
    assert asked - checked == {fact.name for fact in NOT_READ}


def named(variants: list[Variant]) -> set[str]:
    """Return the facts that three units contradict, or seem to, in one of the states in which they may be found."""
    labs = [(simulated(variants=variants, empty=empty), with_key) for empty, with_key in product(*[(False, True)] * 2)]
    answers = [probe_all(lab, with_key=with_key) for lab, with_key in labs]
    told = [each for units in answers for unit in units for each in readings(unit, units)]
    return {each.fact.name for each in told if each.verdict in ("contradicts", "may contradict")}


def test_units_as_usual_contradict_nothing() -> None:
    assert named([]) == set()


@pytest.mark.parametrize("variant", Variant, ids=str)
def test_probe_names_what_a_variant_denies_or_says_that_no_read_can(variant: Variant) -> None:
    if variant.fact in (fact.name for fact in NOT_READ):
        units = [probe(simulated(variants=[variant]), ALONE)]
        assert variant.fact in {each["fact"] for each in report(units)["no_read_can_show"]}
    else:
        assert variant.fact in named([variant])


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        (("Dublin_Köln", "Athlone"), "may contradict"),
        (("x" * 20, "Athlone"), "may contradict"),
        (("Dublin Köln", "Athlone_2"), "confirms"),
        (("x" * 20, "x" * 21), "does not show"),
        (("Dublin", "Athlone"), "does not show"),
    ],
)
def test_name_that_looks_rewritten_is_no_contradiction(names: tuple[str, str], seen: str) -> None:
    unit = probe(simulated(names=names), ALONE)
    assert next(each.verdict for each in readings(unit) if each.fact.name == "CLUSTER_NAMES") == seen


def test_standby_that_is_red_shows_nothing_where_its_active_unit_is_red_as_well() -> None:
    lab = simulated(variants=[Variant.STANDBYS_RED])
    lab.lose_configuration(MASTER)
    units = probe_all(lab)
    shown = [each.seen for unit in units for each in readings(unit, units) if each.fact.name == "STANDBY_AS_PARTNER"]
    assert set(shown) == {None}


def test_what_nobody_knows_yet_is_added() -> None:
    fact = vendor.FACTS[0]._replace(value=vendor.UNKNOWN)
    assert [Reading(fact, seen).verdict for seen in (None, "commas")] == ["does not show", "adds"]


@pytest.mark.parametrize("address", [MASTER, SLAVE, ALONE])
def test_report_names_nobody(address: str) -> None:
    lab = simulated()
    told = json.dumps(report([probe(lab, address)], known_names=[USER]), ensure_ascii=False)
    names = [word for name in NAMES for word in name.split() if len(word) > 2]
    for private in (MASTER, SLAVE, ALONE, "10.11", USER, PASSWORD, *names):
        assert private.lower() not in told.lower()
    assert '"firmware": "7.2.59.4"' in told


def test_probe_only_reads() -> None:
    log = Log()
    probe(simulated(), MASTER, watcher=log)
    commands = {sent.call.command for sent in log.sent if sent.call}
    assert len(commands) > 10
    assert not [name for name in commands if name.startswith(CHANGES)]


def test_unit_that_is_down_is_no_fault_of_geoplan() -> None:
    lab = simulated()
    lab.power_off(MASTER)
    unit = probe(lab, MASTER)
    assert {raw.outcome for raw in unit.raw.values()} == {"unreachable"}
    assert all(each.seen is None for each in readings(unit))


def test_old_firmware_shows_one_format() -> None:
    unit = probe(simulated(firmware="7.2.48.3"), ALONE)
    assert unit.formats == ("APIv1",)
    shown = {each.fact.name: each for each in readings(unit)}
    assert shown["API_FORMATS"].verdict == "does not show", "it cannot have the other"


class Refusing(httpx.AsyncBaseTransport):
    """A unit that takes a login once, and never again; ``basic`` says that it asks for HTTP Basic at APIv2."""

    def __init__(self, *, taken: int, basic: bool) -> None:
        self.asked: list[str] = []
        self._taken = taken
        self._headers = {"WWW-Authenticate": "Basic"} if basic else {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "http":
            return httpx.Response(200)
        self.asked.append(request.url.path)
        if len(self.asked) <= self._taken:
            return httpx.Response(200, json={"code": 200, "status": "ok", "version": "7.2.59.4"})
        headers = self._headers if request.url.path == "/accessv2" else {}
        return httpx.Response(401, headers=headers, text="no")


@pytest.mark.parametrize(
    ("taken", "basic", "asked"),
    [(0, False, ["/accessv2"]), (0, True, ["/accessv2", "/access/get"]), (1, False, ["/accessv2", "/accessv2"])],
)
def test_refused_credentials_are_not_tried_again(*, taken: int, basic: bool, asked: list[str]) -> None:
    unit = Refusing(taken=taken, basic=basic)

    async def ask() -> None:
        async with LoadMaster(access_to(ALONE), transport=unit, clock=LabClock(SimulatedClock())) as client:
            await ask_unit(client)

    asyncio.run(ask())
    assert unit.asked == asked


@pytest.mark.parametrize(("basic", "asked"), [(False, 1), (True, 2)])
def test_other_addresses_are_not_asked_with_a_password_that_one_refuses(*, basic: bool, asked: int) -> None:
    units = {address: Refusing(taken=0, basic=basic) for address in UNITS}

    async def ask() -> list[type[Exception]]:
        accesses = {address: access_to(address) for address in UNITS}
        failed: list[type[Exception]] = []
        async with connected(accesses, LabClock(SimulatedClock()), transport_of=units.__getitem__) as clients:
            for client in clients.values():
                try:
                    await ask_unit(client)
                except AuthenticationError as error:
                    failed.append(type(error))
        return failed

    assert asyncio.run(ask()) == [NotAskedError] * 2
    assert [len(unit.asked) for unit in units.values()] == [asked, 0, 0]


def test_probe_keeps_the_pace_of_every_other_command() -> None:
    clock = SimulatedClock()
    moments: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        moments.append(clock.now())
        return httpx.Response(200, json={"code": 200, "status": "ok", "version": "7.2.59.4"})

    async def ask() -> None:
        async with LoadMaster(access_to(ALONE), transport=httpx.MockTransport(answer), clock=LabClock(clock)) as unit:
            await ask_unit(unit)

    asyncio.run(ask())
    assert max(sum(0 <= moment - first < CALLS_WINDOW_SECONDS for moment in moments) for first in moments) <= OWN_CALLS


PRIVATE = ("hunter2secret", "acmeberlin", "AcmeBank", "172.24.1.5", "zurich")


@pytest.mark.parametrize(
    "content",
    [
        {"hunter2secret": "x", "Partner": [{"acmeberlin": "green"}]},
        {"partnerstatus": ["acmeberlin", "acmeberlin: up"], "zurichbank_vip": 1, "ip_172_24_1_5": {"a": 1}},
        {"model": "AcmeBank", "moderator": "AcmeBank", "linkedin": "acmeberlin", "synchost": "acmeberlin"},
        {"version": "LM at 172.24.1.5, here", "sshkey": {"mode": "hunter2secret"}, "hamode": "hunter2secret"},
    ],
)
def test_report_holds_nothing_of_anybody_in_whatever_field(content: dict[str, object]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"code": 200, "status": "ok", **content})

    async def ask() -> str:
        access = replace(access_to(ALONE), credentials=UserPassword(USER, Secret("hunter2secret")))
        transport, clock = httpx.MockTransport(answer), LabClock(SimulatedClock())
        async with LoadMaster(access, transport=transport, clock=clock) as unit:
            return json.dumps(report([await ask_unit(unit)], known_names=[USER]))

    told = asyncio.run(ask())
    assert [private for private in PRIVATE if private.lower() in told.lower()] == []
