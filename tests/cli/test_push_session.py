"""The last sentence of a push and its exit code, chosen by what was told and never by how that is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geoplan.cli.connection import ConnectionOptions, TypedCommands
from geoplan.cli.push_options import PushFlags
from geoplan.cli.push_session import PushSession
from geoplan.live.findings.compare import verify
from geoplan.live.links import NO_SIGHTS, KnownLinks, Sights
from geoplan.live.model import ClusterType, GeoCluster, Observations
from geoplan.plan.model import Plan
from geoplan.push.approval import Review
from geoplan.push.executor import Progress
from geoplan.push.options import Options
from geoplan.push.preflight import PreflightResult
from geoplan.push.run import PushResult
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.observations import changed, in_place, plan_of
from tests.push.support import A1, M1, M2, S1, S2

PLAN = plan_of()
FINE = in_place(PLAN)
PARTNERS = FINE.units[A1].geo_partners or ()
JOURNAL = Path("journal.jsonl")
SEEN = {S1: frozenset({A1}), S2: frozenset({A1, S1})}


def end(
    facts: Observations,
    sights: Sights = NO_SIGHTS,
    *,
    plan: Plan = PLAN,
    journal: Path | None = JOURNAL,
    unfinished: tuple[str, ...] = (),
) -> tuple[int, str]:
    """Return the exit code and the sentence of a push that left the units so."""
    wishes: dict[str, Any] = dict.fromkeys(PushFlags.__dataclass_fields__)
    session = PushSession(
        plan, TypedCommands(ConnectionOptions(), "my.yaml"), Options(), PushFlags(**wishes), Review(None, None)
    )
    result = PushResult(
        PreflightResult((), (), ()), verify(plan, facts, KnownLinks(sights)), Progress(), unfinished, journal
    )
    return session._exit_code(result), session._summary(result)


def test_all_green() -> None:
    assert end(FINE) == (0, "done and verified: all partner links are green")


@pytest.mark.parametrize("status", [{}, None, dict.fromkeys(PARTNERS), dict.fromkeys(PARTNERS[:1], True)])
def test_not_told_and_not_proven(status: dict[str, bool | None] | None) -> None:
    code, sentence = end(changed(FINE, A1, partner_status=status))
    assert code == 1
    assert sentence.startswith("done; not proven: the links of ")
    assert S2 in sentence


def test_not_told_and_proven_names_who_does_not_tell() -> None:
    sentence = f"done and verified: all partner links are proven, though {A1} does not tell all of theirs"
    assert end(changed(FINE, A1, partner_status={}), SEEN) == (0, sentence)


def test_standbys_that_are_red_by_nature() -> None:
    facts = FINE
    for unit in (M1, M2, A1, "172.24.1.10"):
        status = {address: address not in (S1, S2) for address in FINE.units[unit].geo_partners or ()}
        facts = changed(facts, unit, partner_status=status)
    everybody = frozenset(FINE.units)
    code, sentence = end(facts, {S1: everybody, S2: everybody})
    assert (code, sentence) == (
        0,
        "done and verified: all partner links are green, or were while their standby was active",
    )


def test_a_sentence_in_the_name_of_a_cluster_flips_nothing() -> None:
    clusters = (
        *(FINE.units[A1].clusters or ()),
        GeoCluster("10.9.9.9", "which partners it sees: not told", ClusterType.LOCAL_LM),
    )
    facts = changed(FINE, *FINE.units, clusters=clusters)
    assert end(facts) == (0, "done and verified: all partner links are green")


def test_without_links_there_is_no_word_of_them() -> None:
    alone = plan_of("5.1")
    assert end(in_place(alone), plan=alone) == (0, "done and verified: all lists and clusters are in place")


def test_where_nothing_was_changed_what_is_not_proven_still_counts() -> None:
    untold = changed(FINE, A1, partner_status={})
    assert end(FINE, journal=None) == (0, "nothing to do: everything is in place, nothing was rebooted")
    assert end(untold, SEEN, journal=None)[0] == 0
    code, sentence = end(untold, journal=None)
    assert (code, sentence.partition(": the links")[0]) == (
        1,
        "nothing was changed: the lists and clusters are in place; not proven",
    )


def test_findings() -> None:
    red = changed(FINE, A1, partner_status={**dict.fromkeys(PARTNERS, True), S1: False})
    assert end(red) == (1, "done, with findings")
    assert end(FINE, unfinished=("HA Pair 1",)) == (1, "done, with findings")


def test_whatever_a_push_to_an_embedded_lab_says_to_type_goes_to_one_again(geoplan: Geoplan) -> None:
    lab = ("--lab", "--variant", "partners-unknown")
    ended = geoplan("push", TOPOLOGIES / "section-5.3.yaml", *lab, "--reboot", "never", "--yes")
    assert ended.code == 1, ended
    pushes = [line for line in (ended.stdout + ended.stderr).splitlines() if "geoplan push" in line]
    assert pushes
    assert all(" ".join(lab) in line for line in pushes)
