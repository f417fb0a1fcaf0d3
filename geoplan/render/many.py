"""Several plans in one output, in their order: of programs' formats each with its file."""

from __future__ import annotations

import json as plain_json
from typing import TYPE_CHECKING

from geoplan.render import json, markdown, yaml
from geoplan.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from geoplan.plan.model import Plan

FORMAT = "geoplan/plans/1"


def render_json(plans: Iterable[tuple[str, Plan]]) -> str:
    """Return an object whose ``plans`` have the path and the plan of each file."""
    each = (
        f'  {{"path": {plain_json.dumps(path, ensure_ascii=False)}, "plan": {json.render(plan).rstrip()}}}'
        for path, plan in plans
    )
    listed = ",\n".join(each)
    return f'{{\n"format": "{FORMAT}",\n"plans": [\n{listed}\n]\n}}\n'


def render_yaml(plans: Iterable[tuple[str, Plan]]) -> str:
    """Return a stream with a document for each plan, and its file in a comment."""
    return "".join(f"---  # {shown(path)}\n{yaml.render(plan)}" for path, plan in plans)


def render_markdown(plans: Iterable[tuple[str, Plan]]) -> str:
    """Return the reviews one after the other."""
    return "\n".join(markdown.render(plan) for _, plan in plans)


RENDERERS: Mapping[str, Callable[[Sequence[tuple[str, Plan]]], str]] = {
    "json": render_json,
    "yaml": render_yaml,
    "markdown": render_markdown,
}
"""The formats beside text; in lists nothing would say whose they are."""
