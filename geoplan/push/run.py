"""A push from its lock to its proof."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geoplan.errors import PushRefusedError, PushStoppedError, UnusableFileError
from geoplan.push import journal as journals
from geoplan.push.backups import back_up
from geoplan.push.context import Context, RebootMode, Stop
from geoplan.push.events import Event, EventKind, StepState
from geoplan.push.executor import Executor, Progress
from geoplan.push.fleet import NoActiveUnitError
from geoplan.push.history import PairProgress
from geoplan.push.journal import Journal
from geoplan.push.lock import only_push
from geoplan.push.observe import observe_for_preflight, observe_for_verify
from geoplan.push.places import make_private
from geoplan.push.preflight import Background, Verdict, check
from geoplan.push.summary import stopped_because
from geoplan.push.verify import Report, verify
from geoplan.push.waits import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from geoplan.push.context import Options
    from geoplan.push.events import Reporter
    from geoplan.push.facts import Facts
    from geoplan.push.fleet import Fleet
    from geoplan.push.history import History


@dataclass(frozen=True)
class Mission:
    """One push: on which units, as the operator wishes, and where it is written down."""

    fleet: Fleet
    options: Options
    folder: Path
    """Where this topology's journals are."""
    max_clusters: int
    report: Reporter
    confirm: Callable[[Verdict, Report], bool] = lambda _verdict, _report: True
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
    been; what was done then stands in the journal.
    """
    make_private(mission.folder)
    with only_push(mission.folder):
        earlier = journals.histories(mission.folder)
        history = _history_to_resume(mission, earlier)
        options = mission.options.resumed_with(history.options) if history else mission.options
        began = mission.fleet.clock.now()
        if history:
            await _let_pairs_settle(mission.fleet, history)
        facts = await observe_for_preflight(mission.fleet)
        background = Background(options, mission.max_clusters, mission.fleet.clock.wall(), earlier, history)
        verdict = check(mission.fleet.plan, facts, background)
        before = verify(mission.fleet.plan, facts)
        _tell_preflight(mission, verdict, began)
        if not verdict.is_clear:
            raise PushRefusedError(
                f"{len(verdict.problems)} problem{'s'[: len(verdict.problems) > 1]} found, nothing was changed",
                [str(problem) for problem in verdict.problems],
            )
        if mission.only_preflight:
            return Result(verdict, before, Progress())
        if before.is_configured and not verdict.reboots and history is None:
            return Result(verdict, before, Progress(), _left_out(mission, options))
        if not mission.confirm(verdict, before):
            return Result(verdict, before, Progress(), declined=True)
        with _open_journal(mission, options, history) as journal:
            context = Context(mission.fleet, journal, options, mission.report, mission.stop, began)
            return await _change(mission, context, facts, verdict)


def _history_to_resume(mission: Mission, earlier: tuple[History, ...]) -> History | None:
    unfinished = next((history for history in reversed(earlier) if history.records and not history.is_finished), None)
    if unfinished is None:
        if mission.resume:
            raise PushRefusedError("there is no unfinished push to resume", hint="push without --resume")
        return None
    if mission.only_preflight and not mission.resume:
        return None
    if not mission.resume:
        began = f"{unfinished.records[0].at.astimezone():%Y-%m-%d %H:%M:%S}"
        raise PushRefusedError(
            f"the push that {unfinished.who} began at {began} is unfinished",
            hint="--resume goes on from it, --status shows it, --abandon gives it up",
        )
    if unfinished.checksum != mission.fleet.plan.checksum:
        raise PushRefusedError(
            f"the unfinished push carries out the plan {unfinished.checksum}, and the topology now gives "
            f"{mission.fleet.plan.checksum}",
            hint="resume with the topology as it was, or give the unfinished push up with --abandon",
        )
    return unfinished


async def _let_pairs_settle(fleet: Fleet, history: History) -> None:
    """Let a failover that the interrupted push began come to its end before all units are looked at."""
    for site in fleet.plan.sites:
        if history.progress(site.name) in (PairProgress.REBOOTING, PairProgress.RESUBMITTED):
            with suppress(NoActiveUnitError):  # the checks say so, together with everything else
                await fleet.active(site)


def _open_journal(mission: Mission, options: Options, history: History | None) -> Journal:
    if history:
        return Journal.resume(history.path, mission.fleet.clock)
    return Journal.begin(mission.folder, mission.fleet.plan, options.as_plain(), mission.fleet.clock)


async def _change(mission: Mission, context: Context, facts: Facts, verdict: Verdict) -> Result:
    # A folder of its own for each push: no backup ever takes an earlier one's place.
    backups = (mission.backup_folder or mission.folder / "backups") / context.journal.path.stem
    try:
        await back_up(context, facts, backups)
    except PushRefusedError:
        if not context.journal.history.has_changes:
            context.journal.write("end", outcome="refused")
        raise
    try:
        progress = await Executor(context).run()
    except UnusableFileError as error:  # without its journal a push goes no further
        raise PushStoppedError(f"the push stopped before its end: {error}", hint=error.hint) from None
    if progress.failures or not progress.has_ended(step.id for step in context.plan.steps):
        context.journal.write("stopped", outcome="stopped", why=[str(error) for error in progress.failures])
        raise PushStoppedError(stopped_because(context.plan, progress))
    context.say(EventKind.VERIFYING, "reading everything back")
    report = await _verified(context)
    # Without links partners share nothing: what is missing elsewhere then comes with the pair that is to be finished.
    if not report.is_configured and not report.pairs_to_finish:
        why = [f"{found.site}: {found.message}" for found in report.differences]
        context.journal.write("stopped", outcome="not verified", why=why)
        raise PushStoppedError("every step was done, but the units do not hold the plan: " + "; ".join(why))
    unfinished = _unfinished(context, progress)
    outcome = "done" if report.is_in_place and not unfinished else "done with findings"
    context.journal.write("end", outcome=outcome, unfinished_pairs=list(unfinished))
    context.say(EventKind.VERIFIED, outcome)
    return Result(verdict, report, progress, unfinished, context.journal.path)


async def _verified(context: Context) -> Report:
    """Compare everything with the plan; what is still on its way between partners is given its time."""
    reports: list[Report] = []

    async def look() -> bool | None:
        reports.append(verify(context.plan, await observe_for_verify(context.fleet)))
        return True if reports[-1].is_in_place else None

    every = max(context.timings.poll_seconds, min(5.0, context.timings.sync_seconds / 4))
    await until(context.clock, look, within=context.timings.settle_deadline, every=every)
    return reports[-1]


def _unfinished(context: Context, progress: Progress) -> tuple[str, ...]:
    """Return the pairs whose partners were changed, and whose reboot was left out."""
    left_out = {step.site for step in context.plan.steps if _is_left_out(progress, step.id)}
    return tuple(site for site in context.journal.history.owed_pairs if site in left_out)


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
