"""A pair's reboot and resubmission, which belong together: between them the pair is half done.

slave holds both lists ─▶ record, reboot the master ─▶ slave is active ─▶ submit there ─▶ still active? ─▶ healthy
                ▲                                                              │
                └───────────── the master took over before that: start again ──┘
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from geoplan.errors import UnclearOutcomeError, UnitError
from geoplan.push.addresses import same_addresses
from geoplan.push.context import StepError, StoppedError
from geoplan.push.events import EventKind, StepState
from geoplan.push.facts import State
from geoplan.push.failures import reason_of
from geoplan.push.fleet import are_healthy
from geoplan.push.history import PairProgress
from geoplan.push.reboot_limit import require_room
from geoplan.push.steps import Outcome
from geoplan.push.waits import until

if TYPE_CHECKING:
    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.context import Context

MAX_ATTEMPTS = 3  # in one run: a pair that cannot be done in three reboots will not be done in four


MAX_FAILED_SUBMISSIONS = 2  # one may be due to the master's return; more have another reason, which no reboot mends


class _Look(Enum):
    """What becomes of a pair whose master was told to reboot."""

    SLAVE_ACTIVE = auto()
    MASTER_BACK = auto()
    NOT_REBOOTED = auto()


class PairOutcome(NamedTuple):
    """How the two steps of a pair ended."""

    reboot: Outcome
    resubmission: Outcome


class PairReboot:
    """Reboots one pair's master and submits the partners again on its slave."""

    def __init__(self, context: Context, reboot: Step, resubmission: Step) -> None:
        self._context = context
        self._reboot = reboot
        self._resubmission = resubmission
        self._site: SiteSettings = context.plan.site(reboot.site)
        self._master, self._slave = (unit.address for unit in self._site.units)
        self._failed_submissions = 0
        self._last_failure = ""

    async def run(self) -> PairOutcome:
        """Do what is left of the pair. Raises :class:`StepError`, or :class:`StoppedError` before a reboot is sent."""
        progress = self._context.journal.history.progress(self._site.name)
        reboot = Outcome(StepState.RECORDED, self._master, "the journal has it")
        resubmission = Outcome(StepState.RECORDED, self._slave, "the journal has it")
        if progress is not PairProgress.RESUBMITTED:
            reboot, resubmission = await self._until_resubmitted(progress)
        await self._until_healthy()
        self._context.journal.write("healthy", site=self._site.name)
        return PairOutcome(reboot, resubmission)

    async def _until_resubmitted(self, progress: PairProgress) -> tuple[Outcome, Outcome]:
        under_way = progress is PairProgress.REBOOTING
        message = "the push that is resumed had sent it"
        for _ in range(MAX_ATTEMPTS):
            if not under_way:
                message = await self._send_reboot()
            reached = await self._look_for_slave(resumed=under_way)
            under_way = False
            if reached is _Look.SLAVE_ACTIVE and await self._resubmit():
                state = StepState.DONE
                return Outcome(state, self._master, message), Outcome(
                    state, self._slave, f"{len(self._site.geo_partners)} partners submitted on the new active unit"
                )
            self._start_again(reached)
        raise StepError(
            self._resubmission,
            f"the master took over before the partners were submitted, {MAX_ATTEMPTS} times",
            unit=self._slave,
            hint="set No Preferred Host on the pair for the time of the push, then go on",
        )

    # -- before the reboot -------------------------------------------------------------------------------------------

    async def _send_reboot(self) -> str:
        """Reboot the master once everything is ready for it; return how that went."""
        self._context.wait(self._reboot, "waiting until both units are healthy", self._master)
        await self._require_healthy()
        require_room(self._context, self._reboot, self._master)
        note = await self._until_slave_has_lists()
        if self._context.stop.requested:
            raise StoppedError
        await self._require_healthy()
        self._context.journal.write("rebooting", step=self._reboot.id, site=self._site.name, unit=self._master)
        try:
            await self._context.fleet.unit(self._master).reboot()
        except UnitError as error:
            if not isinstance(error, UnclearOutcomeError):
                raise StepError(
                    self._reboot, f"the reboot was not taken: {reason_of(error)}", unit=self._master
                ) from None
            self._note(f"{self._master}: the answer to its reboot was lost ({reason_of(error)}); looking")
        return note

    async def _require_healthy(self) -> None:
        """See the master active and the slave standing by, so that never both are down by our hand."""
        wanted = {self._master: State.ACTIVE, self._slave: State.STANDBY}
        seen: dict[str, State] = {}

        async def look() -> bool | None:
            seen.update(await self._context.fleet.states(self._site))
            return True if seen == wanted else None

        timings = self._context.timings
        found = await until(self._context.clock, look, within=timings.settle_deadline, every=timings.poll_seconds)
        if found is None:
            states = ", ".join(f"{address} is {state}" for address, state in seen.items())
            raise StepError(
                self._reboot,
                f"the master must be active and the slave its standby before a reboot, but {states}",
                unit=self._master,
                hint=f"bring {self._slave} up, or make {self._master} active again, then go on",
            )

    async def _until_slave_has_lists(self) -> str:
        """Wait for the replication of both lists; return what was seen."""
        self._context.wait(self._reboot, "waiting until the slave holds both lists", self._slave)
        slave, timings = self._context.fleet.unit(self._slave), self._context.timings
        unreadable: list[str] = []

        async def look() -> bool | None:
            try:
                access, partners = await slave.remote_geo_access(), await slave.geo_partners()
            except UnitError as error:
                unreadable.append(reason_of(error))
                return False
            held = same_addresses(access, self._site.remote_geo_access) and same_addresses(
                partners, self._site.geo_partners
            )
            return True if held else None

        every = max(timings.poll_seconds, min(2.0, timings.sync_seconds / 20))
        found = await until(self._context.clock, look, within=timings.replication_deadline, every=every)
        if found is None:
            raise StepError(
                self._reboot,
                f"the slave does not hold the new lists after {timings.replication_deadline:.0f} s: rebooting its "
                "master now would bring it up with the old ones",
                unit=self._slave,
                hint="see that the pair synchronises (TCP port 6973), then go on",
            )
        if found:
            return "rebooted once the slave held both lists"
        seconds = 2 * timings.sync_seconds
        self._note(
            f"{self._slave}: the standby answers no reads ({unreadable[-1]}); waiting {seconds:.0f} s for replication"
        )
        await self._context.clock.sleep(seconds)
        return f"rebooted {seconds:.0f} s after the lists, since the standby answers no reads"

    # -- after it ----------------------------------------------------------------------------------------------------

    async def _look_for_slave(self, *, resumed: bool) -> _Look:
        """Wait until the slave is active; see whether the master was back sooner, or never went."""
        self._context.wait(self._reboot, "waiting until the slave is active", self._slave)
        went = False
        seen: dict[str, State] = {}

        async def look() -> _Look | None:
            nonlocal went
            seen.update(await self._context.fleet.states(self._site))
            master, slave = seen[self._master], seen[self._slave]
            if slave is State.ACTIVE and master is not State.ACTIVE:
                return _Look.SLAVE_ACTIVE
            if master is not State.ACTIVE:
                went = True
                return None
            settled = slave is State.STANDBY
            return _Look.MASTER_BACK if settled and (went or resumed) else None

        timings = self._context.timings
        found = await until(self._context.clock, look, within=timings.failover_deadline, every=timings.poll_seconds)
        if found is not None:
            return found
        if seen[self._master] is State.ACTIVE and not went:
            return _Look.NOT_REBOOTED
        states = ", ".join(f"{address} is {state}" for address, state in seen.items())
        raise StepError(
            self._reboot,
            f"the slave is not active {timings.failover_deadline:.0f} s after the reboot of its master: {states}",
            unit=self._slave,
            hint="see to both units at once: this site may be down",
        )

    async def _resubmit(self) -> bool:
        """Submit on the slave until it is sure that it was active then; tell whether it stayed so long enough."""
        self._context.wait(self._resubmission, "submitting the partners on the new active unit", self._slave)
        slave, wanted = self._context.fleet.unit(self._slave), self._site.geo_partners
        deadline = self._context.clock.now() + self._context.timings.failover_deadline
        while await self._slave_is_active():
            self._context.journal.write(
                "resubmitting", step=self._resubmission.id, site=self._site.name, unit=self._slave, after=list(wanted)
            )
            try:
                await slave.resubmit_geo_partners(wanted)
            except UnitError as error:
                # What was replicated looks just like what was submitted, so reading back cannot tell: submit again.
                self._count_failure(reason_of(error), deadline)
                await self._context.clock.sleep(self._context.timings.poll_seconds)
                continue
            if not await self._slave_is_active():
                return False
            return await self._read_back(wanted)
        if self._failed_submissions >= MAX_FAILED_SUBMISSIONS:
            raise StepError(
                self._resubmission,
                "the partners could not be submitted while the slave was active: " + self._last_failure,
                unit=self._slave,
                hint="look at the unit, then go on: its pair is rebooted once more",
            )
        return False

    def _count_failure(self, reason: str, deadline: float) -> None:
        self._failed_submissions += 1
        self._last_failure = reason
        if self._context.clock.now() >= deadline:
            raise StepError(self._resubmission, f"the partners cannot be submitted: {reason}", unit=self._slave)
        if self._failed_submissions == 1:
            self._note(f"{self._slave}: the submission went wrong ({reason}); trying again while it is active")

    async def _read_back(self, wanted: tuple[str, ...]) -> bool:
        try:
            held = await self._context.fleet.unit(self._slave).geo_partners()
        except UnitError as error:
            message = f"the submission cannot be read back: {reason_of(error)}"
            raise StepError(self._resubmission, message, unit=self._slave) from None
        if not same_addresses(held, wanted):
            message = f"read back its partners are {', '.join(held) or 'none'}: the submission was not applied"
            raise StepError(self._resubmission, message, unit=self._slave)
        self._context.journal.write("resubmitted", step=self._resubmission.id, site=self._site.name, unit=self._slave)
        return True

    async def _slave_is_active(self) -> bool:
        states = await self._context.fleet.states(self._site)
        return states[self._slave] is State.ACTIVE and states[self._master] is not State.ACTIVE

    def _start_again(self, reached: _Look) -> None:
        if reached is _Look.NOT_REBOOTED:
            raise StepError(
                self._reboot,
                "it was told to reboot and is still active: it did not reboot",
                unit=self._master,
                hint="look at the unit, then go on",
            )
        self._context.journal.write("too_late", site=self._site.name, unit=self._slave)
        self._note(
            f"'{self._site.name}': the master took over before the partners were submitted on {self._slave}; "
            "starting this pair again"
        )

    async def _until_healthy(self) -> None:
        self._context.wait(self._resubmission, "waiting until both units are healthy", self._master)
        seen: dict[str, State] = {}

        async def look() -> bool | None:
            seen.update(await self._context.fleet.states(self._site))
            return True if are_healthy(self._site, seen) else None

        timings = self._context.timings
        found = await until(self._context.clock, look, within=timings.return_deadline, every=timings.poll_seconds)
        if found is None:
            states = ", ".join(f"{address} is {state}" for address, state in seen.items())
            raise StepError(
                self._resubmission,
                f"the partners are submitted, but the pair is not healthy after "
                f"{timings.return_deadline:.0f} s: {states}",
                unit=self._master,
                hint="bring the unit back, then go on; the pair is not rebooted again",
            )

    def _note(self, message: str) -> None:
        self._context.journal.write("note", site=self._site.name, message=message)
        self._context.say(EventKind.NOTE, message, site=self._site.name)
