"""A push as a command: the question before it, signals while it goes on, and what is said at its end."""

from __future__ import annotations

import asyncio
import gc
from contextlib import nullcontext
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from geoplan.cli import faults, push_undo
from geoplan.cli.output import dropping_lost_output
from geoplan.cli.push_memory import PushMemory
from geoplan.cli.push_question import change_lines, destination_of, is_said, own_questions_are_accepted, require_reader
from geoplan.cli.push_record import Recorder
from geoplan.cli.push_units import push_units, typed_about, typed_rebooting, typed_unfinished
from geoplan.cli.push_views import JsonView, as_if, view_of
from geoplan.cli.signals import interruptible, stopping
from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.live import diff as reports
from geoplan.live.findings import NoteKind
from geoplan.live.polling import SystemClock
from geoplan.plan.described import known_units, topology_of
from geoplan.plan.model import Phase
from geoplan.push.change_record import Consent
from geoplan.push.context import Stop
from geoplan.push.events import Event, EventKind
from geoplan.push.listener import PushListener
from geoplan.push.remembered import gone_findings
from geoplan.push.run import PushResult, run_push
from geoplan.wording import count, join_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.cli.connection import TypedCommands
    from geoplan.cli.push_options import PushFlags
    from geoplan.cli.push_views import View
    from geoplan.live.findings.kinds import Command
    from geoplan.live.fleet import Fleet
    from geoplan.live.polling import Clock, Timings
    from geoplan.loadmaster import ShownRequest
    from geoplan.plan.model import Plan, Step
    from geoplan.push.approval import Review
    from geoplan.push.history import History
    from geoplan.push.listener import Found
    from geoplan.push.options import Options
    from geoplan.push.problems import Problem
    from geoplan.push.store import Store
    from geoplan.topology.model import Topology

INTERRUPTED = 130

# A dry run has nothing to say of these: nothing was rebooted, and nothing is there to be read back.
_NOT_IN_DRY_RUN = (EventKind.PAIR_HEALTHY, EventKind.VERIFYING, EventKind.VERIFIED)


def run(topology: Topology, store: Store, session: PushSession) -> int:
    """Carry a plan out as the command line says; return the exit code.

    Output that cannot be written stops no push that changes units: it is dropped, and said at the end.
    """
    gc.freeze()  # a large plan stays to the end; to search it for garbage again and again would hold up looks at pairs
    with nullcontext() if session.only_reads else dropping_lost_output() as outlet:
        try:
            return asyncio.run(session.run(topology, store))
        except asyncio.CancelledError:
            click.echo(f"geoplan: {session.interrupted()}", err=True)
            return INTERRUPTED
        finally:
            if outlet and outlet.lost_because:
                click.echo(
                    f"geoplan: warning: the output was lost: cannot write standard output: {outlet.lost_because}",
                    err=True,
                )


class PushSession(PushListener):
    """A push as its operator sees it: what is shown and asked while it goes on, and what is said at its end."""

    noun = "push"

    def __init__(self, plan: Plan, typed: TypedCommands, options: Options, flags: PushFlags, review: Review) -> None:
        self._plan = plan
        self._typed = replace(typed, phase=flags.phase)
        self._options = options
        self._flags = flags
        self._review = review
        self._stop = Stop()
        self._has_begun = False
        self._step: Step | None = None
        """That is under way; a dry run does one after the other."""
        self._backed_up = 0
        self._destination = destination_of(typed.reach, lab=flags.lab)
        self._topology: Topology | None = None
        self._memory: PushMemory | None = None
        self._recorder: Recorder | None = None
        self._consent = Consent.NOT_ASKED
        self._clock: Clock = SystemClock()
        self._began = 0.0
        self._view: View = JsonView()

    @property
    def only_reads(self) -> bool:
        """Whether it changes no unit."""
        return self._flags.dry_run or self._options.only_preflight

    def command(self, *more: str) -> str:
        """Return the command that does something more about this push."""
        return self.typed("push", *more)

    def typed(self, name: str, *words: str) -> str:
        """Return a command about the same topology; without its lab, units of those addresses would be pushed to."""
        if name != "push":
            return self._typed(name, *words)
        lab = self._flags.of_lab() if self._flags.lab else []
        return typed_rebooting(self._typed, self._plan, [*lab, *words], self._flags.undoing)

    def typed_about(self, history: History) -> Command:
        """Return what writes commands about another push, of its own groups."""
        return typed_about(history, self._topology, self._typed) if self._topology else self.typed

    def _resuming(self, unfinished: TypedCommands | None = None) -> str:
        """Return the command that goes on; what it still backs up goes where this push was told.

        ``unfinished`` types commands about another push that was begun before.
        """
        folder = self._options.backup_folder
        words = ("--backup-dir", str(folder)) if folder else ()
        if unfinished:
            return unfinished.resuming(*words)
        return self._typed("push", "--resume", *words, *self._recording)

    @property
    def _recording(self) -> tuple[str, ...]:
        """The option that has the record of this push written again as a whole."""
        return ("--record", self._flags.record) if self._flags.record else ()

    def interrupted(self) -> str:
        """Say what an interruption at once has left."""
        if not self._has_begun:
            return "interrupted; nothing was changed"
        return f"interrupted at once; what was under way may or may not have been done\n  {self.going_on()}"

    def going_on(self) -> str:
        """Say what leads on after an end before the end."""
        if self._flags.lab:
            return f"the lab and everything done in it are gone; start again with: {self.command()}"
        if self._flags.dry_run:
            return "nothing was changed: this was a dry run"
        return f"go on with: {self._resuming()}"

    async def run(self, topology: Topology, store: Store) -> int:
        """Push, and say how it ended."""
        plan, flags, self._topology = self._plan, self._flags, topology
        if Phase.GEO in plan.phases() and not (flags.lab or flags.dry_run):
            is_undo = flags.undoing is not None
            after = topology_of(plan, known_units(topology), with_leaving=False) if is_undo else topology
            self._memory = PushMemory(store, after, plan, self._typed.reach.lab_id())
        async with push_units(topology, plan, self._typed.reach, flags, store, on_request=self.on_request) as (
            fleet,
            its_store,
        ):
            self._clock, self._began = fleet.clock, fleet.clock.now()
            if flags.record:
                where = self._destination.message
                self._recorder = Recorder(flags.record, its_store, plan, where, self._review, is_lab=flags.lab)
            self._view = self._view_of(fleet.timings)
            with self._view, stopping(self._stop, self._view.say, has_begun=lambda: self._has_begun):
                self._view.show(self._going())
                self._say_what_is_undone()
                self._say_what_is_gone(store)
                units = sum(len(site.units) for site in plan.sites)
                self._view.say(f"preflight: asking {count(units, 'unit')}")
                try:
                    result = await self._push(fleet, its_store)
                except asyncio.CancelledError:
                    self._show_end(self.interrupted().partition("\n")[0], INTERRUPTED)
                    raise
                except GeoplanError as error:
                    self._show_end(str(error), error.exit_code, error)
                    may_resume = isinstance(error, PushRefusedError) and error.may_resume
                    begun = its_store.past().unfinished if may_resume else None
                    typed = typed_unfinished(begun, topology, self._typed) if begun else None
                    raise self._explained(error, typed) from None
                except Exception as error:
                    if not self._has_begun or self.only_reads:
                        raise
                    why = (error.strerror if isinstance(error, OSError) else None) or faults.describe(error)
                    stopped = PushStoppedError(f"the push stopped before its end: {why}")
                    self._show_end(str(stopped), stopped.exit_code, stopped)
                    raise self._explained(stopped) from None
            return self._conclude(result)

    async def _push(self, fleet: Fleet, store: Store) -> PushResult:
        return await run_push(fleet, self._options, store, self, stop=self._stop)

    # -- the operator ------------------------------------------------------------------------------------------------

    def _view_of(self, timings: Timings) -> View:
        return view_of(self._plan, timings, self._flags.output_format, dry_run=self._flags.dry_run)

    def _going(self) -> Event:
        """Say where the push goes, before it connects to any unit."""
        kind = f"dry run of a {self.noun}" if self._flags.dry_run else self.noun
        details: dict[str, object] = {"destination": self._destination.place.value}
        if self._destination.lab_file is not None:
            details["lab_file"] = self._destination.lab_file
        return Event(EventKind.DESTINATION, 0.0, f"{kind} {self._destination.message}", details=details)

    def _say_what_is_gone(self, store: Store) -> None:
        """Say which sites have left the file since they were pushed with these units: this push leaves them alone."""
        for finding in () if self._flags.lab else gone_findings(store, self.typed):
            details = {"kind": NoteKind.FINDING.value, "site": finding.sites[0]}
            self._view.show(Event(EventKind.NOTE, self._seconds(), finding.explained, details=details))

    def _say_what_is_undone(self) -> None:
        """Say which push is taken back, and show the plan of that first: it is reviewed before any unit is asked."""
        undoing = self._flags.undoing
        if undoing is None:
            return
        title = push_undo.title_of(undoing)
        self._view.show(Event(EventKind.UNDO, 0.0, title, details=push_undo.as_plain(undoing)))
        for line in (title, *push_undo.plan_lines(undoing)):
            self._view.say(line)
        if self.only_reads:
            self._view.say(f"to do exactly this: {self.command('--checksum', self._plan.checksum)}")

    def objections(self, found: Found) -> Sequence[Problem]:
        """Return what of the push was not approved."""
        return self._review.objections(self._plan, found)

    def may_begin(self, found: Found) -> bool:
        """Show what would be changed, and ask for it."""
        flags = self._flags
        for line in change_lines(self._plan, found, diff=self._typed("diff")):
            self._view.say(line)
        details: dict[str, object] = {
            "checksum": self._plan.checksum,
            "forms": list(found.verdict.forms),
            "reboots": list(found.verdict.reboots),
            "differences": [asdict(difference) for difference in found.before.differences],
        }
        message = count(len(found.before.differences), "difference")
        self._view.show(Event(EventKind.DIFFERENCES, self._seconds(), message, details=details))
        if flags.dry_run:
            return True
        return own_questions_are_accepted(self._plan, found, flags, self.command) and self._is_agreed()

    def may_go_on(self, question: str) -> bool:
        """Ask whether something is done that no unit tells."""
        return is_said(self._destination, question)

    def _is_agreed(self) -> bool:
        """Ask for the push, unless that was answered beforehand."""
        if self._flags.yes:
            self._consent = Consent.BEFOREHAND
            return True
        self._consent = Consent.NO_TERMINAL
        require_reader()
        self._consent = Consent.NOT_GIVEN
        with interruptible():
            if click.confirm(self._question(), err=True):
                self._consent = Consent.GIVEN
        return self._consent is Consent.GIVEN

    def _question(self) -> str:
        return self._destination.question

    # -- the end -----------------------------------------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """Show an event as it is true of this push; note which step is under way, and when the first begins."""
        if event.kind is EventKind.STEP_STARTED:
            self._has_begun, self._step = True, event.step
        elif event.kind is EventKind.STEP_ENDED:
            self._step = None
        elif event.kind is EventKind.BACKUP and event.unit:
            self._backed_up += 1
        if self._memory:
            self._memory.listen(event)
        if self._flags.dry_run:
            event = as_if(event, self._backed_up)
        elif event.kind is EventKind.BACKUP and not event.unit and self._flags.lab and not self._options.backup_folder:
            backed_up = count(self._backed_up, "unit")
            event = replace(event, message=f"{backed_up} backed up, which go with the lab")
        if not (self._flags.dry_run and event.kind in _NOT_IN_DRY_RUN):
            self._view.show(event)

    def on_request(self, request: ShownRequest) -> None:
        """Show a request of a dry run that would change a unit."""
        if request.changes:
            message = f"{request.command} on {request.unit}"
            shown = Event(EventKind.REQUEST, self._seconds(), message, self._step, request.unit, request=request)
            self._view.show(shown)

    def _seconds(self) -> float:
        return self._clock.now() - self._began

    def _show_end(self, message: str, code: int, error: GeoplanError | None = None) -> None:
        details: dict[str, object] = {"exit_code": code}
        if isinstance(error, PushRefusedError):
            details["problems"] = list(error.problems)
        if isinstance(error, PushStoppedError) and not (self._flags.lab or self._flags.dry_run):
            details |= {"go_on": self._resuming(), "go_back": self.command("--status")}
        self._view.show(Event(EventKind.ENDED, self._seconds(), message, details=details))
        if self._recorder:
            now, refused = self._clock.wall(), error if isinstance(error, PushRefusedError) else None
            self._recorder.write(message, code, now, go_on=self._resuming(), consent=self._consent, refused=refused)

    def _explained(self, error: GeoplanError, unfinished: TypedCommands | None = None) -> GeoplanError:
        """Say what to type next; ``unfinished`` types commands about the push that may be resumed instead, if any."""
        if isinstance(error, PushRefusedError):
            for problem in error.problems:
                click.echo(f"  {problem}", err=True)
            if error.may_resume and unfinished is not None:
                hint = f"go on from it with: {self._resuming(unfinished)}\n        {error.hint}"
                return PushRefusedError(str(error), error.problems, hint=hint)
        if isinstance(error, PushStoppedError):
            hint = self.going_on()
            if not (self._flags.lab or self._flags.dry_run):
                hint += f"\n        {self._way_back()}"
            return PushStoppedError(str(error), hint=hint)
        return error

    def _way_back(self) -> str:
        by_hand = f"how to go back by hand, and the backups: {self.command('--status')}"
        if self._flags.undoing is not None or Phase.GEO not in self._plan.phases():
            return by_hand
        return f"or take it back: {push_undo.command_of(self._typed)}\n        {by_hand}"

    def _conclude(self, result: PushResult) -> int:
        code = self._exit_code(result)
        summary = self._summary(result)
        view = self._view
        self._show_end(summary, code)
        if not result.report.is_in_place and not self._options.only_preflight and not result.declined:
            view.say(reports.as_text(result.report, self.command).rstrip())
        elif not result.declined:
            for note in result.report.notes:
                if note.kind is not NoteKind.UNKNOWN_CLUSTER:  # which the checks have said, and a push leaves alone
                    view.say(f"note: {note.site}: {note.message}")
            for line in reports.proof(result.report, self.command):
                view.say(line)
        for site in result.unfinished_pairs:
            view.say(f"'{site}' is not finished: its master was not rebooted, or the reboot had no effect")
        if set(result.unfinished_pairs) - set(result.report.pairs_to_finish):
            words = [word for site in result.unfinished_pairs for word in ("--reboot", f"always={site}")]
            command = self.command(*words)
            view.say("to finish (this reboots masters)" + (f":\n  {command}" if command else ", boot them by hand"))
        if self._flags.output_format != "json":
            view.say(summary)
        return code

    def _exit_code(self, result: PushResult) -> int:
        if result.declined:
            return PushRefusedError.exit_code
        return 0 if self._options.only_preflight or result.is_complete else 1

    def _summary(self, result: PushResult) -> str:
        if result.declined:
            return "nothing was changed"
        if self._options.only_preflight:
            return "nothing blocks a push; nothing was changed"
        if self._flags.dry_run:
            return "nothing was changed: this was a dry run"
        nothing_else = result.report.is_in_place and not result.unfinished_pairs
        unproven = f"; not proven: the links of {', '.join(result.report.unproven)}" if nothing_else else ""
        if result.journal is None and not result.is_complete:
            return f"nothing was changed: the lists and clusters are in place{unproven or ', with findings'}"
        if result.journal is None:
            return "nothing to do: everything is in place, nothing was rebooted"
        if not result.is_complete:
            return f"done{unproven or ', with findings'}"
        alone = f"; left alone: {join_words(result.left_alone)}" if result.left_alone else ""
        what = result.green_but_unproven or self._what_is_verified(result)
        return f"done and verified: {what}{alone}"

    def _what_is_verified(self, result: PushResult) -> str:
        report = result.report
        if Phase.GEO not in self._plan.phases():
            return "every pair has one active unit and its standby"
        if not report.links:
            return "all lists and clusters are in place"
        if report.is_all_green:
            return "all partner links are green"
        if not report.not_told:  # standbys show red to units that they saw green while they were active
            return "all partner links are green, or were while their standby was active"
        does = "does" if len(report.not_told) == 1 else "do"
        return f"all partner links are proven, though {', '.join(report.not_told)} {does} not tell all of theirs"
