"""The endpoints file: what a lab writes it reads, and nothing else is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.lab.errors import LabError
from geoplan.lab.serve.endpoints import Endpoints, UnitEndpoint, endpoints_file, make_room

UNIT = UnitEndpoint("https://127.0.0.1:20001", "http://127.0.0.1:20002", "sha256:" + "6f" * 32)
ENDPOINTS = Endpoints({"10.1.1.1": UNIT}, "http://127.0.0.1:1")


def test_what_is_written_reads_as_the_same() -> None:
    assert Endpoints.from_yaml(ENDPOINTS.to_yaml()) == ENDPOINTS


@pytest.mark.parametrize(
    "content",
    [
        "",
        "name: a topology\nsites: []\n",
        "units:\n  10.1.1.1: {api: https://10.1.1.1}\n",
        "units: [10.1.1.1]\n",
        "units:\ncontrol: 20000\n",
        "units:\ncontrol: http://127.0.0.1:1\nmore: 1\n",
        "units: {\n",
        "- units\n",
    ],
)
def test_file_of_anybody_else_is_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(LabError, match="is no endpoints file"):
        make_room(path)
    assert path.read_text() == content


@pytest.mark.parametrize("control", ["http://127.0.0.1:1", "http://192.0.2.1:80", "file:///etc", "http://127.0.0.1:x"])
def test_file_of_a_lab_that_does_not_answer_on_loopback_makes_room(tmp_path: Path, control: str) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(Endpoints({"10.1.1.1": UNIT}, control).to_yaml())
    make_room(path)
    assert not path.exists()


def test_file_is_there_while_it_is_kept_and_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    with endpoints_file(path, ENDPOINTS):
        assert Endpoints.from_yaml(path.read_text()) == ENDPOINTS
        with pytest.raises(LabError, match="written by another"), endpoints_file(path, ENDPOINTS):
            raise AssertionError("it has written over another's file")
    assert list(tmp_path.iterdir()) == []
