"""A pair's own settings, one fault at a time: who it is about, and what to do next."""

from __future__ import annotations

from typing import Any

import pytest

from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.findings.states import UnitState
from geoplan.live.model import State
from tests.status.made import (
    M1,
    S1,
    changed,
    failed_over,
    findings_of,
    only,
    plan_of,
    status_of,
    unit_states,
    well,
    with_ha,
)


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


def test_partner_by_a_name_that_stands_for_the_other_unit_is_as_planned() -> None:
    for found in ("172.24.9.9", S1):
        facts = with_ha(well(), M1, partner="slave.example", partner_addresses=(found, S1))
        assert status_of(facts).findings == ()


@pytest.mark.parametrize(
    ("addresses", "words"), [((), "is not known here"), (("172.24.9.9",), "stands for 172.24.9.9 here")]
)
def test_partner_by_any_other_name_is_not_compared_and_never_wrong(addresses: tuple[str, ...], words: str) -> None:
    facts = with_ha(well(), M1, partner="slave.example", partner_addresses=addresses)
    finding = only(facts)

    assert (finding.kind, finding.severity) == (FindingKind.PARTNER_NOT_COMPARED, Severity.KNOWING)
    assert f"its name 'slave.example' {words}" in finding.message
    (pair, *_) = [site for site in status_of(facts).sites if site.kind == "ha_pair"]
    assert pair.units[0].ha_differs == ()
    assert (pair.units[0].ha_not_compared, pair.units[1].ha_not_compared) == (("partner",), ())


@pytest.mark.parametrize(
    ("told", "unknown"),
    [({"mode": None}, ("mode",)), ({"partner": None, "health_check_port": None}, ("partner", "port"))],
)
def test_what_a_unit_does_not_tell_is_neither_right_nor_wrong(told: dict[str, Any], unknown: tuple[str, ...]) -> None:
    (pair, *_) = [site for site in status_of(with_ha(well(), M1, **told)).sites if site.kind == "ha_pair"]
    assert (pair.units[0].ha_differs, pair.units[0].ha_not_compared) == ((), unknown)


def test_partner_in_another_spelling_is_none_other() -> None:
    assert status_of(with_ha(well(), M1, partner="172.24.1.6")).findings == ()


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


def test_firmware_that_differs_within_a_pair() -> None:
    found = findings_of(changed(well(), S1, firmware="7.2.58.0"))

    assert "7.2.58.0 on 172.24.1.6" in found[FindingKind.FIRMWARE_DIFFERS][0].message
    assert "section 7" in found[FindingKind.FIRMWARE_DIFFERS][0].message
    assert f"of {S1} has not" in found[FindingKind.PARTNER_SECRET][0].message


def test_builds_of_one_version_do_not_differ() -> None:
    assert status_of(changed(well(), S1, firmware="7.2.59.4.99999.RELEASE")).is_well
