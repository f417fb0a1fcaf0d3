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


class _Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


def render(plan: Plan, *, picture: bool = True) -> str:
    """Return the runbook as GitHub Flavored Markdown; ``picture`` puts a Mermaid diagram into it."""
    templates = environment(_voice, autoescape=False)
    templates.filters |= {
        "cell": _cell,
        "block": _block,
        "heading": _heading,
        "written": _Markdown,
        "plain": str,
    }
    return templates.get_template("runbook.md.jinja").render(
        book=build(plan), wui=wui, picture=mermaid.render(plan) if picture else None
    )


def _label(text: str) -> str:
    return md.code(text) if " > " in text else f"**{md.words(text)}**"


_WRITERS: dict[type, Callable[[str], str]] = {
    _Markdown: str,
    Name: md.name,
    Value: md.code,
    Pasted: md.code,
    Label: _label,
    Url: md.link_or_code,
    StepNumber: "step {}".format,
}


def _voice(value: object) -> str:
    """Write any value so that it shows as it is; only what was made Markdown here passes as it stands."""
    if isinstance(value, Prose):
        return "".join(_voice(part) for part in value)
    return _WRITERS.get(type(value), md.words)(str(value))


def _heading(title: Prose) -> _Markdown:
    """Write a title, in which labels stand out no more than the rest."""
    return _Markdown("".join(md.words(part) if isinstance(part, Label) else _voice(part) for part in title))


def _cell(value: Span) -> _Markdown:
    """Write a value into a cell of a table."""
    return _Markdown(md.in_cell(_voice(value), value))


def _block(text: str, indent: int = 0, language: str = "text") -> _Markdown:
    """Write a code block, moved right to stand inside a list item."""
    return _Markdown(md.fenced(text, language).replace("\n", "\n" + " " * indent))
