"""The last sentence of a push and its exit code, chosen by what was told and never by how that is said."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from geoplan.cli.connection import ConnectionOptions, TypedCommands
from geoplan.cli.options import ChangeOptions
from geoplan.cli.push_options import PushFlags
from geoplan.cli.push_session import PushSession
from geoplan.live.findings.compare import verify
from geoplan.live.links import NO_SIGHTS, KnownLinks, Sights
from geoplan.live.model import ClusterType, GeoCluster, Observations
from geoplan.plan.change import make_change
from geoplan.plan.model import Action, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.approval import Review
from geoplan.push.executor import Progress
from geoplan.push.history import History
from geoplan.push.options import Options
from geoplan.push.preflight import PreflightResult
from geoplan.push.records import FORMAT, make
from geoplan.push.run import PushResult
from geoplan.push.undoing import Undoing
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
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


OLD = load_topology(TOPOLOGIES / "section-5.4.yaml")
OTHER_HOST = OLD.model_dump(mode="json", exclude_none=True)
OTHER_HOST["sites"][0]["ha_pair"]["preferred_host"] = "none"
NEW = Topology.model_validate(OTHER_HOST)
PAIR = OLD.sites[0].name
REBOOTED = ("--reboot", f"always={PAIR}")


def typed_by(plan: Plan, typed: TypedCommands, undoing: Undoing | None = None) -> list[str]:
    """Return the words of the command that reboots a pair, as a push of that plan prints it; none if it prints none."""
    wishes: dict[str, Any] = dict.fromkeys(PushFlags.__dataclass_fields__) | {"undoing": undoing}
    session = PushSession(plan, typed, Options(), PushFlags(**wishes), Review(None, None))
    return shlex.split(session.command(*REBOOTED))


def undo_of(*flags: str, plan: Plan) -> Undoing:
    begin = {"format": FORMAT, "who": "a", "checksum": "b", "options": {}, "units": {}, "flags": list(flags)}
    record = make("begin", datetime(2026, 1, 1, tzinfo=UTC), **begin, plan=plan.model_dump(mode="json"))
    return Undoing(History(JOURNAL, [record]), plan, ())


def test_reboot_that_is_told_is_one_that_the_printed_push_takes() -> None:
    plan, back = make_change(NEW, make_plan(OLD)), make_change(OLD, make_plan(NEW))
    change = ChangeOptions(old="old.yaml")
    of_change = TypedCommands(ConnectionOptions(), "new.yaml", change=change)
    of_undo = TypedCommands(ConnectionOptions(), "new.yaml", undo="3")
    assert not [step for step in plan.steps if step.action is Action.REBOOT_MASTER], "it changes HA parameters alone"
    assert typed_by(make_plan(OLD), TypedCommands(ConnectionOptions(), "old.yaml")) == [
        *("geoplan", "push", "old.yaml"),
        *REBOOTED,
    ]
    assert typed_by(plan, of_change) == ["geoplan", "push", "new.yaml", *REBOOTED]
    undoing = undo_of("--from", "old.yaml", plan=plan)
    assert typed_by(back, of_undo, undoing) == ["geoplan", "push", "old.yaml", *REBOOTED]
    assert not typed_by(back, of_undo, undo_of("--from", "live", plan=plan)), "no file has what units hold now"
    assert not typed_by(back, of_undo, undo_of(plan=plan))
