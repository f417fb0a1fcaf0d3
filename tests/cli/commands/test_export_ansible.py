"""``geoplan export ansible``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import TOPOLOGIES, Geoplan

FLEET = TOPOLOGIES / "fleet.yaml"
yaml.SafeLoader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))  # type: ignore[arg-type]


def read(file: Path) -> Any:
    return yaml.safe_load(file.read_text())


def hosts(folder: Path) -> dict[str, list[dict[str, str]]]:
    found = read(folder / "inventory.yaml")["geoplan"]["hosts"]
    return {name: host["geoplan_parts"] for name, host in found.items()}


def checksum(geoplan: Geoplan, *given: str | Path) -> str:
    told: Any = yaml.safe_load(geoplan("plan", *given, "--format", "yaml").stdout)
    return str(told["checksum"])


def test_each_group_has_the_checksum_that_its_push_asks_for(tmp_path: Path, geoplan: Geoplan) -> None:
    outcome = geoplan("export", "ansible", FLEET, "-o", tmp_path / "x")
    assert (outcome.code, outcome.stdout) == (0, "")
    assert f"ansible-playbook -i {tmp_path}/x/inventory.yaml {tmp_path}/x/push.yaml --check" in outcome.stderr
    for name in ("shop", "bank", "clinic", "laboratory"):
        assert hosts(tmp_path / "x")[name] == [{"group": name, "checksum": checksum(geoplan, FLEET, "--group", name)}]
    assert (tmp_path / "x" / "roles" / "geoplan" / "files" / "fleet.topology").read_bytes() == FLEET.read_bytes()


def test_a_topology_without_groups_is_pushed_as_a_whole(tmp_path: Path, geoplan: Geoplan) -> None:
    file = TOPOLOGIES / "section-5.4.yaml"
    assert geoplan("export", "ansible", "-", "-o", tmp_path, stdin=file.read_text()).code == 0
    assert hosts(tmp_path) == {"two-pairs-two-standalones": [{"group": None, "checksum": checksum(geoplan, file)}]}


def test_a_phase_is_of_the_checksums_and_of_the_push(tmp_path: Path, geoplan: Geoplan) -> None:
    assert geoplan("export", "ansible", FLEET, "-o", tmp_path, "--phase", "ha").code == 0
    assert list(hosts(tmp_path)) == ["shop", "bank", "laboratory"]
    assert hosts(tmp_path)["shop"][0]["checksum"] == checksum(geoplan, FLEET, "--group", "shop", "--phase", "ha")
    assert read(tmp_path / "inventory.yaml")["geoplan"]["vars"]["geoplan_phase"] == "ha"


def test_regions_serial_and_failures_are_as_asked(tmp_path: Path, geoplan: Geoplan) -> None:
    regions = ("--region", "The South=SHOP", "--region", "The South=bank")
    given = ("--serial", "25%", "--max-fail-percentage", "30")
    assert geoplan("export", "ansible", FLEET, "-o", tmp_path, *regions, *given).code == 0
    found = {name: [part["group"] for part in parts] for name, parts in hosts(tmp_path).items()}
    assert found == {"the-south": ["shop", "bank"], "clinic": ["clinic"], "laboratory": ["laboratory"]}
    (played,) = read(tmp_path / "push.yaml")
    assert (played["serial"], played["max_fail_percentage"]) == ("25%", 30)


def test_usually_a_host_pushes_after_the_other_and_a_failure_stops_them(tmp_path: Path, geoplan: Geoplan) -> None:
    geoplan("export", "ansible", FLEET, "-o", tmp_path)
    (played,) = read(tmp_path / "push.yaml")
    assert (played["serial"], played["max_fail_percentage"]) == (1, 0)


def test_what_an_operator_added_stays(tmp_path: Path, geoplan: Geoplan) -> None:
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "shop.yaml").write_text("ansible_host: 192.0.2.1\n")
    for _ in range(2):
        assert geoplan("export", "ansible", FLEET, "-o", tmp_path).code == 0
    assert (tmp_path / "host_vars" / "shop.yaml").read_text() == "ansible_host: 192.0.2.1\n"


def test_a_name_that_no_host_can_have_is_told(tmp_path: Path, geoplan: Geoplan) -> None:
    regions = ("--region", "jump1.example.net=shop", "--region", "The South=bank")
    outcome = geoplan("export", "ansible", FLEET, "-o", tmp_path, *regions)
    assert list(hosts(tmp_path))[:2] == ["jump1.example.net", "the-south"]
    assert "names of hosts in the inventory: 'The South' is the-south\n" in outcome.stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--region", "europe"), "write the region and its group"),
        (("--region", "=shop"), "write the region and its group"),
        (("--region", "europe=shp"), "did you mean 'shop'?"),
        (("--region", "a=shop", "--region", "b=Shop"), "'shop' is in the region 'a' already"),
        (("--serial", "0"), "no number of hosts"),
        (("--serial", "101%"), "no number of hosts"),
        (("--serial", "{{ x }}"), "no number of hosts"),
        (("--max-fail-percentage", "101"), "101 is not in the range"),
    ],
)
def test_wrong_usage_writes_nothing(given: tuple[str, ...], told: str, tmp_path: Path, geoplan: Geoplan) -> None:
    outcome = geoplan("export", "ansible", FLEET, "-o", tmp_path / "x", *given)
    assert (outcome.code, outcome.stdout, list(tmp_path.iterdir())) == (2, "", [])
    assert told in outcome.stderr


def test_an_unusable_topology_writes_nothing(tmp_path: Path, geoplan: Geoplan) -> None:
    (tmp_path / "my.yaml").write_text("sites: []\n")
    outcome = geoplan("export", "ansible", tmp_path / "my.yaml", "-o", tmp_path / "x")
    assert (outcome.code, (tmp_path / "x").exists()) == (2, False)


@pytest.mark.skipif(os.name != "posix", reason="a file is no folder everywhere, and says so otherwise")
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, geoplan: Geoplan) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "roles").write_text("a file")
    outcome = geoplan("export", "ansible", FLEET, "-o", tmp_path / "x")
    assert outcome.code == 2
    assert f"cannot write {tmp_path}/x/roles" in outcome.stderr
    assert not (tmp_path / "x" / "push.yaml").exists()
