"""Widths and line breaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.render.diagram.text_metrics import width_of, wrap

SIZE = 10


@given(st.text(max_size=80), st.integers(15, 300))
def test_lines_joined_are_the_text_again(text: str, width: int) -> None:
    assert "".join(wrap(text, SIZE, width)) == text


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=80), st.integers(15, 300))
def test_no_line_is_wider_than_asked_for(text: str, width: int) -> None:
    assert all(width_of(line.rstrip(), SIZE) <= width for line in wrap(text, SIZE, width))


def test_lines_break_after_spaces() -> None:
    assert wrap("Standalone LoadMaster 1", SIZE, 120) == ("Standalone ", "LoadMaster 1")


def test_a_word_too_long_for_a_line_fills_it() -> None:
    assert wrap("a " + "W" * 10, SIZE, 60) == ("a WWWW", "WWWWW", "W")


@pytest.mark.parametrize("joined", ["e\u0301", "👩\u200d👧", "❤\ufe0f"])
def test_marks_stay_with_their_letter(joined: str) -> None:
    assert all(len(line) % len(joined) == 0 for line in wrap(joined * 20, SIZE, 40))


def test_east_asian_letters_are_counted_wide() -> None:
    assert width_of("東京", SIZE) > 2 * SIZE
