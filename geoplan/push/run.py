"""A push from its lock to its proof."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError, PushStoppedError, UnusableFileError
from geoplan.plan.model import Phase
from geoplan.push import journal as journals
from geoplan.push.backups import back_up
from geoplan.push.context import Context, RebootMode, Stop
from geoplan.push.events import Event, EventKind, StepState
from geoplan.push.executor import Executor, Progress
from geoplan.push.facts import SUBJECTS
from geoplan.push.fleet import NoActiveUnitError
from geoplan.push.history import PairProgress
from geoplan.push.journal import Journal
from geoplan.push.lock import try_to_be_only_push
from geoplan.push.observe import observe_for_preflight, observe_for_verify
from geoplan.push.places import make_private, usable
from geoplan.push.preflight import Background, Verdict, check
from geoplan.push.red_links import submit_where_red
from geoplan.push.summary import stopped_because
from geoplan.push.unfinished import GO_ON, standing
from geoplan.push.verify import Kind, Report, is_seen_green, verify
from geoplan.push.waits import until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from geoplan.push.context import Options
    from geoplan.push.events import Reporter
    from geoplan.push.facts import Facts
    from geoplan.push.fleet import Fleet
    from geoplan.push.history import History
    from geoplan.push.preflight import Problem


@dataclass(frozen=True)
class Found:
    """What the checks before a push found, for whoever decides whether it may begin."""

    options: Options
    """With what a push that is resumed was begun with."""
    facts: Facts
    verdict: Verdict
    before: Report


@dataclass(frozen=True)
class Mission:
    """One push: on which units, as the operator wishes, and where it is written down."""

    fleet: Fleet
    options: Options
    folder: Path
    """Where this topology's journals are."""
    max_clusters: int
    report: Reporter
    objections: Callable[[Found], Sequence[Problem]] = lambda _found: ()
    """What stands against this push beside the checks: such as an approval that does not fit."""
    confirm: Callable[[Found], bool] = lambda _found: True
    backup_folder: Path | None = None
    resume: bool = False
    only_preflight: bool = False
    stop: Stop = field(default_factory=Stop)


@dataclass(frozen=True)
class Result:
    """How a push ended that was neither refused nor stopped."""

    verdict: Verdict
    report: Report
    progress: Progress
    unfinished_pairs: tuple[str, ...] = ()
    journal: Path | None = None
    declined: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether everything is in place, and proved."""
        return self.report.is_in_place and not self.unfinished_pairs and not self.declined


async def carry_out(mission: Mission) -> Result:
    """Carry a plan out, or go on with it.

    Raises :class:`PushRefusedError` while nothing has been changed, :class:`PushStoppedError` once something may have
    been; what was done then stands in the journal. Raises :class:`UnusableFileError`, with nothing changed, where the
    journal or the backups cannot be written.
    """
    with usable(mission.folder):
        make_private(mission.folder)
    with try_to_be_only_push(mission.folder) as running:
        earlier = journals.histories(mission.folder)
        stands = standing(mission.fleet.plan, earlier, resume=mission.resume, running=running)
        history = stands.unfinished  # the units are held against where it left them, even where it is not resumed yet
        options = mission.options.resumed_with(history.options) if history else mission.options
        began = mission.fleet.clock.now()
        if history and not running:
            await _let_pairs_settle(mission, history, began)
        facts = await observe_for_preflight(mission.fleet)
        background = Background(options, mission.max_clusters, mission.fleet.clock.wall(), earlier, history)
        verdict = check(mission.fleet.plan, facts, background)
        before = verify(mission.fleet.plan, facts)
        objections = mission.objections(Found(options, facts, verdict, before))
        verdict = replace(verdict, problems=(*stands.problems, *objections, *verdict.problems))
        _tell_preflight(mission, verdict, began)
        if not verdict.is_clear:
            raise PushRefusedError(
                f"{len(verdict.problems)} problem{'s'[: len(verdict.problems) > 1]} found, nothing was changed",
                [str(problem) for problem in verdict.problems],
                hint=GO_ON if stands.may_resume else None,
                may_resume=stands.may_resume,
            )
        if mission.only_preflight:
            return Result(verdict, before, Progress())
        if before.is_configured and not verdict.reboots and not verdict.forms and history is None:
            return Result(verdict, before, Progress(), _left_out(mission, options))
        if not mission.confirm(Found(options, facts, verdict, before)):
            return Result(verdict, before, Progress(), declined=True)
        with _open_journal(mission, options, history) as journal:
            context = Context(mission.fleet, journal, options, mission.report, mission.stop, began)
            return await _change(mission, context, facts, verdict)


async def _let_pairs_settle(mission: Mission, history: History, began: float) -> None:
    """Let a failover that the interrupted push began come to its end before all units are looked at."""
    for site in mission.fleet.plan.sites:
        if history.progress(site.name) in (PairProgress.REBOOTING, PairProgress.RESUBMITTED):
            with suppress(NoActiveUnitError):  # the checks say so, together with everything else
                await mission.fleet.active(
                    site, on_wait=_noting(mission, f"one unit of '{site.name}' is active", began)
                )


def _noting(mission: Mission, what: str, began: float) -> Callable[[float], None]:
    def tell(at_most: float) -> None:
        seconds = mission.fleet.clock.now() - began
        mission.report(Event(EventKind.NOTE, seconds, f"waiting until {what}, at most {at_most:.0f} s"))

    return tell


def _open_journal(mission: Mission, options: Options, history: History | None) -> Journal:
    if history:
        return Journal.resume(history.path, mission.fleet.clock)
    return Journal.begin(mission.folder, mission.fleet.plan, options.as_plain(), mission.fleet.clock)


async def _change(mission: Mission, context: Context, facts: Facts, verdict: Verdict) -> Result:
    # A folder of its own for each push: no backup ever takes an earlier one's place.
    backups = (mission.backup_folder or mission.folder / "backups") / context.journal.path.stem
    try:
        await back_up(context, facts, backups)
    except (PushRefusedError, UnusableFileError, asyncio.CancelledError) as error:
        if not context.journal.history.has_changes:
            outcome = "interrupted" if isinstance(error, asyncio.CancelledError) else "refused"
            with suppress(UnusableFileError):  # the journal itself may be what has no room
                context.journal.write("end", outcome=outcome)
        raise
    try:
        progress = await _do_phases(mission, context)
    except UnusableFileError as error:  # without its journal a push goes no further
        raise PushStoppedError(f"the push stopped before its end: {error}", hint=error.hint) from None
    if progress.failures or not progress.has_ended(step.id for step in context.plan.steps):
        context.journal.write("stopped", outcome="stopped", why=[str(error) for error in progress.failures])
        raise PushStoppedError(stopped_because(context.plan, progress))
    context.say(EventKind.VERIFYING, "reading everything back")
    report, facts = await _verified(context)
    if context.options.reboot is not RebootMode.NEVER and await submit_where_red(context, report):
        report, facts = await _verified(context)
    # Without links partners share nothing: clusters missing elsewhere then come with the pair that is to be finished.
    lists_differ = any(found.subject in SUBJECTS for found in report.differences if found.kind is not Kind.RED)
    if lists_differ or not (report.is_configured or report.pairs_to_finish):
        why = [f"{found.site}: {found.message}" for found in report.differences]
        context.journal.write("stopped", outcome="not verified", why=why)
        raise PushStoppedError("every step was done, but the units do not hold the plan: " + "; ".join(why))
    unfinished = _unfinished(context, progress, report, facts)
    outcome = "done" if report.is_in_place and not unfinished else "done with findings"
    context.journal.write("end", outcome=outcome, unfinished_pairs=list(unfinished))
    context.say(EventKind.VERIFIED, outcome)
    return Result(verdict, report, progress, unfinished, context.journal.path)


async def _do_phases(mission: Mission, context: Context) -> Progress:
    """Do the phases one after the other; pairs that were formed are held against what GEO needs of them first."""
    executor, progress = Executor(context), Progress()
    for phase in context.plan.phases():
        if phase is Phase.GEO and any(context.journal.history.was_formed(pair.site) for pair in context.plan.ha_pairs):
            await _require_ready_for_geo(mission, context)
        progress = await executor.run(phase)
        if progress.failures or context.stop.requested:
            break
    return progress


async def _require_ready_for_geo(mission: Mission, context: Context) -> None:
    """Check everything again before the first GEO step. Raises :class:`PushStoppedError` with all that is wrong."""
    facts = await observe_for_preflight(mission.fleet)
    now, history = mission.fleet.clock.wall(), context.journal.history
    verdict = check(context.plan, facts, Background(context.options, mission.max_clusters, now, (history,), history))
    if not verdict.is_clear:
        why = [str(problem) for problem in verdict.problems]
        context.journal.write("stopped", outcome="stopped", why=why)
        lines = "\n".join(f"  {problem}" for problem in why)
        raise PushStoppedError(f"the pairs are formed, but GEO cannot be set up on them yet:\n{lines}")


async def _verified(context: Context) -> tuple[Report, Facts]:
    """Compare everything with the plan; what is still on its way between partners is given its time."""
    seen: list[tuple[Report, Facts]] = []

    async def look() -> bool | None:
        facts = await observe_for_verify(context.fleet)
        seen.append((verify(context.plan, facts), facts))
        return True if seen[-1][0].is_in_place else None

    def tell(at_most: float) -> None:
        context.say(EventKind.VERIFYING, f"not everything is as planned yet; looking again for {at_most:.0f} s")

    every = max(context.timings.poll_seconds, min(5.0, context.timings.sync_seconds / 4))
    await until(context.clock, look, within=context.timings.settle_deadline, every=every, on_wait=tell)
    return seen[-1]


def _unfinished(context: Context, progress: Progress, report: Report, facts: Facts) -> tuple[str, ...]:
    """Return the pairs that a reboot would finish, as far as the report does not name them anyway.

    Their partners were changed, and their reboot was left out; or their slave saw nobody after its submission, and
    nobody has said since that it sees the slave.
    """
    left_out = {step.site for step in context.plan.steps if _is_left_out(progress, step.id)}
    owed = [site for site in context.journal.history.owed_pairs if site in left_out]
    pairs = [step.site for step in progress.red_steps(context.plan) if step.on.unit == "new_active"]
    unseen = [site for site in pairs if not is_seen_green(context.plan.site(site).units[1], facts)]
    return tuple(dict.fromkeys((*owed, *(site for site in unseen if site not in report.pairs_to_finish))))


def _is_left_out(progress: Progress, step: str) -> bool:
    return step in progress.outcomes and progress.outcomes[step].state is StepState.LEFT_OUT


def _left_out(mission: Mission, options: Options) -> tuple[str, ...]:
    """Return the pairs that an earlier push without reboots left unfinished, where this one does so, too."""
    last = journals.latest(mission.folder)
    if last is None or options.reboot is not RebootMode.NEVER:
        return ()
    return last.owed_pairs


def _tell_preflight(mission: Mission, verdict: Verdict, began: float) -> None:
    count = len(verdict.problems)
    message = "all units are ready" if verdict.is_clear else f"{count} problem{'s'[: count > 1]}"
    details: dict[str, object] = {
        "problems": [str(problem) for problem in verdict.problems],
        "notes": list(verdict.notes),
        "reboots": list(verdict.reboots),
    }
    seconds = mission.fleet.clock.now() - began
    mission.report(Event(EventKind.PREFLIGHT, seconds, message, details=details))
