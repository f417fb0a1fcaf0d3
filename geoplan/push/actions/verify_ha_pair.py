"""``verify_ha_pair``: one unit of a pair answers 200 on its health check, the other 503; or their APIs say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.activity import AT_WORK, Way, states_of
from geoplan.live.fleet import are_healthy
from geoplan.live.model import State
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.vendor import SYNC_PORT

if TYPE_CHECKING:
    from geoplan.live.activity import Look
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def verify_pair(context: Context, step: Step) -> Outcome:
    """See 200 on one unit and 503 on the other (section 4).

    A pair that this push formed is given the time of a failover until it is where it stays.
    """
    site = context.plan.site(step.on.site)
    is_new = context.history.was_formed(site.name)
    seen: dict[str, Look] = {}

    async def look() -> bool | None:
        seen.clear()
        seen.update(await context.fleet.look(site))
        states = states_of(seen)
        return True if (are_healthy(site, states) if is_new else sorted(states.values()) == AT_WORK) else None

    timings = context.timings
    within = timings.failover_deadline if is_new else timings.settle_timeout
    telling = context.reporter.waiting(step, f"waiting until one unit of '{site.name}' answers 200 and the other 503")
    await context.until(look, within=within, on_wait=telling)
    words = {State.DOWN: "does not answer its health check"}
    shown = ", ".join(f"{address} {words.get(look.state, f'is {look}')}" for address, look in seen.items())
    if sorted(states_of(seen).values()) != AT_WORK:
        raise StepError(
            step,
            f"not exactly one unit is active and the other its standby: {shown}",
            hint=f"see that TCP {SYNC_PORT} and {context.plan.health_check_port_of(site.name)} are open between the "
            "units and that both run the same firmware, then go on",
        )
    state = StepState.DONE if is_new else StepState.IN_PLACE
    active = next(address for address, found in seen.items() if found.state is State.ACTIVE)
    by_health = all(look.way in (Way.BOTH, Way.HEALTH_CHECK) for look in seen.values())
    return Outcome(state, active, f"{shown}: 200 and 503" if by_health else shown)
