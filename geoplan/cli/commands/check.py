"""``geoplan check``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from geoplan.cli.formats import format_option
from geoplan.cli.options import EMPTY, Command, topologies_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.topology.checks import CheckedFile


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


EPILOG = """
\b
  geoplan check my.yaml
  geoplan check sites/*.yaml --format sarif > geoplan.sarif
"""


@click.command("check", cls=Command, epilog=EPILOG)
@topologies_argument
@format_option("check")
@click.option(
    "--explain",
    metavar="GEOnnn",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Explain a diagnostic's code: what it means, why it matters, and its source.",
)
def command(paths: tuple[str, ...], output_format: str) -> int:
    """Check topology files and show every error and warning. Exit 1 on an error; warnings alone exit 0.

    Each file is checked by itself. One that cannot be read keeps no other from being checked, and exits 2.
    """
    from geoplan.topology.checks import check_files, raise_unreadable

    files = check_files(paths)
    if output_format == "text":
        _show(files)
    elif output_format == "json":
        _show_json(files)
    else:
        click.echo(import_module(f"geoplan.render.checks.{output_format}").render(files), nl=False)
    raise_unreadable(files)
    return 0 if all(file.is_usable for file in files) else 1


def _show(files: Sequence[CheckedFile]) -> None:
    from geoplan.diagnostics import as_text, summary
    from geoplan.topology.checks import summary_of_all

    for file in files:
        if file.diagnostics:
            click.echo(as_text(file.diagnostics))
        if not file.unreadable:
            click.echo(summary(file.diagnostics, file.path))
    if len(files) > 1:
        click.echo(summary_of_all(files))


def _show_json(files: Sequence[CheckedFile]) -> None:
    from geoplan.diagnostics import as_json
    from geoplan.topology.checks import as_json_of_all

    if len(files) > 1:
        click.echo(as_json_of_all(files))
    elif not files[0].unreadable:
        click.echo(as_json(files[0].diagnostics))
