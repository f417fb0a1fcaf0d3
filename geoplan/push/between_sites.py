"""Between two sites of an update: what the load balancer takes to follow, and the pause that the operator wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.plan.model import Step
    from geoplan.push.context import Context


async def wait_between_sites(context: Context, step: Step) -> None:
    """Wait after the last step of a site, unless it is the plan's last: until then traffic may still be moving."""
    steps = context.plan.steps
    is_last_of_site = all(each.site != step.site for each in steps[step.number :])
    if not is_last_of_site or step.number == len(steps):
        return
    seconds = max(context.options.pause_seconds, _load_balancer_seconds(context, step))
    if seconds and not context.fleet.is_on_paper:
        context.reporter.waiting(step, "waiting before the next site")(seconds)
    began = context.clock.now()
    while not context.stop.requested and (left := began + seconds - context.clock.now()) > 0:
        await context.clock.sleep(min(left, LOOK_SECONDS))


LOOK_SECONDS = 1.0
"""After which an operator who wants an end is heard."""


def _load_balancer_seconds(context: Context, step: Step) -> float:
    """Return what the load balancer's health check takes to see a switch-over; 0 where nothing tells."""
    pair = next((each for each in context.plan.ha_pairs if each.site == step.site), None)
    return context.timings.of_load_balancer(pair.health_check.switchover_seconds) if pair else 0.0
