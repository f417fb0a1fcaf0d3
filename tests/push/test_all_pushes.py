"""The list of all pushes: newest first, nothing hidden."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from geoplan.plan.planner import make_plan
from geoplan.push.all_pushes import as_plain, as_text, read_all
from geoplan.push.journal import Journal
from geoplan.push.options import Options, Origin
from geoplan.push.store import Store, addresses_of, unit_keys
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES
from tests.push.support import A1, M1, NOON, SettableClock

PLAN = make_plan(load_topology(TOPOLOGIES / "section-5.3.yaml"))
STEPS = [step.id for step in PLAN.steps]
UNITS = addresses_of(PLAN)


def begin(state: Path, minutes: int = 0, origin: Origin | None = None, lab: str | None = None) -> Journal:
    options = Options(origin=origin) if origin else Options()
    clock = SettableClock(NOON + timedelta(minutes=minutes))
    return Store(state, unit_keys(UNITS, lab), state / "locks").begin(PLAN, options, clock)


def stopped(state: Path, minutes: int = 0) -> Journal:
    with begin(state, minutes) as journal:
        journal.write("step", id=STEPS[0], site="HA Pair 1", state="done")
        journal.write("rebooting", step="s", site="HA Pair 1", unit=M1)
        journal.write("step", id=STEPS[2], site="HA Pair 1", state="failed")
        journal.write("stopped", outcome="stopped")
    return journal


def test_pushes_are_told_newest_first_with_how_they_ended(tmp_path: Path) -> None:
    stopped(tmp_path)
    for minutes, outcome in enumerate(("refused", "done", "abandoned"), start=1):
        with begin(tmp_path, minutes) as journal:
            journal.write("end", outcome=outcome)
    begin(tmp_path, 9).__exit__(None, None, None)  # killed
    pushes = as_plain(read_all(tmp_path))["pushes"]
    assert [push["outcome"] for push in pushes] == ["interrupted", "abandoned", "done", "refused", "stopped"]
    assert [push["finished"] for push in pushes] == [False, True, True, True, False]
    assert pushes[-1]["stopped_at"].startswith(f"3 of {len(STEPS)}, ")
    assert (pushes[2]["stopped_at"], pushes[-1]["reboots"].keys()) == (None, {M1})
    assert pushes[0]["units"] == {unit: unit for unit in UNITS}
    running = as_plain(read_all(tmp_path), running=[Path(pushes[0]["journal"])])["pushes"][0]
    assert (running["running"], running["outcome"], running["ended"]) == (True, None, None)


def test_reboot_that_was_never_sent_is_none(tmp_path: Path) -> None:
    with begin(tmp_path) as journal:
        journal.write("rebooting", step="s", site="HA Pair 1", unit=M1)
        journal.write("reboot_not_sent", step="s", site="HA Pair 1", unit=M1, why="refused")
    assert as_plain(read_all(tmp_path))["pushes"][0]["reboots"] == {}


def test_who_where_file_and_flags_stand_in_the_head_and_older_journals_are_read(tmp_path: Path) -> None:
    with begin(tmp_path, origin=Origin("my file.yaml", ("--reboot", "always=HA Pair 1", "--credentials"))) as new:
        new.write("end", outcome="done")
    with begin(tmp_path, 1) as old:
        old.write("end", outcome="done")
    assert b'"file"' not in old.path.read_bytes()
    untold, told = as_plain(read_all(tmp_path))["pushes"]
    assert (untold["file"], untold["flags"]) == (None, [])
    assert (told["file"], told["flags"]) == ("my file.yaml", ["--reboot", "always=HA Pair 1", "--credentials"])
    assert told["user"]
    assert told["host"]
    text = as_text(read_all(tmp_path), width=500)
    assert "'my file.yaml'" in text
    assert "--reboot 'always=HA Pair 1' --credentials" in text
    assert f"by        {told['user']}@{told['host']}" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no json\n", "damaged"),
        (b'{"event":"begin","format":"geoplan/journal/3"}\n', "another version"),
        (b"", "empty"),
        (None, "cannot read"),
    ],
    ids=["damaged", "newer", "empty", "a folder"],
)
def test_what_cannot_be_read_is_named_and_hides_no_other(tmp_path: Path, content: bytes | None, words: str) -> None:
    stopped(tmp_path)
    journal = stopped(tmp_path, 1)
    if content is None:
        journal.path.unlink()
        os.mkfifo(journal.path)
        words = "regular"
    else:
        journal.path.write_bytes(content)
    for keys in (None, frozenset(UNITS)):
        found = read_all(tmp_path, keys)
        (unreadable,) = as_plain(found)["unreadable"]
        assert unreadable["journal"] == str(journal.path)
        assert words in unreadable["why"]
        assert len(found.pushes) == 1
        assert str(journal.path) in as_text(found, width=1000)


def test_only_pushes_on_the_units_are_told_and_a_labs_are_none_of_productions(tmp_path: Path) -> None:
    begin(tmp_path).__exit__(None, None, None)
    begin(tmp_path, 1, lab="abc").__exit__(None, None, None)
    assert len(read_all(tmp_path).pushes) == 2
    assert len(read_all(tmp_path, frozenset({A1})).pushes) == 1
    assert read_all(tmp_path, frozenset({"10.9.9.9"})).pushes == ()
    assert "(of the lab abc)" in as_text(read_all(tmp_path, frozenset({f"{A1}@abc"})))
    assert read_all(tmp_path / "nothing yet").pushes == ()


@pytest.mark.parametrize("width", [40, 60, 80])
def test_lines_are_no_wider_than_the_terminal_but_for_paths(tmp_path: Path, width: int) -> None:
    stopped(tmp_path)
    begin(tmp_path, 1, Origin("x.yaml", ("--yes", "--reboot", "never") * 5)).__exit__(None, None, None)
    for line in as_text(read_all(tmp_path), width=width).splitlines():
        assert len(line) <= width or str(tmp_path) in line


def test_it_is_one_json_object(tmp_path: Path) -> None:
    stopped(tmp_path)
    report = json.loads(json.dumps(as_plain(read_all(tmp_path))))
    assert list(report) == ["format", "pushes", "unreadable"]
    assert report["format"] == "geoplan/push-history/1"
