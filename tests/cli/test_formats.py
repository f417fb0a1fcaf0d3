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
    names, by_ending = FORMATS[name]

    assert f"--format [{'|'.join(names)}]" in geoplan(name, "--help").stdout
    assert set((by_ending or {}).values()) <= set(names)
