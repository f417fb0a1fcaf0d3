"""What to see to before pairs are formed, what HA leaves to be done by hand, and what shows that they work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Phase
from geoplan.render.runbook import ec2
from geoplan.render.runbook.drills import drill
from geoplan.render.runbook.model import Check, Item
from geoplan.render.runbook.phase_checks import SYNC_PORT, PhaseChecks, ports_of_pairs, same_firmware, same_secret
from geoplan.render.runbook.prose import Name, Pasted, Value, listing, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.pairs import LoadBalancer
    from geoplan.render.runbook.context import Pair, RunbookContext
    from geoplan.render.runbook.prose import Prose

SSH_PORT = Value("22")
TRANSPORT = {"TLS": "TCP", "TCP_UDP": "TCP and UDP"}  # what a firewall calls it

# Section 4: what each unit of a pair has for itself.
NOT_SYNCHRONISED = {
    "default-gateway": "Default gateway, IPv4 and IPv6",
    "addresses": "IP addresses and netmasks",
    "hostname": "Hostname",
    "name-server": "Name server",
    "domain": "Domain",
    "admin-gateway": "Admin default gateway",
    "admin-certificate": "Administrative certificate settings",
    "interfaces": "Network interfaces: link status (speed and duplex), MTU and additional addresses",
    "vlan": "VLAN configuration",
    "vxlan": "VXLAN configuration",
    "routes": "Additional routes",
}


def _units_are_ready(bearings: RunbookContext) -> Iterator[Check]:
    yield Check(
        "units-up",
        prose("Both units of every pair to be are up, licensed, and their web interfaces open"),
        (
            prose(
                "They are no pair yet, and so do not answer the health check. Open both addresses of each, as in the "
                "table of units."
            ),
            prose("Use the first interface, NIC0, for HA (section 4)."),
        ),
    )
    yield same_firmware()
    if not bearings.has(Phase.GEO):  # GEO asks for it, of more units
        yield same_secret()
    balanced = {site: pair.load_balancer for site, pair in bearings.ha_pairs.items() if pair.load_balancer}
    if balanced:
        yield Check(
            "aws",
            prose("AWS has what the load balancers need"),
            tuple(line for site, balancer in balanced.items() for line in _needed(site, balancer)),
        )
    yield Check(
        "virtual-services",
        prose("No Virtual Service takes a port that HA needs"),
        (
            *(
                prose("None on port {} of {}, where the units answer the health check.", port, listing(sites))
                for port, sites in bearings.health_check_ports.items()
            ),
            prose("None for TCP on port {}, on the interface over which the units synchronise.", SYNC_PORT),
            prose("None for TCP on port {}, on an address of the unit's own interfaces (section 6.2.1).", SSH_PORT),
        ),
    )
    yield from (_by_hand(pair) for pair in bearings.pairs.values())


def _needed(site: str, balancer: LoadBalancer) -> Iterator[Prose]:
    yield prose("{}: you may create load balancers in {}.", Name(site), Value(balancer.region))
    elastic = [Value(subnet.allocation_id) for subnet in balancer.subnets if subnet.allocation_id]
    if elastic:
        words = "{}: the Elastic IPs {} are" if len(elastic) > 1 else "{}: the Elastic IP {} is"
        yield prose(f"{words} allocated and still free.", Name(site), listing(elastic))
    certificates = dict.fromkeys(listener.certificate_arn for listener in balancer.listeners)
    for certificate in filter(None, certificates):
        yield prose("{}: the certificate {} is issued.", Name(site), Value(certificate))


def _by_hand(pair: Pair) -> Check:
    """Return the settings that a pair does not share, to be ticked off."""
    return Check(
        f"by-hand/{pair.site}",
        prose("{}: what HA does not synchronise is set by hand on both units", pair.site),
        (
            prose(
                "Log in to the master, {}, and then to the slave, {}. Tick a setting once it is right on both, now and "
                "whenever it changes.",
                Pasted(pair.master),
                Pasted(pair.slave),
            ),
        ),
        items=tuple(Item(key, prose(words)) for key, words in NOT_SYNCHRONISED.items()),
    )


def _ports(bearings: RunbookContext) -> Iterator[Prose]:
    yield from ports_of_pairs(bearings)
    for site, pair in bearings.ha_pairs.items():
        groups = pair.load_balancer.target_groups if pair.load_balancer else ()
        traffic = dict.fromkeys((TRANSPORT.get(group.protocol, group.protocol), group.port) for group in groups)
        if traffic:
            doors = [prose(f"{transport} {{}}", Value(str(port))) for transport, port in traffic]
            yield prose("{} to both units of {}, from clients and the load balancer.", listing(doors), Name(site))


def _way_back(bearings: RunbookContext) -> Iterator[Check]:
    sites = [pair.site for pair in bearings.pairs.values()]
    yield Check(
        "ha-configuration",
        prose("The configuration that is to stay is the one on each master"),
        (
            prose(
                "Once {} {}, the slave takes over what the active unit has: what stands on the slave alone is lost.",
                listing(sites),
                prose("is a pair" if len(sites) == 1 else "are pairs"),
            ),
        ),
    )


def _verify(bearings: RunbookContext) -> Iterator[Check]:
    for site, settings in bearings.ha_pairs.items():
        if settings.load_balancer:
            yield _clients_get_through(site, settings.load_balancer, bearings)
    if not bearings.has(Phase.GEO):
        yield from (drill(pair, bearings) for pair in bearings.pairs.values())


def _clients_get_through(site: str, balancer: LoadBalancer, bearings: RunbookContext) -> Check:
    name = ec2.balancer_name(bearings.names_in_aws[site])
    listeners = [prose("{} {}", Value(listener.protocol), Value(str(listener.port))) for listener in balancer.listeners]
    return Check(
        f"clients/{site}",
        prose("{}: clients get through the load balancer", Name(site)),
        (
            prose("{} of {}, at {}: that is where clients go.", ec2.DNS_NAME, name, ec2.LOAD_BALANCERS.path),
            prose("There, {} answer once the pair has Virtual Services for them.", listing(listeners))
            if len(listeners) > 1
            else prose("There, {} answers once the pair has a Virtual Service for it.", listeners[0]),
        ),
    )


CHECKS = PhaseChecks(units_are_ready=_units_are_ready, ports=_ports, way_back=_way_back, verify=_verify)
