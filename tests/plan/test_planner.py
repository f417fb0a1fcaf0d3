"""Plans against the document: its sections 5.1 to 5.4 and its example."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from geoplan import HaPair, InvalidInputError, Phase, Plan, Site, Topology, Unit, load_topology, make_plan, only_groups
from geoplan.plan.planner import usual_phases
from geoplan.render import json as json_format
from geoplan.render import lists
from tests.conftest import ROOT, TOPOLOGIES
from tests.topologies import topologies

DOCUMENT = ROOT.parent / "shared" / "reference" / "000_5c861d0f50be9bb6.txt"


def plan_of(name: str) -> Plan:
    return make_plan(load_topology(TOPOLOGIES / f"{name}.yaml"))


def steps_of(name: str) -> list[str]:
    return [f"{step.action} {step.site}: {step.on.site} {step.on.unit}" for step in plan_of(name).steps]


def topology(*sites: Mapping[str, object], **rest: object) -> Topology:
    return Topology.model_validate({"sites": sites, **rest})


PAIR = {"name": "HA Pair 1", "ha_pair": {"master": "172.24.1.5", "slave": "172.24.1.6"}}


def test_lists_of_the_example_are_the_printed_ones() -> None:
    assert lists.render(plan_of("section-5.4")) == (TOPOLOGIES / "section-5.4.lists.txt").read_text()


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the vendor's document is not beside this clone")
def test_recorded_lists_are_the_documents_line_for_line() -> None:
    document = DOCUMENT.read_text().splitlines()
    begin = next(index for index, line in enumerate(document) if line.startswith("Here is an example configuration"))
    end = next(index for index, line in enumerate(document) if line.startswith("6 Creating AWS HA Pairs"))
    assert (TOPOLOGIES / "section-5.4.lists.txt").read_text().splitlines() == document[begin + 1 : end]


def test_order_of_section_5_1() -> None:
    assert steps_of("section-5.1") == [
        "set_geo_partners HA Pair 1: HA Pair 1 active",
        "set_remote_geo_access HA Pair 1: HA Pair 1 active",
        "add_cluster HA Pair 1: HA Pair 1 active",
    ]


def test_a_site_alone_empties_its_partners_before_it_shrinks_its_access() -> None:
    plan = plan_of("section-5.1")
    partners, access, cluster = plan.steps
    assert plan.values(partners) == ()
    assert (partners.after, access.after, cluster.after) == ((), (partners.id,), (access.id,))
    assert "A site alone has no partner" in partners.why


def test_order_of_section_5_2() -> None:
    assert steps_of("section-5.2") == [
        "set_remote_geo_access HA Pair 1: HA Pair 1 active",
        "set_geo_partners HA Pair 1: HA Pair 1 active",
        "set_remote_geo_access HA Pair 2: HA Pair 2 active",
        "set_geo_partners HA Pair 2: HA Pair 2 active",
        "reboot_master HA Pair 1: HA Pair 1 master",
        "resubmit_geo_partners HA Pair 1: HA Pair 1 new_active",
        "reboot_master HA Pair 2: HA Pair 2 master",
        "resubmit_geo_partners HA Pair 2: HA Pair 2 new_active",
        "add_cluster HA Pair 1: HA Pair 1 active",
        "add_cluster HA Pair 2: HA Pair 1 active",
    ]


def test_order_of_section_5_3() -> None:
    assert steps_of("section-5.3") == [
        "set_remote_geo_access HA Pair 1: HA Pair 1 active",
        "set_geo_partners HA Pair 1: HA Pair 1 active",
        "set_remote_geo_access Standalone LoadMaster 1: Standalone LoadMaster 1 standalone",
        "set_geo_partners Standalone LoadMaster 1: Standalone LoadMaster 1 standalone",
        "reboot_master HA Pair 1: HA Pair 1 master",
        "resubmit_geo_partners HA Pair 1: HA Pair 1 new_active",
        "resubmit_geo_partners Standalone LoadMaster 1: Standalone LoadMaster 1 standalone",
        "add_cluster HA Pair 1: HA Pair 1 active",
        "add_cluster Standalone LoadMaster 1: HA Pair 1 active",
    ]


def test_order_of_section_5_4() -> None:
    one, two = "Standalone LoadMaster 1", "Standalone LoadMaster 2"
    assert steps_of("section-5.4") == [
        "set_remote_geo_access HA Pair 1: HA Pair 1 active",
        "set_geo_partners HA Pair 1: HA Pair 1 active",
        "set_remote_geo_access HA Pair 2: HA Pair 2 active",
        "set_geo_partners HA Pair 2: HA Pair 2 active",
        f"set_remote_geo_access {one}: {one} standalone",
        f"set_geo_partners {one}: {one} standalone",
        f"set_remote_geo_access {two}: {two} standalone",
        f"set_geo_partners {two}: {two} standalone",
        "reboot_master HA Pair 1: HA Pair 1 master",
        "resubmit_geo_partners HA Pair 1: HA Pair 1 new_active",
        "reboot_master HA Pair 2: HA Pair 2 master",
        "resubmit_geo_partners HA Pair 2: HA Pair 2 new_active",
        f"resubmit_geo_partners {one}: {one} standalone",
        f"resubmit_geo_partners {two}: {two} standalone",
        "add_cluster HA Pair 1: HA Pair 1 active",
        "add_cluster HA Pair 2: HA Pair 1 active",
        f"add_cluster {one}: HA Pair 1 active",
        f"add_cluster {two}: HA Pair 1 active",
    ]


@pytest.mark.parametrize("section", ["5.1", "5.2", "5.3", "5.4"])
def test_section_is_named_by_group_and_steps(section: str) -> None:
    plan = plan_of(f"section-{section}")
    assert [group.section for group in plan.groups] == [section]
    assert {step.section for step in plan.steps} == {section}


@pytest.mark.parametrize(
    ("kinds", "section"),
    [
        ("s", "5.1"),
        ("p", "5.1"),
        ("pp", "5.2"),
        ("ps", "5.3"),
        ("sp", "5.3"),
        ("ss", "5.4"),
        ("ppp", "5.4"),
        ("psp", "5.4"),
    ],
)
def test_section_follows_from_the_kinds_of_sites(kinds: str, section: str) -> None:
    sites = [
        {"name": f"S{n}", "ha_pair": {"master": f"10.0.{n}.1", "slave": f"10.0.{n}.2"}}
        if kind == "p"
        else {"name": f"S{n}", "standalone": f"10.0.{n}.1"}
        for n, kind in enumerate(kinds)
    ]
    assert make_plan(topology(*sites)).groups[0].section == section


def test_every_step_says_why_in_one_sentence() -> None:
    for path in TOPOLOGIES.glob("*.yaml"):
        for step in make_plan(load_topology(path)).steps:
            assert step.why.endswith(".")
            assert step.why.count(". ") == 0
            assert len(step.why) <= 100


def test_notes_stand_where_the_document_is_unclear() -> None:
    noted = {
        section: {step.id for step in plan_of(f"section-{section}").steps if step.note}
        for section in ("5.1", "5.2", "5.3", "5.4")
    }
    assert noted["5.1"] == {"ha-pair-1/set-geo-partners"}
    assert noted["5.3"] == {"standalone-loadmaster-1/set-geo-partners", "ha-pair-1/resubmit-geo-partners"}
    assert noted["5.4"] == {
        "ha-pair-2/set-remote-geo-access",
        "ha-pair-1/resubmit-geo-partners",
        "ha-pair-2/resubmit-geo-partners",
        "standalone-loadmaster-1/resubmit-geo-partners",
        "standalone-loadmaster-2/resubmit-geo-partners",
    }


def test_resubmission_without_preferred_host_has_no_deadline_to_note() -> None:
    patient = {"name": "P", "ha_pair": {"master": "10.0.0.1", "slave": "10.0.0.2", "preferred_host": "none"}}
    plan = make_plan(topology(patient, PAIR))
    notes = {step.site: step.note for step in plan.steps if step.action == "resubmit_geo_partners"}
    assert notes["P"] is None
    assert notes["HA Pair 1"] is not None


def test_nat_address_is_what_other_sites_see() -> None:
    behind_nat = {"name": "NAT", "standalone": {"address": "192.168.0.5", "nat_address": "203.0.113.5"}}
    plan = make_plan(topology(PAIR, behind_nat))
    assert plan.site("HA Pair 1").geo_partners == ("203.0.113.5",)
    assert plan.site("NAT").remote_geo_access == ("172.24.1.5", "172.24.1.6", "192.168.0.5")
    assert plan.cluster("NAT").address == "203.0.113.5"


def test_location_and_name_of_a_cluster() -> None:
    placed = {**PAIR, "cluster": {"name": "dublin", "location": {"latitude": 53.35, "longitude": -6.26}}}
    cluster = make_plan(topology(placed)).cluster("HA Pair 1")
    assert cluster.name == "dublin"
    assert cluster.location is not None
    assert (cluster.location.latitude, cluster.location.longitude) == (53.35, -6.26)


def test_reboots_of_groups_stand_one_group_behind_the_other() -> None:
    plan = plan_of("fleet")
    groups = [plan.site(step.site).group for step in plan.steps]
    assert groups == sorted(groups, key=["shop", "bank", "clinic", "laboratory"].index)


def test_slug_keeps_letters_and_counts_what_is_taken_or_empty() -> None:
    names = ["Dublin", "dublin!", "Tromsø/東京", "!!!", "???", "dublin 2", "a_b"]
    sites = [{"name": name, "standalone": f"10.0.0.{n}"} for n, name in enumerate(names, start=1)]
    ids = [step.id for step in make_plan(topology(*sites)).steps if step.action == "add_cluster"]
    assert [name.removesuffix("/add-cluster") for name in ids] == [
        "dublin", "dublin-2", "tromsø-東京", "-2", "-3", "dublin-2-2", "a-b",
    ]  # fmt: skip


def test_values_of_each_action() -> None:
    plan = plan_of("section-5.3")
    values = {step.id: plan.values(step) for step in plan.steps}
    assert values["ha-pair-1/set-remote-geo-access"] == ("172.24.1.5", "172.24.1.9")
    assert values["ha-pair-1/set-geo-partners"] == ("172.24.1.9",)
    assert values["ha-pair-1/resubmit-geo-partners"] == ("172.24.1.9",)
    assert values["ha-pair-1/reboot-master"] == ()
    assert values["ha-pair-1/add-cluster"] == ("172.24.1.5", "HA Pair 1", "Remote LM")


def test_copy_with_other_sites_finds_those_and_not_the_ones_that_were_looked_up_before() -> None:
    plan = plan_of("section-5.3")
    pair, standalone = plan.sites_of("default")
    assert (pair, standalone) == (plan.site("HA Pair 1"), plan.site("Standalone LoadMaster 1"))
    alone = pair.model_copy(update={"geo_partners": ()})
    copied = plan.model_copy(update={"sites": (alone,)})
    assert copied.site("HA Pair 1").geo_partners == ()
    assert copied.sites_of("default") == (alone,)
    assert plan.site("HA Pair 1") is pair
    assert plan == Plan.model_validate_json(json_format.render(plan))


def test_estimates_follow_the_timing() -> None:
    pairs = [{"name": f"P{n}", "ha_pair": {"master": f"10.0.{n}.1", "slave": f"10.0.{n}.2"}} for n in range(3)]
    groups = {"one": ["P0", "P1"], "two": ["P2"]}
    timing = {"boot_seconds": 100, "sync_seconds": 10, "manual_step_seconds": 1}
    estimates = make_plan(topology(*pairs, groups=groups, timing=timing)).estimates
    assert estimates.by_api_seconds == 2 * 110
    assert estimates.by_hand_seconds == 2 * 110 + 13
    assert estimates.longest_chain_seconds == 220
    assert estimates.longest_chain_steps == 8


def test_longest_chain_is_that_of_the_slowest_group() -> None:
    assert plan_of("fleet").estimates.longest_chain_seconds == 480
    assert plan_of("fleet").estimates.by_api_seconds == 720


def test_checksum_does_not_depend_on_the_api_that_a_unit_speaks() -> None:
    plans = [
        make_plan(Topology.model_validate({"name": "t", "sites": [{"name": "A", "standalone": unit}]}))
        for unit in ({"address": "10.0.0.1"}, {"address": "10.0.0.1", "api_version": 1})
    ]
    assert plans[0] == plans[1]
    assert plans[0].checksum == plans[1].checksum


def test_checksum_changes_with_what_is_done_and_not_with_its_name_or_timing() -> None:
    plan = make_plan(topology(PAIR))
    renamed = make_plan(topology(PAIR, name="another", timing={"boot_seconds": 1}))
    changed = make_plan(topology({**PAIR, "name": "HA Pair 2"}))
    assert plan.checksum == renamed.checksum
    assert plan.checksum != changed.checksum


def test_changed_plan_is_refused_when_it_is_read() -> None:
    written = json_format.render(plan_of("section-5.4"))
    with pytest.raises(ValidationError, match="the plan's checksum does not fit its content"):
        Plan.model_validate_json(written.replace("172.24.1.9", "172.24.1.99", 1))


def test_topology_made_by_a_program_is_held_to_the_rules() -> None:
    clashing = topology(PAIR, {"name": "ha pair 1", "standalone": "172.24.1.6"})
    with pytest.raises(InvalidInputError) as raised:
        make_plan(clashing)
    assert [(fault.code, fault.where) for fault in raised.value.diagnostics] == [
        ("GEO205", "sites[1].standalone.address"),
        ("GEO305", "sites[1].name"),
    ]
    assert str(raised.value.diagnostics[0]).startswith("topology: sites[1].standalone.address: error: GEO205 ")


@pytest.mark.parametrize("deep", [False, True])
def test_copy_of_a_read_topology_is_held_to_the_rules_again(deep: bool) -> None:
    read = load_topology(TOPOLOGIES / "section-5.4.yaml")
    altered = read.model_copy(update={"sites": (*read.sites, read.sites[0])}, deep=deep)
    assert read.is_well_formed
    assert not altered.is_well_formed
    assert read.model_copy(deep=deep) == read
    with pytest.raises(InvalidInputError, match="used twice"):
        make_plan(altered)


def test_sites_of_one_name_are_refused_although_they_are_one_and_the_same_text() -> None:
    with pytest.raises(InvalidInputError, match="used twice"):
        make_plan(topology({"name": "A", "standalone": "10.0.0.1"}, {"name": "A", "standalone": "10.0.0.2"}))


def test_topology_is_built_from_the_public_names() -> None:
    built = Topology(
        sites=(
            Site(name="HA Pair 1", ha_pair=HaPair(master=Unit(address="172.24.1.5"), slave=Unit(address="172.24.1.6"))),
            Site(name="Standalone", standalone=Unit(address="172.24.1.9")),
        )
    )
    assert make_plan(built).site("HA Pair 1").geo_partners == ("172.24.1.9",)


# -- parts -------------------------------------------------------------------------------------------------------------


@given(
    whole=topologies(max_sites=12, with_apis=True),
    drawn=st.data(),
    phases=st.sampled_from([None, [Phase.HA], [Phase.GEO], [Phase.HA, Phase.GEO]]),
)
def test_what_is_planned_for_some_groups_is_their_part_of_the_whole_plan(
    whole: Topology, drawn: st.DataObject, phases: list[Phase] | None
) -> None:
    assume(whole.groups)
    chosen = drawn.draw(st.sets(st.sampled_from(sorted(whole.groups or {})), min_size=1))
    part, plan = make_plan(only_groups(whole, chosen), phases), make_plan(whole, phases)
    sites = {site.name for site in plan.sites if site.group in chosen}
    assert part.groups == tuple(group for group in plan.groups if group.name in chosen)
    assert part.sites == tuple(site for site in plan.sites if site.name in sites)
    assert part.clusters == tuple(cluster for cluster in plan.clusters if cluster.site in sites)
    assert part.ha_pairs == tuple(pair for pair in plan.ha_pairs if pair.site in sites)
    steps = [step for step in plan.steps if step.site in sites]
    assert [step.model_copy(update={"number": 0}) for step in part.steps] == [
        step.model_copy(update={"number": 0}) for step in steps
    ]
    assert [step.number for step in part.steps] == [*range(1, len(steps) + 1)]
    assert part == Plan.model_validate_json(json_format.render(part))
    assert (part.checksum == plan.checksum) is (sites == {site.name for site in plan.sites})


def test_sites_of_one_slug_keep_their_step_ids_in_a_part() -> None:
    sites = [{"name": name, "standalone": f"10.0.0.{number}"} for number, name in enumerate(["A B", "A-B"], start=1)]
    whole = topology(*sites, groups={"one": ["A B"], "two": ["A-B"]})
    assert {step.id.partition("/")[0] for step in make_plan(only_groups(whole, ["two"])).steps} == {"a-b-2"}


def test_a_part_has_the_phases_that_are_usual_for_the_whole() -> None:
    with_aws = load_topology(TOPOLOGIES / "aws-dublin-ohio.yaml")
    pair = Site(name="Paris", ha_pair=HaPair(master=Unit(address="10.9.0.1"), slave=Unit(address="10.9.0.2")))
    groups = {"aws": tuple(site.name for site in with_aws.sites), "own": ("Paris",)}
    whole = with_aws.model_copy(update={"sites": (*with_aws.sites, pair), "groups": groups})
    part = only_groups(whole, ["own"])
    assert usual_phases(part) == (Phase.HA, Phase.GEO)
    assert make_plan(part).ha_pairs == tuple(each for each in make_plan(whole).ha_pairs if each.site == "Paris")
