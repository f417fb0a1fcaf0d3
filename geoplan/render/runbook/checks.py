"""The overview and the checks before the first step and after the last, read from their files of ``content/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.render.runbook import content
from geoplan.render.runbook.model import Check, Fact, Item, UnitState
from geoplan.render.runbook.prose import Label, Prose

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.render.runbook.content import Section
    from geoplan.render.runbook.context import RunbookContext


def overview(context: RunbookContext) -> Mapping[str, Section]:
    """Return what stands above all: ``Summary``, ``Facts``, ``Handing over``, ``How to tell`` and ``States``."""
    return content.render("overview", {"runbook": context, "plan": context.plan})


def facts(section: Section) -> Iterator[Fact]:
    """Yield the lines of the overview, each written ``LABEL: TEXT``."""
    for first, *rest in section.items:
        label, _, text = first.partition(": ")
        yield Fact(label, Prose((text, *rest)) if text else Prose(rest))


def states(section: Section) -> Iterator[UnitState]:
    """Yield what a unit can show of itself, each written ``LABEL: TEXT``."""
    for shown, text, *rest in section.items:
        yield UnitState(Label(shown), Prose((text.removeprefix(": "), *rest)))


def before_you_begin(context: RunbookContext) -> tuple[Check, ...]:
    """Return what has to be true before the first step."""
    return _checks("before", context)


def verify(context: RunbookContext) -> tuple[Check, ...]:
    """Return what shows that all of it worked."""
    return _checks("verify", context)


def _checks(name: str, context: RunbookContext) -> tuple[Check, ...]:
    sections = content.render(name, {"runbook": context, "plan": context.plan})
    return tuple(_check(heading, section) for heading, section in sections.items())


def _check(identifier: str, section: Section) -> Check:
    """Read one check: an item ``tick: ID WORDS`` is ticked by itself, one ``blank: WORDS`` filled in by hand."""
    lines: list[Prose] = []
    items: list[Item] = []
    blank: str | None = None
    for line in section.items:
        match line[0].split(" ", 2):
            case ["tick:", name, words]:
                items.append(Item(name, Prose((words, *line[1:]))))
            case ["blank:", *words]:
                blank = " ".join(words)
            case _:
                lines.append(line)
    return Check(identifier, section.text, tuple(lines), tuple(items), blank)
