"""What a topology says as far as it can be read, so that one fault in a file does not hide another.

The rules look at this. It is made from the plain values of a file, whole or not, or from a finished topology.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import PydanticCustomError

from geoplan.topology.model import DEFAULT_GROUP, DEFAULT_MAX_CLUSTERS, Site
from geoplan.topology.spelling import nearest
from geoplan.topology.values import IpAddress, parse_address, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.document import Loc


KINDS = ("ha_pair", "standalone")


class Text(NamedTuple):
    """A text and where it stands."""

    loc: Loc
    text: str


class WrittenAddress(NamedTuple):
    """An address, as written and as what it means."""

    loc: Loc
    text: str
    address: IpAddress


class UnitOutline(NamedTuple):
    """A unit with as much of it as can be read."""

    loc: Loc
    role: str
    address: WrittenAddress | None
    nat_address: WrittenAddress | None
    firmware: Text | None

    @property
    def addresses(self) -> tuple[WrittenAddress, ...]:
        """Its own address and the one that others reach it by."""
        return tuple(written for written in (self.address, self.nat_address) if written)


class SiteOutline(NamedTuple):
    """A site with as much of it as can be read."""

    loc: Loc
    name: Text | None
    kinds: tuple[str, ...]
    unread_kind: bool
    """Whether it may say what kind it is in a way that cannot be read, which is reported for itself."""
    units: tuple[UnitOutline, ...]
    extra_remote_geo_access: tuple[WrittenAddress, ...]
    cluster_name: Text | None

    @property
    def label(self) -> str:
        """How a message calls it."""
        return f"'{self.name.text}'" if self.name else f"site {int(self.loc[-1]) + 1}"


class GroupOutline(NamedTuple):
    """A group as it is written: the names of its sites."""

    loc: Loc
    name: str
    members: tuple[Text, ...]
    readable: bool


class PartnerGroup(NamedTuple):
    """A group with those of its sites that are known."""

    loc: Loc
    name: str
    sites: tuple[SiteOutline, ...]


class Outline(NamedTuple):
    """All of a topology that the rules look at."""

    sites: tuple[SiteOutline, ...]
    groups: tuple[GroupOutline, ...] | None
    max_clusters: int
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


def outline_of(document: object) -> Outline:
    """Outline the plain values of a topology file: mappings, lists and scalars, of whatever shape."""
    top = _mapping(document)
    groups = top.get("groups")
    limit = typed(_mapping(top.get("limits")).get("max_clusters"))
    return Outline(
        sites=tuple(_site(("sites", index), _mapping(site)) for index, site in enumerate(_list(top.get("sites")))),
        groups=tuple(_groups(groups)) if isinstance(groups, Mapping) else None,
        max_clusters=limit if isinstance(limit, int) and limit is not True and limit > 0 else DEFAULT_MAX_CLUSTERS,
        empty_values=tuple(_empty_values(document, ())),
    )


def _site(loc: Loc, site: Mapping[object, object]) -> SiteOutline:
    name = _text((*loc, "name"), site.get("name"))
    cluster_name = _text((*loc, "cluster", "name"), _mapping(site.get("cluster")).get("name"))
    extra_loc = (*loc, "extra_remote_geo_access")
    kinds = tuple(kind for kind in KINDS if site.get(kind) is not None)
    extra = enumerate(_list(site.get("extra_remote_geo_access")))
    return SiteOutline(
        loc=loc,
        name=name,
        kinds=kinds,
        unread_kind=not kinds and (not site or any(map(_may_be_kind, site))),
        units=tuple(_units(loc, site)),
        extra_remote_geo_access=tuple(
            chain.from_iterable(_addresses((*extra_loc, index), address) for index, address in extra)
        ),
        cluster_name=cluster_name or name,
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


def _units(loc: Loc, site: Mapping[object, object]) -> Iterator[UnitOutline]:
    pair = _mapping(site.get("ha_pair"))
    for role in ("master", "slave"):
        if role in pair:
            yield _unit((*loc, "ha_pair", role), role, pair[role])
    if site.get("standalone") is not None:
        yield _unit((*loc, "standalone"), "standalone", site["standalone"])


def _unit(loc: Loc, role: str, written: object) -> UnitOutline:
    unit = {"address": written} if isinstance(written, str) else _mapping(written)
    return UnitOutline(
        loc=loc,
        role=role,
        address=next(_addresses((*loc, "address"), unit.get("address")), None),
        nat_address=next(_addresses((*loc, "nat_address"), unit.get("nat_address")), None),
        firmware=_text((*loc, "firmware"), unit.get("firmware")),
    )


def _groups(groups: Mapping[object, object]) -> Iterator[GroupOutline]:
    for name, members in groups.items():
        loc = ("groups", str(name))
        texts = (_text((*loc, index), member) for index, member in enumerate(_list(members)))
        yield GroupOutline(
            loc, str(name), tuple(text for text in texts if text), readable=isinstance(members, list | tuple)
        )


def _addresses(loc: Loc, written: object) -> Iterator[WrittenAddress]:
    """Yield the address, if it is one."""
    if isinstance(written, str):
        try:
            yield WrittenAddress(loc, written, parse_address(written))
        except PydanticCustomError:
            return


def _text(loc: Loc, written: object) -> Text | None:
    return Text(loc, str(written)) if isinstance(written, str) else None


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
