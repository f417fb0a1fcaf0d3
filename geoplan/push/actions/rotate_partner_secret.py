"""``rotate_partner_secret``: all units of a site are given the Partner Shared Secret, back to back.

pair at work, both answer ─▶ record, look, standby ─▶ record, active at once ─▶ pair at work, lists the same
                                │ refused: nothing done     │ not taken: stop, both are set again by whoever goes on

Nothing reads a secret back, and to set it twice does no harm: after a lost answer it is sent again, and units of which
one may have it are all given it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnclearOutcomeError, UnitError, UnitUnreachableError
from geoplan.live.activity import AT_WORK, said, states_of
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import answers
from geoplan.live.model import State
from geoplan.push.actions.change import MAX_TRIES, pause_after
from geoplan.push.between_sites import wait_between_sites
from geoplan.push.context import StepError, StoppedError
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.secret_progress import SiteSecrets, secrets_of
from geoplan.push.secret_scope import recorded_alone
from geoplan.push.whole_pairs import until_whole
from geoplan.vendor import REMOTE_ACCESS, SHARED_SECRET

if TYPE_CHECKING:
    from geoplan.live.activity import Look
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def rotate_partner_secret(context: Context, step: Step) -> Outcome:
    """Give all units of a site the secret, and see it whole."""
    if step.site in (recorded_alone(context.history) or ()):
        return Outcome(StepState.NOT_NEEDED, None, "it was never given what is taken back")
    secrets = secrets_of(context.history, step.site)
    if secrets.is_in_force:
        return Outcome(StepState.RECORDED, None, "the journal has it, in this run")
    outcome = await Rotation(context, step, secrets).run()
    await wait_between_sites(context, step)
    return outcome


MAX_LOOKS = 3
"""How often a pair that was whole and parted again is waited for."""


class Rotation:
    """One site on its way to the secret."""

    def __init__(self, context: Context, step: Step, secrets: SiteSecrets) -> None:
        self._context = context
        self._step = step
        self._site = context.plan.site(step.site)
        self._is_pair = self._site.kind == "ha_pair"
        self._mends = secrets.needs_mending
        """Whether an earlier run has begun with it: then who is active decides nothing, both have to be the same."""
        self._before = secrets.order

    async def run(self) -> Outcome:
        """Do it. Raises :class:`StepError`, or ``StoppedError`` before anything was sent."""
        first, *others = self._in_order_begun() if self._mends else await self._in_order_of_states()
        await self._set(first, is_first=not self._mends)
        for address in others:
            await self._set(address)
        told = await self._until_whole()
        self._context.journal.write("secret_in_force", step=self._step.id, site=self._site.name)
        how = f"set again on {' and '.join((first, *others))}: they may have differed" if self._mends else "set"
        return Outcome(StepState.DONE, first if not others else None, f"{how}; {told}" if told else how)

    # -- in which order ----------------------------------------------------------------------------------------------

    def _in_order_begun(self) -> tuple[str, ...]:
        own = [unit.address for unit in self._site.units]
        return tuple(dict.fromkeys((*(each for each in self._before if each in own), *own)))

    async def _in_order_of_states(self) -> tuple[str, ...]:
        """Return the standby and then the active unit of a pair at work of which both answer just now."""
        addresses = [unit.address for unit in self._site.units]
        silent: list[str] = []

        async def look() -> dict[str, Look] | None:
            silent[:] = [each for each in addresses if not await answers(self._context.fleet.unit(each))]
            looks = await self._look()
            return looks if not silent and self._is_at_work(looks) else None

        telling = self._context.reporter.waiting(self._step, "waiting until its units are ready")
        found = await self._context.until(look, within=self._context.timings.settle_timeout, on_wait=telling)
        if found is None:
            seen = said(await self._look())
            why = f"{' and '.join(silent)} does not answer" if silent else f"not one active and one standby: {seen}"
            raise StepError(self._step, f"nothing was sent to it: {why}", hint="repair the site, then go on")
        states = states_of(found)
        return tuple(sorted(addresses, key=lambda each: states.get(each) is not State.STANDBY))

    # -- one unit ----------------------------------------------------------------------------------------------------

    async def _set(self, address: str, *, is_first: bool = False) -> None:
        """Give one unit the secret; ``is_first`` while no unit of the site may have it."""
        context, unit = self._context, self._context.fleet.unit(address)
        secret = context.options.secret
        if secret is None:
            raise ValueError("a push that sets the secret has none")
        may_have_it = False
        for attempt in range(MAX_TRIES):
            if is_first and not may_have_it:
                if context.stop.requested:
                    raise StoppedError
                context.record("setting_secret", self._step, address)
                if not await self._may_begin(address):
                    context.record("secret_not_set", self._step, address)
                    await context.clock.sleep(pause_after(attempt))
                    continue
            else:
                context.record("setting_secret", self._step, address)
            try:
                await unit.set_partner_secret(secret)
            except UnclearOutcomeError as error:
                may_have_it = True
                self._note(NoteKind.ANSWER_LOST, address, f"the answer was lost ({error.reason}): it is set again")
            except UnitUnreachableError as error:
                context.record("secret_not_set", self._step, address)
                self._note(NoteKind.TRIED_AGAIN, address, f"it was not sent ({error.reason}); trying again")
            except UnitError as error:
                context.record("secret_not_set", self._step, address)
                raise self._not_taken(address, error.reason) from None
            else:
                context.record("secret_set", self._step, address)
                return
            await context.clock.sleep(pause_after(attempt))
        raise self._not_taken(address, f"it could not be sent, {MAX_TRIES} times")

    def _not_taken(self, address: str, reason: str) -> StepError:
        now = secrets_of(self._context.history, self._site.name)
        if not now.may_differ:
            hint = f"its site has the secret that it had; its field is at {REMOTE_ACCESS}"
            return StepError(self._step, f"it does not take the {SHARED_SECRET}: {reason}", unit=address, hint=hint)
        others = " and ".join(each for each in now.order if each != address)
        what = f"{others} may have the new {SHARED_SECRET}, and it not" if others else "it may have it, or not"
        hint = "go on at once, or go back: either sets all units of the site again, so that they are the same"
        return StepError(self._step, f"{what}: {reason}", unit=address, hint=hint)

    # -- what is seen ------------------------------------------------------------------------------------------------

    async def _look(self, *, is_last: bool = False) -> dict[str, Look]:
        return await self._context.fleet.look(self._site, is_last=is_last) if self._is_pair else {}

    def _is_at_work(self, looks: dict[str, Look]) -> bool:
        return not self._is_pair or sorted(states_of(looks).values()) == AT_WORK

    async def _may_begin(self, address: str) -> bool:
        """Look at the pair just before its first request: whether it is whole, and this unit its standby."""
        looks = await self._look(is_last=True)
        if not self._is_pair or (self._is_at_work(looks) and states_of(looks)[address] is State.STANDBY):
            return True
        self._note(NoteKind.TRIED_AGAIN, address, f"nothing was sent to it: {said(looks)}; looking again")
        return False

    async def _until_whole(self) -> str:
        """Wait until a pair is whole, and stays so for a replication: units part some time after their secrets do."""
        if self._mends and self._context.fleet.is_on_paper:
            return ""  # what parted on units does not come together on paper
        hint = "go on: both units are given it again, since one may have said so and not have it"
        for _ in range(MAX_LOOKS if self._is_pair else 0):
            told = await until_whole(self._context, self._step, "its secret", hint=hint)
            if await self._stays_whole():
                return told
        if self._is_pair:
            raise StepError(self._step, "the pair does not stay whole after its secret", hint=hint)
        return ""

    async def _stays_whole(self) -> bool:
        async def look() -> bool | None:
            return None if self._is_at_work(await self._look()) else True

        telling = self._context.reporter.waiting(self._step, "watching whether the pair stays whole")
        within = self._context.timings.sync_seconds
        return await self._context.until(look, within=within, on_wait=telling) is None

    def _note(self, kind: NoteKind, unit: str, message: str) -> None:
        self._context.note(kind, f"{unit}: {message}", site=self._site.name, unit=unit, step=self._step)
