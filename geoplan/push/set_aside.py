"""Pairs that an update left on *No Preferred Host*: it ended between setting that and setting *Prefer Master* again.

Whatever brings units to a version next, that one or the one before, sets it again at its end, and so does an update
that has nothing to install.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from geoplan.addresses import canonical
from geoplan.live.findings.kinds import FindingKind, generic_command
from geoplan.plan.model import Action
from geoplan.push import records as models
from geoplan.push.firmware_progress import DONE, set_aside_on
from geoplan.push.kinds import words_of_kind
from geoplan.push.update_status import ways_back
from geoplan.vendor import NO_PREFERRED_HOST, PREFER_MASTER
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from geoplan.live.findings.kinds import Command
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.history import History
    from geoplan.push.problems import Problem
    from geoplan.push.update_status import About


def left_after(left: Mapping[str, History], history: History, keys: Mapping[str, str]) -> dict[str, History]:
    """Return the units that updates set aside and no push has set again, by canonical address, each with the update.

    ``left`` are those before ``history``; ``keys`` are the keys of the units that count.
    """
    found = dict(left)
    own = [unit for unit in map(canonical, set_aside_on(history)) if _is_of(history, unit, keys)]
    again = _set_again(history) if own else ()
    for unit in own:
        found.setdefault(unit, history)
        if unit in again:
            del found[unit]
    for record in history.records if found else ():
        if isinstance(record, models.Changing) and record.action is Action.SET_PREFERRED_HOST:
            found.pop(canonical(record.unit), None)
    return found


def _is_of(history: History, unit: str, keys: Mapping[str, str]) -> bool:
    named = {canonical(address): key for address, key in history.begin.units.items()}
    return unit in keys and named.get(unit) == keys[unit]


def _set_again(history: History) -> frozenset[str]:
    """Return the units whose preferred host an update has set again."""
    return frozenset(
        canonical(unit.address)
        for step in history.plan.steps
        if step.action is Action.RESTORE_PREFERRED_HOST and history.step_states.get(step.id) in DONE
        for unit in history.plan.site(step.site).units
    )


def sites_to_set_again(plan: Plan, left: Collection[str]) -> list[SiteSettings]:
    """Return the pairs of an update with units that were left aside, and a step that sets their preferred host."""
    again = {step.site for step in plan.steps if step.action is Action.RESTORE_PREFERRED_HOST}
    return [site for site in plan.sites if site.name in again and units_left(site, left)]


def units_left(site: SiteSettings, left: Collection[str]) -> tuple[str, ...]:
    """Return the units of a pair that were left aside, where its master is to be preferred."""
    if site.kind != "ha_pair" or site.preferred_host == "none":
        return ()
    return tuple(unit.address for unit in site.units if canonical(unit.address) in left)


Left: TypeAlias = "Mapping[str, History]"
"""The units that updates left aside, by canonical address, each with its update."""


def generic_about(_history: History) -> Command:
    """Return commands about a push for whoever does not know its topology's file."""
    return generic_command


def ways_to_set_again(left_aside: Left, units: Iterable[str], about: About = generic_about) -> tuple[str, ...]:
    """Return the commands at whose end *Prefer Master* is set again on units that were left aside.

    ``about`` returns what writes commands about the update that did that.
    """
    updates = {history.name: history for unit in units if (history := left_aside.get(canonical(unit)))}
    return tuple(dict.fromkeys(way for history in updates.values() for way in _ways(history, about(history))))


def _ways(history: History, command: Command) -> Iterator[str]:
    if not history.is_finished:
        yield command("push", *words_of_kind(history), "--resume")
        return
    yield command("push", *words_of_kind(history))
    yield from ways_back(history, command)


def lines_of_left(left_aside: Left, plan: Plan, about: About = generic_about) -> list[str]:
    """Return which pairs stay on *No Preferred Host*, and what to type."""
    left = {site.name: units for site in plan.sites if (units := units_left(site, left_aside))}
    if not left:
        return []
    names = join_words([f"'{name}'" for name in left])
    ways = ways_to_set_again(left_aside, [unit for units in left.values() for unit in units], about)
    verb = "is" if len(left) == 1 else "are"
    said = f"{names} {verb} on {NO_PREFERRED_HOST} since an update; the next one, on or back, sets {PREFER_MASTER}"
    return [said, *(f"  {way}" for way in ways)]


def explained_as_left(
    problems: Iterable[Problem], plan: Plan, left_aside: Left, about: About = generic_about
) -> tuple[Problem, ...]:
    """Return what checks found, with what sets a preferred host again where an update left it aside."""
    return tuple(_explained(problem, plan, left_aside, about) for problem in problems)


def _explained(problem: Problem, plan: Plan, left_aside: Left, about: About) -> Problem:
    if problem.kind is not FindingKind.PREFERRED_HOST_DIFFERS:
        return problem
    sites = [each for each in plan.sites if problem.where in (each.name, *(unit.address for unit in each.units))]
    left = [unit for site in sites for unit in units_left(site, left_aside)]
    if not left:
        return problem
    hint = "an update left it so; what sets it again at its end:"
    return replace(problem, hint=hint, commands=ways_to_set_again(left_aside, left, about))
