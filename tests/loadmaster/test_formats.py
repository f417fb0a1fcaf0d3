"""Which of the two formats a unit is spoken to in, and how often it is shown the same credentials for that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from geoplan.errors import AuthenticationError, GeoplanError, UnusableAnswerError
from geoplan.live.model import failure_of
from geoplan.loadmaster import ApiKey, LoadMaster, Secret
from tests.loadmaster.answering import Answer, Answering, Heard, Said, answering, js, js_refusal, xml, xml_refusal
from tests.loadmaster.support import KEY

BASIC = 'Basic realm="LoadMaster"'
WRONG = xml_refusal("Unauthorized", 401, WWW_Authenticate=BASIC)

# What a unit on which APIv2 is closed answers there: what it asks for, or what it says.
CLOSED = [
    Said(b"", 401, {"WWW-Authenticate": BASIC}),
    Said(b"<html>Unauthorized</html>", 401, {"WWW-Authenticate": f"Negotiate, {BASIC}"}),
    js_refusal("Session Management is not enabled", 401),
    js_refusal("Session Management is not enabled", 401, status=200),
    Said(b"<html>Enable session management first</html>", 401),
    js_refusal("Session Management must be enabled", 400),
    xml_refusal("Session Management must be enabled", 401),
]
# What a unit answers that looked at the credentials and did not like them.
REFUSED = [
    js_refusal("Unauthorized", 401),
    js_refusal("Invalid credentials", 401, status=200),
    Said(b"<html>Unauthorized</html>", 401),
    Said(b"", 401, {"WWW-Authenticate": "Bearer"}),
]


def unit_with(v2: Said, v1: Said | None = None) -> Answer:
    return lambda heard: v2 if heard.is_v2 else v1 or xml("<version>7.2.59.4</version>")


def ask(answer: Answer, **options: Any) -> tuple[Any, bool, Answering]:
    """Ask for the firmware twice; return the answer or failure, whether APIv2 is closed, and the unit."""
    options.setdefault("api_version", None)

    async def attempt(client: LoadMaster) -> Any:
        try:
            return await client.firmware()
        except GeoplanError as error:
            return error

    async def act() -> tuple[Any, bool, Answering]:
        async with answering(answer) as unit, unit.client(**options) as client:
            await attempt(client)
            return await attempt(client), client.wants_basic, unit

    return asyncio.run(act())


def with_v2(unit: Answering) -> list[bool]:
    return [heard.is_v2 for heard in unit.heard]


@pytest.mark.parametrize("closed", CLOSED, ids=repr)
def test_older_format_is_used_where_apiv2_is_closed_and_that_is_known(closed: Said) -> None:
    found, wants_basic, unit = ask(unit_with(closed))
    assert (found, wants_basic) == ("7.2.59.4", True)
    assert with_v2(unit) == [True, False, False, False]


@pytest.mark.parametrize("closed", CLOSED[:5], ids=repr)
def test_wrong_password_is_looked_at_once_where_apiv2_is_closed(closed: Said) -> None:
    found, _, unit = ask(unit_with(closed, WRONG))
    assert isinstance(found, AuthenticationError)
    assert found.reason == "it does not accept the credentials"
    assert "api_version" not in str(found.hint)
    assert with_v2(unit) == [True, False]


@pytest.mark.parametrize("refused", REFUSED, ids=repr)
def test_credentials_that_apiv2_looked_at_are_never_tried_in_the_older_format(refused: Said) -> None:
    found, _, unit = ask(unit_with(refused))
    assert isinstance(found, AuthenticationError)
    assert "api_version: 1" in str(found.hint)
    assert with_v2(unit) == [True]


@pytest.mark.parametrize("other", [Said(b"<html>login</html>"), xml_refusal("Unknown command", 405)], ids=repr)
def test_closed_apiv2_without_the_older_format_is_told_as_refused(other: Said) -> None:
    found, wants_basic, unit = ask(unit_with(CLOSED[0], other))
    assert isinstance(found, GeoplanError)
    assert not isinstance(found, UnusableAnswerError)
    assert not wants_basic
    assert with_v2(unit)[:2] == [True, False]


def test_key_is_taken_to_the_older_format_likewise() -> None:
    found, wants_basic, unit = ask(unit_with(CLOSED[0]), credentials=ApiKey(Secret(KEY)))
    assert (found, wants_basic) == ("7.2.59.4", True)
    assert not any(heard.query.get("apikey") for heard in unit.heard)


@pytest.mark.parametrize("missing", [Said(b"<html>not found</html>", 404), Said(b"<html>login</html>")], ids=repr)
def test_firmware_that_has_no_apiv2_has_no_setting_to_change(missing: Said) -> None:
    found, wants_basic, _ = ask(unit_with(missing))
    assert (found, wants_basic) == ("7.2.59.4", False)


@pytest.mark.parametrize(("version", "formats"), [(1, [False]), (2, [True])])
def test_version_that_is_given_decides_by_itself(version: int, formats: list[bool]) -> None:
    def answer(heard: Heard) -> Said:
        return js(version="7.2.59.4") if heard.is_v2 else xml("<version>7.2.59.4</version>")

    found, wants_basic, unit = ask(answer, api_version=version)
    assert (found, wants_basic) == ("7.2.59.4", False)
    assert with_v2(unit) == formats * 3


@pytest.mark.parametrize("closed", CLOSED[:5], ids=repr)
def test_version_2_that_is_given_is_not_left_for_the_older(closed: Said) -> None:
    found, _, unit = ask(unit_with(closed), api_version=2)
    assert isinstance(found, AuthenticationError)
    assert found.reason == "it refuses APIv2: it asks for HTTP Basic, or its Session Management is off"
    assert "api_version: 1" in str(found.hint)
    assert failure_of(found).hint == found.hint
    assert with_v2(unit) == [True]
