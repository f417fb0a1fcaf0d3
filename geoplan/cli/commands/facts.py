"""``geoplan facts``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import Command, output_option
from geoplan.cli.output import show_laid_out, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.vendor import Fact

HEADINGS = ("Fact", "Value", "Meaning", "Confirmed", "Source", "Variants", "Held by")


@click.command("facts", cls=Command)
@format_option("facts")
@output_option
def command(output_format: str | None, output: str | None) -> None:
    """List what geoplan assumes of LoadMasters: ports, limits, firmware, names in the web interface.

    Each fact has its source and, in JSON and Markdown, the test that fails when geoplan no longer goes by it.
    Confirmed means that the vendor's guides say so and nothing contradicts it. The rest is hearsay or a conclusion.
    A variant of the lab has units that contradict the fact: geoplan lab --variant NAME.
    """
    from geoplan.vendor import FACTS

    match chosen_format("facts", output_format, output):
        case "json":
            facts = [fact._asdict() | {"value": fact.shown, "variants": _variants(fact)} for fact in FACTS]
            write(json.dumps({"format": "geoplan/facts/1", "facts": facts}, ensure_ascii=False, indent=2), output)
        case "markdown":
            write(_markdown(FACTS), output)
        case _:
            if output is None:
                width, color = terminal()
                show_laid_out(_table(FACTS, width, color), color=color)
            else:
                write(_table(FACTS, 120, False), output)  # noqa: FBT003 - no colour


def _cells(fact: Fact) -> tuple[str, ...]:
    confirmed = "yes" if fact.confirmed else "no"
    return fact.name, fact.shown, fact.meaning, confirmed, fact.source, ", ".join(_variants(fact)), fact.held_by


def _variants(fact: Fact) -> list[str]:
    """Return the variants of the lab whose units contradict a fact."""
    from geoplan.lab.variants import Variant

    return [variant.value for variant in Variant if variant.fact == fact.name]


def _markdown(facts: Sequence[Fact]) -> str:
    rows = (HEADINGS, ("---",) * len(HEADINGS), *map(_cells, facts))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _table(facts: Sequence[Fact], width: int, color: bool) -> str:  # noqa: FBT001 - as the terminal says
    from geoplan.console import laid_out
    from geoplan.render.text import table

    shown = table(*HEADINGS[:-2])  # the names of tests are too long for a terminal
    for fact in facts:
        name, value, meaning, confirmed, source, variants, _ = _cells(fact)
        shown.add_row(name, value, f"{meaning}\nlab --variant {variants}" if variants else meaning, confirmed, source)
    return laid_out([shown], width=width, color=color)
