"""``update_standby``, ``update_active``, ``update_remaining``, ``update_standalone``: one unit gets new firmware.

both up, and its turn ─▶ record, look, send the image ─▶ record, look, reboot ─▶ back, at work ─▶ version read back
      ▲                        │ cut, or not sent           │ not sent             │ the old one, and the answer to
      ├────────────────────────┴────────────────────────────┘                      │ the image was lost
      └────────────────────────────────────────────────────────────────────────────┘

Which unit a step is about is settled when it begins, and kept in the journal: a unit that shows the new version is
never touched again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from geoplan.errors import UnclearOutcomeError, UnitError, UnitRefusedError, UnitUnreachableError
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import answers
from geoplan.live.model import State
from geoplan.loadmaster.decode import moment
from geoplan.plan.model import Action
from geoplan.push.actions.change import MAX_TRIES, pause_after
from geoplan.push.actions.readiness import require_room
from geoplan.push.boots import boot_time, is_another_boot
from geoplan.push.by_hand import until_done_by_hand
from geoplan.push.context import StepError, StoppedError
from geoplan.push.firmware_progress import UnitProgress, is_version, last_of, progress_of, unit_of
from geoplan.push.firmware_records import Booting
from geoplan.push.measured import differences_of_unit
from geoplan.push.outcome import Outcome, StepState
from geoplan.vendor import UPDATE_MACHINE

if TYPE_CHECKING:
    from geoplan.live.activity import Look
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context

MAX_INSTALLATIONS = 3
"""How often one step sends an image of which only the version after a boot tells that it did not arrive."""
SAYS_NO = (429, 500, 503)
"""Statuses of a unit that says itself that it failed, or is too busy: nothing was lost, so no boot has to decide."""
LOOK_AND_SEND_AGAIN = "look at its log, then go on: it is sent anew; if it took it, its next boot would show that"
NO_SUCH_COMMAND = (403, 404, 405)
"""Codes of a unit that does not know ``installpatch``, or not now: nothing of them is about the image."""


async def update_firmware(context: Context, step: Step) -> Outcome:
    """Bring the unit of a step to the plan's version."""
    update = Update(context, step)
    outcome = await update.run()
    if outcome.unit is not None:
        await _tell_what_changed(context, step, outcome.unit)
        _ask_after_first(context, step, outcome)
    return outcome


async def _tell_what_changed(context: Context, step: Step, unit: str) -> None:
    for found in await differences_of_unit(context, unit):
        context.note(NoteKind.FINDING, f"after its update {found}", site=step.site, unit=unit, step=step)


def _ask_after_first(context: Context, step: Step, outcome: Outcome) -> None:
    """Ask whether to go on once the first unit ever runs the new version; a push that is resumed was answered that."""
    if not context.options.asks_after_first or outcome.state is not StepState.DONE:
        return
    first = next(each for each in context.plan.steps if each.action in _FIRST)
    version = context.plan.firmware.to if context.plan.firmware else ""
    question = f"{outcome.unit} is the first unit that runs {version}. Go on with the others?"
    if step.id == first.id and not context.reporter.may_go_on(question):
        context.stop.request()


_FIRST = frozenset({Action.UPDATE_STANDBY, Action.UPDATE_REMAINING, Action.UPDATE_STANDALONE})


class Update:
    """One unit on its way to the plan's version."""

    def __init__(self, context: Context, step: Step) -> None:
        self.context = context
        self.step = step
        self.site = context.plan.site(step.on.site)
        self._is_pair = self.site.kind == "ha_pair"
        self._to = context.plan.firmware.to if context.plan.firmware else ""
        self._address = ""

    async def run(self) -> Outcome:
        """Do what is left of the step. Raises :class:`StepError`, or ``StoppedError`` before anything was sent."""
        begun = unit_of(self.context.history, self.step.id)
        found = begun or await self._find()
        if found is None:
            return Outcome(StepState.IN_PLACE, None, f"it runs {self._to} already")
        self._address = found
        progress = progress_of(self.context.history, self.step.id)
        if progress in (UnitProgress.BOOTING, UnitProgress.UPDATED):
            await self._until_back(since=None)
        version = await self._version()
        if is_version(version, self._to):
            await self._until_whole()
            self._record_updated(version)
            return Outcome(StepState.RECORDED if begun else StepState.IN_PLACE, found, f"it runs {version}")
        if progress is UnitProgress.BOOTING and not await self._has_booted():
            progress = UnitProgress.INSTALLING  # the reboot that was recorded never came: it decides now
        elif progress is UnitProgress.BOOTING:
            progress = UnitProgress.NOT_BEGUN
        return await self._update(progress)

    async def _update(self, progress: UnitProgress) -> Outcome:
        for _ in range(MAX_INSTALLATIONS):
            if progress is UnitProgress.NOT_BEGUN:
                by_hand = await self._install()
                if by_hand is not None:
                    return by_hand
                progress = progress_of(self.context.history, self.step.id)
            await self._boot()
            version = await self._version()
            if is_version(version, self._to):
                self._record_updated(version)
                return Outcome(StepState.DONE, self._address, f"it runs {version}, and was {self._before}")
            if progress is UnitProgress.INSTALLED:
                break
            progress = UnitProgress.NOT_BEGUN
        why = f"another one was installed, it ran {self._before}"
        why = "the new firmware was not installed" if is_version(version, self._before) else why
        message = f"it runs {version} after its boot, and not {self._to}: {why}"
        hint = "look at its log, and see that the image is the right one; then go on"
        raise StepError(self.step, message, unit=self._address, hint=hint)

    # -- which unit --------------------------------------------------------------------------------------------------

    async def _find(self) -> str | None:
        """Return the unit that the step is about now, or None where all that it may be about run the version."""
        units = [unit.address for unit in self.site.units]
        if not self._is_pair:
            return units[0]
        looks = await self._until_at_work()
        standby = next(address for address, state in states_of(looks).items() if state is State.STANDBY)
        due = [address for address in units if not is_version(await self._version_of(address), self._to)]
        if not due:
            return None
        if self.step.action is Action.UPDATE_STANDBY:
            return standby if standby in due else None
        if len(due) > 1:
            runs = await self._version_of(standby)
            raise StepError(self.step, f"it was to be updated first, and runs {runs}", unit=standby)
        return due[0]

    @property
    def _unit(self) -> Unit:
        return self.context.fleet.unit(self._address)

    @property
    def _partner(self) -> str | None:
        return next((unit.address for unit in self.site.units if unit.address != self._address), None)

    @property
    def _before(self) -> str:
        firmware = self.context.plan.firmware
        units = firmware.units if firmware else ()
        return next((unit.present or "not known" for unit in units if unit.address == self._address), "not known")

    # -- what is sent ------------------------------------------------------------------------------------------------

    async def _install(self) -> Outcome | None:
        """Give the unit the firmware; return how it ended where a person did that, and the boot, instead."""
        context = self.context
        for attempt in range(MAX_TRIES):
            version = await self._ready()
            require_room(context, self.step, self._address, moment(await boot_time(self._unit) or ""))
            if context.stop.requested:
                raise StoppedError
            image = context.options.image
            sent = {} if image is None else {"image": image.name, "size": image.size}
            context.record("installing", self.step, self._address, before=version, after=self._to, **sent)
            if not await self._may_send():
                await context.clock.sleep(pause_after(attempt))
                continue
            try:
                await (self._unit.restore_firmware() if image is None else self._unit.install_firmware(image))
            except UnclearOutcomeError as error:
                if error.status in SAYS_NO:
                    context.record("not_installed", self.step, self._address)
                    message = (
                        f"it answered HTTP {error.status} to its firmware, and was not rebooted; it runs {version}"
                    )
                    raise StepError(self.step, message, unit=self._address, hint=LOOK_AND_SEND_AGAIN) from None
                lost = f"the answer to its firmware was lost ({error.reason}): a boot decides"
                self._note(NoteKind.ANSWER_LOST, lost)
                return None
            except UnitUnreachableError as error:
                context.record("not_installed", self.step, self._address)
                self._note(NoteKind.TRIED_AGAIN, f"{error.reason}; looking again")
                await context.clock.sleep(pause_after(attempt))
                continue
            except UnitRefusedError as error:
                if error.code in NO_SUCH_COMMAND:
                    return await self._by_hand(error.reason)
                context.record("not_installed", self.step, self._address)
                raise
            context.record("installed", self.step, self._address)
            return None
        raise StepError(
            self.step,
            f"its firmware could not be sent, {MAX_TRIES} times; it runs what it ran before",
            unit=self._address,
            hint="see that its API can be reached from here, then go on",
        )

    async def _by_hand(self, reason: str) -> Outcome:
        """Wait until a person has updated the unit, and it is back."""

        async def look() -> str | None:
            if not await answers(self._unit):
                return None
            looks = await self._look()
            version = await self._version()
            return version if is_version(version, self._to) and self._is_at_work(looks) else None

        what = f"{UPDATE_MACHINE} of {self._address} to {self._to} and its reboot ({reason})"
        version = await until_done_by_hand(self.context, self.step, look, what=what, unit=self._address)
        self._record_updated(version)
        return Outcome(StepState.BY_HAND, self._address, f"it runs {version}, and was {self._before}")

    async def _boot(self) -> None:
        """Boot the unit into its new firmware, and wait until it is back and its pair at work."""
        context = self.context
        for attempt in range(MAX_TRIES):
            await self._ready()
            booted = await boot_time(self._unit)
            require_room(context, self.step, self._address, moment(booted or ""))
            context.record("booting", self.step, self._address, boot_time=booted)
            if not await self._may_send():
                await context.clock.sleep(pause_after(attempt))
                continue
            began = context.clock.now()
            try:
                await self._unit.reboot()
            except UnclearOutcomeError as error:
                self._note(NoteKind.ANSWER_LOST, f"the answer to its reboot was lost ({error.reason}); looking")
            except UnitUnreachableError as error:
                self._note(NoteKind.REBOOT_NOT_SENT, f"its reboot was not sent ({error.reason}); looking again")
                await context.clock.sleep(pause_after(attempt))
                continue
            if await self._until_back(since=began):
                return
            self._note(NoteKind.REBOOT_NOT_SENT, "its reboot never came; looking again")
        raise StepError(
            self.step,
            f"it could not be rebooted, {MAX_TRIES} times: its new firmware waits for a boot",
            unit=self._address,
            hint="look at the unit, then go on",
        )

    async def _ready(self) -> str:
        """Wait until the unit's turn has come; return the version that it shows.

        Raises :class:`StepError` where it does not come, or the standby does not hold what the active unit does.
        """
        looks = await self._until_at_work()
        version = await self._version()
        if self._partner is None or states_of(looks)[self._address] is State.STANDBY:
            return version
        if not is_version(partners := await self._version_of(self._partner), self._to):
            raise StepError(
                self.step,
                f"it is active, and its standby {self._partner} runs {partners}: the standby comes first",
                unit=self._address,
                hint=f"make {self._partner} active, then go on",
            )
        return version

    async def _may_send(self) -> bool:
        """Look at the pair just before a request that relies on it: whether the other unit goes on meanwhile."""
        looks = await self._look(is_last=True)
        if self._is_at_work(looks):
            return True
        self._note(NoteKind.TRIED_AGAIN, f"nothing was sent to it: {said(looks)}; looking at both units again")
        return False

    # -- what is seen ------------------------------------------------------------------------------------------------

    async def _look(self, *, is_last: bool = False) -> dict[str, Look]:
        return await self.context.fleet.look(self.site, is_last=is_last) if self._is_pair else {}

    def _is_at_work(self, looks: dict[str, Look]) -> bool:
        """Return whether one unit is active and the other stands by; a standalone has nobody to look at."""
        return not self._is_pair or sorted(states_of(looks).values()) == AT_WORK

    async def _until_at_work(self) -> dict[str, Look]:
        seen: dict[str, Look] = {}

        async def look() -> bool | None:
            seen.update(await self._look())
            return True if self._is_at_work(seen) else None

        telling = self.context.reporter.waiting(self.step, "waiting until one unit is active and the other stands by")
        within = self.context.timings.return_deadline
        if await self.context.until(look, within=within, on_wait=telling) is None:
            raise StepError(
                self.step,
                f"one unit has to be active and the other its standby, but {said(seen)}",
                unit=self._address or None,
                hint="look at both units; once one is active and the other its standby, go on",
            )
        return seen

    async def _until_back(self, *, since: float | None) -> bool:
        """Wait until the unit is back and its pair at work; return whether it has booted at all.

        ``since`` is when it was told to boot; None where an earlier run has told it, or was just about to.
        """
        context, timings = self.context, self.context.timings
        went = False

        async def look() -> bool | None:
            nonlocal went
            looks = await self._look()
            if self._is_pair and looks[self._address].state in (State.DOWN, State.UNKNOWN):
                went = True
                return None
            if not self._is_at_work(looks) or not await self._answers():
                went = went or not self._is_pair
                return None
            has_booted = await self._has_booted()
            if has_booted or (has_booted is None and went):
                return True
            return False if self._is_over(since) else None

        telling = context.reporter.waiting(self.step, "waiting until it is back", self._address)
        within = BOOTS_AT_MOST * timings.return_deadline
        found = await context.until(look, within=within, on_wait=telling)
        if found is None:
            seen = said(await self._look()) or "its API does not answer"
            raise StepError(
                self.step,
                f"it is not back {within:.0f} s after its reboot: {seen}",
                unit=self._address,
                hint="give it as long again, then start it from its console; leave its partner alone until it is back",
            )
        return found

    async def _until_whole(self) -> None:
        if self._is_pair:
            await self._until_at_work()

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(self.context.timings.health_timeout):
                return await answers(self._unit)
        except TimeoutError:
            return False

    async def _has_booted(self) -> bool | None:
        """Return whether it has booted since the reboot that was recorded last; None where it does not tell."""
        record = last_of(self.context.history, self.step.id)
        if not isinstance(record, Booting):
            return False
        try:
            if is_version(await self._unit.firmware(), self._to):
                return True
        except UnitError:
            return None
        now = await boot_time(self._unit)
        return None if record.boot_time is None or now is None else is_another_boot(record.boot_time, now)

    def _is_over(self, since: float | None) -> bool:
        """Return whether a reboot that was sent has had all the time that it takes to begin."""
        grace = self.context.timings.grace_seconds
        if since is not None:
            return self.context.clock.now() - since >= grace
        record = last_of(self.context.history, self.step.id)
        seconds = (self.context.clock.wall() - record.at).total_seconds() if record else grace
        return not 0 <= seconds < grace

    async def _version(self) -> str:
        return await self._version_of(self._address)

    async def _version_of(self, address: str) -> str:
        """Return what a unit runs. Raises :class:`StepError` where it does not tell: then it is not touched."""
        try:
            return await self.context.fleet.unit(address).firmware()
        except UnitError as error:
            message = f"it does not tell its version, so it is not touched: {error.reason}"
            raise StepError(self.step, message, unit=address, hint="see that its API answers, then go on") from None

    def _record_updated(self, version: str) -> None:
        if progress_of(self.context.history, self.step.id) is not UnitProgress.UPDATED:
            self.context.record("updated", self.step, self._address, version=version)

    def _note(self, kind: NoteKind, message: str) -> None:
        self.context.note(kind, f"{self._address}: {message}", site=self.site.name, unit=self._address, step=self.step)


BOOTS_AT_MOST = 2
"""How many times as long as a usual boot the first one of new firmware may take."""
