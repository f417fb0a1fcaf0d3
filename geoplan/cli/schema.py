"""``geoplan schema``."""

from __future__ import annotations

import json

import click

from geoplan.cli.files import output_option, write

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@click.command("schema")
@click.argument("subject", type=click.Choice(["topology", "plan"]))
@output_option
def command(subject: str, output: str | None) -> None:
    """Print the JSON Schema of topology files or of plans.

    Editors that know YAML check a topology while it is written, when its first line names the schema's file:

    \b
        # yaml-language-server: $schema=topology.schema.json
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    if subject == "topology":
        from geoplan.topology.model import Topology as Model
    else:
        from geoplan.plan.model import Plan as Model  # type: ignore[assignment]

    schema = {"$schema": DIALECT, **Model.model_json_schema()}
    write(json.dumps(schema, indent=2, ensure_ascii=False), output)
