"""Every difference has something that mends it, or blocks the push before it begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geoplan.live.findings import NoteKind
from geoplan.live.findings.clusters import ClusterState, addresses_of, find, state_of
from geoplan.live.findings.compare import Kind, Mend, verify
from geoplan.live.model import REMOTE_LM, ClusterType, GeoCluster, HaFacts, Observation, Observations, State
from geoplan.plan.model import Phase, Plan
from geoplan.push.ledger import Ledger
from geoplan.push.options import Options
from geoplan.push.preflight import PreflightInput, PreflightResult, check
from geoplan.push.records import FORMAT, make
from tests.push.observations import changed, in_place, plan_of, untouched
from tests.push.support import A1, A2, M1, M2, S1

PLAN = plan_of()
FINE = in_place(PLAN)
PLAN_HA = plan_of(phases=list(Phase))
FINE_HA = in_place(PLAN_HA)
CLUSTERS = FINE.units[M1].clusters or ()
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BACKGROUND = PreflightInput(Options(), 18, NOW)
FORGIVING = replace(BACKGROUND, options=Options(remove_unknown=True, accept_geo_merge=True))


def problems(facts: Observations, background: PreflightInput = BACKGROUND) -> list[str]:
    return [str(problem) for problem in check(PLAN, facts, background).problems]


def everywhere(*clusters: GeoCluster) -> Observations:
    return changed(FINE, *FINE.units, clusters=clusters)


@pytest.mark.parametrize(
    ("clusters", "words"),
    [
        ((*CLUSTERS, GeoCluster(S1, "Second", REMOTE_LM)), "is there twice"),
        ((GeoCluster(S1, "HA Pair 1", REMOTE_LM), *CLUSTERS[1:]), f"carries {S1}, and {M1} is active"),
        ((GeoCluster("10.9.9.9", "HA Pair 1", REMOTE_LM), *CLUSTERS[1:]), "has its name"),
        ((GeoCluster(M1, "Other", REMOTE_LM), *CLUSTERS[1:]), "is called 'Other'"),
        ((GeoCluster(M1, "HA Pair 1", ClusterType.LOCAL_LM), *CLUSTERS[1:]), "is of type localLM"),
    ],
)
def test_a_cluster_that_no_step_mends_stands_against_the_push(clusters: tuple[GeoCluster, ...], words: str) -> None:
    found = problems(everywhere(*clusters))
    assert found
    assert all(words in problem for problem in found)
    assert all(problem.endswith(")") for problem in found)  # each says what to do by hand
    assert not any("rename or remove" in problem for problem in found)  # what is removed goes on all that are linked


def test_a_cluster_that_partners_do_not_share_stands_against_the_push() -> None:
    (problem,) = problems(changed(FINE, A2, clusters=CLUSTERS[1:]))
    assert problem.startswith(f"{A2}: cluster 'HA Pair 1' ({M1}) is missing (its partners have it")


def test_a_cluster_that_a_step_enters_comes_to_all_partners() -> None:
    assert problems(everywhere(*CLUSTERS[1:])) == []


def test_a_cluster_comes_with_the_links_that_this_push_makes() -> None:
    facts = changed(FINE, A2, clusters=CLUSTERS[1:], geo_partners=())
    assert problems(facts, FORGIVING) == []


def test_a_standby_that_does_not_follow_its_active_unit_stands_against_the_push() -> None:
    (problem,) = problems(changed(FINE, S1, geo_partners=()))
    assert problem.startswith(f"HA Pair 1: on the standby {S1}: GEO LoadMaster Partners lacks")
    assert "TCP port 6973" in problem


def test_a_standby_follows_once_its_active_unit_is_changed() -> None:
    assert problems(changed(changed(FINE, S1, geo_partners=()), M1, geo_partners=("10.9.9.9",)), FORGIVING) == []


def test_what_was_changed_a_moment_ago_is_still_on_its_way() -> None:
    def pushed(ago: timedelta) -> PreflightInput:
        ledger = Ledger()
        units = {unit.address: unit.address for site in PLAN.sites for unit in site.units}
        begin = {"format": FORMAT, "who": "op", "checksum": PLAN.checksum, "options": {}, "units": units}
        ledger.take(make("begin", NOW - ago, **begin, plan=PLAN.model_dump(mode="json")))
        ledger.take(make("changed", NOW - ago, site="HA Pair 1", unit=M1, action="set_geo_partners"))
        return replace(BACKGROUND, ledger=ledger)

    facts = changed(FINE, S1, geo_partners=())
    assert problems(facts, pushed(timedelta(minutes=1))) == []
    assert problems(facts, pushed(timedelta(hours=1))) != []


def test_a_standby_that_explicitly_refuses_reads_is_noted_and_stands_against_nothing() -> None:
    facts = changed(FINE, S1, clusters=None, geo_partners=None, refused=("clusters", "geo_partners"))
    assert problems(facts) == []
    found = verify(PLAN, facts)
    assert found.is_in_place
    assert [note.kind for note in found.notes] == [NoteKind.STANDBY_REFUSES]


def test_a_standby_with_the_address_of_either_unit_in_a_cluster_is_in_place() -> None:
    renamed = (GeoCluster(S1, "HA Pair 1", REMOTE_LM), *CLUSTERS[1:])
    assert verify(PLAN, changed(FINE, S1, clusters=renamed)).is_in_place


def test_a_standby_s_differences_are_its_own() -> None:
    found = verify(PLAN, changed(FINE, S1, remote_geo_access=(*(FINE.units[S1].remote_geo_access or ()), "10.9.9.9")))
    assert [(each.site, each.unit, each.kind, each.mends) for each in found.differences] == [
        ("HA Pair 1", S1, Kind.EXTRA, Mend.REPLICATION)
    ]


def test_what_a_standby_lacks_as_its_active_unit_does_is_said_once() -> None:
    found = verify(PLAN, untouched(PLAN))
    assert {each.unit for each in found.differences} == {M1, M2, A1, A2}


def test_what_a_push_leaves_alone_on_a_pair_at_work_is_noted_before_and_a_finding_after() -> None:
    facts = changed(FINE_HA, S1, ha=HaFacts(M1, 8444, prefers_master=False, mode="slave"))
    found = check(PLAN_HA, facts, BACKGROUND)
    assert found.is_clear
    assert [note.kind for note in found.notes] == [NoteKind.LEFT_AS_IT_IS]
    after = verify(PLAN_HA, facts)
    assert after.is_configured
    assert not after.is_in_place
    assert [each.mends for each in after.differences] == [Mend.LEFT]


# -- red links ---------------------------------------------------------------------------------------------------------


def test_red_links_with_all_lists_in_place_are_offered_to_be_submitted_again() -> None:
    status = {**(FINE.units[A1].partner_status or {}), A2: False}
    found = check(PLAN, changed(FINE, A1, partner_status=status), BACKGROUND)
    assert found.is_clear
    assert found.resubmits == ("Standalone LoadMaster 1", "Standalone LoadMaster 2")
    assert found.changes_units


def test_a_group_of_standalones_has_a_command_as_well() -> None:
    plan = Plan.model_validate_json(PLAN.model_dump_json())
    alone = in_place(plan)
    facts = changed(alone, A1, A2, partner_status=dict.fromkeys(alone.units[A1].geo_partners or (), False))
    assert set(check(plan, facts, BACKGROUND).resubmits) >= {"Standalone LoadMaster 1", "Standalone LoadMaster 2"}


def test_a_slave_whose_own_submission_is_missing_is_for_a_reboot_and_not_for_a_submission() -> None:
    status = {**(FINE.units[A1].partner_status or {}), S1: False}
    assert check(PLAN, changed(FINE, A1, partner_status=status), BACKGROUND).resubmits == ()


@pytest.mark.parametrize("status", [{S1: False}, {S1: False, A1: None, A2: True}, {}])
def test_clusters_that_no_submission_brings_stand_against_the_push(status: dict[str, bool | None]) -> None:
    facts = changed(FINE, M2, clusters=CLUSTERS[1:], partner_status=status)
    found = problems(facts)
    assert any(problem.startswith(f"{M2}: cluster 'HA Pair 1' ({M1}) is missing") for problem in found), found
    assert check(PLAN, facts, BACKGROUND).resubmits == ()


def test_clusters_come_with_the_submission_that_mends_a_red_link() -> None:
    facts = changed(FINE, M2, clusters=(), partner_status={S1: False, A1: False})
    found = check(PLAN, facts, FORGIVING)
    assert found.is_clear
    assert found.resubmits == ("HA Pair 2", "Standalone LoadMaster 1")


# -- whatever is spoilt ------------------------------------------------------------------------------------------------


def addresses(*known: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(known), unique=True, max_size=len(known)).map(tuple)


EVERY = tuple(FINE.units)
LISTS = addresses(*EVERY, "10.9.9.9")
NAMES = st.sampled_from(["HA Pair 1", "HA Pair 2", "Standalone LoadMaster 1", "Standalone LoadMaster 2", "Other"])
LIVE = st.builds(
    GeoCluster,
    address=st.sampled_from([*EVERY, "10.9.9.9"]),
    name=NAMES,
    type=st.sampled_from([REMOTE_LM, "default", "localLM"]),
)


@st.composite
def spoilt(draw: st.DrawFn) -> Observations:
    facts = draw(st.sampled_from([FINE, untouched(PLAN)]))
    for address in draw(addresses(*EVERY)):
        held = facts.units[address].clusters or ()
        kept = tuple(draw(st.lists(st.sampled_from(held), unique=True))) if held else ()
        more = (*kept, draw(LIVE))
        own: dict[str, st.SearchStrategy[object]] = {
            "remote_geo_access": LISTS | st.none(),
            "geo_partners": LISTS | st.none(),
            "clusters": st.sampled_from([kept, more, None]),
            "partner_status": st.dictionaries(st.sampled_from(EVERY), st.sampled_from([True, False, None])),
            "state": st.sampled_from(State),
        }
        if facts.units[address].role == "standalone":
            del own["state"]
        names = draw(st.lists(st.sampled_from(sorted(own)), unique=True, max_size=2))
        facts = changed(facts, address, **{name: draw(own[name]) for name in names})
    return facts


def carried_out(facts: Observations, verdict: PreflightResult) -> Observations:
    """Return the units once a push has done its steps, and what follows from these by itself."""
    active = {site.name: unit for site in PLAN.sites if (unit := facts.active(site.name))}
    after = dict(facts.units)
    touched: set[str] = set()
    is_submitted = bool(verdict.resubmits)
    for site in PLAN.sites:
        unit = after[active[site.name].address]
        wanted = {"remote_geo_access": site.remote_geo_access, "geo_partners": site.geo_partners}
        differs = [name for name, addresses in wanted.items() if set(getattr(unit, name)) != set(addresses)]
        is_submitted = is_submitted or bool(differs)
        if differs:
            touched.add(site.name)
            after[unit.address] = replace(
                unit, remote_geo_access=site.remote_geo_access, geo_partners=site.geo_partners
            )
    host = after[active["HA Pair 1"].address]
    entered = _entered(host)
    after[host.address] = replace(host, clusters=entered)
    for site in PLAN.sites:
        unit = after[active[site.name].address]
        for cluster in PLAN.clusters:
            was_entered = state_of(PLAN, cluster, host.clusters or ()) is not ClusterState.IN_PLACE
            if is_submitted or was_entered:
                unit = _with(unit, cluster.name, entered)
        if unit.clusters != active[site.name].clusters:
            touched.add(site.name)
        after[unit.address] = unit
    for address, unit in facts.units.items():
        if unit.site in touched and unit.state is State.STANDBY and unit.role != "standalone":
            leader = after[active[unit.site].address]
            told: dict[str, Any] = {
                name: None if getattr(unit, name) is None else getattr(leader, name) for name in _FOLLOWED
            }
            after[address] = replace(unit, **told)
    return Observations(after)


_FOLLOWED = ("remote_geo_access", "geo_partners", "clusters")


def _entered(host: Observation) -> tuple[GeoCluster, ...]:
    clusters = list(host.clusters or ())
    for cluster in PLAN.clusters:
        found = find(PLAN, cluster, clusters)
        match state_of(PLAN, cluster, clusters):
            case ClusterState.MISSING:
                clusters.append(GeoCluster(cluster.address, cluster.name, REMOTE_LM))
            case ClusterState.UNFINISHED if found:
                clusters[clusters.index(found)] = replace(found, type=REMOTE_LM)
            case _:
                pass
    return tuple(clusters)


def _with(unit: Observation, name: str, entered: tuple[GeoCluster, ...]) -> Observation:
    cluster = next(each for each in PLAN.clusters if each.name == name)
    known = addresses_of(PLAN, cluster)
    others = tuple(each for each in unit.clusters or () if each.address not in known)
    return replace(unit, clusters=(*others, *(each for each in entered if each.address in known)))


CUT_OFF = changed(FINE, M2, clusters=(), partner_status={S1: False})
"""An active unit without clusters that tells of a slave's red link alone, which no submission mends."""


@settings(max_examples=300)
@given(spoilt())
@example(CUT_OFF)
def test_whatever_passes_the_preflight_is_in_place_after_the_push(facts: Observations) -> None:
    verdict = check(PLAN, facts, FORGIVING)
    if verdict.is_clear:
        left = verify(PLAN, carried_out(facts, verdict))
        assert left.undone == ()
        # What a person has to do is left: on red links, and on clusters of sites that are in no topology.
        by_hand = {found for found in left.differences if found.subject == "clusters" and found.mends is Mend.BY_HAND}
        assert [found for found in left.differences if found.kind is not Kind.RED and found not in by_hand] == []
        # A standby that lacks or has such a cluster, unlike its active unit, is told by itself.
        assert {found.kind for found in by_hand if facts.units[found.unit or ""].state is not State.STANDBY} <= {
            Kind.EXTRA
        }
        assert {found.mends for found in left.differences} <= {Mend.SUBMISSION, Mend.REBOOT, Mend.BY_HAND}
