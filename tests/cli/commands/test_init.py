"""``geoplan init``: the first file."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Geoplan

EXAMPLE = ("--pair", "HA Pair 1=172.24.1.5,172.24.1.6", "--standalone", "Alone=172.24.1.9")


def test_file_of_options_can_be_planned(geoplan: Geoplan, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    assert geoplan("init", *EXAMPLE, "-o", file).code == 0
    assert file.read_text().splitlines()[2] == "name: my"
    assert geoplan("check", file).stdout.endswith("my.yaml: OK: no errors\n")
    planned = geoplan("plan", file, "--format", "lists")
    assert "172.24.1.5 172.24.1.9" in planned.stdout.replace(",", " ")


def test_file_that_exists_is_not_replaced(geoplan: Geoplan, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("mine\n")
    refused = geoplan("init", *EXAMPLE, "-o", file)
    assert refused.code == 2
    assert "exists. Choose another FILE" in refused.stderr
    assert file.read_text() == "mine\n"


def test_what_makes_no_topology_is_not_written(geoplan: Geoplan, tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    refused = geoplan("init", "--pair", "A=10.0.0.1,10.0.0.1", "-o", file)
    assert refused.code == 2
    assert "GEO206" in refused.stderr
    assert not file.exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--pair", "A=10.0.0.1"),
        ("--pair", "10.0.0.1,10.0.0.2"),
        ("--standalone", "A=10.0.0.1,10.0.0.2"),
        ("--standalone", "=10.0.0.1"),
        (*EXAMPLE, "--group", "x"),
        (*EXAMPLE, "--group", "x=Alone", "--group", "x=HA Pair 1"),
        (),
    ],
)
def test_options_that_say_too_little_are_wrong_usage(geoplan: Geoplan, options: tuple[str, ...]) -> None:
    refused = geoplan("init", *options)
    assert refused.code == 2
    assert "Error: " in refused.stderr
    assert refused.stdout == ""


def test_on_a_terminal_it_asks_and_asks_again_for_what_is_no_address() -> None:
    terminal, side = pty.openpty()
    asking = subprocess.Popen(
        [sys.executable, "-m", "geoplan", "init"], stdin=side, stdout=subprocess.PIPE, stderr=side
    )
    os.close(side)
    os.write(terminal, b"Dublin\n10.0.0\n10.0.0.1,10.0.0.2\n\n")
    told, _ = asking.communicate(timeout=60)
    os.close(terminal)
    assert asking.returncode == 0
    assert b"  - name: Dublin\n    ha_pair: {master: 10.0.0.1, slave: 10.0.0.2}\n" in told
