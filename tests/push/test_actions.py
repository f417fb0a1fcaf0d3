"""The table of what a push does for each action."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from geoplan import Topology
from geoplan.live.activity import Look
from geoplan.live.fleet import NoActiveUnitError
from geoplan.live.model import State
from geoplan.plan.change import make_change
from geoplan.plan.model import Action, SiteSettings
from geoplan.plan.planner import make_plan
from geoplan.push.actions import ACTIONS, PAIR_ACTIONS
from geoplan.push.actions.restore_geo import restore_geo
from geoplan.push.context import StepError


def test_every_action_of_a_push_has_a_function() -> None:
    of_a_push = set(Action) - {Action.SET_PARTNER_SECRET}
    assert ACTIONS.keys() | PAIR_ACTIONS.keys() == of_a_push


def test_no_action_is_done_in_two_ways() -> None:
    assert not ACTIONS.keys() & PAIR_ACTIONS.keys()


# -- a restore over the API --------------------------------------------------------------------------------------------

OLD = {"sites": [{"name": "A", "ha_pair": {"master": "10.0.0.1", "slave": "10.0.0.2"}}]}
NEW = {"sites": [*OLD["sites"], {"name": "B", "standalone": "10.0.0.3"}]}


class Told:
    """A unit that tells what it is given, and was sent nothing that changes it."""

    def __init__(self, address: str, **told: Any) -> None:
        usual = {"virtual_services": 0, "firmware": "7.2.60.1", "clusters": (), "fqdns": ("a.example",)}
        self.address = address
        self._told = {**usual, **told}

    def __getattr__(self, question: str) -> Callable[[], Awaitable[Any]]:
        async def ask() -> Any:
            return self._told[question]

        return ask


@pytest.mark.parametrize(
    ("of_newcomer", "of_reference", "backed_up", "active", "why"),
    [
        ({}, {}, (), "10.0.0.1", "it is not backed up"),
        ({"virtual_services": 3}, {}, ("10.0.0.3",), "10.0.0.1", "it has 3 virtual services"),
        ({"firmware": "7.2.59.4"}, {}, ("10.0.0.3",), "10.0.0.1", "it runs 7.2.59.4, and 10.0.0.1 runs 7.2.60.1"),
        ({}, {}, ("10.0.0.3",), "10.0.0.2", "not on its master"),
        ({}, {}, ("10.0.0.3",), None, "'A' has not exactly one active unit"),
    ],
)
def test_nothing_is_restored_over_the_api_unless_every_condition_holds(
    of_newcomer: dict[str, Any], of_reference: dict[str, Any], backed_up: tuple[str, ...], active: str | None, why: str
) -> None:
    plan = make_change(Topology.model_validate(NEW), make_plan(Topology.model_validate(OLD)))
    (step,) = [step for step in plan.steps if step.action is Action.SEED_GEO_CONFIGURATION]
    newcomer = Told("10.0.0.3", **of_newcomer)
    reference = Told(active or "10.0.0.1", **of_reference)

    async def find(site: SiteSettings) -> Told:
        if active is None:
            raise NoActiveUnitError(site.name, {})
        return reference

    async def look(_site: SiteSettings) -> dict[str, Look]:
        return {"10.0.0.1": Look(State.STANDBY, None), "10.0.0.2": Look(State.ACTIVE, None)}

    context = SimpleNamespace(
        plan=plan,
        history=SimpleNamespace(backed_up=dict.fromkeys(backed_up, "file")),
        fleet=SimpleNamespace(active=find, look=look),
    )
    with pytest.raises(StepError, match=re.escape(why)):
        asyncio.run(restore_geo(cast("Any", context), step, cast("Any", newcomer), cast("Any", reference)))
