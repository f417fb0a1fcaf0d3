"""How the steps of a running push stand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from geoplan.plan.model import Step
from geoplan.push.history import History
from geoplan.push.records import FORMAT, make
from geoplan.push.steps_now import steps_now
from tests.push.observations import plan_of

PLAN = plan_of()
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = PLAN.steps[:3]


def begun() -> History:
    fields = {"who": "ann@desk", "checksum": PLAN.checksum, "options": {}, "units": {}}
    return History(Path("journal"), (make("begin", NOW, format=FORMAT, plan=PLAN.model_dump(mode="json"), **fields),))


def stand(history: History) -> dict[int, str]:
    found = steps_now(history)
    assert [now.step for now in found] == list(PLAN.steps)
    return {now.step.number: "under way" if now.is_under_way else now.ended or "left" for now in found[:3]}


def ended(step: Step, state: str = "done") -> dict[str, str]:
    return {"id": step.id, "site": step.site, "state": state}


def rebooting(step: Step) -> dict[str, str]:
    return {"step": step.id, "site": step.site, "unit": "172.24.1.5"}


def test_the_first_step_that_is_left_is_under_way() -> None:
    history = begun()
    assert stand(history) == {1: "under way", 2: "left", 3: "left"}
    history.add(make("step", NOW, **ended(FIRST, "in place")))
    assert stand(history) == {1: "in place", 2: "under way", 3: "left"}


def test_what_has_written_something_since_it_ended_is_under_way() -> None:
    history = begun()
    history.add(make("rebooting", NOW, **rebooting(SECOND)))
    assert stand(history) == {1: "left", 2: "under way", 3: "left"}
    history.add(make("step", NOW, **ended(SECOND, "failed")))
    assert stand(history)[2] == "failed"
    history.add(make("resumed", NOW, who="ben@desk"))
    history.add(make("rebooting", NOW, **rebooting(SECOND)))
    assert stand(history)[2] == "under way"
