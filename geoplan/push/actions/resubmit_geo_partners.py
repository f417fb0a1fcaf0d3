"""``resubmit_geo_partners``: unchanged partners submitted again: read, allowed, recorded, sent once, read back.

On a standalone and wherever a link is red it is done on the unit that takes settings; on a pair, in the window in which
its slave is active because its master reboots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import same_addresses, without
from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import NoActiveUnitError, units_down
from geoplan.loadmaster.pace import at_once
from geoplan.plan.model import Action
from geoplan.push.actions.change import MAX_TRIES, pause_after, try_change
from geoplan.push.context import StepError
from geoplan.push.options import RebootMode
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.partner_links import RED, links_stay_red

if TYPE_CHECKING:
    from geoplan.live.findings.compare import Report
    from geoplan.live.unit import Unit
    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.actions.readiness import Pair
    from geoplan.push.context import Context

CHANGED_MEANWHILE = "find out who else changes it; then go on, which checks everything again"
MAX_FAILED_SUBMISSIONS = 2  # one may be due to the master's return; more have another reason, which no reboot mends


async def resubmit_on_standalone(context: Context, step: Step) -> Outcome:
    """Submit a standalone's unchanged partners again: it is sent although nothing differs.

    That is needed where partners were changed, or a pair rebooted, in its group in this push: standalones submit after
    all of that (section 5.4).
    """
    if context.options.reboot is RebootMode.NEVER:
        return Outcome(StepState.LEFT_OUT, None, "no resubmission is wanted")
    site = context.plan.site(step.on.site)
    if not any(context.history.was_touched(other.name) for other in context.plan.sites_of(site.group)):
        return Outcome(StepState.NOT_NEEDED, None, "nothing was changed or rebooted in its group")
    try:
        unit, sent = await submit_unchanged(context, site, step_id=step.id)
    except NotSubmittedError as error:
        raise StepError(step, str(error), unit=error.unit, hint=error.hint) from None
    context.record("changed", step, unit.address, action=step.action.value)
    is_red = await links_stay_red(context, step, unit)
    return Outcome(StepState.DONE, unit.address, f"{len(sent)} partners submitted again{RED if is_red else ''}", is_red)


class NotSubmittedError(Exception):
    """Partners that were not submitted again: why, on which unit, and what to do about it."""

    def __init__(self, message: str, *, unit: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.unit = unit
        self.hint = hint


class Submitted(NamedTuple):
    """Where partners were submitted, and which."""

    unit: Unit
    addresses: tuple[str, ...]


def require_unchanged(context: Context, site: SiteSettings, unit: str, held: tuple[str, ...]) -> tuple[str, ...]:
    """Return the list that a unit holds, to be submitted as it is.

    A submission changes no list. Raises :class:`NotSubmittedError` where the unit's lacks what the plan has, or has
    what the operator has not allowed: somebody changed it since the checks.
    """
    if missing := without(site.geo_partners, held):
        message = f"its partners lack {', '.join(missing)} now, so nothing was submitted"
        raise NotSubmittedError(message, unit=unit, hint=CHANGED_MEANWHILE)
    extra = without(held, site.geo_partners)
    if extra and not context.options.remove_unknown:
        message = f"its partners now hold {', '.join(extra)}, which the plan does not have, so nothing was submitted"
        raise NotSubmittedError(message, unit=unit, hint=CHANGED_MEANWHILE)
    return held


async def submit_unchanged(context: Context, site: SiteSettings, *, step_id: str | None = None) -> Submitted:
    """Submit a site's partners again on its active unit, as that unit holds them.

    Each attempt has a look of its own just before it. Raises :class:`NotSubmittedError`.
    """
    why, unit = "", None
    for attempt in range(MAX_TRIES):
        try:
            return await _try(context, site, step_id)
        except _MayPassError as error:
            why, unit = str(error), error.unit
            await context.clock.sleep(pause_after(attempt))
    raise NotSubmittedError(why, unit=unit)


class _MayPassError(NotSubmittedError):
    """What may succeed after another look."""


async def _try(context: Context, site: SiteSettings, step_id: str | None) -> Submitted:
    try:
        unit = await context.fleet.active(site)
    except NoActiveUnitError as error:
        hint = "see that one unit of the pair is active and the other its standby"
        raise NotSubmittedError(str(error), hint=hint) from None
    sent = require_unchanged(context, site, unit.address, await _partners(unit, "its partners cannot be read"))
    context.journal.write(
        "resubmitting",
        site=site.name,
        unit=unit.address,
        before=list(sent),
        after=list(sent),
        **({"step": step_id} if step_id else {}),
    )
    if not await context.fleet.is_active_now(site, unit.address):
        raise _MayPassError("the other unit took over meanwhile", unit=unit.address)
    problem = await try_change(unit.resubmit_geo_partners(sent))
    if problem:
        # The list cannot show whether the answer or the submission was lost; after a look it is submitted once more.
        kind = _MayPassError if problem.may_pass else NotSubmittedError
        raise kind(f"the partners could not be submitted again: {problem.reason}", unit=unit.address)
    after = await _partners(unit, "the submission cannot be read back")
    if not await context.fleet.is_active_now(site, unit.address):
        raise _MayPassError("the other unit took over meanwhile", unit=unit.address)
    if not same_addresses(after, sent):
        held = ", ".join(after) or "nothing"
        raise NotSubmittedError(f"read back its partners are {held}: it was not applied", unit=unit.address)
    return Submitted(unit, sent)


async def _partners(unit: Unit, failure: str) -> tuple[str, ...]:
    try:
        return await unit.geo_partners()
    except UnitError as error:
        raise NotSubmittedError(f"{failure}: {error.reason}", unit=unit.address) from None


async def submit_where_red(context: Context, report: Report) -> bool:
    """Submit unchanged partners on the active units of red links; return whether any was submitted."""
    submitted = False
    to_submit = set(report.sites_to_resubmit)
    for site in report.sites:
        if site.unit is None or site.site not in to_submit:
            continue
        try:
            unit, _ = await submit_unchanged(context, context.plan.site(site.site))
        except NotSubmittedError as error:
            message = f"{site.unit}: a link is red, and its partners could not be submitted again: {error}"
            context.note(NoteKind.NOT_SUBMITTED, message, site=site.site, unit=site.unit)
        else:
            submitted = True
            message = f"{unit.address}: a link was red with all lists in place; its partners were submitted again"
            context.note(NoteKind.SUBMITTED_AGAIN, message, site=site.site, unit=unit.address)
    return submitted


class Resubmission:
    """Submits one pair's partners on its slave, as often as it takes while the slave is active."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._deadline = 0.0
        self._failed_submissions = 0
        self._last_failure = ""
        self._down: tuple[str, ...] = ()

    async def run(self) -> bool:
        """Submit on the slave until it is sure that it was active then; return whether it stayed so long enough.

        This window does not wait for the pace of what was asked before it.
        """
        with at_once():
            return await self._run()

    async def _run(self) -> bool:
        pair, context = self._pair, self._pair.context
        self._deadline = context.clock.now() + context.timings.return_deadline
        all_were_up = True  # just before the reboot
        while await pair.slave_is_active():
            try:
                sent = await self._submit()
            except UnitError as error:
                # What was replicated looks just like what was submitted, so reading back cannot tell: submit again.
                self._count_failure(error.reason)
                await context.clock.sleep(context.timings.poll_seconds)
                continue
            if sent is None or not await pair.slave_is_active():
                self._require_all_up()
                return False
            if down := await units_down(context.fleet, pair.site):
                all_were_up = False
                self._note_down(down)
                await context.clock.sleep(context.timings.poll_seconds)
                continue
            if not all_were_up:  # who is up now may have come up after the submission, which made no link with it then
                all_were_up = True
                continue
            return await self._read_back(sent)
        self._require_all_up()
        if self._failed_submissions >= MAX_FAILED_SUBMISSIONS:
            raise StepError(
                pair.resubmission,
                "the partners could not be submitted while the slave was active: " + self._last_failure,
                unit=pair.slave,
                hint="look at the unit, then go on: its pair is rebooted once more",
            )
        return False

    async def _submit(self) -> tuple[str, ...] | None:
        """Read, record, look and submit; return what was sent, or None where the slave is not active any more.

        Raises :class:`StepError` where its list is not the plan's: then nothing is sent, and the pair stays owed.
        """
        pair, slave = self._pair, self._pair.slave_unit
        try:
            sent = require_unchanged(pair.context, pair.site, pair.slave, await slave.geo_partners())
        except NotSubmittedError as error:
            raise StepError(pair.resubmission, str(error), unit=error.unit, hint=error.hint) from None
        pair.context.record("resubmitting", pair.resubmission, pair.slave, before=list(sent), after=list(sent))
        if not await pair.slave_is_active():
            return None
        await slave.resubmit_geo_partners(sent)
        return sent

    def _require_all_up(self) -> None:
        """Stop where others were down: a reboot helps once they stay up, which is not for this push to find out."""
        if self._down:
            down = ", ".join(self._down)
            raise StepError(
                self._pair.resubmission,
                f"the master took over while {down} did not answer, so no link with them could be made",
                unit=self._pair.slave,
                hint="see that they are up and stay up, then go on: this pair is rebooted once more",
            )

    def _note_down(self, down: tuple[str, ...]) -> None:
        """Say that links to some units could not be made, since they were down; the submission is then repeated."""
        if self._is_late():
            raise StepError(
                self._pair.resubmission,
                f"no link could be made with units that do not answer: {', '.join(down)}",
                unit=self._pair.slave,
                hint="bring them up, then go on",
            )
        if not self._down:
            self._down = down
            self._pair.note(
                NoteKind.UNITS_DOWN,
                f"{', '.join(down)} did not answer while the partners were submitted on {self._pair.slave}; "
                "submitting again while it is active",
            )

    def _count_failure(self, reason: str) -> None:
        self._failed_submissions += 1
        self._last_failure = reason
        if self._is_late():
            message = f"the partners cannot be submitted: {reason}"
            raise StepError(self._pair.resubmission, message, unit=self._pair.slave)
        if self._failed_submissions == 1:
            self._pair.note(
                NoteKind.TRIED_AGAIN,
                f"{self._pair.slave}: the submission went wrong ({reason}); trying again while it is active",
            )

    def _is_late(self) -> bool:
        return self._pair.context.clock.now() >= self._deadline

    async def _read_back(self, sent: tuple[str, ...]) -> bool:
        pair = self._pair
        try:
            held = await pair.slave_unit.geo_partners()
        except UnitError as error:
            message = f"the submission cannot be read back: {error.reason}"
            raise StepError(pair.resubmission, message, unit=pair.slave) from None
        if not same_addresses(held, sent):
            message = f"read back its partners are {', '.join(held) or 'none'}: the submission was not applied"
            raise StepError(pair.resubmission, message, unit=pair.slave)
        pair.context.record("resubmitted", pair.resubmission, pair.slave)
        return True


async def submit_on_master(pair: Pair) -> None:
    """Submit the partners on the active master where its list came by replication alone.

    A master that was down while the partners were entered on its slave has the list, and no links. Raises
    :class:`StepError` where it does not take them.
    """
    context = pair.context
    if not context.history.needs_submission(pair.site.name, pair.master):
        return
    try:
        submitted = await submit_unchanged(context, pair.site)
    except NotSubmittedError as error:
        message = f"the partners could not be submitted on the master before its reboot: {error}"
        raise StepError(pair.reboot, message, unit=pair.master, hint=error.hint) from None
    address = submitted.unit.address
    context.journal.write("changed", site=pair.site.name, action=Action.SET_GEO_PARTNERS.value, unit=address)
    if address == pair.master:
        message = f"{pair.master}: its partners had been entered on {pair.slave}; they were submitted here, too"
        pair.note(NoteKind.SUBMITTED_ON_MASTER, message)
