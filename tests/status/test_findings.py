"""What is wrong, from made facts: one fault at a time, each with who it is about and what to do next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.live.findings.kinds import Finding, FindingKind, Severity
from geoplan.live.findings.states import UnitState
from geoplan.live.model import Cause, Failure, HaFacts, Observation, Observations, State
from geoplan.status.state_changes import Sightings
from geoplan.status.table import as_text
from tests.status.made import (
    A1,
    AT,
    DENIED,
    M1,
    M2,
    NO_ANSWER,
    NO_API,
    PLAN,
    S1,
    S2,
    changed,
    down,
    failed_over,
    findings_of,
    only,
    plan_of,
    status_of,
    well,
    with_ha,
)

NO_PREFERENCE = PLAN.model_copy(
    update={"sites": tuple(s.model_copy(update={"preferred_host": "none"}) if s.units[1:] else s for s in PLAN.sites)}
)


def without_preference(facts: Observations) -> Observations:
    for address in (M1, S1, M2, S2):
        facts = with_ha(facts, address, prefers_master=False)
    return facts


def unit_states(facts: Observations) -> dict[str, UnitState]:
    return {unit.address: unit.state for site in status_of(facts).sites for unit in site.units}


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    status = status_of(well())

    assert status.findings == ()
    assert status.is_well
    assert [site.active for site in status.sites] == [M1, M2, A1, "172.24.1.10"]


# -- failed over -------------------------------------------------------------------------------------------------------


def test_failed_over_pair_is_said_as_such_and_is_unusual_under_prefer_master() -> None:
    finding = only(failed_over(well()))

    assert finding.kind is FindingKind.FAILED_OVER
    assert finding.sites == ("HA Pair 1",)
    assert f"the slave {S1} is active at present; the master {M1} is its standby" in finding.message
    assert "Under Prefer Master that is unusual" in finding.message
    assert finding.commands == ("geoplan status TOPOLOGY --watch",)
    assert finding.severity is Severity.MENDING


def test_failed_over_pair_without_a_preferred_host_stays_so_and_that_is_no_problem() -> None:
    facts = without_preference(failed_over(well()))
    status = status_of(facts, NO_PREFERENCE)

    assert status.is_well
    (finding,) = status.findings
    assert finding.severity is Severity.KNOWING
    assert "It stays so (No Preferred Host)" in finding.message
    assert status.sites[0].failed_over
    assert status.sites[0].active == S1


@pytest.mark.parametrize(("prefers", "back"), [(True, "It goes back by itself"), (False, "It stays with the slave")])
def test_slave_that_took_over_from_a_master_that_is_down(prefers: bool, back: str) -> None:
    facts = with_ha(down(failed_over(well()), M1), S1, prefers_master=prefers)
    plan = PLAN if prefers else NO_PREFERENCE
    found = findings_of(facts if prefers else without_preference_but(facts, M1), plan)

    assert found[FindingKind.UNIT_DOWN][0].units == (M1,)
    assert back in found[FindingKind.FAILED_OVER][0].message


def without_preference_but(facts: Observations, *silent: str) -> Observations:
    for address in {M1, S1, M2, S2} - set(silent):
        facts = with_ha(facts, address, prefers_master=False)
    return facts


def test_who_watched_knows_since_when() -> None:
    sightings = Sightings()
    first = sightings.look(well(), AT)
    since = sightings.look(failed_over(well()), AT + timedelta(seconds=5))
    again = sightings.look(failed_over(well()), AT + timedelta(seconds=10))
    status = status_of(failed_over(well()), since=again)

    assert first == {}
    assert since == again == {M1: AT + timedelta(seconds=5), S1: AT + timedelta(seconds=5)}
    assert f"active since {(AT + timedelta(seconds=5)).astimezone():%H:%M:%S}" in status.findings[0].message


# -- states that do not go together ------------------------------------------------------------------------------------


def test_both_units_active() -> None:
    facts = changed(well(), S1, state=State.ACTIVE)
    finding = only(facts)

    assert finding.kind is FindingKind.BOTH_ACTIVE
    assert finding.units == (M1, S1)
    assert "both answer 200" in finding.message
    assert "6973" in finding.hint
    assert status_of(facts).sites[0].active is None


def test_both_units_standby_is_none_active() -> None:
    finding = only(changed(well(), M1, state=State.STANDBY))

    assert finding.kind is FindingKind.NONE_ACTIVE
    assert "both answer 503" in finding.message
    assert "look again" in finding.hint


def test_standby_whose_partner_is_down_is_none_active() -> None:
    found = findings_of(down(well(), M1))

    assert found[FindingKind.UNIT_DOWN][0].units == (M1,)
    assert f"the slave {S1} is standby, and the master {M1} is down" in found[FindingKind.NONE_ACTIVE][0].message


def test_standby_that_is_down_leaves_the_pair_without_one() -> None:
    finding = only(down(well(), S1))

    assert finding.kind is FindingKind.UNIT_DOWN
    assert finding.units == (S1,)
    assert "Its pair has no standby" in finding.message


def test_pair_that_is_down_is_said_once() -> None:
    finding = only(down(down(well(), M1), S1))

    assert finding.kind is FindingKind.PAIR_DOWN
    assert finding.units == (M1, S1)


def test_standalone_that_is_down() -> None:
    finding = only(down(well(), A1))

    assert finding.kind is FindingKind.UNIT_DOWN
    assert "connection refused" in finding.message


def test_silent_health_check_of_a_unit_that_is_up_is_unconnected() -> None:
    facts = changed(well(), S1, state=State.DOWN)
    finding = only(facts)

    assert unit_states(facts)[S1] is UnitState.UNCONNECTED
    assert finding.kind is FindingKind.UNCONNECTED
    assert f"nothing answers on the health check port 8444 of the slave {S1} (refused)" in finding.message.lower()
    assert "Slave Unconnected" in finding.message
    assert "a look of geoplan's included" in finding.hint


def test_health_check_that_answers_something_else() -> None:
    finding = only(changed(well(), S1, state=State.UNKNOWN))

    assert finding.kind is FindingKind.HEALTH_UNCLEAR
    assert "404" in finding.message
    assert "6.2.1" in finding.hint


# -- HA parameters -----------------------------------------------------------------------------------------------------


def test_pair_without_ha_is_to_be_set_up() -> None:
    facts = well()
    for address in (M1, S1):
        facts = with_ha(facts, address, mode="single", partner=None, health_check_port=None)
        facts = changed(facts, address, state=State.DOWN)
    finding = only(facts)

    assert finding.kind is FindingKind.NO_HA
    assert finding.commands == ("geoplan push TOPOLOGY --phase ha",)
    assert {unit_states(facts)[address] for address in (M1, S1)} == {UnitState.ALONE}


def test_single_unit_beside_a_master() -> None:
    facts = changed(with_ha(well(), S1, mode="single"), S1, state=State.DOWN)
    finding = only(facts)

    assert (finding.kind, finding.units) == (FindingKind.NO_HA, (S1,))
    assert "whose mode is master" in finding.message
    assert finding.hint == "set HA up:"


def test_single_unit_beside_one_in_its_own_mode_is_set_up_once_that_is_put_right() -> None:
    finding = only(with_ha(with_ha(failed_over(well()), M1, mode="single"), S1, mode="master"))

    assert (finding.kind, finding.units) == (FindingKind.NO_HA, (M1,))
    assert finding.hint == f"set Slave HA Mode under System Configuration > AWS HA Parameters on {S1}, then set HA up:"


@pytest.mark.parametrize(("mode", "wrong", "wanted"), [("master", S1, "Slave"), ("slave", M1, "Master")])
def test_both_units_in_the_same_mode(mode: str, wrong: str, wanted: str) -> None:
    finding = only(with_ha(with_ha(well(), M1, mode=mode), S1, mode=mode))

    assert finding.kind is FindingKind.SAME_MODE
    assert f"are in HA mode {mode}" in finding.message
    assert f"set {wanted} HA Mode under System Configuration > AWS HA Parameters on {wrong} by hand" in finding.hint
    assert finding.commands == ()  # a push would be refused: it changes no mode that a unit has already


def test_modes_swapped_against_the_topology_is_no_failover() -> None:
    facts = with_ha(with_ha(failed_over(well()), M1, mode="slave"), S1, mode="master")
    finding = only(facts)

    assert finding.kind is FindingKind.MODES_SWAPPED
    assert f"{M1} is slave, not master and {S1} is master, not slave" in finding.message
    assert not status_of(facts).sites[0].failed_over


def test_partner_of_another_address() -> None:
    finding = only(with_ha(well(), M1, partner="172.24.9.9"))

    assert finding.kind is FindingKind.PARTNER_MISMATCH
    assert finding.message == f"The HA partner of the master {M1} is 172.24.9.9, and the pair's other unit is {S1}"
    assert f"enter {S1}" in finding.hint


def test_partner_that_is_not_set() -> None:
    assert status_of(with_ha(well(), S1, partner=None)).findings == ()  # not told is not unset
    finding = only(with_ha(well(), S1, partner=""))

    assert (finding.kind, finding.units) == (FindingKind.NO_PARTNER, (S1,))


@pytest.mark.parametrize("partner", ["172.24.1.6", "ha-pair-1-slave.example"])
def test_partner_in_another_spelling_or_by_name_is_none_other(partner: str) -> None:
    assert status_of(with_ha(well(), M1, partner=partner)).findings == ()


def test_ports_that_differ_between_the_units() -> None:
    facts = changed(with_ha(well(), S1, health_check_port=9000), S1, state=State.DOWN)
    finding = only(facts)

    assert (finding.kind, finding.units) == (FindingKind.PORTS_DIFFER, (S1,))
    assert f"8444 on {M1} and 9000 on {S1}" in finding.message
    assert "the topology has 8444" in finding.message
    assert finding.hint == f"set Health Check Port 8444 under System Configuration > AWS HA Parameters on {S1}"


def test_same_port_on_both_that_is_not_the_topology_s() -> None:
    facts = with_ha(with_ha(well(), M1, health_check_port=9000), S1, health_check_port=9000)
    finding = only(facts)

    assert finding.units == (M1, S1)
    assert "is not the topology's" in finding.message
    assert "health_check_port, or this pair's health_check: {port: …}" in finding.hint


def test_port_that_is_not_set() -> None:
    assert f"none on {S1}" in only(with_ha(well(), S1, health_check_port=0)).message
    assert status_of(with_ha(well(), S1, health_check_port=None)).findings == ()


def test_preferred_host_of_the_master_counts_and_of_the_slave_is_worth_a_note() -> None:
    master, slave = (only(with_ha(well(), address, prefers_master=False)) for address in (M1, S1))

    assert master.kind is slave.kind is FindingKind.PREFERRED_HOST_DIFFERS
    assert (master.severity, slave.severity) == (Severity.BLOCKING, Severity.KNOWING)
    assert "set to No Preferred Host, and the topology has Prefer Master" in master.message
    assert "preferred_host: none" in master.hint


def test_all_interfaces_that_differ_between_the_units() -> None:
    finding = only(with_ha(well(), M1, all_interfaces=True))

    assert finding.kind is FindingKind.ALL_INTERFACES_DIFFER
    assert f"{M1} has it on and {S1} has it off" in finding.message
    assert status_of(with_ha(with_ha(well(), M1, all_interfaces=True), S1, all_interfaces=True)).is_well


def test_all_interfaces_that_the_topology_has_otherwise() -> None:
    plan = plan_of("aws-dublin-ohio")
    pair = next(site for site in plan.sites if site.kind == "ha_pair")
    wanted = plan.ha_pair(pair.name).master.all_interfaces
    facts = well(plan)
    for unit in pair.units:
        facts = with_ha(facts, unit.address, all_interfaces=not wanted)

    found = findings_of(facts, plan)[FindingKind.ALL_INTERFACES_DIFFER]
    assert found[0].sites == (pair.name,)
    assert f"the topology has it {'on' if wanted else 'off'}" in found[0].message


def test_platform_that_does_not_tell_its_ha_parameters() -> None:
    status = status_of(changed(well(), M1, S1, ha=None))

    assert status.is_well
    (finding,) = status.findings
    assert (finding.kind, finding.units) == (FindingKind.HA_NOT_TOLD, (M1, S1))
    assert "do not tell their HA parameters" in finding.message


def test_firmware_that_differs_within_a_pair() -> None:
    found = findings_of(changed(well(), S1, firmware="7.2.58.0"))

    assert "7.2.58.0 on 172.24.1.6" in found[FindingKind.FIRMWARE_DIFFERS][0].message
    assert "section 7" in found[FindingKind.FIRMWARE_DIFFERS][0].message
    assert f"of {S1} has not" in found[FindingKind.PARTNER_SECRET][0].message


def test_builds_of_one_version_do_not_differ() -> None:
    assert status_of(changed(well(), S1, firmware="7.2.59.4.99999.RELEASE")).is_well


def test_partner_secret_on_one_side_of_a_group() -> None:
    finding = only(changed(well(), M1, S1, firmware="7.2.48.3"))

    assert finding.kind is FindingKind.PARTNER_SECRET
    assert "refuse each other" in finding.message


# -- units that cannot be read -----------------------------------------------------------------------------------------


def test_credentials_that_no_unit_takes_are_said_once() -> None:
    facts = changed(well(), *PLAN_UNITS, failure=DENIED, firmware=None, ha=None)
    finding = only(facts)

    assert finding.kind is FindingKind.UNAUTHORIZED
    assert finding.units == PLAN_UNITS
    assert "GEOPLAN_PASSWORD" in finding.hint


def test_certificate_that_is_not_believed_says_what_to_do_about_it_and_nothing_of_passwords() -> None:
    untrusted = Failure(Cause.UNAUTHORIZED, "its certificate is not the pinned one", "run geoplan trust again")
    finding = only(changed(well(), *PLAN_UNITS, failure=untrusted, firmware=None, ha=None))

    assert finding.hint == "run geoplan trust again"


PLAN_UNITS = tuple(unit.address for site in PLAN.sites for unit in site.units)


def test_api_of_an_active_unit_that_cannot_be_reached() -> None:
    facts = changed(well(), M1, failure=NO_ANSWER)

    assert only(facts).kind is FindingKind.UNREACHABLE
    assert unit_states(facts)[M1] is UnitState.ACTIVE


def test_standby_that_refuses_reads_is_no_problem() -> None:
    refusal = Failure(Cause.REFUSED, "it refuses 'get' with 422: not active")
    status = status_of(changed(well(), S1, failure=refusal))

    assert status.is_well
    assert status.findings[0].kind is FindingKind.UNREADABLE
    assert not status_of(changed(well(), M1, failure=refusal)).is_well
    assert not status_of(changed(well(), S1, failure=NO_API)).is_well


def test_a_standby_without_its_list_is_a_problem_of_its_own() -> None:
    finding = only(changed(well(), S1, geo_partners=()))

    assert finding.kind is FindingKind.GEO_DIFFERS
    assert finding.units == (S1,)


def test_unit_that_answers_a_part_in_an_unknown_way() -> None:
    lists = only(changed(well(), M1, unread=("clusters", "geo_enabled")))
    colours = only(changed(well(), M1, unread=("partner_status",)))

    assert "clusters and whether GEO is on" in lists.message
    assert (lists.severity, colours.severity) == (Severity.BLOCKING, Severity.KNOWING)


# -- GEO ---------------------------------------------------------------------------------------------------------------


def test_geo_off_and_ssh_off() -> None:
    found = findings_of(changed(changed(well(), M1, S1, geo_enabled=False), A1, ssh_access=False))

    assert found[FindingKind.GEO_OFF][0].units == (M1, S1)
    assert found[FindingKind.SSH_OFF][0].units == (A1,)


def test_red_slave_that_is_up_never_submitted_its_partners() -> None:
    facts = changed(well(), A1, M2, partner_status={S1: False, M1: True})
    finding = only(facts)

    assert (finding.kind, finding.units) == (FindingKind.RED_PARTNER, (S1,))
    assert "drop out of GEO" in finding.message
    assert finding.commands == ("geoplan push TOPOLOGY --reboot 'always=HA Pair 1'",)


def test_red_partner_that_is_down_is_explained_by_that_alone() -> None:
    facts = changed(down(well(), S1), A1, M2, partner_status={S1: False})

    assert only(facts).kind is FindingKind.UNIT_DOWN


def test_red_partner_that_the_topology_does_not_have() -> None:
    finding = only(changed(well(), A1, partner_status={"10.9.9.9": False}))

    assert finding.units == (A1,)
    assert "10.9.9.9" in finding.message


def test_links_that_a_standby_sees_red_are_not_held_against_it() -> None:
    assert status_of(changed(well(), S1, partner_status={M2: False})).is_well


def test_lists_and_clusters_are_left_to_diff() -> None:
    found = findings_of(changed(changed(well(), M1, geo_partners=()), A1, clusters=()))
    (finding,) = found.pop(FindingKind.GEO_DIFFERS)

    assert list(found) == [FindingKind.GEO_MERGE]  # they are no partners by now, and would be again
    assert finding.sites == ("HA Pair 1", "Standalone LoadMaster 1")
    assert finding.commands == ("geoplan diff TOPOLOGY", "geoplan push TOPOLOGY")


def test_links_and_clusters_are_counted_against_the_plan() -> None:
    facts = changed(well(), M1, partner_status={S2: True, M2: False, "10.0.0.1": True})
    unit = status_of(facts).sites[0].units[0]

    assert unit.partners is not None
    assert unit.clusters is not None
    assert (unit.partners.good, unit.partners.planned) == (1, 4)
    assert (unit.clusters.good, unit.clusters.planned) == (4, 4)


# -- whatever units say ------------------------------------------------------------------------------------------------

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
