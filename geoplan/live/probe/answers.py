"""What is asked of a unit, in both wire formats, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from geoplan.errors import AuthenticationError
from geoplan.loadmaster import decode
from geoplan.loadmaster.raw import FORMATS, RawAnswer, RawUnit
from geoplan.loadmaster.wire import Command, UnusableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.loadmaster.clock import Clock
    from geoplan.loadmaster.health import HealthAnswer
    from geoplan.loadmaster.model import GeoCluster
    from geoplan.loadmaster.wire import Answer, Node, WireFormat

V1, V2 = "APIv1", "APIv2"
UNKNOWN_COMMAND = "geoplanprobe"
"""A command that no firmware has: how it is refused is one of the questions."""

PARAMETERS = (
    "version", "hastatus", "activetime", "boottime", "hamode", "sessioncontrol", "apiport", "geoclients", "geopartners",
    "sshaccess",
)  # fmt: skip
HA_FAMILIES = ("getawshaparams", "getCloudHaParams", "getazurehaparams")
QUESTIONS = (
    *(Command("get", {"param": name}) for name in PARAMETERS),
    *(Command(name) for name in ("getall", "isgeoenabled", "listclusters", "getgeopartnerstatus", "listfqdns")),
    *map(Command, HA_FAMILIES),
    Command("listapi"),
    Command(UNKNOWN_COMMAND),
)
MOST_SILENT = 2
"""Questions in a row that get no answer; then a format is asked no more."""
PACE_SECONDS = 0.2
"""Between two calls: units drop who sends more than 30 in 3 seconds, over all clients."""

Key: TypeAlias = tuple[str, str]
"""A wire format, and a command with its parameters as :func:`title` writes it."""


def title(command: Command) -> str:
    """Return a command and which of its parameters it was asked with, such as ``get hastatus``; no value else."""
    words = [str(value) if name == "param" else name for name, value in command.parameters.items()]
    return " ".join([command.name, *words])


@dataclass(frozen=True, slots=True)
class ProbeAnswers:
    """Everything that one unit answered."""

    address: str
    api_url: str
    raw: Mapping[Key, RawAnswer]
    health: HealthAnswer | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """The wire formats in which the unit answered what every unit can: the version that it runs."""
        return tuple(wire.name for wire in FORMATS if self._succeeded(wire.name, "get version"))

    def both(self, command: str) -> Iterator[RawAnswer]:
        """Yield what came of a command, in each format in which the unit answers; a lost answer shows nothing."""
        for name in self.formats:
            found = self.raw.get((name, command))
            if found is not None and found.outcome != "unreachable":
                yield found

    def first(self, command: str) -> Answer | None:
        """Return the first successful answer to a command."""
        return next((raw.answer for raw in self.both(command) if raw.outcome == "success"), None)

    def value(self, parameter: str) -> str | None:
        """Return a parameter as text, or None if no format tells it."""
        answer = self.first(f"get {parameter}")
        found = decode.find(answer.content, parameter) if answer else []
        return decode.plain(found[0]) if found else None

    def clusters(self) -> tuple[GeoCluster, ...] | None:
        """Return the clusters, or None if they cannot be read."""
        answer = self.first("listclusters")
        try:
            return decode.clusters(answer) if answer else None
        except UnusableError:
            return None

    def contents(self) -> Iterator[Node]:
        """Yield what stands in every answer."""
        for raw in self.raw.values():
            if raw.answer:
                yield raw.answer.content

    def _succeeded(self, wire: str, command: str) -> bool:
        found = self.raw.get((wire, command))
        return found is not None and found.outcome == "success"


async def ask_unit(unit: RawUnit, clock: Clock) -> ProbeAnswers:
    """Ask a unit every question in every wire format, one after the other, and its health check.

    A format that does not answer the first question is asked no more. Credentials that a unit refuses are sent once
    more only where APIv2 asks for HTTP Basic, which APIv1 has, since units lock users out. It raises for no unit; what
    failed is in the answers.
    """
    raw: dict[Key, RawAnswer] = {}
    for wire in FORMATS:
        silent = 0
        for command in QUESTIONS:
            answer = await unit.ask(wire, command)
            raw[wire.name, title(command)] = answer
            await clock.sleep(PACE_SECONDS)
            silent = silent + 1 if answer.outcome == "unreachable" else 0
            if answer.outcome == "unauthorized" and not _asks_for_basic(answer):
                return ProbeAnswers(unit.access.address, unit.access.api_url, raw, await unit.health())
            if silent == MOST_SILENT or (command is QUESTIONS[0] and answer.outcome != "success"):
                break
        else:
            raw |= await _ask_for_cluster(unit, wire, raw, clock)
    return ProbeAnswers(unit.access.address, unit.access.api_url, raw, await unit.health())


def _asks_for_basic(answer: RawAnswer) -> bool:
    return isinstance(answer.error, AuthenticationError) and answer.error.asks_for_basic


async def _ask_for_cluster(
    unit: RawUnit, wire: WireFormat, known: Mapping[Key, RawAnswer], clock: Clock
) -> dict[Key, RawAnswer]:
    """Ask for the first cluster by its address and by its index, as far as the list has them."""
    listed = known[wire.name, "listclusters"]
    content: Node = listed.answer.content if listed.answer else {}
    asked = {}
    for parameter, fields in (("ip", ("ipaddress", "ip", "address")), ("id", ("index", "id"))):
        value = next((decode.plain(node) for field in fields for node in decode.find(content, field)), "")
        if value:
            command = Command("showcluster", {parameter: value})
            asked[wire.name, title(command)] = await unit.ask(wire, command)
            await clock.sleep(PACE_SECONDS)
    return asked
