"""What a program reads of commands that are refused."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.3.yaml"
PAIR = ("--site", "HA Pair 1")
JSON = ("--format", "json")
FORMATS = {
    "whatif": "geoplan/whatif/1",
    "rehearse": "geoplan/rehearsal/1",
    "follow": "geoplan/follow/1",
    "drill": "geoplan/drill/1",
}
MORE = {"drill": PAIR}


@pytest.fixture
def dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return an endpoints file of units of which nothing answers."""
    monkeypatch.setenv("GEOPLAN_USER", "bal")
    monkeypatch.setenv("GEOPLAN_PASSWORD", "pw")
    monkeypatch.setenv("GEOPLAN_STATE_DIR", str(tmp_path / "state"))
    with ExitStack() as running:

        def port() -> int:
            taken = running.enter_context(socket.socket())  # bound and not listening: it refuses
            taken.bind(("127.0.0.1", 0))
            return int(taken.getsockname()[1])

        units = {
            unit.address: {"api": f"https://127.0.0.1:{port()}", "health": f"http://127.0.0.1:{port()}"}
            for site in load_topology(str(EXAMPLE)).sites
            for unit in site.units
        }
        path = tmp_path / "lab.yaml"
        path.write_text(yaml.safe_dump({"units": units}))
        yield path


@pytest.mark.parametrize("command", FORMATS)
def test_file_that_cannot_be_used_is_told_in_json(command: str, geoplan: Geoplan, tmp_path: Path) -> None:
    ended = geoplan(command, tmp_path / "no.yaml", *MORE.get(command, ()), *JSON)
    told = json.loads(ended.stdout)

    assert (told["format"], told["event"], told["exit_code"]) == (FORMATS[command], "ended", ended.code)
    assert told["message"] in ended.stderr
    assert told["hint"] in ended.stderr


@pytest.mark.parametrize("command", FORMATS)
def test_file_with_faults_names_each_in_json(command: str, geoplan: Geoplan, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("name: x\nsites: [{name: A, ha_pair: {master: 10.0.0.1, slave: 10.0.0.1}}]\n")
    ended = geoplan(command, path, "--site", "A", *JSON) if command == "drill" else geoplan(command, path, *JSON)

    assert json.loads(ended.stdout)["problems"] == ["GEO206 master and slave of 'A' are both 10.0.0.1"]


@pytest.mark.parametrize(
    "words",
    [("whatif", "--live"), ("rehearse", "--from", "live"), ("follow", "--from", "live"), ("drill", *PAIR, "--yes")],
)
def test_units_that_do_not_answer_are_told_in_json(words: tuple[str, ...], geoplan: Geoplan, dead: Path) -> None:
    command, *more = words
    ended = geoplan(command, EXAMPLE, *more, "--endpoints", dead, *JSON)
    told = json.loads(ended.stdout)

    assert (told["format"], told["event"], told["exit_code"]) == (FORMATS[command], "ended", ended.code)
    assert ended.code in (2, 4)
    assert told["problems"] or told["hint"]
    assert all(problem.partition("(")[0].strip() in ended.stderr for problem in told["problems"])


@pytest.mark.parametrize("options", [(), ("--format", "text")])
def test_people_read_it_on_standard_error_alone(options: tuple[str, ...], geoplan: Geoplan, tmp_path: Path) -> None:
    assert geoplan("whatif", tmp_path / "no.yaml", *options).stdout == ""


def test_file_that_holds_an_earlier_report_keeps_it(geoplan: Geoplan, dead: Path, tmp_path: Path) -> None:
    path = tmp_path / "drill.json"
    path.write_text("an earlier one")
    ended = geoplan("drill", EXAMPLE, *PAIR, "--yes", "--endpoints", dead, "-o", path)

    assert ended.code == 4
    assert path.read_text() == "an earlier one"
