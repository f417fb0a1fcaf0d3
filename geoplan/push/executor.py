"""Walk the plan's steps: what is independent side by side, reboots one after the other."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from geoplan.errors import TooManyOpenFilesError, UnitError
from geoplan.live.findings import NoteKind
from geoplan.plan.model import Action, Phase
from geoplan.push import secret_progress
from geoplan.push.actions import ACTIONS, PAIR_ACTIONS
from geoplan.push.change_progress import steps_left_behind
from geoplan.push.context import StepError, StoppedError
from geoplan.push.firmware_progress import has_begun
from geoplan.push.history import PairProgress
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.reboots import Reboots
from geoplan.push.secret_scope import recorded_alone
from geoplan.push.window import is_too_late

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from geoplan.plan.model import Plan, Step
    from geoplan.push.context import Context


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
        if step.action in PAIR_ACTIONS:
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
        """Return the task that begins now, or None until another one ends."""
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


@dataclass
class Progress:
    """How far a push has come."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """By the ids of the steps that ended well."""
    failures: list[StepError] = field(default_factory=list)

    def red_steps(self, plan: Plan) -> tuple[Step, ...]:
        """Return the submissions after which every partner that is up stayed red."""
        return tuple(step for step in plan.steps if step.id in self.outcomes and self.outcomes[step.id].is_red)

    def has_ended(self, ids: Iterable[str]) -> bool:
        """Return whether all of these steps ended well."""
        return all(step in self.outcomes for step in ids)


class Executor:
    """Carries a plan out. What was begun is always brought to its end, unless it is cancelled."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._progress = Progress()
        self._jobs = max(1, context.options.jobs)
        self._left_behind = steps_left_behind(context.plan, context.history)
        self._reboots = Reboots(context.plan, context.options, context.ledger, context.history)

    @property
    def may_begin(self) -> bool:
        """Whether a further step may begin: none has failed, and no end is wanted."""
        return not self._is_ending

    async def run_half_done(self, steps: Collection[str]) -> Progress:
        """Do steps, by their ids, whatever they wait for: an earlier run has left them half done."""
        for half_done in tasks_of(self._context.plan):
            if half_done.first.id in steps:
                await self._do(half_done)
                if not self._is_ending:
                    self._progress.outcomes.pop(half_done.first.id, None)  # its turn comes
        return self._progress

    async def run(self, phase: Phase) -> Progress:
        """Do every task of a phase whose steps before it ended well, and return how far the push has come by then.

        None is begun after a failure, or once a stop is wanted.
        """
        tasks = [task for task in tasks_of(self._context.plan) if task.first.phase is phase]
        schedule = Schedule(tasks, self._progress.outcomes, self._lane_of)
        running: dict[asyncio.Task[None], Task] = {}
        ended: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()
        try:
            while True:
                while len(running) < self._jobs and not self._is_ending and (task := schedule.begin_next()):
                    doing = asyncio.create_task(self._do(task))
                    doing.add_done_callback(ended.put_nowait)
                    running[doing] = task
                if not running:
                    return self._progress
                done = [await ended.get()]
                done += [ended.get_nowait() for _ in range(ended.qsize())]
                for doing in done:
                    doing.result()
                    task = running.pop(doing)
                    schedule.end(task, [step.id for step in task.steps if step.id in self._progress.outcomes])
        finally:
            for doing in running:
                doing.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    @property
    def _is_ending(self) -> bool:
        """Whether no further step may begin."""
        return bool(self._progress.failures) or self._context.stop.requested

    def _lane_of(self, task: Task) -> str | None:
        """Return what reboots go one after the other with; whoever waits for that takes no job from others."""
        if task.first.action not in PAIR_ACTIONS:
            return None
        return self._context.plan.site(task.first.site).group if self._context.options.parallel_groups else ""

    async def _do(self, task: Task) -> None:
        if self._is_ending:
            return
        if (why := is_too_late(self._context, task.first)) and not self._has_begun(task):
            self._context.note(NoteKind.TOO_LATE, why, site=task.first.site, step=task.first)
            self._context.stop.request()
            return
        try:
            if task.first.action in PAIR_ACTIONS:
                await self._do_pair(task)
            else:
                await self._do_step(task.first)
        except StoppedError:
            return
        except StepError as error:
            self._fail(error)

    def _has_begun(self, task: Task) -> bool:
        """Return whether an earlier run had begun what a task begins: it is brought to its end, however late."""
        history, site = self._context.history, task.first.site
        if task.first.action is Action.ROTATE_PARTNER_SECRET:
            own = self._context.plan.site(site).group
            if site in (recorded_alone(history) or ()):
                return True  # it is sent nothing
            return secret_progress.has_begun(history, (each.name for each in self._context.plan.sites_of(own)))
        return has_begun(history, site) or history.progress(site) in (PairProgress.REBOOTING, PairProgress.RESUBMITTED)

    async def _do_step(self, step: Step) -> None:
        self._context.reporter.begin(step)
        try:
            outcome = await self._outcome(step)
        except (UnitError, TooManyOpenFilesError) as error:
            raise _unexpected(step, error) from None
        self._record(step, outcome)
        self._context.reporter.end(step, outcome)

    async def _do_pair(self, task: Task) -> None:
        """Do both steps of a pair, which tell themselves; they count once they have both ended, or one has failed."""
        reboot, resubmission = task.steps
        if without := self._reboots.without(reboot.site):
            for step in task.steps:
                self._context.reporter.begin(step)
                self._record(step, without)
                self._context.reporter.end(step, without)
            return
        pair = PAIR_ACTIONS[reboot.action](self._context, reboot, resubmission)
        failed: StepError | None = None
        try:
            await pair.run()
        except StepError as error:
            failed = error
        except (UnitError, TooManyOpenFilesError) as error:
            under_way = reboot if reboot.id not in pair.outcomes else resubmission
            failed = _unexpected(under_way, error)
        for step in task.steps:
            if step.id in pair.outcomes and not (failed and failed.step.id == step.id):
                self._record(step, pair.outcomes[step.id])
        if failed:
            raise failed

    async def _outcome(self, step: Step) -> Outcome:
        if step.id in self._left_behind:
            return Outcome(StepState.RECORDED, None, "the journal has it, and what follows it was begun")
        if step.action not in ACTIONS:
            raise StepError(step, "a push cannot do this step")
        if step.phase is Phase.HA and step.action is not Action.CREATE_LOAD_BALANCER and self._is_rebooting(step):
            return Outcome(StepState.RECORDED, None, "the journal has it, and the pair is being rebooted")
        return await ACTIONS[step.action](self._context, step)

    def _is_rebooting(self, step: Step) -> bool:
        """Return whether the push that this one resumes had come to the reboot of a step's pair, and not to its end."""
        return self._context.history.progress(step.site) in (PairProgress.REBOOTING, PairProgress.RESUBMITTED)

    def _record(self, step: Step, outcome: Outcome) -> None:
        self._context.journal.write("step", id=step.id, site=step.site, state=outcome.state.value, unit=outcome.unit)
        self._progress.outcomes[step.id] = outcome

    def _fail(self, error: StepError) -> None:
        self._progress.failures.append(error)
        step, state, why = error.step, StepState.FAILED, str(error)
        self._context.journal.write("step", id=step.id, site=step.site, state=state.value, unit=error.unit, why=why)
        self._context.reporter.end(step, Outcome(state, error.unit, why))


def _unexpected(step: Step, error: UnitError | TooManyOpenFilesError) -> StepError:
    """Return the failure of a step that meets what none expects, such as a certificate that changed meanwhile."""
    if isinstance(error, TooManyOpenFilesError):
        return StepError(step, str(error), hint=error.hint)  # of this machine: no unit is named
    return StepError(step, error.reason, unit=error.unit, hint=error.hint)
