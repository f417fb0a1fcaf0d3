"""Upgrades and downgrades for tests."""

from __future__ import annotations

from hypothesis import strategies as st

from geoplan import Plan, Topology
from geoplan.plan.upgrade import make_upgrade
from tests.topologies import topologies

VERSIONS = ("7.2.36.0", "7.2.48.4", "7.2.54.8", "7.2.54.12", "7.2.55.0", "7.2.59.0", "7.2.59.4", "7.2.60.1")


def running_everywhere(topology: Topology, version: str) -> dict[str, str]:
    return {unit.address: version for site in topology.sites for unit in site.units}


@st.composite
def upgrades(draw: st.DrawFn) -> Plan:
    """Draw a change of firmware up or down, of all sites or some, with units that run the version already."""
    topology = draw(topologies(max_sites=8))
    place = draw(st.integers(0, len(VERSIONS) - 1))
    possible = draw(st.sampled_from([VERSIONS[: place + 1], VERSIONS[place:]]))
    running = {unit.address: draw(st.sampled_from(possible)) for site in topology.sites for unit in site.units}
    sites = [site.name for site in topology.sites if draw(st.integers(0, 4))] if draw(st.booleans()) else None
    return make_upgrade(topology, VERSIONS[place], running, sites)
