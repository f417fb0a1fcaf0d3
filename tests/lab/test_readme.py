"""The lab's README stays true: its tour is walked, and its tables are those of the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import geoplan.lab
from geoplan.lab.faults import FaultKind
from geoplan.lab.operations import VERBS, Operations
from geoplan.lab.variants import Variant
from tests.conftest import ROOT

README = (Path(geoplan.lab.__file__).parent / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
CONSOLE = "".join(block for language, block in BLOCKS if language == "console")
LAB, *TOUR = [
    session.removeprefix("$ ").partition("\n") for session in re.split(r"^(?=\$ )", CONSOLE, flags=re.MULTILINE)[1:]
]


def test_tour() -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    command = LAB[0].replace("geoplan ", f"{sys.executable} -m geoplan ")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GEOPLAN_")}
    lab = subprocess.Popen(
        ["bash", "-c", f"exec env {command}"], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=clean
    )
    try:
        assert lab.stdout is not None
        announced = "".join(lab.stdout.readline() for _ in LAB[2].splitlines())
        printed = [subprocess.check_output(["bash", "-c", typed], text=True) for typed, _, _ in TOUR]
    finally:
        lab.terminate()
        lab.communicate()
    without_print = re.compile(r"sha256:[0-9a-f]+…")
    assert without_print.sub("", announced) == without_print.sub("", LAB[2])
    assert printed == [shown for _, _, shown in TOUR]
    assert not (ROOT / "lab-tour.yaml").exists()


def test_example_of_a_simulation_prints_what_it_says() -> None:
    (example,) = [block for language, block in BLOCKS if language == "python" and "SimulatedClock" in block]
    printed = subprocess.check_output([sys.executable, "-c", example], cwd=ROOT, text=True)
    assert f"# {printed}" in example


def test_table_of_faults_is_the_codes() -> None:
    rows = [f"| `{kind}` | {'a unit' if kind.hits_unit else 'a request'} | {kind.description} |" for kind in FaultKind]
    assert "\n".join(rows) + "\n\n" in README


def test_table_of_variants_is_the_codes() -> None:
    rows = [f"| `{variant}` | {variant.description} | `{variant.fact}` |" for variant in Variant]
    assert "\n".join(rows) + "\n\n" in README


def test_table_of_verbs_is_the_codes() -> None:
    assert "\n".join(f"| `{verb.method} {verb.path}` | {verb.help} |" for verb in VERBS) + "\n\n" in README
    verbs = [name for name in vars(Operations) if not name.startswith("_") and name != "operate"]
    assert ", ".join(f"`{name}`" for name in verbs) in README.replace("\n", " ")
