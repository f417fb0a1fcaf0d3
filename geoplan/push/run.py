"""A push from its lock to its proof."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import PushRefusedError, PushStoppedError, TooManyOpenFilesError, UnusableFileError
from geoplan.live.findings.compare import Report, is_seen_green, verify
from geoplan.live.fleet import NoActiveUnitError
from geoplan.live.links import standbys_shown_green
from geoplan.live.polling import until
from geoplan.live.survey import observe_for_preflight, observe_for_verify
from geoplan.plan.model import Action, Phase
from geoplan.push.backups import back_up
from geoplan.push.context import Context, RebootMode, Seen, Stop
from geoplan.push.events import Event, EventKind, StepState
from geoplan.push.executor import Executor, Progress
from geoplan.push.guard import guarded
from geoplan.push.history import PairProgress
from geoplan.push.partner_links import record_sights
from geoplan.push.preflight import PreflightInput, PreflightResult, check
from geoplan.push.resume import GO_ON, check_resume
from geoplan.push.state_dir import make_own, usable
from geoplan.push.store import Store, addresses_of, unit_keys
from geoplan.push.submission import submit_where_red
from geoplan.push.summary import stopped_because
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from geoplan.live.fleet import Fleet
    from geoplan.live.model import Observations
    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Options
    from geoplan.push.events import Reporter
    from geoplan.push.history import History
    from geoplan.push.journal import Journal
    from geoplan.push.ledger import Ledger
    from geoplan.push.preflight import Problem


@dataclass(frozen=True)
class Found:
    """What the checks before a push found, for whoever decides whether it may begin."""

    options: Options
    """With what a push that is resumed was begun with."""
    facts: Observations
    verdict: PreflightResult
    before: Report


@dataclass(frozen=True)
class PushJob:
    """One push: on which units, as the operator wishes, and where it is written down."""

    fleet: Fleet
    options: Options
    folder: Path | Store
    """What is kept of pushes on its units; a folder alone is that of pushes to real units."""
    max_clusters: int
    report: Reporter
    objections: Callable[[Found], Sequence[Problem]] = lambda _found: ()
    """What blocks this push beside the checks: such as an approval that does not fit."""
    confirm: Callable[[Found], bool] = lambda _found: True
    backup_folder: Path | None = None
    resume: bool = False
    only_preflight: bool = False
    stop: Stop = field(default_factory=Stop)

    @property
    def store(self) -> Store:
        """What is kept of pushes on its units."""
        if isinstance(self.folder, Store):
            return self.folder
        return Store(self.folder, unit_keys(addresses_of(self.fleet.plan)))


@dataclass(frozen=True)
class PushResult:
    """How a push ended that was neither refused nor stopped."""

    verdict: PreflightResult
    report: Report
    progress: Progress
    unfinished_pairs: tuple[str, ...] = ()
    journal: Path | None = None
    declined: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether everything is in place, and proved."""
        is_proved = self.report.is_in_place and self.report.is_proven
        return is_proved and not self.unfinished_pairs and not self.declined


async def run_push(mission: PushJob) -> PushResult:
    """Carry a plan out, or go on with it.

    Raises :class:`PushRefusedError` while nothing has been changed, :class:`PushStoppedError` once something may have
    been; what was done then stands in the journal. Raises :class:`UnusableFileError`, with nothing changed, where the
    journal or the backups cannot be written.
    """
    store = mission.store
    with usable(store.state):
        make_own(store.state)
    with store.locked(mission.fleet.plan.topology, store.nat_keys(mission.fleet.plan)) as running:
        past = store.past()
        ledger = past.ledger
        stands = check_resume(mission.fleet.plan, past.unfinished, resume=mission.resume, running=running)
        history = stands.unfinished  # the units are held against where it left them, even where it is not resumed yet
        options = mission.options.resumed_with(history.options) if history else mission.options
        began = mission.fleet.clock.now()
        if history and not running:
            await _let_pairs_settle(mission, history, began)
        facts = await observe_for_preflight(mission.fleet)
        now = mission.fleet.clock.wall()
        background = PreflightInput(options, mission.max_clusters, now, ledger, history)
        verdict = check(mission.fleet.plan, facts, background)
        before = verify(mission.fleet.plan, facts, ledger.known_links(), forming=verdict.forms)
        objections = mission.objections(Found(options, facts, verdict, before))
        verdict = replace(verdict, problems=(*stands.problems, *objections, *verdict.problems))
        _tell_preflight(mission, verdict, began)
        if not verdict.is_clear:
            raise PushRefusedError(
                f"{count(len(verdict.problems), 'problem')} found, nothing was changed",
                [str(problem) for problem in verdict.problems],
                hint=GO_ON if stands.may_resume else None,
                may_resume=stands.may_resume,
            )
        if mission.only_preflight:
            return PushResult(verdict, before, Progress())
        if before.is_configured and not verdict.changes_units and history is None:
            return PushResult(verdict, before, Progress(), _left_out(mission, options, ledger))
        if not mission.confirm(Found(options, facts, verdict, before)):
            return PushResult(verdict, before, Progress(), declined=True)
        with _open_journal(mission, options, history, ledger) as journal:
            forms = frozenset(verdict.forms)
            fleet, seen = guarded(mission.fleet, journal, forms), Seen.in_facts(facts)
            context = Context(fleet, journal, options, mission.report, mission.stop, began, seen, forms)
            return await _change(mission, context, facts, verdict)


async def _let_pairs_settle(mission: PushJob, history: History, began: float) -> None:
    """Let a failover that the interrupted push began come to its end before all units are looked at."""
    for site in mission.fleet.plan.sites:
        if history.progress(site.name) in (PairProgress.REBOOTING, PairProgress.RESUBMITTED):
            with suppress(NoActiveUnitError):  # the checks say so, together with everything else
                await mission.fleet.active(
                    site, on_wait=_noting(mission, f"one unit of '{site.name}' is active", began)
                )


def _noting(mission: PushJob, what: str, began: float) -> Callable[[float], None]:
    def tell(at_most: float) -> None:
        seconds = mission.fleet.clock.now() - began
        mission.report(Event(EventKind.NOTE, seconds, f"waiting until {what}, at most {at_most:.0f} s"))

    return tell


def _open_journal(mission: PushJob, options: Options, history: History | None, ledger: Ledger) -> Journal:
    if history:
        return mission.store.resume(history, mission.fleet.clock, ledger)
    return mission.store.begin(mission.fleet.plan, options.as_plain(), mission.fleet.clock, ledger)


async def _change(mission: PushJob, context: Context, facts: Observations, verdict: PreflightResult) -> PushResult:
    # A folder of its own for each push: no backup ever takes an earlier one's place.
    backups = (mission.backup_folder or mission.store.backups) / context.journal.path.stem
    try:
        await back_up(context, facts, backups)
    except (PushRefusedError, UnusableFileError, TooManyOpenFilesError, asyncio.CancelledError) as error:
        if not context.journal.history.has_changes:
            outcome = "interrupted" if isinstance(error, asyncio.CancelledError) else "refused"
            with suppress(UnusableFileError):  # the journal itself may be what has no room
                context.journal.write("end", outcome=outcome)
        raise
    with _stopping_for_this_machine():
        return await _do_and_verify(mission, context, verdict)


@contextmanager
def _stopping_for_this_machine() -> Iterator[None]:
    """Stop a push that has begun where this machine fails it: without its journal, or a connection, it goes no further.

    Raises :class:`PushStoppedError` then: it can be resumed.
    """
    try:
        yield
    except (UnusableFileError, TooManyOpenFilesError) as error:
        raise PushStoppedError(f"the push stopped before its end: {error}", hint=error.hint) from None


async def _do_and_verify(mission: PushJob, context: Context, verdict: PreflightResult) -> PushResult:
    progress = await _do_phases(mission, context)
    if progress.failures or not progress.has_ended(step.id for step in context.plan.steps):
        context.journal.write("stopped", outcome="stopped", why=[str(error) for error in progress.failures])
        raise PushStoppedError(stopped_because(context.plan, progress))
    context.say(EventKind.VERIFYING, "reading everything back")
    report, facts = await _verified(context)
    if await submit_where_red(context, report):
        report, facts = await _verified(context)
    if report.undone:
        why = [f"{found.site}: {found.message}" for found in report.undone]
        context.journal.write("stopped", outcome="not verified", why=why)
        raise PushStoppedError("every step was done, but the units do not hold the plan: " + "; ".join(why))
    _record_green_standbys(context, facts)
    record_sights(context, report)
    unfinished = _unfinished(context, progress, report, facts)
    outcome = "done" if report.is_in_place and not unfinished else "done with findings"
    context.journal.write("end", outcome=outcome, unfinished_pairs=list(unfinished))
    context.say(EventKind.VERIFIED, outcome)
    return PushResult(verdict, report, progress, unfinished, context.journal.path)


async def _do_phases(mission: PushJob, context: Context) -> Progress:
    """Do the phases one after the other; pairs that were formed are held against what GEO needs of them first."""
    executor, progress = Executor(context), Progress()
    for phase in context.plan.phases():
        if phase is Phase.GEO and any(context.journal.history.was_formed(pair.site) for pair in context.plan.ha_pairs):
            await _require_ready_for_geo(mission, context)
        progress = await executor.run(phase)
        if progress.failures or context.stop.requested:
            break
    return progress


async def _require_ready_for_geo(mission: PushJob, context: Context) -> None:
    """Check everything again before the first GEO step. Raises :class:`PushStoppedError` with all that is wrong."""
    facts = await observe_for_preflight(context.fleet)
    now, history = mission.fleet.clock.wall(), context.journal.history
    background = PreflightInput(context.options, mission.max_clusters, now, context.ledger, history)
    verdict = check(context.plan, facts, background)
    if not verdict.is_clear:
        why = [str(problem) for problem in verdict.problems]
        context.journal.write("stopped", outcome="stopped", why=why)
        lines = "\n".join(f"  {problem}" for problem in why)
        raise PushStoppedError(f"the pairs are formed, but GEO cannot be set up on them yet:\n{lines}")


async def _verified(context: Context) -> tuple[Report, Observations]:
    """Compare everything with the plan; what is still on its way between partners is given its time."""
    seen: list[tuple[Report, Observations]] = []
    began = context.clock.now()

    async def look() -> bool | None:
        facts = await observe_for_verify(context.fleet)
        report = verify(context.plan, facts, context.ledger.known_links())
        seen.append((report, facts))
        if report.is_in_place and report.is_proven:
            return True
        # Links settle soon or not at all; only what is replicated may take longer.
        is_late = context.clock.now() - began >= context.timings.settle_timeout
        return True if is_late and not report.undone else None

    def tell(at_most: float) -> None:
        context.say(EventKind.VERIFYING, f"not everything is as planned yet; looking again for {at_most:.0f} s")

    every = max(context.timings.poll_seconds, min(5.0, context.timings.sync_seconds / 4))
    await until(context.clock, look, within=_time_to_settle(context), every=every, on_wait=tell)
    return seen[-1]


def _time_to_settle(context: Context) -> float:
    """Return how long what was entered may take to reach partners and standbys."""
    return max(context.timings.settle_timeout, context.timings.replication_deadline)


def _record_green_standbys(context: Context, facts: Observations) -> None:
    """Record which standbys others show green: from now on, none of them is red only because it is the standby."""
    known = context.ledger.known_links().green_standbys
    for standby, units in standbys_shown_green(context.plan, facts).items():
        if canonical(standby) not in known:
            site = next(site for site in context.plan.sites if any(unit.address == standby for unit in site.units))
            context.journal.write("green_standby", site=site.name, unit=standby, on=units)


def _unfinished(context: Context, progress: Progress, report: Report, facts: Observations) -> tuple[str, ...]:
    """Return the pairs that a reboot would finish, as far as the report does not name them anyway.

    Their partners were changed, and their reboot was left out; or their slave saw nobody after its submission, and
    nobody has said since that it sees the slave; or it saw some, and not one to which nothing else proves its link.
    """
    reboots = [step for step in context.plan.steps if step.action is Action.REBOOT_MASTER]
    left_out = dict.fromkeys(step.site for step in reboots if _is_left_out(progress, step.id))
    owed = [site for site in left_out if _is_owed(context, site)]
    pairs = [step.site for step in progress.red_steps(context.plan) if step.on.unit == "new_active"]
    unseen = [site for site in pairs if not is_seen_green(context.plan.site(site).units[1], facts)]
    unseen += [site.name for site in context.plan.sites if _is_partly_linked(context, report, site)]
    return tuple(dict.fromkeys((*owed, *(site for site in unseen if site not in report.pairs_to_finish))))


def _is_partly_linked(context: Context, report: Report, site: SiteSettings) -> bool:
    """Return whether a slave showed partners green while it was active, and not all: a submission failed in part."""
    if site.kind != "ha_pair":
        return False
    slave = site.units[1].address
    return slave in report.unproven and bool(context.ledger.seen_red(slave))


def _is_owed(context: Context, site: str) -> bool:
    return context.journal.history.is_owed(site) or context.ledger.owes_reboot(context.plan.site(site))


def _is_left_out(progress: Progress, step: str) -> bool:
    return step in progress.outcomes and progress.outcomes[step].state is StepState.LEFT_OUT


def _left_out(mission: PushJob, options: Options, ledger: Ledger) -> tuple[str, ...]:
    """Return the pairs that earlier pushes left unfinished, where this one does so, too."""
    if options.reboot is not RebootMode.NEVER:
        return ()
    return tuple(site.name for site in mission.fleet.plan.sites if ledger.owes_reboot(site))


def _tell_preflight(mission: PushJob, verdict: PreflightResult, began: float) -> None:
    message = "all units are ready" if verdict.is_clear else count(len(verdict.problems), "problem")
    details: dict[str, object] = {
        "problems": [str(problem) for problem in verdict.problems],
        "notes": [str(note) for note in verdict.notes],
        "note_kinds": [note.kind.value for note in verdict.notes],
        "findings": [asdict(finding) for finding in verdict.findings],
        "reboots": list(verdict.reboots),
        "resubmits": list(verdict.resubmits),
    }
    seconds = mission.fleet.clock.now() - began
    mission.report(Event(EventKind.PREFLIGHT, seconds, message, details=details))
