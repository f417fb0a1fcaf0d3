"""What the runbook says, as text: the files of ``content/``, filled in and read back into sentences.

A file has sections. A line that begins with ``#`` is the heading of one, up to a colon and a blank if it has them; a
line that begins with ``-`` is an item of it; every other line goes on with the sentence before it. Whatever is filled
in travels as a mark that holds its kind and its characters in hexadecimal: no name can end a line, begin an item, or
be read as anything but itself.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from markupsafe import Markup

from geoplan.render.runbook import ec2, wui
from geoplan.render.runbook.context import BUSY, OK, asking
from geoplan.render.runbook.prose import Label, Name, Pasted, Prose, Span, StepNumber, Url, Value, duration
from geoplan.wording import count, shell_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2.runtime import Context, LoopContext

CONTENT = Path(__file__).parent / "content"

_KINDS: Mapping[str, type[str]] = {
    "": str,
    **{kind.__name__: kind for kind in (Name, Value, Pasted, Label, Url, StepNumber)},
}
_PIECE = re.compile("([^\x02]+)|\x02([A-Za-z]*):([0-9a-f]*)\x03")


class Section(NamedTuple):
    """What stands under one heading."""

    text: Prose
    """The sentences before the first item."""
    items: tuple[Prose, ...]


def render(name: str, variables: Mapping[str, object]) -> dict[str, Section]:
    """Fill a file of ``content/`` in, and return its sections by their headings, in order.

    Raises :class:`jinja2.TemplateError` if there is no such file or it asks for a variable that is not there.
    """
    return read(_templates().get_template(f"{name}.jinja").render(variables))


def read(text: str) -> dict[str, Section]:
    """Return the sections of a text whose values are marks."""
    sections: dict[str, list[list[str]]] = {}
    blocks: list[list[str]] = []
    for line in filter(None, map(str.strip, text.split("\n"))):
        if line.startswith("# "):
            marked, _, words = line[2:].partition(": ")
            heading = str(_sentences([marked]))
            if heading in sections:
                raise ValueError(f"two sections are called {heading!r}")
            blocks = sections[heading] = [[words] if words else []]
        elif not sections:
            raise ValueError(f"no heading stands above {line!r}")
        elif line.startswith("- "):
            blocks.append([line[2:]])
        else:
            blocks[-1].append(line)
    return {
        heading: Section(_sentences(first), tuple(map(_sentences, items)))
        for heading, (first, *items) in sections.items()
    }


def mark(value: object) -> Markup:
    """Return a value as a mark; what consists of marks and this package's own words passes as it is."""
    if isinstance(value, Markup):
        return value
    if not isinstance(value, str | int):  # written without !r: that of an undefined variable raises its own error
        raise TypeError(f"a sentence cannot hold {value}")
    kind = type(value).__name__ if isinstance(value, Span) else ""
    return Markup(f"\x02{kind}:{str(value).encode('utf-8', 'surrogatepass').hex()}\x03")  # noqa: S704 - nothing to escape


def _sentences(lines: Sequence[str]) -> Prose:
    text = " ".join(" ".join(lines).split())
    return _read_sentences(text) if "\x02" in text else _constant_sentences(text)


@cache
def _constant_sentences(text: str) -> Prose:
    """Read what is the same in every runbook, so that of hundreds it is read once."""
    return _read_sentences(text)


def _read_sentences(text: str) -> Prose:
    parts: list[str] = []
    for words, kind, characters in _PIECE.findall(text):
        part = words or _KINDS[kind](bytes.fromhex(characters).decode("utf-8", "surrogatepass"))
        if type(part) is str and parts and type(parts[-1]) is str:
            parts[-1] += part
        elif part or isinstance(part, Span):
            parts.append(part)
    return Prose(parts)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(CONTENT),
        autoescape=True,  # so that what a macro returns can be told from a plain string
        finalize=_finalize,
        undefined=StrictUndefined,
        auto_reload=False,
    )
    templates.globals |= {
        "wui": wui.NAMES,
        "ec2": ec2,
        "OK": OK,
        "BUSY": BUSY,
        "asking": asking,
        "command": shell_command,
    }
    templates.filters |= {
        "name": Name,
        "value": Value,
        "pasted": Pasted,
        "step_number": StepNumber,
        "counted": count,
        "duration": duration,
        "listing": _listing,
        "comma": _comma,
    }
    return templates


@pass_context  # with it no constant is written before it has its mark
def _finalize(_context: Context, value: object) -> Markup:
    return mark(value)


def _listing(values: Sequence[object]) -> Markup:
    """Join as a sentence does: one, two and three."""
    *first, last = map(mark, values)
    return Markup(" and ").join((Markup(", ").join(first), last)) if first else last


def _comma(loop: LoopContext) -> str:
    """Return what stands after this turn of a loop whose turns are joined as :func:`_listing` joins."""
    return {1: "", 2: " and "}.get(loop.revindex, ", ")
