"""What is kept of pushes: found by the units, whatever a topology is called and wherever its file lies."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.live.polling import SystemClock
from geoplan.plan.model import Plan
from geoplan.plan.planner import make_plan
from geoplan.push.carry_over import CARRIED
from geoplan.push.journal import Journal
from geoplan.push.options import Options
from geoplan.push.state_dir import old_folder_of, state_folder
from geoplan.push.store import Store, addresses_of, unit_keys
from geoplan.topology.model import Topology
from tests.conftest import Geoplan
from tests.push.support import NOON, SettableClock

M1, S1, A, B = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.3.1"


def document(*alone: str, name: str = "geo") -> dict[str, Any]:
    pair = {"name": "Pair", "ha_pair": {"master": M1, "slave": S1}}
    return {"name": name, "sites": [pair, *({"name": address, "standalone": address} for address in alone)]}


def plan_of(*alone: str, name: str = "geo") -> Plan:
    return make_plan(Topology.model_validate(document(*alone, name=name)))


PLAN = plan_of(A)


def store_of(state: Path, plan: Plan = PLAN, lab: str | None = None) -> Store:
    return Store(state, unit_keys(addresses_of(plan), lab))


def change_partners(journal: Journal) -> None:
    fields = {"step": "s", "site": "Pair", "action": "set_geo_partners", "unit": M1}
    journal.write("changing", **fields, what="geo_partners", before=[], after=[A])


def test_a_renamed_file_and_one_that_shares_a_unit_find_the_push_and_others_do_not(tmp_path: Path) -> None:
    with store_of(tmp_path).begin(PLAN, Options(), SystemClock()) as journal:
        change_partners(journal)
    for plan in (plan_of(A, name="renamed"), plan_of(A, B), plan_of(B)):
        past = store_of(tmp_path, plan).past()
        assert past.unfinished
        assert past.unfinished.path == journal.path
        assert past.ledger.due(S1) == {A}
    of_the_same_name = make_plan(Topology.model_validate({"name": "geo", "sites": [{"name": "B", "standalone": B}]}))
    elsewhere = store_of(tmp_path, of_the_same_name)
    assert elsewhere.past().unfinished is elsewhere.past().latest is None
    assert store_of(tmp_path, lab="1f").past().latest is None


def test_the_push_that_began_last_is_the_last_whatever_the_clock_said(tmp_path: Path) -> None:
    clock, store = SettableClock(), store_of(tmp_path)
    with store.begin(PLAN, Options(), clock) as journal:
        journal.write("end", outcome="done")
    clock.wall_time = NOON - timedelta(hours=1)
    with store.begin(PLAN, Options(), clock) as second:
        change_partners(second)
    past = store.past()
    assert past.latest
    assert past.unfinished
    assert past.latest.path == past.unfinished.path == second.path


def test_a_resumed_push_goes_on_in_the_ledger_as_it_stands(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    with store.begin(PLAN, Options(), SystemClock()) as journal:
        change_partners(journal)
    past = store.past()
    assert past.unfinished
    with store.resume(past.unfinished, SystemClock(), past.ledger) as journal:
        journal.write("rebooting", step="r", site="Pair", unit=M1)
        journal.write("resubmitting", site="Pair", unit=S1, after=[A])
        journal.write("resubmitted", step="x", site="Pair", unit=S1)
        journal.write("healthy", site="Pair")
        assert journal.ledger.unproven(S1) == {A}
        assert journal.ledger.due(S1) == frozenset()
    assert len(store.past().ledger.reboots_of(M1)) == 1


def test_a_damaged_journal_of_other_units_is_in_nobody_s_way(tmp_path: Path) -> None:
    other = make_plan(Topology.model_validate({"name": "o", "sites": [{"name": "B", "standalone": B}]}))
    with store_of(tmp_path, other).begin(other, Options(), SystemClock()) as journal:
        pass
    with journal.path.open("ab") as file:
        file.write(b"nonsense\n")
    assert store_of(tmp_path).past().latest is None
    with pytest.raises(UnusableFileError, match=":2: the journal is damaged"):
        store_of(tmp_path, other).past()


@pytest.mark.parametrize("kept", [0, 100])
def test_a_journal_that_lost_its_beginning_is_damaged_and_not_a_push_that_never_was(tmp_path: Path, kept: int) -> None:
    store = store_of(tmp_path)
    with store.begin(PLAN, Options(), SettableClock(NOON)) as journal:
        change_partners(journal)
    journal.path.write_bytes(journal.path.read_bytes()[:kept])
    with pytest.raises(UnusableFileError, match="what its push left is not known") as refused:
        store.past()
    assert f"rm {journal.path}" in str(refused.value.hint)


def test_a_state_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    with store_of(tmp_path / "state").begin(PLAN, Options(), SettableClock(NOON)):
        pass
    (tmp_path / "state").chmod(0o777)
    with pytest.raises(UnusableFileError, match="others can write to"):
        store_of(tmp_path / "state").begin(PLAN, Options(), SettableClock(NOON))


def test_a_unit_is_locked_by_its_nat_address_too(tmp_path: Path) -> None:
    own = {"address": "10.0.0.1", "nat_address": "198.51.100.1"}
    behind = make_plan(Topology.model_validate({"name": "geo", "sites": [{"name": "A", "standalone": own}]}))
    outside = make_plan(
        Topology.model_validate({"name": "geo", "sites": [{"name": "A", "standalone": "198.51.100.1"}]})
    )
    store, other = store_of(tmp_path, behind), store_of(tmp_path, outside)
    with store.locked("geo", store.nat_keys(behind)) as refusal, other.locked("other", {}) as refused:
        assert refusal is None
        assert "another push is running on 198.51.100.1" in str(refused)


def test_who_has_other_locks_and_the_same_state_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store_of(tmp_path).locked("geo") as refusal:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of cron"))
        with store_of(tmp_path).locked("geo") as refused:
            assert refusal is None
            assert "another push is running" in str(refused)


def test_who_has_other_locks_and_the_same_state_folder_sees_a_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store_of(tmp_path).locked("geo"):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "of a service"))
        seen = store_of(tmp_path).holder()
    assert "another push is running" in str(seen)
    assert store_of(tmp_path).holder() is None


def test_the_default_state_folder_and_the_locks_of_the_user_are_no_two_pushes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEOPLAN_STATE_DIR", raising=False)
    with store_of(state_folder()).locked("geo") as refusal, store_of(state_folder()).locked("geo") as refused:
        assert refusal is None
        assert "another push is running" in str(refused)


def test_a_state_folder_that_is_a_link_is_not_followed(geoplan: Geoplan, tmp_path: Path) -> None:
    with store_of(tmp_path / "real").begin(PLAN, Options(), SystemClock()):
        pass
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    for option in ("--status", "--abandon"):
        ended = geoplan("push", write(tmp_path), option, "--state-dir", tmp_path / "linked")
        assert ended.code == 2
        assert f"{tmp_path / 'linked'} is a symbolic link, which is not followed" in ended.stderr


# -- the commands ------------------------------------------------------------------------------------------------------


def write(folder: Path, name: str = "geo") -> Path:
    path = folder / f"{name}.yaml"
    folder.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document(A, name=name)))
    return path


def test_abandon_and_status_find_the_unfinished_push_after_the_clock_was_set_back(
    geoplan: Geoplan, tmp_path: Path
) -> None:
    state, clock = tmp_path / "state", SettableClock()
    store = store_of(state)
    with store.begin(PLAN, Options(), clock) as journal:
        journal.write("end", outcome="done")
    clock.wall_time = NOON - timedelta(minutes=5)
    with store.begin(PLAN, Options(), clock) as journal:
        change_partners(journal)
    path = write(tmp_path / "dc1", "renamed")
    told = json.loads(geoplan("push", path, "--status", "--format", "json", "--state-dir", state).stdout)
    assert (told["finished"], told["pairs_to_finish"]) == (False, ["Pair"])
    assert told["debts"] == {S1: {"due": [A], "unproven": []}}
    ended = geoplan("push", path, "--abandon", "--yes", "--state-dir", state)
    assert ended.code == 0
    assert "the next push reboots the masters of these pairs, which are not finished: Pair" in ended.stdout
    past = store.past()
    assert past.unfinished is None
    assert past.ledger.due(S1) == {A}


def test_abandon_is_refused_while_a_push_holds_any_unit_of_the_abandoned_one(geoplan: Geoplan, tmp_path: Path) -> None:
    state, larger = tmp_path / "state", plan_of(A, B)
    with store_of(state, larger).begin(larger, Options(), SystemClock()):
        pass
    other = Store(tmp_path / "other", unit_keys([B]))
    with other.only_push("other"):
        ended = geoplan("push", write(tmp_path), "--abandon", "--yes", "--state-dir", state)
    assert ended.code == 4
    assert f"another push is running on {B}: 'other'" in ended.stderr


@pytest.mark.parametrize("option", ["--status", "--abandon"])
def test_whatever_bytes_a_user_and_a_path_have_they_are_told(
    geoplan: Geoplan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr("geoplan.push.journal.getpass.getuser", lambda: "ann\u2028\udcff")
    with store_of(tmp_path / "state").begin(PLAN, Options(), SystemClock()) as journal:
        journal.write("backup", unit=M1, file="backups/\udcff\u2028", sha256="0" * 64)
    assert journal.path.read_bytes().isascii()
    for output_format in ("text", "json"):
        ended = geoplan(
            "push", write(tmp_path), option, "--yes", "--state-dir", tmp_path / "state", "--format", output_format
        )
        assert ended.code == 0, ended
        ended.stdout.encode()
        if output_format == "json":
            assert json.loads(ended.stdout)["backups"] == {M1: "backups/\udcff\u2028"}


@pytest.mark.parametrize(
    "line",
    [
        b'{"event":"backup","at":"2026-01-01T12:00:00+00:00"}',
        b'{"event":"changing","at":"2026-01-01T12:00:00+00:00","site":"Pair"}',
        b"[" * 200_000,
    ],
)
def test_status_of_a_damaged_journal_says_what_to_do(geoplan: Geoplan, tmp_path: Path, line: bytes) -> None:
    with store_of(tmp_path / "state").begin(PLAN, Options(), SystemClock()) as journal:
        pass
    with journal.path.open("ab") as file:
        file.write(line + b"\n")
    ended = geoplan("push", write(tmp_path), "--status", "--state-dir", tmp_path / "state")
    assert ended.code == 2
    assert f"{journal.path}:2: the journal is damaged" in ended.stderr
    assert "move it away once you have looked at the units" in ended.stderr


# -- journals of older versions ----------------------------------------------------------------------------------------


def write_old(folder: Path, *events: dict[str, Any], plan: Plan = PLAN, stem: str = "20260101T120000-000000") -> Path:
    """Write a journal as geoplan wrote them while they had no models."""
    folder.mkdir(parents=True, exist_ok=True)
    begin = {
        "event": "begin",
        "at": NOON.isoformat(),
        "format": "geoplan/journal/1",
        "who": "zoë\u2028@desk",
        "checksum": plan.checksum,
        "options": {"reboot": "never", "reboot_sites": []},
        "plan": plan.model_dump(mode="json"),
    }
    lines = [begin, *({"at": NOON.isoformat(), **event} for event in events)]
    path = folder / f"{stem}.jsonl"
    path.write_bytes(b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines) + b'{"half')
    return path


CHANGING = {
    "event": "changing",
    "step": "pair/set-geo-partners",
    "site": "Pair",
    "action": "set_geo_partners",
    "unit": M1,
    "what": "geo_partners",
    "before": [],
    "after": [A],
}


def test_what_older_journals_hold_is_carried_over_once(tmp_path: Path) -> None:
    old = write_old(old_folder_of(tmp_path, "geo"), CHANGING)
    ended = write_old(
        old.parent,
        {"event": "note", "site": "Pair", "message": "a note"},
        {"event": "changed", "site": "Pair", "action": "set_geo_partners", "unit": M1},
        {"event": "step", "id": "a", "site": "Pair", "state": "failed", "unit": None, "why": "it failed"},
        {"event": "rebooting", "step": "r", "site": "Pair", "unit": M1},
        {"event": "end", "outcome": "abandoned", "who": "bob@desk"},
        stem="20251231T120000-000000",
    )
    store = store_of(tmp_path, plan_of(A, name="renamed"))
    for _ in range(2):
        past = store.past()
        assert past.unfinished
        assert past.unfinished.who == "zoë\u2028@desk"
        assert past.unfinished.begin.checksum == PLAN.checksum
        assert past.ledger.due(S1) == {A}
        assert len(past.ledger.reboots_of(M1)) == 1
        assert len(list((tmp_path / "pushes").glob("*.jsonl"))) == 2
    assert past.unfinished
    assert not old.exists()
    assert old.with_name(old.name + CARRIED).exists()
    assert not ended.exists()
    with store.resume(past.unfinished, SystemClock()) as journal:
        journal.write("end", outcome="done")
    assert store.past().unfinished is None


def test_older_journals_of_a_lab_are_left_where_they_are(tmp_path: Path) -> None:
    lab = write_old(tmp_path / "pushes" / "geo-0123456789ab", CHANGING)
    assert store_of(tmp_path).past().latest is None
    assert lab.exists()


def test_a_crash_between_carrying_over_and_renaming_leaves_no_second_copy(tmp_path: Path) -> None:
    old = write_old(old_folder_of(tmp_path, "geo"), CHANGING)
    store_of(tmp_path).past()
    old.with_name(old.name + CARRIED).rename(old)
    store_of(tmp_path).past()
    assert len(list((tmp_path / "pushes").glob("*.jsonl"))) == 1


def test_a_damaged_older_journal_is_named(tmp_path: Path) -> None:
    old = write_old(old_folder_of(tmp_path, "geo"), {"event": "changing", "site": "Pair"})
    with pytest.raises(UnusableFileError, match=f"{old.name}:2: the journal is damaged"):
        store_of(tmp_path).past()


@pytest.mark.skipif(sys.platform == "win32", reason="older versions had another kind of lock there")
def test_nothing_is_carried_over_while_an_older_version_pushes(tmp_path: Path) -> None:
    import fcntl

    old = write_old(old_folder_of(tmp_path, "geo"), CHANGING)
    with (old.parent / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(PushRefusedError, match="older geoplan is running"):
            store_of(tmp_path).past()
    assert store_of(tmp_path).past().unfinished
