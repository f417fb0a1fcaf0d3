"""The operator's verbs: written once, and offered alike by a simulation, a served lab and one in a thread."""

from __future__ import annotations

import inspect

import pytest

from geoplan.cli import run
from geoplan.lab import BackgroundLab, Lab, Simulation
from geoplan.lab.operations import VERBS, Operations, Verb
from geoplan.wording import words_of_command


@pytest.mark.parametrize("lab", [Simulation, Lab, BackgroundLab])
def test_no_lab_has_a_verb_of_its_own(lab: type[Operations]) -> None:
    verbs = [name for name, _ in inspect.getmembers(Operations, inspect.isfunction) if name != "operate"]
    assert "power_off" in verbs
    assert not set(verbs) & set(vars(lab))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb.method} {verb.path}")
def test_help_shows_every_verb_of_the_control_endpoint(capsys: pytest.CaptureFixture[str], verb: Verb) -> None:
    assert run(["lab", "--help"]) == 0
    path = verb.path.replace("NUMBER", "1").replace("NAME", "HA%20Pair%201").replace("ADDRESS", "172.24.1.5")
    shown = capsys.readouterr().out.splitlines()
    (line,) = [line for line in shown if f" CONTROL{path} " in line and verb.help in line]
    assert len(line) <= 100
    sent = ["-d", verb.example] if verb.example else ["-X", verb.method] if verb.method != "GET" else []
    assert words_of_command(line.partition(" # ")[0]) == ["curl", *sent, f"CONTROL{path}"]
