"""The steps: where each is done, what is entered, what to wait for, and how to see that it worked."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.render.runbook import steps_geo, steps_ha, steps_upgrade
from geoplan.render.runbook.model import Phase, RunbookStep
from geoplan.render.runbook.prose import Name, Prose, prose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.plan.model import Plan, Step
    from geoplan.render.runbook.context import RunbookContext
    from geoplan.render.runbook.model import Trouble
    from geoplan.render.runbook.voices import Voice

VOICES: Mapping[Action, Voice] = {**steps_ha.VOICES, **steps_geo.VOICES, **steps_upgrade.VOICES}
"""What is said of each kind of step: one module of them for each phase."""


def phases_of(bearings: RunbookContext) -> Iterator[Phase]:
    """Yield the steps in order, under a heading for each part of each group."""
    several = len(bearings.plan.groups) > 1

    def heading(step: Step) -> Prose:
        words = VOICES[step.action].heading
        return prose(f"{{}}: {words.lower()}", Name(bearings.group_of(step))) if several else prose(words)

    for title, steps in groupby(bearings.plan.steps, key=heading):
        yield Phase(title, tuple(_runbook_step(step, bearings) for step in steps))


def troubles(bearings: RunbookContext) -> Iterator[Trouble]:
    """Yield one entry for each kind of step that the plan has."""
    present = {step.action for step in bearings.plan.steps}
    return (VOICES[action].trouble(bearings) for action in Action if action in present)


def seconds_of(step: Step, plan: Plan) -> int:
    """Return what a step adds to the window when it is done by hand."""
    waiting = VOICES[step.action].waiting_seconds(step, plan) + plan.health_check_seconds(step)
    return math.ceil(plan.estimates.manual_step_seconds + waiting)


def _runbook_step(step: Step, bearings: RunbookContext) -> RunbookStep:
    voice = VOICES[step.action]
    return RunbookStep(
        number=step.number,
        id=step.id,
        action=step.action,
        title=_title(step, voice),
        wait_before=tuple(voice.wait_before(step, bearings)),
        login=voice.login(step, bearings),
        screen=voice.screen,
        moves=tuple(voice.moves(step, bearings)),
        expect=voice.expect(step, bearings),
        wait_after=tuple(voice.wait_after(step, bearings)),
        why=step.why,
        note=step.note,
        section=step.section,
        seconds=seconds_of(step, bearings.plan),
    )


def _title(step: Step, voice: Voice) -> Prose:
    title = prose(voice.title, Name(step.site))
    if step.on.unit == "new_active":
        return prose("{}, on the new active unit", title)
    if step.on.site != step.site:
        return prose("{}, on {}", title, Name(step.on.site))
    return title
