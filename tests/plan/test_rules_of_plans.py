"""What holds for the plan of every topology."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from itertools import pairwise

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import Plan, Topology, make_plan
from geoplan.plan.model import Action
from geoplan.render import json as json_format
from geoplan.render import lists, text
from geoplan.render import yaml as yaml_format
from geoplan.topology.types import parse_address
from tests.topologies import topologies


def shown_addresses(topology: Topology, site: str) -> set[str]:
    (found,) = (candidate for candidate in topology.sites if candidate.name == site)
    return {unit.nat_address or unit.address for unit in found.units}


def own_address(topology: Topology, site: str) -> str:
    (found,) = (candidate for candidate in topology.sites if candidate.name == site)
    unit = found.ha_pair.master if found.ha_pair else found.standalone
    assert unit is not None
    return unit.address


def extra_access(topology: Topology, site: str) -> tuple[str, ...]:
    (found,) = (candidate for candidate in topology.sites if candidate.name == site)
    return found.extra_remote_geo_access


@given(topologies())
def test_partners_are_mutual_within_a_group_and_only_there(topology: Topology) -> None:
    plan = make_plan(topology)
    for one in plan.sites:
        for other in plan.sites:
            named = shown_addresses(topology, other.name) <= set(one.geo_partners)
            named_back = shown_addresses(topology, one.name) <= set(other.geo_partners)
            assert named == named_back == (one.group == other.group and one.name != other.name)


@given(topologies())
def test_partners_name_all_units_of_the_other_sites_of_the_group_and_nothing_else(topology: Topology) -> None:
    plan = make_plan(topology)
    for site in plan.sites:
        others = [other.name for other in plan.sites if other.group == site.group and other.name != site.name]
        assert set(site.geo_partners) == {address for other in others for address in shown_addresses(topology, other)}
        assert len(site.geo_partners) == len(set(site.geo_partners))


@given(topologies())
def test_access_is_partners_plus_the_own_address_plus_extras(topology: Topology) -> None:
    for site in make_plan(topology).sites:
        access, extras = list(site.remote_geo_access), extra_access(topology, site.name)
        assert tuple(access[len(access) - len(extras) :]) == extras
        access = access[: len(access) - len(extras)]
        access.remove(own_address(topology, site.name))
        assert tuple(access) == site.geo_partners


@given(topologies())
def test_no_site_names_its_own_units_as_partners(topology: Topology) -> None:
    for site in make_plan(topology).sites:
        own = {address for unit in site.units for address in (unit.address, unit.nat_address)}
        assert not own & set(site.geo_partners)


@given(topologies())
def test_lists_of_a_group_follow_one_order(topology: Topology) -> None:
    plan = make_plan(topology)
    pairs = [site for site in plan.sites if site.kind == "ha_pair"]
    standalones = [site for site in plan.sites if site.kind == "standalone"]
    position: dict[str, tuple[int, int, int]] = {}
    for rank, site in enumerate([*reversed(pairs), *standalones]):
        for unit in site.units:
            address = parse_address(unit.nat_address or unit.address)
            position[unit.nat_address or unit.address] = (rank, address.version, int(address))
    for site in plan.sites:
        assert list(site.geo_partners) == sorted(site.geo_partners, key=position.__getitem__)


@given(topologies())
def test_each_site_has_one_cluster_by_its_masters_or_only_address(topology: Topology) -> None:
    plan = make_plan(topology)
    assert sorted(cluster.site for cluster in plan.clusters) == sorted(site.name for site in plan.sites)
    for cluster in plan.clusters:
        unit = plan.site(cluster.site).units[0]
        assert unit.role in {"master", "standalone"}
        assert cluster.address == (unit.nat_address or unit.address)
        assert cluster.group == plan.site(cluster.site).group
        assert cluster.type == "Remote LM"


@given(topologies())
def test_every_step_comes_behind_what_it_waits_for(topology: Topology) -> None:
    done: set[str] = set()
    for number, step in enumerate(make_plan(topology).steps, start=1):
        assert step.number == number
        assert set(step.after) <= done
        assert step.id not in done
        done.add(step.id)


@given(topologies())
def test_each_site_has_exactly_its_steps(topology: Topology) -> None:
    plan = make_plan(topology)
    actions: dict[str, list[Action]] = defaultdict(list)
    for step in plan.steps:
        actions[step.site].append(step.action)
    for group in plan.groups:
        has_pair = any(plan.site(name).kind == "ha_pair" for name in group.sites)
        for name in group.sites:
            wanted = [Action.SET_GEO_PARTNERS, Action.SET_REMOTE_GEO_ACCESS]
            if len(group.sites) > 1:
                wanted.reverse()
                if plan.site(name).kind == "ha_pair":
                    wanted.append(Action.REBOOT_MASTER)
                if has_pair:
                    wanted.append(Action.RESUBMIT_GEO_PARTNERS)
            assert actions[name] == [*wanted, Action.ADD_CLUSTER]


@given(topologies())
def test_the_partners_of_a_site_alone_are_emptied_and_first(topology: Topology) -> None:
    plan = make_plan(topology)
    numbers = {(step.site, step.action): step.number for step in plan.steps}
    for site in plan.sites:
        partners, access = numbers[site.name, Action.SET_GEO_PARTNERS], numbers[site.name, Action.SET_REMOTE_GEO_ACCESS]
        assert (partners < access) == (not site.geo_partners)


@given(topologies())
def test_between_two_reboots_of_a_group_stands_the_first_ones_resubmission(topology: Topology) -> None:
    plan = make_plan(topology)
    for group in plan.groups:
        steps = [step for step in plan.steps if plan.site(step.site).group == group.name]
        reboots = [index for index, step in enumerate(steps) if step.action is Action.REBOOT_MASTER]
        for first, second in pairwise([*reboots, len(steps)]):
            between = [(step.action, step.site) for step in steps[first:second]]
            assert (Action.RESUBMIT_GEO_PARTNERS, steps[first].site) in between
        if reboots:
            lists_entered = {step.site for step in steps[: reboots[0]] if step.action is Action.SET_GEO_PARTNERS}
            assert lists_entered == set(group.sites)


@given(topologies())
def test_steps_are_done_on_the_units_of_the_design(topology: Topology) -> None:
    plan = make_plan(topology)
    units = {
        Action.SET_REMOTE_GEO_ACCESS: "active",
        Action.SET_GEO_PARTNERS: "active",
        Action.REBOOT_MASTER: "master",
        Action.RESUBMIT_GEO_PARTNERS: "new_active",
        Action.ADD_CLUSTER: "active",
    }
    for step in plan.steps:
        on = plan.site(step.on.site)
        assert step.on.unit == (units[step.action] if on.kind == "ha_pair" else "standalone")
        assert on.group == plan.site(step.site).group
        assert (on.name == step.site) or step.action is Action.ADD_CLUSTER
    for group in plan.groups:
        hosts = {step.on.site for step in plan.steps if step.action is Action.ADD_CLUSTER and step.site in group.sites}
        pairs = [name for name in group.sites if plan.site(name).kind == "ha_pair"]
        assert hosts == {[*pairs, *group.sites][0]}


@given(topologies())
def test_number_of_edges_grows_linearly(topology: Topology) -> None:
    plan = make_plan(topology)
    assert sum(len(step.after) for step in plan.steps) <= 2 * len(plan.steps)


@given(topologies())
def test_estimates(topology: Topology) -> None:
    plan = make_plan(topology)
    reboots = {
        group.name: sum(
            step.action is Action.REBOOT_MASTER for step in plan.steps if plan.site(step.site).group == group.name
        )
        for group in plan.groups
    }
    assert plan.estimates.by_api_seconds == 240 * sum(reboots.values())
    assert plan.estimates.by_hand_seconds == 240 * sum(reboots.values()) + 60 * len(plan.steps)
    assert plan.estimates.longest_chain_seconds == 240 * max(reboots.values())


@settings(max_examples=30)
@given(topologies())
def test_same_topology_gives_the_same_bytes(topology: Topology) -> None:
    again = Topology.model_validate_json(topology.model_dump_json())
    for form in (json_format, yaml_format, lists, text):
        assert form.render(make_plan(topology)) == form.render(make_plan(again))


@given(topologies(), st.randoms(use_true_random=False))
def test_another_order_of_sites_changes_the_order_of_lists_but_not_the_sets(topology: Topology, random: object) -> None:
    shuffled_sites = list(topology.sites)
    random.shuffle(shuffled_sites)  # type: ignore[attr-defined]
    shuffled = topology.model_copy(update={"sites": tuple(shuffled_sites)})
    plan, other = make_plan(topology), make_plan(shuffled)
    for site in plan.sites:
        assert set(site.remote_geo_access) == set(other.site(site.name).remote_geo_access)
        assert set(site.geo_partners) == set(other.site(site.name).geo_partners)
    assert {cluster.model_dump_json() for cluster in plan.clusters} == {c.model_dump_json() for c in other.clusters}


@settings(max_examples=30)
@given(topologies())
def test_plan_is_read_back_from_json_and_yaml(topology: Topology) -> None:
    plan = make_plan(topology)
    assert Plan.model_validate_json(json_format.render(plan)) == plan
    assert Plan.model_validate(yaml.safe_load(yaml_format.render(plan))) == plan


@given(topologies())
def test_checksum_is_that_of_the_design(topology: Topology) -> None:
    plan = make_plan(topology)
    document = json.loads(json_format.render(plan))
    for key in ("topology", "checksum", "estimates"):
        del document[key]
    for step in document["steps"]:
        del step["why"], step["note"]
    compact = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    assert plan.checksum == "sha256:" + hashlib.sha256(compact.encode()).hexdigest()


@settings(max_examples=50)
@given(topologies(with_groups=False), st.data())
def test_ids_stay_when_a_site_is_added_behind_the_others(topology: Topology, data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, len(topology.sites)))
    smaller = topology.model_copy(update={"sites": topology.sites[:kept]})
    ids = {(step.site, step.action): step.id for step in make_plan(topology).steps}
    for step in make_plan(smaller).steps:
        assert ids[step.site, step.action] == step.id
