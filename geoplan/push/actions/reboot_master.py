"""``reboot_master``, with the resubmission on the slave that belongs to it: between them the pair is half done.

slave holds both lists ─▶ record, look, reboot the master ─▶ slave is active ─▶ submit there ─▶ still active? ─▶ healthy
          ▲                         │ not sent                                         │
          ├─────────────────────────┘                                                  │
          └──────────────────────── the master took over before that: start again ─────┘
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from geoplan.errors import (
    TooManyOpenFilesError,
    UnclearOutcomeError,
    UnitError,
    UnitUnreachableError,
    UntrustedUnitError,
)
from geoplan.live.activity import said, states_of, way_of
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import answers, are_healthy
from geoplan.live.model import State
from geoplan.loadmaster.decode import moment
from geoplan.push.actions.change import MAX_TRIES, pause_after
from geoplan.push.actions.readiness import (
    Holds,
    Pair,
    require_ready,
    require_room,
    require_undisturbed,
    until_slave_has_lists,
    what_slave_holds,
)
from geoplan.push.actions.resubmit_geo_partners import Resubmission, submit_on_master
from geoplan.push.boots import boot_time, is_another_boot
from geoplan.push.context import StepError, StoppedError
from geoplan.push.events import EventKind
from geoplan.push.history import PairProgress
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.partner_links import RED, links_stay_red, record_green
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.live.activity import Look
    from geoplan.plan.model import Step
    from geoplan.push.context import Context

MAX_ATTEMPTS = 3  # in one run: a pair that cannot be done in three reboots will not be done in four

SILENT_LOOKS = 2
"""One after the other, until it is taken that nobody answers."""


class Reached(Enum):
    """What becomes of a pair whose master was told to reboot."""

    SLAVE_ACTIVE = auto()
    MASTER_BACK = auto()
    NOT_REBOOTED = auto()
    NOT_SENT = auto()


@dataclass
class Sending:
    """A reboot on its way to its unit."""

    request: asyncio.Task[None]
    note: str
    """What was seen before it was sent."""
    is_told: bool = False
    """Whether the loss of its answer was told."""
    is_taken_back: bool = False
    """Whether it was given up before anybody knew whether it was sent."""

    def take_back(self) -> None:
        """Send it no more, if it is not sent yet."""
        self.is_taken_back = True
        self.request.cancel()

    async def give_up(self) -> None:
        """Wait for the answer no longer."""
        self.request.cancel()
        with suppress(UnitError, TooManyOpenFilesError, asyncio.CancelledError):
            await self.request


class PairReboot(Pair):
    """Reboots one pair's master and submits the partners again on its slave; each step is told once it has ended."""

    is_drill = False
    """Whether nothing is submitted on the new active unit: it has to have its links already."""

    def __init__(self, context: Context, reboot: Step, resubmission: Step) -> None:
        super().__init__(context, reboot, resubmission)
        self._submission = Resubmission(self)
        self._tries = 0
        """How often the reboot was certainly not sent."""
        self._silent_looks = 0
        self.outcomes: dict[str, Outcome] = {}
        """How the two steps ended, by their ids; empty again where the pair has to be started again."""

    async def run(self) -> None:
        """Do what is left of the pair. Raises :class:`StepError`, or :class:`StoppedError` before a reboot is sent."""
        progress = self.context.history.progress(self.site.name)
        if progress is PairProgress.RESUBMITTED:
            for step, unit in ((self.reboot, self.master), (self.resubmission, self.slave)):
                self.context.reporter.begin(step)
                self._end(step, Outcome(StepState.RECORDED, unit, "the journal has it"))
        else:
            await self._until_resubmitted(progress)
        began = self.context.clock.now()
        await self._until_healthy()
        self.context.journal.write("healthy", site=self.site.name)
        seconds = self.context.clock.now() - began
        message = f"both units are up again after {seconds:.1f} s"
        self.context.reporter.say(EventKind.PAIR_HEALTHY, message, step=self.resubmission, unit=self.master)

    async def _until_resubmitted(self, progress: PairProgress) -> None:
        under_way, reboots = progress is PairProgress.REBOOTING, 0
        while reboots < MAX_ATTEMPTS:
            self.context.reporter.begin(self.reboot)
            sending = None if under_way else await self._send_reboot()
            under_way = False
            reached = await self._look_for_slave(sending)
            if reached is Reached.NOT_SENT:
                await self._pause_after_not_sent()
                continue
            reboots += 1
            if reached is Reached.SLAVE_ACTIVE:
                message = sending.note if sending else "the push that is resumed had sent it"
                self._end(self.reboot, Outcome(StepState.DONE, self.master, message))
                self.context.reporter.begin(self.resubmission)
                if await self._submission.run():
                    self._end(self.resubmission, await self._submitted())
                    return
            self._start_again(reached)
        raise StepError(
            self.resubmission,
            f"the master took over before the partners were submitted, {MAX_ATTEMPTS} times",
            unit=self.slave,
            hint="set No Preferred Host on the pair for the time of the push, then go on",
        )

    async def _pause_after_not_sent(self) -> None:
        """Wait before another attempt. Raises :class:`StepError` after so many."""
        self._tries += 1
        if self._tries >= MAX_TRIES:
            raise StepError(
                self.reboot,
                f"its reboot could not be sent, {MAX_TRIES} times",
                unit=self.master,
                hint="see that its API can be reached from here, then go on",
            )
        await self.context.clock.sleep(pause_after(self._tries - 1))

    async def _submitted(self) -> Outcome:
        is_red = await links_stay_red(self.context, self.resubmission, self.slave_unit, self.slave_is_active)
        message = (
            f"{count(len(self.site.geo_partners), 'partner')} submitted on the new active unit{RED if is_red else ''}"
        )
        return Outcome(StepState.DONE, self.slave, message, is_red)

    def _end(self, step: Step, outcome: Outcome) -> None:
        self.outcomes[step.id] = outcome
        self.context.reporter.end(step, outcome)

    # -- before the reboot -------------------------------------------------------------------------------------------

    async def _send_reboot(self) -> Sending:
        """Reboot the master once everything is ready for it; return the request, which may still be under way.

        Each attempt has a look of its own just before it, and each look has one attempt. What was not sent leads back
        to the look. Raises :class:`StoppedError` where nothing was sent and an end is wanted.
        """
        for attempt in range(MAX_TRIES):
            await require_ready(self)
            booted = moment(await boot_time(self.master_unit) or "")
            require_room(self.context, self.reboot, self.master, booted)
            if not self.is_drill:
                await submit_on_master(self)
            await require_undisturbed(self)
            note = await until_slave_has_lists(self)
            if self.context.stop.requested:
                raise StoppedError
            await self._record_sight_of_master()
            await require_ready(self)  # the replication may have taken minutes
            if (sending := await self._try_reboot(note)) is not None:
                return sending
            await self.context.clock.sleep(pause_after(attempt))
        raise StepError(
            self.reboot,
            f"the reboot could not be sent while both units were ready for it, {MAX_TRIES} times",
            unit=self.master,
            hint="look at both units, then go on",
        )

    async def _record_sight_of_master(self) -> None:
        """Record what the active master sees green: under *No Preferred Host* it is the standby from now on."""
        with suppress(UnitError):
            told = await self.master_unit.partner_status()
            record_green(self.context, self.site, self.master, told)

    async def _try_reboot(self, note: str) -> Sending | None:
        """Record the reboot, look at both units, and begin to send it; return None where the look forbids it."""
        holds, reason = await what_slave_holds(self)  # a health check may be answered for a unit that is gone
        if holds not in (Holds.BOTH, Holds.REFUSES):
            self._not_sent(f"the {self.roles[1]} does not tell that it holds the lists any more {reason}".rstrip())
            return None
        booted = await boot_time(self.master_unit)
        drill = {"is_drill": True} if self.is_drill else {}
        self.context.record("rebooting", self.reboot, self.master, boot_time=booted, **drill)
        looks = await self.look(is_last=True)
        if states_of(looks) != {self.master: State.ACTIVE, self.slave: State.STANDBY}:
            self._record_not_sent(said(looks))
            return None
        way = way_of(looks.values())
        known = f"{note}; active and standby told {way}" if way else note
        return Sending(asyncio.create_task(self.master_unit.reboot()), known)

    def _record_not_sent(self, why: str) -> None:
        """Write down that a reboot which was recorded was never sent, so that it counts as none."""
        self.context.record("reboot_not_sent", self.reboot, self.master, why=why)
        self._not_sent(why)

    def _not_sent(self, why: str) -> None:
        message = f"{self.master}: its reboot was not sent ({why}); looking at both units again"
        self.note(NoteKind.REBOOT_NOT_SENT, message)

    # -- after it ----------------------------------------------------------------------------------------------------

    async def _look_for_slave(self, sending: Sending | None) -> Reached:
        """Wait until the slave is active; see whether the master was back sooner, never went, or was never told to.

        The answer of the reboot is not waited for: the window for the submission opens meanwhile. ``sending`` is None
        where an earlier run had sent it.
        """
        try:
            return await self._watch(sending)
        finally:
            if sending:
                await sending.give_up()

    async def _watch(self, sending: Sending | None) -> Reached:
        context, within = self.context, self.context.timings.failover_deadline
        seen: dict[str, Look] = {}
        went = False

        async def look() -> Reached | None:
            nonlocal went
            seen.update(await self.look())
            self._end_in_silence(seen)
            master, slave = (seen[address].state for address in (self.master, self.slave))
            if slave is State.ACTIVE and master not in (State.ACTIVE, State.CONTRADICTORY):
                return Reached.SLAVE_ACTIVE
            if sending and (failure := self._failure_of(sending)) is not None:
                self._record_not_sent(failure)
                return Reached.NOT_SENT
            if State.CONTRADICTORY in (master, slave):
                return None
            if master is not State.ACTIVE:
                went = True
                return None
            if slave is State.STANDBY:  # one late answer of the master is no reboot of it
                return Reached.MASTER_BACK if (went or sending is None) and await self._is_over() else None
            if sending and not sending.request.done():  # the slave is gone while the reboot is on its way
                sending.take_back()
            return None

        telling = context.reporter.waiting(self.reboot, f"waiting until the {self.roles[1]} is active", self.slave)
        found = await context.until(look, within=within, on_wait=telling)
        if found is not None:
            return found
        if seen[self.master].state is State.ACTIVE and not went:
            if sending and sending.is_taken_back:
                raise StepError(
                    self.reboot,
                    f"the {self.roles[1]} went away while the reboot was being sent; it was taken back: {said(seen)}",
                    unit=self.slave,
                    hint=f"bring {self.slave} up, then go on",
                )
            return Reached.NOT_REBOOTED if sending else Reached.MASTER_BACK
        raise StepError(
            self.reboot,
            f"the {self.roles[1]} is not active {within:.0f} s after the reboot of the {self.roles[0]}: {said(seen)}",
            unit=self.slave,
            hint="look at both units at once: this site may be down",
        )

    def _end_in_silence(self, looks: Mapping[str, Look]) -> None:
        """Raise :class:`StepError` where an end is wanted, and neither unit answers: to wait on would show nothing.

        Not at the first such look: one answer may be late.
        """
        self._silent_looks = self._silent_looks + 1 if all(look.is_silent for look in looks.values()) else 0
        if self.context.stop.requested and self._silent_looks >= SILENT_LOOKS:
            raise StepError(
                self.reboot,
                f"ended as asked for, since neither unit of the pair answers any more: {said(looks)}",
                unit=self.master,
                hint="see whether this machine reaches the units, and bring them up; then go on: "
                "a reboot that was sent is not sent again",
            )

    def _failure_of(self, sending: Sending) -> str | None:
        """Return why a reboot was certainly not sent, or None where it may have been.

        Raises :class:`StepError` where the unit refused it.
        """
        if not sending.request.done() or sending.request.cancelled():
            return None
        match sending.request.exception():
            case None:
                return None
            case UnitUnreachableError(request_sent=False) | UntrustedUnitError() as error:
                return error.reason
            case TooManyOpenFilesError() as error:  # this machine's own, and before anything was sent
                self.context.record("reboot_not_sent", self.reboot, self.master, why=str(error))
                raise error
            case UnitError() as error if not isinstance(error, UnclearOutcomeError):
                self.context.record("reboot_not_sent", self.reboot, self.master, why=error.reason)
                raise StepError(self.reboot, f"the reboot was not taken: {error.reason}", unit=self.master)
            case UnclearOutcomeError() as error:
                if not sending.is_told:
                    sending.is_told = True
                    message = f"{self.master}: the answer to its reboot was lost ({error.reason}); looking"
                    self.note(NoteKind.ANSWER_LOST, message)
                return None
            case error:
                raise error

    async def _is_over(self) -> bool:
        """Return whether the last reboot that was recorded is known to have happened, or not to happen any more.

        Either the unit has been booted since, or it has had all the time that it takes to go down.
        """
        last = self.context.history.last_reboot(self.site.name)
        if last is None:
            return True
        before, now = last.boot_time, await boot_time(self.master_unit)
        if before is not None and now is not None and is_another_boot(before, now):
            return True
        seconds = (self.context.clock.wall() - last.at).total_seconds()
        return not 0 <= seconds < self.context.timings.grace_seconds

    def _require_rebooted(self, reached: Reached) -> None:
        if reached is Reached.NOT_REBOOTED:
            raise StepError(
                self.reboot,
                "it was told to reboot and is still active: it did not reboot",
                unit=self.master,
                hint="look at the unit, then go on",
            )

    def _start_again(self, reached: Reached) -> None:
        self._require_rebooted(reached)
        self.outcomes.clear()
        self.context.journal.write("too_late", site=self.site.name, unit=self.slave)
        self.note(
            NoteKind.STARTED_AGAIN,
            f"'{self.site.name}': the master took over before the partners were submitted on {self.slave}; "
            "starting this pair again",
        )

    async def _until_healthy(self) -> None:
        seen: dict[str, Look] = {}

        async def look() -> bool | None:
            seen.update(await self.look())
            self._end_in_silence(seen)
            # A health check may be answered for a unit that is gone: the master has to answer by its API, too.
            return True if are_healthy(self.site, states_of(seen)) and await answers(self.master_unit) else None

        context, within = self.context, self.context.timings.return_deadline
        telling = context.reporter.waiting(self.resubmission, "waiting until the master is back", self.master)
        if await context.until(look, within=within, on_wait=telling) is None:
            back = f"bring {self.master} back"
            if states_of(seen) == {self.master: State.STANDBY, self.slave: State.ACTIVE}:
                back = f"make {self.master} active again: switch over, or reboot {self.slave}"
            raise StepError(
                self.resubmission,
                f"the partners are submitted, but the pair is not healthy after {within:.0f} s: {said(seen)}",
                unit=self.master,
                hint=f"{back}; then go on: the pair is not rebooted again",
            )
