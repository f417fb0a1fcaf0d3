"""The status of GEO partners, whatever a unit calls its fields: by the address of each, green, red or not told.

Neither names nor words are documented but ``Unknown``. What cannot be read is not told, and never taken for red.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, is_address
from geoplan.loadmaster.decode import leaves, plain
from geoplan.loadmaster.wire import MAX_ENTRIES
from geoplan.vendor import UNKNOWN_PARTNER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geoplan.loadmaster.wire import Answer, Node

_GREEN = frozenset({"green", "up", "ok", "connected", "online", "reachable", "alive"})
_RED = frozenset({"red", "down", "fail", "failed", "disconnected", "offline", "unreachable"})
_NOT = frozenset({"not", "never"})
_NOT_KNOWN = frozenset({UNKNOWN_PARTNER.lower()})
_YES, _NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})
"""Words that say something only where nothing stands beside them."""

_STATUS_KEYS = ("status", "state", "colour", "color")
_FLAG_KEYS = ("connected", "reachable", "alive", "online", "up", "green")
_OF_PARTNER = ("partner", "remote", "peer", "ip", "addr")
"""In this order of preference, where an entry has several addresses."""
_OF_UNIT = ("local", "own", "self", "source", "interface")
LONGEST_PLACE = 100  # characters of an address with its port and word
MOST_COLONS = 9  # seven of an address, one before its port, one before its word
LONGEST_TEXT = 64 * 1024  # characters of a text that are read
MAX_PARTNERS = MAX_ENTRIES + 1  # the client refuses more than that
_LIKE_PLACE = re.compile(r"\[?[0-9a-f:]+[.:]", re.IGNORECASE)


class Mention(NamedTuple):
    """An address in a text, with the words that belong to it."""

    address: str
    words: tuple[str, ...]


def partner_status(answer: Answer) -> dict[str, bool | None]:
    """Return by its address whether each partner is green, or None if the answer does not say so, or says both."""
    written: dict[str, str] = {}
    told: dict[str, set[bool]] = {}
    for address, is_green in islice(_partners(answer.content), MAX_PARTNERS):
        written.setdefault(canonical(address), address)
        colours = told.setdefault(canonical(address), set())
        if is_green is not None:
            colours.add(is_green)
    return {written[address]: next(iter(said)) if len(said) == 1 else None for address, said in told.items()}


def mentions(text: str) -> list[Mention]:
    """Return the addresses in a text: bare, with a port, in brackets, or with a word behind a colon."""
    if not _may_hold_address(text):
        return []
    return [mention for part in re.split(r"[\n\r;]+", text[:LONGEST_TEXT]) for mention in _mentions_of(part)]


def _may_hold_address(text: str) -> bool:
    return "." in text or ":" in text


def _mentions_of(part: str) -> list[Mention]:
    before: list[str] = []
    found: list[tuple[str, list[str]]] = []
    for word in re.split(r"[\s,=|(){}<>\"']+", part):
        if place := _place(word):
            found.append((place[0], [place[1]] if place[1] else []))
        elif word:
            (found[-1][1] if found else before).append(word)
    if len(found) == 1:
        found[0][1].extend(before)
    if before and len(found) > 1:  # whether words stand before or behind their address is not known
        return [Mention(address, ()) for address, _ in found]
    return [Mention(address, tuple(words)) for address, words in found]


def _place(word: str) -> tuple[str, str] | None:
    """Return the address at the beginning of a word, and what stands behind its colon and is no port."""
    if len(word) > LONGEST_PLACE or word.count(":") > MOST_COLONS or not _LIKE_PLACE.match(word):
        return None
    behind = ""
    for _ in ("word", "port", "address"):
        bare = word.removeprefix("[").removesuffix("]") if word.startswith("[") else word
        if is_address(bare):
            return bare, behind
        word, colon, tail = word.rpartition(":")
        if not colon:
            return None
        behind = behind if tail.isdigit() else tail or behind
    return None


def _partners(node: Node) -> Iterator[tuple[str, bool | None]]:
    """Yield partners from entries, from keys that are addresses, and from texts."""
    match node:
        case dict():
            if any(isinstance(value, str) and _may_hold_address(value) for value in node.values()):
                yield from _of_entry({key: value for key, value in node.items() if not isinstance(value, dict | list)})
            for key, value in node.items():
                if place := _place(key):
                    yield place[0], _of_value(value)
                elif isinstance(value, dict | list):
                    yield from _partners(value)
        case list():
            for part in node:
                yield from _partners(part)
        case str():
            yield from ((address, _is_green(words)) for address, words in mentions(node))
        case _:
            return


def _of_entry(entry: Mapping[str, Node]) -> Iterator[tuple[str, bool | None]]:
    texts = {key: node if isinstance(node, str) else plain(node) for key, node in entry.items() if not _place(key)}
    named = {key: found for key, text in texts.items() if (found := mentions(text))}
    held = {key: found for key, found in named.items() if not key.startswith(_OF_UNIT)}
    single = [key for key, found in held.items() if len(found) == 1]
    for key, found in held.items():
        if key not in single:
            yield from ((mention.address, _is_green(mention.words)) for mention in found)
    if single:
        chosen = next((key for part in _OF_PARTNER for key in single if part in key), single[0])
        mention = held[chosen][0]
        others = {key: text for key, text in texts.items() if key not in named}
        yield mention.address, _colour(others, mention.words)


def _colour(fields: Mapping[str, str], words: tuple[str, ...]) -> bool | None:
    """Return the colour that an entry gives: its status alone if it has one, else what is like it, else any word."""
    for key in _STATUS_KEYS:
        if key in fields:
            return _is_green([*words, fields[key]])
    if flags := [fields[key] for key in _FLAG_KEYS if key in fields]:
        colours = {_is_green([flag]) for flag in flags}
        return colours.pop() if len(colours) == 1 else None
    alike = [text for key, text in fields.items() if "stat" in key or "colo" in key]
    return _is_green([*words, *(alike or (text for text in fields.values() if text.lower() not in _YES | _NO))])


def _of_value(node: Node) -> bool | None:
    """Return the colour under a key that is an address."""
    if isinstance(node, dict):
        return _colour({key: plain(value) for key, value in node.items()}, ())
    return _is_green([plain(leaf) for leaf in leaves(node)])


def _is_green(texts: Iterable[str]) -> bool | None:
    """Return whether some words name green or red, or None if they name both, neither or that it is not known."""
    given = [stripped for text in texts if (stripped := text.strip().lower())]
    said = {word for text in given for word in re.findall(r"[^\W_]+", text)}
    if len(given) == 1 and given[0] in _YES | _NO:
        return given[0] in _YES
    green, red = bool(said & _GREEN), bool(said & _RED)
    if said & _NOT_KNOWN or green == red:
        return None
    if said & _NOT:
        return None if red else False
    return green
