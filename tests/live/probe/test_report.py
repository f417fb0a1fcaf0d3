"""What a unit confirms and contradicts, and the report that its user can send."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from itertools import product

import httpx
import pytest

from geoplan import vendor
from geoplan.lab.clock import SimulatedClock
from geoplan.lab.variants import Variant
from geoplan.live.probe.answers import ask_unit
from geoplan.live.probe.checks import CHECKS
from geoplan.live.probe.report import Reading, readings, report
from geoplan.loadmaster import Secret, UserPassword
from geoplan.loadmaster.raw import RawUnit
from tests.live.probe.probed import ALONE, MASTER, NAMES, PASSWORD, SLAVE, USER, LabClock, access_to, probe, simulated
from tests.simulation.transport import Sent, Watcher

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


# What no read of one unit shows: whether a name had blanks once, it does not say, and geoplan sends no long URL.
NOT_SHOWN = {
    "API_KEY_PLACE", "CLUSTER_NAMES", "HA_MODES_TAKEN", "LINKS_NEED_ACCESS", "MAPS_OF_DELETED_CLUSTERS", "MAX_QUERY",
    "SET_PARAMETER", "STANDBY_AS_PARTNER",
}  # fmt: skip


def test_every_way_of_answering_is_checked_unless_a_read_cannot_show_it() -> None:
    known = {fact.name for fact in vendor.FACTS}
    checked = {check.fact for check in CHECKS}
    assert checked <= known
    answers = {fact.name for fact in vendor.FACTS if fact.held_by == "test_a_lab_as_usual_takes_the_side_of_the_ledger"}
    assert answers - checked == NOT_SHOWN - {"CLUSTER_NAMES", "MAX_QUERY"}


@pytest.mark.parametrize("variant", [variant for variant in Variant if variant.fact not in NOT_SHOWN], ids=str)
def test_probe_names_what_a_variant_denies(variant: Variant) -> None:
    labs = [simulated(variants=[variant], empty=empty) for empty in (False, True)]
    denied = {
        each.fact.name
        for lab, address in product(labs, (MASTER, SLAVE, ALONE))
        for each in readings(probe(lab, address))
        if each.verdict == "contradicts"
    }
    assert variant.fact in denied


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
        async with RawUnit(access_to(ALONE), transport=unit) as raw:
            await ask_unit(raw, LabClock(SimulatedClock()))

    asyncio.run(ask())
    assert unit.asked == asked


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
        async with RawUnit(access, transport=httpx.MockTransport(answer)) as raw:
            return json.dumps(report([await ask_unit(raw, LabClock(SimulatedClock()))], known_names=[USER]))

    told = asyncio.run(ask())
    assert [private for private in PRIVATE if private.lower() in told.lower()] == []
