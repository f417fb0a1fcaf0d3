"""The formats that commands write, and which one a file's ending picks."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.cli.formats import FORMATS
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"


@pytest.mark.parametrize(("name", "start"), [("p.json", "{"), ("p.yml", "format: "), ("p.txt", "two-pairs")])
def test_ending_of_the_output_picks_the_format(name: str, start: str, geoplan: Geoplan, tmp_path: Path) -> None:
    geoplan("plan", EXAMPLE, "-o", tmp_path / name)

    assert (tmp_path / name).read_text().startswith(start)


@pytest.mark.parametrize("name", FORMATS)
def test_each_command_takes_the_formats_of_the_table(name: str, geoplan: Geoplan) -> None:
    formats = FORMATS[name]
    shown = " ".join(geoplan(name, "--help").stdout.split())

    assert f"--format [{'|'.join(formats.names)}]" in shown
    assert all(ending in shown for ending in formats.endings)
    assert bool(formats.endings) == formats.are_of_file


OF_FILE = [(name, given) for name, formats in FORMATS.items() if formats.are_of_file for given in formats.names]
CONTRARY = {"json": "x.html", "html": "x.json", "svg": "x.dot", "yaml": "x.json"}


@pytest.mark.parametrize(("name", "given"), OF_FILE)
def test_file_whose_ending_contradicts_the_format_is_wrong_usage(
    name: str, given: str, geoplan: Geoplan, tmp_path: Path
) -> None:
    output = tmp_path / CONTRARY.get(given, "X.JSON")
    more = {
        "drill": (EXAMPLE, "--site", "HA Pair 1"),
        "facts": (),
        "import": ("192.0.2.7",),
        "upgrade": (EXAMPLE, "--to", "7.2.59.4"),
    }.get(name, (EXAMPLE,))
    refused = geoplan(name, *more, "--format", given, "-o", output)
    assert refused.code == 2
    assert "--format" in refused.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (["facts", "-o", "f.json"], "{"),
        (["facts", "-o", "f.MD"], "| Fact"),
        (["facts", "-o", "f.log"], "Fact"),
        (["plan", EXAMPLE, "--format", "lists", "-o", "l.txt"], "HA Pair 1"),
        (["diagram", EXAMPLE, "--format", "mermaid", "-o", "d.txt"], ""),
        (["plan", EXAMPLE, "--format", "json", "-o", "plan.2026"], "{"),
    ],
)
def test_ending_that_fits_or_means_nothing_is_taken(
    arguments: list[str | Path], start: str, geoplan: Geoplan, tmp_path: Path
) -> None:
    *before, name = arguments
    ended = geoplan(*before, tmp_path / name)
    assert ended.code == 0, ended
    assert (tmp_path / name).read_text().lstrip().startswith(start)


@pytest.mark.parametrize("name", ["facts", "diff", "status", "plan", "runbook"])
def test_ending_of_another_commands_format_is_wrong_usage(name: str, geoplan: Geoplan, tmp_path: Path) -> None:
    refused = geoplan(name, *(() if name == "facts" else (EXAMPLE,)), "-o", tmp_path / "x.svg")
    assert refused.code == 2
    assert "no format ends in .svg" in refused.stderr
