"""What an approval holds, and what a push that was approved is held against."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from geoplan.live.findings.compare import verify
from geoplan.live.model import Cause, ClusterType, Failure, GeoCluster, Observations, State
from geoplan.plan.model import Plan
from geoplan.push.approval import Approval, Review
from geoplan.push.listener import Found
from geoplan.push.options import Options, RebootMode
from geoplan.push.preflight import PreflightResult
from tests.push.observations import changed, in_place, plan_of, untouched
from tests.push.support import A1, M1, M2, S1, S2

PLAN = plan_of()
REBOOTS = ("HA Pair 1", "HA Pair 2")


def found(facts: Observations, *, plan: Plan = PLAN, reboots: tuple[str, ...] = REBOOTS, **options: Any) -> Found:
    return Found(Options(**options), facts, PreflightResult((), (), reboots), verify(plan, facts))


def approval(of: Found, plan: Plan = PLAN) -> Approval:
    return Approval.of(plan, of.options, of.facts, of.verdict)


def told(approved: Found, now: Found) -> list[str]:
    """Return what a push says to an approval; it says nothing exactly where the checksums are the same."""
    review = Review(approval(approved))
    problems = [str(problem) for problem in review.objections(PLAN, now)]
    fits = not Review(None, approval(approved).checksum).objections(PLAN, now)
    assert fits is (not problems)
    return problems


def failed_over(facts: Observations, master: str, slave: str) -> Observations:
    """Return the facts after a failover: who takes settings tells clusters and partners, and a cluster moves along."""
    before = facts.units[master]
    clusters = tuple(
        replace(cluster, address=slave if cluster.address == master else cluster.address)
        for cluster in before.clusters or ()
    )
    access = tuple(slave if address == master else address for address in before.remote_geo_access or ())
    facts = changed(facts, slave, state=State.ACTIVE, clusters=clusters, partner_status={}, remote_geo_access=access)
    return changed(facts, master, state=State.STANDBY, clusters=None, partner_status=None)


@pytest.mark.parametrize("make", [in_place, untouched])
def test_what_did_not_change_fits(make: Any) -> None:
    facts = make(PLAN)
    assert told(found(facts), found(facts)) == []


def test_other_order_spelling_colours_and_services_are_no_difference() -> None:
    facts = in_place(PLAN)
    lists = PLAN.site("HA Pair 1").geo_partners
    now = changed(facts, M1, geo_partners=tuple(reversed(lists)), partner_status=dict.fromkeys(lists, False))
    assert told(found(facts), found(now)) == []


def test_failover_is_no_difference() -> None:
    facts = in_place(PLAN)
    assert told(found(facts), found(failed_over(facts, M1, S1))) == []
    assert told(found(failed_over(facts, M1, S1)), found(facts)) == []


def test_failover_of_a_pair_whose_standby_answers_no_reads_is_no_difference() -> None:
    facts = in_place(PLAN)
    silent = {"failure": Failure(Cause.UNREADABLE, "refused"), "firmware": None, "ha": None}
    silent |= {"remote_geo_access": None, "geo_partners": None, "clusters": None, "partner_status": None}
    before = changed(facts, S1, **silent)
    after = changed(failed_over(facts, M1, S1), M1, **silent)
    assert Review(approval(found(before))).objections(PLAN, found(after)) == ()


@pytest.mark.parametrize(
    ("address", "fields", "part"),
    [
        (M1, {"geo_partners": (A1,)}, f"{M1}: GEO LoadMaster Partners: approved with 172.24.1.10, 172.24.1.7, "),
        (M1, {"geo_partners": (A1,)}, f", now {A1}"),
        (A1, {"remote_geo_access": ()}, f"{A1}: Remote GEO LoadMaster Access: approved with 172.24.1.10, "),
        (A1, {"remote_geo_access": ()}, ", now none"),
        (S1, {"geo_partners": (A1,)}, f"{S1}: GEO LoadMaster Partners: approved with "),
        (S2, {"firmware": "7.2.60.1"}, f"{S2}: firmware: approved with 7.2.59.4.22642.RELEASE, now 7.2.60.1"),
        (A1, {"clusters": ()}, f"{A1}: clusters: approved with 'Standalone LoadMaster 2' (172.24.1.10, remoteLM), "),
        (A1, {"clusters": None}, ", now not told"),
    ],
)
def test_what_changed_is_told_with_unit_approved_and_present_value(
    address: str, fields: dict[str, Any], part: str
) -> None:
    facts = in_place(PLAN)
    (problem,) = told(found(facts), found(changed(facts, address, **fields)))
    assert part in problem


def test_changed_ha_parameter_is_told_by_its_name() -> None:
    facts = in_place(PLAN)
    ha = facts.units[M1].ha
    assert ha
    (problem,) = told(found(facts), found(changed(facts, M1, ha=replace(ha, prefers_master=False))))
    assert problem == f"{M1}: Switch to Preferred Server: approved with yes, now no"


def test_cluster_that_appeared_is_told_with_where_it_is() -> None:
    facts = in_place(PLAN)
    more = (*(facts.units[M2].clusters or ()), GeoCluster("192.0.2.1", "Elsewhere", ClusterType.DEFAULT, 1.5, 2))
    (problem,) = told(found(facts), found(changed(facts, M2, clusters=more)))
    assert problem.startswith(f"{M2}: clusters: approved with ")
    assert problem.endswith("'Elsewhere' (192.0.2.1, default at 1.5, 2)")


def test_other_reboots_and_other_flags_are_told() -> None:
    facts = untouched(PLAN)
    assert told(found(facts), found(facts, reboots=("HA Pair 2",))) == [
        f"{PLAN.topology}: masters to reboot: approved with HA Pair 1, HA Pair 2, now HA Pair 2"
    ]
    (problem,) = told(found(facts), found(facts, reboot=RebootMode.ALWAYS))
    assert problem == f"{PLAN.topology}: options: approved with none, now --reboot always"


def test_order_and_number_of_named_pairs_are_no_other_flags() -> None:
    facts = untouched(PLAN)
    assert told(found(facts, reboot_sites=REBOOTS), found(facts, reboot_sites=(*REBOOTS[::-1], REBOOTS[0]))) == []


def test_push_that_has_nothing_to_do_needs_no_approval_but_a_checksum_has_to_fit() -> None:
    approved, now = found(untouched(PLAN)), found(in_place(PLAN), reboots=())
    assert Review(approval(approved)).objections(PLAN, now) == ()
    (problem,) = Review(None, approval(approved).checksum).objections(PLAN, now)
    assert "approve it anew" in problem.hint


def test_units_of_a_pair_that_is_none_yet_are_held_against_each_by_itself() -> None:
    facts = changed(in_place(PLAN), M1, S1, state=State.DOWN, clusters=())
    (problem,) = told(found(facts), found(changed(facts, S1, clusters=(GeoCluster(A1, "A", ClusterType.DEFAULT),))))
    assert problem == f"{S1}: clusters: approved with none, now 'A' ({A1}, default)"
    assert told(found(facts), found(in_place(PLAN)))


def test_what_is_written_is_read_back_equal_and_what_was_changed_is_refused() -> None:
    written = approval(found(untouched(PLAN), remove_unknown=True))
    assert Approval.model_validate_json(written.to_json()) == written
    content = json.loads(written.to_json())
    assert (content["format"], content["plan"]["format"]) == ("geoplan/approval/1", "geoplan/plan/1")
    assert not any(word in written.to_json() for word in ('active":', "green", "seconds_ago"))
    for key, value in (
        ("reboots", ["HA Pair 1"]),
        ("flags", content["flags"] | {"remove_unknown": False}),
        ("state", content["state"][:1]),
        ("more", 1),
        ("format", "geoplan/approval/2"),
    ):
        with pytest.raises(ValidationError):
            Approval.model_validate_json(json.dumps(content | {key: value}))
