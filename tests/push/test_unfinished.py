"""What earlier pushes, and one that is running, say to a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.history import History, Record
from geoplan.push.unfinished import standing
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES
from tests.push.facts import plan_of

PLAN = plan_of()
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def history(*events: str, checksum: str = PLAN.checksum) -> History:
    begin = Record("begin", NOW, {"who": "ann@desk", "checksum": checksum})
    return History(Path("journal"), (begin, *(Record(event, NOW) for event in events)))


def test_nothing_unfinished_stands_against_nothing() -> None:
    assert standing(PLAN, (history("end"),), resume=False, running=None).problems == ()


def test_an_unfinished_push_asks_for_resume() -> None:
    found = standing(PLAN, (history("end"), history()), resume=False, running=None)
    (problem,) = found.problems
    assert "the push that ann@desk began" in str(problem)
    assert "--resume" in str(problem)
    assert found.may_resume
    assert standing(PLAN, (history(),), resume=True, running=None).problems == ()


def test_nothing_to_resume_and_another_plan_are_problems() -> None:
    (problem,) = standing(PLAN, (), resume=True, running=None).problems
    assert "no unfinished push to resume" in str(problem)
    (problem,) = standing(PLAN, (history(checksum="sha256:other"),), resume=True, running=None).problems
    assert "sha256:other" in str(problem)


def test_a_push_of_another_phase_is_told_with_the_option_that_resumes_it() -> None:
    both = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"), list(Phase))
    fields = {"who": "ann@desk", "checksum": both.checksum, "plan": both.model_dump(mode="json")}
    begun = History(Path("journal"), (Record("begin", NOW, fields),))

    (problem,) = standing(PLAN, (begun,), resume=True, running=None).problems
    assert "the unfinished push is one of --phase all, and this one of --phase geo" in str(problem)
    assert "resume it with --phase all" in str(problem)
    assert standing(both, (begun,), resume=True, running=None).problems == ()


def test_a_running_push_is_not_called_unfinished() -> None:
    (problem,) = standing(PLAN, (history(),), resume=False, running="another push is running").problems
    assert "another push is running" in str(problem)
