"""Which formats each command has, which of them is usual, and which one the ending of a file picks."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Formats(NamedTuple):
    """The formats of a command."""

    names: tuple[str, ...]
    """The first is the usual one."""
    are_of_file: bool = False
    """Whether ``-o FILE`` is written in the format, so that the file's ending can pick it."""
    refuses_others: bool = False
    """Whether a file with an ending that means nothing is refused."""

    @property
    def endings(self) -> tuple[str, ...]:
        """The endings of files that pick one of the formats."""
        return tuple(ending for ending, (picked, *_) in _ENDINGS.items() if picked in self.names and self.are_of_file)


_ENDINGS: Mapping[str, tuple[str, ...]] = {
    ".txt": ("text", "lists", "markdown", "mermaid", "dot", "json", "yaml", "prometheus"),
    ".json": ("json",),
    **dict.fromkeys((".yaml", ".yml"), ("yaml",)),
    **dict.fromkeys((".md", ".markdown"), ("markdown",)),
    **dict.fromkeys((".html", ".htm"), ("html",)),
    ".prom": ("prometheus",),
    ".svg": ("svg",),
    **dict.fromkeys((".mmd", ".mermaid"), ("mermaid",)),
    **dict.fromkeys((".dot", ".gv"), ("dot",)),
}
"""What may stand in a file that ends so; the first is what the ending picks."""

_MEANING = {
    "text": "for people",
    "lists": "as the document's example prints them",
    "json": "for programs",
    "yaml": "for programs",
    "markdown": "for tickets and reviews",
    "prometheus": "for Prometheus",
    "html": "one page for a browser",
    "svg": "to look at",
    "mermaid": "for Markdown",
    "dot": "for Graphviz",
    "sarif": "for code scanning",
    "junit": "for a CI system's list of tests",
    "github": "for annotations in GitHub Actions",
}

_TEXT_OR_JSON = Formats(("text", "json"))

FORMATS = {
    "check": Formats(("text", "json", "sarif", "junit", "github")),
    "compare": _TEXT_OR_JSON,
    "diagram": Formats(("svg", "mermaid", "dot"), are_of_file=True, refuses_others=True),
    "diff": Formats(("text", "markdown", "json"), are_of_file=True),
    "drill": Formats(("text", "markdown", "json"), are_of_file=True, refuses_others=True),
    "facts": Formats(("text", "json", "markdown"), are_of_file=True),
    "follow": _TEXT_OR_JSON,
    "import": Formats(("yaml", "json"), are_of_file=True, refuses_others=True),
    "plan": Formats(("text", "lists", "markdown", "json", "yaml"), are_of_file=True, refuses_others=True),
    "probe": _TEXT_OR_JSON,
    "push": _TEXT_OR_JSON,
    "rehearse": Formats(("text", "markdown", "svg", "json"), are_of_file=True),
    "runbook": Formats(("markdown", "html"), are_of_file=True, refuses_others=True),
    "status": Formats(("text", "json", "prometheus"), are_of_file=True),
    "trust": _TEXT_OR_JSON,
    "upgrade": Formats(("markdown", "html", "json"), are_of_file=True, refuses_others=True),
    "whatif": Formats(("text", "markdown", "html", "json"), are_of_file=True),
}


def format_option(command: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return ``--format`` for a command, which gets what is given as ``output_format``: None if an ending may pick."""
    formats = FORMATS[command]
    by_meaning: dict[str, list[str]] = {}
    for name in formats.names:
        by_meaning.setdefault(_MEANING[name], []).append(name)
    meaning = ", ".join(f"{join_words(names)} {meaning}" for meaning, names in by_meaning.items())
    if not formats.are_of_file:
        given: dict[str, Any] = {"default": formats.names[0], "show_default": True, "help": f"{meaning}."}
    else:
        picked = f"by FILE's ending ({', '.join(formats.endings)}), else {formats.names[0]}"
        given = {"help": f"{meaning}.  [default: {picked}]"}
    return click.option("--format", "output_format", type=click.Choice(formats.names), **given)


def require_yaml(output: str | None) -> None:
    """Check that a file for YAML does not end as one of another format; raises :class:`click.BadParameter`."""
    ending = PurePath(output or "").suffix.lower()
    if "yaml" not in _ENDINGS.get(ending, ("yaml",)):
        raise click.BadParameter(f"{output} ends in {ending}, and this is YAML. Name another file.", param_hint="'-o'")


def chosen_format(command: str, given: str | None, output: str | None) -> str:
    """Return the format that is given, or that of the file's ending; the usual one without both.

    Raises :class:`click.BadParameter` for an ending that contradicts it, and for one of no format of the command: who
    asks for a PDF is not to find something else in it.
    """
    formats = FORMATS[command]
    ending = PurePath(output or "").suffix.lower()
    fitting = _ENDINGS.get(ending, ())
    if given:
        if fitting and given not in fitting:
            raise click.BadParameter(
                f"{output} ends in {ending}, and --format is {given}. Leave --format out, or name another file.",
                param_hint="'-o'",
            )
        return given
    if fitting and fitting[0] in formats.names:
        return fitting[0]
    if fitting or (ending and formats.refuses_others):
        *known, last = formats.endings
        raise click.BadParameter(
            f"no format ends in {ending}: {output}. Use {', '.join(known)} or {last}, "
            "or name the format with --format.",
            param_hint="'-o'",
        )
    return formats.names[0]
