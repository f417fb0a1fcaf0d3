"""The state of the network as plain data, for the control endpoint and for tests. No secret is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoplan.lab.device.network import Network
    from geoplan.lab.device.pair import Pair
    from geoplan.lab.device.unit import Unit


def describe(network: Network) -> dict[str, Any]:
    """Return time, units, pairs and links."""
    return {
        "seconds": round(network.clock.now(), 3),
        "timings": {
            "boot_seconds": network.timings.boot_seconds,
            "failover_seconds": network.timings.failover_seconds,
            "sync_seconds": network.timings.sync_seconds,
        },
        "units": {address: _unit(network, unit) for address, unit in network.units.items()},
        "pairs": {site: _pair(pair) for site, pair in network.pairs.items()},
        "links": sorted(sorted(unit.address for unit in link) for link in network.partners),
    }


def _unit(network: Network, unit: Unit) -> dict[str, Any]:
    return {
        "site": unit.site,
        "role": unit.role,
        "nat_address": unit.nat_address,
        "firmware": unit.firmware.text,
        "power": unit.power.value,
        "active": network.is_active(unit),
        "ha_mode": unit.ha.mode,
        "ha_status": network.ha_status(unit),
        "ha": {
            "partner": unit.ha.partner or None,
            "health_check_port": unit.ha.health_check_port or None,
            "preferred_host": "master" if unit.ha.prefer_master else "none",
            "all_interfaces": unit.ha.all_interfaces,
        },
        "pacified": unit.pacified,
        "reboots": len(unit.reboots),
        "has_secret": unit.secret is not None,
        "remote_geo_access": list(unit.remote_geo_access),
        "geo_partners": list(unit.geo_partners),
        "submitted_geo_partners": None if unit.submitted is None else list(unit.submitted),
        "partner_status": {address: "green" if green else "red" for address, green in network.partners.status_of(unit)},
        "clusters": [
            {"address": address, "name": cluster.name, "type": cluster.type}
            for address, cluster in network.geo.clusters(unit)
        ],
        "fqdns": [fqdn.name for fqdn in network.geo.fqdns(unit)],
    }


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "master": pair.master.address,
        "slave": pair.slave.address,
        "active": pair.active.address if pair.active else None,
        "preferred_host": "master" if pair.prefers_master else "none",
        "formed": pair.is_formed,
        "unpaired_because": list(pair.unpaired_because),
        "ever_same_mode": pair.ever_same_mode,
    }
