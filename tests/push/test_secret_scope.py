"""Which sites a way back of the secret leaves alone, by the journals of pushes before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.live.polling import SystemClock
from geoplan.push.secret_scope import left_alone
from tests.push.rotations import BACK, GIVEN, NOT_GIVEN, ON, UNCLEAR, Units, all_of, pushed
from tests.push.support import real_store

CASES: dict[str, tuple[list[tuple[Units, str, bool]], set[str]]] = {
    "nothing was ever pushed": ([], set()),
    "a whole one is taken back whole": ([(all_of("P", "S", "T"), "done", False)], set()),
    "one that stopped": ([(all_of("P"), "stopped", False)], {"S", "T"}),
    "one that lost its last answer": ([((*all_of("P"), ("S", "10.0.2.1", UNCLEAR)), "stopped", False)], {"T"}),
    "one that was refused": ([((*all_of("P"), ("S", "10.0.2.1", NOT_GIVEN)), "stopped", False)], {"S", "T"}),
    "one that lost an answer and was refused then": (
        [((*all_of("P"), ("S", "10.0.2.1", UNCLEAR), ("S", "10.0.2.1", NOT_GIVEN)), "stopped", False)],
        {"T"},
    ),
    "half a pair": ([((("P", "10.0.1.2", GIVEN),), "stopped", False)], {"S", "T"}),
    "one that stopped after a whole one": (
        [(all_of("P", "S", "T"), "done", False), (all_of("P"), "stopped", False)],
        {"S", "T"},
    ),
    "two that were given up": ([(all_of("P"), "abandoned", False), (all_of("S"), "abandoned", False)], {"T"}),
    "two of which the second is whole": (
        [(all_of("P"), "abandoned", False), (all_of("P", "S", "T"), "done", False)],
        set(),
    ),
    "what a way back has set back": (
        [(all_of("P", "S"), "taken back", False), (all_of("P"), "abandoned", True)],
        {"P", "T"},
    ),
    "a pair that a way back has half set back": (
        [(all_of("P", "S"), "taken back", False), ((("P", "10.0.1.2", GIVEN),), "abandoned", True)],
        {"T"},
    ),
    "what a way back of a whole one has left": (
        [(all_of("P", "S", "T"), "done", False), (all_of("P"), "abandoned", True)],
        {"P"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_way_back_leaves_alone_who_has_nothing_to_go_back_from(case: str, tmp_path: Path) -> None:
    pushes, expected = CASES[case]
    store = real_store(tmp_path, ON)
    for units, outcome, goes_back in pushes:
        pushed(store, units, outcome, goes_back=goes_back)
    assert left_alone(BACK, store.past().rotations, None) == expected
    assert left_alone(ON, store.past().rotations, None) == set()


def test_way_back_of_a_push_that_sent_nothing_leaves_all_alone(tmp_path: Path) -> None:
    store = real_store(tmp_path, ON)
    stopped = pushed(store, (("P", "10.0.1.2", NOT_GIVEN),), "stopped")
    assert left_alone(BACK, store.past().rotations, stopped, undoes=stopped.name) == {"P", "S", "T"}


def test_way_back_that_goes_on_leaves_alone_what_it_left_alone_when_it_began(tmp_path: Path) -> None:
    store = real_store(tmp_path, ON)
    pushed(store, all_of("P", "S"), "taken back")
    begun = pushed(store, all_of("P"), "stopped", goes_back=True)
    assert left_alone(BACK, store.past().rotations, begun) == {"T"}
    with store.resume(begun, SystemClock()) as journal:
        journal.write("secrets_left_alone", sites=["S", "T"])
    assert left_alone(BACK, store.past().rotations, journal.history) == {"S", "T"}
