"""Lines with faults are shown without secrets, cut or not, and in a time that grows with their length alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.diagnostics import (
    EXCERPT_WIDTH,
    LONGEST_LINE,
    LONGEST_TEXT,
    MAX_SHOWN,
    Diagnostic,
    Severity,
    ShownLine,
    as_json,
    as_text,
    presentable,
)
from geoplan.errors import InvalidInputError
from geoplan.plan.recorded import read_recorded
from geoplan.topology.loader import check_text
from geoplan.yaml12 import MAX_BYTES
from tests.growth import growth

HUNTER = "hunter2-hunter2"

LINES: dict[str, Callable[[int], str]] = {
    "one word": lambda size: "a" * size,
    "words": lambda size: "ab " * (size // 3),
    "colons": lambda size: "a:" * (size // 2),
    "colons and a login": lambda size: "a:" * (size // 2) + "@",
    "logins": lambda size: "a:b@" * (size // 4),
    "ats": lambda size: "@" * size,
    "dashes": lambda size: "-" * size,
    "sensitive words in one": lambda size: "password" * (size // 8),
    "sensitive words": lambda size: "pwd " * (size // 4),
    "sensitive words with quotes": lambda size: "pwd' " * (size // 5),
    "a sensitive word and blanks": lambda size: "pwd" + " " * size,
    "a sensitive word, blanks and a colon": lambda size: "pwd" + " " * size + ":" + " " * size,
    "almost sensitive words": lambda size: "passwor" * (size // 7),
    "control characters": lambda size: "\x1b" * size,
}


@pytest.mark.parametrize("shape", LINES)
def test_a_line_is_shown_in_a_time_that_grows_with_its_length(shape: str) -> None:
    assert growth(presentable, LINES[shape]) < 4


@pytest.mark.parametrize("shape", ["one word", "colons and a login", "a sensitive word and blanks"])
def test_that_is_so_up_to_the_largest_file(shape: str) -> None:
    assert growth(presentable, LINES[shape], small=MAX_BYTES // 16, large=MAX_BYTES) < 4


def behind(beginning: str, make: Callable[[int], str]) -> Callable[[int], str]:
    return lambda size: beginning + make(size)


UNIT = "sites: [{name: A, standalone: {address: 10.0.0.1, "
FILES: dict[str, Callable[[int], str]] = {
    **{shape: behind("sites: [", make) for shape, make in LINES.items()},
    "a key": lambda size: "a" * size + ": 1",
    "faults in one line": lambda size: "sites: [" + "{name: A, x: 1}," * (size // 16) + "]",
    "secrets in one line": lambda size: "{" + ",".join(f"pwd{number}: 1" for number in range(size // 12)) + "}",
    "faults, a line each": lambda size: "sites:\n" + "- {name: A, ha_pair: 5}\n" * (size // 25),
    "one key again and again": lambda size: "a: 1\n" * (size // 5),
    "an address": lambda size: "sites: [{name: A, standalone: '" + "1." * (size // 2) + "'}]",
    "an address in brackets": lambda size: "sites: [{name: A, standalone: '" + "[" * size + "'}]",
    "a firmware": lambda size: UNIT + "firmware: '" + "7." * (size // 2) + "'}}]",
    "a URL": lambda size: UNIT + "api: 'https://" + "a." * (size // 2) + " '}}]",
    "a number": lambda size: "sites: 1." + "0" * size,
    "a hexadecimal number": lambda size: "sites: 0x" + "f" * size,
    "a region": lambda size: "sites: [{name: A, ha_pair: 1, aws: {region: '" + "a-" * (size // 2) + "'}}]",
}  # fmt: skip


@pytest.mark.parametrize("shape", FILES)
def test_a_topology_is_checked_in_a_time_that_grows_with_its_size(shape: str) -> None:
    def check(text: str) -> None:
        found = check_text(text.encode(), path="large.yaml", default_name="large").diagnostics
        assert len(as_text(found)) + len(as_json(found)) < 10_000_000

    assert growth(check, FILES[shape]) < 4


RECORDS: dict[str, Callable[[int], str]] = {
    **{shape: behind("A\n", make) for shape, make in LINES.items()},
    "lines": lambda size: "A\n" + "x\n" * (size // 2),
    "a name": lambda size: "Remote GEO LoadMaster Access" + " " * size + "x",
    "commas": lambda size: "A\nGEO LoadMaster Partners:" + "," * size,
}


@pytest.mark.parametrize("shape", RECORDS)
def test_a_record_is_read_in_a_time_that_grows_with_its_size(shape: str) -> None:
    def read(text: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            read_recorded(text, "record.txt")
        assert len(as_text(caught.value.diagnostics)) < 10_000_000

    assert growth(read, RECORDS[shape]) < 4


@given(
    st.text(st.sampled_from("ab x{}[],'\""), max_size=EXCERPT_WIDTH * 2),
    st.sampled_from(["password: ", "api_key=", '"secret": "', "x://user:"]),
    st.text(st.sampled_from("c 1"), max_size=LONGEST_LINE * 2),
    st.integers(0, LONGEST_LINE * 4),
)
def test_a_secret_stays_masked_wherever_a_line_is_cut(before: str, key: str, after: str, place: int) -> None:
    line = before + key + HUNTER + ("@host" if "user" in key else "") + after
    source, caret, width = ShownLine(line).around(min(place, len(line)), min(place + 5, len(line)))
    shown = Diagnostic("f", "GEO101", Severity.ERROR, "m", "h", "", 1, place + 1, source, caret, width)
    for text in (str(shown), as_json([shown])):
        assert not any(HUNTER[start : start + 4] in text for start in range(len(HUNTER) - 3))


def test_a_login_behind_a_sensitive_key_is_masked_to_the_end_of_the_line() -> None:
    assert presentable("password: a:b@c") == "password: ********"
    assert presentable("api: https://bal:hunter2@10.0.0.1, secret: x") == "api: ********@10.0.0.1, secret: ********"


def test_the_caret_stands_at_the_fault_of_a_very_long_line() -> None:
    sites = [f"{{name: N{number}, standalone: 10.0.0.{number}}}" for number in range(1, 200)]
    text = f"sites: [{', '.join(sites)}]".replace("10.0.0.150", "10.0.0.950")
    (found,) = [
        each for each in check_text(text.encode(), path="f", default_name="f").diagnostics if each.code == "GEO201"
    ]
    assert found.source
    assert len(found.source) <= LONGEST_LINE + 2
    *_, excerpt, caret, _hint = str(found).splitlines()
    assert excerpt[caret.index("^") :].startswith("10.0.0.950")
    assert len(excerpt) <= EXCERPT_WIDTH + 6


def many(number: int) -> list[Diagnostic]:
    return [
        Diagnostic("f", "GEO101", Severity.ERROR, f"fault {index}", "h", line=1, column=index)
        for index in range(number)
    ]


def test_of_very_many_faults_the_first_are_shown_and_the_others_counted() -> None:
    text, report = as_text(many(50_000)), json.loads(as_json(many(50_000)))
    assert text.endswith("\nand 49,000 more")
    assert text.count("error:") == len(report["diagnostics"]) == MAX_SHOWN
    assert (report["errors"], report["not_shown"]) == (50_000, 49_000)


def test_few_faults_are_all_shown() -> None:
    assert "more" not in as_text(many(MAX_SHOWN))
    assert "not_shown" not in json.loads(as_json(many(MAX_SHOWN)))


def test_a_text_of_a_file_does_not_make_a_message_endless() -> None:
    (found,) = check_text(f"sites: {'9' * 100_000}".encode(), path="f", default_name="f").diagnostics
    assert len(str(found)) < 2 * LONGEST_TEXT
    assert len(as_json([found])) < 4 * LONGEST_TEXT


@pytest.mark.parametrize("number", ["0x" + "f" * 200, "0o" + "7" * 200, "9" * 5000, "-" + "9" * 5000, "1e999999"])
def test_a_number_of_any_size_is_a_fault_with_its_place(number: str) -> None:
    found = check_text(f"sites: {number}".encode(), path="f", default_name="f").diagnostics
    assert [(each.line, each.column) for each in found] == [(1, 8)]


def test_a_record_of_nothing_but_faults_is_read_to_the_limit_and_no_further() -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_recorded("A\n" + "x\n" * 100_000, "record.txt")
    assert len(caught.value.diagnostics) == MAX_SHOWN + 1
    assert re.search("reading stopped", caught.value.diagnostics[-1].message)


@pytest.mark.parametrize(
    "line", ["::add-mask::sites", "  ::error::x", "\t::stop-commands::x", "##[add-mask]x", "a: ##[group]"]
)
def test_no_line_of_a_file_is_an_order_to_a_runner_that_reads_the_log(line: str) -> None:
    """GitHub's takes ``::`` behind blanks, and ``##[`` anywhere in a line."""
    shown = str(
        Diagnostic("x.yaml", "GEO101", Severity.ERROR, f"unknown '{line}'", "", line=1, column=3, source=line, caret=2)
    )

    assert not [each for each in shown.splitlines() if each.strip().startswith("::") or "##[" in each]
    _, excerpt, caret, *_ = shown.splitlines()
    assert excerpt.replace("\N{ZERO WIDTH SPACE}", "")[4:] == line
    assert caret[4:].index("^") == 2 or "\t" in line
