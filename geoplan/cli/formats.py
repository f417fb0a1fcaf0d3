"""Which formats each command has, which of them is usual, and which one the ending of a file picks."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Formats(NamedTuple):
    """The formats of a command."""

    names: tuple[str, ...]
    """The first is the usual one."""
    by_ending: Mapping[str, str] | None = None
    """What the ending of ``-o FILE`` picks, where ``--format`` is not given; None if the ending means nothing."""


_TEXT_OR_JSON = Formats(("text", "json"))
_PAGE_ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown"}

FORMATS = {
    "check": _TEXT_OR_JSON,
    "compare": _TEXT_OR_JSON,
    "diagram": Formats(
        ("svg", "mermaid", "dot"),
        {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot"},
    ),
    "diff": Formats(("text", "markdown", "json")),
    "facts": Formats(("text", "json", "markdown")),
    "plan": Formats(
        ("text", "lists", "markdown", "json", "yaml"),
        {".txt": "text", ".md": "markdown", ".json": "json", ".yaml": "yaml", ".yml": "yaml"},
    ),
    "probe": _TEXT_OR_JSON,
    "push": _TEXT_OR_JSON,
    "runbook": Formats(("markdown", "html"), _PAGE_ENDINGS),
    "status": _TEXT_OR_JSON,
    "trust": _TEXT_OR_JSON,
    "upgrade": Formats(("markdown", "html", "json"), {**_PAGE_ENDINGS, ".json": "json"}),
}


def format_option(command: str, explanation: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``--format`` for a command, which gets what is given as ``output_format``: None if an ending may pick."""
    names, by_ending = FORMATS[command]
    default: dict[str, Any] = {} if by_ending else {"default": names[0], "show_default": True}
    return click.option("--format", "output_format", type=click.Choice(names), help=explanation, **default)


def chosen_format(command: str, given: str | None, output: str | None) -> str:
    """Return the format that is given, or that of the file's ending; the usual one without both.

    Raises :class:`click.BadParameter` for any other ending: who asks for a PDF is not to find something else in it.
    """
    names, by_ending = FORMATS[command]
    ending = PurePath(output or "").suffix
    if given or not ending or by_ending is None:
        return given or names[0]
    if ending.lower() not in by_ending:
        *known, last = by_ending
        raise click.BadParameter(
            f"no format ends in {ending}: {output}. Use {', '.join(known)} or {last}, "
            "or name the format with --format.",
            param_hint="'-o'",
        )
    return by_ending[ending.lower()]
