"""A push from its lock to its proof."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import PushRefusedError, PushStoppedError, TooManyOpenFilesError, UnusableFileError
from geoplan.live.findings.compare import Report, is_seen_green, verify
from geoplan.live.findings.ha_changes import pairs_with_ports_apart
from geoplan.live.fleet import NoActiveUnitError
from geoplan.live.links import standbys_shown_green
from geoplan.live.survey import observe_for_preflight, observe_for_verify
from geoplan.plan.drill import drilled_site
from geoplan.plan.model import Phase
from geoplan.push.actions.resubmit_geo_partners import submit_where_red
from geoplan.push.backups import back_up, prune
from geoplan.push.change_progress import is_left_to_change, units_to_renew
from geoplan.push.context import Context, Seen
from geoplan.push.events import EventKind
from geoplan.push.executor import Executor, Progress
from geoplan.push.freeze import frozen_problems, require_thawed
from geoplan.push.guarded_unit import guarded
from geoplan.push.history import PairProgress
from geoplan.push.leavers import tell_of_cuts, tell_of_leavers, tell_of_new_boxes
from geoplan.push.listener import Found, Reporter
from geoplan.push.partner_links import record_sights
from geoplan.push.past_pushes import GO_ON, check_resume
from geoplan.push.ports_apart import mend, only_of, require_ready, what_comes_first
from geoplan.push.preflight import PreflightInput, PreflightResult, check
from geoplan.push.reboots import left_due
from geoplan.push.set_aside import explained_as_left
from geoplan.push.state_dir import make_own, usable
from geoplan.push.summary import stopped_because
from geoplan.push.undoing import mark_undone, what_was_found
from geoplan.push.waiting_image import image_problems
from geoplan.push.window import reboot_problems
from geoplan.wording import count, join_words, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geoplan.live.fleet import Fleet
    from geoplan.live.model import Observations
    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Stop
    from geoplan.push.history import History
    from geoplan.push.journal import Journal
    from geoplan.push.ledger import Ledger
    from geoplan.push.listener import PushListener
    from geoplan.push.options import Options
    from geoplan.push.store import Store


@dataclass(frozen=True)
class PushResult:
    """How a push ended that was neither refused nor stopped."""

    verdict: PreflightResult
    report: Report
    progress: Progress
    unfinished_pairs: tuple[str, ...] = ()
    journal: Path | None = None
    declined: bool = False
    unproven: tuple[str, ...] = ()
    """The slaves of which nobody has seen all links to boxes that are new, which notes say."""
    left_alone: tuple[str, ...] = ()
    """The sites that leave and did not answer: the report is without them, and a note says what is left to do there."""

    @property
    def green_but_unproven(self) -> str:
        """What to say of links that units tell green, where some of slaves are told by nobody; empty elsewhere."""
        slaves = some_of(self.unproven)
        return f"all links that units tell are green; not proven: links of {slaves}" if slaves else ""

    @property
    def is_complete(self) -> bool:
        """Whether everything is in place, and proved; of sites that were left alone nothing is claimed."""
        is_proved = self.report.is_in_place and self.report.is_proven
        return is_proved and not self.unfinished_pairs and not self.declined


async def run_push(
    fleet: Fleet, options: Options, store: Store, listener: PushListener, *, stop: Stop | None = None
) -> PushResult:
    """Carry a plan out, or go on with it; ``store`` is what is kept of pushes on its units.

    Raises :class:`PushRefusedError` while nothing has been changed, :class:`PushStoppedError` once something may have
    been; what was done then is in the journal. Raises :class:`UnusableFileError`, with nothing changed, where the
    journal or the backups cannot be written.
    """
    plan = fleet.plan
    make_ready(store, options)
    with store.locked(plan.topology, store.nat_keys(plan)) as running:
        past = store.past()
        ledger = past.ledger
        undone = past.unfinished if past.unfinished and past.unfinished.name == options.undoes else None
        unfinished = None if undone else past.unfinished
        reporter = Reporter(listener, fleet.clock)
        command = reporter.typed_about(unfinished)
        resumed = check_resume(plan, unfinished, resume=options.resume, running=running, command=command)
        history = resumed.unfinished  # the units are held against where it left them, even where it is not resumed yet
        if history:
            options = options.resumed_with(history.begin.options.as_options())
        if history and not running:
            await _let_pairs_settle(fleet, history, reporter)
        facts = await observe_for_preflight(fleet)
        now = fleet.clock.wall()
        background = PreflightInput(options, options.max_clusters, now, ledger, history, reporter.typed)
        verdict = check(plan, facts, background)
        before = verify(plan, facts, ledger.known_links(), forming=verdict.forms)
        objections = listener.objections(Found(options, facts, verdict, before))
        objections = (*objections, *frozen_problems(store.state), *reboot_problems(fleet, options, verdict.reboots))
        later = verdict.put_off if options.only_preflight else ()
        own = explained_as_left(verdict.problems, plan, past.left_aside, reporter.typed_about)
        masters = [plan.site(name).units[0].address for name in verdict.reboots]
        own = (*own, *image_problems(masters, facts, past.waiting, reporter.typed))
        verdict = replace(verdict, problems=(*resumed.problems, *objections, *own, *later))
        reporter.say(EventKind.PREFLIGHT, readiness(verdict), verdict=verdict)
        require_clear(verdict, may_resume=resumed.may_resume)
        if options.only_preflight:
            return PushResult(verdict, before, Progress())
        for line in what_comes_first(verdict):
            reporter.say(EventKind.NOTE, line)
        is_left = is_left_to_change(plan, facts, units_to_renew(plan, ledger, history))
        if before.is_configured and not verdict.changes_units and history is None and not is_left:
            if undone:  # it had changed nothing that is still there
                mark_undone(undone, fleet.clock)
            return PushResult(verdict, before, Progress(), left_due(plan, options, ledger, verdict.unsubmitted))
        if not listener.may_begin(Found(options, facts, verdict, before)):
            return PushResult(verdict, before, Progress(), declined=True)
        require_thawed(store.state)  # whoever answers may have taken an hour
        if undone:
            mark_undone(undone, fleet.clock)
        with begin_or_resume(fleet, store, options, history, ledger) as journal:
            if history is None:
                journal.write("found", **what_was_found(plan, facts))
            for site, partners in verdict.unsubmitted.items():
                journal.write("unsubmitted", site=site, partners=partners)
            forms = frozenset(verdict.forms)
            guards = guarded(fleet, journal, forms)
            context = Context(guards, journal, options, reporter, stop=stop, seen=Seen.in_facts(facts), forms=forms)
            result = await _change(context, facts, verdict, background, options.backup_folder or store.backups)
            prune_backups(context, store)
            return result


def readiness(verdict: PreflightResult) -> str:
    """Say in short what the checks found: which units are ready, and which were not looked at for that."""
    if not verdict.is_clear:
        return count(len(verdict.problems), "problem")
    if verdict.put_off:
        return f"the units that come first are ready; of others {count(len(verdict.put_off), 'problem')}, put off"
    if not verdict.left_alone:
        return "all units are ready"
    alone = join_words([f"'{site}'" for site in sorted(verdict.left_alone)])
    return f"all units are ready but those of {alone}, left alone"


def make_ready(store: Store, options: Options) -> None:
    """Have a folder for what the push writes down. Raises :class:`PushRefusedError` where nobody is to push."""
    with usable(store.state):
        make_own(store.state)
    if not options.only_preflight:
        require_thawed(store.state)


def require_clear(verdict: PreflightResult, *, may_resume: bool) -> None:
    """Raise :class:`PushRefusedError` with everything that blocks a push."""
    if not verdict.is_clear:
        raise PushRefusedError(
            f"{count(len(verdict.problems), 'problem')} found, nothing was changed",
            [str(problem) for problem in verdict.problems],
            hint=GO_ON if may_resume else None,
            may_resume=may_resume,
        )


async def _let_pairs_settle(fleet: Fleet, history: History, reporter: Reporter) -> None:
    """Let a failover that the interrupted push began come to its end before all units are looked at."""
    for site in fleet.plan.sites:
        if history.progress(site.name) not in (PairProgress.REBOOTING, PairProgress.RESUBMITTED):
            continue

        def tell(at_most: float, name: str = site.name) -> None:
            reporter.say(EventKind.NOTE, f"waiting until one unit of '{name}' is active, at most {at_most:.0f} s")

        with suppress(NoActiveUnitError):  # the checks say so, together with everything else
            await fleet.active(site, on_wait=tell)


def begin_or_resume(fleet: Fleet, store: Store, options: Options, history: History | None, ledger: Ledger) -> Journal:
    """Start the journal of a push, or open that of the one that is resumed."""
    if history:
        return store.resume(history, fleet.clock, ledger)
    units = sorted(units_to_renew(fleet.plan, ledger))
    journal = store.begin(fleet.plan, options, fleet.clock, ledger)
    if units:
        journal.write("renewed", units=units)
    return journal


async def _change(
    context: Context, facts: Observations, verdict: PreflightResult, background: PreflightInput, backups: Path
) -> PushResult:
    # a folder of its own for each push: no backup ever takes an earlier one's place
    folder, executor = backups / context.journal.path.stem, Executor(context)
    split = pairs_with_ports_apart(context.plan, facts)
    await backed_up(context, only_of(split, facts) if verdict.put_off else facts, folder)
    with stopping_for_this_machine():
        await mend(context, executor, split)
        if verdict.put_off and executor.may_begin:
            await require_ready(context, partial(_checked, context, background), partial(back_up, folder=folder))
        return await _do_and_verify(context, executor, verdict)


def _checked(context: Context, background: PreflightInput, facts: Observations) -> PreflightResult:
    return check(context.plan, facts, replace(background, now=context.clock.wall()))


async def backed_up(context: Context, facts: Observations, folder: Path) -> None:
    """Back all units up; a push that cannot, and has changed nothing, ends there."""
    try:
        await back_up(context, facts, folder)
    except (PushRefusedError, UnusableFileError, TooManyOpenFilesError, asyncio.CancelledError) as error:
        if not context.history.has_changes:
            outcome = "interrupted" if isinstance(error, asyncio.CancelledError) else "refused"
            with suppress(UnusableFileError):  # the journal itself may be what has no room
                context.journal.write("end", outcome=outcome)
        raise


def prune_backups(context: Context, store: Store) -> None:
    """Remove backups that are kept no longer; a push that is done is none the worse where that fails."""
    if context.options.keep_backups is None:
        return
    try:
        failures = prune(store, context.ledger, context.options.keep_backups)
    except (UnusableFileError, OSError) as error:
        failures = [f"old backups were not looked at: {error}"]
    for failure in failures:
        context.reporter.say(EventKind.NOTE, failure)


@contextmanager
def stopping_for_this_machine() -> Iterator[None]:
    """Stop a push that has begun where this machine fails it: without its journal, or a connection, it goes no further.

    Raises :class:`PushStoppedError` then: it can be resumed.
    """
    try:
        yield
    except (UnusableFileError, TooManyOpenFilesError) as error:
        raise PushStoppedError(f"the push stopped part-way: {error}", hint=error.hint) from None


async def _do_and_verify(context: Context, executor: Executor, verdict: PreflightResult) -> PushResult:
    progress = await _do_phases(context, executor)
    if progress.failures or not progress.has_ended(step.id for step in context.plan.steps):
        context.journal.write("stopped", outcome="stopped", why=[str(error) for error in progress.failures])
        raise PushStoppedError(stopped_because(context.plan, progress))
    context.reporter.say(EventKind.VERIFYING, "reading everything back")
    report, facts = await _verified(context)
    is_drill = drilled_site(context.plan) is not None
    if not is_drill and await submit_where_red(context, report):
        report, facts = await _verified(context)
    if undone := report.undone:
        why = [f"{found.site}: {found.message}" for found in undone]
        context.journal.write("stopped", outcome="not verified", why=why)
        raise PushStoppedError("every step was done, but the units do not have what the plan says: " + "; ".join(why))
    _record_green_standbys(context, facts)
    record_sights(context, report)
    unfinished = _unfinished(context, progress, report, facts)
    tell_of_leavers(context)
    tell_of_cuts(context)
    unproven = tell_of_new_boxes(context)
    is_red = is_drill and bool(progress.red_steps(context.plan))
    outcome = "done" if report.is_in_place and not unfinished and not is_red else "done with findings"
    context.journal.write("end", outcome=outcome, unfinished_pairs=list(unfinished))
    context.reporter.say(EventKind.VERIFIED, outcome)
    left_alone = tuple(context.left_alone)
    path = context.journal.path
    return PushResult(verdict, report, progress, unfinished, path, unproven=unproven, left_alone=left_alone)


async def _do_phases(context: Context, executor: Executor) -> Progress:
    """Do the phases one after the other; pairs that were formed are held against what GEO needs of them first."""
    progress = Progress()
    for phase in context.plan.phases():
        if phase is Phase.GEO and any(context.history.was_formed(pair.site) for pair in context.plan.ha_pairs):
            await _require_ready_for_geo(context)
        progress = await executor.run(phase)
        if progress.failures or context.stop.requested:
            break
    return progress


async def _require_ready_for_geo(context: Context) -> None:
    """Check everything again before the first GEO step. Raises :class:`PushStoppedError` with all that is wrong."""
    facts = await observe_for_preflight(context.fleet)
    options, now = context.options, context.clock.wall()
    typed = context.reporter.typed
    background = PreflightInput(options, options.max_clusters, now, context.ledger, context.history, typed)
    verdict = check(context.plan, facts, background)
    if why := [str(problem) for problem in (*verdict.problems, *verdict.put_off)]:
        context.journal.write("stopped", outcome="stopped", why=why)
        lines = "\n".join(f"  {problem}" for problem in why)
        raise PushStoppedError(f"the pairs are formed, but something blocks GEO on them:\n{lines}")


async def _verified(context: Context) -> tuple[Report, Observations]:
    """Compare everything with the plan; what is still on its way between partners is given its time."""
    seen: list[tuple[Report, Observations]] = []
    began = context.clock.now()

    async def look() -> bool | None:
        facts = await observe_for_verify(context.fleet)
        report = verify(context.plan, facts, context.ledger.known_links()).without(context.left_alone)
        seen.append((report, facts))
        if report.is_in_place and report.is_proven:
            return True
        # Links settle soon or not at all; only what is replicated may take longer.
        is_late = context.clock.now() - began >= context.timings.settle_timeout
        return True if is_late and report.is_configured else None

    def tell(at_most: float) -> None:
        context.reporter.say(
            EventKind.VERIFYING, f"not everything is as planned yet; looking again for {at_most:.0f} s"
        )

    every = max(context.timings.poll_seconds, min(5.0, context.timings.sync_seconds / 4))
    await context.until(look, within=_time_to_settle(context), every=every, on_wait=tell)
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

    Their reboot is due, and was left out now or by an earlier push; or their slave saw nobody after its submission, and
    nobody has said since that it sees the slave; or it saw some, and not one to which nothing else proves its link.
    """
    owed = left_due(context.plan, context.options, context.ledger)
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
