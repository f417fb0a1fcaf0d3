"""No environment variable and no terminal gives a traceback or an empty answer."""

from __future__ import annotations

import os
import pty
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"
REFUSED_LAB = "control: http://127.0.0.1:9\nunits: {172.24.1.5: {}}\n"  # it does not serve the others: nothing is asked
CODES = {0, 1, 2, 4}

NAMES = [
    *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM", "LESS", "PAGER", "LANG", "LC_ALL", "TZ"),
    *("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMPDIR", "SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "all_proxy", "no_proxy", "REQUEST_METHOD"),
    *("GEOPLAN_USER", "GEOPLAN_PASSWORD", "GEOPLAN_APIKEY", "GEOPLAN_PASSWORD_172_24_1_5", "GEOPLAN_STATE_DIR"),
    *("GEOPLAN_CLIENT_KEY_PASSWORD", "JUPYTER_COLUMNS", "TTY_COMPATIBLE", "PYTHON_COLORS", "NETRC", "BROWSER"),
]
VALUES = st.sampled_from(
    [
        *(
            "",
            "0",
            "-1",
            "1",
            "80",
            "9" * 5000,
            "²",
            "1e9",
            "nan",
            " ",
            "~",
            ".",
            "/dev/null",
            "/nonexistent/x",
            "socks://",
        ),
        *(
            "socks5://[::1]:1",
            "http://[::1",
            "http://a:99999",
            "http://u:p@a b",
            "[::1]",
            "fe11::/16",
            "*",
            "%",
            "xn--",
        ),
        *("less -R", "'", "less 'x", "cat", "nothing-of-that-name", "-R", "-S", "C", "xx_YY.none", "UTC+99", "\udcff"),
        *("dumb", "unknown", "xterm-256color", "\x1b[31m", "ü", "\u202e"),
    ]
) | st.text(max_size=20).filter(lambda text: "\0" not in text)
ENVIRONMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
COMMANDS: list[list[str | Path]] = [
    ["check", EXAMPLE],
    ["runbook", EXAMPLE],
    ["facts"],
    ["push", EXAMPLE, "--status"],
    ["--help"],
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(environment=ENVIRONMENTS, command=st.sampled_from(COMMANDS))
def test_no_variable_gives_a_fault(
    geoplan: Geoplan,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    environment: Mapping[str, str],
    command: list[str | Path],
) -> None:
    with monkeypatch.context() as patched:
        patched.chdir(tmp_path)
        for name, value in environment.items():
            patched.setenv(name, value)
        ended = geoplan(*command)
    assert ended.code in CODES, ended
    assert "Traceback" not in ended.stderr


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(environment=st.dictionaries(st.sampled_from(["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy"]), VALUES))
def test_no_proxy_variable_gives_a_fault_before_units_are_asked(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    lab = tmp_path / "lab.yaml"
    units = {f"172.24.1.{number}": number for number in (5, 6, 7, 8, 9, 10)}
    api = (
        "api: 'https://127.0.0.1:9', health: 'http://127.0.0.1:9'"  # one for all, which is refused after the variables
    )
    lab.write_text("control: http://127.0.0.1:9\nunits:\n" + "".join(f"  {unit}: {{{api}}}\n" for unit in units))
    with monkeypatch.context() as patched:
        patched.setenv("GEOPLAN_PASSWORD", "x")
        for name, value in environment.items():
            patched.setenv(name, value)
        ended = geoplan("diff", EXAMPLE, "--endpoints", lab, "--use-proxies")
    assert ended.code == 2
    assert "fault in geoplan" not in ended.stderr


# -- as processes of their own, on a terminal --------------------------------------------------------------------------


def on_terminal(
    *words: str | Path, columns: int = 0, environment: Mapping[str, str] | None = None, unset: tuple[str, ...] = ()
) -> tuple[int, str]:
    """Run a command on a terminal; return its exit code and what it shows."""
    import fcntl
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 0, columns, 0, 0))
    given = {"TERM": "xterm-256color", **{k: v for k, v in os.environ.items() if k not in unset}, **(environment or {})}
    command = [sys.executable, "-m", "geoplan", *map(str, words)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=given) as process:
        os.close(theirs)
        shown = bytearray()

        def read() -> None:
            with suppress(OSError):  # which is how a terminal ends
                while part := os.read(ours, 65536):
                    shown.extend(part)

        reading = threading.Thread(target=read)
        reading.start()
        code = process.wait()
        reading.join()
    os.close(ours)
    return code, shown.decode(errors="replace")


def width_of(shown: str) -> int:
    return max(map(len, shown.splitlines()))


@pytest.mark.parametrize("columns", ["0", "-1", "²", "9" * 5000, "x"])
def test_terminal_of_no_usable_width_has_80_columns(columns: str) -> None:
    usual = on_terminal("facts", environment={"COLUMNS": "80", "NO_COLOR": "1"})
    code, shown = on_terminal("facts", environment={"COLUMNS": columns, "NO_COLOR": "1"}, columns=132)
    assert (code, shown) == usual
    assert 60 < width_of(shown) <= 80


def pager_in(folder: Path) -> Path:
    """Write a pager of the name of less that shows its options and then its text."""
    less = folder / "less"
    less.write_text('#!/bin/sh\necho "LESS=$LESS"; cat\n')
    less.chmod(0o755)
    return less


@pytest.mark.parametrize(
    ("less", "shown_as", "has_color"),
    [(None, "LESS=-R", True), ("", "LESS=-R", True), ("-FRX", "LESS=-FRX", True), ("-S", "LESS=-S", False)],
)
def test_pager_lets_colours_through_or_gets_none(
    tmp_path: Path, less: str | None, shown_as: str, has_color: bool
) -> None:
    pager_in(tmp_path)
    path = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "80"}
    given = path if less is None else {**path, "LESS": less}
    code, shown = on_terminal("runbook", EXAMPLE, environment=given, unset=("LESS", "PAGER", "NO_COLOR"))
    assert code == 0
    assert shown.splitlines()[0] == shown_as
    assert ("\x1b[" in shown) is has_color


@pytest.mark.parametrize("pager", ["less 'x", "nothing-of-that-name", "/dev/null"])
def test_pager_that_cannot_run_is_done_without(pager: str) -> None:
    code, shown = on_terminal("runbook", EXAMPLE, environment={"PAGER": pager, "NO_COLOR": "1"})
    assert code == 0
    assert "two-pairs-two-standalones" in shown


# -- streams that are closed or full -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("check {example} <&-", 0),
        ("check - <&-", 2),
        ("check - </dev/null", 1),
        ("plan - <&-", 2),
        ("plan {example} >&-", 0),
        ("plan {example} <&- >&- 2>&-", 0),
        ("plan {example} > /dev/full", 2),
        ("--help > /dev/full", 2),
        ("check {example} 2> /dev/full", 0),
        ("plan none.yaml 2> /dev/full", 2),
        ("plan none.yaml 2>&- > /dev/full", 2),
        ("push {example} --endpoints {lab} --yes <&-", 4),
        ("diff {example} --endpoints {lab} <&-", 2),
    ],
)
def test_streams_that_are_closed_or_full_leave_the_exit_code_as_it_is(tmp_path: Path, command: str, code: int) -> None:
    lab = tmp_path / "lab.yaml"
    lab.write_text(REFUSED_LAB)
    script = f"{sys.executable} -m geoplan {command.format(example=EXAMPLE, lab=lab)}"
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == code, ended
    assert "Traceback" not in ended.stderr


# -- a user without a home ---------------------------------------------------------------------------------------------


@pytest.fixture
def _homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user without a home directory and without an entry in the system's list of users."""
    import pwd

    def unknown(_number: int) -> pwd.struct_passwd:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_STATE_HOME", "GEOPLAN_STATE_DIR", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_homeless")
def test_user_without_a_home_is_told_of_the_option(geoplan: Geoplan, tmp_path: Path) -> None:
    ended = geoplan("push", EXAMPLE, "--status")
    assert (ended.code, "--state-dir" in ended.stderr) == (2, True)
    assert geoplan("push", EXAMPLE, "--status", "--state-dir", tmp_path / "state").code == 0
    assert geoplan("push", EXAMPLE, "--abandon", "--state-dir", tmp_path / "state").code == 0


@pytest.mark.usefixtures("_homeless")
def test_user_without_a_home_rehearses_a_push(geoplan: Geoplan) -> None:
    ended = geoplan("push", TOPOLOGIES / "section-5.1.yaml", "--lab", "--only-preflight")
    assert ended.code == 0, ended
