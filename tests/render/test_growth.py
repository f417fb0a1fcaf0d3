"""Every way to show a plan grows with what it shows; counted, so that a busy machine changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from geoplan import Plan, Topology, make_plan
from geoplan.render import json as json_format
from geoplan.render import lists, markdown, text
from geoplan.render import yaml as yaml_format
from geoplan.render.diagram import dot, mermaid, svg
from geoplan.render.runbook import html
from geoplan.render.runbook import markdown as runbook_markdown
from geoplan.topology.api import apis_of
from tests.growth import growth_of_calls
from tests.topologies import topology_of_groups

SMALL, LARGE = 20, 80


RENDERERS: dict[str, Callable[[Plan, Topology], object]] = {
    "text": lambda plan, _: text.render(plan),
    "lists": lambda plan, _: lists.render(plan),
    "json": lambda plan, _: json_format.render(plan),
    "yaml": lambda plan, _: yaml_format.render(plan),
    "markdown": lambda plan, _: markdown.render(plan),
    "svg": lambda plan, _: svg.render(plan),
    "mermaid": lambda plan, _: mermaid.render(plan),
    "dot": lambda plan, _: dot.render(plan),
    "runbook": lambda plan, topology: runbook_markdown.render(plan, apis_of(topology)),
    "runbook in HTML": lambda plan, topology: html.render(plan, apis_of(topology)),
}


@pytest.mark.parametrize("renderer", RENDERERS)
def test_work_of_showing_a_plan_grows_with_its_groups(renderer: str) -> None:
    topologies = {groups: topology_of_groups(groups) for groups in (SMALL, LARGE)}
    plans = {groups: (make_plan(topology), topology) for groups, topology in topologies.items()}
    grown = growth_of_calls(lambda groups: RENDERERS[renderer](*plans[groups]), small=SMALL, large=LARGE)
    assert grown < 1.1 * LARGE / SMALL
