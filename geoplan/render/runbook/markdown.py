"""The runbook as Markdown, which renders on GitHub and reads well as it stands."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from geoplan.render.diagram import mermaid
from geoplan.render.runbook import wui
from geoplan.render.runbook.build import build
from geoplan.render.runbook.prose import Label, Name, Pasted, Prose, Span, StepNumber, Url, Value
from geoplan.render.runbook.templating import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Environment

    from geoplan.plan.model import Plan
    from geoplan.topology.api import UnitApi


# What means nothing to Markdown anywhere in a line, nor to what GitHub makes of text (links, mentions, emoji).
_PLAIN = re.compile(r"(?!.*www\.)[^\W\d_]([\w .,'()/+-]*[\w)])?", re.IGNORECASE)
_UNDERSCORE_AT_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def words(text: str) -> str:
    """Return text that is read as these words, in a line that other words begin."""
    return _SPECIAL.sub(_escape, _one_line(text))


def name(text: str) -> str:
    """Return a name as plain words where it holds nothing special, and else as code, in which nothing is."""
    if _PLAIN.fullmatch(text) and not _UNDERSCORE_AT_EDGE.search(text):
        return text
    return code(text)


def code(text: str) -> str:
    """Return a code span of the text, between more backticks than it has in a row."""
    text = _one_line(text)
    marks = "`" * (_longest_run("`", text) + 1)
    if text.startswith("`") or text.endswith("`"):
        text = f" {text} "
    return f"{marks}{text}{marks}"


def fenced(text: str, language: str = "text") -> str:
    """Return a fenced code block of the text."""
    marks = "`" * max(3, _longest_run("`", text) + 1)
    return "\n".join((marks + language, text.removesuffix("\n"), marks))


def in_cell(written: str, text: str) -> str:
    """Return what was written of a text for a cell of a table, whose bars would else end the cell, even in code."""
    if "|" not in written:
        return written
    # A backslash before a bar is read in two ways by different readers; words have neither.
    return words(text) if r"\|" in text else written.replace("|", r"\|")


def link_or_code(url: str) -> str:
    """Return a URL as a link, or as code where it could not be one."""
    return f"<{url}>" if re.fullmatch(r"https?://[\w.:\[\]/-]+", url) else code(url)


def _escape(found: re.Match[str]) -> str:
    """Write a bar and a backslash by their numbers, since tables read both before anything else does."""
    character = found[0]
    return f"&#{ord(character)};" if character in "|\\" else f"\\{character}"


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text)


def _longest_run(character: str, text: str) -> int:
    if character not in text:
        return 0
    return max(len(run) for run in re.findall(f"{re.escape(character)}+", text))


def render(plan: Plan, apis: Mapping[str, UnitApi], *, picture: bool = True, links: bool = True) -> str:
    """Return the runbook as GitHub Flavored Markdown.

    ``picture`` puts a Mermaid diagram into it; without ``links``, addresses to open stand there as code.
    """
    return (
        _templates(links=links)
        .get_template("runbook.md.jinja")
        .render(book=build(plan, apis), wui=wui.NAMES, picture=mermaid.render(plan) if picture else None)
    )


@cache
def _templates(*, links: bool) -> Environment:
    writer = _Writer(links=links)
    templates = environment(writer, autoescape=False)
    templates.filters |= {
        "cell": writer.cell,
        "heading": writer.heading,
        "block": _block,
        "written": _Markdown,
        "plain": str,
    }
    return templates


class _Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


class _Writer:
    """Writes any value so that it shows as it is; only what was made Markdown here passes as it stands."""

    def __init__(self, *, links: bool) -> None:
        self._writers: dict[type, Callable[[str], str]] = {
            _Markdown: str,
            Name: name,
            Value: code,
            Pasted: code,
            Label: _label,
            Url: link_or_code if links else code,
            StepNumber: "step {}".format,
        }

    def __call__(self, value: object) -> str:
        if isinstance(value, Prose):
            return "".join(map(self, value))
        return self._writers.get(type(value), words)(str(value))

    def heading(self, title: Prose) -> _Markdown:
        """Write a title, in which labels stand out no more than the rest."""
        return _Markdown("".join(words(part) if isinstance(part, Label) else self(part) for part in title))

    def cell(self, value: Span) -> _Markdown:
        """Write a value into a cell of a table."""
        return _Markdown(in_cell(self(value), value))


def _label(text: str) -> str:
    return code(text) if " > " in text else f"**{words(text)}**"


def _block(text: str, indent: int = 0, language: str = "text") -> _Markdown:
    """Write a code block, moved right to stand inside a list item."""
    return _Markdown(fenced(text, language).replace("\n", "\n" + " " * indent))
