"""From a plan to its runbook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geoplan.plan.model import Phase
from geoplan.render.runbook import wui
from geoplan.render.runbook.checks import before_you_begin, facts, overview, states, verify
from geoplan.render.runbook.context import BUSY, OK, RunbookContext, health_url
from geoplan.render.runbook.model import Runbook, SiteLists, UnitParameters, UnitRow
from geoplan.render.runbook.prose import Name, Value
from geoplan.render.runbook.steps import phases_of, troubles_of, write_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.topology.api import UnitApi


def build(plan: Plan, apis: Mapping[str, UnitApi]) -> Runbook:
    """Build the runbook of a plan: all that is said in it, in order, with every value and nothing escaped.

    ``apis`` are those of the topology that was planned (:func:`geoplan.topology.api.apis_of`): nobody is to type a
    password at another port.
    """
    context = RunbookContext(plan, apis)
    above = overview(context)
    steps = write_steps(context)
    forms_pairs = context.has(Phase.HA)
    first_pair = next(iter(context.pairs.values()), None)
    return Runbook(
        name=Name(plan.topology),
        checksum=Value(plan.checksum),
        summary=above["Summary"].text,
        handing_over=above["Handing over"].text,
        facts=tuple(facts(above["Facts"])),
        how_to_tell=above["How to tell"].text if first_pair else None,
        check_command=_check_command(first_pair.master_health) if first_pair else None,
        units=tuple(_units(context)),
        new_firmware=Value(plan.firmware.to) if plan.firmware else None,
        before=before_you_begin(context),
        pairs=tuple(_parameters_of_units(context)) if forms_pairs else (),
        states=tuple(states(above["States"])) if forms_pairs else (),
        lists=tuple(_lists(plan)) if context.has(Phase.GEO) else (),
        phases=tuple(phases_of(context, steps)),
        verify=verify(context),
        trouble=tuple(troubles_of(steps)),
        seconds=math.ceil(plan.estimates.by_hand_seconds),
    )


def _parameters_of_units(context: RunbookContext) -> Iterator[UnitParameters]:
    """Yield both units of each pair with what is to be set on them (section 6.2)."""
    for site, pair in context.ha_pairs.items():
        for unit in (pair.master, pair.slave):
            yield UnitParameters(
                site=Name(site),
                role=unit.mode,
                address=Value(unit.address),
                mode=wui.MODES[unit.mode],
                preferred=wui.PREFERRED_CHOICE[unit.preferred_host],
                partner=Value(unit.partner),
                port=Value(str(unit.health_check_port)),
                all_interfaces="yes" if unit.all_interfaces else "no",
            )


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


def _units(context: RunbookContext) -> Iterator[UnitRow]:
    plan = context.plan
    firmware = {unit.address: unit.present for unit in plan.firmware.units} if plan.firmware else {}
    for site in context.sites:
        answers = _answers(site, context)
        for unit in site.units:
            in_pair = site.kind == "ha_pair"
            yield UnitRow(
                site=Name(site.name),
                role=unit.role,
                address=Value(unit.address),
                wui=context.wui_of(unit.address),
                nat_address=Value(unit.nat_address) if unit.nat_address else None,
                health=health_url(unit.address, plan.health_check_port_of(site.name)) if in_pair else None,
                firmware=Value(firmware[unit.address]) if firmware.get(unit.address) else None,
                answer=answers.get(unit.role),
            )


def _answers(site: SiteSettings, context: RunbookContext) -> dict[str, Value]:
    """Return what the units of a pair answer the health check before the first step."""
    if context.has(Phase.HA):
        return {}
    if context.plan.firmware and site.preferred_host == "none":  # whoever is active stays so
        return dict.fromkeys(("master", "slave"), Value(f"{OK} or {BUSY}"))
    return {"master": OK, "slave": BUSY}
