"""What a push brought about last, and which sites have left the file since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from geoplan.live.findings.kinds import generic_command
from geoplan.plan.change import make_change
from geoplan.plan.planner import make_plan
from geoplan.push.remembered import (
    Gone,
    gone,
    gone_findings,
    last_brought_about,
    left_alone,
    remember,
    units_out_of_sites,
)
from geoplan.push.store import Store, unit_keys
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from tests.conftest import Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1
from tests.topologies import topologies

__all__ = ["make_site"]

SITES = {
    "A": {"name": "A", "ha_pair": {"master": "10.0.1.1", "slave": "10.0.1.2"}},
    "B": {"name": "B", "standalone": "10.0.2.1"},
    "C": {"name": "C", "standalone": {"address": "2001:db8::3", "api": "https://c.example:9443"}},
}


def topology_of(names: str, **top: object) -> Topology:
    return Topology.model_validate({"name": "no", "sites": [SITES[name] for name in names], **top})


def store_of(folder: Path, topology: Topology, lab: str | None = None) -> Store:
    return Store(folder, unit_keys((unit.address for site in topology.sites for unit in site.units), lab))


def brought_about(folder: Path, names: str, left: str = "", **top: object) -> Path:
    topology = topology_of(names, **top)
    keys = [key for name in left for key in store_of(folder, topology_of(name)).keys.values()]
    return remember(store_of(folder, topology), topology, keys)


def gone_from(folder: Path, names: str, lab: str | None = None) -> list[tuple[str, tuple[str, ...], Path]]:
    return [(each.site, each.units, each.path) for each in gone(store_of(folder, topology_of(names), lab))]


def test_site_that_has_left_the_file_is_known_until_it_has_left_its_group(tmp_path: Path) -> None:
    assert gone_from(tmp_path, "AB") == []
    old = brought_about(tmp_path, "ABC")
    assert gone_from(tmp_path, "ABC") == []
    expected = [("C", ("2001:db8::3",), old)]
    assert gone_from(tmp_path, "AB") == expected
    assert gone_from(tmp_path, "B") == [("A", ("10.0.1.1", "10.0.1.2"), old), *expected]
    brought_about(tmp_path, "AB")
    assert gone_from(tmp_path, "AB") == expected, "a push without it has not retired it"
    brought_about(tmp_path, "AB", left="C")
    assert gone_from(tmp_path, "AB") == []
    assert not old.exists(), "it is no unit's last"
    brought_about(tmp_path, "C")
    assert gone_from(tmp_path, "AB") == []


def test_only_a_site_that_was_in_a_group_with_units_at_hand_is_gone(tmp_path: Path) -> None:
    brought_about(tmp_path, "ABC", groups={"one": ["A", "B"], "other": ["C"]})
    assert [site for site, _, _ in gone_from(tmp_path, "A")] == ["B"]
    assert gone_from(tmp_path, "C") == []


def test_unit_that_was_replaced_at_another_address_is_gone_alone(tmp_path: Path) -> None:
    old = brought_about(tmp_path, "AB")
    changed = Topology.model_validate(
        {"name": "x", "sites": [{"name": "A", "ha_pair": {"master": "10.0.1.1", "slave": "10.0.1.9"}}, SITES["B"]]}
    )
    assert gone(store_of(tmp_path, changed)) == (Gone("A", ("10.0.1.2",), old),)


def test_site_that_was_left_alone_is_known_until_it_has_left(tmp_path: Path) -> None:
    old = brought_about(tmp_path, "ABC")
    two = topology_of("AB")
    silent = store_of(tmp_path, topology_of("C")).keys.values()
    remember(store_of(tmp_path, topology_of("ABC")), two, alone=silent)
    for _ in range(2):
        assert left_alone(store_of(tmp_path, two)) == (Gone("C", ("2001:db8::3",), old, is_left_alone=True),)
        assert gone_findings(store_of(tmp_path, two), generic_command) == (), "its list entries and cluster are gone"
        brought_about(tmp_path, "AB")
    remember(store_of(tmp_path, topology_of("ABC")), two)  # it answered, and has left
    assert left_alone(store_of(tmp_path, two)) == ()
    assert not old.exists()


def test_site_that_was_left_alone_is_forgotten_with_its_topology(tmp_path: Path) -> None:
    old = brought_about(tmp_path, "ABC")
    remember(
        store_of(tmp_path, topology_of("ABC")),
        topology_of("AB"),
        alone=store_of(tmp_path, topology_of("C")).keys.values(),
    )
    old.unlink()
    assert left_alone(store_of(tmp_path, topology_of("AB"))) == ()
    brought_about(tmp_path, "AB")


def test_unit_that_a_change_took_out_of_its_pair_has_left(tmp_path: Path) -> None:
    brought_about(tmp_path, "AB")
    pair = {"name": "A", "ha_pair": {"master": "10.0.1.1", "slave": "10.0.1.9"}}
    changed = Topology.model_validate({"name": "x", "sites": [pair, SITES["B"]]})
    plan = make_change(changed, make_plan(topology_of("AB")))
    assert units_out_of_sites(plan) == ("10.0.1.2",)
    assert units_out_of_sites(make_plan(changed)) == ()
    remember(store_of(tmp_path, changed), changed, unit_keys(units_out_of_sites(plan)).values())
    assert gone(store_of(tmp_path, changed)) == ()


def test_a_labs_units_are_none_of_productions(tmp_path: Path) -> None:
    topology = topology_of("AB")
    remember(store_of(tmp_path, topology, "lab"), topology)
    assert gone_from(tmp_path, "A") == []
    assert [site for site, _, _ in gone_from(tmp_path, "A", "lab")] == ["B"]
    assert last_brought_about(store_of(tmp_path, topology)) is None
    assert last_brought_about(store_of(tmp_path, topology_of("A"), "lab"))


def test_last_is_the_newest_on_any_of_the_units_and_has_its_urls(tmp_path: Path) -> None:
    brought_about(tmp_path, "ABC")
    newest = brought_about(tmp_path, "AB")
    plan = last_brought_about(store_of(tmp_path, topology_of("A")))
    assert plan is not None
    assert [site.name for site in plan.sites] == ["A", "B"]
    of_c = last_brought_about(store_of(tmp_path, topology_of("C")))
    assert of_c is not None
    assert [site.name for site in of_c.sites] == ["A", "B", "C"]
    (older,) = set(newest.parent.glob("*.yaml")) - {newest}
    assert load_topology(older) == topology_of("ABC")


def test_files_are_private_and_nothing_is_left_of_a_write_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = brought_about(tmp_path, "ABC")
    assert {oct(path.stat().st_mode & 0o777) for path in old.parent.iterdir()} == {"0o600"}
    assert oct(old.parent.stat().st_mode & 0o777) == "0o700"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            brought_about(tmp_path, "AB", left="C")
    assert [site for site, _, _ in gone_from(tmp_path, "AB")] == ["C"], "as before"
    brought_about(tmp_path, "AB", left="C")
    assert gone_from(tmp_path, "AB") == []


def test_what_is_damaged_is_passed_over(tmp_path: Path) -> None:
    old = brought_about(tmp_path, "ABC")
    old.with_suffix(".json").write_bytes(b"{")
    assert gone_from(tmp_path, "AB") == []
    again = brought_about(tmp_path, "ABC")
    again.write_text("sites: [")
    assert gone_from(tmp_path, "AB") == []


@settings(max_examples=25)
@given(topologies(with_apis=True))
def test_every_topology_is_remembered_as_it_was(tmp_path_factory: pytest.TempPathFactory, topology: Topology) -> None:
    folder = tmp_path_factory.mktemp("state")
    path = remember(store_of(folder, topology), topology)
    assert load_topology(path) == topology


# -- as an operator sees it --------------------------------------------------------------------------------------------


def test_push_and_diff_name_the_site_that_has_left_and_the_command_that_retires_it(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.3")
    reach = ("--endpoints", site.endpoints)
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    assert geoplan("push", site.topology, *reach, "--yes").code == 3
    assert last_brought_about(site.store) is None, "it was not brought about"
    assert geoplan("push", site.topology, *reach, "--resume", "--yes").code == 0
    assert last_brought_about(site.store)
    (old,) = (site.state / "topologies").glob("*.yaml")
    assert geoplan("diff", site.topology, *reach).code == 0

    whole = site.topology.read_text()
    smaller = json.loads(json.dumps(load_topology(old).model_dump(mode="json", exclude_none=True)))
    smaller["sites"] = [each for each in smaller["sites"] if "ha_pair" in each]
    site.topology.write_text(json.dumps(smaller))
    shown = geoplan("diff", site.topology, *reach)
    assert shown.code == 1
    assert f"--from {old}" in shown.stdout
    assert "if it still belongs to them, put it back into the file. If not, this RETIRES it" in shown.stdout
    found = json.loads(geoplan("diff", site.topology, *reach, "--format", "json").stdout)["findings"]
    (told,) = [each for each in found if each["kind"] == "site_gone"]
    assert (told["units"], told["severity"]) == ([A1], "worth mending")
    for options in (("--yes",), ("--only-preflight",), ("--dry-run", "--remove-unknown")):
        pushed = geoplan("push", site.topology, *reach, *options)
        assert f"--from {old}" in pushed.stdout, pushed

    site.topology.write_text(whole)
    assert "--from" not in geoplan("push", site.topology, *reach, "--yes").stdout
