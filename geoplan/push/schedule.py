"""Which task of a plan begins next: the first, in the plan's order, of those that nothing holds up."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from geoplan.plan.model import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from geoplan.plan.model import Plan, Step


@dataclass(frozen=True, eq=False)
class Task:
    """Steps that are done as one: a pair's reboot with its resubmission, else a single step."""

    steps: tuple[Step, ...]

    @property
    def first(self) -> Step:
        """The step that stands for it."""
        return self.steps[0]

    @cached_property
    def after(self) -> frozenset[str]:
        """The steps of other tasks that it waits for."""
        own = {step.id for step in self.steps}
        return frozenset(before for step in self.steps for before in step.after) - own


def tasks_of(plan: Plan) -> tuple[Task, ...]:
    """Return the steps of a plan as tasks, in its order."""
    resubmissions = {
        step.site: step
        for step in plan.steps
        if step.action is Action.RESUBMIT_GEO_PARTNERS and step.on.unit == "new_active"
    }
    tasks = []
    for step in plan.steps:
        if step.action is Action.REBOOT_MASTER:
            tasks.append(Task((step, resubmissions[step.site])))
        elif resubmissions.get(step.site) is not step:
            tasks.append(Task((step,)))
    return tuple(tasks)


@dataclass
class _Lane:
    """Tasks that go one after the other; one that waits here keeps nobody else from working."""

    waiting: list[int] = field(default_factory=list)
    """A heap of the numbers of tasks."""
    is_busy: bool = False


class Schedule:
    """Hands out tasks in the plan's order, each once all steps before it have ended well.

    Tasks of one lane, which ``lane_of`` names, go one after the other; without a lane a task goes beside all others.
    All work together grows with the number of steps and of what they wait for.
    """

    def __init__(self, tasks: Sequence[Task], ended: Collection[str], lane_of: Callable[[Task], str | None]) -> None:
        self._tasks = tasks
        self._lanes: dict[int, _Lane] = {}
        """By the numbers of tasks."""
        self._unmet: list[int] = []
        """How many steps each task still waits for."""
        self._followers: defaultdict[str, list[int]] = defaultdict(list)
        """The tasks that wait for a step."""
        self._ready: list[int] = []
        """A heap; of a lane only the first is meant, others come again when it is free."""
        self._begun: dict[Task, int] = {}
        lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        for number, task in enumerate(tasks):
            if (lane := lane_of(task)) is not None:
                self._lanes[number] = lanes[lane]
            before = [step for step in task.after if step not in ended]
            self._unmet.append(len(before))
            for step in before:
                self._followers[step].append(number)
            if not before:
                self._admit(number)

    def begin_next(self) -> Task | None:
        """Return the task that begins now, or nothing until another one ends."""
        while self._ready:
            number = heappop(self._ready)
            if lane := self._lanes.get(number):
                if lane.is_busy or lane.waiting[:1] != [number]:
                    continue
                heappop(lane.waiting)
                lane.is_busy = True
            self._begun[self._tasks[number]] = number
            return self._tasks[number]
        return None

    def end(self, task: Task, ended_well: Iterable[str]) -> None:
        """Take back a task that has ended, with those of its steps that ended well."""
        if lane := self._lanes.get(self._begun.pop(task)):
            lane.is_busy = False
            if lane.waiting:
                heappush(self._ready, lane.waiting[0])
        for step in ended_well:
            for follower in self._followers.pop(step, ()):
                self._unmet[follower] -= 1
                if not self._unmet[follower]:
                    self._admit(follower)

    def _admit(self, number: int) -> None:
        """Let a task begin as soon as its turn comes."""
        lane = self._lanes.get(number)
        if lane is None:
            heappush(self._ready, number)
            return
        heappush(lane.waiting, number)
        if not lane.is_busy and lane.waiting[0] == number:
            heappush(self._ready, number)
