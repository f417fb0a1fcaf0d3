"""What is wrong with a file, shown with the place in it: as text for people, as JSON for programs."""

from __future__ import annotations

import json
import re
import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from geoplan.wording import count, is_control, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXCERPT_WIDTH = 100
_MASK = "********"
SENSITIVE_KEY = r"passw(?:or)?d|pass(?:phrase|code)|pwd|api[-_]?(?:key|pass)|secret|token|credential"
_SECRET_VALUE = rf"(?i)([\w-]*(?:{SENSITIVE_KEY})[\w-]*[\"']?\s*[:=]\s*)\S.*"
_LOGIN_IN_URL = r"[^\s\"'{},:]+:(?=\S).*@"


class Severity(StrEnum):
    """Whether a file can be used as it is."""

    ERROR = "error"
    WARNING = "warning"


class Diagnostic(NamedTuple):
    """One fault of a file, with its place in it. Lines and columns count from 1.

    ``source`` is the line with secrets masked; the fault covers ``width`` characters of it from index ``caret``
    on. Where a topology was made by a program there is no line, and ``where`` alone says what is meant.
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

    def __str__(self) -> str:
        """Return it as people read it: place, message, the line with a caret, the hint."""
        head = f"{self.path}:{self.line}:{self.column}" if self.line else f"{self.path}: {self.where}"
        lines = [shown(f"{head}: {self.severity}: {self.code} {self.message}")]
        if self.source and self.source.strip():
            excerpt, offset = _cut(self.source, self.caret)
            room = max(1, min(self.width, len(excerpt) - offset))
            caret = "^" + "~" * (_cells(excerpt[offset : offset + room]) - 1)
            lines += [f"    {excerpt}", f"    {_blank(excerpt[:offset])}{caret}"]
        lines.append(shown(f"  hint: {self.hint}"))
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str | int | None]:
        """Return it as JSON holds it."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "severity": self.severity.value,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "where": self.where,
            "source": self.source,
        }


def as_text(diagnostics: Iterable[Diagnostic]) -> str:
    """Return diagnostics for people, one block each."""
    return "\n".join(str(diagnostic) for diagnostic in diagnostics)


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Return diagnostics for programs, with how many there are of each severity."""
    report = {
        "format": "geoplan/diagnostics/1",
        "errors": _count_of(diagnostics, Severity.ERROR),
        "warnings": _count_of(diagnostics, Severity.WARNING),
        "diagnostics": [diagnostic.as_dict() for diagnostic in diagnostics],
    }
    return json.dumps(report, ensure_ascii=False, indent=2)


def summary(diagnostics: Sequence[Diagnostic], path: str) -> str:
    """Say in a line how many faults of each severity there are."""
    errors, warnings = (_count_of(diagnostics, severity) for severity in (Severity.ERROR, Severity.WARNING))
    if not errors and not warnings:
        return f"{shown(path)}: OK: no errors"
    counts = [count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return f"{shown(path)}: {' and '.join(counts)}"


def _count_of(diagnostics: Sequence[Diagnostic], severity: Severity) -> int:
    return sum(diagnostic.severity is severity for diagnostic in diagnostics)


def presentable(line: str) -> str:
    """Return a line of a file that can be shown: secrets masked, nothing that steers a terminal."""
    masked = re.sub(_SECRET_VALUE, rf"\g<1>{_MASK}", re.sub(_LOGIN_IN_URL, f"{_MASK}@", line))
    return "".join("\N{REPLACEMENT CHARACTER}" if is_control(c) and c != "\t" else c for c in masked)


def _cut(line: str, offset: int) -> tuple[str, int]:
    """Return the part of a long line around an offset, and the offset within it."""
    offset = min(offset, len(line))
    if len(line) <= EXCERPT_WIDTH:
        return line, offset
    start = max(0, min(offset - EXCERPT_WIDTH // 2, len(line) - EXCERPT_WIDTH))
    end = start + EXCERPT_WIDTH
    head, tail = ("…" if start else ""), ("…" if end < len(line) else "")
    return head + line[start:end] + tail, offset - start + len(head)


def _blank(text: str) -> str:
    """Return white space as wide as a text in a terminal."""
    return "".join("\t" if character == "\t" else " " * _cells(character) for character in text)


def _cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
