"""The runbook as Markdown, which renders on GitHub and reads well as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.render import markdown_text as md
from geoplan.render import mermaid
from geoplan.render.runbook import wui
from geoplan.render.runbook.build import build
from geoplan.render.runbook.prose import Label, Name, Pasted, Prose, Span, StepNumber, Url, Value
from geoplan.render.templating import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.plan.model import Plan


def render(plan: Plan, *, picture: bool = True, links: bool = True) -> str:
    """Return the runbook as GitHub Flavored Markdown.

    ``picture`` puts a Mermaid diagram into it; without ``links``, addresses to open stand there as code.
    """
    voice = _Voice(links=links)
    templates = environment(voice, autoescape=False)
    templates.filters |= {
        "cell": voice.cell,
        "heading": voice.heading,
        "block": _block,
        "written": _Markdown,
        "plain": str,
    }
    return templates.get_template("runbook.md.jinja").render(
        book=build(plan), wui=wui, picture=mermaid.render(plan) if picture else None
    )


class _Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


class _Voice:
    """Writes any value so that it shows as it is; only what was made Markdown here passes as it stands."""

    def __init__(self, *, links: bool) -> None:
        self._writers: dict[type, Callable[[str], str]] = {
            _Markdown: str,
            Name: md.name,
            Value: md.code,
            Pasted: md.code,
            Label: _label,
            Url: md.link_or_code if links else md.code,
            StepNumber: "step {}".format,
        }

    def __call__(self, value: object) -> str:
        if isinstance(value, Prose):
            return "".join(map(self, value))
        return self._writers.get(type(value), md.words)(str(value))

    def heading(self, title: Prose) -> _Markdown:
        """Write a title, in which labels stand out no more than the rest."""
        return _Markdown("".join(md.words(part) if isinstance(part, Label) else self(part) for part in title))

    def cell(self, value: Span) -> _Markdown:
        """Write a value into a cell of a table."""
        return _Markdown(md.in_cell(self(value), value))


def _label(text: str) -> str:
    return md.code(text) if " > " in text else f"**{md.words(text)}**"


def _block(text: str, indent: int = 0, language: str = "text") -> _Markdown:
    """Write a code block, moved right to stand inside a list item."""
    return _Markdown(md.fenced(text, language).replace("\n", "\n" + " " * indent))
