"""Reboots of masters, and the windows that they open for the submission on the slave (section 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geoplan.addresses import canonical, same_addresses
from geoplan.follow.links import links_of_slave
from geoplan.follow.model import PairSeen, Window
from geoplan.live.model import LIST_NAMES, SUBJECTS, State
from geoplan.plan.actions import REMOVALS, Action
from geoplan.push.boots import is_another_boot
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.follow.model import Look, Progress, StepStatus
    from geoplan.live.model import Observation
    from geoplan.plan.model import Plan, SiteSettings, Step

LISTS = frozenset({Action.SET_REMOTE_GEO_ACCESS, Action.SET_GEO_PARTNERS}) | REMOVALS
CLOSING_PART = 0.5
"""Of a boot: so long before the window is expected to close there is a warning."""


def pair_after(  # noqa: PLR0913 - what a reboot is judged by
    plan: Plan, step: Step, progress: Progress, *, look: Look, boot_seconds: float, before: Mapping[str, StepStatus]
) -> PairSeen:
    """Return what is remembered of the pair of a reboot after one more look.

    ``before`` are the steps as they stand by now, as far as they come earlier in the plan.
    """
    site = plan.site(step.site)
    seen = progress.pairs.get(site.name, PairSeen())
    master, slave = (look.facts.unit(unit.address) for unit in site.units)
    if master is None or slave is None:
        return seen
    if _is_rebooted(seen, master, slave):
        window = _opened(plan, step, seen, slave=slave, look=look, boot_seconds=boot_seconds, before=before)
        seen = replace(seen, window=window, master_was_active=False)
    if site.name not in progress.pairs:
        needed = (earlier for earlier in steps_before(plan, step) if earlier.action in LISTS)
        seen = replace(seen, was_ready=all(before[earlier.id].is_done for earlier in needed))
    links = links_of_slave(plan, site, look.facts)
    if seen.window is not None:
        window = _looked_at(seen.window, links.red, master, slave, at=look.at, boot_seconds=boot_seconds)
        seen = replace(seen, window=replace(window, changed=window.changed | changed_since(progress, look)))
    return replace(
        seen,
        master_was_active=seen.master_was_active or (master.state is State.ACTIVE and slave.state is not State.ACTIVE),
        boot_time=master.boot_time or seen.boot_time,
        green=seen.green | links.green,
        red=seen.red | links.red,
    )


def _is_rebooted(seen: PairSeen, master: Observation, slave: Observation) -> bool:
    """Return whether a master that was active has gone down or was booted since, where that is told."""
    if not seen.master_was_active:
        return False
    times = (seen.boot_time, master.boot_time)
    is_booted = times[0] is not None and times[1] is not None and is_another_boot(times[0], times[1])
    return is_booted or (master.state is State.DOWN and slave.state is State.ACTIVE)


def _opened(  # noqa: PLR0913 - what a reboot is judged by
    plan: Plan,
    step: Step,
    seen: PairSeen,
    *,
    slave: Observation,
    look: Look,
    boot_seconds: float,
    before: Mapping[str, StepStatus],
) -> Window:
    site = plan.site(step.site)
    open_steps = [earlier for earlier in steps_before(plan, step) if not before[earlier.id].is_done]
    lists = [earlier.number for earlier in open_steps if earlier.action in LISTS]
    reasons = [f"step {join_words(map(str, lists))} {'was' if len(lists) == 1 else 'were'} not done"] if lists else []
    reasons += [] if lists else list(_lacking(site, slave))
    return Window(
        look.at,
        look.at + boot_seconds if site.preferred_host != "none" else None,
        why_not=" and ".join(reasons),
        not_before=tuple(earlier.number for earlier in open_steps),
        was_green=seen.green,
        owed=seen.red - seen.green,
    )


def _lacking(site: SiteSettings, slave: Observation) -> Iterator[str]:
    """Yield what a slave that takes over says it has not got yet: replication takes its time."""
    for subject in SUBJECTS:
        held: tuple[str, ...] | None = getattr(slave, subject)
        if held is not None and not same_addresses(held, getattr(site, subject)):
            yield f"{slave.address} does not hold the planned {LIST_NAMES[subject]}"


def _looked_at(  # noqa: PLR0913 - what is seen
    window: Window, red: frozenset[str], master: Observation, slave: Observation, *, at: float, boot_seconds: float
) -> Window:
    is_back = master.state is State.ACTIVE and slave.state is not State.ACTIVE
    is_closing = window.closes is not None and at >= window.closes - boot_seconds * CLOSING_PART
    return replace(
        window,
        owed=window.owed | (red - window.was_green),
        is_closing=window.is_closing or is_closing,
        is_closed=window.is_closed or is_back,
    )


def changed_since(progress: Progress, look: Look) -> frozenset[str]:
    """Return the units that tell another time of their last change than at the look before; canonical."""
    return frozenset(
        canonical(unit.address)
        for unit in look.facts.units.values()
        if (known := progress.last.get(unit.address)) is not None and is_changed(known, unit)
    )


def is_changed(before: Observation, now: Observation) -> bool:
    """Return whether a unit tells another time of its last change than it did before."""
    return None not in (before.change_time, now.change_time) and before.change_time != now.change_time


def steps_before(plan: Plan, step: Step) -> tuple[Step, ...]:
    """Return every step that has to be done before another, directly or by way of others, in the plan's order."""
    needed = {step.id}
    for earlier in reversed(plan.steps[: step.number]):
        if earlier.id in needed:
            needed.update(earlier.after)
    return tuple(earlier for earlier in plan.steps if earlier.id in needed - {step.id})
