"""The Partner Shared Secret: where it comes from, what no unit takes, how it is sent, and that nothing shows it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from geoplan.errors import CredentialsError, UnitRefusedError
from geoplan.loadmaster import ApiKey, LoadMaster, Secret, UnitConnection, UserPassword
from geoplan.loadmaster.http import ShownRequest
from geoplan.loadmaster.partner_secret import SecretSource, checked

USABLE = "Zq7~new-Secret{of}Partners!"
BASIC = UserPassword("bal", Secret("a password of its own"))


@pytest.mark.parametrize("text", ["Seven77", "A" * 128, "has a blank", "it's no good", "Schlüssel1", "tab\tbed12", ""])
def test_secret_that_no_unit_takes_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        checked(text, "in GEOPLAN_SECRET")
    told = f"{caught.value} {caught.value.hint}"
    assert text not in told or not text
    assert "8 to 127" in told


@pytest.mark.parametrize("text", ["A" * 8, "z" * 127, r"""!"#$%&()*+,-./:;<=>?[\~]^_@`{|}""", USABLE])
def test_secret_that_units_take_is_taken(text: str) -> None:
    assert checked(text, "in GEOPLAN_SECRET").reveal() == text


def test_file_goes_before_the_environment_and_that_before_the_prompt(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-the-file\n")
    file.chmod(0o600)
    asked: list[str] = []

    def prompt(name: str) -> str:
        asked.append(name)
        return "from-the-prompt"

    def found(path: Path | None, given: str | None = None) -> str:
        environment = {} if given is None else {"GEOPLAN_SECRET": given}
        secret = SecretSource("new secret", "GEOPLAN_SECRET", environment, path, prompt).find()
        return secret.reveal() if secret else ""

    assert found(file, "from-outside") == "from-the-file"
    assert found(None, "from-outside") == "from-outside"
    assert asked == []
    assert found(None) == "from-the-prompt"
    assert asked == ["new secret"]
    assert SecretSource("new secret", "GEOPLAN_SECRET", {}).find() is None


def test_variable_that_is_empty_is_refused_and_no_file_is_needed_for_that() -> None:
    """In a script it may be a variable that was never set: nobody is asked for another one in its place."""
    with pytest.raises(CredentialsError, match="GEOPLAN_SECRET is empty"):
        SecretSource("new secret", "GEOPLAN_SECRET", {"GEOPLAN_SECRET": ""}, None, lambda _name: "typed").find()


def test_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(USABLE)
    file.chmod(0o644)
    with pytest.raises(CredentialsError, match="others than its owner") as caught:
        SecretSource("new secret", "GEOPLAN_SECRET", {}, file).find()
    assert USABLE not in f"{caught.value} {caught.value.hint}"


# -- on the wire -------------------------------------------------------------------------------------------------------


def connection(api_version: Any, credentials: Any = BASIC) -> UnitConnection:
    return UnitConnection("10.0.0.1", "https://10.0.0.1", credentials, api_version=api_version)


KEY = ApiKey(Secret("a-key-of-units"))


@pytest.mark.parametrize(("api_version", "credentials"), [(1, BASIC), (2, BASIC), (1, KEY), (2, KEY)])
def test_secret_goes_in_the_body_and_is_shown_nowhere(
    api_version: Any, credentials: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[httpx.Request] = []
    shown: list[ShownRequest] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if api_version == 1:
            return httpx.Response(200, text='<Response stat="200" code="ok"><Success>ok</Success></Response>')
        return httpx.Response(200, json={"code": 200, "status": "ok"})

    caplog.set_level(logging.DEBUG)
    access = connection(api_version, credentials)

    async def go() -> None:
        async with LoadMaster(access, transport=httpx.MockTransport(answer), observer=shown.append) as unit:
            await unit.set_partner_secret(Secret(USABLE))

    asyncio.run(go())
    last = sent[-1]
    assert last.method == "POST"
    assert "Secret" not in str(last.url)
    assert b"secret" in last.content
    assert shown[-1].command == "setlmcommsecret"
    assert shown[-1].changes
    assert "********" in str(shown[-1])
    for told in (str(shown[-1]), repr(shown[-1]), caplog.text):
        assert USABLE not in told
        assert "of%7BPartners" not in told
        assert "Partners" not in told


@pytest.mark.parametrize("api_version", [1, 2])
def test_secret_that_a_unit_echoes_is_masked_in_this_answer_and_in_later_ones(api_version: Any) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        is_version = b"version" in request.content or "version" in str(request.url)
        code = 200 if is_version else 422
        told = f"your {USABLE} is nothing"
        if api_version == 1:
            inside = f"<Success><version>7.2.60.1 {USABLE.replace('&', '')}</version></Success>"
            body = inside if is_version else f"<Error>{told}</Error>"
            return httpx.Response(
                code, text=f'<Response stat="{code}" code="{"ok" if is_version else "fail"}">{body}</Response>'
            )
        return httpx.Response(200, json={"code": code, "message": told, "version": f"7.2.60.1 {USABLE}"})

    async def go() -> None:
        async with LoadMaster(connection(api_version), transport=httpx.MockTransport(answer)) as unit:
            with pytest.raises(UnitRefusedError) as caught:
                await unit.set_partner_secret(Secret(USABLE))
            assert USABLE not in f"{caught.value} {caught.value!r} {caught.value.answer}"
            assert "is nothing" in str(caught.value)
            assert USABLE not in await unit.firmware()

    asyncio.run(go())
