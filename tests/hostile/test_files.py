"""No file gives a traceback, whatever it holds, whatever it is and whatever it is called."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site

__all__ = ["make_site"]

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"
REFUSED_LAB = "control: http://127.0.0.1:9\nunits: {172.24.1.5: {}}\n"  # it does not serve the others: nothing is asked
OPTIONS = ["--endpoints", "--credentials", "--ca-file", "--client-cert", "--client-key", "--plan"]
CODES = {0, 1, 2, 4}

WORDS = st.lists(
    st.sampled_from(
        [
            *("units", "default", "password", "apikey", "control", "api", "sites", "name", ":", ": ", "\n", "  ", "- "),
            *(
                "172.24.1.5",
                "https://",
                "xn--",
                "{",
                "}",
                "[",
                "]",
                "'",
                '"',
                "#",
                "&a",
                "*a",
                "!",
                "|",
                ">",
                "\0",
                "ü",
            ),
            *(
                "-----BEGIN CERTIFICATE-----\n",
                "-----BEGIN PRIVATE KEY-----\n",
                "-----END",
                "AAAA",
                "9" * 5000,
                "1e999",
            ),
            *('{"format": "geoplan/approval/1"}', '{"format": "geoplan/plan/1"', "\ufeff", "\u2028", "\x1b["),
        ]
    ),
    max_size=12,
).map(lambda words: "".join(words).encode())
CONTENTS = st.binary(max_size=64) | WORDS


def given_as(option: str, path: Path, lab: Path) -> list[str | Path]:
    """Return the arguments with which a file is read before any unit would be asked."""
    known: list[str | Path] = [] if option == "--endpoints" else ["--endpoints", lab]
    certificate: list[str | Path] = ["--client-cert", path] if option == "--client-key" else []
    return ["push", EXAMPLE, option, path, *certificate, *known, "--only-preflight"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=120)
@given(content=CONTENTS, option=st.sampled_from(OPTIONS))
def test_no_content_gives_a_fault(geoplan: Geoplan, tmp_path: Path, content: bytes, option: str) -> None:
    lab, path = tmp_path / "lab.yaml", tmp_path / "file"
    lab.write_text(REFUSED_LAB)
    path.write_bytes(content)
    path.chmod(0o600)
    ended = geoplan(*given_as(option, path, lab))
    assert ended.code in (2, 4), ended
    assert "fault in geoplan" not in ended.stderr


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(content=CONTENTS)
def test_no_topology_and_no_list_gives_a_fault(geoplan: Geoplan, content: bytes) -> None:
    for arguments in (["check", "-"], ["plan", "-"], ["compare", EXAMPLE, "-"]):
        ended = geoplan(*arguments, stdin=content)
        assert ended.code in (1, 2), ended
        assert "fault in geoplan" not in ended.stderr


@pytest.mark.parametrize("option", [*OPTIONS, "TOPOLOGY", "RECORDED"])
@pytest.mark.parametrize("kind", ["pipe", "endless", "large"])
def test_file_that_never_ends_is_refused_for_what_it_is(
    geoplan: Geoplan, tmp_path: Path, option: str, kind: str
) -> None:
    path, lab = tmp_path / "link", tmp_path / "lab.yaml"
    lab.write_text(REFUSED_LAB)
    if kind == "large":
        with path.open("wb") as file:
            file.truncate(2**34)  # which takes no room on the disk
        path.chmod(0o600)
    else:
        os.mkfifo(tmp_path / "pipe", 0o600)
        path.symlink_to(tmp_path / "pipe" if kind == "pipe" else "/dev/zero")
    arguments = {"TOPOLOGY": ["plan", path], "RECORDED": ["compare", EXAMPLE, path]}
    ended = geoplan(*(arguments.get(option) or given_as(option, path, lab)))
    assert ended.code == 2, ended
    wanted = {"pipe": "a pipe", "endless": "a device", "large": "MiB"}[kind]
    assert wanted in ended.stderr or "no short UTF-8 text" in ended.stderr


@pytest.mark.parametrize("name", ["000001.units", "000001-x.jsonl", "old/x.jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "endless"])
def test_journal_that_never_ends_is_refused(geoplan: Geoplan, tmp_path: Path, name: str, kind: str) -> None:
    folder = tmp_path / "state" / "pushes"
    folder.mkdir(parents=True, mode=0o700)
    (tmp_path / "state").chmod(0o700)
    (folder / "old").mkdir(mode=0o700)
    (folder / "000001-x.jsonl").touch(0o600)
    (folder / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(folder / name, 0o600)
    else:
        (folder / name).symlink_to("/dev/zero")
    ended = geoplan("push", EXAMPLE, "--status", "--state-dir", tmp_path / "state")
    assert ended.code in ((0, 2) if name.endswith(".units") else (2,)), ended
    assert "fault in geoplan" not in ended.stderr


ODD = os.fsdecode(b"K\xf6ln \x1b[31m'$(x)")


def test_names_that_are_no_utf_8_are_shown_and_written(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.1")
    odd = tmp_path / ODD
    odd.mkdir()
    topology, endpoints = odd / "topology.yaml", odd / f"lab {ODD}.yaml"
    topology.write_text(site.topology.read_text())
    endpoints.write_text(site.endpoints.read_text())
    state = odd / "state"
    for arguments, codes in (
        (["check", topology], {0}),
        (["plan", topology, "-o", odd / f"{ODD}.json", "--format", "json"], {0}),
        (["runbook", topology, "-o", odd / f"{ODD}.html", "--format", "html"], {0}),
        (["diff", topology, "--endpoints", endpoints], {0, 1}),
        (["status", topology, "--endpoints", endpoints, "--format", "json"], {0, 1}),
        (["push", topology, "--endpoints", endpoints, "--yes", "--state-dir", state, "--format", "json"], {0}),
        (["push", topology, "--endpoints", endpoints, "--status", "--state-dir", state], {0}),
        (["push", topology, "--endpoints", endpoints, "--status", "--state-dir", state, "--format", "json"], {0}),
        (["plan", odd / "none.yaml"], {2}),
    ):
        ended = geoplan(*arguments)
        assert ended.code in codes, ended
        assert "fault in geoplan" not in ended.stderr


def test_version_of_thousands_of_digits_is_a_finding(geoplan: Geoplan) -> None:
    long = "9" * 5000
    unit = f"{{address: 172.24.1.9, firmware: 7.2.{long}}}"
    checked = geoplan("check", "-", stdin=f"sites: [{{name: A, standalone: {unit}}}]")
    assert checked.code == 1
    assert "GEO107" in checked.stdout
    refused = geoplan("upgrade", EXAMPLE, "--to", f"7.2.{long}.1")
    assert (refused.code, "is not a firmware version" in refused.stderr) == (2, True)


def test_credentials_come_from_standard_input_as_every_file_does(tmp_path: Path) -> None:
    lab = tmp_path / "lab.yaml"
    lab.write_text(REFUSED_LAB)
    for option, content, words in (
        ("--credentials", "default: {passwort: hunter2}", "stdin is not a usable credentials file"),
        ("--endpoints", "units: {}", "stdin is not a usable endpoints file"),
        ("--ca-file", "nothing", "cannot read the CA file stdin"),
        ("--client-cert", "nothing", "there is no private key in stdin"),
    ):
        known = [] if option == "--endpoints" else ["--endpoints", str(lab)]
        command = [sys.executable, "-m", "geoplan", "diff", str(EXAMPLE), option, "-", *known]
        ended = subprocess.run(command, input=content, capture_output=True, text=True, check=False)
        assert (ended.returncode, words in ended.stderr) == (2, True), ended
        assert "hunter2" not in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["check", "-"],
        ["check", "/dev/stdin"],
        ["plan", "-"],
        ["plan", EXAMPLE, "--from", "-"],
        ["compare", EXAMPLE, "-"],
        ["push", EXAMPLE, "--plan", "-"],
        ["diff", EXAMPLE, "--endpoints", "-"],
        ["diff", EXAMPLE, "--endpoints", "lab.yaml", "--credentials", "-"],
        ["diff", EXAMPLE, "--endpoints", "lab.yaml", "--ca-file", "-"],
        ["diff", EXAMPLE, "--endpoints", "lab.yaml", "--client-cert", "-"],
        ["import", "172.24.1.5", "--endpoints", "lab.yaml", "--merge", "-"],
    ],
)
def test_standard_input_that_is_closed_is_told_as_that_and_not_as_an_empty_file(
    tmp_path: Path, words: list[str | Path]
) -> None:
    (tmp_path / "lab.yaml").write_text(REFUSED_LAB)
    command = shlex.join([sys.executable, "-m", "geoplan", *map(str, words)])
    given = {**os.environ, "GEOPLAN_PASSWORD": "x"}
    ended = subprocess.run(
        ["bash", "-c", f"{command} <&-"], capture_output=True, text=True, check=False, cwd=tmp_path, env=given
    )
    assert (ended.returncode, "stdin: it is closed" in ended.stderr) == (2, True), ended
