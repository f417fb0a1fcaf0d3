"""The table of what a push does for each action."""

from __future__ import annotations

from geoplan.plan.model import FIRMWARE_ACTIONS, Action
from geoplan.push.actions import ACTIONS, PAIR_ACTIONS


def test_every_action_of_a_push_has_a_function() -> None:
    of_a_push = set(Action) - set(FIRMWARE_ACTIONS)
    assert ACTIONS.keys() | PAIR_ACTIONS.keys() == of_a_push


def test_no_action_is_done_in_two_ways() -> None:
    assert not ACTIONS.keys() & PAIR_ACTIONS.keys()
