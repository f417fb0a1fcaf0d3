"""The shape of an answer holds nothing of the customer's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.live.probe.sketch import KEYS_OF_NAMES, WORDS, names_in, sketch, text

NOBODY: frozenset[str] = frozenset()

# Names as companies give them: several words, any script, and plain words as well.
NAMES = st.one_of(
    st.from_regex(r"[a-z]{3,12}([-._ ][a-z0-9]{2,8}){0,3}", fullmatch=True),
    st.text(min_size=3, max_size=20).filter(str.strip),
).filter(lambda name: not any(word in WORDS or word.isdigit() for word in name.lower().split()))
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(name=NAMES, key=st.sampled_from(sorted(KEYS_OF_NAMES)), elsewhere=st.sampled_from(["status", "info", "mode"]))
def test_no_name_stays_wherever_it_is_said(name: str, key: str, elsewhere: str) -> None:
    answer: Any = {"cluster": [{key: name, elsewhere: name}], "data": f"{name}: up", name: "1"}
    shown = json.dumps(sketch(answer, names_in([answer])), ensure_ascii=False)
    words = [word for word in name.lower().split() if len(word) > 3 and word not in shown_of_nobody(answer)]
    assert not [word for word in words if word in shown.lower()]


def shown_of_nobody(answer: Any) -> str:
    """Return what a sketch is made of anyway: fields, placeholders and words that it may keep."""
    return " ".join([*WORDS, *KEYS_OF_NAMES, *map(str, answer), "cluster status info mode data <text> <name> <times>"])


@given(address=ADDRESSES, word=st.sampled_from(["up", "Unknown", "Synchronising"]), port=st.integers(1, 65535))
def test_no_address_stays_in_any_form(address: str, word: str, port: int) -> None:
    host = f"[{address}]" if ":" in address else address
    forms = [address, f"{address}: {word}", f"{host}:{port}", f"{address},{address}", f"{address} {address}={word}"]
    answer: Any = {
        "partner": forms,
        address: word,
        "deep": {"a": [{"b": address}]},
        "geoclients": ", ".join([address] * 3),
    }
    assert address not in json.dumps(sketch(answer, NOBODY))


@given(secret=st.from_regex(r"[A-Za-z0-9!$%&/()=?+*#-]{8,40}", fullmatch=True).filter(lambda s: not s.isdigit()))
def test_no_secret_stays_in_a_field_or_a_text(secret: str) -> None:
    answer: Any = {"apikey": secret, "message": f"echo {secret} end", "getall": {"radiussecret": secret, "x": [secret]}}
    assert secret not in json.dumps(sketch(answer, NOBODY))


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        ("10.0.0.1,10.0.0.2", "<address>,<address>"),
        ("10.0.0.1 10.0.0.2", "<address> <address>"),
        ("10.0.0.1:443", "<address>:<port>"),
        ("[2001:db8::1]:22", "[<address>]:<port>"),
        ("10.0.0.1: Synchronising", "<address>: Synchronising"),
        ("lm-dublin.example: up", "<text> up"),
        ("No geo data found", "No geo data found"),
        ("Deleted FQDN shop.example.", "<text> <text> <text>"),
        ("8444", "8444"),
        ("12345", "<number>"),
        ("a\0b\x1b[31m", "<text>"),
    ],
)
def test_separators_and_known_words_stay(written: str, shape: str) -> None:
    assert text(written, NOBODY, tells_states=True) == shape


def test_a_word_that_nobody_has_seen_stays_where_a_state_is_told() -> None:
    answer: Any = {"partner": {"ipaddress": "10.0.0.1", "linkstate": "Synchronising", "host": "dublin"}}
    assert sketch(answer, NOBODY, tells_states=True) == {
        "partner": {"ipaddress": "<address>", "linkstate": "Synchronising", "host": "<text>"}
    }


def test_equal_entries_of_a_list_are_counted() -> None:
    answer: Any = {"fqdn": [{"name": "a.example."}, {"name": "b.example."}, "x"]}
    assert sketch(answer, NOBODY) == {"fqdn": [{"name": "<text>"}, "<2 times>", "<text>"]}
