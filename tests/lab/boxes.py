"""What people do to the boxes of a lab: another one takes the place of a pair's unit, roles are swapped."""

from __future__ import annotations

from dataclasses import replace

from geoplan.lab.device.network import Network
from geoplan.lab.device.pair import Pair
from geoplan.lab.device.unit import HaParameters, Mode, Unit


def put_in_pair(network: Network, gone: str, box: str) -> None:
    """Put a standalone of the lab in the place of a pair's unit, which loses its power; nobody has set its HA yet."""
    old, new = network.unit(gone), network.unit(box)
    pair = network.pair(old.site)
    network.power_off(old)
    new.site, new.role, new.published_health_port = old.site, old.role, old.published_health_port
    old.site, old.role = f"{old.site} (gone)", "standalone"
    units = [new if unit is old else unit for unit in pair.units]
    network.pairs[new.site] = Pair(
        *units, clock=network.clock, timings=network.timings, spread=network._spread, on_change=network._settle
    )
    network._settle()


def make_whole(network: Network, site: str, new: str) -> None:
    """Set the HA parameters of a pair as people do once one unit is new: first on the unit that is left."""
    box = network.unit(new)
    other = network.pair(site).partner_of(box)
    mode: Mode = "slave" if other.ha.mode == "master" else "master"
    network.set_ha(other, replace(other.ha, partner=new))
    network.set_ha(box, replace(other.ha, mode=mode, partner=other.address))


def swap_roles(network: Network, site: str) -> None:
    """Give each unit of a pair the other's HA mode: one is single meanwhile, so that they never have the same."""
    pair = network.pair(site)
    modes: dict[Unit, HaParameters] = {
        unit: replace(unit.ha, mode=pair.partner_of(unit).ha.mode) for unit in pair.units
    }
    master = pair.preferred
    slave = pair.partner_of(master)
    network.set_ha(slave, HaParameters())
    network.set_ha(master, modes[master])
    network.set_ha(slave, modes[slave])
