"""``geoplan compare``."""

from __future__ import annotations

import json

import click

from geoplan.cli.files import load_plan, read_text
from geoplan.cli.formats import format_option
from geoplan.cli.options import Command, InputFile, topology_argument
from geoplan.files import display_name
from geoplan.wording import count, shown


@click.command("compare", cls=Command)
@topology_argument
@click.argument("recorded", metavar="RECORDED", type=InputFile())
@click.option("--ordered", is_flag=True, help="Compare the order as well, as in the document's example.")
@format_option("compare")
def command(path: str, recorded: str, output_format: str, *, ordered: bool) -> int:
    """Compare the plan's lists with recorded ones. Exit 1 if they differ.

    RECORDED has the layout of the document's example: for each site its name, its units and its two lists, as
    'geoplan plan --format lists' prints them.
    """
    from geoplan.plan.recorded import compare, read_recorded

    plan = load_plan(path, "geo")
    differences = compare(plan, read_recorded(read_text(recorded), display_name(recorded)), ordered=ordered)
    if output_format == "json":
        from dataclasses import asdict

        report = {"format": "geoplan/differences/1", "differences": [asdict(difference) for difference in differences]}
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
    elif differences:
        for difference in differences:
            click.echo(shown(str(difference)))
    else:
        lists = count(len(plan.sites), "site")
        click.echo(f"{shown(display_name(recorded))}: the lists of {lists} match the plan")
    return 1 if differences else 0
