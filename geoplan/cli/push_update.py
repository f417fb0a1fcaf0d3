"""The goal of a push that brings units to another firmware: what they run now, and the plan that follows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from geoplan.addresses import canonical
from geoplan.cli.connection import paces
from geoplan.errors import PushRefusedError, UpgradeRefusedError
from geoplan.live.firmware import differences, firmware_of
from geoplan.live.polling import SystemClock
from geoplan.loadmaster.clients import connected
from geoplan.plan.firmware_change import require_version
from geoplan.plan.upgrade import make_upgrade, written_firmware
from geoplan.push.ledger import Ledger
from geoplan.push.store import Past

if TYPE_CHECKING:
    from geoplan.cli.push_command import PushCommand
    from geoplan.plan.model import Plan
    from geoplan.push.store import Store
    from geoplan.topology.model import Topology


def plan_of_update(topology: Topology, given: PushCommand, store: Store) -> Plan:
    """Return the plan of an update; of one that is resumed or asked about, that of its journal.

    Raises :class:`geoplan.errors.UpgradeRefusedError` where it cannot be: a unit would be lost, or does not tell what
    it runs.
    """
    to = given.update.upgrade_to or ""
    require_version(to)
    journals = given.journals
    past = Past(Ledger()) if given.lab.lab else store.past()
    if journals.resume or journals.only_tells:
        unfinished = past.unfinished or (past.latest if journals.only_tells else None)
        if unfinished is not None and unfinished.plan.firmware is not None and unfinished.plan.firmware.to == to:
            return unfinished.plan
    if given.lab.lab:
        return make_upgrade(topology, to, _running_in_lab(topology), holds_roles=True)
    left = past.left_aside
    aside = [site.name for site in topology.sites if any(canonical(unit.address) in left for unit in site.units)]
    return make_upgrade(topology, to, _ask(topology, given), holds_roles=True, left_aside=aside)


def _running_in_lab(topology: Topology) -> dict[str, str]:
    """Return what the units of an embedded lab will run: what the topology says, else what labs have."""
    from geoplan.lab.device.unit import DEFAULT_FIRMWARE

    usual = {unit.address: DEFAULT_FIRMWARE for site in topology.sites for unit in site.units}
    return usual | written_firmware(topology)


def _ask(topology: Topology, given: PushCommand) -> dict[str, str]:
    """Ask all units what they run, and say where the file has it otherwise."""
    accesses = given.reach.accesses(topology)

    async def ask() -> dict[str, str]:
        async with connected(accesses, SystemClock(), paces=paces()) as units:
            return await firmware_of(units, jobs=given.jobs)

    try:
        found = asyncio.run(ask())
    except UpgradeRefusedError as error:
        said = "\n  ".join(["not every unit says what it runs, and nothing was changed:", *error.problems])
        hint = "see that the API of every unit answers, then give the command again"
        raise PushRefusedError(said, error.problems, hint=hint) from None
    for difference in differences(topology, found):
        click.echo(f"geoplan: warning: {difference}", err=True)
    return found
