"""Unchanged partners submitted again on the unit that takes settings: read, allowed, recorded, sent once, read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import same_addresses, without
from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import NoActiveUnitError
from geoplan.push.changes import MAX_TRIES, pause_after, try_change

if TYPE_CHECKING:
    from geoplan.live.findings.compare import Report
    from geoplan.live.unit import Unit
    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Context


CHANGED_MEANWHILE = "find out who else changes it; then go on, which checks everything again"


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
    last: NotSubmittedError | None = None
    for attempt in range(MAX_TRIES):
        try:
            return await _try(context, site, step_id)
        except _MayPassError as error:
            last = NotSubmittedError(str(error), unit=error.unit)
            await context.clock.sleep(pause_after(attempt))
    assert last is not None  # noqa: S101 - for the type checker: there is at least one attempt
    raise last


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
    """Submit unchanged partners on the active units of red links; tell whether any was submitted."""
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
