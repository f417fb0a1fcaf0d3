"""What blocks a push."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geoplan.live.findings import NoteKind
from geoplan.live.model import (
    REMOTE_LM,
    Cause,
    ClusterType,
    Failure,
    GeoCluster,
    HaFacts,
    Observation,
    Observations,
    State,
)
from geoplan.push.history import History
from geoplan.push.ledger import Ledger
from geoplan.push.options import Options, RebootMode
from geoplan.push.preflight import PreflightInput, PreflightResult, check
from geoplan.push.records import FORMAT, make
from tests.push.observations import changed, in_place, plan_of, untouched
from tests.push.support import A1, A2, M1, M2, S1, S2

PLAN = plan_of()
FINE = in_place(PLAN)
FRESH = untouched(PLAN)
CLUSTERS = FINE.units[M1].clusters
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BACKGROUND = PreflightInput(Options(), 18, NOW)


def verdict(facts: Observations = FRESH, background: PreflightInput = BACKGROUND, **options: object) -> PreflightResult:
    wanted = replace(background, options=replace(background.options, **options))  # type: ignore[arg-type]
    return check(PLAN, facts, wanted)


def problems(facts: Observations, **options: object) -> list[str]:
    return [str(problem) for problem in verdict(facts, BACKGROUND, **options).problems]


def test_fresh_units_are_ready_and_every_pair_is_to_be_rebooted() -> None:
    found = verdict()
    assert found.is_clear
    assert found.reboots == ("HA Pair 1", "HA Pair 2")


def test_units_in_place_are_ready_and_none_is_to_be_rebooted() -> None:
    assert verdict(FINE) == PreflightResult((), (), ())


def test_which_pairs_are_rebooted_is_for_the_operator_to_say() -> None:
    assert verdict(FINE, reboot=RebootMode.ALWAYS).reboots == ("HA Pair 1", "HA Pair 2")
    assert verdict(FINE, reboot_sites=("HA Pair 2",)).reboots == ("HA Pair 2",)
    assert verdict(FRESH, reboot=RebootMode.NEVER).reboots == ()


@pytest.mark.parametrize(
    ("address", "fields", "part"),
    [
        (A1, {"failure": Failure(Cause.UNREACHABLE, "no route")}, "172.24.1.9 is down: no route"),
        (S1, {"failure": Failure(Cause.UNAUTHORIZED, "not accepted")}, "172.24.1.6: not accepted"),
        (S1, {"firmware": "7.2.60.0.1.RELEASE"}, "HA Pair 1: Its units run different firmware"),
        (A1, {"firmware": "7.2.48.3.1.RELEASE"}, "Units of the topology refuse each other"),
        (A2, {"geo_enabled": False}, "GEO is off on 172.24.1.10"),
        (A2, {"ssh_access": False}, "Remote SSH access is not allowed on 172.24.1.10"),
        (M1, {"ha": HaFacts(S1, 8444, prefers_master=True, mode="slave")}, "are in HA mode slave"),
        (
            M1,
            {"ha": HaFacts(S2, 8444, prefers_master=True, mode="master")},
            "of the master 172.24.1.5 is 172.24.1.7",
        ),
        (
            M1,
            {"ha": HaFacts(S1, 8444, prefers_master=False, mode="master")},
            "172.24.1.5 is set to No Preferred Host",
        ),
        (S1, {"state": State.ACTIVE}, "Both units are active"),
        (S1, {"state": State.DOWN}, "Nothing answers on the health check port 8444 of the slave 172.24.1.6"),
        (M2, {"clusters": (GeoCluster(A1, "Another", REMOTE_LM),)}, "is called 'Another', of type remoteLM"),
        (M2, {"clusters": (GeoCluster(A1, "Standalone LoadMaster 1", ClusterType.LOCAL_LM),)}, "of type localLM"),
        (M2, {"geo_partners": ("10.9.9.9",)}, "has 10.9.9.9, which the plan would remove"),
    ],
)
def test_one_thing_wrong_is_one_problem(address: str, fields: dict[str, object], part: str) -> None:
    found = problems(changed(FRESH, address, **fields), accept_geo_merge=True)
    assert len(found) == 1
    assert part in found[0]


def test_everything_wrong_stands_in_one_report() -> None:
    facts = changed(FRESH, A1, failure=Failure(Cause.UNREACHABLE, "no route"))
    facts = changed(changed(facts, A2, geo_enabled=False), M1, ssh_access=False)
    assert len(problems(facts)) == 3


def failed_over(facts: Observations) -> Observations:
    return changed(changed(facts, M1, state=State.STANDBY), S1, state=State.ACTIVE, clusters=(), fqdns=())


def test_a_slave_may_be_active_where_nothing_is_rebooted() -> None:
    facts = changed(failed_over(FINE), S1, clusters=FINE.units[M1].clusters)
    assert problems(facts) == []


def test_a_slave_may_not_be_active_where_its_master_is_to_be_rebooted() -> None:
    (problem,) = problems(failed_over(FRESH))
    assert "its slave is active, and its master is to be rebooted" in problem


CHANGING = {"action": "set_geo_partners", "what": "geo_partners", "before": [], "after": ["172.24.1.9"]}


def journal(*events: str, at: datetime = NOW) -> History:
    units = {unit.address: unit.address for site in PLAN.sites for unit in site.units}
    begin = {"who": "ann@desk", "checksum": PLAN.checksum, "options": {}, "units": units}
    fields = {"step": "a-step", "site": "HA Pair 1", "unit": M1}
    return History(
        Path("journal"),
        (
            make("begin", at, format=FORMAT, plan=PLAN.model_dump(mode="json"), **begin),
            *(make(event, at, **fields, **(CHANGING if event == "changing" else {})) for event in events),
        ),
    )


def ledger(history: History) -> Ledger:
    read = Ledger()
    read.read(history)
    return read


def test_a_reboot_that_the_journal_records_may_be_under_way() -> None:
    facts = changed(failed_over(FRESH), M1, state=State.DOWN, failure=Failure(Cause.UNREACHABLE, "booting"))
    background = replace(BACKGROUND, resumed=journal("changing", "rebooting"))
    assert verdict(facts, background).is_clear


def test_reboots_need_room() -> None:
    recent = journal("rebooting", "rebooting", "rebooting", at=NOW - timedelta(minutes=4))
    (problem,) = verdict(FRESH, replace(BACKGROUND, ledger=ledger(recent))).problems
    assert "one more reboot, and it makes itself passive" in str(problem)
    older = journal("rebooting", "rebooting", "rebooting", at=NOW - timedelta(minutes=6))
    assert verdict(FRESH, replace(BACKGROUND, ledger=ledger(older))).is_clear


def test_a_word_lets_unknown_addresses_go() -> None:
    facts = changed(FRESH, M2, geo_partners=("10.9.9.9",))
    assert problems(facts, remove_unknown=True) == []


def test_different_geo_configurations_need_a_word_only_where_units_are_no_partners_yet() -> None:
    other = (GeoCluster("10.9.9.9", "Elsewhere", REMOTE_LM),)
    (problem,) = problems(changed(FRESH, M2, clusters=other))
    assert "theirs differ" in problem
    assert "back up the unit whose GEO configuration is right" in problem
    assert problems(changed(FRESH, M2, clusters=other), accept_geo_merge=True) == []
    assert problems(changed(FINE, M2, fqdns=("www.example.com",))) == []


def test_sites_that_would_join_others_at_work_are_told_of_the_change_that_lets_them() -> None:
    at_work = changed(FRESH, M1, clusters=CLUSTERS, geo_partners=(A1,))
    at_work = changed(at_work, A1, clusters=CLUSTERS, geo_partners=(M1, S1))
    (problem,) = problems(at_work, remove_unknown=True)
    assert problem.splitlines()[-1].strip() == "geoplan push TOPOLOGY --from live"
    (first,) = problems(changed(FRESH, M1, clusters=CLUSTERS))
    assert "--from" not in first


def test_what_partners_share_is_told_once_with_all_who_show_it() -> None:
    renamed = tuple(replace(each, name=f"{each.name} before") for each in FINE.units[M1].clusters or ())
    found = problems(changed(FINE, M1, M2, A1, A2, S1, S2, clusters=renamed))
    assert len(found) == len(renamed)
    assert all(problem.startswith(f"{M1}, {M2}, {A1}, {A2}: ") for problem in found)


def test_addresses_that_partners_have_of_nobody_are_told_once_for_both_lists_of_all() -> None:
    known = {M1: FINE.units[M1], M2: FINE.units[M2]}
    facts = FINE
    for address, unit in known.items():
        more = {
            "remote_geo_access": (*(unit.remote_geo_access or ()), "10.9.9.9"),
            "geo_partners": (*(unit.geo_partners or ()), "10.9.9.9"),
        }
        facts = changed(facts, address, **more)
    (problem,) = problems(facts)
    assert problem.startswith(f"{M1}, {M2}: Remote GEO LoadMaster Access and GEO LoadMaster Partners have 10.9.9.9, ")
    assert problem.count("push --from") == 1


def test_limit_of_clusters_counts_those_to_come() -> None:
    fifteen = tuple(GeoCluster(f"10.9.9.{number}", f"C{number}", REMOTE_LM) for number in range(1, 16))
    facts = changed(FRESH, M1, M2, A1, A2, clusters=fifteen)
    (problem,) = problems(facts)
    assert "there would be 19 clusters (15 present, 4 to add), and the limit is 18" in problem


def test_an_unfinished_cluster_is_not_in_the_way() -> None:
    facts = changed(FRESH, M1, M2, A1, A2, clusters=(GeoCluster(M1, "HA Pair 1", ClusterType.DEFAULT),))
    assert problems(facts) == []


def facts_of(address: str) -> Observation:
    return FRESH.units[address]


REFUSED = Failure(Cause.REFUSED, "it refuses 'get' with 422: not active")


def test_a_standby_that_refuses_reads_is_noted() -> None:
    found = verdict(changed(FRESH, S1, failure=REFUSED))
    assert found.is_clear
    assert found.notes[0].kind is NoteKind.STANDBY_REFUSES


def test_a_standby_that_refuses_one_question_is_noted_with_it() -> None:
    found = verdict(changed(FRESH, S1, ssh_access=None, refused=("ssh_access",)))
    assert found.is_clear
    assert [(note.kind, "whether remote SSH access is on" in str(note)) for note in found.notes] == [
        (NoteKind.STANDBY_REFUSES, True)
    ]


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (S1, {"failure": Failure(Cause.UNREADABLE, "it answers a web page")}),
        (S1, {"failure": Failure(Cause.UNREACHABLE, "no route")}),
        (S1, {"failure": Failure(Cause.UNAUTHORIZED, "not accepted")}),
        (S1, {"failure": REFUSED, "is_trusted": False}),
        (M1, {"failure": REFUSED}),
        (A1, {"failure": REFUSED}),
    ],
)
def test_whoever_has_not_explicitly_refused_as_a_standby_has_told_nothing(
    address: str, fields: dict[str, object]
) -> None:
    (problem,) = verdict(changed(FRESH, address, **fields)).problems
    assert problem.sites == (facts_of(address).site,)
    assert address in problem.message


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("address", [M1, S1, A1])
@pytest.mark.parametrize("state", State)
def test_a_unit_that_could_not_be_read_blocks_every_push(address: str, state: State, cause: Cause) -> None:
    paired = {} if address == A1 else {"state": state}
    spoilt = changed(FRESH, address, failure=Failure(cause, "so it is"), ha=None, **paired)
    assert verdict(spoilt).is_clear == (address == S1 and spoilt.units[address].refuses_reads)


@pytest.mark.parametrize("slave", State)
@pytest.mark.parametrize("master", State)
def test_a_pair_without_one_active_unit_and_its_standby_blocks_every_push(master: State, slave: State) -> None:
    spoilt = changed(changed(FRESH, M1, state=master), S1, state=slave)
    assert verdict(spoilt).is_clear == ((master, slave) == (State.ACTIVE, State.STANDBY))


def test_one_certificate_at_two_addresses_is_noted_and_blocks_nothing() -> None:
    found = verdict(changed(FRESH, M1, A1, certificate="sha256:aa"))
    assert found.is_clear
    (note,) = [note for note in found.notes if note.kind is NoteKind.FINDING]
    assert f"{M1} and {A1} present one certificate" in note.message


def test_an_address_too_many_names_the_change_that_lets_its_site_leave() -> None:
    unit = FINE.units[M1]
    (problem,) = problems(changed(FINE, M1, geo_partners=(*(unit.geo_partners or ()), "10.9.9.9")))
    assert "push --from the topology that has it" in problem
    assert "leaves their clusters on all units" in problem
