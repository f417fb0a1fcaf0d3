"""What is asked of a unit, in both wire formats, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from geoplan.errors import AuthenticationError, NotAskedError
from geoplan.loadmaster import decode
from geoplan.loadmaster.session import KEY_IN_QUERY
from geoplan.loadmaster.wire import Command, UnusableError
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.vendor import MAX_QUERY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.loadmaster import LoadMaster
    from geoplan.loadmaster.health import HealthAnswer
    from geoplan.loadmaster.model import GeoCluster
    from geoplan.loadmaster.raw import RawAnswer
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
LONG_URLS = (MAX_QUERY, 1500)
"""Characters of the URLs that are tried: as long as units take by the ledger, and longer."""
FORM_OF_KEY = "APIv1 with the key in a form"
"""What the format is called in which an API key was refused, where the unit takes it in a query."""

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
    has_key: bool = False
    """Whether it was asked with an API key."""

    @property
    def formats(self) -> tuple[str, ...]:
        """The wire formats in which the unit answered what every unit can: the version that it runs."""
        return tuple(wire for wire in (V2, V1) if self._succeeded(wire, "get version"))

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


async def ask_unit(unit: LoadMaster) -> ProbeAnswers:
    """Ask a unit every question in every wire format, one after the other, and its health check.

    A format that does not answer the first question is asked no more, and none once the unit has refused the
    credentials. Raises :class:`geoplan.errors.NotAskedError` where another unit has refused them; for whatever else
    fails that is in the answers.
    """
    raw: dict[Key, RawAnswer] = {}
    for wire in unit.formats:
        if wire is KEY_IN_QUERY:
            refused = raw.get((wire.name, title(QUESTIONS[0])))
            if refused is None or refused.outcome != "unauthorized":
                continue  # what is not the API gets no key in a URL
            raw = {(FORM_OF_KEY if name == wire.name else name, asked): raw for (name, asked), raw in raw.items()}
        try:
            await _ask_in(unit, wire, raw)
        except NotAskedError:
            raise
        except AuthenticationError:
            continue
    has_key = KEY_IN_QUERY in unit.formats
    return ProbeAnswers(unit.address, unit.access.api_url, raw, await unit.health(), has_key)


async def _ask_in(unit: LoadMaster, wire: WireFormat, raw: dict[Key, RawAnswer]) -> None:
    """Ask in one format, and enter what comes. Raises :class:`AuthenticationError` once credentials are refused."""
    silent = 0
    for command in QUESTIONS:
        answer = raw[wire.name, title(command)] = await unit.read_raw(wire, command)
        silent = silent + 1 if answer.outcome == "unreachable" else 0
        if silent == MOST_SILENT or (command is QUESTIONS[0] and answer.outcome != "success"):
            return
    await _ask_for_cluster(unit, wire, raw)
    if wire.name == V1 and (wire is KEY_IN_QUERY or KEY_IN_QUERY not in unit.formats):
        await _ask_by_long_urls(unit, wire is KEY_IN_QUERY, raw)


async def _ask_for_cluster(unit: LoadMaster, wire: WireFormat, raw: dict[Key, RawAnswer]) -> None:
    """Ask for the first cluster by its address and by its index, as far as the list has them."""
    content = raw[wire.name, "listclusters"].content
    for parameter, fields in (("ip", ("ipaddress", "ip", "address")), ("id", ("index", "id"))):
        value = next((decode.plain(node) for field in fields for node in decode.find(content, field)), "")
        if value:
            command = Command("showcluster", {parameter: value})
            raw[wire.name, title(command)] = await unit.read_raw(wire, command)


async def _ask_by_long_urls(unit: LoadMaster, has_key: bool, raw: dict[Key, RawAnswer]) -> None:  # noqa: FBT001 - inside
    """Ask for the version with a parameter that no firmware has and ignores, which makes the URL as long as wanted."""
    for characters in LONG_URLS:
        wire = WireV1(key_in_query=has_key, longest=characters)
        bare = wire.request(_long_question(1), unit.access.credentials)
        room = characters - len(unit.access.api_url) - len(bare.target) + 1
        raw[V1, long_title(characters)] = await unit.read_raw(wire, _long_question(max(1, room)))


def _long_question(characters: int) -> Command:
    return Command("get", {"param": "version", UNKNOWN_COMMAND: "x" * characters})


def long_title(characters: int) -> str:
    """Return by what the answer to a URL of so many characters is found."""
    return f"get version in {characters} characters"
