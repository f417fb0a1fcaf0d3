"""What holds for the plan of every change."""

from __future__ import annotations

import json
from random import Random

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import Plan, Topology, make_plan
from geoplan.addresses import canonical
from geoplan.plan.change import make_change
from geoplan.plan.model import Action, Phase, Step
from geoplan.render import json as json_format
from geoplan.render import yaml as yaml_format
from tests.plan.changes import Drawn, possible_changes, walk
from tests.topologies import topologies

MOST_PAIRS = 3


def ancestors(plan: Plan) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for step in plan.steps:
        found[step.id] = {*step.after, *(earlier for name in step.after for earlier in found[name])}
    return found


def in_another_order(plan: Plan, random: Random) -> list[Step]:
    """Return the steps in any order in which each comes after what it waits for."""
    left, done, order = list(plan.steps), set[str](), []
    while left:
        step = random.choice([step for step in left if done.issuperset(step.after)])
        left.remove(step)
        done.add(step.id)
        order.append(step)
    return order


def site_of(plan: Plan, action: Action) -> list[str]:
    return [step.site for step in plan.steps if step.action is action]


@given(possible_changes())
def test_steps_lead_to_what_a_fresh_push_leads_to(change: tuple[Drawn, Plan]) -> None:
    drawn, plan = change
    walk(plan).require_end()

    fresh = make_plan(drawn.new, (Phase.GEO,))
    assert plan.clusters == fresh.clusters
    assert {site.name: site for site in fresh.sites}.items() <= {site.name: site for site in plan.sites}.items()


@given(possible_changes(max_sites=6), st.randoms(use_true_random=False))
def test_any_order_that_keeps_what_waits_for_what_will_do(change: tuple[Drawn, Plan], random: Random) -> None:
    _, plan = change
    walk(plan, in_another_order(plan, random)).require_end()


@given(possible_changes())
def test_ids_are_unique_and_each_step_comes_after_what_it_waits_for(change: tuple[Drawn, Plan]) -> None:
    drawn, plan = change
    numbers = {step.id: step.number for step in plan.steps}

    assert [step.number for step in plan.steps] == list(range(1, len(numbers) + 1))
    assert all(numbers[name] < step.number for step in plan.steps for name in step.after)
    assert drawn.plan() == plan


@given(possible_changes())
def test_lists_shrink_with_partners_first_and_grow_with_access_first(change: tuple[Drawn, Plan]) -> None:
    _, plan = change
    before = ancestors(plan)
    ids = {(step.site, step.action): step.id for step in plan.steps}
    for first, second in (
        (Action.REMOVE_GEO_PARTNERS, Action.REMOVE_REMOTE_GEO_ACCESS),
        (Action.REMOVE_GEO_PARTNERS, Action.SET_GEO_PARTNERS),
        (Action.REMOVE_REMOTE_GEO_ACCESS, Action.SET_REMOTE_GEO_ACCESS),
    ):
        for site in site_of(plan, second):
            if (site, first) in ids:
                assert ids[site, first] in before[ids[site, second]]
    for site in site_of(plan, Action.SET_GEO_PARTNERS):
        assert plan.change
        if plan.change.old_site(site) and (site, Action.SET_REMOTE_GEO_ACCESS) in ids:
            assert ids[site, Action.SET_REMOTE_GEO_ACCESS] in before[ids[site, Action.SET_GEO_PARTNERS]]


@given(possible_changes())
def test_nothing_is_deleted_before_both_sides_are_unlinked_verified_and_probed(change: tuple[Drawn, Plan]) -> None:
    _, plan = change
    assert plan.change
    before = ancestors(plan)
    ids = {(step.site, step.action): step.id for step in plan.steps}
    shrinks = (Action.REMOVE_GEO_PARTNERS, Action.REMOVE_REMOTE_GEO_ACCESS)
    for step in plan.steps:
        part = plan.change.part_of(step.site)
        if part is None or step.action not in {
            Action.PROBE_UNLINKED,
            Action.DELETE_CLUSTER,
            Action.DELETE_OTHER_CLUSTERS,
        }:
            continue
        own_group = (*part.sites, *part.others)
        needed = {ids[site, action] for site in own_group for action in shrinks if (site, action) in ids}
        needed |= {ids[site, Action.VERIFY_UNLINKED] for site in own_group if site not in part.stay}
        if step.action is not Action.PROBE_UNLINKED:
            needed |= {ids[site, Action.PROBE_UNLINKED] for site in part.sites}
        assert part.stay, "the clusters of a group's last sites are never deleted"
        assert needed <= before[step.id]


@given(possible_changes())
def test_what_a_group_loses_is_gone_before_anything_joins_it(change: tuple[Drawn, Plan]) -> None:
    _, plan = change
    assert plan.change
    before = ancestors(plan)
    leaves = {Action.REMOVE_GEO_PARTNERS, Action.VERIFY_UNLINKED, Action.PROBE_UNLINKED, Action.DELETE_OTHER_CLUSTERS}
    for step in plan.steps:
        if step.action is not Action.SEED_GEO_CONFIGURATION:
            continue
        groups = {
            old.group
            for site in plan.sites_of(plan.site(step.site).group)
            if (old := plan.change.old_site(site.name)) is not None
        }
        for other in plan.steps:
            old = plan.change.old_site(other.site)
            if other.action in leaves and old and old.group in groups:
                assert other.id in before[step.id]


@given(possible_changes())
def test_pairs_that_gain_partners_or_have_a_new_unit_are_rebooted_and_no_others(change: tuple[Drawn, Plan]) -> None:
    drawn, plan = change
    assert plan.change
    replaced = set(map(canonical, drawn.replaced))
    expected = []
    for site in plan.sites:
        if site.kind != "ha_pair" or not site.geo_partners:
            continue
        old = plan.change.old_site(site.name)
        had = set(map(canonical, old.geo_partners)) if old else set()
        known = {canonical(unit.address) for unit in old.units} if old else set()
        units = {canonical(unit.address) for unit in site.units}
        if set(map(canonical, site.geo_partners)) - had or units - known or units & replaced:
            expected.append(site.name)

    assert sorted(site_of(plan, Action.REBOOT_MASTER)) == sorted(expected)


@given(possible_changes(max_sites=5))
def test_no_reboot_can_be_left_out(change: tuple[Drawn, Plan]) -> None:
    _, plan = change
    reboots = site_of(plan, Action.REBOOT_MASTER)
    if len(reboots) > MOST_PAIRS:
        return
    for site in reboots:
        world = walk(
            plan,
            [
                step
                for step in plan.steps
                if step.site != site or step.action not in {Action.REBOOT_MASTER, Action.RESUBMIT_GEO_PARTNERS}
            ],
        )
        world.rebooted.append(site)  # or its slave's links with new boxes would count as not known
        master, slave = world.boxes[site]
        assert any(slave.shown in link for link in world.missing_links()) or master.is_new


@given(possible_changes())
def test_edges_grow_linearly(change: tuple[Drawn, Plan]) -> None:
    _, plan = change
    assert sum(len(step.after) for step in plan.steps) <= 3 * len(plan.steps)


@given(possible_changes(max_sites=5))
@settings(max_examples=50)
def test_change_is_read_back_to_an_equal_one(change: tuple[Drawn, Plan]) -> None:
    _, plan = change
    assert Plan.model_validate_json(json_format.render(plan)) == plan
    assert Plan.model_validate(yaml.safe_load(yaml_format.render(plan))) == plan


@given(topologies(max_sites=6))
def test_plan_of_no_change_says_nothing_of_one(topology: Topology) -> None:
    assert "change" not in json.loads(json_format.render(make_plan(topology)))


@given(topologies(max_sites=12))
def test_nothing_leads_from_a_topology_to_itself(topology: Topology) -> None:
    plan = make_change(topology, make_plan(topology, (Phase.GEO,)))

    assert plan.steps == ()
    assert plan.change
    assert (plan.change.leaving, plan.change.parts, plan.change.joined, plan.change.interim) == ((), (), (), ())


@given(possible_changes(max_sites=6))
def test_what_a_change_leads_to_can_be_where_the_next_one_starts(change: tuple[Drawn, Plan]) -> None:
    drawn, plan = change
    assert make_change(drawn.new, plan).steps == ()
