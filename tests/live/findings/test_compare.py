"""Live units compared with the plan."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from geoplan.live import diff
from geoplan.live.findings import Kind, Mend
from geoplan.live.findings.compare import verify
from geoplan.live.model import REMOTE_LM, Cause, ClusterType, Failure, GeoCluster, Observations, State
from geoplan.topology.model import Location
from tests.push.observations import changed, in_place, plan_of
from tests.push.support import A1, A2, M1, M2, S1, S2

PLAN = plan_of()
FINE = in_place(PLAN)
CLUSTERS = FINE.units[M1].clusters or ()
PAIR, STANDALONE = "HA Pair 1", "Standalone LoadMaster 1"


def messages(facts: Observations = FINE) -> list[str]:
    return [difference.message for difference in verify(PLAN, facts).differences]


def test_what_is_in_place_is_no_difference() -> None:
    assert messages() == []
    assert diff.as_text(verify(PLAN, FINE)) == "two-pairs-two-standalones: all 4 sites are as planned\n"


def test_order_and_spelling_of_addresses_are_no_difference() -> None:
    assert messages(changed(FINE, M1, geo_partners=tuple(reversed(FINE.units[M1].geo_partners or ())))) == []


def test_missing_and_extra_addresses_are_named() -> None:
    access = ("10.9.9.9", *(FINE.units[A1].remote_geo_access or ())[1:])
    assert messages(changed(FINE, A1, remote_geo_access=access)) == [
        f"Remote GEO LoadMaster Access lacks {S2}",
        "Remote GEO LoadMaster Access has 10.9.9.9, which the plan does not have",
    ]


def failed_over(carried: str) -> list[str]:
    clusters = (GeoCluster(carried, "HA Pair 1", REMOTE_LM), *CLUSTERS[1:])
    facts = changed(FINE, M1, state=State.STANDBY, clusters=None)
    facts = changed(facts, S1, state=State.ACTIVE, clusters=clusters, partner_status={})
    return messages(changed(facts, A1, clusters=clusters))


def test_a_cluster_with_the_slave_s_address_is_in_place_while_the_slave_is_active() -> None:
    assert failed_over(S1) == []


def test_a_cluster_with_the_slave_s_address_is_a_difference_while_the_master_is_active() -> None:
    clusters = (GeoCluster(S1, "HA Pair 1", REMOTE_LM), *CLUSTERS[1:])
    assert messages(changed(FINE, A1, clusters=clusters)) == [
        f"cluster 'HA Pair 1' ({M1}) carries {S1}, and {M1} is active"
    ]


def test_clusters_that_are_missing_unfinished_renamed_or_double_are_told_apart() -> None:
    found = (
        GeoCluster(M1, "HA Pair 1", ClusterType.DEFAULT),
        GeoCluster(M2, "Another", REMOTE_LM),
        GeoCluster(A1, "Standalone LoadMaster 1", REMOTE_LM),
        GeoCluster(A1, "Standalone LoadMaster 1", REMOTE_LM),
    )
    assert messages(changed(FINE, M1, clusters=found)) == [
        f"cluster 'HA Pair 1' ({M1}) is of type default, not Remote LM",
        f"cluster 'HA Pair 2' ({M2}) is called 'Another', of type remoteLM",
        f"cluster 'Standalone LoadMaster 1' ({A1}) is there twice",
        "cluster 'Standalone LoadMaster 2' (172.24.1.10) is missing",
    ]


def test_a_cluster_with_another_name_and_place_is_told_with_both_and_with_the_change_that_renames_it() -> None:
    place = PLAN.clusters[0].model_copy(update={"location": Location(latitude=53.35, longitude=-6.26)})
    plan = PLAN.model_copy(update={"clusters": (place, *PLAN.clusters[1:])})
    other = GeoCluster(M1, "Another", REMOTE_LM, latitude=1.0, longitude=2.0)
    (found,) = [
        each
        for each in verify(plan, changed(FINE, M1, clusters=(other,))).differences
        if each.unit == M1 and "Another" in each.message
    ]
    assert "is called 'Another', of type remoteLM, and has other coordinates: 1.0000, 2.0000, planned 53.35" in (
        found.message
    )
    assert "push --from" in found.hint


def test_the_way_on_of_what_partners_share_is_told_once_for_each() -> None:
    renamed = tuple(replace(each, name=f"{each.name} before") for each in CLUSTERS)
    told = diff.as_text(verify(PLAN, changed(FINE, M1, S1, M2, S2, A1, A2, clusters=renamed)))
    assert told.count("is called 'HA Pair 1 before'") == 4
    assert told.count("push --from") == len(renamed)


def test_a_cluster_that_the_plan_does_not_mention_is_noted_and_is_no_difference() -> None:
    facts = changed(FINE, M1, S1, clusters=(*CLUSTERS, GeoCluster("10.9.9.9", "Elsewhere", ClusterType.LOCAL_LM)))
    found = verify(PLAN, facts)
    assert found.is_in_place
    assert "'Elsewhere' (10.9.9.9)" in found.notes[0].message


def test_a_cluster_of_a_site_that_nobody_plans_is_for_a_person() -> None:
    facts = changed(FINE, M1, S1, clusters=(*CLUSTERS, GeoCluster("10.9.9.9", "Elsewhere", REMOTE_LM)))
    (found,) = verify(PLAN, facts).differences
    assert (found.kind, found.mends, found.values) == (Kind.EXTRA, Mend.BY_HAND, ("Elsewhere",))
    assert "'Elsewhere' (10.9.9.9) is of no site of the topology" in found.message


def test_a_cluster_that_is_disabled_or_checked_in_another_way_is_for_a_person() -> None:
    odd = (replace(CLUSTERS[0], enabled=False, checker="none"), replace(CLUSTERS[1], checker="icmp"), *CLUSTERS[2:])
    found = verify(PLAN, changed(FINE, M1, S1, clusters=odd)).differences
    assert [(each.values, each.mends) for each in found] == [
        (("HA Pair 1",), Mend.BY_HAND),
        (("HA Pair 2",), Mend.BY_HAND),
    ]
    assert ["is disabled" in found[0].message, "has the checker 'icmp'" in found[1].message] == [True, True]


@pytest.mark.parametrize(
    ("planned", "written"),
    [
        (PAIR, "HA_Pair_1"),
        (STANDALONE, "Standalone LoadMaste"),
        (STANDALONE, "Standalone_LoadMaste"),
        (STANDALONE, STANDALONE.replace(" ", "_")),
    ],
)
def test_name_that_a_unit_rewrites_is_told_as_that(planned: str, written: str) -> None:
    clusters = tuple(replace(each, name=written) if each.name == planned else each for each in CLUSTERS)
    (found,) = verify(PLAN, changed(FINE, M1, S1, clusters=clusters)).differences
    assert (found.mends, found.values) == (Mend.BY_HAND, (written,))
    assert f"the name '{planned}' of the cluster at " in found.message
    assert f"is '{written}' on the unit" in found.message
    assert f'cluster: {{name: "{written}"}}' in found.hint


@pytest.mark.parametrize("written", ["HA_Pair_2", "HA Pair", "HA-Pair-1", "ha_pair_1", "", "HA_Pair_1_"])
def test_name_that_no_unit_would_make_of_the_planned_one_is_another(written: str) -> None:
    clusters = tuple(replace(each, name=written) if each.name == PAIR else each for each in CLUSTERS)
    (found,) = verify(PLAN, changed(FINE, M1, S1, clusters=clusters)).differences
    assert (found.mends, found.message) == (
        Mend.NOTHING,
        f"cluster 'HA Pair 1' ({M1}) is called '{written}', of type remoteLM",
    )


def test_a_standby_with_other_clusters_than_its_active_unit_differs() -> None:
    facts = changed(FINE, S1, clusters=(*CLUSTERS, GeoCluster("10.9.9.9", "Elsewhere", ClusterType.LOCAL_LM)))
    (found,) = verify(PLAN, facts).differences
    assert (found.unit, found.values) == (S1, ("Elsewhere",))
    assert f"its clusters are not those of {M1}: 'Elsewhere'" in found.message


def test_a_red_slave_that_is_up_names_the_pair_to_finish() -> None:
    status = {**(FINE.units[A1].partner_status or {}), S1: False}
    found = verify(PLAN, changed(FINE, A1, partner_status=status))
    assert found.pairs_to_finish == ("HA Pair 1",)
    assert found.is_configured
    assert not found.is_in_place
    assert "--reboot 'always=HA Pair 1'" in diff.as_text(found)


def test_pairs_to_finish_stand_in_the_plan_s_order_whoever_sees_them_red() -> None:
    seen_first = {**(FINE.units[M1].partner_status or {}), S2: False}
    seen_last = {**(FINE.units[A1].partner_status or {}), S1: False}
    facts = changed(changed(FINE, M1, partner_status=seen_first), A1, partner_status=seen_last)
    assert verify(PLAN, facts).pairs_to_finish == ("HA Pair 1", "HA Pair 2")


def test_a_red_slave_that_is_down_names_no_pair_to_reboot() -> None:
    status = {**(FINE.units[A1].partner_status or {}), S1: False}
    facts = changed(changed(FINE, A1, partner_status=status), S1, state=State.DOWN)
    assert verify(PLAN, facts).pairs_to_finish == ()


def test_sites_that_cannot_be_read_differ() -> None:
    facts = changed(FINE, A1, failure=Failure(Cause.UNREACHABLE, "no route"))
    facts = changed(facts, M1, state=State.DOWN)
    kinds = {(found.site, found.kind) for found in verify(PLAN, facts).differences}
    assert kinds == {("HA Pair 1", Kind.UNREADABLE), ("Standalone LoadMaster 1", Kind.UNREADABLE)}


def test_sites_that_cannot_be_read_say_where_their_apis_were_asked() -> None:
    failure = Failure(Cause.UNREACHABLE, "cannot connect (port 443, the default)", "write api_port: PORT on its site")
    facts = changed(FINE, A1, failure=failure)
    for address in (M1, S1):
        facts = changed(facts, address, state=State.DOWN, failure=failure)
    told = [
        f"{found.message} {found.hint}" for found in verify(PLAN, facts).differences if found.kind is Kind.UNREADABLE
    ]

    assert len(told) == 2
    assert all("(port 443, the default)" in each and "write api_port: PORT on its site" in each for each in told)


def test_report_is_markdown_and_json() -> None:
    found = verify(PLAN, changed(FINE, A1, geo_partners=()))
    assert "| Standalone LoadMaster 1 | 172.24.1.9 | missing | GEO LoadMaster Partners lacks" in diff.as_markdown(found)
    content = json.loads(diff.as_json(found))
    assert content["format"] == "geoplan/diff/1"
    assert content["sites"][2]["differences"][0]["kind"] == "missing"
