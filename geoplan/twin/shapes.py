"""Units that answer otherwise than the lab's do: in every way that a real one may, as far as is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from geoplan.lab.api.commands import set_parameters
from geoplan.lab.api.request import UNPROCESSABLE, Answer, ApiError, ApiRequest, Context
from geoplan.lab.api.server import HTML, LOGIN_PAGE, ApiServer, WireFormat
from geoplan.lab.http import Response
from geoplan.twin.transport import subject_of

if TYPE_CHECKING:
    from geoplan.lab.simulation import Simulation

Shape = Callable[[WireFormat, Context, ApiRequest], Response | None]
"""Answers a command in a unit's place, or leaves it to the unit."""

NOT_ACTIVE = ApiError(UNPROCESSABLE, "Not available: this unit is not active")
SERVER_ERROR = Response(500, HTML, b"<html><body>Internal Server Error</body></html>\n")

LISTS = frozenset({"get:geoclients", "get:geopartners"})
READS_OF_STANDBYS: Mapping[str, frozenset[str]] = {
    "all": frozenset(
        {
            *LISTS, "get:version", "get:sshaccess", "get:hamode", "get:boottime", "get:hastatus", "get:activetime",
            "getall", "getawshaparams", "getcloudhaparams", "isgeoenabled", "listclusters", "listfqdns",
            "getgeopartnerstatus", "backup",
        }
    ),
    "all but the version": frozenset(
        {*LISTS, "get:sshaccess", "get:hamode", "getawshaparams", "getcloudhaparams", "isgeoenabled", "backup"}
    ),
    "both lists": LISTS,
    "backup": frozenset({"backup"}),
    "isgeoenabled": frozenset({"isgeoenabled"}),
    "sshaccess": frozenset({"get:sshaccess"}),
}  # fmt: skip
"""What a standby may refuse to read, by a word for it."""


class Refusal(StrEnum):
    """How a standby says that it answers no reads: the first says so, the others may mean anything."""

    EXPLICIT = "explicit"
    HTML = "html"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class ShapedAppliance(ApiServer):
    """A unit's face whose answers may be shaped."""

    shapes: list[Shape] = field(default_factory=list)

    def carry_out(self, dialect: WireFormat, call: ApiRequest, *, pretend: bool = False) -> Response:
        """Answer as the first shape does that answers, else as the unit does."""
        for shape in self.shapes:
            if response := shape(dialect, self.context, call):
                return response
        return ApiServer.carry_out(self, dialect, call, pretend=pretend)


def shape_units(simulation: Simulation) -> list[Shape]:
    """Give every unit a face whose answers may be shaped; return the list that does so, empty at first."""
    shapes: list[Shape] = []
    for unit, appliance in list(simulation.servers.items()):
        simulation.servers[unit] = ShapedAppliance(appliance.context, appliance.credentials, shapes)
    return shapes


# -- standbys ----------------------------------------------------------------------------------------------------------


def refusing(what: str, how: Refusal) -> Shape:
    """Let every standby refuse some reads."""
    refused = READS_OF_STANDBYS[what]

    def shape(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
        if subject_of(call) not in refused or not _is_standby(context):
            return None
        match how:
            case Refusal.EXPLICIT:
                return dialect.write_refusal(NOT_ACTIVE)
            case Refusal.HTML:
                return Response(200, HTML, LOGIN_PAGE)
            case Refusal.ERROR:
                return SERVER_ERROR

    return shape


def taking_writes(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
    """Let every standby take a list and show it, though it is never replicated to the active one (WUI guide)."""
    subject = subject_of(call)
    if subject not in ("set:geoclients", "set:geopartners") or not _is_standby(context):
        return None
    unit = context.unit
    unit.configuration = unit.configuration.with_settings({subject.partition(":")[2]: call.addresses("value")})
    return dialect.write(Answer())


def _is_standby(context: Context) -> bool:
    pair = context.network.pair_of(context.unit)
    return pair is not None and pair.is_formed and not pair.is_active(context.unit)


# -- colours -----------------------------------------------------------------------------------------------------------

Told = list[tuple[str, bool]]


def _partners(told: Told, word: Callable[[bool], str]) -> dict[str, Any]:
    return {"GeoPartners": {"Partner": [{"IPAddress": address, "Status": word(green)} for address, green in told]}}


COLOURS: Mapping[str, Callable[[Told], Answer | None]] = {
    "nothing": lambda _told: Answer(),
    "empty": lambda _told: Answer(data={"GeoPartners": ""}),
    "names": lambda told: Answer(
        data={"GeoPartners": {"Partner": [{"Name": f"lb{number}", "State": "2"} for number, _ in enumerate(told)]}}
    ),
    "some": lambda told: Answer(data=_partners(told[:1], lambda green: "green" if green else "red")),
    "unknown": lambda told: Answer(data=_partners(told, lambda _green: "Unknown")),
    "numbers": lambda told: Answer(data=_partners(told, lambda green: "7" if green else "9")),
    "html": lambda _told: None,
}
"""Partner status that tells too little, by a word for it."""


def colours(told_as: str, unit: str | None = None) -> Shape:
    """Let a unit, or every one, tell its partners' colours in a shape that tells too little."""

    def shape(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
        if call.command != "getgeopartnerstatus" or unit not in (None, context.unit.address):
            return None
        answer = COLOURS[told_as](context.network.partners.status_of(context.unit))
        return dialect.write(answer) if answer else Response(200, HTML, LOGIN_PAGE)

    return shape


def red_standbys(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
    """Let every standby be red: it runs no GEO, so a link shows green only between two active units."""
    if call.command != "getgeopartnerstatus":
        return None
    network = context.network
    active = {unit.address for unit in network.units.values() if network.is_active(unit)}
    told = []
    for address, green in network.partners.status_of(context.unit):
        other = network.find(address)
        told.append((address, green and other is not None and {context.unit.address, other.address} <= active))
    return dialect.write(Answer(data=_partners(told, lambda green: "green" if green else "red")))


# -- HA ----------------------------------------------------------------------------------------------------------------

HA_MODES = ("word", "absent", "empty", "first")
HA_NUMBERS = ("0", "3", "", None, "master")


def ha_told(mode: str, number: str | None) -> Shape:
    """Let units tell their HA mode in another way: ``mode`` in the HA parameters, ``number`` for ``hamode``.

    A ``number`` of nothing is a parameter that the unit does not know.
    """

    def shape(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
        if subject_of(call) == "get:hamode":
            if number is None:
                return dialect.write_refusal(ApiError(UNPROCESSABLE, "Unknown parameter hamode"))
            return dialect.write(Answer(data={"hamode": number}))
        if call.command not in ("getawshaparams", "getcloudhaparams"):
            return None
        if call.command == "getcloudhaparams" and not context.unit.firmware.has_cloud_ha:
            return None
        ha = context.unit.ha
        newer = {"master": "first", "slave": "second", "single": "single"}[ha.mode]
        words = {"word": ha.mode, "first": newer, "empty": ""}
        told: dict[str, Any] = {"HaMode": words[mode]} if mode in words else {}
        told |= {
            "HaPrefered": int(ha.prefer_master),
            "Partner": ha.partner or "unset",
            "Port": ha.health_check_port or "unset",
        }
        if ha.all_interfaces:
            told["HealthCheckAllInterfaces"] = True
        return dialect.write(Answer(data={"AwsHA": told}))

    return shape


def ha_status_told(word: str | None, unit: str | None = None) -> Shape:
    """Let one unit, or all, answer ``hastatus`` with a word; with None they refuse the parameter as unknown."""

    def shape(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
        if unit not in (None, context.unit.address):
            return None
        if call.command == "getall" or (word is None and subject_of(call) == "get:activetime"):
            return dialect.write_refusal(ApiError(UNPROCESSABLE, "Unknown command"))
        if subject_of(call) != "get:hastatus":
            return None
        if word is None:
            return dialect.write_refusal(ApiError(UNPROCESSABLE, "Unknown parameter hastatus"))
        return dialect.write(Answer(data={"hastatus": word}))

    return shape


def deaf_to(parameter: str) -> Shape:
    """Let units take HA parameters and leave one of them as it is."""

    def shape(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
        if call.command not in ("awshaparam", "setcloudhaparam") or not call.has(parameter):
            return None
        heard = {name: value for name, value in call.parameters.items() if name != parameter}
        return dialect.write(set_parameters(context, replace(call, parameters=heard)))

    return shape
