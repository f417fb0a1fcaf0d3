"""A topology file written from its content: a site a block, in YAML that every reader takes alike, with comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from geoplan.topology.starter import scalar
from geoplan.wording import shorten, shown_in_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.yaml12 import Loc

MAX_COMMENT = 400  # characters
_INDENT = "  "


def topology_text(content: Mapping[str, Any], comments: Mapping[Loc, Sequence[str]] | None = None) -> str:
    """Return the text of a topology file.

    Each comment stands on a line of its own before what is at its place; the place of nothing is the top of the file.
    """
    comments = comments or {}
    lines = list(_comments(comments, (), ""))
    for key, value in content.items():
        loc = (key,)
        lines += _comments(comments, loc, "")
        if key == "sites":
            lines += ["", "sites:", *_sites(value, comments)]
        elif isinstance(value, dict):
            lines += ["", f"{key}:"]
            for name, inner in value.items():
                lines += [*_comments(comments, (key, name), _INDENT), f"{_INDENT}{scalar(name)}: {flow(inner)}"]
        else:
            lines.append(f"{key}: {flow(value)}")
    return "\n".join(lines) + "\n"


def _sites(sites: Sequence[Mapping[str, Any]], comments: Mapping[Loc, Sequence[str]]) -> Iterator[str]:
    for number, site in enumerate(sites):
        if number and len(site) > 2:  # noqa: PLR2004 - more than a name and units
            yield ""
        yield from _comments(comments, ("sites", number), _INDENT)
        start = f"{_INDENT}- "
        for key, value in site.items():
            loc: Loc = ("sites", number, key)
            yield from _comments(comments, loc, _INDENT * 2)
            yield from _value(start, key, value, loc, comments)
            start = _INDENT * 2


def _value(start: str, key: str, value: object, loc: Loc, comments: Mapping[Loc, Sequence[str]]) -> Iterator[str]:
    """Yield the lines of one key of a site; a pair with more than two addresses is a block."""
    is_plain = not isinstance(value, dict) or all(not isinstance(_short(inner), dict) for inner in value.values())
    has_comments = any(each[: len(loc)] == loc and len(each) > len(loc) for each in comments)
    if key != "ha_pair" or not isinstance(value, dict) or (is_plain and not has_comments):
        yield f"{start}{key}: {flow(value)}"
        return
    yield f"{start}{key}:"
    for name, inner in value.items():
        yield from _comments(comments, (*loc, name), _INDENT * 3)
        yield f"{_INDENT * 3}{name}: {flow(inner)}"


def flow(value: object) -> str:
    """Return a value on one line; a unit with nothing but its address is that address."""
    value = _short(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return value if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value) else scalar(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _short(value: object) -> object:
    """Return a unit that has nothing but its address as that address."""
    return value["address"] if isinstance(value, dict) and set(value) == {"address"} else value


def _comments(comments: Mapping[Loc, Sequence[str]], loc: Loc, indent: str) -> Iterator[str]:
    for comment in comments.get(loc, ()):
        yield f"{indent}{comment_line(comment)}"


def comment_line(comment: str) -> str:
    """Return a comment on one line, whatever it says."""
    return f"# {shorten(shown_in_line(comment), MAX_COMMENT)}".rstrip()
