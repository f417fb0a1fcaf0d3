"""What a push changed, as a person takes it back by hand: geoplan never restores anything itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings.ha_changes import PARAMETERS
from geoplan.live.model import HA_SUBJECT, LIST_NAMES, SUBJECTS, HaFacts
from geoplan.plan.actions import HA_CHANGES, Action
from geoplan.push import records as models
from geoplan.push import values
from geoplan.vendor import (
    BACKUP,
    HA_PARAMETERS,
    MANAGE_CLUSTERS,
    REMOTE_ACCESS,
    SET_GEO_PARTNERS,
    SET_REMOTE_GEO_ACCESS,
)
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.push.history import History
    from geoplan.push.records import Changing
    from geoplan.push.values import Value

# The web interface's own words, as the runbook has them.
BUTTONS = {"remote_geo_access": SET_REMOTE_GEO_ACCESS, "geo_partners": SET_GEO_PARTNERS}


@dataclass(frozen=True, slots=True)
class RollbackStep:
    """One change taken back: where in the web interface, what to do there, and the value to enter."""

    site: str
    where: str
    what: str
    value: str | None = None
    """What the field held before, as one line to paste; None where there is no field to fill."""
    is_certain: bool = True
    """Whether the change was read back; otherwise it may have been made or not."""


@dataclass(frozen=True, slots=True)
class UnitRollback:
    """Changes of one unit, the last one first, and its backup."""

    unit: str
    changes: tuple[RollbackStep, ...]
    backup: str | None
    pair: str | None = None
    """The pair whose active unit takes these changes; None where they are this very unit's, as HA parameters are."""


def going_back(history: History) -> tuple[UnitRollback, ...]:
    """Return what to do on each unit, the unit that was changed last first: GEO, then the HA parameters."""
    geo: dict[str, list[RollbackStep]] = {}
    ha: dict[str, list[RollbackStep]] = {}
    for record in reversed(_first_changes(history)):
        # A pair goes back as a whole before it is parted, and a backup from before it was formed parts it.
        latest = ha if record.what == HA_SUBJECT else geo
        latest.setdefault(record.unit, []).append(_undone(record, history))
    pairs = {unit.address: site.name for site in history.plan.sites for unit in site.units if site.kind == "ha_pair"}
    return (
        *(
            UnitRollback(unit, tuple(changes), None if unit in ha else history.backed_up.get(unit), pairs.get(unit))
            for unit, changes in geo.items()
        ),
        *(UnitRollback(unit, tuple(changes), history.backed_up.get(unit)) for unit, changes in ha.items()),
    )


def as_lines(
    units: tuple[UnitRollback, ...],
    submitted: tuple[str, ...] = (),
    logins: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Say it to a person; ``submitted`` are the slaves on which partners were submitted.

    ``logins`` are the web interfaces of the units that these changes are taken back on, by address.
    """
    lines = ["to go back by hand, in this order (geoplan restores nothing itself):"]
    if logins:
        width = max(map(len, logins))
        lines += ["", "  log in at:", *(f"    {address:{width}}  {url}" for address, url in logins.items())]
    for unit in units:
        pair = f" (or whichever unit of '{unit.pair}' is active then)" if unit.pair else ""
        lines += ["", f"  on {unit.unit}{pair}"]
        for where, changes in groupby(unit.changes, key=lambda change: change.where):
            lines.append(f"    {where}:")
            for change in changes:
                unsure = "" if change.is_certain else " (it may not have been changed at all)"
                lines.append(f"      {change.what}{unsure}")
                lines += [f"        {change.value}"] if change.value else []
        if unit.backup:
            lines += [f"    or from its backup, at {BACKUP}:", f"      {shell_command(unit.backup)}"]
    if submitted:
        lines += [
            "",
            f"  last, on {', '.join(submitted)}: press {BUTTONS['geo_partners']} there, too, while that unit is active",
            "  after a failover, since links belong to a unit; there is nothing to undo about a reboot itself",
        ]
    return lines


def submitted_on_slaves(history: History) -> tuple[str, ...]:
    """Return the slaves on which partners were submitted while they were active."""
    return tuple(dict.fromkeys(r.unit for r in history.records if isinstance(r, models.Resubmitted)))


def _first_changes(history: History) -> list[Changing]:
    """Return the first change of each list and cluster, in the order of the changes: that one knows what was before."""
    first: dict[tuple[str, ...], Changing] = {}
    for record in history.records:
        if isinstance(record, models.Changing):
            own: tuple[str, ...] = (
                (record.unit, record.action) if record.what == HA_SUBJECT else ()
            )  # each unit has its own
            if record.after is None and isinstance(record.before, values.ClusterValue):
                own = (record.unit, canonical(record.before.address))  # each cluster that was deleted, where it was
            elif isinstance(record.after, values.ClusterValue):
                own = (canonical(record.after.address),)  # who joins gets several
            first.setdefault((record.site, record.what, *own), record)
    return list(first.values())


def _undone(record: Changing, history: History) -> RollbackStep:
    site, subject, before = record.site, record.what, record.before
    is_certain = any(isinstance(other, models.Changed) and other.step == record.step for other in history.records)
    if subject in SUBJECTS:
        addresses = " ".join(before if isinstance(before, tuple) else ())
        name, button = next((LIST_NAMES[known], BUTTONS[known]) for known in SUBJECTS if known == subject)
        what = f"{name}: enter this" if addresses else f"{name}: empty the field"
        return RollbackStep(site, REMOTE_ACCESS, f"{what}, then press {button}", addresses, is_certain)
    if subject == HA_SUBJECT:
        what = _one_of_ha(record.action, before) if record.action in HA_CHANGES else _ha(before)
        return RollbackStep(site, HA_PARAMETERS, what, None, is_certain)
    what = _cluster(before, record.after)
    return RollbackStep(site, MANAGE_CLUSTERS, what, None, is_certain)


def _one_of_ha(action: Action, before: Value) -> str:
    """Say how one HA parameter of a pair at work is set back."""
    held = before if isinstance(before, values.HaValue) else values.HaValue()
    if action is Action.SET_HA_PARTNER:
        return f"set the partner back to {held.partner or 'what it was'}"
    found = HaFacts(
        health_check_port=held.health_check_port,
        prefers_master=None if held.preferred_host is None else held.preferred_host == "master",
        all_interfaces=held.all_interfaces,
    )
    parameter = PARAMETERS[action]
    value = parameter.held(found)
    both = ", on both units, one right after the other" if action is Action.SET_HEALTH_CHECK_PORT else ""
    return f"set {parameter.name} back to {'what it was' if value is None else parameter.shown(value)}{both}"


def _ha(before: Value) -> str:
    held = before if isinstance(before, values.HaValue) else values.HaValue()
    names = {"master": "Master HA Mode", "slave": "Slave HA Mode", "single": "Non HA Mode"}
    parameters = ", ".join(
        f"{name} {'unset' if value is None else value}"
        for name, value in (("partner", held.partner), ("health check port", held.health_check_port))
    )
    return f"set AWS HA Mode back to {names.get(held.mode or '', 'what it was')} ({parameters})"


def _cluster(before: Value, after: Value) -> str:
    if not isinstance(before, values.ClusterValue):
        shown = f"'{after.name}' ({after.address})" if isinstance(after, values.ClusterValue) else "that was added"
        return f"delete the cluster {shown}, which was not there"
    place = ""
    is_deleted = after is None
    if before.latitude is not None:
        place = f", latitude {before.latitude}, longitude {before.longitude}"
    if is_deleted:
        return f"add the cluster '{before.name}' ({before.address}) again, of type {before.type}{place}"
    if isinstance(after, values.ClusterValue) and after.name != before.name:
        return f"call the cluster '{after.name}' ({before.address}) '{before.name}' again{place}"
    return f"set the cluster '{before.name}' ({before.address}) back to the type {before.type}{place}"
