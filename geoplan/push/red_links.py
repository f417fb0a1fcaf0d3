"""Links that are red although every step was done: the partners are submitted once more where they are.

A unit that lost its configuration has its list again from its partner, and has forgotten that it was ever submitted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import UnitError
from geoplan.push.failures import reason_of

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
        wanted = context.plan.site(site.site).geo_partners
        context.journal.write("resubmitting", site=site.site, unit=site.unit, after=list(wanted))
        try:
            await context.fleet.unit(site.unit).resubmit_geo_partners(wanted)
        except UnitError as error:
            message = f"{site.unit}: a link is red, and its partners could not be submitted again: {reason_of(error)}"
        else:
            submitted = True
            message = f"{site.unit}: a link was red after all steps; its partners were submitted again"
        context.journal.write("note", site=site.site, message=message)
    return submitted
