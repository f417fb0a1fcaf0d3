"""The units of a lab as a plan leaves them, at once: for a rehearsal of what follows a push."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from geoplan.lab.device.geo import Cluster
from geoplan.lab.device.parameters import GEO_PARTNERS, REMOTE_GEO_ACCESS
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan

if TYPE_CHECKING:
    from geoplan.lab.device.network import Network
    from geoplan.topology.model import Topology


def place_as_planned(network: Network, topology: Topology) -> None:
    """Give every unit its lists, its links and its group's clusters, as a push of GEO would have left them."""
    plan = make_plan(topology, (Phase.GEO,))
    for site in plan.sites:
        held = {REMOTE_GEO_ACCESS: site.remote_geo_access, GEO_PARTNERS: site.geo_partners}
        for planned in site.units:
            unit = network.unit(planned.address)
            unit.configuration = unit.configuration.with_settings(held)
            unit.submitted = site.geo_partners
    for group in plan.groups:
        sites = [plan.site(name) for name in group.sites]
        for number, site in enumerate(sites):
            others = (each for later in sites[number + 1 :] for each in later.units)
            for one, other in product(site.units, others):
                network.partners.link(network.unit(one.address), network.unit(other.address))
        first = [unit for unit in (network.unit(each.address) for each in sites[0].units) if network.is_active(unit)]
        for name in group.sites:
            cluster = plan.cluster(name)
            network.geo.put_cluster(first[0], Cluster(cluster.address, cluster.name, "remoteLM"))
    for pair in network.pairs.values():
        pair.settle_standby()
