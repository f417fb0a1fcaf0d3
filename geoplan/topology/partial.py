"""What a topology says as far as it can be read, so that one fault in a file does not hide another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import PydanticCustomError

from geoplan.topology.api import usual_port
from geoplan.topology.model import Site
from geoplan.topology.names import ROLE_WORDS, nearest
from geoplan.topology.types import IpAddress, parse_address, place_of_url
from geoplan.vendor import DEFAULT_HEALTH_CHECK_PORT, MAX_CLUSTERS
from geoplan.wording import folded
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


class Value(NamedTuple):
    """A value of a topology file, of whatever shape, and where it stands; what it is not reads as None or as empty."""

    loc: Loc
    plain: object

    @property
    def mapping(self) -> Mapping[object, object]:
        """Its keys and values."""
        return self.plain if isinstance(self.plain, Mapping) else {}

    def key(self, name: str) -> Value:
        """Return the value behind a key."""
        return Value((*self.loc, name), self.mapping.get(name))

    def items(self) -> Iterator[Value]:
        """Yield the values of a list."""
        for position, item in enumerate(self.plain if isinstance(self.plain, list | tuple) else ()):
            yield Value((*self.loc, position), item)

    def text(self) -> Text | None:
        """Return the text that it is."""
        return Text(self.loc, str(self.plain)) if isinstance(self.plain, str) else None

    def address(self) -> WrittenAddress | None:
        """Return the address that it is."""
        try:
            return (
                WrittenAddress(self.loc, self.plain, parse_address(self.plain)) if isinstance(self.plain, str) else None
            )
        except PydanticCustomError:
            return None

    def number(self) -> Number | None:
        """Return the whole number that it is."""
        value = typed(self.plain)
        return Number(self.loc, value) if isinstance(value, int) and not isinstance(value, bool) else None

    def seconds(self) -> Seconds | None:
        """Return the time in seconds that it is."""
        value = typed(self.plain)
        return Seconds(self.loc, value) if isinstance(value, int | float) and not isinstance(value, bool) else None


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
    health_check_written: Number | None
    """The port of the health check where the file gives it, be it for this site or for all."""
    api_port: int
    """Where the API of its units is, unless they have a URL of their own."""
    api_port_written: Number | None
    """The same where the file gives it, be it for this site or for all."""
    virtual_services: tuple[Value, ...]
    balancer: Value | None

    @property
    def label(self) -> str:
        """How a message calls it."""
        return f"'{self.name.text}'" if self.name else f"site {int(self.loc[-1]) + 1}"

    @property
    def is_pair(self) -> bool:
        """Whether it says that it is an HA pair, be it a standalone as well."""
        return "ha_pair" in self.kinds

    @property
    def units_of_pair(self) -> tuple[PartialUnit, ...]:
        """Its master and its slave, as far as they are written."""
        return tuple(unit for unit in self.units if unit.role != "standalone")

    def label_of(self, unit: PartialUnit) -> str:
        """Return how a message calls one of its units."""
        return self.label if unit.role == "standalone" else f"the {unit.role} of {self.label}"

    def api_place_of(self, unit: PartialUnit) -> tuple[str, int] | None:
        """Return the host, in one spelling, and the port at which the API of one of its units is reached."""
        if unit.api is not None:
            return place_of_url(unit.api.text)
        return (str(unit.address.address), self.api_port) if unit.address else None

    def api_port_on(self, unit: PartialUnit) -> int:
        """Return the API's port on one of its units itself: a URL of another host may lead there over NAT."""
        place = self.api_place_of(unit)
        return place[1] if place and unit.address and place[0] == str(unit.address.address) else self.api_port

    def api_port_place(self, unit: PartialUnit) -> Loc | None:
        """Return where the file says which port that is; None if it leaves it at the usual one."""
        if unit.api is not None and self.api_port_on(unit) != self.api_port:
            return unit.api.loc
        return self.api_port_written.loc if self.api_port_written else None


class PartialGroup(NamedTuple):
    """A group as it is written: the names of its sites."""

    loc: Loc
    name: str
    members: tuple[Text, ...]
    readable: bool


class PartnerGroup(NamedTuple):
    """A group with those of its sites that are known."""

    loc: Loc
    name: str | None
    """None where the file has no groups, so that all sites are partners."""
    sites: tuple[PartialSite, ...]

    @property
    def label(self) -> str:
        """How a message calls it."""
        return "the topology" if self.name is None else f"the group '{self.name}'"


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
            return (PartnerGroup(("sites",), None, self.sites),)
        by_name = {folded(site.name.text): site for site in reversed(self.sites) if site.name}
        return tuple(
            PartnerGroup(
                group.loc,
                group.name,
                tuple(by_name[m] for m in dict.fromkeys(folded(t.text) for t in group.members) if m in by_name),
            )
            for group in self.groups
        )


def partial_topology(document: object) -> PartialTopology:
    """Read the plain values of a topology file, mappings, lists and scalars of whatever shape, as far as they go."""
    top = Value((), document)
    limit = top.key("limits").key("max_clusters").number()
    port = top.key("health_check_port").number()
    api_port = top.key("api_port").number()
    return PartialTopology(
        sites=tuple(_site(site, port, api_port) for site in top.key("sites").items()),
        groups=tuple(_groups(top.key("groups"))) if isinstance(top.key("groups").plain, Mapping) else None,
        max_clusters=limit.value if limit and limit.value > 0 else MAX_CLUSTERS,
        boot_seconds=top.key("timing").key("boot_seconds").seconds(),
        sync_seconds=top.key("timing").key("sync_seconds").seconds(),
        empty_values=tuple(_empty_values(document, ())),
    )


def _site(site: Value, port_of_all: Number | None, api_port_of_all: Number | None) -> PartialSite:
    name, pair = site.key("name").text(), site.key("ha_pair")
    kinds = tuple(kind for kind in KINDS if site.key(kind).plain is not None)
    extra = (written.address() for written in site.key("extra_remote_geo_access").items())
    port, balancer = pair.key("health_check").key("port").number() or port_of_all, pair.key("aws")
    api_port = site.key("api_port").number()
    return PartialSite(
        loc=site.loc,
        name=name,
        kinds=kinds,
        unread_kind=not kinds and (not site.mapping or any(map(_may_be_kind, site.mapping))),
        units=tuple(_units(site)),
        extra_remote_geo_access=tuple(written for written in extra if written),
        cluster_name=site.key("cluster").key("name").text() or name,
        health_check_port=port.value if port else DEFAULT_HEALTH_CHECK_PORT,
        health_check_written=port,
        api_port=usual_port(
            of_topology=api_port_of_all.value if api_port_of_all else None,
            of_site=api_port.value if api_port else None,
            in_aws=balancer.plain is not None,
        ).port,
        api_port_written=api_port or api_port_of_all,
        virtual_services=tuple(site.key("virtual_services").items()),
        balancer=None if balancer.plain is None else balancer,
    )


def _may_be_kind(key: object) -> bool:
    """Return whether a key means a kind in a way that is reported for itself: empty, misplaced or mistyped."""
    return str(key).lower() in (*KINDS, "master", "slave", *ROLE_WORDS) or (
        key not in Site.model_fields and nearest(str(key), Site.model_fields) in KINDS
    )


def _units(site: Value) -> Iterator[PartialUnit]:
    pair = site.key("ha_pair")
    yield from (_unit(pair.key(role), role) for role in ("master", "slave") if role in pair.mapping)
    if site.key("standalone").plain is not None:
        yield _unit(site.key("standalone"), "standalone")


def _unit(written: Value, role: str) -> PartialUnit:
    unit = written._replace(plain={"address": written.plain}) if isinstance(written.plain, str) else written
    return PartialUnit(
        loc=unit.loc,
        role=role,
        address=unit.key("address").address(),
        nat_address=unit.key("nat_address").address(),
        api=unit.key("api").text(),
        firmware=unit.key("firmware").text(),
        instance_id=unit.key("instance_id").text(),
    )


def _groups(groups: Value) -> Iterator[PartialGroup]:
    for name, members in groups.mapping.items():
        group = Value((*groups.loc, str(name)), members)
        texts = tuple(text for member in group.items() if (text := member.text()))
        yield PartialGroup(group.loc, str(name), texts, readable=isinstance(members, list | tuple))


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
