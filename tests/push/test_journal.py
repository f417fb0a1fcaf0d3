"""The journal: on disk before and after every change, and read back by whoever resumes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.push import journal
from geoplan.push.clock import SystemClock
from geoplan.push.history import PairProgress
from geoplan.push.journal import Journal
from geoplan.push.lock import only_push
from geoplan.push.places import folder_of, make_private, state_folder
from tests.push.facts import plan_of

PLAN = plan_of()
PAIR = "HA Pair 1"


@pytest.fixture
def opened(tmp_path: Path) -> Journal:
    return Journal.begin(tmp_path, PLAN, {"reboot": "changed"}, SystemClock())


def test_a_new_journal_has_the_plan_who_and_when_and_is_unfinished(opened: Journal) -> None:
    found = journal.read(opened.path)
    assert found.plan == PLAN
    assert found.checksum == PLAN.checksum
    assert "@" in found.who
    assert not found.is_finished
    assert found.outcome == "interrupted"
    assert opened.path.stat().st_mode & 0o777 == 0o600


def test_every_record_is_flushed_to_disk_when_write_returns(opened: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_size))
    opened.write("changing", site=PAIR)
    assert flushed == [opened.path.stat().st_size]


def test_half_a_line_at_the_end_is_cut_off_on_resume(opened: Journal) -> None:
    with opened.path.open("ab") as file:
        file.write(b'{"event":"reboo')
    resumed = Journal.resume(opened.path, SystemClock())
    assert [record.event for record in resumed.history.records] == ["begin", "resumed"]
    assert [record.event for record in journal.read(opened.path).records] == ["begin", "resumed"]


def test_a_damaged_journal_is_named(opened: Journal) -> None:
    opened.path.write_bytes(b"nonsense\n" + opened.path.read_bytes())
    with pytest.raises(UnusableFileError, match=":1: the journal is damaged"):
        journal.read(opened.path)


def test_a_pair_is_owed_a_reboot_from_the_change_of_its_partners_until_it_is_healthy(opened: Journal) -> None:
    def step(event: str, progress: PairProgress, *, owed: bool) -> None:
        opened.write(event, site=PAIR, unit="172.24.1.5", action="set_geo_partners")
        assert opened.history.progress(PAIR) is progress
        assert opened.history.is_owed(PAIR) is owed

    assert not opened.history.is_owed(PAIR)
    step("changing", PairProgress.NOT_BEGUN, owed=True)
    step("rebooting", PairProgress.REBOOTING, owed=True)
    step("too_late", PairProgress.NOT_BEGUN, owed=True)
    step("rebooting", PairProgress.REBOOTING, owed=True)
    step("resubmitted", PairProgress.RESUBMITTED, owed=True)
    step("healthy", PairProgress.HEALTHY, owed=False)
    assert opened.history.was_finished(PAIR)
    step("changing", PairProgress.NOT_BEGUN, owed=True)
    assert not opened.history.was_finished(PAIR)
    assert len(opened.history.reboots_of("172.24.1.5")) == 2


def test_a_changed_access_list_owes_no_reboot(opened: Journal) -> None:
    opened.write("changing", site=PAIR, action="set_remote_geo_access")
    assert not opened.history.is_owed(PAIR)


def test_one_push_at_a_time(tmp_path: Path) -> None:
    with only_push(tmp_path), pytest.raises(PushRefusedError, match=f"process {os.getpid()}"), only_push(tmp_path):
        pass
    with only_push(tmp_path):
        pass


def test_places_are_private_and_a_lab_s_stand_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOPLAN_STATE_DIR", str(tmp_path / "a" / "b"))
    state = state_folder()
    assert state == tmp_path / "a" / "b"
    assert state_folder(str(tmp_path)) == tmp_path
    made = make_private(folder_of(state, "Zwei Paare"))
    assert made.stat().st_mode & 0o777 == 0o700
    assert state.stat().st_mode & 0o777 == 0o700
    assert folder_of(state, "Zwei Paare", "lab.yaml") != made
