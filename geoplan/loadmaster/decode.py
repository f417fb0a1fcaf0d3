"""Values out of answers, read tolerantly: how units write lists and truth values is only partly known.

Every reader raises :class:`UnusableError` where the answer says nothing it can understand, and nothing else.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from geoplan.addresses import canonical, is_address
from geoplan.loadmaster.model import ClusterType, FqdnMap, GeoCluster, GeoFqdn, HaFacts, HaStatus
from geoplan.loadmaster.wire import MAX_TEXT, Answer, Node, UnusableError, clean
from geoplan.wording import shown_in_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.loadmaster.model import HaMode

TRUE_WORDS = frozenset({"yes", "y", "1", "true", "on", "enabled", "enable"})
FALSE_WORDS = frozenset({"no", "n", "0", "false", "off", "disabled", "disable", "unset", "none"})
NOTHING_WORDS = frozenset({"", "unset", "none", "null", "-", "n/a"})
_ADDRESS_LIKE = re.compile(r"[\w.:/%-]{1,100}", re.ASCII)


def text(answer: Answer, parameter: str) -> str:
    """Return a parameter that has to have a value."""
    value = plain(_value(answer, parameter))
    if not value:
        raise UnusableError(f"it gives no {parameter}")
    return value[:MAX_TEXT]


def flag(answer: Answer, parameter: str) -> bool:
    """Return a parameter that is a yes or a no."""
    value = as_flag(_value(answer, parameter))
    if value is None:
        raise UnusableError(f"its {parameter} is neither yes nor no")
    return value


def addresses(answer: Answer, parameter: str) -> tuple[str, ...]:
    """Return a list of addresses: with commas, spaces, both, or an array; in the unit's order, each once.

    An answer without any content means an empty list. What is not an address, such as a host's name, stays as it is.
    """
    if not has_content(answer.content):
        return ()
    found: dict[str, str] = {}
    for leaf in leaves(_value(answer, parameter)):
        for word in re.split(r"[\s,;]+", plain(leaf)):
            if word.lower() in NOTHING_WORDS:
                continue
            if not _ADDRESS_LIKE.fullmatch(word):
                raise UnusableError(f"its {parameter} holds '{clean(word)[:60]}', which is no address")
            found.setdefault(canonical(word), word)
    return tuple(found.values())


def moment(told: str) -> datetime | None:
    """Return a moment that a unit writes as seconds since 1970, in ISO 8601 or as ``ctime`` does; None for all else.

    A moment without a zone is taken as UTC.
    """
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(float(told), UTC)
    for read in (datetime.fromisoformat, lambda text: datetime.strptime(text, "%a %b %d %H:%M:%S %Y")):  # noqa: DTZ007
        with suppress(ValueError):
            found = read(told)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def file(answer: Answer) -> bytes:
    """Return the file that an answer carries."""
    if answer.file is None:
        raise UnusableError("there is no file in it")
    return answer.file


def as_flag(node: Node) -> bool | None:
    """Return a yes or no in any of its spellings, or None where it is neither."""
    if isinstance(node, bool):
        return node
    word = plain(node).lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def as_number(node: Node) -> float | None:
    """Return a number, or None where it is none."""
    if isinstance(node, bool) or not isinstance(node, int | float | str):
        return None
    try:
        number = float(node)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e12 else None  # noqa: PLR2004 - neither infinite nor anything a unit would say


def plain(node: Node) -> str:
    """Return a leaf as text, also where it has attributes; what is no leaf is empty."""
    match node:
        case bool():
            return "yes" if node else "no"
        case str():
            return shown_in_line(node)
        case int() | float():
            return repr(node)[:100]
        case [single]:
            return plain(single)
        case {"": text}:
            return plain(text)
        case _:
            return ""


def find(node: Node, key: str) -> list[Node]:
    """Return every value under a key, wherever it stands; the outermost first."""
    found: list[Node] = []
    level = [node]
    while level:
        inner: list[Node] = []
        for part in level:
            if isinstance(part, dict):
                if key in part:
                    found.append(part[key])
                inner += [value for value in part.values() if isinstance(value, dict | list)]
            elif isinstance(part, list):
                inner += part
        level = inner
    return found


def mappings(node: Node) -> Iterator[dict[str, Node]]:
    """Yield every mapping in an answer, the outer ones first."""
    if isinstance(node, dict):
        yield node
    for part in _parts(node):
        yield from mappings(part)


def leaves(node: Node) -> Iterator[Node]:
    """Yield every value that holds no others; beside a text, attributes do not count."""
    if isinstance(node, dict) and "" in node:
        yield node[""]
    elif isinstance(node, dict | list):
        for part in _parts(node):
            yield from leaves(part)
    else:
        yield node


def has_content(node: Node) -> bool:
    """Return whether an answer says anything at all."""
    return any(leaf is not None and plain(leaf) for leaf in leaves(node))


def _parts(node: Node) -> list[Node]:
    match node:
        case dict():
            return list(node.values())
        case list():
            return node
        case _:
            return []


def _value(answer: Answer, parameter: str) -> Node:
    found = find(answer.content, parameter.lower())
    if not found:
        raise UnusableError(f"it gives no {parameter}")
    return found[0]


_ADDRESS_KEYS = ("ipaddress", "ip", "address", "clustervsaddress")
_FQDN_KEYS = ("fullyqualifieddomainname", "fqdn", "name")
# No numbers: those are of hamode, which is 3 on any cloud unit and tells no role (Interface Description).
_MODES: dict[str, HaMode] = {
    "master": "master", "first": "master",
    "slave": "slave", "second": "slave",
    "single": "single",
}  # fmt: skip
_TYPES = {kind.value.lower(): kind for kind in ClusterType}
MAX_PORT = 65535


def says_nothing_there(reason: str) -> bool:
    """Return whether a refusal means an empty list: ``No geo data found`` and the like."""
    words = reason[:MAX_TEXT]  # a sentence is short; this pattern reads the rest of it again for each "no"
    return bool(re.search(r"\bno\b(?!.*\bcommand\b).*\b(found|data|defined|configured|exist)", words, re.IGNORECASE))


def says_disabled(reason: str) -> bool:
    """Return whether a sentence means that GEO is off."""
    return bool(re.search(r"\bdisabled\b|\bnot\s+enabled\b", reason, re.IGNORECASE))


def geo_enabled(answer: Answer) -> bool:
    """Return whether GEO is on; a unit says so in a sentence, or with a truth value."""
    said = [answer.message, *(plain(leaf) for leaf in leaves(answer.content))]
    if any(says_disabled(sentence) for sentence in said):
        return False
    if any(re.search(r"\benabled\b", sentence, re.IGNORECASE) for sentence in said):
        return True
    flags = {as_flag(leaf) for leaf in leaves(answer.content)} - {None}
    if len(flags) == 1:
        return True in flags
    raise UnusableError("it does not say whether GEO is enabled")


def clusters(answer: Answer) -> tuple[GeoCluster, ...]:
    """Return the clusters, whatever they are wrapped in."""
    if _says_nothing(answer):
        return ()
    entries = _entries(answer.content, "cluster") or _entries(answer.content, "clusters")
    entries = entries or [each for each in mappings(answer.content) if any(key in each for key in _ADDRESS_KEYS)]
    if not entries:
        raise UnusableError("there is no cluster in it")
    return tuple(_cluster(entry) for entry in entries)


def fqdns(answer: Answer) -> tuple[str, ...]:
    """Return the names of the FQDNs."""
    return tuple(name for name, _ in _named_fqdns(answer))


def fqdn_maps(answer: Answer) -> tuple[GeoFqdn, ...]:
    """Return the FQDNs with the maps that the answer tells of them."""
    found = tuple(GeoFqdn(name, _maps(entry)) for name, entry in _named_fqdns(answer))
    if sum(len(fqdn.maps) for fqdn in found) != len(_entries_of_maps(answer.content)):
        raise UnusableError("it does not tell of which FQDN a map is")
    return found


def fqdn_map(answer: Answer, name: str) -> GeoFqdn:
    """Return one FQDN, which has to be in the answer, with its maps; without any in it, it has none."""
    wanted = name.lower().removesuffix(".")
    for found in fqdn_maps(answer):
        if found.name.lower().removesuffix(".") == wanted:
            return GeoFqdn(name, found.maps)
    raise UnusableError(f"the FQDN {clean(name)[:60]} is not in it")


def _named_fqdns(answer: Answer) -> list[tuple[str, Node]]:
    if _says_nothing(answer):
        return []
    entries = _entries(answer.content, "fqdn") or _entries(answer.content, "fqdns")
    # A single one may be flat at the top of the answer.
    entries = entries or [each for each in mappings(answer.content) if _FQDN_KEYS[0] in each]
    named = {clean(_first(entry, _FQDN_KEYS) if isinstance(entry, dict) else plain(entry)): entry for entry in entries}
    if not named or not all(named):
        raise UnusableError("there is no name of an FQDN in it")
    return list(named.items())


def _maps(fqdn: Node) -> tuple[FqdnMap, ...]:
    return tuple(_map(entry) for entry in _entries_of_maps(fqdn))


def _entries_of_maps(content: Node) -> list[Node]:
    return _entries(content, "map") or _entries(content, "maps")


def _map(entry: Node) -> FqdnMap:
    """Return one map. Which cluster it uses has to be told, be it none: a cluster that is in use may not go."""
    address = _first(entry, _ADDRESS_KEYS) if isinstance(entry, dict) else ""
    told = entry.get("cluster") if isinstance(entry, dict) and "cluster" in entry else entry
    if not is_address(address) or isinstance(told, dict | list):
        raise UnusableError("a map of an FQDN does not tell its address and its cluster")
    return FqdnMap(address, clean(plain(told)))


def virtual_services(answer: Answer) -> int:
    """Return how many virtual services there are."""
    if _says_nothing(answer):
        return 0
    entries = _entries(answer.content, "vs")
    if not entries:
        raise UnusableError("there is no virtual service in it, and it does not say that there is none")
    return len(entries)


def ha_parameters(answer: Answer) -> HaFacts:
    """Return the HA parameters; what is not given, or not in a known form, is ``None``."""
    partner, port, prefers, everywhere = (
        next(iter(find(answer.content, key)), None)
        for key in ("partner", "port", "haprefered", "healthcheckallinterfaces")
    )
    words = (plain(leaf).lower().split() for found in find(answer.content, "hamode") for leaf in leaves(found))
    modes = {_MODES[word] for word, *_ in filter(None, words) if word in _MODES}
    name = clean(plain(partner))
    return HaFacts(
        partner=(("" if name.lower() in NOTHING_WORDS else name) if name else None),
        health_check_port=_port(port),
        prefers_master=None if plain(prefers).lower() in NOTHING_WORDS else as_flag(prefers),
        mode=modes.pop() if len(modes) == 1 else None,
        all_interfaces=as_flag(everywhere),
    )


def ha_status(answer: Answer, parameter: str) -> HaStatus | None:
    """Return what ``hastatus`` says, or None where it says nothing in a known form."""
    said = plain(_value(answer, parameter)).lower()
    return next((status for status in HaStatus if said == status.value.lower()), None)


def active_time(answer: Answer, parameter: str) -> HaStatus | None:
    """Return what ``activetime`` says of who is active: it is 0 on a standby; None where it is no number."""
    number = as_number(_value(answer, parameter))
    if number is None or number < 0:
        return None
    return HaStatus.ACTIVE if number else HaStatus.STANDBY


def _port(node: Node) -> int | None:
    """Return a port, 0 where a unit says that none is set, or None where it says nothing of it."""
    if not plain(node):  # empty is not told
        return None
    if plain(node).lower() in NOTHING_WORDS:
        return 0
    number = as_number(node)
    return int(number) if number is not None and 0 <= number <= MAX_PORT else None


def _cluster(entry: Node) -> GeoCluster:
    mapping = entry if isinstance(entry, dict) else {}
    address = _first(mapping, _ADDRESS_KEYS)
    if not is_address(address):
        raise UnusableError(f"'{clean(address)[:60]}' is not the address of a cluster")
    kind = re.sub(r"[^a-z]", "", plain(mapping.get("type")).lower())
    return GeoCluster(
        address=address,
        name=clean(plain(mapping.get("name"))),
        type=_TYPES.get(kind, ClusterType.UNKNOWN),
        latitude=as_number(mapping.get("locationlatitude")),
        longitude=as_number(mapping.get("locationlongitude")),
        status=clean(plain(mapping.get("status"))) or None,
        checker=clean(plain(mapping.get("checker"))) or None,
        enabled=as_flag(mapping.get("enable")),
        index=_index(mapping.get("index")),
    )


def _index(node: Node) -> int | None:
    number = as_number(plain(node))
    return int(number) if number is not None and number >= 0 and number == int(number) else None


def _says_nothing(answer: Answer) -> bool:
    said = [answer.message, *map(plain, find(answer.content, "data"))]
    return not has_content(answer.content) or any(map(says_nothing_there, said))


def _entries(content: Node, key: str) -> list[Node]:
    """Return the single entries under a key, whether they come one by one or as an array; empty ones left out."""
    found = [entry for node in find(content, key) for entry in (node if isinstance(node, list) else [node])]
    return [entry for entry in found if has_content(entry)]


def _first(mapping: dict[str, Node], keys: tuple[str, ...]) -> str:
    return next((text for key in keys if (text := plain(mapping.get(key)))), "")
