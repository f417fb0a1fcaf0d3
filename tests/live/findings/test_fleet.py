"""Single units and all sites together, one fault at a time: who it is about, and what to do next."""

from __future__ import annotations

from geoplan.live.findings.kinds import FindingKind, Severity
from geoplan.live.findings.states import UnitState
from geoplan.live.model import Cause, Failure
from tests.status.made import (
    A1,
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
    findings_of,
    only,
    status_of,
    unit_states,
    well,
)


def test_platform_that_does_not_tell_its_ha_parameters() -> None:
    status = status_of(changed(well(), M1, S1, ha=None))

    assert status.is_well
    (finding,) = status.findings
    assert (finding.kind, finding.units) == (FindingKind.HA_NOT_TOLD, (M1, S1))
    assert "do not tell their HA parameters" in finding.message


def test_links_that_units_do_not_tell_are_said_and_are_no_fault() -> None:
    untold = dict.fromkeys(well().units[A1].partner_status or {})
    assert untold
    status = status_of(changed(well(), A1, partner_status=untold))
    assert status.is_well
    (finding,) = status.findings
    assert (finding.kind, finding.units, finding.severity) == (FindingKind.LINKS_NOT_TOLD, (A1,), Severity.KNOWING)
    assert "what is not told is not green" in finding.message


def test_partner_secret_on_one_side_of_a_group() -> None:
    finding = only(changed(well(), M1, S1, firmware="7.2.48.3"))

    assert finding.kind is FindingKind.PARTNER_SECRET
    assert "refuse each other" in finding.message


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


def test_one_certificate_at_several_addresses_is_worth_knowing() -> None:
    status = status_of(changed(changed(well(), M1, S1, A1, certificate="sha256:aa"), M2, certificate="sha256:bb"))

    assert status.is_well
    (finding,) = status.findings
    assert (finding.kind, finding.units) == (FindingKind.ONE_CERTIFICATE, (M1, S1, A1))
    assert finding.severity is Severity.KNOWING


def test_units_whose_certificates_are_not_known_have_none_in_common() -> None:
    assert status_of(changed(well(), M1, S1, certificate=None)).findings == ()
