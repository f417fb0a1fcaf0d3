"""What YAML takes for no part of a secret, although whoever wrote it may have meant it as one.

Units lock users out after wrong passwords, so what is lost on the way is said before anything is sent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geoplan.wording import is_control

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.yaml12 import Document, Loc, Place

_SECRETS = ("password", "apikey")
_LOGIN = ("user", *_SECRETS)
_QUOTED = ("'", '"')
_BLOCK = ("|", ">")


def silent_losses(document: Document, text: str) -> Iterator[tuple[int, str]]:
    """Yield the line, counted from 1, and the words for each value that differs from what stands in its line."""
    lines = text.splitlines()
    for loc, value in _values(document.value):
        place = document.place_of(loc)
        if reason := _loss(lines, place, value, str(loc[-1])):
            yield place.line + 1, reason


def _values(content: object) -> Iterator[tuple[Loc, str]]:
    """Yield what units are sent of a credentials file, with the way to it."""
    if not isinstance(content, dict):
        return
    entries: list[tuple[Loc, Mapping[str, object]]] = [(("default",), content.get("default") or {})]
    entries += [(("units", address), entry) for address, entry in (content.get("units") or {}).items()]
    for loc, entry in entries:
        yield from (((*loc, key), str(entry[key])) for key in _LOGIN if key in entry)


def _loss(lines: list[str], place: Place, value: str, key: str) -> str | None:
    """Say what of a value is lost, or sent without being seen; never what it is."""
    line = lines[place.line] if place.line < len(lines) else ""
    first, before = line[place.column : place.column + 1], line[: place.column]
    rest = lines[place.end_line][place.end_column :] if place.end_line < len(lines) else ""
    quotes = f"put the {key} in quotes if that belongs to it"
    if any(map(is_control, value)):
        return f"the {key} holds a line break or another control character, which is sent as well"
    if first in _QUOTED or first in _BLOCK or first == "*":
        return None
    if first in ("&", "!"):
        return f"what begins with {first} is read as a mark of YAML and no part of the {key}; {quotes}"
    if place.line != place.end_line:
        return f"the {key} goes over several lines, which are sent as one with a blank in between"
    if re.match(r"[ \t]+#", rest):
        return f"what stands behind ' #' is a comment and no part of the {key}; {quotes}"
    if rest and not rest.strip():
        return f"the blanks behind the {key} are no part of it; {quotes}"
    if key in _SECRETS and re.search(r":(?:[ \t]{2,}|\t)$", before):
        return f"the blanks before the {key} are no part of it; {quotes}"
    return None
