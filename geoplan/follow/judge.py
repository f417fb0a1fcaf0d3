"""How each step stands, by what units held at one look after the other. It asks nobody, and has no clock."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.follow.held import status_of_held
from geoplan.follow.links import denied_by, links_of_slave, shows_standbys
from geoplan.follow.model import Progress, StepState, StepStatus
from geoplan.follow.windows import changed_since, is_changed, pair_after
from geoplan.live.model import State
from geoplan.plan.model import Action
from geoplan.push.boots import as_clock_time
from geoplan.wording import join_words, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geoplan.follow.model import Look, PairSeen, Window
    from geoplan.live.model import Observation
    from geoplan.plan.model import Plan, Step

RESUBMISSIONS = frozenset({Action.RESUBMIT_GEO_PARTNERS, Action.RESUBMIT_ON_ACTIVE})
SEEN_BY_LISTS = frozenset(
    {
        Action.SET_REMOTE_GEO_ACCESS, Action.SET_GEO_PARTNERS, Action.REMOVE_GEO_PARTNERS,
        Action.REMOVE_REMOTE_GEO_ACCESS, Action.ADD_CLUSTER, Action.MODIFY_CLUSTER, Action.DELETE_CLUSTER,
        Action.SET_MASTER_HA_PARAMETERS, Action.SET_SLAVE_HA_PARAMETERS, Action.VERIFY_HA_PAIR,
    }
)  # fmt: skip
"""What is seen by what units hold now."""


def follow(plan: Plan, looks: Iterable[Look], boot_seconds: float) -> Progress:
    """Return how every step stands after some looks, one after the other."""
    return reduce(lambda progress, look: advance(plan, progress, look, boot_seconds), looks, Progress())


def advance(plan: Plan, progress: Progress, look: Look, boot_seconds: float) -> Progress:
    """Return how every step stands after one more look.

    A step is done only where that was seen, or where the person said so: what is not told changes nothing.
    """
    first = dict(progress.first)
    for site in plan.sites:
        active = look.facts.active(site.name)
        if active is not None and active.failure is None and active.geo_partners is not None:
            first.setdefault(site.name, active)
    known = replace(progress, first=first)
    denied = _denied(plan, progress, look)
    steps: dict[str, StepStatus] = {}
    pairs = dict(progress.pairs)
    for step in plan.steps:
        if step.action is Action.REBOOT_MASTER:
            pairs[step.site] = pair_after(plan, step, known, look=look, boot_seconds=boot_seconds, before=steps)
        red = denied.get(step.id, frozenset())
        steps[step.id] = _status(plan, step, known, look=look, earlier=steps, pairs=pairs, denied=red)
    last = {**progress.last, **{address: unit for address, unit in look.facts.units.items() if unit.failure is None}}
    return Progress(steps, pairs, first, last, denied, progress.looks + 1)


def ticked(plan: Plan, progress: Progress, step_id: str) -> tuple[Progress, str]:
    """Tick a step because the person says that it is done; return why that is refused, if it is.

    What units tell is not overruled: a list that lacks an address lacks it, whoever says that it was entered.
    """
    step = next((step for step in plan.steps if step.id == step_id), None)
    if step is None:
        return progress, "the plan has no such step"
    status = progress.status(step.id)
    if status.is_done:
        return progress, ""
    if status.state in (StepState.WRONG, StepState.TOO_LATE):
        return progress, f"step {step.number} cannot be ticked: {status.said}"
    if status.state is StepState.OPEN and (step.action in SEEN_BY_LISTS or _is_red_in_window(plan, step, status)):
        return progress, f"step {step.number} ticks itself once it is seen{': ' if status.said else ''}{status.said}"
    open_before = _open_before(plan, step, progress.steps)
    if open_before:
        return progress, f"step {step.number} comes after step {join_words(map(str, open_before))}"
    if red := progress.denied.get(step.id):
        return progress, f"step {step.number} cannot be ticked: {_denial(plan, step, red)}"
    done = StepStatus(StepState.DONE, "ticked by hand", by_hand=True)
    return replace(progress, steps={**progress.steps, step.id: done}), ""


def _is_red_in_window(plan: Plan, step: Step, status: StepStatus) -> bool:
    """Return whether a slave is active for its submission, and tells that its partners are not green."""
    return _is_on_slave(plan, step) and bool(status.said)


def _is_on_slave(plan: Plan, step: Step) -> bool:
    return step.action is Action.RESUBMIT_GEO_PARTNERS and plan.site(step.site).kind == "ha_pair"


def _open_before(plan: Plan, step: Step, steps: Mapping[str, StepStatus]) -> tuple[int, ...]:
    """Return the numbers of the steps directly before one that are not done."""
    after = set(step.after)
    return tuple(
        each.number for each in plan.steps if each.id in after and not steps.get(each.id, StepStatus()).is_done
    )


def _status(  # noqa: PLR0913 - a kind of step each
    plan: Plan,
    step: Step,
    progress: Progress,
    *,
    look: Look,
    earlier: Mapping[str, StepStatus],
    pairs: Mapping[str, PairSeen],
    denied: frozenset[str],
) -> StepStatus:
    before = progress.status(step.id)
    open_before = _open_before(plan, step, earlier)
    if step.action is Action.REBOOT_MASTER:
        return _of_reboot(plan, step, before, pairs[step.site], is_due=not open_before and not denied)
    is_in_window = step.action is Action.RESUBMIT_GEO_PARTNERS and step.site in pairs
    if before.is_done and step.action not in SEEN_BY_LISTS and not is_in_window:
        return before
    if is_in_window:
        was, seen = progress.pairs.get(step.site), pairs[step.site]
        if seen.window is None and not open_before:
            return _of_earlier(plan, step, before, look, denied=denied, was_denied=bool(progress.denied.get(step.id)))
        return _of_window(plan, step, before, was=was, seen=seen, look=look)
    if step.action in RESUBMISSIONS:
        was_due = not _open_before(plan, step, progress.steps)
        return _of_submission(plan, step, look, progress, is_due=not open_before, was_due=was_due)
    if step.action in SEEN_BY_LISTS:
        now = status_of_held(plan, step, progress, look, is_due=not open_before)
        is_new = now.is_done and not before.is_done and progress.looks > 0
        return replace(now, not_before=open_before if is_new else before.not_before if now.is_done else ())
    if open_before:
        return StepStatus()
    return StepStatus(StepState.ASKS, "nothing that units tell shows it")


def _of_reboot(plan: Plan, step: Step, before: StepStatus, seen: PairSeen, *, is_due: bool) -> StepStatus:
    window = seen.window
    master, slave = (unit.address for unit in plan.site(step.site).units)
    if window is None:
        if before.is_done or not (is_due and seen.was_ready):
            return before
        said = (
            f"all that comes before it was in place when this watch began: tick step {step.number} if {master} was "
            f"rebooted before that; if not, reboot it now"
        )
        return StepStatus(StepState.ASKS, said)
    if window.counts:
        return StepStatus(StepState.DONE, f"{master} was rebooted, and {slave} took over", window.not_before)
    said = f"{master} was rebooted too early: {window.why_not}. Once that is so, reboot it again"
    return StepStatus(StepState.WRONG, said, window.not_before)


def _of_earlier(  # noqa: PLR0913 - before and after
    plan: Plan, step: Step, before: StepStatus, look: Look, *, denied: frozenset[str], was_denied: bool
) -> StepStatus:
    """Judge a submission after a reboot that nobody saw, and that the person has ticked: it is the person's as well.

    A red link denies what the person said, at the second look in a row: it may be red for a moment.
    """
    if before.is_done and not (before.by_hand and denied and was_denied):
        return before
    master, slave = (unit.address for unit in plan.site(step.site).units)
    if denied and look.facts.active(step.site) is look.facts.unit(slave):
        return StepStatus(StepState.OPEN, _still_red(denied, slave))
    if denied:
        return StepStatus(StepState.TOO_LATE, _denial(plan, step, denied))
    said = (
        f"the reboot of {master} was not seen, so nothing shows it: tick step {step.number} if it was submitted on "
        f"{slave} while that was active; if not, reboot {master} again, and submit there"
    )
    return StepStatus(StepState.ASKS, said)


def _denied(plan: Plan, progress: Progress, look: Look) -> Mapping[str, frozenset[str]]:
    """Return the partners that deny reboots and submissions by red links, by steps.

    A slave may be red only as a standby, where none is shown green: then those do not that it has had links with.
    """
    denied: dict[str, frozenset[str]] = {}
    may_be_red = not shows_standbys(plan, look.facts)
    for step in plan.steps:
        site = plan.site(step.site)
        if step.action is Action.REBOOT_MASTER or _is_on_slave(plan, step):
            red = denied_by(plan, site, site.units[1], look.facts)
            slave = look.facts.unit(site.units[1].address)
            if slave is not None and slave.state is State.ACTIVE and step.action is Action.REBOOT_MASTER:
                red = frozenset()  # the reboot is under way, and the submission is still to come
            elif may_be_red and (seen := progress.pairs.get(site.name)):
                red = frozenset(address for address in red if canonical(address) not in seen.green)
        elif step.action in RESUBMISSIONS and (active := look.facts.active(site.name)):
            unit = next(unit for unit in site.units if unit.address == active.address)
            red = denied_by(plan, site, unit, look.facts)
        else:
            continue
        denied[step.id] = red
    return denied


def _denial(plan: Plan, step: Step, red: frozenset[str]) -> str:
    """Say what the red links of a unit deny, and what to do about it."""
    units = plan.site(step.site).units
    others = some_of(sorted(red, key=canonical))
    if step.action is not Action.REBOOT_MASTER and not _is_on_slave(plan, step):
        return f"the links with {others} are red: submit its partners there again"
    again = "" if step.action is Action.REBOOT_MASTER else " again"
    return (
        f"the links of {units[1].address} with {others} are red, so what may have been submitted on it does not hold: "
        f"reboot {units[0].address}{again}, and submit on {units[1].address} while that is active"
    )


def _of_window(  # noqa: PLR0913 - before and after
    plan: Plan, step: Step, before: StepStatus, *, was: PairSeen | None, seen: PairSeen, look: Look
) -> StepStatus:
    """Judge a submission on a slave, which only its own links show."""
    window = seen.window
    is_new = window is not None and (was is None or was.window is None or was.window.opened != window.opened)
    if before.is_done and not (is_new and window and window.counts):
        return before
    if window is None or not window.counts:
        return StepStatus()
    slave = plan.site(step.site).units[1].address
    links = links_of_slave(plan, plan.site(step.site), look.facts)
    turned = links.green & window.owed if links.needed and links.needed <= links.green else frozenset()
    if turned - window.changed:
        return StepStatus(StepState.DONE, f"its partners turned green on {slave}")
    if before.state is StepState.TOO_LATE and not is_new:
        return before
    if turned or not window.owed or not links.are_told:
        of_others = f"its partners turned green on {slave}, and were changed themselves, which does that as well"
        return _not_shown(step, window, before, of_others if turned else f"{slave} does not tell what would show it")
    if window.is_closed and was is not None and was.window is not None and was.window.is_closed:
        # At a second look: units are not asked at one moment, and the slave may have been asked before its submission.
        return StepStatus(StepState.TOO_LATE, _too_late(plan, step, slave))
    return StepStatus(StepState.OPEN, _still_red(links.needed - links.green, slave))


def _not_shown(step: Step, window: Window, before: StepStatus, why: str) -> StepStatus:
    if before.state is StepState.ASKS and not window.is_closed:
        return before
    ended = "; the master is active again, so only a submission before that counts" if window.is_closed else ""
    said = f"{why}: tick step {step.number} if it was submitted there{ended}"
    return StepStatus(StepState.ASKS, said)


def _too_late(plan: Plan, step: Step, slave: str) -> str:
    site = plan.site(step.site)
    return (
        f"{site.units[0].address} is active again, and no submission was seen on {slave}: "
        f"what is submitted now comes too late. Reboot {site.units[0].address} again, and submit on {slave}"
    )


def _still_red(red: frozenset[str], slave: str) -> str:
    return f"on {slave} not green yet: {join_words(sorted(red))}" if red else f"no partner has turned green on {slave}"


def _of_submission(  # noqa: PLR0913 - before and after
    plan: Plan, step: Step, look: Look, progress: Progress, *, is_due: bool, was_due: bool
) -> StepStatus:
    """Judge a submission that changes no list and no link: only the time of the unit's last change tells of it.

    Any change moves that time, so it counts where nothing else that is told is another, on this unit or at the same
    look on one that may have synchronised it. Where work that nobody saw comes before, the person is asked.
    """
    if not is_due:
        return StepStatus()
    unit = look.facts.active(step.on.site)
    before, known = progress.status(step.id), progress.last.get(unit.address) if unit else None
    if unit is None or unit.failure is not None:
        return before
    if known is not None and is_changed(known, unit):
        moment = as_clock_time(unit.change_time or "")
        if was_due and _was_submitted(known, unit) and not _others_changed(unit, look, progress):
            said = f"{unit.address} was changed at {moment}, and all else that it tells stayed as it was"
            return StepStatus(StepState.DONE, said)
        said = f"{unit.address} was changed at {moment}, which other changes do as well: "
        return StepStatus(StepState.ASKS, f"{said}tick step {step.number} if that was the submission")
    if before.state is StepState.ASKS:
        return before
    if unit.change_time is None:
        said = f"{unit.address} does not tell what would show it: tick step {step.number} once it is submitted there"
        return StepStatus(StepState.ASKS, said)
    if any(each.id in step.after and progress.status(each.id).by_hand for each in plan.steps):
        said = f"what comes before was not seen: tick step {step.number} if it was submitted on {unit.address} by then"
        return StepStatus(StepState.ASKS, f"{said}; if not, submit it now")
    return StepStatus(StepState.OPEN, f"{unit.address} was last changed at {as_clock_time(unit.change_time)}")


def _was_submitted(before: Observation, now: Observation) -> bool:
    """Return whether nothing that a unit tells is another than at the look before, though it was changed."""
    told = (
        "state", "boot_time", "remote_geo_access", "geo_partners", "clusters", "fqdns", "geo_enabled", "ssh_access",
        "ha",
    )  # fmt: skip
    is_told = now.geo_partners is not None and now.clusters is not None
    return is_told and all(getattr(before, name) == getattr(now, name) for name in told)


def _others_changed(unit: Observation, look: Look, progress: Progress) -> bool:
    """Return whether another unit was changed between the same looks: one of them may have got it from the other."""
    return bool(changed_since(progress, look) - {canonical(unit.address)})
