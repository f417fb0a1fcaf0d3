"""All findings together, whatever units say."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from geoplan.live.findings.kinds import Finding, FindingKind, Severity
from geoplan.live.findings.states import UnitState
from geoplan.live.model import Cause, Failure, HaFacts, Observation, Observations, State
from geoplan.status.table import as_text
from tests.status.made import A1, M1, M2, PLAN, S1, S2, changed, findings_of, status_of, well

PLAN_UNITS = tuple(unit.address for site in PLAN.sites for unit in site.units)


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    status = status_of(well())

    assert status.findings == ()
    assert status.is_well
    assert [site.active for site in status.sites] == [M1, M2, A1, "172.24.1.10"]


ADDRESSES = st.sampled_from([None, M1, S1, "10.9.9.9", "ha.example"])
HA = st.builds(
    HaFacts,
    partner=ADDRESSES,
    health_check_port=st.sampled_from([None, 8444, 9000]),
    prefers_master=st.sampled_from([None, True, False]),
    mode=st.sampled_from([None, "master", "slave", "single"]),
    all_interfaces=st.sampled_from([None, True, False]),
)
FAILURES = st.none() | st.builds(Failure, st.sampled_from(Cause), st.just("it says {no} [more] than that"))


@st.composite
def any_facts(draw: st.DrawFn) -> Observations:
    units: dict[str, Observation] = {}
    for address, unit in well().units.items():
        is_paired = unit.role != "standalone"
        state = draw(st.sampled_from(State)) if is_paired else None
        units[address] = replace(
            unit,
            state=state,
            health=state and state.value,
            failure=draw(FAILURES),
            ha=draw(st.none() | HA) if is_paired else None,
            firmware=draw(st.sampled_from([None, "7.2.48.3", "7.2.59.4"])),
            geo_enabled=draw(st.sampled_from([None, True, False])),
            ssh_access=draw(st.sampled_from([None, True, False])),
            partner_status=draw(st.none() | st.dictionaries(st.sampled_from([M1, S1, A1, "10.9.9.9"]), st.booleans())),
            clusters=draw(st.sampled_from([None, (), unit.clusters])),
            unread=draw(st.sampled_from([(), ("ha",), ("clusters",)])),
        )
    return Observations(units)


def is_about_the_plan(finding: Finding) -> bool:
    names, addresses = {site.name for site in PLAN.sites}, set(PLAN_UNITS)
    return bool(finding.sites) and {*finding.sites} <= names and {*finding.units} <= addresses


@given(any_facts())
def test_whatever_units_say_is_told(facts: Observations) -> None:
    status = status_of(facts)

    assert status.is_well == all(finding.severity is Severity.KNOWING for finding in status.findings)
    assert all(map(is_about_the_plan, status.findings))
    assert all(finding.message[0].isupper() or finding.message[0].isdigit() for finding in status.findings)
    for width in (80, 120, 160):
        commands = {command for finding in status.findings for command in finding.commands}
        lines = as_text(status, width=width).splitlines()
        assert all(len(line) <= width for line in lines if line.strip() not in commands)


@given(any_facts())
def test_pair_without_exactly_one_active_unit_is_never_well(facts: Observations) -> None:
    status = status_of(facts)

    for site in status.sites:
        states = [unit.state for unit in site.units]
        if site.kind == "ha_pair" and states.count(UnitState.ACTIVE) != 1 and facts.units[site.units[0].address].ha:
            assert not status.is_well


# -- some sites alone --------------------------------------------------------------------------------------------------


def seen_of(facts: Observations, *sites: str) -> Observations:
    """Return what is known where only some sites were asked."""
    units = {address: unit for address, unit in facts.units.items() if unit.site in sites}
    return Observations(units, frozenset(sites))


SITES = st.sets(st.sampled_from([site.name for site in PLAN.sites]), min_size=1)


@given(any_facts(), SITES)
def test_of_sites_that_were_not_asked_nothing_is_said(facts: Observations, sites: set[str]) -> None:
    status = status_of(seen_of(facts, *sites))

    assert {site.name for site in status.sites} == sites
    assert all({*finding.sites} <= sites for finding in status.findings)


@given(SITES)
def test_sites_of_a_system_that_is_well_are_well_by_themselves(sites: set[str]) -> None:
    assert status_of(seen_of(well(), *sites)).findings == ()


def test_links_to_units_that_were_not_asked_are_told_as_those_that_were_see_them() -> None:
    red = {**(well().units[M1].partner_status or {}), S2: False, A1: False}
    found = findings_of(seen_of(changed(well(), M1, partner_status=red), "HA Pair 1"))
    (finding,) = found.pop(FindingKind.RED_PARTNER)

    assert not found
    assert (finding.sites, finding.units, finding.severity) == (("HA Pair 1",), (M1,), Severity.MENDING)
    assert S2 in finding.message
    assert A1 in finding.message


@given(st.sampled_from([site.name for site in PLAN.sites]))
def test_what_a_push_enters_at_other_sites_blocks_none_where_these_were_not_asked(site: str) -> None:
    without = changed(well(), *PLAN_UNITS, clusters=())
    for facts in (without, seen_of(without, site)):
        (finding,) = findings_of(facts)[FindingKind.GEO_DIFFERS]
        assert finding.severity is Severity.MENDING
