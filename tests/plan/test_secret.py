"""Plans that set the Partner Shared Secret."""

from __future__ import annotations

import pytest

from geoplan import Plan, load_topology
from geoplan.plan.model import Action, Phase
from geoplan.plan.secret import make_rotation
from tests.conftest import TOPOLOGIES

NAMES = ["section-5.1", "section-5.3", "section-5.4", "aws-dublin-ohio"]


@pytest.mark.parametrize("name", NAMES)
def test_every_site_has_one_step_and_each_waits_for_the_one_before(name: str) -> None:
    topology = load_topology(TOPOLOGIES / f"{name}.yaml")
    plan = make_rotation(topology)
    assert sorted(step.site for step in plan.steps) == sorted(site.name for site in topology.sites)
    assert {step.action for step in plan.steps} == {Action.ROTATE_PARTNER_SECRET}
    assert plan.phases() == (Phase.SECRET,)
    for before, after in zip(plan.steps, plan.steps[1:], strict=False):
        assert after.after == (before.id,)
    kinds = [plan.site(step.site).kind for step in plan.steps]
    assert kinds == sorted(kinds)  # pairs first
    for step in plan.steps:
        is_pair = plan.site(step.site).kind == "ha_pair"
        assert step.on.unit == ("both" if is_pair else "standalone")
        assert ("standby" in step.why) is is_pair


@pytest.mark.parametrize("name", NAMES)
def test_plan_comes_back_equal_and_the_way_back_is_another_plan(name: str) -> None:
    topology = load_topology(TOPOLOGIES / f"{name}.yaml")
    there, back = make_rotation(topology), make_rotation(topology, goes_back=True)
    assert Plan.model_validate_json(there.model_dump_json(include=set(there.written_fields))) == there
    assert there.checksum != back.checksum
