"""A window that ends: nothing is begun whose end, and whose way back, no longer fits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from geoplan.plan.model import UPDATE_ACTIONS, Action
from geoplan.push import firmware_records as updates
from geoplan.push.problems import Problem
from geoplan.wording import local_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from geoplan.live.fleet import Fleet
    from geoplan.live.polling import Timings
    from geoplan.plan.model import Plan, SiteSettings, Step
    from geoplan.push.context import Context
    from geoplan.push.history import History
    from geoplan.push.options import Options

BYTES_A_SECOND = 1024 * 1024
"""Of an image, until the first one that was sent tells better."""
_REBOOTS = frozenset({Action.REBOOT_MASTER, Action.FAIL_OVER})
A_MINUTE = 60


def seconds_of_unit(timings: Timings, options: Options, history: History | None) -> float:
    """Return how long one unit's update takes: as long as the longest so far, else by its image and two boots."""
    size = options.image.size if options.image else 0
    taken = [2 * timings.boot_seconds + size / BYTES_A_SECOND]
    began: dict[str, datetime] = {}
    for record in history.records if history else ():
        if isinstance(record, updates.Installing):
            began.setdefault(record.step, record.at)
        elif isinstance(record, updates.Updated) and record.step in began:
            taken.append((record.at - began[record.step]).total_seconds())
    return max(taken)


def seconds_of_site(plan: Plan, site: str, timings: Timings, options: Options, history: History | None) -> float:
    """Return how long a site takes from its first step to its last, and back again."""
    units = sum(step.action in UPDATE_ACTIONS for step in plan.steps if step.site == site)
    pair = next((each for each in plan.ha_pairs if each.site == site), None)
    follows = timings.of_load_balancer(pair.health_check.switchover_seconds) if pair else 0.0
    return 2 * (units * seconds_of_unit(timings, options, history) + follows)


def seconds_of_group(plan: Plan, group: str, timings: Timings, options: Options) -> float:
    """Return how long a group takes until all of its units have another secret, and the way back.

    That is begun as one: half-way its links are down, and to go on is as quick as to go back.
    """
    sites = plan.sites_of(group)
    of_pair = timings.replication_seconds + options.pause_seconds
    pairs = sum(site.kind == "ha_pair" for site in sites)
    return 2 * (pairs * of_pair + len(sites) * SECONDS_OF_SECRET)


SECONDS_OF_SECRET = 10.0
"""Of the requests to one site."""


def seconds_of(context: Context, step: Step) -> float:
    """Return how long what begins with a step takes, and its way back; 0 for what needs no window."""
    timings = context.timings
    if step.action in _REBOOTS:
        return _seconds_of_reboot(timings)
    if step.action is Action.ROTATE_PARTNER_SECRET:
        group = context.plan.site(step.site).group
        own = [each for each in context.plan.steps if context.plan.site(each.site).group == group]
        return seconds_of_group(context.plan, group, timings, context.options) if step.id == own[0].id else 0.0
    first = next(each for each in context.plan.steps if each.site == step.site)
    if context.plan.firmware is None or step.id != first.id:
        return 0.0
    return seconds_of_site(context.plan, step.site, timings, context.options, context.history)


def is_too_late(context: Context, step: Step) -> str | None:
    """Return why a step must not begin any more, or None where it may."""
    until = context.options.until
    seconds = seconds_of(context, step) if until is not None else 0.0
    if until is None or not seconds or context.clock.wall() + timedelta(seconds=seconds) <= until:
        return None
    return f"'{step.site}' {_does_not_fit(seconds, until)}"


def time_problems(fleet: Fleet, options: Options, now: datetime, sites: Sequence[SiteSettings]) -> Iterator[Problem]:
    """Find whether not even the first site of an update fits into its window."""
    if options.until is None or not sites:
        return
    site = sites[0].name
    seconds = seconds_of_site(fleet.plan, site, fleet.timings, options, None)
    if now + timedelta(seconds=seconds) > options.until:
        yield Problem(site, _does_not_fit(seconds, options.until), "choose a later --until, or another window")


def group_problems(fleet: Fleet, options: Options, groups: Sequence[str]) -> Iterator[Problem]:
    """Find whether not even the first group whose secret is set fits into its window."""
    if options.until is None or not groups:
        return
    seconds = seconds_of_group(fleet.plan, groups[0], fleet.timings, options)
    if fleet.clock.wall() + timedelta(seconds=seconds) > options.until:
        where = fleet.plan.group_label(groups[0])
        yield Problem(where, _does_not_fit(seconds, options.until), "choose a later --until, or another window")


def reboot_problems(fleet: Fleet, options: Options, pairs: Sequence[str]) -> Iterator[Problem]:
    """Find whether not even the first reboot of a push fits into its window: then it does not begin either."""
    seconds, until = _seconds_of_reboot(fleet.timings), options.until
    if until is not None and pairs and fleet.clock.wall() + timedelta(seconds=seconds) > until:
        message = f"the reboot of its master {_does_not_fit(seconds, until)}"
        yield Problem(pairs[0], message, "choose a later --until, or another window")


def _seconds_of_reboot(timings: Timings) -> float:
    """Return how long a reboot takes, with what is replicated before it and the reboot that leads back."""
    return timings.sync_seconds + 2 * timings.boot_seconds


def _does_not_fit(seconds: float, until: datetime) -> str:
    shown = f"{seconds:.0f} s" if seconds < A_MINUTE else f"{seconds / A_MINUTE:.0f} min"
    return f"takes {shown} with its way back, which does not fit until {local_time(until)}"
