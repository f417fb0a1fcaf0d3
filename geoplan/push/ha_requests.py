"""Which request on the HA parameters of a pair at work a push may send: that of its own step, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.live.activity import AT_WORK
from geoplan.live.findings.ha_changes import PARAMETERS, are_ports_apart
from geoplan.live.fleet import only_active
from geoplan.live.model import HaFacts
from geoplan.loadmaster.model import HaRequest
from geoplan.plan.ha_change import new_partner_of
from geoplan.plan.model import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.live.model import State
    from geoplan.plan.model import Plan


class HaSight(NamedTuple):
    """What was seen of a pair just before a request."""

    site: str
    states: Mapping[str, State]
    held: Mapping[str, object]
    """The HA parameters of its units, as far as they were read since they were written last."""


def ha_request_fault(plan: Plan, action: Action, address: str, request: HaRequest, sight: HaSight) -> str | None:
    """Return why a request on HA parameters must not be sent for a step; None where it may be."""
    if not any(step.action is action and step.site == sight.site for step in plan.steps):
        return f"the plan has no step '{action}' of its pair"
    found = sight.held.get(address)
    if not isinstance(found, HaFacts):
        return "its HA parameters were not read before"
    if action is Action.SET_HA_PARTNER:
        return _partner_fault(plan, address, request, sight)
    change, parameter = plan.ha_change(sight.site), PARAMETERS.get(action)
    if change is None or parameter is None:
        return "the plan does not change them"
    if canonical(request.partner) != canonical(found.partner or ""):
        return "its partner is another one"
    others = [each for each in sight.held if each != address]
    other = next((held for each in others if isinstance(held := sight.held[each], HaFacts)), None)
    allowed = {parameter.planned(change.after)}
    if action is Action.SET_HEALTH_CHECK_PORT and other and other.health_check_port == change.before.health_check_port:
        allowed.add(change.before.health_check_port)  # the way back, so that HA works again
    if not any(request == parameter.request(request.partner, value) for value in allowed):
        return "it is not what the plan says"
    is_mended = (
        other is not None
        and request.health_check_port == other.health_check_port
        and are_ports_apart(change, (found, other))
    )
    if sorted(sight.states.values()) != AT_WORK and not is_mended:
        return "its pair is not at work"
    return None


def _partner_fault(plan: Plan, address: str, request: HaRequest, sight: HaSight) -> str | None:
    found = new_partner_of(plan, sight.site)
    if found is None or address != found.stays or request != HaRequest(found.comes):
        return "it is not what the plan says"
    return None if only_active(sight.states) == address else "it is not the only active unit"
