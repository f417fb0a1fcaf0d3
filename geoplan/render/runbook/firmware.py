"""What several parts of the runbook of an upgrade or a downgrade say alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import UPDATE_ACTIONS
from geoplan.render.runbook.prose import Name, Prose, Value, count, listing, prose
from geoplan.render.runbook.wui import SHARED_SECRET
from geoplan.vendor import becomes_inaccessible, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geoplan.plan.firmware_change import FirmwareChange, UnitFirmware
    from geoplan.render.runbook.context import RunbookContext


def change_of(bearings: RunbookContext) -> FirmwareChange:
    """Return the change of firmware that a plan makes; only plans that make one are asked."""
    change = bearings.plan.firmware
    if change is None:
        message = f"the plan {bearings.plan.checksum} changes no firmware"
        raise ValueError(message)
    return change


def to_version(bearings: RunbookContext) -> Value:
    """Return the version to which units are brought."""
    return Value(change_of(bearings).to)


def summary(bearings: RunbookContext) -> Prose:
    """Say in a few sentences what is updated, in which order, and what that interrupts."""
    parts = [*_what_is_updated(bearings), *_what_is_refused(bearings)]
    return prose(" ".join(["{}"] * len(parts)), *parts)


def _what_is_updated(bearings: RunbookContext) -> Iterator[Prose]:
    updated = dict.fromkeys(step.site for step in bearings.plan.steps)
    if not updated:
        yield prose("This changes nothing: every unit runs {} already.", to_version(bearings))
        return
    pairs = sum(site in bearings.pairs for site in updated)
    alone = len(updated) - pairs
    kinds = [count(pairs, "HA pair")] if pairs else []
    kinds += [count(alone, "standalone LoadMaster")] if alone else []
    words = f"This {change_of(bearings).direction}s {' and '.join(kinds)} from {{}} to {{}}, one unit after the other."
    yield prose(words, present_versions(bearings), to_version(bearings))
    if pairs:
        yield prose(
            "Of each pair the standby comes first, then the active unit, while the other one takes over its traffic; "
            "and a pair is finished before the next is begun."
        )
    if alone:
        yield prose("Standalones come last: the site of each is down while it reboots.")


def _what_is_refused(bearings: RunbookContext) -> Iterator[Prose]:
    if gains_secret(bearings):
        words = "{} brings the {}: it is set on each unit right after its update, and HA and partner links stay "
        yield prose(words + "refused until both sides have it.", to_version(bearings), SHARED_SECRET)
    if loses_secret(bearings):
        words = "WARNING: {} has no {}. A unit that has it and one that has not refuse each other, until the last one "
        yield prose(words + "has followed.", to_version(bearings), SHARED_SECRET)
    left = [Name(site) for site in dict.fromkeys(unit.site for unit in change_of(bearings).cut_off)]
    if left:
        words = "WARNING: {} stay as they are; all links between them and the sites updated here are refused until "
        yield prose(words + "they follow.", listing(left))


def number_of_updates(bearings: RunbookContext) -> int:
    """Return how many units are updated, each with a reboot."""
    return sum(step.action in UPDATE_ACTIONS for step in bearings.plan.steps)


def present_versions(bearings: RunbookContext) -> Prose:
    """Name what the units that are updated run before, each version once."""
    change = change_of(bearings)
    due = [unit for unit in change.units if change.is_due(unit)]
    found = dict.fromkeys(unit.present for unit in due if unit.present) or {change.to: None}
    return listing([Value(version) for version in sorted(found, key=parse_version)])


def units_named(units: Iterable[UnitFirmware]) -> Prose:
    """Name units, with their sites."""
    return listing([prose("{} of {}", Value(unit.address), Name(unit.site)) for unit in units])


def gains_secret(bearings: RunbookContext, site: str | None = None) -> bool:
    """Tell whether the change brings the Partner Shared Secret to a unit, of a site or of any."""
    change = change_of(bearings)
    return change.has_secret and (change.crosses_at(site) if site else bool(change.crossing))


def loses_secret(bearings: RunbookContext, site: str | None = None) -> bool:
    """Tell whether the change takes the Partner Shared Secret from a unit, of a site or of any."""
    change = change_of(bearings)
    return not change.has_secret and (change.crosses_at(site) if site else bool(change.crossing))


def no_way_back(bearings: RunbookContext) -> tuple[UnitFirmware, ...]:
    """Return the units that cannot go back to what they run now, because they pass 7.2.36 upwards (section 7)."""
    change = change_of(bearings)
    to = parse_version(change.to)
    known = (unit for unit in change.units if unit.present)
    return tuple(unit for unit in known if becomes_inaccessible(to, parse_version(unit.present or "")))
