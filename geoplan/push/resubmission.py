"""The partners submitted on the new active unit, in the window that the reboot of its master opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import same_addresses
from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import units_down
from geoplan.plan.model import Action
from geoplan.push.context import StepError
from geoplan.push.submission import NotSubmittedError, require_unchanged, submit_unchanged

if TYPE_CHECKING:
    from geoplan.push.readiness import Pair

MAX_FAILED_SUBMISSIONS = 2  # one may be due to the master's return; more have another reason, which no reboot mends


class Resubmission:
    """Submits one pair's partners on its slave, as often as it takes while the slave is active."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._failed_submissions = 0
        self._last_failure = ""
        self._down: tuple[str, ...] = ()

    async def run(self) -> bool:
        """Submit on the slave until it is sure that it was active then; tell whether it stayed so long enough."""
        deadline = self._pair.context.clock.now() + self._pair.context.timings.return_deadline
        all_were_up = True  # just before the reboot
        while await self._pair.slave_is_active():
            try:
                sent = await self._submit()
            except UnitError as error:
                # What was replicated looks just like what was submitted, so reading back cannot tell: submit again.
                self._count_failure(error.reason, deadline)
                await self._pair.context.clock.sleep(self._pair.context.timings.poll_seconds)
                continue
            if sent is None or not await self._pair.slave_is_active():
                self._require_all_up()
                return False
            if down := await units_down(self._pair.context.fleet, self._pair.site):
                all_were_up = False
                self._note_down(down, deadline)
                await self._pair.context.clock.sleep(self._pair.context.timings.poll_seconds)
                continue
            if not all_were_up:  # who is up now may have come up after the submission, which made no link with it then
                all_were_up = True
                continue
            return await self._read_back(sent)
        self._require_all_up()
        if self._failed_submissions >= MAX_FAILED_SUBMISSIONS:
            raise StepError(
                self._pair.resubmission,
                "the partners could not be submitted while the slave was active: " + self._last_failure,
                unit=self._pair.slave,
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
        pair.context.journal.write(
            "resubmitting",
            step=pair.resubmission.id,
            site=pair.site.name,
            unit=pair.slave,
            before=list(sent),
            after=list(sent),
        )
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

    def _note_down(self, down: tuple[str, ...], deadline: float) -> None:
        """Say that links to some units could not be made, since they were down; the submission is then repeated."""
        if self._pair.context.clock.now() >= deadline:
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

    def _count_failure(self, reason: str, deadline: float) -> None:
        self._failed_submissions += 1
        self._last_failure = reason
        if self._pair.context.clock.now() >= deadline:
            raise StepError(
                self._pair.resubmission, f"the partners cannot be submitted: {reason}", unit=self._pair.slave
            )
        if self._failed_submissions == 1:
            self._pair.note(
                NoteKind.TRIED_AGAIN,
                f"{self._pair.slave}: the submission went wrong ({reason}); trying again while it is active",
            )

    async def _read_back(self, sent: tuple[str, ...]) -> bool:
        try:
            held = await self._pair.slave_unit.geo_partners()
        except UnitError as error:
            message = f"the submission cannot be read back: {error.reason}"
            raise StepError(self._pair.resubmission, message, unit=self._pair.slave) from None
        if not same_addresses(held, sent):
            message = f"read back its partners are {', '.join(held) or 'none'}: the submission was not applied"
            raise StepError(self._pair.resubmission, message, unit=self._pair.slave)
        self._pair.context.journal.write(
            "resubmitted", step=self._pair.resubmission.id, site=self._pair.site.name, unit=self._pair.slave
        )
        return True


async def submit_on_master(pair: Pair) -> None:
    """Submit the partners on the active master where its list came by replication alone.

    A master that was down while the partners were entered on its slave has the list, and no links. Raises
    :class:`StepError` where it does not take them.
    """
    context = pair.context
    if not context.journal.history.needs_submission(pair.site.name, pair.master):
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
