"""What a topology says as far as it can be read, so that one fault in a file does not hide another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import PydanticCustomError

from geoplan.topology.model import DEFAULT_GROUP, DEFAULT_HEALTH_CHECK_PORT, DEFAULT_MAX_CLUSTERS, Site
from geoplan.topology.similarity import nearest
from geoplan.topology.types import IpAddress, parse_address
from geoplan.yaml12 import typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.yaml12 import Loc


class Text(NamedTuple):
    """A text and where it stands."""

    loc: Loc
    text: str


class WrittenAddress(NamedTuple):
    """An address, as written and as what it means."""

    loc: Loc
    text: str
    address: IpAddress


class Number(NamedTuple):
    """A whole number and where it stands."""

    loc: Loc
    value: int


class Seconds(NamedTuple):
    """A time in seconds and where it stands."""

    loc: Loc
    value: float


def read_addresses(loc: Loc, written: object) -> Iterator[WrittenAddress]:
    """Yield the address, if it is one."""
    if isinstance(written, str):
        try:
            yield WrittenAddress(loc, written, parse_address(written))
        except PydanticCustomError:
            return


def read_text(loc: Loc, written: object) -> Text | None:
    """Return a text with its place."""
    return Text(loc, str(written)) if isinstance(written, str) else None


def read_number(loc: Loc, written: object) -> Number | None:
    """Return a whole number with its place."""
    value = typed(written)
    return Number(loc, value) if isinstance(value, int) and not isinstance(value, bool) else None


def read_seconds(loc: Loc, written: object) -> Seconds | None:
    """Return a time in seconds with its place."""
    value = typed(written)
    return Seconds(loc, value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_mapping(value: object) -> Mapping[object, object]:
    """Return a mapping, an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """Return a list, an empty one in place of anything else."""
    return value if isinstance(value, list | tuple) else ()


KINDS = ("ha_pair", "standalone")


class PartialUnit(NamedTuple):
    """A unit with as much of it as can be read."""

    loc: Loc
    role: str
    address: WrittenAddress | None
    nat_address: WrittenAddress | None
    api: Text | None
    firmware: Text | None
    instance_id: Text | None

    @property
    def addresses(self) -> tuple[WrittenAddress, ...]:
        """Its own address and the one that others reach it by."""
        return tuple(written for written in (self.address, self.nat_address) if written)


class PartialService(NamedTuple):
    """A virtual service with as much of it as can be read."""

    loc: Loc
    name: Text | None
    address: WrittenAddress | None
    port: Number | None
    protocol: str

    @property
    def label(self) -> str:
        """How a message calls it."""
        return f"the virtual service '{self.name.text}'" if self.name else "a virtual service"


class PartialListener(NamedTuple):
    """A listener of a load balancer with as much of it as can be read."""

    loc: Loc
    protocol: Text | None
    port: Number | None
    target_protocol: Text | None
    target_port: Number | None
    certificate: Text | None
    has_certificate: bool
    """Whether it names one, be it readable or not."""


class PartialSubnet(NamedTuple):
    """A subnet of a load balancer with as much of it as can be read."""

    loc: Loc
    subnet_id: Text | None
    allocation_id: Text | None


class PartialBalancer(NamedTuple):
    """A pair's load balancer with as much of it as can be read."""

    loc: Loc
    region: Text | None
    scheme: str
    subnets: tuple[PartialSubnet, ...]
    listeners: tuple[PartialListener, ...]


class PartialSite(NamedTuple):
    """A site with as much of it as can be read."""

    loc: Loc
    name: Text | None
    kinds: tuple[str, ...]
    unread_kind: bool
    """Whether it may say what kind it is in a way that cannot be read, which is reported for itself."""
    units: tuple[PartialUnit, ...]
    extra_remote_geo_access: tuple[WrittenAddress, ...]
    cluster_name: Text | None
    health_check_port: int
    """Where the units of a pair answer the health check."""
    virtual_services: tuple[PartialService, ...]
    balancer: PartialBalancer | None

    @property
    def label(self) -> str:
        """How a message calls it."""
        return f"'{self.name.text}'" if self.name else f"site {int(self.loc[-1]) + 1}"


class PartialGroup(NamedTuple):
    """A group as it is written: the names of its sites."""

    loc: Loc
    name: str
    members: tuple[Text, ...]
    readable: bool


class PartnerGroup(NamedTuple):
    """A group with those of its sites that are known."""

    loc: Loc
    name: str
    sites: tuple[PartialSite, ...]


class PartialTopology(NamedTuple):
    """All of a topology that the rules look at."""

    sites: tuple[PartialSite, ...]
    groups: tuple[PartialGroup, ...] | None
    max_clusters: int
    boot_seconds: Seconds | None
    sync_seconds: Seconds | None
    empty_values: tuple[Loc, ...]

    @property
    def partner_groups(self) -> tuple[PartnerGroup, ...]:
        """The groups with their sites; without groups in the file, one group of all."""
        if self.groups is None:
            return (PartnerGroup(("sites",), DEFAULT_GROUP, self.sites),)
        by_name = {site.name.text: site for site in reversed(self.sites) if site.name}
        return tuple(
            PartnerGroup(
                group.loc,
                group.name,
                tuple(by_name[m] for m in dict.fromkeys(t.text for t in group.members) if m in by_name),
            )
            for group in self.groups
        )


def partial_topology(document: object) -> PartialTopology:
    """PartialTopology the plain values of a topology file: mappings, lists and scalars, of whatever shape."""
    top = as_mapping(document)
    groups = top.get("groups")
    limit = read_number((), as_mapping(top.get("limits")).get("max_clusters"))
    timing = as_mapping(top.get("timing"))
    port = read_number((), top.get("health_check_port"))
    port_of_all = port.value if port else DEFAULT_HEALTH_CHECK_PORT
    return PartialTopology(
        sites=tuple(
            _site(("sites", index), as_mapping(site), port_of_all)
            for index, site in enumerate(as_list(top.get("sites")))
        ),
        groups=tuple(_groups(groups)) if isinstance(groups, Mapping) else None,
        max_clusters=limit.value if limit and limit.value > 0 else DEFAULT_MAX_CLUSTERS,
        boot_seconds=read_seconds(("timing", "boot_seconds"), timing.get("boot_seconds")),
        sync_seconds=read_seconds(("timing", "sync_seconds"), timing.get("sync_seconds")),
        empty_values=tuple(_empty_values(document, ())),
    )


def _site(loc: Loc, site: Mapping[object, object], port_of_all: int) -> PartialSite:
    name = read_text((*loc, "name"), site.get("name"))
    cluster_name = read_text((*loc, "cluster", "name"), as_mapping(site.get("cluster")).get("name"))
    extra_loc = (*loc, "extra_remote_geo_access")
    kinds = tuple(kind for kind in KINDS if site.get(kind) is not None)
    extra = enumerate(as_list(site.get("extra_remote_geo_access")))
    pair = as_mapping(site.get("ha_pair"))
    port = read_number((), as_mapping(pair.get("health_check")).get("port"))
    services = enumerate(as_list(site.get("virtual_services")))
    return PartialSite(
        loc=loc,
        name=name,
        kinds=kinds,
        unread_kind=not kinds and (not site or any(map(_may_be_kind, site))),
        units=tuple(_units(loc, site)),
        extra_remote_geo_access=tuple(
            chain.from_iterable(read_addresses((*extra_loc, index), address) for index, address in extra)
        ),
        cluster_name=cluster_name or name,
        health_check_port=port.value if port else port_of_all,
        virtual_services=tuple(
            _service((*loc, "virtual_services", index), as_mapping(service)) for index, service in services
        ),
        balancer=_balancer((*loc, "ha_pair", "aws"), as_mapping(pair["aws"])) if pair.get("aws") is not None else None,
    )


def _service(loc: Loc, service: Mapping[object, object]) -> PartialService:
    return PartialService(
        loc=loc,
        name=read_text((*loc, "name"), service.get("name")),
        address=next(read_addresses((*loc, "address"), service.get("address")), None),
        port=read_number((*loc, "port"), service.get("port")),
        protocol=str(service.get("protocol", "tcp")),
    )


def _balancer(loc: Loc, balancer: Mapping[object, object]) -> PartialBalancer:
    return PartialBalancer(
        loc=loc,
        region=read_text((*loc, "region"), balancer.get("region")),
        scheme=str(balancer.get("scheme", "internet-facing")),
        subnets=tuple(
            _subnet((*loc, "subnets", index), as_mapping(subnet))
            for index, subnet in enumerate(as_list(balancer.get("subnets")))
        ),
        listeners=tuple(
            _listener((*loc, "listeners", index), as_mapping(listener))
            for index, listener in enumerate(as_list(balancer.get("listeners")))
        ),
    )


def _subnet(loc: Loc, subnet: Mapping[object, object]) -> PartialSubnet:
    return PartialSubnet(
        loc=loc,
        subnet_id=read_text((*loc, "subnet_id"), subnet.get("subnet_id")),
        allocation_id=read_text((*loc, "allocation_id"), subnet.get("allocation_id")),
    )


def _listener(loc: Loc, listener: Mapping[object, object]) -> PartialListener:
    return PartialListener(
        loc=loc,
        protocol=read_text((*loc, "protocol"), listener.get("protocol")),
        port=read_number((*loc, "port"), listener.get("port")),
        target_protocol=read_text((*loc, "target_protocol"), listener.get("target_protocol")),
        target_port=read_number((*loc, "target_port"), listener.get("target_port")),
        certificate=read_text((*loc, "certificate_arn"), listener.get("certificate_arn")),
        has_certificate="certificate_arn" in listener,
    )


def _may_be_kind(key: object) -> bool:
    """Tell whether a key means a kind in a way that is reported for itself: empty, misplaced or mistyped."""
    return key in (*KINDS, "master", "slave") or (
        key not in Site.model_fields and nearest(str(key), Site.model_fields) in KINDS
    )


def _empty_values(value: object, loc: Loc) -> Iterator[Loc]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if inner is None:
                yield (*loc, str(key))
            else:
                yield from _empty_values(inner, (*loc, str(key)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _empty_values(inner, (*loc, index))


def _units(loc: Loc, site: Mapping[object, object]) -> Iterator[PartialUnit]:
    pair = as_mapping(site.get("ha_pair"))
    for role in ("master", "slave"):
        if role in pair:
            yield _unit((*loc, "ha_pair", role), role, pair[role])
    if site.get("standalone") is not None:
        yield _unit((*loc, "standalone"), "standalone", site["standalone"])


def _unit(loc: Loc, role: str, written: object) -> PartialUnit:
    unit = {"address": written} if isinstance(written, str) else as_mapping(written)
    return PartialUnit(
        loc=loc,
        role=role,
        address=next(read_addresses((*loc, "address"), unit.get("address")), None),
        nat_address=next(read_addresses((*loc, "nat_address"), unit.get("nat_address")), None),
        api=read_text((*loc, "api"), unit.get("api")),
        firmware=read_text((*loc, "firmware"), unit.get("firmware")),
        instance_id=read_text((*loc, "instance_id"), unit.get("instance_id")),
    )


def _groups(groups: Mapping[object, object]) -> Iterator[PartialGroup]:
    for name, members in groups.items():
        loc = ("groups", str(name))
        texts = (read_text((*loc, index), member) for index, member in enumerate(as_list(members)))
        yield PartialGroup(
            loc, str(name), tuple(text for text in texts if text), readable=isinstance(members, list | tuple)
        )
