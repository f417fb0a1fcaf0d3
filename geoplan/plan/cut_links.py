"""Links that a change cuts by lists alone: the standby of a pair submits nothing that would cut its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import without
from geoplan.plan.model import Action

if TYPE_CHECKING:
    from geoplan.plan.model import Plan


def cut_by_lists_alone(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return of each pair the partners that are taken off its list, where no reboot lets its standby submit after it.

    The submission of that standby still names them. That their access lists end its links is not confirmed.
    """
    change = plan.change
    if change is None:
        return {}
    rebooted = {step.site for step in plan.steps if step.action is Action.REBOOT_MASTER}
    found: dict[str, tuple[str, ...]] = {}
    for lists in change.interim:
        old, now = change.old_site(lists.site), plan.site(lists.site)
        if old is None or now.kind != "ha_pair" or now.name in rebooted:
            continue
        if gone := without(old.geo_partners, lists.geo_partners):
            found[now.name] = tuple(gone)
    return found
