"""What a push changed, taken back: on paper."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import Plan, Topology, make_plan
from geoplan.plan.change import make_change
from geoplan.plan.model import Action, SiteLists
from geoplan.plan.undo import Before, make_undo
from tests.topologies import topologies

LISTS = {
    Action.REMOVE_REMOTE_GEO_ACCESS: "remote_geo_access",
    Action.SET_REMOTE_GEO_ACCESS: "remote_geo_access",
    Action.REMOVE_GEO_PARTNERS: "geo_partners",
    Action.SET_GEO_PARTNERS: "geo_partners",
}


@st.composite
def what_was_before(draw: st.DrawFn, plan: Plan) -> Before:
    """Draw what some sites held before a push of a plan: parts of what they hold now, and what nobody plans."""
    lists = {}
    for site in plan.sites:
        if draw(st.booleans()):
            partners = draw(st.permutations(site.geo_partners))[: draw(st.integers(0, len(site.geo_partners)))]
            unplanned = draw(st.sampled_from([(), ("198.51.100.7",)]))
            own = [address for address in site.remote_geo_access if address not in site.geo_partners]
            access = (*draw(st.sampled_from([(), tuple(own)])), *partners, *unplanned)
            lists[site.name] = SiteLists(site=site.name, remote_geo_access=access, geo_partners=(*partners, *unplanned))
    added = tuple(cluster.site for cluster in plan.clusters if draw(st.booleans()))
    kept = [cluster for cluster in plan.clusters if cluster.site not in added]
    modified = {
        each.site: each.model_copy(update={"name": f"{each.name} once"}) for each in kept if draw(st.booleans())
    }
    return Before(lists, added, modified)


def walk(plan: Plan, undo: Plan) -> dict[str, dict[str, tuple[str, ...]]]:
    """Enter every list of a plan that takes another one back; return what each site holds at the end."""
    held = {
        site.name: {"remote_geo_access": site.remote_geo_access, "geo_partners": site.geo_partners}
        for site in plan.sites
    }
    for step in undo.steps:
        if step.action in LISTS:
            held[step.site][LISTS[step.action]] = undo.values(step)
    return held


@settings(max_examples=60)
@given(topologies(max_sites=8), st.data())
def test_every_list_ends_as_it_was(topology: Topology, data: st.DataObject) -> None:
    plan = make_plan(topology)
    before = data.draw(what_was_before(plan))
    undo = make_undo(plan, before)
    for name, lists in walk(plan, undo).items():
        wanted = before.lists.get(name) or plan.site(name)
        assert {subject: set(held) for subject, held in lists.items()} == {
            "remote_geo_access": set(wanted.remote_geo_access),
            "geo_partners": set(wanted.geo_partners),
        }, name
    assert Plan.model_validate_json(undo.model_dump_json()) == undo


@settings(max_examples=60)
@given(topologies(max_sites=8), st.data())
def test_what_was_added_is_deleted_once_and_while_all_are_partners(topology: Topology, data: st.DataObject) -> None:
    plan = make_plan(topology)
    before = data.draw(what_was_before(plan))
    undo = make_undo(plan, before)
    deleted = [step.site for step in undo.steps if step.action is Action.DELETE_CLUSTER]
    assert sorted(deleted) == sorted(before.added)
    assert {step.site for step in undo.steps if step.action is Action.MODIFY_CLUSTER} == before.modified.keys()
    assert {cluster.site for cluster in undo.clusters} == {each.site for each in plan.clusters} - {*before.added}
    first_list = min((step.number for step in undo.steps if step.action in LISTS), default=len(undo.steps) + 1)
    assert all(step.number < first_list for step in undo.steps if step.action is Action.DELETE_CLUSTER)


@settings(max_examples=60)
@given(topologies(max_sites=8), st.data())
def test_only_pairs_that_get_partners_back_are_rebooted(topology: Topology, data: st.DataObject) -> None:
    plan = make_plan(topology)
    before = data.draw(what_was_before(plan))
    undo = make_undo(plan, before)
    gaining = {
        name
        for name, lists in before.lists.items()
        if plan.site(name).kind == "ha_pair" and set(lists.geo_partners) - set(plan.site(name).geo_partners)
    }
    rebooted = {step.site for step in undo.steps if step.action is Action.REBOOT_MASTER}
    assert rebooted == gaining


def test_a_change_is_taken_back_as_the_change_the_other_way() -> None:
    sites = [
        {"name": "A", "ha_pair": {"master": "10.0.0.1", "slave": "10.0.0.2"}, "extra_remote_geo_access": ["10.9.9.9"]},
        {"name": "B", "standalone": "10.0.0.3"},
        {"name": "C", "ha_pair": {"master": "10.0.0.5", "slave": "10.0.0.6"}},
    ]
    two = make_plan(Topology.model_validate({"name": "two", "sites": sites[:2]}))
    three = Topology.model_validate({"name": "three", "sites": sites})
    change = make_change(three, two)
    undo = make_undo(change, Before({}))
    assert undo.sites[:2] == two.sites
    assert undo.clusters == two.clusters
    assert undo.change is not None
    assert undo.change.leaving == ("C",)
    assert Action.DELETE_OTHER_CLUSTERS in {step.action for step in undo.steps}
    assert not any(step.action is Action.REBOOT_MASTER for step in undo.steps)


def test_a_push_that_changed_nothing_has_nothing_to_take_back() -> None:
    plan = make_plan(Topology.model_validate({"sites": [{"name": "A", "standalone": "10.0.0.3"}]}))
    assert Before({}).is_empty
    assert not make_undo(plan, Before({})).steps
