"""GEO: clusters, FQDNs and partners."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from geoplan.lab.api.request import (
    MAX_PORT,
    NO_GEO_DATA,
    NOT_FOUND,
    UNPROCESSABLE,
    Answer,
    ApiError,
    Command,
    Degrees,
    Letter,
)
from geoplan.lab.device.geo import CHECKERS, CLUSTER_TYPES, Checker, Cluster, ClusterType, Fqdn
from geoplan.lab.device.parameters import GEO_ENABLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.lab.api.request import ApiRequest, Context, Handler, Node

MAX_INDEX = 2**31 - 1
SECONDS_OF_ARC = 3600  # in a degree
MAX_LATITUDE_SECONDS = 90 * SECONDS_OF_ARC
MAX_LONGITUDE_SECONDS = 180 * SECONDS_OF_ARC

CHECK_SECONDS, CHECK_TIMEOUT, CHECK_RETRIES = 120, 20, 2  # GEO Feature Description, Interface Description

CLUSTER_DELETED = "Cluster deleted"
LOCATION_UPDATED = "Cluster location updated"


def list_clusters(context: Context, _call: ApiRequest) -> Answer:
    """Answer all clusters; none at all is a failure."""
    shown = _shown_clusters(context)
    if not shown:
        raise ApiError(NOT_FOUND, NO_GEO_DATA)
    return Answer(data={"cluster": shown})


def show_cluster(context: Context, call: ApiRequest) -> Answer:
    """Answer one cluster, by its address or by its Index."""
    return Answer(data={"cluster": _shown_clusters(context, _cluster(context, call))})


def add_cluster(context: Context, call: ApiRequest) -> Answer:
    """Add a cluster of type default, as the WUI does."""
    address, name = call.address("ip"), _name(call)
    if context.network.geo.find_cluster(context.unit, address):
        raise ApiError(UNPROCESSABLE, f"Cluster {address} already exists")
    context.network.geo.put_cluster(context.unit, Cluster(address, name))
    return Answer(f"Cluster {address} added")  # the address is the second word (the vendor's PowerShell SDK)


def modify_cluster(context: Context, call: ApiRequest) -> Answer:
    """Change what is given of a cluster and answer the whole of it."""
    cluster = _cluster(context, call)
    if call.has("name"):
        cluster = replace(cluster, name=_name(call))
    if call.has("type"):
        cluster = replace(cluster, type=cast("ClusterType", call.one_of("type", CLUSTER_TYPES)))
    if call.has("checker"):
        cluster = replace(cluster, checker=cast("Checker", call.one_of("checker", CHECKERS)))
    if call.has("checkerport"):
        cluster = replace(cluster, checker_port=call.number("checkerport", 0, MAX_PORT))
    if call.has("enable"):
        cluster = replace(cluster, enabled=call.flag("enable"))
    context.network.geo.put_cluster(context.unit, cluster)
    return show_cluster(context, call)


def delete_cluster(context: Context, call: ApiRequest) -> Answer:
    """Remove a cluster."""
    _cluster(context, call)
    context.network.geo.remove_cluster(context.unit, call.address("ip"))
    return Answer(CLUSTER_DELETED)


def change_location(context: Context, call: ApiRequest) -> Answer:
    """Place a cluster, in seconds of arc."""
    latitude = call.number("latsecs", -MAX_LATITUDE_SECONDS, MAX_LATITUDE_SECONDS)
    longitude = call.number("longsecs", -MAX_LONGITUDE_SECONDS, MAX_LONGITUDE_SECONDS)
    cluster = replace(_cluster(context, call), latitude_seconds=latitude, longitude_seconds=longitude)
    context.network.geo.put_cluster(context.unit, cluster)
    return Answer(LOCATION_UPDATED)


def partner_status(context: Context, _call: ApiRequest) -> Answer:
    """Answer each address of the partners list with its colour.

    The names of the fields and all words but ``Unknown`` are guesses.
    """
    status = context.network.partners.status_of(context.unit)
    partners = [_partner(context, address, green=green) for address, green in status]
    return Answer(data={"GeoPartners": {"Partner": partners}})


def is_geo_enabled(context: Context, _call: ApiRequest) -> Answer:
    """Answer whether GEO is on, in a sentence."""
    enabled = context.unit.setting(GEO_ENABLED)
    return Answer(sentence=f"GEO is {'enabled' if enabled else 'disabled'}")


def turn_geo(*, on: bool) -> Handler:
    """Return the command that turns GEO on or off."""

    def turn(context: Context, _call: ApiRequest) -> Answer:
        context.network.set_parameter(context.unit, GEO_ENABLED, value=on)
        return Answer()

    return turn


def list_parameters(_context: Context, _call: ApiRequest) -> Answer:
    """Answer how clusters and addresses are checked, as on a fresh unit; that it tells these, and flat, is a guess."""
    return Answer(data={"CheckInterval": CHECK_SECONDS, "ConnTimeout": CHECK_TIMEOUT, "RetryAttempts": CHECK_RETRIES})


def list_fqdns(context: Context, _call: ApiRequest) -> Answer:
    """Answer the FQDNs; none at all is a failure."""
    shown = _shown_fqdns(context)
    if not shown:
        raise ApiError(NOT_FOUND, NO_GEO_DATA)
    return Answer(data={"fqdn": shown})


def show_fqdn(context: Context, call: ApiRequest) -> Answer:
    """Answer one FQDN, which the vendor's Python SDK asks for once it has added it."""
    name = f"{_fqdn(call)}.".lower()
    shown = [fqdn for fqdn in _shown_fqdns(context) if str(fqdn["FullyQualifiedDomainName"]).lower() == name]
    if not shown:
        raise ApiError(NOT_FOUND, NO_GEO_DATA)
    return Answer(data={"fqdn": shown})


def add_fqdn(context: Context, call: ApiRequest) -> Answer:
    """Add an FQDN."""
    name = _fqdn(call)
    known = {fqdn.lower() for fqdn in _fqdns(context)}
    if not name or name.lower() in known:
        raise ApiError(UNPROCESSABLE, f"FQDN {name} already exists" if name else "Invalid value for fqdn")
    context.network.geo.put_fqdn(context.unit, name)
    return Answer()


def add_map(context: Context, call: ApiRequest) -> Answer:
    """Add an address to an FQDN; ``clust`` is a cluster, by its name or its address: which of them is a guess."""
    name, address = _fqdn(call).lower(), call.address("ip")
    fqdn = next((fqdn for fqdn in context.network.geo.fqdns(context.unit) if fqdn.name.lower() == name), None)
    if fqdn is None:
        raise ApiError(NOT_FOUND, NO_GEO_DATA)
    cluster = call.text("clust").strip() if call.has("clust") else ""
    known = {shown: each.name for at, each in context.network.geo.clusters(context.unit) for shown in (each.name, at)}
    if cluster and cluster not in known:
        raise ApiError(UNPROCESSABLE, "Invalid value for clust")
    context.network.geo.put_map(context.unit, fqdn, address, known.get(cluster, ""))
    return Answer()


def delete_fqdn(context: Context, call: ApiRequest) -> Answer:
    """Remove an FQDN."""
    name = _fqdn(call)
    if name.lower() not in {fqdn.lower() for fqdn in _fqdns(context)}:
        raise ApiError(NOT_FOUND, NO_GEO_DATA)
    context.network.geo.remove_fqdn(context.unit, name)
    return Answer(f"Deleted FQDN {name}.")


def _partner(context: Context, address: str, *, green: bool) -> Mapping[str, Node]:
    """Return a partner with its status, which is not known of one that never linked: here, of one outside the lab."""
    word = "green" if green else "red" if context.network.find(address) else "Unknown"
    return {"IPAddress": address, "Status": word}


def _cluster(context: Context, call: ApiRequest) -> Cluster:
    """Return the cluster at ``ip`` (Programmer Guide), else the one of the Index ``id`` (Interface Description)."""
    if call.has("id") and not call.has("ip"):
        number = call.number("id", 1, MAX_INDEX)
        known = dict(enumerate((cluster for _, cluster in context.network.geo.clusters(context.unit)), start=1))
        cluster = known.get(number)
    else:
        cluster = context.network.geo.find_cluster(context.unit, call.address("ip"))
    if cluster is None:
        raise ApiError(NOT_FOUND, NO_GEO_DATA)
    return cluster


def _name(call: ApiRequest) -> str:
    name = call.text("name").strip()
    if not name:
        raise ApiError(UNPROCESSABLE, "Invalid value for name")
    return name


def _shown_clusters(context: Context, wanted: Cluster | None = None) -> list[Mapping[str, Node]]:
    """Return all clusters as the unit gives them, or one alone."""
    clusters = enumerate(context.network.geo.clusters(context.unit), start=1)
    return [_shown(context, number, *known) for number, known in clusters if wanted in (None, known[1])]


def _shown_fqdns(context: Context) -> list[Mapping[str, Node]]:
    """Return the FQDNs: a dot at the end of each name, and no Index."""
    return [_shown_fqdn(fqdn) for fqdn in context.network.geo.fqdns(context.unit)]


def _shown_fqdn(fqdn: Fqdn) -> Mapping[str, Node]:
    maps: list[Mapping[str, Node]] = [
        {"Status": "Up", "Index": number, "IPAddress": each.address, "Cluster": each.cluster}
        for number, each in enumerate(fqdn.maps, start=1)
    ]
    shown: dict[str, Node] = {"Status": "Up", "FullyQualifiedDomainName": f"{fqdn.name}."}
    return {**shown, "Map": maps} if maps else shown


def _fqdns(context: Context) -> list[str]:
    return [fqdn.name for fqdn in context.network.geo.fqdns(context.unit)]


def _fqdn(call: ApiRequest) -> str:
    """Return the name of an FQDN without the dot at its end, which may be given or left out."""
    return call.text("fqdn").strip().removesuffix(".")


def _shown(context: Context, number: int, address: str, cluster: Cluster) -> Mapping[str, Node]:
    """Return a cluster as the unit gives it, element by element in the order of the Programmer Guide.

    One that was just added has no Status yet.
    """
    status: dict[str, Node] = {"Status": "Up" if context.network.is_served(cluster.address) else "Down"}
    return {
        **({} if context.network.geo.is_new(context.unit, cluster) else status),
        "Index": number,
        "Name": cluster.name,
        "ClusterVSAddress": "",
        "IPAddress": address,
        "Checker": cluster.checker,
        "CheckerPort": cluster.checker_port,
        "Type": cluster.type,
        "Enable": Letter(cluster.enabled),
        "LocationLatitude": Degrees(cluster.latitude_seconds / SECONDS_OF_ARC),
        "LocationLongitude": Degrees(cluster.longitude_seconds / SECONDS_OF_ARC),
    }


COMMANDS = (
    Command("listclusters", list_clusters),
    Command("showcluster", show_cluster, ("id", "ip")),
    Command("addcluster", add_cluster, ("ip", "name"), changes=True),
    Command(
        "modcluster",
        modify_cluster,
        ("id", "ip", "name", "type", "checker", "checkerport", "enable"),
        changes=True,
        pretend=show_cluster,
    ),
    Command(
        "delcluster",
        delete_cluster,
        ("ip",),
        changes=True,
        pretend=lambda _context, _call: Answer(CLUSTER_DELETED),
    ),
    Command(
        "clustchangeloc",
        change_location,
        ("ip", "latsecs", "longsecs"),
        changes=True,
        pretend=lambda _context, _call: Answer(LOCATION_UPDATED),
    ),
    Command("getgeopartnerstatus", partner_status),
    Command("isgeoenabled", is_geo_enabled),
    Command("enablegeo", turn_geo(on=True), changes=True),
    Command("disablegeo", turn_geo(on=False), changes=True),
    Command("listparams", list_parameters),
    Command("listfqdns", list_fqdns),
    Command("showfqdn", show_fqdn, ("fqdn",)),
    Command("addfqdn", add_fqdn, ("fqdn",), changes=True),
    Command("addmap", add_map, ("fqdn", "ip", "clust"), changes=True),
    Command("delfqdn", delete_fqdn, ("fqdn",), changes=True),
)
