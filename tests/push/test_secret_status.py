"""Who has which secret by the journals, as --status tells it, and which push a way back takes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.push.kinds import kind_called, words_of_kind
from geoplan.push.past_pushes import as_plain, as_text, left_by_abandoning
from geoplan.push.secret_back import is_of_same_units, to_take_back
from geoplan.push.store import Store
from tests.push.rotations import BACK, GIVEN, NOT_GIVEN, ON, UNCLEAR, Units, all_of, pushed
from tests.push.support import real_store

HALF: Units = (*all_of("S"), ("P", "10.0.1.2", GIVEN), ("P", "10.0.1.1", UNCLEAR))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return real_store(tmp_path, ON)


def test_status_of_one_that_stopped_says_who_has_which_and_each_way_on(store: Store) -> None:
    pushed(store, HALF, "stopped")
    told = as_text(store.past(), ON)
    assert "'S': all of it has the new Partner Shared Secret" in told
    assert "'P': its units may differ: 10.0.1.2 has the new Partner Shared Secret, 10.0.1.1 may have it, or not" in told
    assert "not begun: T\n" in told
    assert "to go on with it:  geoplan push TOPOLOGY --secret --resume" in told
    assert "to go back:        geoplan push TOPOLOGY --secret --back" in told
    assert "to give it up with secrets that differ:  geoplan push TOPOLOGY --abandon" in told


def test_secret_that_a_unit_has_answered_is_told_as_set(store: Store) -> None:
    pushed(store, HALF, "stopped")
    told = as_text(store.past(), ON).splitlines()
    assert [line for line in told if "10.0.1.2  P: Partner Shared Secret set; nothing reads it back" in line]
    assert [line for line in told if "10.0.1.1  P: Partner Shared Secret set, or just about to be" in line]


def test_status_of_a_way_back_names_no_way_back_from_it(store: Store) -> None:
    pushed(store, all_of("P", "S", "T"), "done")
    pushed(store, (("P", "10.0.1.2", GIVEN),), "stopped", goes_back=True)
    told = as_text(store.past(), BACK)
    assert "10.0.1.2 has the old Partner Shared Secret, 10.0.1.1 has the one before" in told
    assert "to go on with it:  geoplan push TOPOLOGY --secret --back --resume" in told
    assert "to go back:" not in told


def test_site_that_a_push_before_gave_the_secret_is_not_told_as_one_that_never_had_it(store: Store) -> None:
    pushed(store, all_of("T"), "abandoned")
    pushed(store, all_of("S"), "stopped")
    told = as_text(store.past(), ON)
    assert "not begun by this push, given a new one by a push before: T\n" in told
    assert "not begun: P\n" in told


def test_programs_are_told_the_same_of_each_site(store: Store) -> None:
    pushed(store, all_of("T"), "abandoned")
    pushed(store, HALF, "stopped")
    secrets = as_plain(store.past(), ON)["secrets"]
    none: dict[str, list[str]] = {"having": [], "unclear": [], "before": []}
    assert secrets == {
        "P": {"begun": True, "given_before": False, **none, "having": ["10.0.1.2"], "unclear": ["10.0.1.1"]},
        "S": {"begun": True, "given_before": False, **none, "having": ["10.0.2.1"]},
        "T": {"begun": False, "given_before": True, **none, "before": ["10.0.3.1"]},
    }


def test_who_abandons_is_told_which_pairs_may_differ(store: Store) -> None:
    history = pushed(store, HALF, "stopped")
    told = left_by_abandoning(store.past(), history, ON)
    assert "with secrets that may differ: P" in told
    assert any("until geoplan push --secret sets all of them" in line for line in told)


DONE = all_of("P", "S", "T")
TAKEN_BACK: dict[str, tuple[list[tuple[Units, str]], list[tuple[Units, str]], int | None]] = {
    "none was pushed": ([], [], None),
    "the last one of two": ([(DONE, "done"), (DONE, "done")], [], 1),
    "one that changed nothing": ([((), "done")], [], None),
    "one that sent nothing and is unfinished": ([((), "stopped")], [], 0),
    "the one before one that was taken back": ([(DONE, "done"), (DONE, "done")], [(DONE, "done")], 0),
    "one of which a way back was given up": ([(DONE, "done")], [(all_of("P"), "abandoned")], 0),
    "none where all were taken back": ([(DONE, "done")], [(DONE, "done")], None),
}


@pytest.mark.parametrize("case", TAKEN_BACK)
def test_way_back_takes_back_the_last_one_that_stands(case: str, store: Store) -> None:
    pushes, back, expected = TAKEN_BACK[case]
    ons = [pushed(store, units, outcome) for units, outcome in pushes]
    for number, (units, outcome) in enumerate(back, start=1):
        pushed(store, units, outcome, goes_back=True, undoes=ons[-number].name)
    found = to_take_back(store.past().rotations)
    assert (found.name if found else None) == (None if expected is None else ons[expected].name)


def test_a_push_is_of_the_same_units_whichever_way_it_goes(store: Store) -> None:
    history = pushed(store, ((("P"), "10.0.1.2", NOT_GIVEN),), "stopped")
    assert is_of_same_units(history, BACK)
    assert not is_of_same_units(history, BACK.model_copy(update={"sites": BACK.sites[:1]}))


def test_a_push_is_resumed_as_what_it_is(store: Store) -> None:
    assert kind_called(ON) == "one of the Partner Shared Secret"
    assert kind_called(BACK) == "the way back of the Partner Shared Secret"
    assert words_of_kind(pushed(store, HALF, "stopped")) == ("--secret",)
    assert words_of_kind(pushed(store, HALF, "stopped", goes_back=True)) == ("--secret", "--back")
