"""A failover drill as a plan: one pair fails over by a reboot, and goes back by a second one only where that is wanted.

No step of it writes a list or a cluster, so everything else has to be as the topology's plan has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError
from geoplan.plan.actions import ACTIONS, Action, Phase
from geoplan.plan.model import Plan, Step, StepTarget, checksum_of
from geoplan.plan.planner import make_plan

if TYPE_CHECKING:
    from geoplan.topology.model import Topology


def make_drill(topology: Topology, site: str, *, back: bool = False) -> Plan:
    """Plan the drill of one pair of a topology, by the site's name as the topology writes it.

    ``back`` adds the second reboot, which makes the master active again. Raises :class:`geoplan.GeoplanError` where the
    site is no pair, or is one that goes back by itself.
    """
    plan = make_plan(topology, (Phase.GEO,))
    settings = plan.site(site)
    if settings.kind != "ha_pair":
        raise GeoplanError(
            f"'{site}' is no HA pair: it has nobody to fail over to", hint="name a pair of the topology with --site"
        )
    if back and settings.preferred_host != "none":
        raise GeoplanError(
            f"'{site}' goes back by itself: under Prefer Master its master takes over again once it is up",
            hint="leave --back out",
        )
    slug = topology.slugs[site]
    section = next(group.section for group in plan.groups if group.name == settings.group)
    row = ACTIONS[Action.FAIL_OVER]
    there, again = f"{slug}/fail_over", f"{slug}/fail_back"
    steps = [
        Step(
            number=number,
            id=name,
            action=Action.FAIL_OVER,
            site=site,
            on=StepTarget(site=site, unit="slave" if name == again else "master"),
            after=(there,) if name == again else (),
            section=row.section or section,
            why=row.why,
        )
        for number, name in enumerate((there, again) if back else (there,), start=1)
    ]
    seconds = plan.estimates.boot_seconds * len(steps)
    estimates = plan.estimates.model_copy(
        update={
            "by_api_seconds": seconds,
            "by_hand_seconds": seconds + len(steps) * plan.estimates.manual_step_seconds,
            "longest_chain_seconds": seconds,
            "longest_chain_steps": len(steps),
        }
    )
    drill = plan.model_copy(update={"steps": tuple(steps), "estimates": estimates})
    return drill.model_copy(update={"checksum": checksum_of(vars(drill))})


def drilled_site(plan: Plan) -> str | None:
    """Return the pair that a plan drills, or None where it is no drill."""
    return next((step.site for step in plan.steps if step.action is Action.FAIL_OVER), None)


def goes_back(plan: Plan) -> bool:
    """Return whether a drill makes the master active again by a second reboot."""
    return any(step.action is Action.FAIL_OVER and step.on.unit == "slave" for step in plan.steps)
