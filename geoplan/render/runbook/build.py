"""From a plan to its runbook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geoplan.render.runbook.bearings import BUSY, OK, Bearings, health_url
from geoplan.render.runbook.checks import before_you_begin, verify
from geoplan.render.runbook.model import Fact, Runbook, SiteLists, UnitRow
from geoplan.render.runbook.prose import Name, Pasted, Prose, Value, count, duration, listing, prose
from geoplan.render.runbook.steps import phases_of, troubles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Plan

REMOTE_LM = Value("Remote LM")
TITLE_OF_DOCUMENT = "LoadMaster HA for AWS"

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
    bearings = Bearings(plan)
    first_pair = next(iter(bearings.pairs.values()), None)
    return Runbook(
        name=Name(plan.topology),
        checksum=Value(plan.checksum),
        summary=_summary(bearings),
        handing_over=HANDING_OVER,
        facts=tuple(_facts(bearings)),
        how_to_tell=HOW_TO_TELL if first_pair else None,
        check_command=_check_command(first_pair.master_health) if first_pair else None,
        units=tuple(_units(plan)),
        before=tuple(before_you_begin(bearings)),
        lists=tuple(
            SiteLists(
                site=Name(site.name),
                remote_geo_access=Value(" ".join(site.remote_geo_access)),
                geo_partners=Value(" ".join(site.geo_partners)) if site.geo_partners else None,
            )
            for site in plan.sites
        ),
        phases=tuple(phases_of(bearings)),
        verify=tuple(verify(bearings)),
        trouble=tuple(troubles(bearings)),
        seconds=math.ceil(plan.estimates.by_hand_seconds),
    )


def _summary(bearings: Bearings) -> Prose:
    """Say in two sentences what this changes, and what it costs."""
    plan = bearings.plan
    alone = len(plan.sites) - len(bearings.pairs)
    kinds = [count(len(bearings.pairs), "HA pair")] if bearings.pairs else []
    kinds += [count(alone, "standalone LoadMaster")] if alone else []
    who = prose(" and ".join(kinds))
    ending = prose("a {} cluster for every site", REMOTE_LM)
    if len(plan.sites) == 1:
        words = (
            "This opens {} to its own GEO, so that it can be checked as a cluster. It adds its {} cluster, and reboots "
        )
        return prose(words + "nothing.", Name(plan.sites[0].name), REMOTE_LM)
    if len(plan.sites) == len(plan.groups):
        words = "This opens each of {} to its own GEO, so that it can be checked as a cluster. It adds {}, and reboots "
        return prose(words + "nothing.", who, ending)
    systems = "one GEO system" if len(plan.groups) == 1 else f"{len(plan.groups)} separate GEO systems"
    joins = prose(
        f"This joins {{}} into {systems}: it sets whom each site lets in and with whom it shares its GEO "
        "configuration, and adds {}.",
        who,
        ending,
    )
    if not bearings.rebooted:
        return prose("{} It reboots nothing.", joins)
    if len(bearings.rebooted) == 1:
        masters = prose("the master of {}, and meanwhile", Name(bearings.rebooted[0]))
    elif len(bearings.rebooted) == len(bearings.pairs):
        masters = prose("the master of each pair, one after the other, and each time")
    else:
        names = listing([Name(site) for site in bearings.rebooted])
        masters = prose("the masters of {}, one after the other, and each time", names)
    return prose("{} It reboots {} the pair's traffic moves to the slave.", joins, masters)


def _facts(bearings: Bearings) -> Iterator[Fact]:
    plan = bearings.plan
    if len(plan.groups) == 1:
        yield Fact("Sites", listing([Name(site.name) for site in plan.sites]))
    else:
        for group in plan.groups:
            yield Fact("Sites", prose("{}: {}", Name(group.name), listing([Name(name) for name in group.sites])))
    reboots = f"of which {count(len(bearings.rebooted), 'reboot')}" if bearings.rebooted else "no reboot"
    yield Fact("Steps", prose(f"{len(plan.steps)}, {reboots}"))
    yield Fact("Estimated window", prose(_window(bearings)))
    sections = sorted({group.section for group in plan.groups})
    numbers = listing([Value(section) for section in sections])
    noun = "section" if len(sections) == 1 else "sections"
    yield Fact("Follows", prose(f"{noun} {numbers} of the vendor's {TITLE_OF_DOCUMENT}, called the document below"))
    yield Fact("Plan checksum", prose("{}", Pasted(plan.checksum)))


def _window(bearings: Bearings) -> str:
    times = bearings.plan.estimates
    of_reboot = times.sync_seconds + times.boot_seconds if bearings.rebooted else 0
    parts = []
    if times.manual_step_seconds:
        parts.append(f"{count(len(bearings.plan.steps), 'step')} at {duration(times.manual_step_seconds)}")
    if of_reboot:
        more = " more" if parts else ""
        parts.append(f"{duration(of_reboot)}{more} for each reboot, to replicate and to boot")
    window = "not estimated, since the topology's timing counts no time for a step"
    if parts:
        window = f"{duration(times.by_hand_seconds)} ({', and '.join(parts)})"
    return f"{window}; the preparation and the last checks come on top"


def _check_command(url: str) -> Value:
    """Return a command that prints what a health check answers, quoted: shells read an IPv6 address as a pattern."""
    return Value(f"curl -s -o /dev/null -w '%{{http_code}}\\n' '{url}'")


def _units(plan: Plan) -> Iterator[UnitRow]:
    answers = {"master": OK, "slave": BUSY}
    for site in plan.sites:
        for unit in site.units:
            in_pair = site.kind == "ha_pair"
            yield UnitRow(
                site=Name(site.name),
                role=unit.role,
                address=Value(unit.address),
                nat_address=Value(unit.nat_address) if unit.nat_address else None,
                health=health_url(unit.address, plan.health_check_port_of(site.name)) if in_pair else None,
                answer=answers.get(unit.role),
            )
