"""Credentials: where they come from, in what order, and that they never show."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import traceback
import types
from pathlib import Path
from typing import Any

import httpx
import pytest

from geoplan.errors import CredentialsError, GeoplanError, UnitRefusedError
from geoplan.loadmaster import ApiKey, CredentialSources, LoadMaster, Secret, UserPassword
from geoplan.loadmaster.credentials import MASK, basic_authorization, load_credentials, masked
from tests.loadmaster.support import KEY, PASSWORD, UNIT, V1, V2, FakeClock, access, accesses, lab, refused, run

OTHER = "172.24.1.6"


def found(environment: dict[str, str], address: str = UNIT, **sources: Any) -> tuple[str, str]:
    """Return the user, or nothing for a key, and the secret."""
    credentials = CredentialSources(environment, **sources).credentials_of(address)
    if isinstance(credentials, ApiKey):
        return "", credentials.key.reveal()
    return credentials.user, credentials.password.reveal()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"GEOPLAN_APIKEY": "k"}, ("", "k")),
        ({"GEOPLAN_USER": "u", "GEOPLAN_PASSWORD": "p"}, ("u", "p")),
        ({"GEOPLAN_PASSWORD": "p"}, ("bal", "p")),
        ({"GEOPLAN_APIKEY": "k", "GEOPLAN_USER": "u", "GEOPLAN_PASSWORD": "p"}, ("", "k")),
        ({"GEOPLAN_PASSWORD_172_24_1_5": "own", "GEOPLAN_APIKEY": "k"}, ("bal", "own")),
        ({"GEOPLAN_PASSWORD_172_24_1_5": "own", "GEOPLAN_USER": "u", "GEOPLAN_PASSWORD": "p"}, ("u", "own")),
        ({"GEOPLAN_USER_172_24_1_5": "me", "GEOPLAN_PASSWORD_172_24_1_5": "own"}, ("me", "own")),
        ({"GEOPLAN_APIKEY_172_24_1_5": "own", "GEOPLAN_PASSWORD": "p"}, ("", "own")),
        ({"GEOPLAN_PASSWORD_172_24_1_6": "others", "GEOPLAN_PASSWORD": "p"}, ("bal", "p")),
    ],
)
def test_the_environment_knows_units_of_their_own(environment: dict[str, str], expected: tuple[str, str]) -> None:
    assert found(environment) == expected


def test_a_variable_of_an_ipv6_unit_has_underscores_for_colons() -> None:
    assert found({"GEOPLAN_PASSWORD_2001_DB8__5": "six"}, "2001:db8:0::5") == ("bal", "six")


def test_without_any_source_the_error_says_what_to_set() -> None:
    with pytest.raises(CredentialsError, match=UNIT) as caught:
        found({})
    assert "GEOPLAN_APIKEY" in str(caught.value.hint)


def test_the_prompt_is_asked_once_for_each_user() -> None:
    asked: list[tuple[str, str]] = []

    def prompt(address: str, user: str) -> str:
        asked.append((address, user))
        return f"{user}'s"

    sources = CredentialSources({"GEOPLAN_USER": "u", "GEOPLAN_USER_172_24_1_9": "v"}, prompt=prompt)
    for address in (UNIT, OTHER, "172.24.1.9", "172.24.1.9"):
        assert isinstance(sources.credentials_of(address), UserPassword)
    assert asked == [(UNIT, "u"), ("172.24.1.9", "v")]
    assert "u's" not in repr(sources)


def test_the_keyring_is_asked_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {f"bal@{UNIT}": "own", "bal": "general"}
    errors = types.ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    keyring = types.ModuleType("keyring")
    keyring.get_password = lambda service, name: kept.get(name) if service == "geoplan" else None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    assert found({}, use_keyring=True) == ("bal", "own")
    assert found({}, OTHER, use_keyring=True) == ("bal", "general")
    with pytest.raises(CredentialsError):
        found({"GEOPLAN_USER": "nobody"}, use_keyring=True)

    def locked(service: str, name: str) -> None:
        raise errors.KeyringError("locked, password is x")

    keyring.get_password = locked  # type: ignore[attr-defined]
    with pytest.raises(CredentialsError, match="the system keyring cannot be read: KeyringError"):
        found({}, use_keyring=True)


def test_a_keyring_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(CredentialsError) as caught:
        found({}, use_keyring=True)
    assert caught.value.hint == "pip install 'geoplan[keyring]'"


# -- the file --------------------------------------------------------------------------------------------------------

FILE = f"""default: {{user: admin, password: 0123}}
units:
  {UNIT}: {{apikey: "own-key"}}
  2001:DB8::5: {{password: NO}}
"""


def written(path: Path, content: str = FILE, mode: int = 0o600) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_file_knows_units_and_all_others(tmp_path: Path) -> None:
    file = load_credentials(written(tmp_path / "credentials.yaml"))
    assert found({"GEOPLAN_PASSWORD": "unused"}, file=file) == ("", "own-key")
    assert found({}, OTHER, file=file) == ("admin", "0123")
    assert found({}, "2001:db8::5", file=file) == ("bal", "NO")
    assert "own-key" not in repr(file)


def test_what_a_file_leaves_out_comes_from_the_environment(tmp_path: Path) -> None:
    file = load_credentials(written(tmp_path / "c.yaml", f"units: {{{UNIT}: {{password: own}}}}"))
    assert found({"GEOPLAN_PASSWORD": "p"}, OTHER, file=file) == ("bal", "p")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o777])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "credentials.yaml", mode=mode)
    with pytest.raises(CredentialsError, match=f"mode {mode:04o}") as caught:
        load_credentials(path)
    assert f"chmod 600 {path}" in str(caught.value.hint)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_of_its_owner_alone_is_taken(tmp_path: Path, mode: int) -> None:
    assert load_credentials(written(tmp_path / "credentials.yaml", mode=mode)).default


def test_a_link_is_judged_by_the_file_behind_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(written(tmp_path / "open.yaml", mode=0o644))
    with pytest.raises(CredentialsError, match="have access"):
        load_credentials(tmp_path / "link")


def test_a_file_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "credentials.yaml")
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(CredentialsError, match="belongs to somebody else"):
        load_credentials(path)


@pytest.mark.parametrize(
    "content",
    [
        "hunter2",
        "- hunter2",
        "default: hunter2",
        "default: {hunter2: x}",
        "hunter2: {password: x}",
        "default: {password: hunter2, apikey: hunter2}",
        "default: {user: hunter2}",
        "default: {password: [hunter2]}",
        "default: {password: ''}",
        "units: {hunter2: {password: x}}",
        "units: [hunter2]",
        "default: {password: hunter2",
        "default: {password: !hunter2 x}",
        "default: *hunter2",
        "hunter2: 1\nhunter2: 2",
        "units: {hunter2: " + "[" * 2000,
    ],
)
def test_a_wrong_file_is_told_without_what_it_holds(tmp_path: Path, content: str) -> None:
    path = written(tmp_path / "credentials.yaml", content)
    with pytest.raises(CredentialsError, match=r"line \d+") as caught:
        load_credentials(path)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "default:\n  pasword: hunter2",
            "line 2: default: unknown key 'pasword' (did you mean 'password'?); its keys are",
        ),
        (
            "default: {username: hunter2}",
            "line 1: default: unknown key 'username' (did you mean 'user'?); its keys are",
        ),
        (
            "units:\n  10.0.0.1:\n    token: hunter2",
            "line 3: units: 10.0.0.1: unknown key 'token' (did you mean 'apikey'?)",
        ),
        (
            "# of all\nunist: {}",
            "line 2: the file: unknown key 'unist' (did you mean 'units'?); its keys are default and",
        ),
        (
            "default: {hunter: x}",
            "line 1: default: an unknown key, which is not shown; its keys are user, password and",
        ),
        ("10.0.0.1: {password: hunter2}", "line 1: 10.0.0.1 stands at the top: it belongs under units:"),
        ("units: {10.0.1: {password: hunter2}}", "line 1: units: 10.0.1 is not an address"),
        ("default: {password: [hunter2]}", "line 1: default: password is not a text"),
        ("default: {user: hunter2}", "line 1: default: give one of password and apikey"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(tmp_path: Path, content: str, told: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        load_credentials(written(tmp_path / "credentials.yaml", content))
    assert told in str(caught.value)
    assert "hunter" not in str(caught.value)


def test_files_that_are_no_text_or_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot read"):
        load_credentials(tmp_path / "missing.yaml")
    with pytest.raises(CredentialsError, match="cannot read"):
        load_credentials(tmp_path)
    path = written(tmp_path / "binary", "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CredentialsError, match="UTF-8"):
        load_credentials(path)


# -- secrets never show ----------------------------------------------------------------------------------------------


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret(PASSWORD)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", "%s" % secret, repr(UserPassword("u", secret))]  # noqa: UP031
    shown += [repr(ApiKey(secret)), repr(access(credentials=ApiKey(secret))), repr([secret])]
    assert not any(PASSWORD in text for text in shown)
    assert secret.reveal() == PASSWORD
    assert secret == Secret(PASSWORD)
    assert secret != Secret("x")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_credentials_can_be_shown_masked() -> None:
    assert masked(UserPassword("bal", Secret(PASSWORD))) == UserPassword("bal", Secret(MASK))
    assert masked(ApiKey(Secret(PASSWORD))) == ApiKey(Secret(MASK))


@pytest.mark.parametrize("echo", [PASSWORD, basic_authorization(UserPassword("bal", Secret(PASSWORD)))])
def test_a_secret_that_a_unit_echoes_is_hidden(echo: str) -> None:
    def answer(http: httpx.Request) -> httpx.Response:
        return refused(f"Unknown user bal with {echo}")

    async def act() -> None:
        async with LoadMaster(access(), transport=httpx.MockTransport(answer)) as unit:
            await unit.firmware()

    with pytest.raises(UnitRefusedError) as caught:
        run(act())
    told = "".join(traceback.format_exception(caught.value)) + caught.value.reason
    assert MASK in told
    assert PASSWORD not in told
    assert echo not in told


@pytest.mark.parametrize("firmware", [V1, V2])
@pytest.mark.parametrize(
    "environment",
    [{"GEOPLAN_USER": "bal", "GEOPLAN_PASSWORD": PASSWORD}, {"GEOPLAN_APIKEY": KEY}],
    ids=["password", "key"],
)
def test_no_log_error_or_shown_request_holds_a_secret(
    firmware: str, environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore").setLevel(logging.DEBUG)
    told: list[str] = []

    async def act() -> None:
        async with lab(firmware=firmware) as running:
            unit_access = accesses(running, environment)[UNIT]
            observer = lambda request: told.append(f"{request} {request!r}")  # noqa: E731
            async with LoadMaster(unit_access, clock=FakeClock(), observer=observer) as unit:
                await unit.set_geo_partners([OTHER])
                await unit.clusters()
                for fault in ("reset", "error", "html", "truncate"):
                    number = running.inject(f"{fault},command=get")
                    try:
                        await unit.geo_partners()
                    except GeoplanError as error:
                        told.extend(everything_about(error))
                    running.lift(number)
            told.append(f"{unit_access!r} {unit!r} {vars(unit)!r}")

    run(act())
    basic = basic_authorization(UserPassword("bal", Secret(PASSWORD)))
    logged = [record.getMessage() + str(record.args) for record in caplog.records]
    assert any(record.name.startswith("geoplan") for record in caplog.records)
    assert not [record for record in caplog.records if record.name.startswith("http")], "they hold URLs and headers"
    for text in (*told, *logged):
        assert PASSWORD not in text
        assert KEY not in text
        assert basic not in text


def everything_about(error: BaseException) -> list[str]:
    """Return what an error could give away, with the local variables of every frame, as pretty tracebacks show them."""
    shown = [str(error), repr(error), "".join(traceback.format_exception(error))]
    step = error.__traceback__
    while step:
        if step.tb_frame.f_code.co_filename != __file__:
            shown.append(repr(step.tb_frame.f_locals))
        step = step.tb_next
    assert not isinstance(error, httpx.HTTPError)  # it would hold the request, and the request the secret
    return shown + (everything_about(error.__context__) if error.__context__ else [])
