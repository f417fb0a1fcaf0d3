"""``geoplan push --record``: each push as one file for the change ticket, however it ends."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from geoplan.push.journal import who
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, M1, PASSWORD, S1, Site

__all__ = ["make_site"]


def push(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("push", site.topology, "--endpoints", site.endpoints, *options)


def facts(record: str) -> dict[str, str]:
    """Return the rows of the first table."""
    return dict(re.findall(r"^\| ([a-z ]+) \| (.*) \|$", record.split("\n## ", maxsplit=1)[0], re.MULTILINE))


def rows(record: str, heading: str) -> list[list[str]]:
    table = record.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def test_push_that_is_done_is_recorded(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.3"), tmp_path / "ticket.md"
    checksum = next(re.finditer("sha256:[0-9a-f]{64}", geoplan("plan", site.topology).stdout))[0]

    ended = push(geoplan, site, "--yes", "--checksum", checksum, "--record", file)

    assert ended.code == 0, ended
    assert ended.stderr.endswith(f"\nrecord: {file}\n")
    record, (journal,) = file.read_text(), site.journals()
    assert "**done** (exit code 0)" in record
    assert "done and verified: all partner links are green" in record
    told = facts(record)
    assert told["approved by"] == told["plan"] == f"`{checksum}`"
    assert told["by"].replace("\\", "") == who()
    assert told["journal"] == f"`{journal}`"
    assert {"began", "ended", "options", "units"} <= told.keys()
    assert [row[0] for row in rows(record, "Steps")] == [str(number) for number in range(1, 10)]
    assert {row[4] for row in rows(record, "Steps")} == {"done"}
    changed = {(row[1], row[3], row[4], row[5]) for row in rows(record, "Before and after")}
    assert (A1, "empty", f"{M1} {S1}", "yes") in changed
    assert (M1, "not there", "'HA Pair 1' (172.24.1.5), Remote LM", "yes") in changed
    assert sum("reboot" in row[2] for row in rows(record, "Before and after")) == 1
    assert PASSWORD not in record
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_push_that_stops_is_recorded_and_the_resumed_one_replaces_that(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site, file = make_site("5.3"), tmp_path / "ticket.md"
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")

    ended = push(geoplan, site, "--yes", "--record", file)
    assert ended.code == 3
    assert f"--resume --record {file}" in ended.stderr
    stopped = file.read_text()
    assert "**stopped** (exit code 3)" in stopped
    assert "the push stopped part-way" in stopped
    assert "failed" in {row[4] for row in rows(stopped, "Steps")}
    assert "not done" in {row[4] for row in rows(stopped, "Steps")}
    assert "**no**" in {row[5] for row in rows(stopped, "Before and after")}
    assert "--resume" in facts(stopped)["goes on with"]

    assert push(geoplan, site, "--resume", "--yes", "--record", file).code == 0
    whole = file.read_text()
    assert "**done** (exit code 0)" in whole
    assert facts(whole)["began"] == facts(stopped)["began"]
    assert "resumed" in facts(whole)
    assert "goes on with" not in facts(whole)
    assert len(rows(whole, "Before and after")) > len(rows(stopped, "Before and after"))
    done_first = {row[0]: row for row in rows(stopped, "Steps") if row[4] == "done"}
    assert done_first.items() <= {row[0]: row for row in rows(whole, "Steps")}.items(), "by this push, at that time"


def test_push_that_is_refused_is_recorded(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    """What an earlier push has done is none of it."""
    site, file = make_site("5.3"), tmp_path / "ticket.md"
    assert push(geoplan, site, "--yes").code == 0

    refused = push(geoplan, site, "--yes", "--checksum", "sha256:" + "0" * 64, "--reboot", "always", "--record", file)

    assert refused.code == 4
    record = file.read_text()
    assert "not begun" in record.splitlines()[1]
    assert "**nothing was changed** (exit code 4)" in record
    assert "## Steps" not in record
    assert facts(record)["approved by"].startswith("nobody")
    (reason,) = [line for line in record.splitlines() if line.startswith("- ")]
    assert "pair-and-standalone: sha256:0000" in reason
    assert "review the plan and export it anew" in reason, "what to do is part of it"


def test_push_that_is_frozen_is_recorded_before_any_unit_is_asked(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site, file = make_site("5.3"), tmp_path / "ticket.md"
    geoplan("push", "--freeze", "--reason", "nobody pushes tonight")

    assert push(geoplan, site, "--yes", "--record", file).code == 4
    record = file.read_text()
    assert "nobody pushes tonight" in record
    assert "**nothing was changed** (exit code 4)" in record
    told = facts(record)
    assert told["approved by"] == "nobody: it ended before anybody was asked"
    assert "push --thaw" in told["what to do"]
    assert "sha256:" in told["plan"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    geoplan("push", "--thaw")
    assert push(geoplan, site, "--yes", "--record", file).code == 0, "another attempt at the same push"


@pytest.mark.parametrize("of", ["another plan", "another place", "no plan"])
def test_record_of_a_refused_push_is_not_replaced_by_that_of_another_one(
    of: str, geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site, file = make_site("5.3"), tmp_path / "ticket.md"
    if of == "no plan":
        geoplan("push", "--freeze")
        assert push(geoplan, site, "--undo", "--yes", "--record", file).code == 4
        geoplan("push", "--thaw")
    else:
        assert push(geoplan, site, "--record", file).code == 4
    first = file.read_text()

    if of == "another place":
        other = geoplan("push", site.topology, "--lab", "--yes", "--record", file)
    elif of == "another plan":
        other = push(geoplan, make_site("5.1"), "--yes", "--record", file)
    else:
        other = push(geoplan, site, "--yes", "--record", file)

    assert other.code == 2
    assert "is there already" in other.stderr
    assert file.read_text() == first


def test_resumed_push_that_is_refused_keeps_the_record_of_what_was_done(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site, file = make_site("5.3"), tmp_path / "ticket.md"
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site, "--yes", "--record", file).code == 3
    stopped = file.read_text()

    refused = push(geoplan, site, "--resume", "--record", file)

    assert refused.code == 4
    assert "there is no terminal to ask on" in file.read_text()
    assert rows(file.read_text(), "Steps") == rows(stopped, "Steps")
    geoplan("push", "--freeze")
    before = file.read_text()
    frozen = push(geoplan, site, "--resume", "--yes", "--record", file)
    assert frozen.code == 4
    assert "could not be written" in frozen.stderr
    assert file.read_text() == before


def test_push_with_nothing_to_do_is_recorded(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.3"), tmp_path / "ticket.md"
    assert push(geoplan, site, "--yes").code == 0
    site.settle()

    assert push(geoplan, site, "--yes", "--record", file).code == 0
    assert "**nothing was changed** (exit code 0)" in file.read_text()


def test_push_without_an_answer_is_recorded(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.1"), tmp_path / "ticket.md"

    assert push(geoplan, site, "--record", file).code == 4
    assert "there is no terminal to ask on" in file.read_text()
    assert facts(file.read_text())["approved by"] == "nobody: there was no terminal to ask on"


def test_undo_names_the_push_that_it_takes_back(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.1"), tmp_path / "ticket.md"
    assert push(geoplan, site, "--yes").code == 0

    assert push(geoplan, site, "--undo", "--yes", "--record", file).code == 0
    assert facts(file.read_text())["takes back"] == "push 1"


def test_rehearsal_is_recorded_as_one(geoplan: Geoplan, tmp_path: Path) -> None:
    file = tmp_path / "rehearsal.md"

    assert geoplan("push", TOPOLOGIES / "section-5.1.yaml", "--lab", "--yes", "--record", file).code == 0
    told = facts(file.read_text())
    assert (told["went"], told["journal"]) == ("to an embedded lab", "gone with the lab")


@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_file_of_somebody_else_is_never_replaced(
    resume: tuple[str, ...], geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site, file = make_site("5.1"), tmp_path / "notes.md"
    file.write_text("# Push\nmine\n")
    before = site.all_that_counts()

    refused = push(geoplan, site, "--yes", *resume, "--record", file)

    assert refused.code == 2
    assert "is there already" in refused.stderr
    assert file.read_text() == "# Push\nmine\n"
    assert site.all_that_counts() == before


def test_record_of_another_push_is_never_replaced(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.1"), tmp_path / "ticket.md"
    assert push(geoplan, site, "--yes", "--record", file).code == 0
    first = file.read_text()

    assert push(geoplan, site, "--yes", "--reboot", "always", "--record", file).code == 2
    assert file.read_text() == first


def test_record_of_another_push_is_not_replaced_by_a_resumed_one(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site, file = make_site("5.3"), tmp_path / "ticket.md"
    first = "<!-- geoplan/push-record/1: 000007-20260101T120000 -->\n# Push 7\n"
    file.write_text(first)
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site, "--yes").code == 3

    refused = push(geoplan, site, "--resume", "--yes", "--record", file)

    assert refused.code == 2
    assert "is there already" in refused.stderr
    assert file.read_text() == first


def test_record_of_none_that_was_begun_is_replaced(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.1"), tmp_path / "ticket.md"
    assert push(geoplan, site, "--record", file).code == 4

    assert push(geoplan, site, "--yes", "--record", file).code == 0
    assert "**done** (exit code 0)" in file.read_text()


def test_place_that_cannot_be_written_is_named_before_anything_is_changed(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site("5.1")
    before = site.all_that_counts()

    for name, why in (("nowhere/ticket.md", "is no folder"), ("ticket.txt", "end in .md"), ("", "it is empty")):
        refused = push(geoplan, site, "--yes", "--record", tmp_path / name if name else "")
        assert refused.code == 2
        assert why in refused.stderr
    assert site.all_that_counts() == before


def test_record_that_fails_at_the_end_changes_no_verdict(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, file = make_site("5.1"), tmp_path / "ticket.md"

    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("geoplan.cli.push_record.write_atomically", no_room)
    ended = push(geoplan, site, "--yes", "--record", file)

    assert ended.code == 0
    assert f"geoplan: warning: the record {file} could not be written: No space left on device" in ended.stderr


@pytest.mark.parametrize("look", ["--dry-run", "--only-preflight", "--status", "--abandon"])
def test_what_only_looks_has_no_record(look: str, geoplan: Geoplan, tmp_path: Path) -> None:
    refused = geoplan("push", TOPOLOGIES / "section-5.1.yaml", look, "--record", tmp_path / "ticket.md")

    assert refused.code == 2
    assert "--record is of a push that changes units" in refused.stderr
