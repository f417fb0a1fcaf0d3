"""The journal: on disk before and after every change, and read back by whoever resumes."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest

from geoplan.errors import UnusableFileError
from geoplan.files import make_private
from geoplan.live.polling import SystemClock
from geoplan.push import journal
from geoplan.push.history import PairProgress
from geoplan.push.journal import Journal
from geoplan.push.state_dir import state_folder
from tests.push.observations import plan_of
from tests.push.support import NOON, SettableClock

PLAN = plan_of()
PAIR = "HA Pair 1"
M1, S1 = "172.24.1.5", "172.24.1.6"
OF_PAIR: dict[str, object] = {"step": "a-step", "site": PAIR, "unit": M1}
FIELDS: dict[str, dict[str, object]] = {
    "changing": {
        **OF_PAIR,
        "action": "set_geo_partners",
        "what": "geo_partners",
        "before": [],
        "after": ["172.24.1.9"],
    },
    "rebooting": OF_PAIR,
    "reboot_not_sent": {**OF_PAIR, "why": "the connection was refused"},
    "too_late": {"site": PAIR, "unit": S1},
    "resubmitted": {**OF_PAIR, "unit": S1},
    "healthy": {"site": PAIR},
}


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
    opened.write("healthy", site=PAIR)
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
        opened.write(event, **FIELDS[event])
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
    fields = {**FIELDS["changing"], "action": "set_remote_geo_access", "what": "remote_geo_access"}
    opened.write("changing", **fields)
    assert not opened.history.is_owed(PAIR)


def test_a_reboot_that_was_never_sent_counts_as_none(opened: Journal) -> None:
    opened.write("rebooting", **FIELDS["rebooting"])
    opened.write("reboot_not_sent", **FIELDS["reboot_not_sent"])
    assert opened.history.progress(PAIR) is PairProgress.NOT_BEGUN
    assert not opened.history.is_owed(PAIR)
    assert opened.history.reboots_of(M1) == ()


def test_the_state_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOPLAN_STATE_DIR", str(tmp_path / "a" / "b"))
    state = state_folder()
    assert state == tmp_path / "a" / "b"
    assert state_folder(str(tmp_path)) == tmp_path
    made = make_private(state / "pushes")
    assert made.stat().st_mode & 0o777 == 0o700
    assert state.stat().st_mode & 0o777 == 0o700


# -- a disk that gives up, and files that are none ---------------------------------------------------------------------


@pytest.mark.parametrize("written", [0, 1, 20])
def test_a_write_that_fails_half_way_leaves_whole_records_alone(
    opened: Journal, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    before = opened.path.read_bytes()
    really_write = os.write
    with monkeypatch.context() as broken:

        def write(handle: int, content: bytes) -> int:
            if len(content) <= written or not written:
                raise OSError(errno.ENOSPC, "No space left on device")
            really_write(handle, content[:written])
            raise OSError(errno.ENOSPC, "No space left on device")

        broken.setattr(os, "write", write)
        with pytest.raises(UnusableFileError, match="No space left on device"):
            opened.write("healthy", site=PAIR)
    assert opened.path.read_bytes() == before
    opened.write("healthy", site=PAIR)
    assert [record.event for record in journal.read(opened.path).records] == ["begin", "healthy"]
    assert opened.history.records == journal.read(opened.path).records


def test_what_could_not_be_cut_back_at_once_is_cut_back_before_the_next_record(
    opened: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        broken.setattr(os, "ftruncate", fail)
        with pytest.raises(UnusableFileError):
            opened.write("healthy", site=PAIR)
    opened.write("note", message="after it")
    assert [record.event for record in journal.read(opened.path).records] == ["begin", "note"]


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "000001-pipe.jsonl")
    with pytest.raises(UnusableFileError, match="no regular file"):
        journal.read(tmp_path / "000001-pipe.jsonl")
    (tmp_path / "000002-link.jsonl").symlink_to(tmp_path / "000001-pipe.jsonl")
    with pytest.raises(UnusableFileError, match="cannot read"):
        journal.read(tmp_path / "000002-link.jsonl")
    monkeypatch.setattr(journal, "MAX_BYTES", 2**20)
    (tmp_path / "000003-large.jsonl").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(UnusableFileError, match="larger than 1 MiB"):
        journal.read(tmp_path / "000003-large.jsonl")


def test_journals_stand_in_the_order_in_which_they_were_begun_whatever_the_clock_said(tmp_path: Path) -> None:
    clock = SettableClock()
    begun = []
    for hours in (0, -5, 3, -1):
        clock.wall_time = NOON + timedelta(hours=hours)
        with Journal.begin(tmp_path, PLAN, {}, clock) as opened:
            begun.append(opened.path)
    assert list(journal.paths(tmp_path)) == begun


def test_units_are_told_without_reading_the_journal_and_by_it_where_the_list_is_damaged(opened: Journal) -> None:
    every = {unit.address for site in PLAN.sites for unit in site.units}
    (listed,) = opened.path.parent.glob("*.units")
    assert journal.units_of(opened.path) == every
    listed.write_text('["172.24.')
    assert journal.units_of(opened.path) == every
    listed.unlink()
    assert journal.units_of(opened.path) == every


def test_asking_a_history_costs_the_same_however_long_it_is(opened: Journal) -> None:
    assert opened.history is opened.history
    assert opened.history.records is opened.history.records
