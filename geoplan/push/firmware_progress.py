"""How far a journal says that new firmware has come: of each step its unit, and what may have been done to it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.push import firmware_records as updates
from geoplan.push.outcome import StepState
from geoplan.vendor import parse_version

if TYPE_CHECKING:
    from collections.abc import Collection

    from geoplan.plan.model import Plan
    from geoplan.push.history import History
    from geoplan.push.records import AnyRecord

DONE = (StepState.DONE.value, StepState.IN_PLACE.value, StepState.RECORDED.value)
"""How a step ended after which nothing of it is left to be done."""
_OF_UNITS = (updates.Installing, updates.NotInstalled, updates.Installed, updates.Booting, updates.Updated)


class UnitProgress(StrEnum):
    """What an update may have done to a unit, as its last record says."""

    NOT_BEGUN = "not begun"
    INSTALLING = "installing"
    """The unit may have the new firmware: only a boot tells."""
    INSTALLED = "installed"
    """The unit said that it has it."""
    BOOTING = "booting"
    """It was told to boot into it, or was just about to be."""
    UPDATED = "updated"


_PROGRESS = {
    updates.Installing: UnitProgress.INSTALLING,
    updates.NotInstalled: UnitProgress.NOT_BEGUN,
    updates.Installed: UnitProgress.INSTALLED,
    updates.Booting: UnitProgress.BOOTING,
    updates.Updated: UnitProgress.UPDATED,
}


def last_of(history: History, step: str) -> AnyRecord | None:
    """Return the last record of what a step did to its unit, if it did anything yet."""
    return next((each for each in reversed(history.records) if isinstance(each, _OF_UNITS) and each.step == step), None)


def unit_of(history: History, step: str) -> str | None:
    """Return the unit that a step has begun with: it never goes to another one."""
    record = last_of(history, step)
    return record.unit if isinstance(record, _OF_UNITS) else None


def progress_of(history: History, step: str) -> UnitProgress:
    """Return how far a step has come with its unit."""
    record = last_of(history, step)
    return _PROGRESS[type(record)] if isinstance(record, _OF_UNITS) else UnitProgress.NOT_BEGUN


def updated_units(history: History) -> tuple[str, ...]:
    """Return the units that showed the new version in this push, in their order."""
    return tuple(dict.fromkeys(each.unit for each in history.records if isinstance(each, updates.Updated)))


def runs_it(plan: Plan, history: History, unit: str) -> bool:
    """Return whether a unit is known to run the plan's version: it did before, or has shown it since."""
    if plan.firmware is None:
        return False
    before = any(
        canonical(each.address) == canonical(unit) and not plan.firmware.is_due(each) for each in plan.firmware.units
    )
    return before or canonical(unit) in set(map(canonical, updated_units(history)))


def has_begun(history: History, site: str) -> bool:
    """Return whether anything of a site's update was begun, its preferred host included."""
    own = (*_OF_UNITS, updates.Preferring)
    return any(isinstance(each, own) and each.site == site for each in history.records)


def is_finished(plan: Plan, history: History, site: str, done: Collection[str]) -> bool:
    """Return whether all steps of a site have ended well, by the states that are ``done``."""
    return all(history.step_states.get(step.id) in done for step in plan.steps if step.site == site)


def set_aside_on(history: History) -> tuple[str, ...]:
    """Return the units whose preferred host this push has set aside, or may have, or found so since an earlier one.

    What was sent last may not have arrived, so whether it is set again only the units tell.
    """
    first = {each.unit: each.before for each in reversed(history.records) if isinstance(each, updates.Preferring)}
    left = [unit for each in history.records if isinstance(each, updates.LeftAside) for unit in each.units]
    return tuple(dict.fromkeys((*(unit for unit, before in first.items() if before), *left)))


def is_version(found: str | None, wanted: str) -> bool:
    """Return whether a unit shows a version: its four numbers count, and not the build behind them."""
    return found is not None and parse_version(found) == parse_version(wanted)
