"""The plan as JSON: one line for each site, cluster and step, so that a diff of two plans is read by lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import to_json

if TYPE_CHECKING:
    from geoplan.plan.model import Plan


def render(plan: Plan) -> str:
    """Return a plan that ``Plan.model_validate_json`` reads back to an equal one."""
    fields = (f'  "{key}": {_value(getattr(plan, key))}' for key in type(plan).model_fields)
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _value(value: object) -> str:
    if isinstance(value, tuple) and value:
        return "[\n" + ",\n".join(f"    {to_json(entry).decode()}" for entry in value) + "\n  ]"
    return to_json(value).decode()
