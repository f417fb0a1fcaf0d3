"""What earlier pushes, and one that is running, say to a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.history import History
from geoplan.push.past_pushes import check_resume
from geoplan.push.records import FORMAT, make
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES
from tests.push.observations import plan_of

PLAN = plan_of()
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def begun(plan: Plan = PLAN, checksum: str | None = None) -> History:
    fields = {"who": "ann@desk", "checksum": checksum or plan.checksum, "options": {}, "units": {}}
    begin = make("begin", NOW, format=FORMAT, plan=plan.model_dump(mode="json"), **fields)
    return History(Path("journal"), (begin,))


def test_nothing_unfinished_stands_against_nothing() -> None:
    assert check_resume(PLAN, None, resume=False, running=None).problems == ()


def test_an_unfinished_push_asks_for_resume() -> None:
    found = check_resume(PLAN, begun(), resume=False, running=None)
    (problem,) = found.problems
    assert "the push that ann@desk began" in str(problem)
    assert "--resume" in str(problem)
    assert found.may_resume
    assert check_resume(PLAN, begun(), resume=True, running=None).problems == ()


def test_an_unfinished_push_on_a_file_of_another_name_is_told_with_that_name() -> None:
    renamed = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml").model_copy(update={"name": "renamed"}))
    (problem,) = check_resume(renamed, begun(), resume=False, running=None).problems
    assert "the push on 'two-pairs-two-standalones' that ann@desk began" in str(problem)
    assert check_resume(renamed, begun(), resume=True, running=None).problems == ()


def test_nothing_to_resume_and_another_plan_are_problems() -> None:
    (problem,) = check_resume(PLAN, None, resume=True, running=None).problems
    assert "no unfinished push to resume" in str(problem)
    (problem,) = check_resume(PLAN, begun(checksum="sha256:other"), resume=True, running=None).problems
    assert "sha256:other" in str(problem)


def test_a_push_of_another_phase_is_told_with_the_option_that_resumes_it() -> None:
    both = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"), list(Phase))

    (problem,) = check_resume(PLAN, begun(both), resume=True, running=None).problems
    assert "the unfinished push is one of --phase all, and this one of --phase geo" in str(problem)
    assert "resume it with --phase all" in str(problem)
    assert check_resume(both, begun(both), resume=True, running=None).problems == ()


def test_a_running_push_is_not_called_unfinished() -> None:
    (problem,) = check_resume(PLAN, begun(), resume=False, running="another push is running").problems
    assert "another push is running" in str(problem)
