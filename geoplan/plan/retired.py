"""Whole groups that a change takes apart: nobody does that by a wrong OLD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import ChangeRefusedError
from geoplan.wording import shell_command, some_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from geoplan.plan.model import Change, Plan

WRONG_OLD = "give as OLD what these units were pushed to last: geoplan push --history lists it"


def require_meant(plan: Plan, retired: Collection[str]) -> None:
    """Check that OLD and NEW have a unit in common, and that groups of which nobody goes on are named.

    ``retired`` are those that are. Raises :class:`ChangeRefusedError`. A site that was alone has no link to lose, and
    is not asked for.
    """
    change = plan.change
    if change is None or not change.old_sites:
        return
    whole = _whole_groups(change)
    if len(change.leaving) == len(change.old_sites):
        message = f"'{change.old_topology}' and '{plan.topology}' have no unit in common"
        raise ChangeRefusedError(
            f"{message}: {some_of(change.leaving)} would leave; nothing is planned", hint=WRONG_OLD
        )
    if wrong := [name for name in retired if name not in whole]:
        names = ", ".join(f"'{name}'" for name in wrong)
        raise ChangeRefusedError(
            f"--retire: {names} is no group of '{change.old_topology}' of which all sites leave", hint="leave it out"
        )
    unnamed = {name: sites for name, sites in whole.items() if name not in retired and sites[1:]}
    if unnamed:
        words = shell_command(*(word for name in (*retired, *unnamed) for word in ("--retire", name)))
        raise ChangeRefusedError(
            "the change takes whole groups apart that nobody named, and nothing is planned:",
            [
                f"no unit of group '{name}' is in '{plan.topology}': {some_of(sites)} would leave"
                for name, sites in unnamed.items()
            ],
            hint=f"{WRONG_OLD}; or, to retire these groups: {words}",
        )


def _whole_groups(change: Change) -> dict[str, tuple[str, ...]]:
    """Return the groups before of which every site leaves for good, with those."""
    groups: dict[str, list[str]] = {}
    for site in change.old_sites:
        groups.setdefault(site.group, []).append(site.name)
    return {name: tuple(sites) for name, sites in groups.items() if set(sites) <= set(change.leaving)}
