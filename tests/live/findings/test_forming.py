"""A unit that works in a GEO group by itself is made nobody's standby, whatever that one says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from geoplan import Topology
from geoplan.live.findings.collect import examine
from geoplan.live.findings.forming import linked_without_master
from geoplan.live.findings.kinds import FindingKind
from geoplan.live.links import NOTHING_KNOWN
from geoplan.live.model import HaFacts, Observations, State
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.forming_checks import at_work_alone
from tests.push.observations import changed, in_place

M, S, X, Z = "172.24.1.66", "172.24.1.9", "172.24.1.10", "172.24.1.11"
SITES: dict[str, Any] = {
    "sites": [
        {"name": "A", "ha_pair": {"master": M, "slave": S}},
        {"name": "X", "standalone": X},
        {"name": "Z", "standalone": Z},
    ]
}
PLAN = make_plan(Topology.model_validate(SITES), (Phase.HA,))
SINGLE = HaFacts("", 0, mode="single")


def broken() -> Observations:
    """Return a pair that was one: its slave is single now, and the others still have both units."""
    facts = changed(in_place(PLAN), S, ha=SINGLE, state=State.ACTIVE, partner_status={X: True, Z: True})
    return changed(facts, M, ha=HaFacts(S, 8444, prefers_master=True, mode="master"))


def taken(facts: Observations) -> Observations:
    """Return the same where the others have the slave alone; the master says all that the slave says."""
    for address in (X, Z):
        others = tuple(each for each in facts.units[address].geo_partners or () if each != M)
        facts = changed(facts, address, geo_partners=others, partner_status=dict.fromkeys(others, True))
    return facts


def test_pair_that_was_one_may_be_formed_again() -> None:
    assert linked_without_master(PLAN, "A", broken()) == ()


def test_slave_in_a_group_that_does_not_have_the_master_is_not_taken() -> None:
    facts = taken(broken())
    assert linked_without_master(PLAN, "A", facts) == (X, Z)
    (problem,) = at_work_alone(PLAN, "A", facts)
    assert (problem.where, problem.word) == (S, None)
    for address in (S, M):
        assert address in problem.message
    (found,) = (each for each in examine(PLAN, facts, NOTHING_KNOWN, max_clusters=18)[1] if each.sites[:1] == ("A",)
                and each.kind is FindingKind.NO_HA)  # fmt: skip
    assert found.commands == ()
    assert "at work in a GEO group" in found.message


@pytest.mark.parametrize("green", [True, False])
def test_slave_that_sees_a_stranger_green_is_not_taken(green: bool) -> None:
    """It is in a group that the topology does not have."""
    facts = changed(broken(), S, geo_partners=("10.9.9.9",), partner_status={"10.9.9.9": green})
    assert linked_without_master(PLAN, "A", facts) == (("10.9.9.9",) if green else ())


def test_fresh_slave_is_taken() -> None:
    units = {
        address: replace(unit, geo_partners=(), partner_status={}, clusters=())
        for address, unit in broken().units.items()
    }
    assert linked_without_master(PLAN, "A", Observations(units)) == ()
    shown = changed(Observations(units), S, partner_status={X: True})
    assert linked_without_master(PLAN, "A", shown) == (), "it has entered nobody"
