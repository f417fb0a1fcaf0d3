"""A pair's reboot and resubmission, which belong together: between them the pair is half done.

slave holds both lists ─▶ record, reboot the master ─▶ slave is active ─▶ submit there ─▶ still active? ─▶ healthy
                ▲                                                              │
                └───────────── the master took over before that: start again ──┘
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from geoplan.errors import UnclearOutcomeError, UnitError
from geoplan.push.colours import RED, stay_red
from geoplan.push.context import StepError, StoppedError
from geoplan.push.events import EventKind, StepState
from geoplan.push.facts import State
from geoplan.push.failures import reason_of
from geoplan.push.fleet import are_healthy
from geoplan.push.history import PairProgress
from geoplan.push.pair import said
from geoplan.push.readiness import require_ready, until_slave_has_lists
from geoplan.push.reboot_limit import require_room
from geoplan.push.resubmission import Resubmission, submit_on_master
from geoplan.push.steps import Outcome
from geoplan.push.waits import until

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.pair import Pair
    from geoplan.push.telling import Telling

MAX_ATTEMPTS = 3  # in one run: a pair that cannot be done in three reboots will not be done in four


class _Look(Enum):
    """What becomes of a pair whose master was told to reboot."""

    SLAVE_ACTIVE = auto()
    MASTER_BACK = auto()
    NOT_REBOOTED = auto()


class PairReboot:
    """Reboots one pair's master and submits the partners again on its slave; each step is told once it has ended."""

    def __init__(self, pair: Pair, telling: Telling) -> None:
        self._pair = pair
        self._telling = telling
        self._submission = Resubmission(pair)
        self.outcomes: dict[str, Outcome] = {}
        """How the two steps ended, by their ids; empty again where the pair has to be started again."""

    async def run(self) -> None:
        """Do what is left of the pair. Raises :class:`StepError`, or :class:`StoppedError` before a reboot is sent."""
        progress = self._pair.context.journal.history.progress(self._pair.site.name)
        if progress is PairProgress.RESUBMITTED:
            for step, unit in ((self._pair.reboot, self._pair.master), (self._pair.resubmission, self._pair.slave)):
                self._telling.begin(step)
                self._end(step, Outcome(StepState.RECORDED, unit, "the journal has it"))
        else:
            await self._until_resubmitted(progress)
        began = self._pair.context.clock.now()
        await self._until_healthy()
        self._pair.context.journal.write("healthy", site=self._pair.site.name)
        seconds = self._pair.context.clock.now() - began
        self._pair.context.say(
            EventKind.PAIR_HEALTHY,
            f"both units are up again after {seconds:.1f} s",
            step=self._pair.resubmission,
            unit=self._pair.master,
        )

    async def _until_resubmitted(self, progress: PairProgress) -> None:
        under_way = progress is PairProgress.REBOOTING
        message = "the push that is resumed had sent it"
        for _ in range(MAX_ATTEMPTS):
            self._telling.begin(self._pair.reboot)
            if not under_way:
                message = await self._send_reboot()
            reached = await self._look_for_slave(resumed=under_way)
            under_way = False
            if reached is _Look.SLAVE_ACTIVE:
                self._end(self._pair.reboot, Outcome(StepState.DONE, self._pair.master, message))
                self._telling.begin(self._pair.resubmission)
                if await self._submission.run():
                    self._end(self._pair.resubmission, await self._submitted())
                    return
            self._start_again(reached)
        raise StepError(
            self._pair.resubmission,
            f"the master took over before the partners were submitted, {MAX_ATTEMPTS} times",
            unit=self._pair.slave,
            hint="set No Preferred Host on the pair for the time of the push, then go on",
        )

    async def _submitted(self) -> Outcome:
        pair = self._pair

        async def slave_is_still_active() -> bool:
            return (await pair.states())[pair.slave] is State.ACTIVE

        is_red = await stay_red(pair.context, pair.resubmission, pair.slave_unit, slave_is_still_active)
        message = f"{len(pair.site.geo_partners)} partners submitted on the new active unit{RED if is_red else ''}"
        return Outcome(StepState.DONE, pair.slave, message, is_red)

    def _end(self, step: Step, outcome: Outcome) -> None:
        self.outcomes[step.id] = outcome
        self._telling.end(step, outcome)

    # -- before the reboot -------------------------------------------------------------------------------------------

    async def _send_reboot(self) -> str:
        """Reboot the master once everything is ready for it; return how that went."""
        await require_ready(self._pair)
        require_room(self._pair.context, self._pair.reboot, self._pair.master)
        await submit_on_master(self._pair)
        note = await until_slave_has_lists(self._pair)
        if self._pair.context.stop.requested:
            raise StoppedError
        await require_ready(self._pair)
        self._pair.context.journal.write(
            "rebooting", step=self._pair.reboot.id, site=self._pair.site.name, unit=self._pair.master
        )
        try:
            await self._pair.context.fleet.unit(self._pair.master).reboot()
        except UnitError as error:
            if not isinstance(error, UnclearOutcomeError):
                raise StepError(
                    self._pair.reboot, f"the reboot was not taken: {reason_of(error)}", unit=self._pair.master
                ) from None
            self._pair.note(f"{self._pair.master}: the answer to its reboot was lost ({reason_of(error)}); looking")
        return note

    # -- after it ----------------------------------------------------------------------------------------------------

    async def _look_for_slave(self, *, resumed: bool) -> _Look:
        """Wait until the slave is active; see whether the master was back sooner, or never went."""
        went = False
        seen: dict[str, State] = {}

        async def look() -> _Look | None:
            nonlocal went
            seen.update(await self._pair.states())
            master, slave = seen[self._pair.master], seen[self._pair.slave]
            if slave is State.ACTIVE and master is not State.ACTIVE:
                return _Look.SLAVE_ACTIVE
            if master is not State.ACTIVE:
                went = True
                return None
            settled = slave is State.STANDBY
            return _Look.MASTER_BACK if settled and (went or resumed) else None

        timings = self._pair.context.timings
        found = await until(
            self._pair.context.clock,
            look,
            within=timings.failover_deadline,
            every=timings.poll_seconds,
            on_wait=self._pair.context.waiting(
                self._pair.reboot, "waiting until the slave is active", self._pair.slave
            ),
        )
        if found is not None:
            return found
        if seen[self._pair.master] is State.ACTIVE and not went:
            return _Look.NOT_REBOOTED
        states = said(seen)
        raise StepError(
            self._pair.reboot,
            f"the slave is not active {timings.failover_deadline:.0f} s after the reboot of its master: {states}",
            unit=self._pair.slave,
            hint="see to both units at once: this site may be down",
        )

    def _start_again(self, reached: _Look) -> None:
        if reached is _Look.NOT_REBOOTED:
            raise StepError(
                self._pair.reboot,
                "it was told to reboot and is still active: it did not reboot",
                unit=self._pair.master,
                hint="look at the unit, then go on",
            )
        self.outcomes.clear()
        self._pair.context.journal.write("too_late", site=self._pair.site.name, unit=self._pair.slave)
        self._pair.note(
            f"'{self._pair.site.name}': the master took over before the partners were submitted on {self._pair.slave}; "
            "starting this pair again"
        )

    async def _until_healthy(self) -> None:
        seen: dict[str, State] = {}

        async def look() -> bool | None:
            seen.update(await self._pair.states())
            return True if are_healthy(self._pair.site, seen) else None

        timings = self._pair.context.timings
        found = await until(
            self._pair.context.clock,
            look,
            within=timings.return_deadline,
            every=timings.poll_seconds,
            on_wait=self._pair.context.waiting(
                self._pair.resubmission, "waiting until the master is back", self._pair.master
            ),
        )
        if found is None:
            states = said(seen)
            raise StepError(
                self._pair.resubmission,
                f"the partners are submitted, but the pair is not healthy after "
                f"{timings.return_deadline:.0f} s: {states}",
                unit=self._pair.master,
                hint="bring the unit back, then go on; the pair is not rebooted again",
            )
