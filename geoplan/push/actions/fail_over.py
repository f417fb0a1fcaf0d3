"""``fail_over``: one pair fails over by a reboot, as a drill: nothing is submitted, everything is timed.

It is the reboot of a push, with its readiness, its guard and its record. What follows differs: the new active unit has
to have its links already, and what it and its partners show of them is the proof.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from geoplan.live.activity import said, states_of
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import answers, are_healthy
from geoplan.live.model import State
from geoplan.loadmaster.pace import at_once
from geoplan.plan.drill import goes_back
from geoplan.push.actions.reboot_master import PairReboot, Reached
from geoplan.push.boots import boot_time, is_another_boot
from geoplan.push.context import StepError
from geoplan.push.drill_links import DrillLinks
from geoplan.push.drill_report import failover_of
from geoplan.push.events import EventKind
from geoplan.push.history import PairProgress
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.values import Sight
from geoplan.wording import count, join_words

if TYPE_CHECKING:
    from geoplan.live.activity import Look
    from geoplan.plan.model import Step
    from geoplan.push.actions.reboot_master import Sending
    from geoplan.push.context import Context


async def fail_over(context: Context, step: Step) -> Outcome:
    """Fail a pair over, from the unit that the step is on, and watch until both units are where they stay."""
    return await FailOver(context, step).drill()


class FailOver(PairReboot):
    """Reboots the active unit of a pair and times what follows; of the way back, master and slave change places."""

    is_drill = True

    def __init__(self, context: Context, step: Step) -> None:
        super().__init__(context, step, step)
        if step.on.unit == "slave":
            self.master, self.slave = self.slave, self.master
            self.master_unit, self.slave_unit = self.slave_unit, self.master_unit
            self.roles = ("slave", "master")
        self._is_resumed = False
        self._sent_at: float | None = None
        self._has_gone = False
        self._asked_at: float | None = None
        """When the look before the last one began: what the last one has seen may have happened since."""
        self._seen_at = 0.0
        """When the last answers were there."""
        self._longest = 0.0
        self._links = DrillLinks(context, self.site, self.slave, self._saw, has_seen=self._has_seen)

    async def drill(self) -> Outcome:
        """Do what is left of the step. Raises :class:`StepError`, or ``StoppedError`` before a reboot is sent."""
        last = self.context.history.last_reboot(self.site.name)
        is_own = last is not None and last.step == self.reboot.id
        progress = self.context.history.progress(self.site.name)
        if self.context.history.step_states.get(self.reboot.id) == StepState.DONE.value or (
            is_own and progress is PairProgress.HEALTHY
        ):
            return self._outcome(StepState.RECORDED)
        under_way = is_own and progress is PairProgress.REBOOTING
        if not under_way and await self._is_there_already():
            is_red = await self._shows_red_now()
            return Outcome(StepState.NOT_NEEDED, self.slave, f"the {self.roles[1]} is active already", is_red=is_red)
        if await self._fail_over(under_way=under_way):
            await self._watch_links()
        else:
            self._note_what_was_missed()
        await self._until_whole()
        self.context.journal.write("healthy", site=self.site.name)
        return self._outcome(StepState.DONE)

    async def look(self, *, is_last: bool = False) -> dict[str, Look]:
        """Look at both units, and time what is new."""
        began = self.context.clock.now()
        looks = await super().look(is_last=is_last)
        if self._sent_at is None and not self._is_resumed:
            return looks
        states = states_of(looks)
        self._answered(began)
        if states[self.slave] is State.ACTIVE and states[self.master] is not State.ACTIVE:
            self._saw(Sight.ACTIVE, self.slave)
        if states[self.master] in (State.DOWN, State.UNKNOWN):
            self._has_gone = True
        elif states[self.master] is State.STANDBY or (self._has_gone and states[self.master] is State.ACTIVE):
            self._saw(Sight.BACK, self.master)
        return looks

    def _answered(self, began: float) -> None:
        """Note when answers came to questions that began to be asked then, and how long ago others were asked."""
        self._seen_at = self.context.clock.now()
        if self._asked_at is not None:
            self._longest = max(self._longest, self._seen_at - self._asked_at)
        self._asked_at = began

    # -- the failover ------------------------------------------------------------------------------------------------

    async def _is_there_already(self) -> bool:
        """Return whether the pair is where this step leads, and the drill is only to go back from there."""
        if not goes_back(self.context.plan) or self.reboot.on.unit == "slave":
            return False
        return states_of(await self.look()) == {self.master: State.STANDBY, self.slave: State.ACTIVE}

    def _note_what_was_missed(self) -> None:
        """Note what nobody sees any more of the unit that was to be active: an earlier run may have seen a part."""
        found = failover_of(self.context.history, self.context.plan, self.reboot)
        interrupted = ": this drill was interrupted meanwhile" if self._is_resumed else ""
        if found.active is None:
            message = f"nobody saw the {self.roles[1]} active{interrupted}, so nothing is proven of its links"
        elif found.lost:
            unseen = join_words(link.site for link in found.lost)
            message = (
                f"the {self.roles[1]} was seen active, and is not any more{interrupted}; "
                f"its links with {unseen} were not seen on both ends by then, so they are not proven"
            )
        else:
            return
        self.note(NoteKind.LINK_NOT_PROVEN, f"'{self.site.name}': {message}")

    async def _shows_red_now(self) -> bool:
        """Write down how the links of the unit are that is active already: going back, nobody can ask it any more."""
        if self.context.fleet.is_on_paper:
            return False
        await self._links.find_partners()
        self._links.take(await self._links.ask())
        self._links.end()
        return any(each.what is Sight.RED for each in self.context.history.timed if each.step == self.reboot.id)

    async def _fail_over(self, *, under_way: bool) -> bool:
        """Reboot, and wait for the failover; return whether the other unit was seen active."""
        while True:
            self._is_resumed = under_way
            sending = None if under_way else await self._send_reboot()
            reached = await self._look_for_slave(sending)
            if reached is Reached.NOT_SENT:
                self._sent_at = None
                await self._pause_after_not_sent()
                continue
            self._require_rebooted(reached)
            if reached is Reached.MASTER_BACK and under_way and await self._never_rebooted():
                why = "its boot time is the one from before"
                self.context.record("reboot_not_sent", self.reboot, self.master, why=why)
                under_way = False
                continue
            return reached is Reached.SLAVE_ACTIVE

    async def _try_reboot(self, note: str) -> Sending | None:
        sending = await super()._try_reboot(note)
        if sending is not None:
            self._sent_at = self._asked_at = self.context.clock.now()
        return sending

    async def _never_rebooted(self) -> bool:
        """Return whether the reboot that an earlier run recorded is known never to have happened."""
        last = self.context.history.last_reboot(self.site.name)
        before, now = last.boot_time if last else None, await boot_time(self.master_unit)
        return before is not None and now is not None and not is_another_boot(before, now)

    # -- after it ----------------------------------------------------------------------------------------------------

    async def _watch_links(self) -> None:
        """Look at the new active unit's links from both ends, until all are green, or as long as it is active."""
        context, timings = self.context, self.context.timings
        began = context.clock.now()
        await self._links.find_partners()

        async def look() -> bool | None:
            asked = context.clock.now()
            with at_once():  # a slave shows them only as long as its master boots
                told, looks = await asyncio.gather(self._links.ask(), self.look(is_last=True))
            self._end_in_silence(looks)
            states = states_of(looks)
            self._seen_at = context.clock.now()
            self._longest = max(self._longest, self._seen_at - asked)
            if states[self.slave] is not State.ACTIVE or states[self.master] is State.ACTIVE:
                return True
            self._links.take(told)
            if self._links.are_all_green:
                return True
            is_late = context.clock.now() - began >= max(timings.settle_timeout, timings.boot_seconds)
            return True if is_late else None

        telling = context.reporter.waiting(self.reboot, "waiting until its partners turn green", self.slave)
        within = timings.return_deadline
        await context.until(look, within=within, on_wait=telling)
        self._links.end()

    async def _until_whole(self) -> None:
        seen: dict[str, Look] = {}

        async def look() -> bool | None:
            seen.update(await self.look())
            self._end_in_silence(seen)
            return True if self._is_whole(states_of(seen)) and await answers(self.master_unit) else None

        context, within = self.context, self.context.timings.return_deadline
        telling = context.reporter.waiting(self.reboot, f"waiting until the {self.roles[0]} is back", self.master)
        if await context.until(look, within=within, on_wait=telling) is None:
            raise StepError(
                self.reboot,
                f"the pair is not whole after {within:.0f} s: {said(seen)}",
                unit=self.master,
                hint=f"bring {self.master} back; then go on: the pair is not rebooted again",
            )
        self._saw(Sight.BACK, self.master)  # at the latest: one that was back before a resume was never seen gone
        self._saw(Sight.WHOLE, self.master)

    def _is_whole(self, states: dict[str, State]) -> bool:
        is_where_it_stays = self.site.preferred_host != "none" or states[self.slave] is State.ACTIVE
        return are_healthy(self.site, states) and is_where_it_stays

    # -- what is said of it ------------------------------------------------------------------------------------------

    def _saw(self, what: Sight, unit: str, partner: str | None = None) -> None:
        """Write down once that something was seen, and how long after the reboot."""
        context = self.context
        if self._has_seen(what, unit, partner):
            return
        of_link: dict[str, object] = {} if partner is None else {"partner": partner}
        seconds = None if self._sent_at is None else max(0.0, self._seen_at - self._sent_at)
        if seconds is not None:
            of_link |= {"seconds": seconds, "within": self._longest}
        context.record("timed", self.reboot, unit, what=what.value, **of_link)
        if partner is None and not context.fleet.is_on_paper:  # where nothing takes its time
            after = "" if seconds is None else f" {seconds:.1f} s after the reboot"
            message = f"'{self.site.name}': {unit} {_SAID[what]}{after}"
            context.reporter.say(EventKind.NOTE, message, step=self.reboot, unit=unit, what=what.value)

    def _has_seen(self, what: Sight, unit: str, partner: str | None = None) -> bool:
        return self.context.history.has_timed(self.reboot.id, what, unit, partner)

    def _outcome(self, state: StepState) -> Outcome:
        """Return how it ended: red unless every link was seen from both ends, in this run or one before."""
        found = failover_of(self.context.history, self.context.plan, self.reboot)
        if found.active is None:
            return Outcome(state, self.slave, f"the {self.roles[1]} was not seen active", is_red=True)
        sites = len(found.links)
        linked = f"{sites - len(found.lost)} of {count(sites, 'partner site')} seen linked with it"
        return Outcome(state, self.slave, f"the {self.roles[1]} took over, {linked}", is_red=not found.is_proven)


_SAID = {
    Sight.ACTIVE: "is the active unit",
    Sight.BACK: "answers again",
    Sight.WHOLE: "and its partner are where they stay",
}
