"""The status of partners in every form that a unit may give it; whatever is not clear is not told."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.loadmaster.partner_status import Mention, mentions, partner_status
from geoplan.loadmaster.wire import Answer, Reply
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.loadmaster.wire_v2 import WireV2

GREEN_WORDS = ["green", "Up", "OK", "Connected", "online", "link up", "Up (0 errors)"]
RED_WORDS = ["RED", "down", "Not connected", "not-connected", "Disconnected", "failed", "Not up"]
UNTOLD_WORDS = ["Unknown", "?", "", "Unknown, was green", "up and down", "connecting", "not red", "7"]
COLOURS = [
    *((word, True) for word in GREEN_WORDS),
    *((word, False) for word in RED_WORDS),
    *((word, None) for word in UNTOLD_WORDS),
]


def xml(data: str) -> Answer:
    body = f'<Response stat="200" code="ok"><Success><Data>{data}</Data></Success></Response>'
    return WireV1().read(Reply(200, body.encode()), file=False)


def js(**content: Any) -> Answer:
    return WireV2().read(Reply(200, json.dumps({"code": 200, "status": "ok", **content}).encode()), file=False)


@pytest.mark.parametrize(("word", "is_green"), [*COLOURS, ("1", True), ("0", False), ("yes", True), ("no", False)])
@pytest.mark.parametrize("address", ["10.0.0.1", "2001:db8::1"])
def test_partners_are_read_in_every_form(address: str, word: str, is_green: bool | None) -> None:
    told = {address: is_green}
    for answer in (
        xml(f"<GeoPartners><Partner><IPAddress>{address}</IPAddress><Status>{word}</Status></Partner></GeoPartners>"),
        xml(f'<GeoPartners><Partner status="{word}">{address}</Partner></GeoPartners>'),
        xml(f'<GeoPartners><Partner ip="{address}" status="{word}"/></GeoPartners>'),
        xml(f"<GeoPartners><Partner>{address} {word}</Partner></GeoPartners>"),
        xml(f"<GeoPartners><Partner>{address}: {word}</Partner></GeoPartners>"),
        xml(f"<Partner><Host>{address}:22</Host><Name>a.example</Name><State>{word}</State></Partner>")
        if "." in address
        else xml(f"<Partner><Host>[{address}]:22</Host><Name>a.example</Name><State>{word}</State></Partner>"),
        js(GeoPartners={"Partner": [{"IPAddress": address, "Status": word}]}),
        js(GeoPartners={"Partner": {"IPAddress": address, "Index": 1, "Enabled": True, "Status": word}}),
        js(GeoPartners=[{"partner": f"[{address}]", "colour": word}]),
        js(GeoPartners=[{"partner": f"[{address}]:22", "LocalIP": "10.9.9.9", "colour": word}]),
        js(GeoPartners={address: word}),
        js(GeoPartners={f"[{address}]:22": word}),
        js(GeoPartners={address: {"state": word, "port": 22}}),
        js(IPAddress=address, Status=word),
    ):
        assert partner_status(answer) == told


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.0.0.1:22", [Mention("10.0.0.1", ())]),
        ("10.0.0.1:22:green", [Mention("10.0.0.1", ("green",))]),
        ("10.0.0.1:green", [Mention("10.0.0.1", ("green",))]),
        ("10.0.0.1: green", [Mention("10.0.0.1", ("green",))]),
        ("[2001:db8::1]: green", [Mention("2001:db8::1", ("green",))]),
        ("[2001:db8::1]:22 green", [Mention("2001:db8::1", ("green",))]),
        ("2001:db8::1: green", [Mention("2001:db8::1", ("green",))]),
        ("2001:db8:0:0:0:0:0:1:22 green", [Mention("2001:db8:0:0:0:0:0:1", ("green",))]),
        ("green 10.0.0.1", [Mention("10.0.0.1", ("green",))]),
        ("10.0.0.1 (green), 10.0.0.2 (red)", [Mention("10.0.0.1", ("green",)), Mention("10.0.0.2", ("red",))]),
        ("10.0.0.1 green\n10.0.0.2 red", [Mention("10.0.0.1", ("green",)), Mention("10.0.0.2", ("red",))]),
        ("green 10.0.0.1, red 10.0.0.2", [Mention("10.0.0.1", ()), Mention("10.0.0.2", ())]),
        ("10.0.0.1,10.0.0.2", [Mention("10.0.0.1", ()), Mention("10.0.0.2", ())]),
        ("lb.example:22 green", []),
        ("a:" * 40_000 + " 1.2.3", []),
    ],
)
def test_addresses_are_found_in_texts(text: str, found: list[Mention]) -> None:
    assert mentions(text) == found


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"GeoPartners": "Unknown"},
        {"GeoPartners": "Not connected"},
        {"GeoPartners": {"Partner": [{"Name": "lb.example", "Status": "red"}]}},
        {"GeoPartners": [{"host": "lb.example:22", "Status": "green"}]},
        {"LocalIP": "10.0.0.9", "Status": "green"},
    ],
)
def test_answer_that_names_no_address_tells_of_no_partner(content: dict[str, Any]) -> None:
    assert partner_status(js(**content)) == {}


@pytest.mark.parametrize(
    "entries",
    [
        [{"ip": "10.0.0.1", "Status": "green"}, {"ip": "10.0.0.1:22", "Status": "red"}],
        [{"ip": "10.0.0.1", "connected": True, "alive": False}],
        [{"ip": "10.0.0.1", "enabled": "yes"}],
        [{"ip": "10.0.0.1", "Index": 1, "Status": "Unknown"}],
        [{"ip": "10.0.0.1", "Status": "Unknown", "LastStatus": "green"}],
        [{"ip": "10.0.0.1"}],
    ],
)
def test_what_is_contradictory_or_no_colour_is_not_told(entries: list[dict[str, Any]]) -> None:
    assert partner_status(js(GeoPartners={"Partner": entries})) == {"10.0.0.1": None}


@pytest.mark.parametrize(("flag", "is_green"), [(True, True), (False, False), ("yes", True), (0, False)])
@pytest.mark.parametrize("key", ["connected", "Alive", "up", "reachable"])
def test_flags_tell_a_colour(key: str, flag: Any, is_green: bool) -> None:
    assert partner_status(js(GeoPartners=[{"ip": "10.0.0.1", key: flag}])) == {"10.0.0.1": is_green}


places = st.ip_addresses().flatmap(
    lambda address: st.sampled_from(
        [(str(address), str(address)), (f"[{address}]:22", str(address))]
        + ([(f"{address}:22", str(address))] if address.version == 4 else [])
    )
)
statements = st.lists(st.tuples(places, st.sampled_from(COLOURS)), max_size=6, unique_by=lambda each: each[0][1])


@given(statements, st.sampled_from(["Status", "state", "COLOUR"]), st.sampled_from(["IPAddress", "Partner", "Host"]))
def test_each_partner_keeps_its_own_colour(stated: list[Any], status: str, place: str) -> None:
    expected = {address: is_green for (_, address), (_, is_green) in stated}
    entries = [{place: written, status: word, "Index": index} for index, ((written, _), (word, _)) in enumerate(stated)]
    elements = "".join(
        f"<Partner><{place}>{written}</{place}><{status}>{escape(word)}</{status}></Partner>"
        for (written, _), (word, _) in stated
    )
    assert partner_status(js(GeoPartners={"Partner": entries})) == expected
    assert partner_status(xml(f"<GeoPartners>{elements}</GeoPartners>")) == expected


texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)
innocent = texts.filter(lambda text: not any(c.isalnum() for c in text))


@given(st.recursive(innocent | st.ip_addresses().map(str) | st.none() | st.floats(), lambda inner: (
    st.lists(inner, max_size=4) | st.dictionaries(texts | st.ip_addresses().map(str), inner, max_size=4)
), max_leaves=12))  # fmt: skip
def test_without_a_word_for_it_nothing_is_green_or_red(content: Any) -> None:
    assert set(partner_status(js(GeoPartners=content)).values()) <= {None}


@given(st.recursive(texts | st.sampled_from(["10.0.0.1", "10.0.0.1:22", "green", "red", "Unknown"]), lambda inner: (
    st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
), max_leaves=12))  # fmt: skip
def test_no_content_brings_it_down(content: Any) -> None:
    assert all(green in (True, False, None) for green in partner_status(js(GeoPartners=content)).values())
