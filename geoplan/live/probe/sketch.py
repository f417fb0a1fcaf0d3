"""The shape of an answer, without what it says of anybody: no address, name or secret is left in it.

What may stay is what the vendor fixes: names of fields, a few words, small numbers and known ports. Of everything
else only its kind stays, such as ``<address>`` or ``<text>``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias, Union

from geoplan import vendor
from geoplan.addresses import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from geoplan.loadmaster.wire import Node

Sketch: TypeAlias = Union[str, int, bool, "list[Sketch]", "dict[str, Sketch]", None]

MAX_ENTRIES = 200
MAX_TEXT = 2000
MAX_WORD = 24
LARGEST_CODE = 9
PORTS = frozenset({
    vendor.SSH_PORT, vendor.API_PORT, vendor.CLOUD_API_PORT, vendor.SYNC_PORT, vendor.DEFAULT_HEALTH_CHECK_PORT
})  # fmt: skip
WORDS = frozenset({
    "a", "absent", "active", "already", "and", "api", "command", "completed", "configured", "connected", "data",
    "default", "disabled", "down", "enabled", "error", "false", "first", "found", "geo", "green", "ha", "icmp",
    "is", "locallm", "master", "missing", "mode", "n", "no", "none", "not", "null", "off", "offline", "ok", "on",
    "online", "passive", "red", "remotelm", "second", "single", "slave", "standby", "string", "success", "tcp",
    "the", "to", "true", "unknown", "unset", "up", "value", "y", "yes",
})  # fmt: skip
"""What may stay of an answer, in any case of letters."""
KEYS_OF_NAMES = frozenset({
    "clust", "cluster", "description", "fqdn", "fullyqualifieddomainname", "ha1hostname", "ha2hostname", "hostname",
    "name", "nickname", "partner", "user",
})  # fmt: skip

PARTS_OF_FIELDS = frozenset({
    "access", "activation", "active", "address", "all", "api", "apiport", "aws", "azure", "base", "basic", "boot",
    "check", "checker", "checks", "client", "clients", "cloud", "clust", "cluster", "clusters", "code", "color",
    "colour", "command", "commands", "config", "configuration", "connect", "connected", "connection", "control",
    "count", "country", "data", "date", "default", "domain", "enable", "enabled", "error", "fail", "failed",
    "failure", "first", "flag", "fqdn", "fqdns", "from", "fully", "geo", "get", "green", "ha", "has", "hcai", "hcp",
    "health", "healthcheckallinterfaces", "host", "id", "index", "info", "interface", "interfaces", "ip", "is",
    "last", "lat", "latency", "latitude", "link", "linked", "links", "list", "lm", "local", "location", "long",
    "longitude", "management", "map", "maps", "master", "message", "mode", "name", "nat", "network", "node",
    "number", "of", "on", "online", "only", "own", "param", "parameter", "parameters", "params", "partner",
    "partners", "peer", "port", "prefered", "preferred", "previous", "qualified", "red", "remote", "reply",
    "response", "role", "second", "seen", "server", "session", "set", "site", "slave", "ssh", "standby", "stat",
    "state", "states", "status", "success", "sync", "synced", "synchronised", "time", "timeout", "type", "unit",
    "unknown", "up", "update", "updated", "value", "version", "vs", "way",
})  # fmt: skip
"""What names of fields are made of; any other name of a field may be somebody's: units may have keys of their own."""

# Where a word that is not known is what is looked for, and no name.
_TELLING_FIELD = re.compile(r".*(colou?r|mode|state|status)|link|health|connected|synced")
_FIELD = re.compile(rf"(?=.{{1,40}}$)(?:{'|'.join(sorted(PARTS_OF_FIELDS, key=len, reverse=True))}|_|\d{{1,2}}(?!\d))+")
_TOKEN = re.compile(r"[^\s,;=|]+|[\s,;=|]+")
_ADDRESS_AND_WORD = re.compile(r"(\S+?)(: ?|=)(\w+)")
_ADDRESS_AND_MORE = re.compile(r"(\[?)(.+?)(\]?)(:|:\d+)?")


def names_in(answers: Iterable[Node]) -> frozenset[str]:
    """Return every name that stands in some answers, whole and in its parts, in lower case."""
    found: set[str] = set()
    for answer in answers:
        for text in _named(answer):
            found |= {text.lower(), *re.split(r"[\W_]+", text.lower())}
    return frozenset(found - {""} - WORDS)


def sketch(node: Node, names: Set[str], *, tells_states: bool = False) -> Sketch:
    """Return the shape of an answer, of which none of the ``names`` stays.

    In an answer that ``tells_states`` of what has an address, a single word that is not known stays in a field for it,
    since that is what nobody has seen yet.
    """
    match node:
        case dict():
            tells = tells_states and any(isinstance(value, str) and is_address(value) for value in node.values())
            shown: dict[str, Sketch] = {}
            for key, value in list(node.items())[:MAX_ENTRIES]:
                is_word = tells and isinstance(value, str) and bool(_TELLING_FIELD.fullmatch(key))
                stays = is_word and _is_new_word(str(value), names)
                shown.setdefault(
                    _field(key, names), str(value) if stays else sketch(value, names, tells_states=tells_states)
                )
            return shown
        case list():
            return _entries(node, names, tells_states=tells_states)
        case str():
            return text(node, names, tells_states=tells_states)
        case bool() | None:
            return node
        case _:
            return _number(str(node))


def text(written: str, names: Set[str], *, tells_states: bool = False) -> str:
    """Return the shape of a text: its separators as they are, its words as far as they may stay."""
    written = written[:MAX_TEXT]
    parts = _ADDRESS_AND_WORD.fullmatch(written) if tells_states else None
    if parts and is_address(parts[1]) and _is_new_word(parts[3], names):
        return f"<address>{parts[2]}{parts[3]}"
    return "".join(map(_token, _TOKEN.findall(written)[:MAX_ENTRIES]))


def _is_new_word(written: str, names: Set[str]) -> bool:
    return written.isascii() and written.isalpha() and len(written) <= MAX_WORD and written.lower() not in names


def _entries(nodes: list[Node], names: Set[str], *, tells_states: bool) -> list[Sketch]:
    """Return the different shapes of a list's entries, and how many there are of each."""
    shapes: dict[str, tuple[Sketch, int]] = {}
    for node in nodes[:MAX_ENTRIES]:
        shape = sketch(node, names, tells_states=tells_states)
        shapes[repr(shape)] = (shape, shapes.get(repr(shape), (shape, 0))[1] + 1)
    return [part for shape, times in shapes.values() for part in (shape, *([f"<{times} times>"] if times > 1 else []))]


def _field(key: str, names: Set[str]) -> str:
    if is_address(key):
        return "<address>"
    return key if not key or (_FIELD.fullmatch(key) and key not in names - PARTS_OF_FIELDS) else "<name>"


def _token(token: str) -> str:
    if token[0].isspace() or token[0] in ",;=|":
        return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in token[:8])
    if is_address(token):
        return "<address>"
    if (parts := _ADDRESS_AND_MORE.fullmatch(token)) and is_address(parts[2]):
        port = parts[4] or ""
        return f"{parts[1]}<address>{parts[3]}{':<port>' if port[1:] else port}"
    if token.lower() in WORDS:
        return token
    if token.isascii() and token.isdigit():
        return str(_number(token))
    return "<text>"


def _number(digits: str) -> Sketch:
    if digits.isascii() and digits.isdigit() and len(digits) <= len("65535"):
        number = int(digits)
        return number if number <= LARGEST_CODE or number in PORTS else "<number>"
    return "<number>"


def _named(node: Node, key: str = "") -> Iterable[str]:
    match node:
        case dict():
            for inner, value in node.items():
                yield from _named(value, inner or key)
        case list():
            for value in node:
                yield from _named(value, key)
        case str() if key in KEYS_OF_NAMES and not any(map(is_address, re.split(r"[\s,;=]+|: ?$", node[:MAX_TEXT]))):
            yield node[:MAX_TEXT]
        case _:
            return
