"""Topologies whose runbooks are read by several tests."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from geoplan import Plan, Topology, make_plan
from geoplan.plan.model import Phase
from geoplan.render.runbook import html, markdown, terminal
from geoplan.render.runbook.build import build
from geoplan.render.runbook.model import Runbook
from geoplan.topology.api import UnitApi, url_of, usual_port

HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "| x |",
    r"a\|b",
    "`y`",
    "``` x",
    "*b* _c_ __d__ ~~e~~",
    "[a](https://example.invalid)",
    "![a](https://example.invalid)",
    "# h",
    "- [ ] x",
    "[ ] x",
    "1. x",
    "> x",
    "\\",
    "@user",
    "&amp; &#60;",
    "~~~",
    ":smile:",
    "https://example.invalid/x",
    "www.example.invalid",
    "a@example.invalid",
    '" onclick="alert(1)" x=\'',
    "{{ 7 * 7 }} {% raw %}",
    "]]> --> <!--",
    "</style></script></textarea>",
    "step 1 {}",
    "=== ---",
    "שלום",
)


def usual_apis(plan: Plan) -> dict[str, UnitApi]:
    """Return the APIs of a plan's units, as of a topology that says nothing of them."""
    in_aws = {pair.site for pair in plan.ha_pairs if pair.load_balancer}
    return {
        unit.address: UnitApi(url_of(unit.address, usual.port), *usual, usual.port)
        for site in plan.sites
        for usual in [usual_port(of_topology=None, of_site=None, in_aws=site.name in in_aws)]
        for unit in site.units
    }


def book_of(plan: Plan) -> Runbook:
    """Build the runbook of a plan whose units have the usual APIs."""
    return build(plan, usual_apis(plan))


def as_markdown(plan: Plan, **options: bool) -> str:
    """Write it as Markdown."""
    return markdown.render(plan, usual_apis(plan), **options)


def as_page(plan: Plan) -> str:
    """Write it as an HTML page."""
    return html.render(plan, usual_apis(plan))


def on_terminal(plan: Plan, **options: Any) -> str:
    """Write it for a terminal."""
    return terminal.render(plan, usual_apis(plan), **options)


def two_sites(
    pair: str,
    standalone: str,
    *,
    name: str = "topology",
    group: str | None = None,
    phases: Collection[Phase] | None = None,
) -> Plan:
    """Plan a pair and a standalone that carry these names."""
    sites = [
        {"name": pair, "ha_pair": {"master": "10.0.0.5", "slave": "10.0.0.6"}},
        {"name": standalone, "standalone": "10.0.0.9"},
    ]
    groups = {group: [pair], "others": [standalone]} if group else None
    return make_plan(Topology.model_validate({"name": name, "sites": sites, "groups": groups}), phases)


def behind_balancer(pair: str, *, tag: str = "shop", phases: Collection[Phase] = tuple(Phase)) -> Plan:
    """Plan a pair of this name behind its load balancer, with a tag, and a standalone."""
    aws = {
        "region": "eu-west-1",
        "vpc_id": "vpc-0a1b2c3d",
        "subnets": [{"subnet_id": "subnet-0a1b2c3d"}, {"subnet_id": "subnet-0a1b2c3e"}],
        "listeners": [{"protocol": "TCP_UDP", "port": 53}],
        "tags": {"Service": tag},
    }
    sites = [
        {"name": pair, "ha_pair": {"master": "10.0.0.5", "slave": "10.0.0.6", "aws": aws}},
        {"name": "Plain", "standalone": "10.0.0.9"},
    ]
    return make_plan(Topology.model_validate({"name": "topology", "sites": sites}), phases)


def hostile_plan(index: int) -> Plan:
    """Plan two sites of which one, like the topology, has a hostile name."""
    return two_sites(HOSTILE_NAMES[index], "Plain", name=HOSTILE_NAMES[index])


def plain_plan() -> Plan:
    """Plan the same two sites with names that hold nothing special."""
    return two_sites("Quiet", "Plain", name="Quiet")


def eighteen_sites() -> Plan:
    """Plan twelve pairs, every other one without a preferred host, and six standalones, some of them IPv6."""
    sites: list[dict[str, object]] = [
        {
            "name": f"Pair {number}",
            "ha_pair": {
                "master": f"10.{number}.0.5",
                "slave": f"10.{number}.1.5",
                "preferred_host": "none" if number % 2 else "master",
            },
        }
        for number in range(12)
    ]
    sites += [{"name": f"Alone {number}", "standalone": f"2001:db8:{number}::5"} for number in range(6)]
    return make_plan(Topology.model_validate({"name": "eighteen", "sites": sites}))
