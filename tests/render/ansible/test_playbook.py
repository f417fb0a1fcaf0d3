"""The folder carried out: ansible-playbook on this machine, geoplan as its process, and two labs over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from geoplan.lab.lab import BackgroundLab
from geoplan.push.journal import read
from geoplan.topology.loader import load_topology
from geoplan.topology.part import only_groups
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.support import CREDENTIALS, FAILOVER, PASSWORD, SYNC, red_in_any_state
from tests.render.ansible.controller import Run, play, require_ansible, set_up

FLEET = TOPOLOGIES / "fleet.yaml"
BOOT = 3.0  # seconds: the whole machine may be busy while a master boots
REGIONS = {"north": ("clinic", "laboratory"), "south": ("shop", "bank")}
BANK = "10.2.1.5"
SECRETS = {"GEOPLAN_USER": CREDENTIALS.user, "GEOPLAN_PASSWORD": PASSWORD}


class Fleet(NamedTuple):
    """Two labs, and the folder whose hosts reach one each."""

    folder: Path
    home: Path
    labs: dict[str, BackgroundLab]

    def play(self, *options: str, **secrets: str) -> Run:
        return play(self.folder, self.home, *options, **SECRETS | secrets)

    def reboots(self) -> dict[str, int]:
        return {
            address: unit["reboots"] for lab in self.labs.values() for address, unit in lab.state()["units"].items()
        }

    def journals(self, host: str) -> list[Path]:
        return sorted((self.folder / "journals" / host).glob("*"))


@pytest.fixture
def fleet(tmp_path: Path, geoplan: Geoplan) -> Iterator[Fleet]:
    require_ansible()
    folder, home = tmp_path / "x", tmp_path / "home"
    home.mkdir()
    words = [word for name, groups in REGIONS.items() for each in groups for word in ("--region", f"{name}={each}")]
    assert geoplan("export", "ansible", FLEET, "-o", folder, *words).code == 0
    with ExitStack() as running:
        labs = {}
        for name, groups in REGIONS.items():
            part = only_groups(load_topology(FLEET), groups)
            options = {"boot_seconds": BOOT, "failover_seconds": FAILOVER, "sync_seconds": SYNC}
            lab = running.enter_context(BackgroundLab(part, credentials=CREDENTIALS, **options))
            endpoints = tmp_path / f"{name}.lab.yaml"
            endpoints.write_text(lab.endpoints.to_yaml())
            set_up(folder, name, geoplan_endpoints=str(endpoints))
            labs[name] = lab
        yield Fleet(folder, home, labs)


def test_two_regions_are_compared_pushed_and_left_alone_the_second_time(fleet: Fleet) -> None:
    compared = fleet.play("--check")
    assert (compared.code, [host.changed for host in compared.hosts.values()]) == (0, [2, 2]), compared.output
    assert not any(fleet.reboots().values())
    assert "cluster 'Shop Dublin' (10.1.1.5) is missing" in compared.output

    first = fleet.play()
    assert (first.code, [host.changed for host in first.hosts.values()]) == (0, [2, 2]), first.output
    assert first.output.count("done and verified") == 4
    assert [red_in_any_state(lab) for lab in fleet.labs.values()] == [set(), set()]
    reboots = fleet.reboots()

    second = fleet.play()
    assert (second.code, [host.changed for host in second.hosts.values()]) == (0, [0, 0]), second.output
    assert second.output.count("nothing to do: everything is in place") == 4
    assert fleet.reboots() == reboots

    for host in REGIONS:
        assert [read(journal).outcome for journal in fleet.journals(host)] == ["done", "done"]
    assert PASSWORD not in compared.output + first.output + second.output


def test_refused_credentials_fail_the_comparison_and_are_not_tried_on_a_further_group(fleet: Fleet) -> None:
    compared = fleet.play("--check", GEOPLAN_PASSWORD="of another")  # noqa: S106 - of nobody

    assert compared.code
    assert [(host.changed, host.failed) for host in compared.hosts.values()] == [(0, 1)], compared.output
    assert "does not accept the credentials" in compared.output
    assert "=> (item=bank)" in compared.output
    assert compared.output.count("TASK [geoplan : Compare the group with the plan]") == 1


def test_a_push_that_stopped_is_resumed_and_the_group_that_is_done_left_alone(fleet: Fleet) -> None:
    fleet.labs["south"].inject(f"ignore,unit={BANK},command=set:geopartners,occurrence=1")
    stopped = fleet.play("--limit", "south")
    assert (stopped.code > 0, stopped.hosts["south"].failed) == (True, 1), stopped.output
    assert "-e geoplan_resume=true" in stopped.output

    resumed = fleet.play("--limit", "south", "-e", "geoplan_resume=true")

    assert (resumed.code, resumed.hosts["south"].failed) == (0, 0), resumed.output
    assert "nothing to do: everything is in place" in resumed.output, "the first group of the host is done already"
    assert [read(journal).outcome for journal in fleet.journals("south")] == ["done", "done"]
    assert red_in_any_state(fleet.labs["south"]) == set()
