"""Cases on several processors find what one by one finds, though what they begin with is played once."""

from __future__ import annotations

import pytest

from geoplan.twin.campaign import cases_of
from geoplan.twin.cases import Plays, play_planned
from geoplan.twin.workers import batches, play_all
from tests.simulation.changes import FOUR, TWO
from tests.twin.plays import change, section


def plays_of(name: str) -> Plays:
    return change(TWO, FOUR) if name == "a change" else section(name)


@pytest.mark.parametrize(("name", "every"), [("5.1", 4), ("5.3", 30), ("a change", 60)])
def test_several_processors_find_what_one_finds(name: str, every: int) -> None:
    plays = plays_of(name)
    cases = [case for kind in cases_of(plays, play_planned(plays), range(2)).values() for case in kind][::every]
    by_name = {result.case.name: result for result in play_all(plays, cases, 2)}

    assert by_name == {result.case.name: result for result in play_all(plays, cases, 1)}


def test_every_case_is_in_one_batch_and_those_at_one_request_are_together() -> None:
    plays = section("5.3")
    cases = [case for kind in cases_of(plays, play_planned(plays), range(3)).values() for case in kind]
    found = list(batches(plays, cases))

    assert sorted(case.name for batch in found for case in batch.cases) == sorted(case.name for case in cases)
    alike = [batch for batch in found if batch.change is not None]
    assert all(len({case.name.partition(":")[0] for case in batch.cases}) == 1 for batch in alike)
    assert len(alike) < sum(len(batch.cases) for batch in alike) / 10
