"""Which setting of the Partner Shared Secret a way back takes back: the last one that stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.push.secret_progress import secrets_of
from geoplan.push.secret_scope import recorded_alone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.plan.model import Plan
    from geoplan.push.history import History


def to_take_back(histories: Iterable[History]) -> History | None:
    """Return the last push that set the secret and was not taken back; None where there is none. The oldest come first.

    A way back that was given up has taken nothing back: what it went back from still stands.
    """
    standing: dict[str, History] = {}
    for history in histories:
        if history.rotation is None or (history.is_finished and not history.has_changes):
            continue
        if not history.rotation.goes_back:
            standing[history.name] = history
        elif history.begin.undoes and _is_through(history):
            standing.pop(history.begin.undoes, None)
    return next(reversed(standing.values()), None)


def is_of_same_units(history: History, plan: Plan) -> bool:
    """Return whether a push was of all units of a plan, and of no others."""
    return _units(history.plan) == _units(plan)


def _units(plan: Plan) -> frozenset[str]:
    return frozenset(canonical(unit.address) for site in plan.sites for unit in site.units)


def _is_through(history: History) -> bool:
    alone = recorded_alone(history) or frozenset()
    return all(secrets_of(history, site.name).is_in_force for site in history.plan.sites if site.name not in alone)
