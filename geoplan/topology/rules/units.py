"""Rules for what runs on units: their firmware, and the virtual services beside HA and GEO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.topology.finding import DOCUMENT, UPDATING, WARNING, Finding, rule
from geoplan.vendor import API_PORT, CLOUD_API_PORT, SSH_PORT, SYNC_PORT, has_partner_secret, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.partial import Number, PartialSite, PartialTopology, Value


@rule(
    "GEO501",
    "The units of a pair differ in firmware",
    severity=WARNING,
    why="A pair with two versions should never be left in production.",
    source=f"{DOCUMENT}, 7",
)
def firmware_differs_in_pair(topology: PartialTopology) -> Iterator[Finding]:
    for site in topology.sites:
        versions = [unit.firmware for unit in site.units_of_pair if unit.firmware]
        if len({parse_version(version.text) for version in versions}) > 1:
            message = f"the units of {site.label} run {versions[0].text} and {versions[1].text}"
            yield Finding(versions[1].loc, message, "bring both to one version before anything else (section 7)")


@rule(
    "GEO502",
    "Only some units of a group have the Partner Shared Secret",
    severity=WARNING,
    why="Units with the secret and units without it refuse each other's connections.",
    source=UPDATING,
)
def partner_secret_in_some_units(topology: PartialTopology) -> Iterator[Finding]:
    for group in topology.partner_groups:
        versions = [unit.firmware for site in group.sites for unit in site.units if unit.firmware]
        with_it = [version for version in versions if has_partner_secret(parse_version(version.text))]
        without = [version for version in versions if version not in with_it]
        if with_it and without:
            message = (
                f"firmware {without[0].text} has no Partner Shared Secret, but {with_it[0].text} "
                f"elsewhere in {group.label} has: they refuse each other"
            )
            hint = "bring the whole group to firmware with the secret, and set it equal"
            yield Finding(without[0].loc, message, hint)


@rule(
    "GEO701",
    "A TCP service on the health check port",
    why="The load balancer would ask the service which unit is active, and HA would stop working.",
    source=f"{DOCUMENT}, 6.2.1",
)
def service_on_health_check_port(topology: PartialTopology) -> Iterator[Finding]:
    for site, service, port in _services(topology):
        if site.is_pair and _is_tcp(service) and port.value == site.health_check_port:
            message = (
                f"{_label(service)} of {site.label} takes TCP {port.value}, where the pair answers the health check"
            )
            hint = "give the service another port, or the health check: health_check: {port: …}"
            yield Finding(port.loc, message, hint)


@rule(
    "GEO702",
    "A TCP service on the port of HA synchronisation",
    why="The units of a pair synchronise over TCP 6973; with a service there, the standby falls behind unseen.",
    source=f"{DOCUMENT}, 6.2.1",
)
def service_on_sync_port(topology: PartialTopology) -> Iterator[Finding]:
    for site, service, port in _services(topology):
        if site.is_pair and _is_tcp(service) and port.value == SYNC_PORT:
            message = f"{_label(service)} takes TCP {SYNC_PORT}, over which the units of {site.label} synchronise"
            yield Finding(port.loc, message, "give the service another port")


@rule(
    "GEO703",
    "A TCP service on port 22 of a unit",
    why="GEO partners and cluster checks reach the unit there, over SSH.",
    source=f"{DOCUMENT}, 6.2.1",
)
def service_on_ssh_port(topology: PartialTopology) -> Iterator[Finding]:
    for site, service, port in _services(topology):
        own = {unit.address.address for unit in site.units if unit.address}
        address = service.key("address").address()
        on_unit = address is None or address.address in own
        if on_unit and _is_tcp(service) and port.value == SSH_PORT:
            message = (
                f"{_label(service)} takes TCP {SSH_PORT} on a unit of {site.label}, where partners reach it by SSH"
            )
            yield Finding(port.loc, message, "give the service another port, or an address of its own")


@rule(
    "GEO712",
    "One port of a unit for two purposes",
    why="Health check, synchronisation, SSH of GEO, and the API with the web interface need a port each: with two on "
    "one port nobody can tell the state of the pair, or nobody can reach the unit.",
    source=f"{DOCUMENT}, 6.1, 6.2.1",
)
def port_for_two_purposes(topology: PartialTopology) -> Iterator[Finding]:
    for site in topology.sites:
        taken = {SSH_PORT: "GEO over SSH"} | ({SYNC_PORT: "synchronisation"} if site.is_pair else {})
        check = site.health_check_written if site.is_pair else None
        if check and check.value in taken:
            message = f"{site.label} is asked for its health on port {check.value}, which is for {taken[check.value]}"
            yield Finding(check.loc, message, "write another port, as section 6.1 has it: 8444")
        elif site.is_pair:
            taken[site.health_check_port] = "the health check"
        for unit in site.units:
            port, place = site.api_port_on(unit), site.api_port_place(unit)
            if port not in taken:
                continue
            if place is None and check and port == check.value:
                message = f"{site.label} is asked for its health on port {port}, where its units have their API"
                yield Finding(check.loc, message, "write another port, or api_port: … if the API is on another one")
            elif place is not None:
                message = f"the API of {site.label_of(unit)} is on port {port}, which is for {taken[port]}"
                hint = f"write the port on which its API is: {API_PORT} unless it was changed, {CLOUD_API_PORT} in AWS"
                if site.is_pair and port == site.health_check_port:
                    hint += "; or another port for the health check"
                yield Finding(place, message, hint)


@rule(
    "GEO713",
    "A TCP service on the port of the API",
    why="API and web interface of the unit are there: the service would not come up, or nobody could manage the unit.",
    source="LoadMaster for AWS, Differences from the VLM",
)
def service_on_api_port(topology: PartialTopology) -> Iterator[Finding]:
    for site, service, port in _services(topology):
        address = service.key("address").address()
        own = [
            unit for unit in site.units if address is None or (unit.address and unit.address.address == address.address)
        ]
        if _is_tcp(service) and port.value in map(site.api_port_on, own):
            message = f"{_label(service)} takes TCP {port.value} on a unit of {site.label}, where its API is"
            hint = "give the service another port or its own address; or write api_port: … if the API is elsewhere"
            yield Finding(port.loc, message, hint)


def _services(topology: PartialTopology) -> Iterator[tuple[PartialSite, Value, Number]]:
    for site in topology.sites:
        for service in site.virtual_services:
            port = service.key("port").number()
            if port:
                yield site, service, port


def _label(service: Value) -> str:
    name = service.key("name").text()
    return f"the virtual service '{name.text}'" if name else "a virtual service"


def _is_tcp(service: Value) -> bool:
    return service.mapping.get("protocol", "tcp") == "tcp"
