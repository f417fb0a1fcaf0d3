"""Links that are red although all lists are in place: the partners are submitted once more where they are.

A unit that lost its configuration has its list again from its partner, and has forgotten that it was ever submitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.push.events import NoteKind
from geoplan.push.submission import NotSubmittedError, submit_unchanged

if TYPE_CHECKING:
    from geoplan.push.context import Context
    from geoplan.push.verify import Report


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
