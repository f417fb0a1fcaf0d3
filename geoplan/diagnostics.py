"""What is wrong with a file, shown with the place in it: as text for people, as JSON for programs."""

from __future__ import annotations

import json
import re
import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from geoplan.wording import count, is_control, shorten, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EXCERPT_WIDTH = 100
_MASK = "********"
SENSITIVE_KEY = r"passw(?:or)?d|pass(?:phrase|code)|pwd|api[-_]?(?:key|pass)|secret|token|credential"
# Each reads a line once, however long it is: what has been read is never given back to be read again.
_KEY = re.compile(r"[\w-]++")
_SENSITIVE = re.compile(SENSITIVE_KEY, re.IGNORECASE)
_VALUE_FOLLOWS = re.compile(r"[\"']?\s*+[:=]\s*+(?=\S)")
_LOGIN = re.compile(r"[^\s\"'{},:]++(:(?=\S))?")
LONGEST_TEXT = 1000
"""Characters of a message or a hint that are shown."""
_ORDER, _NO_ORDER = "##[", "##\N{ZERO WIDTH SPACE}["
"""GitHub's runner obeys it anywhere in a line of a log, and ``::`` at the first thing in one that is no blank."""
LONGEST_LINE = 1000
"""Characters. Of a longer line what stands around the fault is kept."""


class Severity(StrEnum):
    """Whether a file can be used as it is."""

    ERROR = "error"
    WARNING = "warning"


class Diagnostic(NamedTuple):
    """One fault of a file, with its place in it. Lines and columns count from 1.

    ``source`` is the line with secrets masked, of a very long one the part around the fault; the fault covers ``width``
    characters of it from index ``caret`` on. Where a topology was made by a program there is no line, and ``where``
    alone says what is meant.
    """

    path: str
    code: str
    severity: Severity
    message: str
    hint: str
    where: str = ""
    line: int | None = None
    column: int | None = None
    source: str | None = None
    caret: int = 0
    width: int = 1
    loc: tuple[str | int, ...] = ()
    """The way to what is wrong, by keys and by numbers from 0; of a fault of the YAML there is none."""
    end_column: int | None = None
    """The column behind what is wrong, if that ends on the same line of the file."""

    def __str__(self) -> str:
        """Return it as people read it: place, message, the line with a caret, the hint."""
        where = f":{self.line}:{self.column}" if self.line else f": {shorten(self.where, LONGEST_TEXT)}"
        lines = [shown(f"{self.path}{where}: {self.severity}: {self.code} {shorten(self.message, LONGEST_TEXT)}")]
        if self.source and self.source.strip():
            excerpt, offset = _cut(self.source, self.caret, EXCERPT_WIDTH)
            room = max(1, min(self.width, len(excerpt) - offset))
            caret = "^" + "~" * (_cells(excerpt[offset : offset + room]) - 1)
            margin = "  | " if excerpt.lstrip().startswith("::") else "    "
            lines += [f"{margin}{excerpt}", f"    {_blank(excerpt[:offset])}{caret}"]
        lines.append(shown(f"  hint: {shorten(self.hint, LONGEST_TEXT)}"))
        return "\n".join(lines).replace(_ORDER, _NO_ORDER)

    def as_dict(self) -> dict[str, str | int | None]:
        """Return it as JSON holds it."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "severity": self.severity.value,
            "code": self.code,
            "message": shorten(self.message, LONGEST_TEXT),
            "hint": shorten(self.hint, LONGEST_TEXT),
            "where": shorten(self.where, LONGEST_TEXT),
            "source": self.source,
        }


MAX_SHOWN = 1000
"""Faults of one file that are shown; the others are counted."""


def as_text(diagnostics: Sequence[Diagnostic]) -> str:
    """Return diagnostics for people, one block each; of very many the first ones, and how many more there are."""
    shown = [str(diagnostic) for diagnostic in diagnostics[:MAX_SHOWN]]
    return "\n".join([*shown, *_more(len(diagnostics))])


def _more(number: int) -> list[str]:
    return [f"and {number - MAX_SHOWN:,} more"] if number > MAX_SHOWN else []


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Return diagnostics for programs, with how many there are of each severity; at most :data:`MAX_SHOWN` of them."""
    return json.dumps({"format": "geoplan/diagnostics/1", **report(diagnostics)}, ensure_ascii=False, indent=2)


def report(diagnostics: Sequence[Diagnostic]) -> dict[str, object]:
    """Return what JSON holds of one file's diagnostics."""
    return {
        "errors": _count_of(diagnostics, Severity.ERROR),
        "warnings": _count_of(diagnostics, Severity.WARNING),
        "diagnostics": [diagnostic.as_dict() for diagnostic in diagnostics[:MAX_SHOWN]],
        **({"not_shown": len(diagnostics) - MAX_SHOWN} if len(diagnostics) > MAX_SHOWN else {}),
    }


def summary(diagnostics: Sequence[Diagnostic], path: str) -> str:
    """Say in a line how many faults of each severity there are."""
    errors, warnings = (_count_of(diagnostics, severity) for severity in (Severity.ERROR, Severity.WARNING))
    if not errors and not warnings:
        return f"{shown(path)}: OK: no errors"
    counts = [count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return f"{shown(path)}: {' and '.join(counts)}"


def _count_of(diagnostics: Sequence[Diagnostic], severity: Severity) -> int:
    return sum(diagnostic.severity is severity for diagnostic in diagnostics)


class ShownLine:
    """A line of a file as it can be shown, with secrets masked, and where in that its characters stand."""

    def __init__(self, line: str) -> None:
        self._masked = list(_secrets_in(line))
        parts, end = [], 0
        for start, stop in self._masked:
            parts += [line[end:start], _MASK]
            end = stop
        self._text = "".join([*parts, line[end:]])

    @property
    def masked(self) -> str:
        """The whole line, as it is but for its secrets."""
        return self._text

    @property
    def text(self) -> str:
        """The whole line, with nothing in it that steers a terminal."""
        return _harmless(self._text)

    def around(self, start: int, end: int) -> tuple[str, int, int]:
        """Return what is shown around a fault from one index of the line to another, and place and width in that.

        What is cut off was masked before, so that nothing is left of a secret at the cut.
        """
        first, last = self._index_of(start), self._index_of(end)
        excerpt, offset = _cut(self._text, first, LONGEST_LINE)
        return _harmless(excerpt), offset, max(1, min(last - first, len(excerpt) - offset))

    def _index_of(self, index: int) -> int:
        """Return where a character of the line is shown; for one that is masked, the end of the mask."""
        shown = index
        for start, stop in self._masked:
            if index > start:
                shown += len(_MASK) - (min(index, stop) - start)
        return shown


_QUOTED = re.compile(r"'(.+?)'(?=[\s,.;:)]|$)")


def without_secrets(sentence: str) -> str:
    """Return a sentence, of a very long one its beginning, in which what it quotes of a file is masked as its line is.

    Names can be chosen so that they look like a secret, or be one that was put at the wrong place.
    """
    sentence = shorten(sentence, LONGEST_TEXT)
    if "@" not in sentence and not _SENSITIVE.search(sentence):
        return sentence
    return _QUOTED.sub(lambda quoted: f"'{ShownLine(quoted[1]).masked}'", sentence)


def presentable(line: str) -> str:
    """Return a line of a file that can be shown: secrets masked, nothing that steers a terminal."""
    return ShownLine(line).text


def _harmless(text: str) -> str:
    if text.isprintable():
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if is_control(c) and c != "\t" else c for c in text)


def _secrets_in(line: str) -> Iterator[tuple[int, int]]:
    """Yield where secrets stand in a line: a login in front of an @, and what follows a key that looks like one's."""
    at = line.rfind("@")
    login = next((found.span() for found in _LOGIN.finditer(line, 0, max(at, 0)) if found[1]), None)
    begin, end = (login[0], at) if login else (len(line), 0)
    for key in _KEY.finditer(line) if _SENSITIVE.search(line) else ():
        if begin < key.end() <= end:
            continue
        value = _VALUE_FOLLOWS.match(line, key.end()) if _SENSITIVE.search(key[0]) else None
        if value:
            if end < value.end() and login:
                yield begin, end
            yield value.end(), len(line)
            return
    if login:
        yield begin, end


def _cut(line: str, offset: int, width: int) -> tuple[str, int]:
    """Return the part of a long line around an offset, and the offset within it."""
    offset = min(offset, len(line))
    if len(line) <= width:
        return line, offset
    start = max(0, min(offset - width // 2, len(line) - width))
    end = start + width
    head, tail = ("…" if start else ""), ("…" if end < len(line) else "")
    return head + line[start:end] + tail, offset - start + len(head)


def _blank(text: str) -> str:
    """Return white space as wide as a text in a terminal."""
    return "\t".join(" " * _cells(part) for part in text.split("\t"))


def _cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
