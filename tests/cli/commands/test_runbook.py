"""``geoplan runbook``: formats, files, and a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from geoplan import load_topology, make_plan, only_groups
from geoplan.cli.folders import LIST
from tests.conftest import TOPOLOGIES, Geoplan

TOPOLOGY = TOPOLOGIES / "section-5.4.yaml"


def kind_of(text: str) -> str:
    return "html" if text.startswith("<!doctype html>") else "markdown" if text.startswith("# Runbook") else "unknown"


def test_markdown_goes_into_a_pipe(geoplan: Geoplan) -> None:
    outcome = geoplan("runbook", TOPOLOGY)
    assert (outcome.code, outcome.stderr, kind_of(outcome.stdout)) == (0, "", "markdown")
    assert "- [ ] **18. Standalone LoadMaster 2: add its cluster, on HA Pair 1**" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "name", "kind"),
    [
        ([], "r.html", "html"),
        ([], "r.HTM", "html"),
        ([], "r.md", "markdown"),
        ([], "r.markdown", "markdown"),
        ([], "runbook", "markdown"),
        (["--format", "markdown"], "r.txt", "markdown"),
        (["--format", "html"], "-", "html"),
    ],
)
def test_format_is_the_one_asked_for_or_the_ending_of_the_file(
    geoplan: Geoplan, tmp_path: Path, arguments: list[str], name: str, kind: str
) -> None:
    output = name if name == "-" else tmp_path / name
    outcome = geoplan("runbook", TOPOLOGY, *arguments, "-o", output)
    written = outcome.stdout if name == "-" else Path(output).read_text(encoding="utf-8")
    assert (outcome.code, kind_of(written)) == (0, kind)


@pytest.mark.parametrize(("form", "name"), [("html", "r.md"), ("markdown", "r.html")])
def test_format_that_the_ending_contradicts_is_refused(geoplan: Geoplan, tmp_path: Path, form: str, name: str) -> None:
    outcome = geoplan("runbook", TOPOLOGY, "--format", form, "-o", tmp_path / name)
    assert (outcome.code, outcome.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert f"--format is {form}" in outcome.stderr


@pytest.mark.parametrize("name", ["r.pdf", "r.DOCX", "r.html.gz", "window-1.2"])
def test_ending_of_no_format_is_refused(geoplan: Geoplan, tmp_path: Path, name: str) -> None:
    outcome = geoplan("runbook", TOPOLOGY, "-o", tmp_path / name)
    assert (outcome.code, outcome.stdout, list(tmp_path.iterdir())) == (2, "", [])
    for known in (".html", ".htm", ".md", ".markdown", "--format", name):
        assert known in outcome.stderr


FORMS_PAIRS = "### Form the pairs"
ENTERS_LISTS = "### Enter the lists"


@pytest.mark.parametrize(
    ("topology", "phase", "headings"),
    [
        ("section-5.4", [], [ENTERS_LISTS]),
        ("section-5.4", ["--phase", "ha"], [FORMS_PAIRS]),
        ("section-5.4", ["--phase", "all"], [FORMS_PAIRS, ENTERS_LISTS]),
        ("aws-dublin-ohio", [], [FORMS_PAIRS, ENTERS_LISTS]),
        ("aws-dublin-ohio", ["--phase", "ha"], [FORMS_PAIRS]),
        ("aws-dublin-ohio", ["--phase", "geo"], [ENTERS_LISTS]),
    ],
)
def test_phase_is_the_one_asked_for_or_the_usual_one(
    geoplan: Geoplan, topology: str, phase: list[str], headings: list[str]
) -> None:
    outcome = geoplan("runbook", TOPOLOGIES / f"{topology}.yaml", *phase)
    assert outcome.code == 0
    assert [heading for heading in (FORMS_PAIRS, ENTERS_LISTS) if heading in outcome.stdout] == headings


def test_the_page_has_the_push_over_time_if_asked_for(geoplan: Geoplan, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    outcome = geoplan("runbook", TOPOLOGIES / "section-5.3.yaml", "--timeline", "-o", page)
    assert (outcome.code, "172.24.1.5 of HA Pair 1 is down from" in page.read_text()) == (0, True), outcome
    assert geoplan("runbook", TOPOLOGIES / "section-5.3.yaml", "--timeline").code == 2


def test_pairs_of_a_topology_without_pairs_are_refused(geoplan: Geoplan) -> None:
    outcome = geoplan("runbook", "-", "--phase", "ha", stdin="sites: [{name: A, standalone: 10.0.0.1}]")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "has no HA pair" in outcome.stderr


def test_topology_from_standard_input(geoplan: Geoplan) -> None:
    outcome = geoplan("runbook", "-", stdin="sites: [{name: A, standalone: 10.0.0.1}]")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, "# Runbook: stdin")


def test_unusable_topology_gives_no_runbook(geoplan: Geoplan, tmp_path: Path) -> None:
    output = tmp_path / "r.md"
    outcome = geoplan("runbook", "-", "-o", output, stdin="sites: []")
    assert (outcome.code, outcome.stdout, output.exists()) == (2, "", False)


def on_a_terminal(*arguments: str, pager: str) -> str:
    """Run a command whose standard output is a terminal, and return what came there."""
    reader, writer = pty.openpty()
    environment = {**os.environ, "PAGER": pager, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "geoplan", "runbook", str(TOPOLOGY), *arguments]
    with subprocess.Popen(command, stdin=writer, stdout=writer, stderr=writer, env=environment) as process:
        os.close(writer)
        shown = b""
        while True:
            try:
                part = os.read(reader, 65536)
            except OSError:  # what a terminal says when nobody writes to it any more
                break
            if not part:
                break
            shown += part
    os.close(reader)
    assert process.returncode == 0
    return shown.decode()


def test_terminal_pages_what_it_has_laid_out() -> None:
    shown = on_a_terminal(pager=f"{sys.executable} -c \"import sys; print('PAGED', len(sys.stdin.read()) > 10000)\"")
    assert "PAGED True" in shown
    assert "Runbook" not in shown


def test_terminal_shows_it_without_a_pager() -> None:
    shown = on_a_terminal("--no-pager", pager="false")
    assert "Runbook: two-pairs-two-standalones" in shown
    assert "\x1b[" in shown
    assert "172.24.1.7 172.24.1.8 172.24.1.5 172.24.1.9 172.24.1.10" in shown
    assert "flowchart" not in shown
    assert "**" not in shown
    assert "…/" not in shown


@pytest.mark.parametrize(("form", "ending"), [("markdown", "md"), ("html", "html")])
def test_a_folder_gets_a_file_for_each_group_and_an_index(
    geoplan: Geoplan, tmp_path: Path, form: str, ending: str
) -> None:
    fleet = TOPOLOGIES / "fleet.yaml"
    outcome = geoplan("runbook", fleet, "--format", form, "-o", f"{tmp_path / 'tonight'}/")
    assert outcome.code == 0, outcome.stderr
    groups = [group.name for group in load_topology(fleet).partner_groups()]
    written = {path.name: path.read_text() for path in (tmp_path / "tonight").iterdir() if path.name != LIST}
    index = written.pop(f"index.{ending}")
    assert len(written) == len(groups)
    for group in groups:
        alone = geoplan("runbook", fleet, "--group", group, "--format", form).stdout
        file = next(name for name, text in written.items() if text == alone)
        assert f"./{file}" in index
        assert make_plan(only_groups(load_topology(fleet), [group])).checksum in index


def test_a_folder_that_is_there_is_written_into_and_other_files_stay(geoplan: Geoplan, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert geoplan("runbook", TOPOLOGY, "-o", tmp_path).code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", "index.md", "default.md", LIST}


def test_a_group_called_index_has_a_file_of_its_own(geoplan: Geoplan, tmp_path: Path) -> None:
    topology = tmp_path / "t.yaml"
    topology.write_text(
        "sites: [{name: A, standalone: 10.0.0.1}, {name: B, standalone: 10.0.0.2}]\ngroups: {Index: [A], '../x': [B]}\n"
    )
    outcome = geoplan("runbook", topology, "-o", f"{tmp_path / 'out'}/")
    assert outcome.code == 0, outcome.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"index.md", "index-2.md", "x.md", LIST}


@pytest.mark.parametrize("given", [["--from", TOPOLOGY], ["--timeline"]])
def test_a_folder_takes_no_change_and_no_timeline(geoplan: Geoplan, tmp_path: Path, given: list[str]) -> None:
    outcome = geoplan("runbook", TOPOLOGY, *given, "-o", f"{tmp_path / 'out'}/")
    assert (outcome.code, (tmp_path / "out").exists()) == (2, False)
    assert "a folder" in outcome.stderr
