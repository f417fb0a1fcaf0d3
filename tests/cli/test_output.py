"""Output that breaks stops no push that changes units, and nothing that others wrote steers a terminal."""

from __future__ import annotations

import errno
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.table import Column, Table
from rich.text import Text

from geoplan.cli.output import Outlet, legible, own_console, show_laid_out
from geoplan.console import laid_out
from tests.cli.pushing import assert_pushed, pushing
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, Site

__all__ = ["make_site"]

HAS_FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


def in_shell(site: Site, redirection: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = f"{' '.join(pushing(site, *options))} {redirection}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lines", [0, 9])
def test_push_whose_reader_has_had_enough_goes_on_to_its_end(make_site: MakeSite, lines: int) -> None:
    site = make_site("5.3")
    ended = in_shell(site, f"| head -n {lines}; exit ${{PIPESTATUS[0]}}", "--yes")
    assert ended.returncode == 0, ended
    assert "warning: the output was lost: cannot write standard output: Broken pipe" in ended.stderr
    assert_pushed(site)


@HAS_FULL
@pytest.mark.parametrize(
    ("redirection", "output_format"),
    [("> /dev/full", "text"), ("> /dev/full", "json"), ("> /dev/full 2>&1", "text"), (">&- 2>&-", "text")],
)
def test_push_whose_output_has_no_room_goes_on_to_its_end(
    make_site: MakeSite, redirection: str, output_format: str
) -> None:
    site = make_site("5.1")
    ended = in_shell(site, redirection, "--yes", "--format", output_format)
    assert ended.returncode == 0, ended
    assert_pushed(site)


def test_exit_code_is_the_true_one_where_the_output_is_lost(make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    ended = in_shell(site, "2>&1 | head -n 1; exit ${PIPESTATUS[0]}", "--yes")
    assert ended.returncode == 3, ended
    assert in_shell(site, "| true; exit ${PIPESTATUS[0]}", "--yes").returncode == 4  # it is unfinished
    assert in_shell(site, "| true; exit ${PIPESTATUS[0]}", "--yes", "--resume").returncode == 0
    assert_pushed(site)


@HAS_FULL
def test_question_that_cannot_be_shown_is_no_consent(make_site: MakeSite) -> None:
    site = make_site("5.1")
    before = site.all_that_counts()
    ours, theirs = pty.openpty()
    os.write(ours, b"y\n")
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(pushing(site), stdin=theirs, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    os.close(ours)
    os.close(theirs)
    assert ended.returncode == 4
    assert "what would be changed cannot be shown: No space left on device" in ended.stderr
    assert site.all_that_counts() == before


@pytest.mark.parametrize(
    ("redirection", "code"), [("| true; exit ${PIPESTATUS[0]}", 0), pytest.param("> /dev/full", 2, marks=HAS_FULL)]
)
def test_what_only_reads_needs_nobody_to_read_it_and_room(make_site: MakeSite, redirection: str, code: int) -> None:
    site = make_site("5.1")
    assert in_shell(site, redirection, "--dry-run").returncode == code
    assert in_shell(site, redirection, "--only-preflight").returncode == code


PIPE = 64 * 1024  # bytes that Linux keeps of what nobody has read


def many_sites(*, is_wrong: bool) -> str:
    """Return a topology of which every command says more than a pipe takes."""
    names = [f"S{number}" for number in range(500)]
    sites = "".join(
        f"- {{name: {name}, standalone: 10.0.{n // 250}.{300 if is_wrong else n % 250 + 1}}}\n"
        for n, name in enumerate(names)
    )
    return f"sites:\n{sites}groups:\n" + "".join(f"  of-{name}: [{name}]\n" for name in names)


@pytest.mark.parametrize("reader", ["head -n 1", "true"])
@pytest.mark.parametrize(
    ("command", "is_wrong", "code"),
    [
        ("check many.yaml", True, 1),
        ("check many.yaml --format json", True, 1),
        ("compare many.yaml none.json", False, 2),
        ("plan many.yaml", False, 0),
        ("plan many.yaml --format json -o /dev/stdout", False, 0),
        ("runbook many.yaml --format html", False, 0),
    ],
)
def test_exit_code_is_what_was_found_whoever_reads_how_much(
    tmp_path: Path, reader: str, command: str, is_wrong: bool, code: int
) -> None:
    (tmp_path / "many.yaml").write_text(many_sites(is_wrong=is_wrong))
    geoplan = f"{sys.executable} -m geoplan {command}"
    ended = subprocess.run(
        ["bash", "-c", f"{geoplan} | {reader}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    whole = subprocess.run(["bash", "-c", geoplan], capture_output=True, check=False, cwd=tmp_path)
    assert (ended.returncode, whole.returncode) == (code, code)
    assert ended.stderr == whole.stderr.decode()
    assert code == 2 or len(whole.stdout) > PIPE


def test_what_has_no_other_end_ends_once_nobody_reads_it(make_site: MakeSite) -> None:
    site = make_site("5.1")
    watch = f"{sys.executable} -m geoplan status {site.topology} --endpoints {site.endpoints} --watch 0.5"
    lab = f"{sys.executable} -m geoplan lab {site.topology} --quiet"
    for command in (watch, f"{watch} --format json", lab):
        ended = subprocess.run(
            ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False
        )
        assert (ended.returncode, "roken pipe" in ended.stderr, "error" in ended.stderr) == (141, False, False), ended


@HAS_FULL
def test_messages_that_cannot_be_written_fail_no_result() -> None:
    command = f"{sys.executable} -m geoplan plan {TOPOLOGIES / 'section-5.4.yaml'} --format json"
    ended = subprocess.run(["bash", "-c", f"{command} 2>/dev/full"], capture_output=True, check=False)
    assert ended.returncode == 0
    wrong = subprocess.run(["bash", "-c", f"{command} --phase no 2>/dev/full"], capture_output=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    missing = f"{sys.executable} -m geoplan plan nothing.yaml 2>/dev/full"
    assert subprocess.run(["bash", "-c", missing], check=False).returncode == 2


class Breaking(io.StringIO):
    """Takes a few texts and then none."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, text: str) -> int:
        if self.room == 0:
            raise OSError(errno.EIO, "Input/output error")
        self.room -= 1
        return super().write(text)


def test_outlet_drops_all_that_follows_the_first_text_that_was_lost() -> None:
    stream = Breaking(2)
    outlet = Outlet(stream)
    for text in "abcd":
        assert outlet.write(text) == 1
    stream.room = 5
    outlet.write("e")
    outlet.flush()
    assert (stream.getvalue(), outlet.lost_because) == ("ab", "Input/output error")


def test_push_through_the_command_line_in_this_process_leaves_standard_output_alone(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.1")
    before = sys.stdout
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    assert sys.stdout is before


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


STEERING = "".join(chr(code) for code in (*range(32), *range(0x7F, 0xA0), 0x2028, *range(0x202A, 0x202F)))
TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(STEERING)))


def in_sight(text: str) -> bool:
    return not any(character in STEERING and character not in "\t\n" for character in text)


@given(TEXTS)
def test_pipes_and_messages_get_nothing_that_steers(text: str) -> None:
    for stream, steers in ((io.StringIO(), True), (Terminal(), False)):
        print(text, end="", file=legible(stream, steers=steers))
        assert in_sight(stream.getvalue())
        assert stream.getvalue().count("\n") == text.count("\n")


@given(TEXTS)
def test_terminal_gets_nothing_that_steers_but_geoplan_s_own_styles(text: str) -> None:
    stream = Terminal()
    print(text, end="", file=legible(stream, steers=True))
    assert in_sight(stream.getvalue())


CODES = st.sampled_from(["\x1b[31m", "\x1b[2J", "\x1b[1A", "\r", "\x1b]0;title\x07", "\x1b[?1049h", "\x9b2J", "\u202e"])


@settings(max_examples=40)
@given(st.lists(st.one_of(TEXTS, CODES)).map("".join))
def test_what_a_unit_says_is_shown_in_a_styled_table_and_where_it_redraws_itself(text: str) -> None:
    table = Table(Column("Unit", style="bold yellow"), width=60)
    table.add_row(Text(text, style="dim"))
    styles = re.compile(r"\x1b\[[0-9;]*m")
    with pytest.MonkeyPatch.context() as patch:
        stream = Terminal()
        patch.setattr("sys.stdout", legible(stream, steers=True))
        show_laid_out(laid_out([table, text], width=60, color=True), color=True)
        own_console().print(table, text)
        assert "\x1b[" in stream.getvalue()
        assert in_sight(styles.sub("", stream.getvalue()))
    assert not styles.search(laid_out([text], width=60, color=True)), "no style but geoplan's own"


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_names_of_files_are_shown_and_not_sent(geoplan: Geoplan, tmp_path: Path, output_format: str) -> None:
    path = tmp_path / "\x1b]0;title\x07\u202e\x9b2J.yaml"
    path.write_text("name: [\n")
    checked = geoplan("check", path, "--format", output_format)
    assert checked.code == 1
    assert in_sight(checked.stdout)
    assert in_sight(geoplan("plan", path).stderr)
    assert in_sight(geoplan("plan", "--reboot", "\x1b[2J\u202e", path).stderr)
    if output_format == "json":
        assert str(path) in {each["path"] for each in json.loads(checked.stdout)["diagnostics"]}
