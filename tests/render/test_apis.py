"""A password is typed at the unit's own API and web interface, and at no other port, whatever the topology says."""

from __future__ import annotations

import re
import shlex
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import Plan, Topology, make_plan, make_upgrade
from geoplan.plan.model import Action, Phase
from geoplan.render import cloudformation
from geoplan.render.runbook import html, markdown, terminal
from geoplan.render.runbook.build import build
from geoplan.topology.api import api_of, apis_of
from geoplan.topology.slugs import slugs_of
from tests.render.templates import read
from tests.topologies import topologies

EC2 = "https://eu-west-1.console.aws.amazon.com/ec2/home"  # of the region in which drawn pairs are
few_sites = topologies(max_sites=3, with_apis=True)


def plans_of(topology: Topology) -> list[Plan]:
    """Plan everything that a runbook can be of."""
    units = [unit for site in topology.sites for unit in site.units]
    upgrade = make_upgrade(topology, "7.2.59.4", {unit.address: "7.2.48.4" for unit in units})
    has_pairs = any(site.ha_pair for site in topology.sites)
    return [make_plan(topology, [Phase.HA, Phase.GEO] if has_pairs else [Phase.GEO]), upgrade]


def urls_in(text: str) -> set[str]:
    """Return each HTTPS URL in a text, as far as its port."""
    found = set(re.findall(r"https://(?:\[[0-9a-fA-F:]*\]|[\w.-]*\w)(?::\d+)?(?:/ec2/home)?", text))
    return {url for url in found if "example.invalid" not in url}


@settings(max_examples=10, deadline=None)
@given(few_sites)
def test_every_url_of_a_runbook_is_that_of_one_of_its_units(topology: Topology) -> None:
    apis = apis_of(topology)
    own = {api.url for api in apis.values()} | {EC2}
    for plan in plans_of(topology):
        page = html.render(plan, apis)
        links = {unescape(link) for link in re.findall(r'href="(https://[^"]*)"', page)}
        assert {link.partition("?")[0] for link in links} <= own
        assert urls_in(unescape(page.partition("<script>")[0])) <= own
        assert urls_in(markdown.render(plan, apis, picture=False)) <= own
        assert urls_in(terminal.render(plan, apis, width=400)) <= own


@settings(max_examples=10, deadline=None)
@given(few_sites)
def test_every_step_is_logged_in_to_where_the_api_of_its_unit_is(topology: Topology) -> None:
    apis = apis_of(topology)
    for plan in plans_of(topology):
        steps = {step.number: step for step in plan.steps}
        for step in build(plan, apis).steps:
            if step.action is Action.CREATE_LOAD_BALANCER:
                assert step.login.url.startswith(EC2)
                continue
            units = plan.site(steps[step.number].on.site).units
            logins = [apis[unit.address].url for unit in units]
            assert step.login.url in logins
            on_slave = steps[step.number].on.unit in ("slave", "standby", "new_active")
            if len(units) > 1 and steps[step.number].on.unit in ("master", "slave", "standby", "new_active"):
                assert step.login.url == logins[on_slave]


@settings(max_examples=10, deadline=None)
@given(few_sites)
def test_every_command_that_asks_for_a_password_goes_to_the_slave_that_is_asked(topology: Topology) -> None:
    apis = apis_of(topology)
    for step in build(plans_of(topology)[0], apis).steps:
        if step.action is not Action.REBOOT_MASTER:
            continue
        commands = [str(part) for line in step.wait_before for part in line if str(part).startswith("curl")]
        site = next(each for each in topology.sites if each.name == step.title[0])
        assert [shlex.split(command)[-1].rpartition("/access/")[0] for command in commands] == [
            apis[site.units[1].address].url
        ] * 2


@settings(max_examples=10, deadline=None)
@given(few_sites, st.data())
def test_template_opens_the_port_of_the_api_on_each_unit_and_no_other(topology: Topology, data: st.DataObject) -> None:
    pairs = [site for site in topology.sites if site.ha_pair and site.ha_pair.aws]
    if not pairs:
        return
    site = data.draw(st.sampled_from(pairs))
    slugs = slugs_of(each.name for each in topology.sites)
    resources = read(cloudformation.render(topology, slugs[site.name]))["Resources"]

    for role, unit in zip(("Master", "Slave"), site.units, strict=True):
        rule = resources[f"{role}ApiFromOperator"]["Properties"]
        assert rule["FromPort"] == rule["ToPort"] == api_of(topology, site, unit).unit_port


@pytest.mark.parametrize("phases", [[Phase.HA], [Phase.GEO]])
def test_a_unit_of_the_plan_whose_api_is_not_known_is_no_reason_to_guess_one(phases: list[Phase]) -> None:
    topology = Topology.model_validate(
        {"sites": [{"name": "A", "ha_pair": {"master": "10.0.0.5", "slave": "10.0.0.6"}}]}
    )

    with pytest.raises(KeyError):
        build(make_plan(topology, phases), {})
