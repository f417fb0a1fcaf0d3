"""The overview: what a plan changes, what it costs, and what it follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Phase
from geoplan.render.runbook import firmware
from geoplan.render.runbook.model import Fact
from geoplan.render.runbook.prose import Name, Pasted, Prose, Value, count, duration, listing, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.pairs import HealthCheckTiming
    from geoplan.render.runbook.context import RunbookContext

REMOTE_LM = Value("Remote LM")
TITLE_OF_DOCUMENT = "LoadMaster HA for AWS"


def summary(bearings: RunbookContext) -> Prose:
    """Say in a few sentences what this changes, and what it costs."""
    if bearings.plan.firmware:
        return firmware.summary(bearings)
    if not bearings.plan.steps:
        return prose("There is nothing to do.")
    if not bearings.has(Phase.HA):
        return prose("This {}", _of_geo(bearings))
    if not bearings.has(Phase.GEO):
        return prose("This {} It reboots nothing.", _of_pairs(bearings))
    return prose("This first {} Then it {}", _of_pairs(bearings), _of_geo(bearings))


def _of_pairs(bearings: RunbookContext) -> Prose:
    names = [pair.site for pair in bearings.pairs.values()]
    balanced = [settings for settings in bearings.ha_pairs.values() if settings.load_balancer]
    units = (
        "makes the two units of {} an HA pair" if len(names) == 1 else "makes the two units of each of {} an HA pair"
    )
    behind = ""
    if len(balanced) == len(names):
        behind = " behind a Network Load Balancer of its own"
    elif balanced:
        behind = f", {len(balanced)} of them behind a Network Load Balancer"
    return prose(f"{units}{behind}.", listing(names))


def _of_geo(bearings: RunbookContext) -> Prose:
    plan = bearings.plan
    alone = len(plan.sites) - len(bearings.pairs)
    kinds = [count(len(bearings.pairs), "HA pair")] if bearings.pairs else []
    kinds += [count(alone, "standalone LoadMaster")] if alone else []
    who = prose(" and ".join(kinds))
    ending = prose("a {} cluster for every site", REMOTE_LM)
    if len(plan.sites) == 1:
        words = "opens {} to its own GEO, so that it can be checked as a cluster. It adds its {} cluster, and reboots "
        return prose(words + "nothing.", Name(plan.sites[0].name), REMOTE_LM)
    if len(plan.sites) == len(plan.groups):
        words = "opens each of {} to its own GEO, so that it can be checked as a cluster. It adds {}, and reboots "
        return prose(words + "nothing.", who, ending)
    systems = "one GEO system" if len(plan.groups) == 1 else f"{len(plan.groups)} separate GEO systems"
    joins = prose(
        f"joins {{}} into {systems}: it sets whom each site lets in and with whom it shares its GEO "
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


def facts(bearings: RunbookContext) -> Iterator[Fact]:
    """Yield what the overview tells, line by line."""
    plan = bearings.plan
    if len(plan.groups) == 1 and bearings.sites:
        yield Fact("Sites", listing([Name(site.name) for site in bearings.sites]))
    else:
        for group in plan.groups:
            touched = [site.name for site in bearings.sites if site.group == group.name]
            if touched:
                yield Fact("Sites", prose("{}: {}", Name(group.name), listing([Name(name) for name in touched])))
    reboots = f"of which {count(len(bearings.rebooted), 'reboot')}" if bearings.rebooted else "no reboot"
    if plan.firmware:
        yield Fact("Firmware", prose("{}, from {}", firmware.to_version(bearings), firmware.present_versions(bearings)))
        reboots = f"of which {count(firmware.number_of_updates(bearings), 'update')} with a reboot each"
    yield Fact("Steps", prose(f"{len(plan.steps)}, {reboots}"))
    yield Fact("Estimated window", prose(_window(bearings)))
    for sites, check in _health_checks(bearings):
        yield Fact("Health check", prose("{}: {}", sites, prose(_times_of(check))))
    sections = [Value(section) for section in sorted({step.section for step in plan.steps})]
    if sections:
        noun = "section" if len(sections) == 1 else "sections"
        numbers = listing(sections)
        yield Fact("Follows", prose(f"{noun} {numbers} of the vendor's {TITLE_OF_DOCUMENT}, called the document below"))
    yield Fact("Plan checksum", prose("{}", Pasted(plan.checksum)))


def _window(bearings: RunbookContext) -> str:
    times = bearings.plan.estimates
    of_reboot = times.sync_seconds + times.boot_seconds if bearings.rebooted else 0
    parts = []
    if times.manual_step_seconds:
        parts.append(f"{count(len(bearings.plan.steps), 'step')} at {duration(times.manual_step_seconds)}")
    if of_reboot:
        more = " more" if parts else ""
        parts.append(f"{duration(of_reboot)}{more} for each reboot, to replicate and to boot")
    if bearings.plan.firmware and times.boot_seconds:
        more = " more" if parts else ""
        parts.append(f"{duration(times.boot_seconds)}{more} for each update, to boot")
    checked = sum(map(bearings.plan.health_check_seconds, bearings.plan.steps))
    if checked:
        parts.append(f"{duration(checked)} for the health checks of the load balancers")
    window = "not estimated, since the topology's timing counts no time for a step"
    if parts:
        made_of = ", ".join([*parts[:-1], f"and {parts[-1]}"]) if len(parts) > 1 else parts[0]
        window = f"{duration(times.by_hand_seconds)} ({made_of})"
    if bearings.plan.firmware:
        return f"{window}; sending and installing the files, the preparation and the last checks come on top"
    return f"{window}; the preparation and the last checks come on top"


def _health_checks(bearings: RunbookContext) -> Iterator[tuple[Prose, HealthCheckTiming]]:
    """Yield each health check that the plan knows, with the pairs that have it."""
    sites: dict[HealthCheckTiming, list[Name]] = {}
    for site, settings in bearings.ha_pairs.items():
        sites.setdefault(settings.health_check, []).append(Name(site))
    return ((listing(names), check) for check, names in sites.items())


def _times_of(check: HealthCheckTiming) -> str:
    """Say how long a unit takes into service and out of it (section 2)."""
    return (
        f"a healthy unit is in service after {count(check.in_service_seconds, 'second')}, a failed one out of service "
        f"after {count(check.out_of_service_seconds, 'second')}, at least"
    )
