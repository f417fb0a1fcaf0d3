"""SARIF 2.1.0, as code scanning takes it: each fault with its place, and its code with what it means."""

from __future__ import annotations

import json
import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from geoplan import __version__
from geoplan.diagnostics import LONGEST_TEXT, MAX_SHOWN, Severity
from geoplan.topology.codes import CODES, explain
from geoplan.wording import count, shorten, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.diagnostics import Diagnostic
    from geoplan.topology.checks import CheckedFile

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
"""What paths are relative to: where the command ran, which is the checkout's top in CI."""


def render(files: Sequence[CheckedFile]) -> str:
    """Return the log of one run over all files; one that could not be read makes the run a failed one."""
    found = [each for file in files for each in file.diagnostics[:MAX_SHOWN]]
    codes = sorted({each.code for each in found})
    run = {
        "tool": {"driver": {"name": "geoplan", "version": __version__, "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": all(file.unreadable is None for file in files),
                "toolExecutionNotifications": list(_notifications(files)),
            }
        ],
        "results": [_result(each, codes.index(each.code)) for each in found],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    meaning = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": meaning.title},
        "fullDescription": {"text": meaning.why},
        "help": {"text": explain(code)},
        "defaultConfiguration": {"level": _level(meaning.severity)},
    }


def _result(found: Diagnostic, rule: int) -> dict[str, Any]:
    lines = (shorten(found.message, LONGEST_TEXT), f"Hint: {shorten(found.hint, LONGEST_TEXT)}")
    region = {"startLine": found.line, "startColumn": found.column, "endColumn": found.end_column}
    given = {key: value for key, value in region.items() if value is not None}
    return {
        "ruleId": found.code,
        "ruleIndex": rule,
        "level": _level(found.severity),
        "message": {"text": "\n".join(map(shown, lines))},
        "locations": [_location(found.path, given)],
    }


def _notifications(files: Sequence[CheckedFile]) -> Iterator[dict[str, Any]]:
    for file in files:
        if file.unreadable:
            text = f"{shown(str(file.unreadable))}\nHint: {file.unreadable.hint}"
            yield {"level": "error", "message": {"text": text}, "locations": [_location(file.path)]}
        if (more := len(file.diagnostics) - MAX_SHOWN) > 0:
            text = f"and {count(more, 'more fault')}"
            yield {"level": "warning", "message": {"text": text}, "locations": [_location(file.path)]}


def _location(path: str, region: dict[str, int] | None = None) -> dict[str, Any]:
    place = PurePath(path)
    relative = {"uri": quote(os.fsencode(place.as_posix())), "uriBaseId": _ROOT}
    artifact = {"uri": place.as_uri()} if place.is_absolute() else relative
    return {"physicalLocation": {"artifactLocation": artifact, **({"region": region} if region else {})}}


def _level(severity: Severity) -> str:
    return "error" if severity is Severity.ERROR else "warning"
