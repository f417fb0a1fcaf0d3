"""The work of whole commands grows with the groups of their file; counted, so that a busy machine changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import Geoplan
from tests.growth import growth_of_calls
from tests.topologies import document_of_groups

SMALL, LARGE = 15, 60
COMMANDS = {
    "check": ["check", "FILE"],
    "check as SARIF": ["check", "FILE", "--format", "sarif"],
    "check as JUnit": ["check", "FILE", "--format", "junit"],
    "check as workflow commands": ["check", "FILE", "--format", "github"],
    "plan": ["plan", "FILE"],
    "plan as JSON": ["plan", "FILE", "--format", "json"],
    "runbooks": ["runbook", "FILE", "-o", "FOLDER/"],
    "runbooks in HTML": ["runbook", "FILE", "--format", "html", "-o", "FOLDER/"],
    "diagram": ["diagram", "FILE"],
    "Ansible": ["export", "ansible", "FILE", "-o", "FOLDER"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_work_of_a_command_grows_with_the_groups(name: str, geoplan: Geoplan, tmp_path: Path) -> None:
    for groups in (SMALL, LARGE):
        (tmp_path / f"{groups}.yaml").write_text(yaml.safe_dump(document_of_groups(groups)))

    def work(groups: int) -> None:
        given = {"FILE": tmp_path / f"{groups}.yaml", "FOLDER": tmp_path / "out", "FOLDER/": f"{tmp_path}/out/"}
        ended = geoplan(*(given.get(word, word) for word in COMMANDS[name]))
        assert ended.code == 0, ended.stderr

    assert growth_of_calls(work, small=SMALL, large=LARGE) < 1.2 * LARGE / SMALL
