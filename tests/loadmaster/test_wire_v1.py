"""APIv1: what is a URL and what a form, and XML that is not quite XML."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.errors import AuthenticationError, GeoplanError, UnusableAnswerError
from geoplan.loadmaster import ApiKey, LoadMaster, Secret, UserPassword, decode
from geoplan.loadmaster.wire import Command, Reply, UnusableError
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.vendor import MAX_QUERY
from tests.loadmaster.answering import Answering, Heard, Said, answering, xml, xml_refusal
from tests.loadmaster.support import KEY, PASSWORD

BASE = "https://" + "a" * 253 + ":65535"  # the longest that a unit's URL can be
IDENTITY = UserPassword("bal", Secret(PASSWORD))
WITH_KEY = ApiKey(Secret(KEY))


def read(data: str) -> str:
    body = f'<Response stat="200" code="ok"><Success><Data><name>{data}</name></Data></Success></Response>'
    return decode.text(WireV1().read(Reply(200, body.encode()), file=False), "name")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Zürich & Söhne", "Zürich & Söhne"),
        ("A&B", "A&B"),
        ("A &amp; B &", "A & B &"),
        ("A&amp;amp;B", "A&amp;B"),
        ("A &lt;b&gt; & c", "A <b> & c"),
        ("K&#246;ln & K&#xF6;ln", "Köln & Köln"),
        ("&uuml; & &nbsp;", "&uuml; & &nbsp;"),
        ("<![CDATA[A & B]]> & C &amp;", "A & B & C &"),
        ("a\x01b & c", "a b & c"),
        ("a&#1;b&#0;c", "a b c"),
        ("&#xD800;a&#9999999;", "a"),
    ],
)
def test_bare_ampersands_and_forbidden_characters_are_read(written: str, name: str) -> None:
    assert read(written) == name


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1))
def test_text_that_is_escaped_as_it_should_be_stays_as_it_is(name: str) -> None:
    assert read(escape(name)) == name
    assert read(escape(name) + " &") == name + " &"


@pytest.mark.parametrize("data", ["&a;", "&amp;a; & &a;", "<![CDATA[&a;]]> &"])
def test_no_entity_of_a_document_is_ever_expanded(data: str) -> None:
    document = f'<!DOCTYPE r [<!ENTITY a "SECRET">]><Response stat="200" code="ok"><Success>{data}</Success></Response>'
    with pytest.raises(UnusableError):
        WireV1().read(Reply(200, document.encode()), file=False)


@given(st.text(max_size=400), st.booleans())
def test_no_url_is_longer_than_units_take(name: str, is_key_in_query: bool) -> None:
    written = name.encode("utf-8", "replace").decode()
    for identity in (IDENTITY, WITH_KEY):
        command = Command("addcluster", {"ip": "10.0.0.1", "name": written})
        request = WireV1(key_in_query=is_key_in_query).request(command, identity)
        assert len(BASE + request.target) <= MAX_QUERY
        heard = Heard(request.method, request.target, {}, request.body)
        assert heard.fields["name"] == written
        assert (KEY in request.target) == (identity is WITH_KEY and is_key_in_query)


# -- an API key: documented as a query parameter only ------------------------------------------------------------------


def takes_key_in_query(heard: Heard) -> Said:
    if heard.query.get("apikey") != KEY:
        return xml_refusal("Unauthorized", 401, WWW_Authenticate='Basic realm="LoadMaster"')
    return xml("<version>7.2.48.0</version>" if heard.fields.get("param") == "version" else "<geopartners/>")


def ask(answer: Any, key: str = KEY, **options: Any) -> tuple[Any, Answering]:
    async def act() -> tuple[Any, Answering]:
        async with (
            answering(answer) as unit,
            unit.client(api_version=1, credentials=ApiKey(Secret(key)), **options) as client,
        ):
            try:
                return await use(client), unit
            except GeoplanError as error:
                return error, unit

    async def use(client: LoadMaster) -> Any:
        await client.set_geo_partners(["10.0.0.1", "10.0.0.2"])
        return await client.geo_partners()

    return asyncio.run(act())


def test_key_goes_into_the_query_where_a_unit_refuses_the_form(caplog: pytest.LogCaptureFixture) -> None:
    shown: list[Any] = []
    with caplog.at_level(logging.DEBUG):
        found, unit = ask(takes_key_in_query, observer=shown.append)
    assert found == ()
    assert [heard.method for heard in unit.heard] == ["POST", "GET", "POST", "GET"]
    assert [("apikey" in heard.query) for heard in unit.heard] == [False, True, True, True]
    (change,) = unit.commands("set")
    assert change.fields["value"] == "10.0.0.1,10.0.0.2"
    assert "value" not in change.query
    said = caplog.text + " ".join(map(str, shown))
    assert "apikey=********" in said
    assert KEY not in said


def test_unit_that_takes_the_key_in_the_form_never_sees_it_in_a_url() -> None:
    def answer(heard: Heard) -> Said:
        return takes_key_in_query(Heard("GET", "/access/get?" + heard.body.decode(), {}, b""))

    found, unit = ask(answer)
    assert found == ()
    assert not any(heard.query for heard in unit.heard)


def test_wrong_key_is_sent_in_each_form_once_and_no_more() -> None:
    found, unit = ask(takes_key_in_query, key="wrong")
    assert isinstance(found, AuthenticationError)
    assert "wrong" not in str(found) + str(found.hint)
    assert len(unit.heard) == 2


@pytest.mark.parametrize("status", [200, 302, 404])
def test_key_is_in_no_url_of_what_is_not_the_api(status: int) -> None:
    found, unit = ask(lambda _heard: Said(b"<html>login</html>", status))
    assert isinstance(found, UnusableAnswerError)
    assert not any(heard.query for heard in unit.heard)
