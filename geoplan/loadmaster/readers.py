"""Values out of answers, read tolerantly: how units write lists and truth values is only partly known.

Every reader raises :class:`UnusableError` where the answer says nothing it can understand, and nothing else.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from geoplan.loadmaster.addresses import canonical
from geoplan.loadmaster.wire import Answer, Node, UnusableError, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUE_WORDS = frozenset({"yes", "y", "1", "true", "on", "enabled", "enable"})
FALSE_WORDS = frozenset({"no", "n", "0", "false", "off", "disabled", "disable", "unset", "none"})
NOTHING_WORDS = frozenset({"", "unset", "none", "null", "-", "n/a"})
_ADDRESS_LIKE = re.compile(r"[\w.:/%-]{1,100}", re.ASCII)


def text(answer: Answer, parameter: str) -> str:
    """Return a parameter that has to have a value."""
    value = plain(_value(answer, parameter))
    if not value:
        raise UnusableError(f"it gives no {parameter}")
    return value


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
    """Return a yes or no in any of its spellings, or nothing where it is neither."""
    if isinstance(node, bool):
        return node
    word = plain(node).lower()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def as_number(node: Node) -> float | None:
    """Return a number, or nothing where it is none."""
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
            return "".join(c if c.isprintable() else " " for c in node).strip()
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
                found += [value for name, value in part.items() if name == key]
                inner += part.values()
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
    """Tell whether an answer says anything at all."""
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
