"""How a push shows itself: within a terminal's width, and with the time that is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from geoplan.cli.push_views import PlainView, TerminalView, TimeLeft
from geoplan.live.polling import Timings
from geoplan.plan.model import Plan
from geoplan.push.events import Event, EventKind
from geoplan.push.outcome import StepState
from tests.push.observations import plan_of

PLAN = plan_of()
TIMINGS = Timings(boot_seconds=120, sync_seconds=60)


def ended(plan: Plan, number: int, state: StepState = StepState.DONE, message: str = "done and read back") -> Event:
    step = plan.steps[number - 1]
    unit = plan.site(step.on.site).units[0].address
    return Event(EventKind.STEP_ENDED, 1.0, message, step, unit, state, 123.4)


@pytest.mark.parametrize("state", StepState)
def test_every_line_of_the_example_fits_eighty_columns_in_full(state: StepState) -> None:
    view = PlainView(PLAN)
    for step in PLAN.steps:
        line = view.of_step(step, ended(PLAN, step.number, state), width=80).splitlines()[0]
        assert cell_len(line) <= 80
        assert "…" not in line
        assert step.site in line
        assert "123.4 s" in line
        assert state in line


@pytest.mark.parametrize("name", ["S" * 200, "数据中心" * 30, "Standort mit einem recht langen Namen, Halle 3"])
@pytest.mark.parametrize("width", [60, 80, 90])
def test_long_names_are_cut_and_units_never(name: str, width: int) -> None:
    step = PLAN.steps[0].model_copy(update={"site": name})
    plan = PLAN.model_copy(update={"steps": (step, *PLAN.steps[1:])})
    event = replace(ended(PLAN, 1), step=step)
    line = PlainView(plan).of_step(step, event, width=width)
    assert cell_len(line) <= width
    assert "…" in line
    assert "172.24.1.5 " in line
    assert name in PlainView(plan).of_step(step, event)


def test_why_a_step_failed_is_never_cut() -> None:
    why = "read back it holds nothing: it was not applied. " * 5
    line = PlainView(PLAN).of_step(PLAN.steps[0], ended(PLAN, 1, StepState.FAILED, why), width=80)
    assert why.strip() in line.replace("\n", " ")


@pytest.mark.parametrize("name", ["HA Pair 1", "S" * 200])
def test_bar_leaves_room_for_the_control_c_that_a_terminal_echoes(name: str) -> None:
    step = PLAN.steps[8].model_copy(update={"site": name})
    with TerminalView(PLAN, TIMINGS) as view:
        view.show(Event(EventKind.STEP_WAITING, 1.0, "waiting until the slave is active", step, None, None, None))
        progress, _ = view._bar()
        with progress.console.capture() as shown:
            progress.console.print(progress.get_renderable())
        lines = shown.get().splitlines()
        assert len(lines) == 1
        assert "left" in lines[0]
        assert cell_len(lines[0]) <= progress.console.width - 2


def test_what_is_left_to_a_person_is_said_on_a_narrow_terminal_too() -> None:
    why = "AWS makes it: geoplan export cloudformation writes the template"
    line = PlainView(PLAN).of_step(PLAN.steps[0], ended(PLAN, 1, StepState.BY_HAND, why), width=80)
    assert line.splitlines()[1].strip() == why
    assert max(map(cell_len, line.splitlines())) <= 80


def test_time_left_passes_while_a_pair_boots_and_ends_when_it_is_healthy() -> None:
    now = 0.0
    left = TimeLeft(PLAN, TIMINGS, lambda: now)
    reboot, submission = PLAN.steps[8], PLAN.steps[9]
    at_first = left.seconds
    left.see(Event(EventKind.STEP_STARTED, 0, "", reboot))
    now = 50.0
    assert at_first - left.seconds == pytest.approx(50)
    left.see(ended(PLAN, 9))
    left.see(Event(EventKind.STEP_STARTED, 0, "", submission))
    left.see(ended(PLAN, 10))
    assert left.ended == 2
    assert at_first - left.seconds == pytest.approx(50.5)
    now = 500.0
    assert at_first - left.seconds == pytest.approx(180.5)
    left.see(Event(EventKind.PAIR_HEALTHY, 0, "", submission))
    assert at_first - left.seconds == pytest.approx(180.5)
    left.see(Event(EventKind.STEP_STARTED, 0, "", reboot))  # it was all to no effect
    assert left.ended == 1
    assert at_first - left.seconds == pytest.approx(0.5)


def test_time_left_comes_to_an_end() -> None:
    left = TimeLeft(PLAN, TIMINGS)
    for step in PLAN.steps:
        left.see(ended(PLAN, step.number))
        if step.on.unit == "new_active":
            left.see(Event(EventKind.PAIR_HEALTHY, 0, "", step))
    assert left.seconds == 0
    assert left.ended == len(PLAN.steps)
