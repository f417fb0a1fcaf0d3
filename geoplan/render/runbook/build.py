"""From a plan to its runbook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geoplan.plan.model import Phase
from geoplan.render.runbook.checks import before_you_begin, verify
from geoplan.render.runbook.context import BUSY, OK, RunbookContext, health_url
from geoplan.render.runbook.model import Runbook, SiteLists, UnitRow
from geoplan.render.runbook.overview import facts, summary
from geoplan.render.runbook.pairs import STATES, parameters_of_units
from geoplan.render.runbook.prose import Name, Value, prose
from geoplan.render.runbook.steps import phases_of, troubles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.render.runbook.prose import Prose

HANDING_OVER = prose(
    "Do the steps in this order, and tick each one once you have seen that it worked. To hand over half-way: the first "
    "step without a tick is the next one, and what it waits for tells whether it can begin."
)
HOW_TO_TELL = prose(
    "Of a pair, the unit that answers {} on the health check is the active one, the one that answers {} the standby. "
    "A unit that is restarting does not answer. In a browser, open the address; from a shell:",
    OK,
    BUSY,
)


def build(plan: Plan) -> Runbook:
    """Build the runbook of a plan: all that is said in it, in order, with every value and nothing escaped."""
    bearings = RunbookContext(plan)
    forms_pairs = bearings.has(Phase.HA)
    first_pair = next(iter(bearings.pairs.values()), None)
    return Runbook(
        name=Name(plan.topology),
        checksum=Value(plan.checksum),
        summary=summary(bearings),
        handing_over=HANDING_OVER,
        facts=tuple(facts(bearings)),
        how_to_tell=_how_to_tell(bearings) if first_pair else None,
        check_command=_check_command(first_pair.master_health) if first_pair else None,
        units=tuple(_units(bearings)),
        new_firmware=Value(plan.firmware.to) if plan.firmware else None,
        before=tuple(before_you_begin(bearings)),
        pairs=tuple(parameters_of_units(bearings)) if forms_pairs else (),
        states=STATES if forms_pairs else (),
        lists=tuple(_lists(plan)) if bearings.has(Phase.GEO) else (),
        phases=tuple(phases_of(bearings)),
        verify=tuple(verify(bearings)),
        trouble=tuple(troubles(bearings)),
        seconds=math.ceil(plan.estimates.by_hand_seconds),
    )


def _how_to_tell(bearings: RunbookContext) -> Prose:
    if not bearings.has(Phase.HA):
        return HOW_TO_TELL
    return prose("Until its HA parameters are set, a unit does not answer the health check. {}", HOW_TO_TELL)


def _lists(plan: Plan) -> Iterator[SiteLists]:
    for site in plan.sites:
        yield SiteLists(
            site=Name(site.name),
            remote_geo_access=Value(" ".join(site.remote_geo_access)),
            geo_partners=Value(" ".join(site.geo_partners)) if site.geo_partners else None,
        )


def _check_command(url: str) -> Value:
    """Return a command that prints what a health check answers, quoted: shells read an IPv6 address as a pattern."""
    return Value(f"curl -s -o /dev/null -w '%{{http_code}}\\n' '{url}'")


def _units(bearings: RunbookContext) -> Iterator[UnitRow]:
    plan = bearings.plan
    firmware = {unit.address: unit.present for unit in plan.firmware.units} if plan.firmware else {}
    for site in bearings.sites:
        answers = _answers(site, bearings)
        for unit in site.units:
            in_pair = site.kind == "ha_pair"
            yield UnitRow(
                site=Name(site.name),
                role=unit.role,
                address=Value(unit.address),
                nat_address=Value(unit.nat_address) if unit.nat_address else None,
                health=health_url(unit.address, plan.health_check_port_of(site.name)) if in_pair else None,
                firmware=Value(firmware[unit.address]) if firmware.get(unit.address) else None,
                answer=answers.get(unit.role),
            )


def _answers(site: SiteSettings, bearings: RunbookContext) -> dict[str, Value]:
    """Return what the units of a pair answer the health check before the first step."""
    if bearings.has(Phase.HA):
        return {}
    if bearings.plan.firmware and site.preferred_host == "none":  # whoever is active stays so
        return dict.fromkeys(("master", "slave"), Value(f"{OK} or {BUSY}"))
    return {"master": OK, "slave": BUSY}
