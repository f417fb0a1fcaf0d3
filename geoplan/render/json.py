"""The plan as JSON: one line for each site, cluster and step, so that a diff of two plans is read by lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.base import json_of

if TYPE_CHECKING:
    from geoplan.plan.model import Plan


def render(plan: Plan) -> str:
    """Return a plan that ``Plan.model_validate_json`` reads back to an equal one."""
    fields = (b'  "%s": %s' % (key.encode(), _value(getattr(plan, key))) for key in plan.written_fields)
    return (b"{\n" + b",\n".join(fields) + b"\n}\n").decode()


def _value(value: object) -> bytes:
    if isinstance(value, tuple) and value:
        return b"[\n    " + b",\n    ".join(map(json_of, value)) + b"\n  ]"
    return json_of(value)
