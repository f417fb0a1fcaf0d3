"""``geoplan check``."""

from __future__ import annotations

import click

from geoplan.cli.formats import format_option
from geoplan.cli.options import EMPTY, Command, topology_argument
from geoplan.files import display_name


def _explain(ctx: click.Context, _: click.Parameter, code: str | None) -> None:
    if code is None or ctx.resilient_parsing:
        return
    if not code:
        raise click.BadParameter(EMPTY, ctx=ctx)
    from geoplan.topology.codes import CODES, explain

    full = f"GEO{code}" if code.isdigit() else code.upper()
    if full not in CODES:
        codes = list(CODES)
        raise click.BadParameter(
            f"no diagnostic has the code '{code}'. Codes run from {codes[0]} to {codes[-1]}.", ctx=ctx
        )
    click.echo(explain(full))
    ctx.exit()


@click.command("check", cls=Command)
@topology_argument
@format_option("check")
@click.option(
    "--explain",
    metavar="GEOnnn",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Explain a diagnostic's code: what it means, why it matters, and its source.",
)
def command(path: str, output_format: str) -> int:
    """Check a topology file and show every error and warning. Exit 1 on an error; warnings alone exit 0."""
    from geoplan.diagnostics import as_json, as_text, summary
    from geoplan.topology.loader import check_topology

    checked = check_topology(path)
    if output_format == "json":
        click.echo(as_json(checked.diagnostics))
    else:
        if checked.diagnostics:
            click.echo(as_text(checked.diagnostics))
        click.echo(summary(checked.diagnostics, display_name(path)))
    return 0 if checked.topology else 1
