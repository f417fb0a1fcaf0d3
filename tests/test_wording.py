"""Words that every part writes in the same way."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geoplan.wording import (
    LONGEST_LINE,
    bounded,
    count,
    http_status,
    is_control,
    join_words,
    shell_command,
    shown,
    shown_lines,
)

HOSTILE = [
    "O'Brien; touch X; 'y",
    "$(touch X)",
    "`touch X`",
    '"; touch X; "',
    "a\nb; touch X",
    "\ttab",
    "back\\slash\\'",
    "-rf",
    "--yes",
    "",
    "~root",
    "*",
    "!!",
    "{a,b}",
    "a=b",
    "#",
    "Zürich 東京",
    "\u202egnp.exe",
    "\x1b[2J\x1b]52;c;AAAA\x07",
    "\udcff.yaml",
    "\u200fמרכז",
]
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
WORDS = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_characters="\0"), max_size=12)))


def steers(character: str) -> bool:
    """Return whether a character is one that no terminal should get of anybody's text, by Unicode's own classes."""
    is_mark = character in "\u061c\u200e\u200f"
    return (
        is_mark
        or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or (unicodedata.bidirectional(character) in BIDI)
    )


def as_bash_reads(command: str) -> list[bytes]:
    """Return the words that bash makes of a line."""
    script = f"printf '%s\\0' {command}"
    printed = subprocess.run(["bash", "-c", os.fsencode(script)], check=True, capture_output=True, timeout=20)
    return printed.stdout.split(b"\0")[:-1]


@given(st.text())
@example("".join(HOSTILE))
@example("".join(chr(code) for code in range(0x3000)))
def test_nothing_that_steers_is_left_in_a_shown_text(text: str) -> None:
    assert not any(map(steers, shown(text)))
    assert not any(map(steers, "".join(shown_lines(text).split("\n")).replace("\t", "")))
    assert shown(text) == "".join(shown(character) if steers(character) else character for character in text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_shown_json_means_what_it_meant(text: str) -> None:
    assert json.loads(shown_lines(json.dumps({text: text}, ensure_ascii=False))) == {text: text}


@given(st.text())
def test_text_of_lines_keeps_them(text: str) -> None:
    assert shown_lines(text).count("\n") == text.count("\n")


@given(st.characters())
def test_control_characters_are_those_of_unicode(character: str) -> None:
    assert is_control(character) == (steers(character) and character not in "\u061c\u200e\u200f")


@given(WORDS)
def test_words_without_such_characters_are_split_again_as_they_were(words: list[str]) -> None:
    plain = [word for word in words if not any(map(steers, word))]
    assert shlex.split(shell_command(*plain)) == plain


def encodable(word: str) -> bool:
    return all(not "\ud800" <= character <= "\udfff" or "\udc80" <= character <= "\udcff" for character in word)


@given(WORDS)
@example(HOSTILE)
@example(["\u20ac\udcac"])
def test_shell_gives_each_word_back_and_nothing_steers_a_terminal(words: list[str]) -> None:
    words = [word for word in words if encodable(word)]
    if not words:
        return
    command = shell_command(*words)
    assert not any(map(steers, command))
    assert as_bash_reads(command) == [os.fsencode(word) for word in words]


@pytest.mark.parametrize(("number", "said"), [(0, "0 units"), (1, "1 unit"), (2, "2 units")])
def test_counts_agree_with_their_noun(number: int, said: str) -> None:
    assert count(number, "unit") == said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (503, "503 Service Unavailable"),
        ("302", "302 Found, a redirect"),
        (308, "308 Permanent Redirect"),
        (404, "404 Not Found"),
        (599, "599"),
        ("cut off", "cut off"),
    ],
)
def test_answers_of_http_are_named_as_what_they_are(code: int | str, said: str) -> None:
    assert http_status(code) == said


def test_words_are_joined_as_in_a_sentence() -> None:
    assert [join_words(["a", "b", "c"][:length]) for length in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=300), max_size=5).map("\n".join))
@example("7" * 10**6)
@example("a b " * 10**6)
def test_every_line_of_an_error_is_bounded(text: str) -> None:
    cut = bounded(text)
    assert all(len(line) <= LONGEST_LINE for line in cut.split("\n"))
    assert ("…" in cut) or cut == text


@pytest.mark.parametrize("name", ["x" * 255, "/".join(["x" * 255] * 15)])
def test_whatever_can_be_a_file_stays_whole_in_an_error(name: str) -> None:
    assert bounded(f"cannot read {name}: no such file") == f"cannot read {name}: no such file"
