"""Workflow commands of GitHub Actions: each fault is an annotation at its line of the pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.diagnostics import LONGEST_TEXT, MAX_SHOWN
from geoplan.topology.checks import summary_of_all
from geoplan.topology.codes import CODES
from geoplan.wording import count, shorten, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.diagnostics import Diagnostic
    from geoplan.topology.checks import CheckedFile

# What the runner takes back: of a message, and of a property, which two more characters would end.
_IN_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(files: Sequence[CheckedFile]) -> str:
    """Return a command for each fault and each file that cannot be read, and a line that counts the files."""
    # No line begins as somebody else's text does: the runner carries out whatever begins as a command.
    return "".join(f"{line}\n" for line in [*_commands(files), f"geoplan: {summary_of_all(files)}"])


def _commands(files: Sequence[CheckedFile]) -> Iterator[str]:
    for file in files:
        if file.unreadable:
            lines = (str(file.unreadable), f"hint: {file.unreadable.hint}")
            yield _command("error", {"file": file.path, "title": "The file cannot be read"}, lines)
        for found in file.diagnostics[:MAX_SHOWN]:
            yield _of_fault(found)
        if (more := len(file.diagnostics) - MAX_SHOWN) > 0:
            yield _command("error", {"file": file.path}, (f"and {count(more, 'more fault')}",))


def _of_fault(found: Diagnostic) -> str:
    properties = {
        "file": found.path,
        "line": found.line,
        "col": found.column,
        "title": f"{found.code} {CODES[found.code].title}",
    }
    lines = (shorten(found.message, LONGEST_TEXT), f"hint: {shorten(found.hint, LONGEST_TEXT)}")
    return _command(found.severity.value, properties, lines)


def _command(name: str, properties: dict[str, str | int | None], lines: Sequence[str]) -> str:
    given = ",".join(
        f"{key}={shown(str(value)).translate(_IN_PROPERTY)}" for key, value in properties.items() if value is not None
    )
    message = "\n".join(map(shown, lines)).translate(_IN_MESSAGE)
    return f"::{name} {given}::{message}"
