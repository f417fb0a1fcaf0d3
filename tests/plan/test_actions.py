"""The table of actions."""

from __future__ import annotations

import pytest

from geoplan import load_topology, make_plan
from geoplan.plan.actions import ACTIONS, Action, Phase
from geoplan.plan.model import FIRMWARE_ACTIONS, HA_ACTIONS, UPDATE_ACTIONS
from tests.conftest import TOPOLOGIES


def test_every_action_has_a_row_and_words_of_its_own() -> None:
    assert list(ACTIONS) == list(Action)
    for words in ("label", "sentence", "short", "why"):
        assert len({getattr(row, words) for row in ACTIONS.values()}) == len(Action)


def test_actions_of_a_phase_are_those_of_its_rows() -> None:
    assert {action for action in Action if ACTIONS[action].phase is Phase.HA} == HA_ACTIONS
    assert UPDATE_ACTIONS < FIRMWARE_ACTIONS
    assert {action.value for action in UPDATE_ACTIONS} == {
        action.value for action in Action if action.startswith("update_")
    }


@pytest.mark.parametrize("name", ["section-5.1", "section-5.3", "aws-dublin-ohio"])
def test_a_step_says_what_its_row_says(name: str) -> None:
    plan = make_plan(load_topology(TOPOLOGIES / f"{name}.yaml"))
    for step in plan.steps:
        row = ACTIONS[step.action]
        assert step.phase is row.phase
        assert step.section == (row.section or plan.groups[0].section)
        assert step.why in {row.why, *(case.text for case in row.other_reasons)}
