"""From one topology to the next, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from geoplan import Plan, Topology, make_plan
from geoplan.errors import ChangeRefusedError
from geoplan.plan.change import make_change
from geoplan.plan.model import Action
from tests.plan.changes import named, walk

A, B, C, D = "A:10.0.0.1:10.0.0.2", "B:10.0.0.3", "C:10.0.0.5:10.0.0.6", "D:10.0.0.7"
TWO, FOUR = f"{A} {B}", f"{A} {B} {C} {D}"


def change(old: Topology, new: Topology, *replaced: str, **how: Any) -> Plan:
    plan = make_change(new, make_plan(old), replaced=replaced, **how)
    walk(plan).require_end()
    return plan


def steps(plan: Plan, *actions: Action) -> list[tuple[str, str]]:
    return [(step.action, step.site) for step in plan.steps if not actions or step.action in actions]


def reboots(plan: Plan) -> list[str]:
    return [site for _, site in steps(plan, Action.REBOOT_MASTER)]


def test_sites_join_with_the_configuration_of_those_that_are_there() -> None:
    plan = change(named(TWO), named(FOUR))

    assert steps(plan)[:2] == [("seed_geo_configuration", "C"), ("seed_geo_configuration", "D")]
    assert reboots(plan) == ["A", "C"]
    assert [step.on.site for step in plan.steps if step.action is Action.ADD_CLUSTER] == ["A", "A"]


def test_sites_leave_without_a_reboot_and_keep_the_lists_of_a_site_alone() -> None:
    plan = change(named(FOUR), named(TWO))

    assert reboots(plan) == []
    assert (plan.site("C").remote_geo_access, plan.site("C").geo_partners) == (("10.0.0.5",), ())
    assert steps(plan, Action.PROBE_UNLINKED, Action.DELETE_CLUSTER) == [
        ("probe_unlinked", "C"),
        ("delete_cluster", "C"),
        ("probe_unlinked", "D"),
        ("delete_cluster", "D"),
    ]
    assert not steps(plan, Action.DELETE_OTHER_CLUSTERS)
    cleaned = change(named(FOUR), named(TWO), cleans_leaving=True)
    assert steps(cleaned, Action.DELETE_OTHER_CLUSTERS) == [
        ("delete_other_clusters", "C"),
        ("delete_other_clusters", "D"),
    ]


def test_group_of_which_everybody_leaves_is_taken_apart_and_keeps_its_clusters() -> None:
    plan = change(named(FOUR, {"x": ["A", "B"], "y": ["C", "D"]}), named(TWO, {"x": ["A", "B"]}), retired=["y"])

    assert {action for action, _ in steps(plan)} == {
        "remove_geo_partners",
        "remove_remote_geo_access",
        "verify_unlinked",
    }
    assert plan.change
    assert plan.change.leaving == ("C", "D")


def test_site_alone_that_leaves_has_nothing_to_lose() -> None:
    plan = change(named(FOUR, {"x": ["A", "B", "C"], "y": ["D"]}), named(f"{A} {B} {C}"))

    assert plan.steps == ()
    assert plan.change
    assert plan.change.leaving == ("D",)


def test_pair_alone_that_leaves_is_taken_out_of_its_load_balancer() -> None:
    aws = {
        "region": "eu-west-1",
        "vpc_id": "vpc-0a1b2c3d",
        "subnets": [{"subnet_id": "subnet-0a1b2c3d"}],
        "listeners": [{"protocol": "TCP", "port": 80}],
    }
    pair = {"ha_pair": {"master": "10.0.0.5", "slave": "10.0.0.6", "aws": aws}}
    plan = change(named(f"{B} {C}", {"x": ["B"], "y": ["C"]}, C=pair), named(B))

    assert steps(plan) == [("deregister_targets", "C")]


def test_first_partner_of_a_site_alone() -> None:
    plan = change(named("A:10.0.0.1:10.0.0.2"), named(TWO))

    assert steps(plan)[0] == ("seed_geo_configuration", "B")
    assert reboots(plan) == ["A"]


def test_two_groups_merge_site_by_site() -> None:
    apart, together = {"x": ["A", "B"], "y": ["C", "D"]}, {"x": ["A", "B", "C", "D"]}
    plan = change(named(FOUR, apart), named(FOUR, together))

    assert plan.change
    assert [part.sites for part in plan.change.parts] == [("C",), ("D",)]
    assert steps(plan, Action.SEED_GEO_CONFIGURATION) == [
        ("seed_geo_configuration", "C"),
        ("seed_geo_configuration", "D"),
    ]
    assert steps(plan, Action.ADD_CLUSTER) == [("add_cluster", "C"), ("add_cluster", "D")]
    assert not steps(plan, Action.PROBE_UNLINKED, Action.DELETE_CLUSTER, Action.DELETE_OTHER_CLUSTERS)


@pytest.mark.parametrize("group", [["D"], ["C", "D"]])
def test_site_that_joins_at_another_address_leaves_no_cluster_at_its_old_one(group: list[str]) -> None:
    behind_nat = {"standalone": {"address": "10.0.0.7", "nat_address": "203.0.113.7"}}
    stay = [name for name in "ABCD" if name not in group]
    apart, together = named(FOUR, {"x": stay, "y": group}), named(FOUR, {"x": ["A", "B", "C", "D"]}, D=behind_nat)
    plan = change(apart, together)

    assert steps(plan, Action.ADD_CLUSTER, Action.DELETE_CLUSTER)[-2:] == [
        ("add_cluster", "D"),
        ("delete_cluster", "D"),
    ]
    (deletion,) = (step for step in plan.steps if step.action is Action.DELETE_CLUSTER)
    assert (deletion.on.site, plan.values(deletion)[0]) == ("A", "10.0.0.7")


def test_group_that_keeps_its_name_is_the_one_that_others_join() -> None:
    apart = {"x": ["A", "B", "C"], "y": ["D"]}
    plan = change(named(FOUR, apart), named(FOUR, {"y": ["A", "B", "C", "D"]}))

    assert plan.change
    assert [(joined.reference, joined.joining) for joined in plan.change.joined] == [("D", ("A", "C", "B"))]


def test_part_that_has_left_its_group_joins_one_that_goes_on_however_small_that_is() -> None:
    five = f"{FOUR} E:10.0.0.9 F:10.0.0.11"
    before = {"x": ["A", "B", "C", "D", "E"], "y": ["F"]}
    after = {"x": ["A", "B", "C"], "z": ["D", "E", "F"]}
    plan = change(named(five, before), named(five, after))

    assert plan.change
    assert [(joined.reference, set(joined.joining)) for joined in plan.change.joined] == [("F", {"D", "E"})]


def test_group_splits_and_what_leaves_stays_linked() -> None:
    plan = change(named(FOUR, {"x": ["A", "B", "C", "D"]}), named(FOUR, {"x": ["A", "B"], "y": ["C", "D"]}))

    assert plan.change
    assert [(part.sites, part.stay) for part in plan.change.parts] == [(("C", "D"), ("A", "B"))]
    assert reboots(plan) == []
    assert not steps(plan, Action.SEED_GEO_CONFIGURATION)


def test_site_moves_to_another_group() -> None:
    before, after = {"x": ["A", "B", "C"], "y": ["D"]}, {"x": ["A", "B"], "y": ["D", "C"]}
    plan = change(named(FOUR, before), named(FOUR, after))

    order = [action for action, site in steps(plan) if site == "C"]
    assert order.index("delete_other_clusters") < order.index("seed_geo_configuration")
    assert reboots(plan) == ["C"]


def test_group_gets_another_name() -> None:
    assert change(named(FOUR, {"x": ["A", "B", "C", "D"]}), named(FOUR, {"y": ["A", "B", "C", "D"]})).steps == ()


def test_leaving_site_shares_its_group_with_nobody_whatever_groups_are_called() -> None:
    old = named(f"{FOUR}", {"x": ["A", "B", "C"], "C (leaves)": ["D"]})
    plan = change(old, named(f"{A} {B} {D}", {"x": ["A", "B"], "C (leaves)": ["D"]}))

    assert len(plan.sites_of(plan.site("C").group)) == 1
    assert plan.site("D").group == "C (leaves)"


def test_names_and_places_change_where_they_stand() -> None:
    place = {"cluster": {"location": {"latitude": 1.5, "longitude": 2.5}}}
    plan = change(named(FOUR), named(f"AA:10.0.0.1:10.0.0.2 {B} {C} {D}", D=place))

    assert steps(plan) == [("modify_cluster", "AA"), ("modify_cluster", "D")]
    assert plan.values(plan.steps[0]) == ("10.0.0.1", "AA", "Remote LM")


def test_name_is_given_on_only_once_it_is_free() -> None:
    plan = change(named(FOUR), named("B:10.0.0.1:10.0.0.2 C:10.0.0.3 E:10.0.0.5:10.0.0.6 A:10.0.0.9 D:10.0.0.7"))

    order = [site for _, site in steps(plan, Action.MODIFY_CLUSTER, Action.ADD_CLUSTER)]
    assert order == ["E", "C", "B", "A"]


def test_swapped_roles_are_a_change_of_lists_alone() -> None:
    swapped = named(f"A:10.0.0.2:10.0.0.1 {B} {C} {D}")

    assert steps(change(named(FOUR), swapped)) == [("set_remote_geo_access", "A")]


def test_extra_access_comes_and_goes_without_a_reboot() -> None:
    extra = named(TWO, B={"extra_remote_geo_access": ["192.0.2.1"]})

    for old, new in ((named(TWO), extra), (extra, named(TWO))):
        assert steps(change(old, new)) == [("set_remote_geo_access", "B")]


@pytest.mark.parametrize("back", [False, True])
def test_nat_address_comes_and_goes_with_the_address_of_the_cluster(back: bool) -> None:
    behind_nat = named(FOUR, D={"standalone": {"address": "10.0.0.7", "nat_address": "203.0.113.7"}})
    old, new = (behind_nat, named(FOUR)) if back else (named(FOUR), behind_nat)
    plan = change(old, new)

    assert reboots(plan) == ["A", "C"]
    assert steps(plan, Action.ADD_CLUSTER, Action.DELETE_CLUSTER) == [("add_cluster", "D"), ("delete_cluster", "D")]
    assert {site for _, site in steps(plan, Action.REMOVE_GEO_PARTNERS)} == {"A", "B", "C"}


def test_master_at_another_address_takes_its_cluster_along() -> None:
    plan = change(named(FOUR), named(f"A:10.0.0.11:10.0.0.2 {B} {C} {D}"))

    assert steps(plan)[-2:] == [("add_cluster", "A"), ("delete_cluster", "A")]
    *_, add, delete = plan.steps
    assert (plan.values(add)[:2], plan.values(delete)[:2]) == (("10.0.0.11", "A"), ("10.0.0.1", "A"))
    assert reboots(plan) == ["A", "C"]


def test_unit_replaced_at_its_address_costs_the_reboot_of_its_own_pair() -> None:
    plan = change(named(FOUR), named(FOUR), "10.0.0.6")

    assert reboots(plan) == ["C"]
    assert steps(plan)[0] == ("join_ha_pair", "C")
    assert [site for _, site in steps(plan, Action.RESUBMIT_ON_ACTIVE)] == ["A", "C", "B", "D"]


def test_reboots_that_are_due_are_steps_of_any_change() -> None:
    plan = change(named(FOUR), named(FOUR), owing=["C", "nobody"])

    assert steps(plan) == [("reboot_master", "C"), *(("resubmit_geo_partners", site) for site in "CBD")]
    assert change(named(TWO), named(FOUR), owing=["C"]) == change(named(TWO), named(FOUR)), "it is rebooted anyway"
    assert reboots(change(named(FOUR), named(TWO), owing=["A", "C"])) == ["A"]


def test_replaced_standalone_is_seeded_and_gets_its_lists() -> None:
    plan = change(named(FOUR), named(FOUR), "10.0.0.7")

    assert reboots(plan) == []
    assert [action for action, site in steps(plan) if site == "D"] == [
        "seed_geo_configuration",
        "set_remote_geo_access",
        "set_geo_partners",
        "resubmit_on_active",
    ]


def test_clusters_are_deleted_on_a_site_that_has_them() -> None:
    plan = change(named(f"{FOUR}"), named(f"{B} {A} {C}"), "10.0.0.1", "10.0.0.2")

    assert plan.change
    assert plan.change.part_of("D").stay == ("C", "B", "A")  # type: ignore[union-attr]
    assert [step.on.site for step in plan.steps if step.action is Action.DELETE_CLUSTER] == ["C"]


def test_replaced_units_are_written_once_as_the_topology_spells_them() -> None:
    plan = make_change(named(FOUR), make_plan(named(FOUR)), replaced=["10.0.0.6", " 10.0.0.6"])
    assert plan.change
    assert plan.change.replaced == ("10.0.0.6",)


NAT = {"standalone": {"address": "10.0.0.7", "nat_address": "203.0.113.7"}}


@pytest.mark.parametrize(
    ("old", "new", "replaced", "said"),
    [
        (named(FOUR), named(f"{A} {B} {C} D:10.0.0.7:10.0.0.8"), (), "'D' was a standalone and is an HA pair now"),
        (named(FOUR), named(f"A:10.0.0.1 {B} {C} {D}"), (), "'A' was an HA pair and is a standalone now"),
        (named(FOUR), named(f"A:10.0.0.1:10.0.0.8 {B} C:10.0.0.5:10.0.0.2 {D}"), (), "the units of 'A' are in 2 sites"),
        (named(f"{B} {D}"), named("BD:10.0.0.3:10.0.0.7"), (), "'BD' has units of 'B' and of 'D'"),
        (named(FOUR), named(FOUR), ("10.0.0.99",), "no site has the unit 10.0.0.99"),
        (named(FOUR), named(FOUR), ("nonsense",), "no site has the unit nonsense"),
        (named(TWO), named(FOUR), ("10.0.0.7",), "10.0.0.7 of 'D' was not there before"),
        (named(B), named(B), ("10.0.0.3",), "every unit of 'B' is new, so nobody has the GEO configuration any more"),
        (named(B), named("B:10.0.0.33"), (), "every unit of 'B' is at another address, and nobody keeps"),
        (
            named(FOUR, {"x": ["A", "B", "C"], "y": ["D"]}),
            named(FOUR, {"x": ["A", "B"], "y": ["D", "C"]}),
            ("10.0.0.6",),
            "'C' has a new unit and leaves its group 'x'",
        ),
        (named(FOUR), named(f"{A} {B} {D}", D=NAT), (), "'D' is reached at another address while others leave"),
        (named(FOUR, D=NAT), named(f"{A} {B} {C} D:203.0.113.7"), (), "203.0.113.7 led to 'D (old)' and leads to 'D'"),
        (named(FOUR), named("C:10.0.0.1:10.0.0.2 D:10.0.0.3 A:10.0.0.5:10.0.0.6 B:10.0.0.7"), (), "'A', 'C' swap"),
    ],
)
def test_what_has_no_safe_plan_is_refused(old: Topology, new: Topology, replaced: tuple[str, ...], said: str) -> None:
    with pytest.raises(ChangeRefusedError) as refused:
        make_change(new, make_plan(old), replaced=replaced)

    assert any(said in problem for problem in refused.value.problems), refused.value.problems
    assert refused.value.hint
    assert refused.value.exit_code == 2


def test_every_reason_is_told_at_once() -> None:
    new = named(f"A:10.0.0.1 {B} {C} D:10.0.0.7:10.0.0.8")
    with pytest.raises(ChangeRefusedError) as refused:
        make_change(new, make_plan(named(FOUR)), replaced=["10.0.0.99"])

    assert len(refused.value.problems) == 3


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        (lambda plan: {"sites": (*plan.sites, plan.sites[0])}, "it has the site 'A' 2 times"),
        (lambda plan: {"sites": plan.sites[1:]}, "the cluster 'A' is of no site of it"),
        (
            lambda plan: {"sites": (plan.sites[0].model_copy(update={"units": ()}), *plan.sites[1:])},
            "'A' is an HA pair of 0 units",
        ),
    ],
)
def test_plan_that_geoplan_never_made_is_no_start(spoilt: object, said: str) -> None:
    old = make_plan(named(TWO))
    with pytest.raises(ChangeRefusedError, match=said):
        make_change(named(FOUR), old.model_copy(update=spoilt(old)))  # type: ignore[operator]


def test_a_replaced_unit_that_is_none_is_told_with_the_units_that_there_are() -> None:
    with pytest.raises(
        ChangeRefusedError, match=r"no site has the unit 10\.0\.0\.99 that is to be replaced"
    ) as refused:
        make_change(named(FOUR), make_plan(named(FOUR)), replaced=["10.0.0.99"])
    assert "step" not in str(refused.value.hint)
    assert "10.0.0.6" in str(refused.value.hint)


X_AND_Y = {"x": ["A", "B"], "y": ["C", "D"]}


def test_a_group_leaves_as_a_whole_only_by_its_name() -> None:
    old, new = make_plan(named(FOUR, X_AND_Y, "old")), named(TWO, {"x": ["A", "B"]}, "new")
    with pytest.raises(ChangeRefusedError, match="no unit of group 'y' is in 'new': C, D would leave") as refused:
        make_change(new, old)
    assert str(refused.value.hint).endswith("--retire y")
    plan = make_change(new, old, retired=["y"])
    assert plan.change
    assert plan.change.leaving == ("C", "D")
    with pytest.raises(ChangeRefusedError, match="'x' is no group of 'old'"):
        make_change(new, old, retired=["y", "x"])


def test_an_old_that_shares_no_unit_is_no_start() -> None:
    with pytest.raises(ChangeRefusedError, match="have no unit in common: A, B would leave"):
        make_change(named(f"{C} {D}"), make_plan(named(TWO)), retired=["main"])
