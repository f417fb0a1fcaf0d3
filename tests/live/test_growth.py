"""What is said of live units grows with them, in order or not; counted, so that a busy machine changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from geoplan.live import diff
from geoplan.live.findings.collect import examine
from geoplan.live.links import KnownLinks
from geoplan.live.model import Observations
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.status import json as status_json
from geoplan.status import table
from tests.growth import growth_of_calls, growth_of_time
from tests.push.observations import in_place
from tests.status.made import status_of
from tests.topologies import topology_of_groups

SMALL, LARGE, HUGE = 15, 60, 300


def spoilt(facts: Observations) -> Observations:
    """Return the facts with something wrong with every unit: lists, links, clusters, health checks."""
    return Observations(
        {
            address: replace(
                unit,
                remote_geo_access=(unit.remote_geo_access or ())[1:],
                partner_status=unit.partner_status and dict.fromkeys(unit.partner_status, False),
                clusters=(unit.clusters or ())[1:],
            )
            for address, unit in facts.units.items()
        }
    )


def differences(plan: Plan, facts: Observations) -> object:
    report, findings = examine(plan, facts, KnownLinks(), max_clusters=64)
    return (
        diff.as_text(report, findings=findings),
        diff.as_markdown(report, findings=findings),
        diff.as_json(report, findings),
    )


def at_a_glance(plan: Plan, facts: Observations) -> object:
    status = status_of(facts, plan)
    return table.as_text(status), status_json.as_json(status)


@pytest.mark.parametrize("say", [differences, at_a_glance], ids=["diff", "status"])
@pytest.mark.parametrize("state", ["in order", "spoilt"])
def test_work_of_saying_what_differs_grows_with_the_groups(
    say: Callable[[Plan, Observations], object], state: str
) -> None:
    plans = {groups: make_plan(topology_of_groups(groups), [Phase.GEO]) for groups in (SMALL, LARGE, HUGE)}
    units = {groups: in_place(plan) for groups, plan in plans.items()}
    if state == "spoilt":
        units = {groups: spoilt(facts) for groups, facts in units.items()}

    def work(groups: int) -> object:
        return say(plans[groups], units[groups])

    assert growth_of_calls(work, small=SMALL, large=LARGE) < 1.2 * LARGE / SMALL
    assert growth_of_time(work, small=SMALL, large=HUGE) < 3
