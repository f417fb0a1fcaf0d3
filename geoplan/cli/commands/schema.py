"""``geoplan schema``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import write
from geoplan.cli.options import Command, output_option

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@click.command("schema", cls=Command)
@click.argument("subject", type=click.Choice(["topology", "plan"]))
@output_option
def command(subject: str, output: str | None) -> None:
    """Print the JSON Schema of topology files or of plans.

    Editors that know YAML check a topology as you type if its first line names the schema file:

    \b
        # yaml-language-server: $schema=topology.schema.json
    """  # noqa: D301 - click's mark for a paragraph that keeps its lines
    schema = {"$schema": DIALECT, **_model(subject).model_json_schema()}
    write(json.dumps(schema, indent=2, ensure_ascii=False), output)


def _model(subject: str) -> type[BaseModel]:
    if subject == "topology":
        from geoplan.topology.model import Topology

        return Topology
    from geoplan.plan.model import Plan

    return Plan
