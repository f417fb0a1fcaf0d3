"""What one call tells of a unit, and who the unit says it is."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from geoplan.errors import UnitRefusedError, UnitUnreachableError
from geoplan.loadmaster.model import HaStatus, UnitSettings
from tests.loadmaster.support import ScriptedUnit, ok, refused

WORDS = [
    ("Active", HaStatus.ACTIVE),
    ("standby", HaStatus.STANDBY),
    ("Passive", HaStatus.PASSIVE),
    ("HA not configured", HaStatus.NOT_CONFIGURED),
    ("Master (Active)", None),
    ("", None),
]


@pytest.mark.parametrize(("word", "status"), WORDS)
def test_a_unit_says_who_it_is_and_an_unknown_word_is_not_told(word: str, status: HaStatus | None) -> None:
    unit = ScriptedUnit()
    unit.parameters["hastatus"] = word
    assert unit.use(lambda client: client.ha_status()) is status


@pytest.mark.parametrize(
    ("since", "status"),
    [
        (0, HaStatus.STANDBY), ("0", HaStatus.STANDBY), (1767225600, HaStatus.ACTIVE), ("3600", HaStatus.ACTIVE),
        ("", None), ("Thu Jan 1", None), (-1, None), (True, None),
    ],
)  # fmt: skip
def test_since_when_it_is_active_tells_where_it_does_not_know_who_it_is(since: Any, status: HaStatus | None) -> None:
    unit = ScriptedUnit()
    unit.plan("get:hastatus", refused("Unknown parameter"))
    unit.parameters["activetime"] = since
    assert unit.use(lambda client: client.ha_status()) is status


def test_a_unit_that_refuses_both_has_refused_and_told_nothing() -> None:
    unit = ScriptedUnit()
    unit.plan("get:hastatus", refused("Unknown parameter"))
    unit.plan("get:activetime", refused("Unknown parameter"))
    with pytest.raises(UnitRefusedError):
        unit.use(lambda client: client.ha_status())


def test_in_a_look_it_is_asked_once() -> None:
    unit = ScriptedUnit()
    unit.plan("get:hastatus", *[httpx.ReadTimeout("late")] * 3)

    async def ask(client: Any) -> None:
        await client.firmware()
        await client.ha_status(once=True)

    with pytest.raises(UnitUnreachableError):
        unit.use(ask)
    assert unit.sent("get:hastatus") == 1
    assert unit.clock.pauses == []


def test_one_call_tells_what_is_set() -> None:
    unit = ScriptedUnit()
    told = ok(
        version="7.2.59.4", boottime=1767225600, sshaccess="yes", hastatus="Standby", activetime=0,
        geopartners=["10.0.0.1", "10.0.0.2"], geoclients="10.0.0.1 10.0.0.3",
        hostname="lb-dublin-1",
    )  # fmt: skip
    unit.plan("getall", told)
    settings = unit.use(lambda client: client.settings())
    assert settings == UnitSettings(
        "7.2.59.4",
        "1767225600",
        True,
        ("10.0.0.1", "10.0.0.3"),
        ("10.0.0.1", "10.0.0.2"),
        HaStatus.STANDBY,
        "lb-dublin-1",
    )


@pytest.mark.parametrize("lists", [{}, {"geopartners": "", "geoclients": []}, {"geopartners": "unset"}])
def test_list_that_one_call_leaves_out_is_not_told_and_never_empty(lists: dict[str, Any]) -> None:
    unit = ScriptedUnit()
    unit.plan("getall", ok(version="7.2.59.4", **lists))
    settings = unit.use(lambda client: client.settings())
    assert settings is not None
    assert (settings.geo_partners, settings.remote_geo_access, settings.ssh_access) == (None, None, None)


@pytest.mark.parametrize(
    "answer", [refused("Unknown command", 405), refused("no", 403), httpx.Response(200, html="<html></html>")]
)
def test_unit_that_does_not_answer_that_call_tells_nothing_by_it(answer: httpx.Response) -> None:
    unit = ScriptedUnit()
    unit.plan("getall", answer)
    assert unit.use(lambda client: client.settings()) is None
