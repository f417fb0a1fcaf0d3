"""Walk the plan's steps: what is independent side by side, reboots one after the other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.plan.model import Action, Phase
from geoplan.push import ha_steps, steps
from geoplan.push.context import RebootMode, StepError, StoppedError
from geoplan.push.events import StepState
from geoplan.push.failures import reason_of
from geoplan.push.history import PairProgress
from geoplan.push.pair import Pair
from geoplan.push.reboots import PairReboot
from geoplan.push.steps import Outcome
from geoplan.push.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.plan.model import Plan, Step
    from geoplan.push.context import Context


@dataclass(frozen=True)
class Task:
    """Steps that are done as one: a pair's reboot with its resubmission, else a single step."""

    steps: tuple[Step, ...]

    @property
    def first(self) -> Step:
        """The step that stands for it."""
        return self.steps[0]

    @property
    def after(self) -> frozenset[str]:
        """The steps of other tasks that it waits for."""
        own = {step.id for step in self.steps}
        return frozenset(before for step in self.steps for before in step.after) - own


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
        """Tell whether all of these steps ended well."""
        return all(step in self.outcomes for step in ids)

    def states(self, plan: Plan) -> dict[str, StepState]:
        """Return the state of every step that has one."""
        failed = {error.step.id: StepState.FAILED for error in self.failures}
        return {step.id: self.outcomes[step.id].state for step in plan.steps if step.id in self.outcomes} | failed


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


def pairs_to_reboot(context: Context) -> frozenset[str]:
    """Return the pairs whose reboot is due by all that is known now.

    It is wanted; or partners were changed in this push, or in an earlier one that left the reboot out.
    """
    if context.options.reboot is RebootMode.NEVER:
        return frozenset()
    pairs = [step.site for step in context.plan.steps if step.action is Action.REBOOT_MASTER]
    return frozenset(site for site in pairs if is_to_be_rebooted(context, site))


def is_to_be_rebooted(context: Context, site: str) -> bool:
    """Return whether the reboot of one pair of the plan is due: see :func:`pairs_to_reboot`."""
    options, history = context.options, context.journal.history
    if options.reboot is RebootMode.NEVER:
        return False
    if history.is_owed(site) or context.ledger.owes_reboot(context.plan.site(site)):
        return True
    wanted = options.reboot is RebootMode.ALWAYS or site in options.reboot_sites
    return wanted and not history.was_finished(site)


class Executor:
    """Carries a plan out. What was begun is always brought to its end, unless it is cancelled."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._progress = Progress()
        self._jobs = max(1, context.options.jobs)
        self._reboots: dict[str, asyncio.Lock] = {}
        self._telling = Telling(context)

    async def run(self, phase: Phase) -> Progress:
        """Do every task of a phase whose steps before it ended well, and return how far the push has come by then.

        None is begun after a failure, or once a stop is wanted.
        """
        waiting = [task for task in tasks_of(self._context.plan) if task.first.phase is phase]
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                if not self._progress.failures and not self._context.stop.requested:
                    ready = [task for task in waiting if self._progress.has_ended(task.after)]
                    ready = ready[: max(0, self._jobs - len(running))]  # so one job at a time keeps the plan's order
                    waiting = [task for task in waiting if task not in ready]
                    running |= {asyncio.create_task(self._run(task)) for task in ready}
                if not running:
                    return self._progress
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for ended in done:
                    ended.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, task: Task) -> None:
        if task.first.action is Action.REBOOT_MASTER:
            async with self._reboot_lock(task.first):
                await self._do(task)
        else:
            await self._do(task)

    def _reboot_lock(self, step: Step) -> asyncio.Lock:
        group = self._context.plan.site(step.site).group if self._context.options.parallel_groups else ""
        return self._reboots.setdefault(group, asyncio.Lock())

    async def _do(self, task: Task) -> None:
        if self._progress.failures or self._context.stop.requested:
            return
        try:
            if task.first.action is Action.REBOOT_MASTER:
                await self._do_pair(task)
            else:
                await self._do_step(task.first)
        except StoppedError:
            return
        except StepError as error:
            self._fail(error)

    async def _do_step(self, step: Step) -> None:
        self._telling.begin(step)
        try:
            outcome = await self._outcome(step)
        except UnitError as error:
            raise _unexpected(step, error) from None
        self._record(step, outcome)
        self._telling.end(step, outcome)

    async def _do_pair(self, task: Task) -> None:
        """Do both steps of a pair, which tell themselves; they count once they have both ended, or one has failed."""
        reboot, resubmission = task.steps
        if without := self._without_reboot(reboot):
            for step in task.steps:
                self._telling.begin(step)
                self._record(step, without)
                self._telling.end(step, without)
            return
        pair = PairReboot(Pair(self._context, reboot, resubmission), self._telling)
        failed: StepError | None = None
        try:
            await pair.run()
        except StepError as error:
            failed = error
        except UnitError as error:
            under_way = reboot if reboot.id not in pair.outcomes else resubmission
            failed = _unexpected(under_way, error)
        for step in task.steps:
            if step.id in pair.outcomes and not (failed and failed.step.id == step.id):
                self._record(step, pair.outcomes[step.id])
        if failed:
            raise failed

    def _without_reboot(self, reboot: Step) -> Outcome | None:
        """Say why a pair is not rebooted in this push, or nothing where it is."""
        if self._context.options.reboot is RebootMode.NEVER:
            return Outcome(StepState.LEFT_OUT, None, "no reboot is wanted")
        if is_to_be_rebooted(self._context, reboot.site):
            return None
        if self._context.journal.history.was_finished(reboot.site):
            return Outcome(StepState.RECORDED, None, "the journal has it")
        return Outcome(StepState.NOT_NEEDED, None, "its partners did not change")

    async def _outcome(self, step: Step) -> Outcome:
        match step.action:
            case Action.CREATE_LOAD_BALANCER:
                return ha_steps.leave_balancer_to_aws()
            case _ if step.phase is Phase.HA and self._is_rebooting(step):
                return Outcome(StepState.RECORDED, None, "the journal has it, and the pair is being rebooted")
            case Action.SET_MASTER_HA_PARAMETERS | Action.SET_SLAVE_HA_PARAMETERS:
                return await ha_steps.set_parameters(self._context, step)
            case Action.VERIFY_HA_PAIR:
                return await ha_steps.verify_pair(self._context, step)
            case Action.SET_REMOTE_GEO_ACCESS | Action.SET_GEO_PARTNERS:
                return await steps.set_list(self._context, step)
            case Action.ADD_CLUSTER:
                return await steps.add_cluster(self._context, step)
            case Action.RESUBMIT_GEO_PARTNERS:
                return await self._resubmit_on_standalone(step)
            case _:
                raise StepError(step, "it is no step that a push can do")

    def _is_rebooting(self, step: Step) -> bool:
        """Tell whether the push that this one resumes had come to the reboot of a step's pair, and not to its end."""
        under_way = (PairProgress.REBOOTING, PairProgress.RESUBMITTED)
        return self._context.journal.history.progress(step.site) in under_way

    async def _resubmit_on_standalone(self, step: Step) -> Outcome:
        if self._context.options.reboot is RebootMode.NEVER:
            return Outcome(StepState.LEFT_OUT, None, "no resubmission is wanted")
        if not self._group_was_touched(step):
            return Outcome(StepState.NOT_NEEDED, None, "nothing was changed or rebooted in its group")
        return await steps.resubmit_on_standalone(self._context, step)

    def _group_was_touched(self, step: Step) -> bool:
        """Tell whether partners were changed, or a pair rebooted, in a step's group in this push."""
        history = self._context.journal.history
        group = self._context.plan.site(step.site).group
        sites = [site.name for site in self._context.plan.sites if site.group == group]
        return any(history.was_touched(site) for site in sites)

    def _record(self, step: Step, outcome: Outcome) -> None:
        self._context.journal.write("step", id=step.id, site=step.site, state=outcome.state.value, unit=outcome.unit)
        self._progress.outcomes[step.id] = outcome

    def _fail(self, error: StepError) -> None:
        self._progress.failures.append(error)
        self._context.journal.write(
            "step",
            id=error.step.id,
            site=error.step.site,
            state=StepState.FAILED.value,
            unit=error.unit,
            why=str(error),
        )
        self._telling.end(error.step, Outcome(StepState.FAILED, error.unit, str(error)))


def _unexpected(step: Step, error: UnitError) -> StepError:
    """Return the failure of a step that meets what none expects, such as a certificate that changed meanwhile."""
    return StepError(step, reason_of(error), unit=error.unit, hint=error.hint)
