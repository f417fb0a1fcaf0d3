"""New firmware: of each pair the standby, then the active unit, pair by pair; then the standalones (section 7)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx

from geoplan.plan.actions import ACTIONS, UPDATE_ACTIONS, Action, Phase, Situation
from geoplan.plan.firmware_change import FirmwareChange, UnitFirmware, is_version, require_possible
from geoplan.plan.graph import Placement, Reboots, StepKey, with_places
from geoplan.plan.model import StepTarget
from geoplan.plan.planner import StepsToDo, plan_of
from geoplan.topology.rules import require_well_formed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from geoplan.plan.action_row import FirmwareSection
    from geoplan.plan.model import Plan
    from geoplan.plan.pairs import HaMode
    from geoplan.topology.model import Site, Topology

SECTION_OF: dict[str, FirmwareSection] = {"upgrade": "7.1", "downgrade": "7.2"}
ROLES: tuple[HaMode, ...] = ("master", "slave")


def written_firmware(topology: Topology) -> dict[str, str]:
    """Return the firmware that a topology names, by the units' own addresses."""
    return {unit.address: unit.firmware for site in topology.sites for unit in site.units if unit.firmware}


def make_upgrade(  # noqa: PLR0913 - what an upgrade is
    topology: Topology,
    to: str,
    running: Mapping[str, str],
    sites: Collection[str] | None = None,
    *,
    holds_roles: bool = False,
    left_aside: Collection[str] = (),
) -> Plan:
    """Plan the upgrade or the downgrade of units to one version (sections 7.1 and 7.2).

    ``running`` has what units run now by their own addresses, as :func:`written_firmware` returns it or as the units
    say; ``sites`` are the names of the sites to bring to the version, by default all. With ``holds_roles`` pairs under
    *Prefer Master* are set to *No Preferred Host* for the time of their update, and those of ``left_aside``, which an
    earlier update left so, are set back even with nothing to install on them. A plan without steps has nothing to do.
    Raises :class:`geoplan.errors.UpgradeRefusedError` with every reason where a unit would be lost or is not
    known well enough, :class:`geoplan.InvalidInputError` where the topology breaks a rule, and :class:`KeyError` for a
    site that it does not have.
    """
    require_well_formed(topology)
    by_name = {site.name: site for site in topology.sites}
    chosen = {by_name[name].name for name in sites} if sites is not None else set(by_name)
    to_change = [site for site in topology.sites if site.name in chosen]
    direction = require_possible(to_change, to, running)
    change = FirmwareChange(
        to=to,
        direction=direction,
        units=tuple(_units(to_change, running)),
        others=tuple(_units(_left_in_their_groups(topology, chosen), running)),
    )
    graph: nx.DiGraph[StepKey] = nx.DiGraph()
    keys = list(_keys_in_order(to_change, change, left_aside, holds_roles=holds_roles))
    graph.add_nodes_from(with_places(keys, Phase.FIRMWARE))
    graph.add_edges_from(pairwise(keys))  # one thing at a time, over all groups
    reboots = Reboots(tuple(UPDATE_ACTIONS), topology.timing.boot_seconds)
    return plan_of(topology, StepsToDo(graph, _placements(change, by_name), reboots), firmware=change)


def _units(sites: Collection[Site], running: Mapping[str, str]) -> Iterator[UnitFirmware]:
    for site in sites:
        for unit in site.units:
            present = running.get(unit.address)
            known = present if present is not None and is_version(present) else None
            yield UnitFirmware(address=unit.address, site=site.name, present=known)


def _left_in_their_groups(topology: Topology, chosen: Collection[str]) -> list[Site]:
    """Return the sites that are partners of the chosen ones, and are not chosen."""
    groups = (group for group in topology.partner_groups() if any(site.name in chosen for site in group.sites))
    return [site for group in groups for site in group.sites if site.name not in chosen]


def _keys_in_order(
    sites: Collection[Site], change: FirmwareChange, left_aside: Collection[str], *, holds_roles: bool
) -> Iterator[StepKey]:
    for site in sites:
        if site.ha_pair:
            keys = list(_keys_of_pair(site.name, change))
            if holds_roles and site.ha_pair.preferred_host == "master" and (keys or site.name in left_aside):
                aside = [StepKey(site.name, Action.SET_PREFERRED_HOST_ASIDE)] if keys else []
                keys = [*aside, *keys, StepKey(site.name, Action.RESTORE_PREFERRED_HOST)]
            yield from keys
    for site in sites:
        if not site.ha_pair and change.due(site.name):
            yield StepKey(site.name, Action.UPDATE_STANDALONE)
            yield from _secret_keys(site.name, change)


def _keys_of_pair(site: str, change: FirmwareChange) -> Iterator[StepKey]:
    match len(change.due(site)):
        case 0:
            return
        case 1:
            yield StepKey(site, Action.UPDATE_REMAINING)
            yield from _secret_keys(site, change)
        case _:
            secrets = list(_secret_keys(site, change))
            yield StepKey(site, Action.UPDATE_STANDBY)
            yield from secrets[:1]
            yield StepKey(site, Action.UPDATE_ACTIVE)
            yield from secrets[1:]
    yield StepKey(site, Action.VERIFY_UPDATED_PAIR)


def _secret_keys(site: str, change: FirmwareChange) -> Iterator[StepKey]:
    """Yield the steps that give a site's units the secret.

    Which unit is updated first is a state. So where one unit of a pair had a secret before and the other had none,
    both are given it: setting it again does no harm, and nothing can read back whether the two are equal.
    """
    gaining = change.has_secret and any(map(change.crosses, change.due(site)))
    for turn, _ in enumerate(change.due(site) if gaining else (), start=1):
        yield StepKey(site, Action.SET_PARTNER_SECRET, turn)


def _placements(change: FirmwareChange, sites: Mapping[str, Site]) -> Callable[[StepKey], Placement]:
    section = SECTION_OF[change.direction or "upgrade"]

    def place(key: StepKey) -> Placement:
        site = sites[key.site]
        unit = ACTIONS[key.action].unit_at(site) or _remaining(change, key.site)
        return Placement(StepTarget(site=key.site, unit=unit), Situation(site, section, change.crosses_at(key.site)))

    return place


def _remaining(change: FirmwareChange, site: str) -> HaMode:
    """Return which unit of a pair is left to be updated: a role, since it may be active or standby."""
    return next(role for role, unit in zip(ROLES, change.of_site(site), strict=True) if change.is_due(unit))
