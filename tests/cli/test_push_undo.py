"""``geoplan push --undo`` as an operator types it: over TLS, from the journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from geoplan.cli.connection import ConnectionOptions
from geoplan.cli.push_undo import require_unrepeated, taken_back
from geoplan.errors import PushRefusedError
from geoplan.live.polling import SystemClock
from geoplan.plan.model import Plan
from geoplan.plan.planner import make_plan
from geoplan.push.journal import Journal
from geoplan.push.options import Options
from geoplan.push.remembered import gone
from geoplan.topology.model import Topology
from tests.conftest import Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, A2, BOOT, M1, SYNC, Site, real_store, red_in_any_state

__all__ = ["make_site"]

PAIR_1, PAIR_2, ALONE_1, ALONE_2 = "HA Pair 1", "HA Pair 2", "Standalone LoadMaster 1", "Standalone LoadMaster 2"
State = dict[str, dict[str, Any]]


def part(site: Site, name: str, *sites: str, **settings: Any) -> Path:
    """Write a topology of some of the lab's sites."""
    document = yaml.safe_load(site.topology.read_text())
    document["sites"] = [each for each in document["sites"] if each["name"] in sites]
    document["timing"] = {"boot_seconds": BOOT, "sync_seconds": SYNC, "manual_step_seconds": 60}
    document.update(name=name, **settings)
    path = site.topology.with_name(f"{name}.yaml")
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def push(geoplan: Geoplan, site: Site, topology: Path, *options: str | Path) -> Outcome:
    return geoplan("push", topology, "--endpoints", site.endpoints, "--yes", *options)


def held(site: Site) -> State:
    """Return each unit's lists and clusters, whatever their order."""
    site.settle()
    return {
        address: {
            "lists": [sorted(unit[name]) for name in ("remote_geo_access", "geo_partners")],
            "clusters": sorted(cluster["name"] for cluster in unit["clusters"]),
        }
        for address, unit in site.units.items()
    }


@pytest.mark.parametrize("with_file", ["new", "old"])
def test_change_in_which_one_joins_and_one_leaves_is_taken_back_with_either_file(
    geoplan: Geoplan, make_site: MakeSite, with_file: str
) -> None:
    site = make_site("5.4")
    old, new = part(site, "old", PAIR_1, ALONE_1), part(site, "new", PAIR_1, ALONE_2)
    assert push(geoplan, site, old).code == 0
    before = held(site)
    changed = push(geoplan, site, new, "--from", old)
    assert changed.code == 0, changed
    assert A1 not in held(site)[M1]["lists"][1]
    ended = push(geoplan, site, new if with_file == "new" else old, "--undo")
    assert ended.code == 0, ended
    after = held(site)
    assert after == before
    assert red_in_any_state(site.lab) == set()


def test_where_units_answer_is_known_without_any_file_that_says_so(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site("5.4")
    urls = {address: unit["api"] for address, unit in yaml.safe_load(site.endpoints.read_text())["units"].items()}
    old, new = part(site, "old", PAIR_1, ALONE_1), part(site, "new", PAIR_1, ALONE_2)
    for path, name in ((old, ALONE_1), (new, ALONE_2)):
        document = yaml.safe_load(path.read_text())
        alone = next(each for each in document["sites"] if each["name"] == name)
        alone["standalone"] = {"address": alone["standalone"], "api": urls[alone["standalone"]]}
        path.write_text(yaml.safe_dump(document))
    assert push(geoplan, site, old).code == 0
    assert push(geoplan, site, new, "--from", old).code == 0
    old.unlink()
    (journal,) = [path for path in site.journals() if path.name.startswith("000002")]
    begin = json.loads(journal.read_text().partition("\n")[0])
    assert begin["reached"][A1]["api"] == urls[A1]
    assert begin["reached"][A2]["api"] == urls[A2]
    assert push(geoplan, site, new, "--undo").code == 0
    assert "took push" in push(geoplan, site, new, "--undo").stderr


def test_a_journal_that_does_not_say_where_a_unit_answers_asks_for_that(tmp_path: Path) -> None:
    both = {"sites": [{"name": "A", "standalone": "10.0.0.1"}, {"name": "B", "standalone": "10.0.0.2"}]}
    plan = make_plan(Topology.model_validate(both))
    given = Topology.model_validate({"name": "one", "sites": both["sites"][:1]})
    with Journal.begin(tmp_path, plan, Options(), SystemClock()) as journal:
        lists = {"what": "geo_partners", "action": "set_geo_partners", "before": [], "after": ["10.0.0.2"]}
        journal.write("changing", step="s", site="A", unit="10.0.0.1", **lists)
    store, reach = real_store(tmp_path, plan), ConnectionOptions()
    with pytest.raises(PushRefusedError, match=r"journal of push 1 says where the APIs of 10\.0\.0\.2 are") as refused:
        taken_back(given, store, reach, "last", resume=False)
    assert "--endpoints" in (refused.value.hint or "")
    endpoints = tmp_path / "endpoints.yaml"
    endpoints.write_text("units: {10.0.0.2: {api: 'https://10.0.0.2'}}\n")
    assert taken_back(given, store, ConnectionOptions(endpoints=str(endpoints)), "last", resume=False)


def test_after_an_undo_the_next_one_is_named_where_nobody_is_asked(tmp_path: Path) -> None:
    both = {"sites": [{"name": "A", "standalone": "10.0.0.1"}, {"name": "B", "standalone": "10.0.0.2"}]}
    given = Topology.model_validate(both)
    plan = make_plan(given)
    names: list[str] = []
    for undoes in (None, None, 2):
        options = Options(undoes=names[undoes - 1] if undoes else None)
        with Journal.begin(tmp_path, plan, options, SystemClock()) as journal:
            lists = {"what": "geo_partners", "action": "set_geo_partners", "before": [], "after": ["10.0.0.2"]}
            journal.write("changing", step="s", site="A", unit="10.0.0.1", **lists)
            journal.write("end", outcome="done")
            names.append(journal.history.name)
    store = real_store(tmp_path, plan)
    with pytest.raises(PushRefusedError, match="push 3, the last one, took push 2 back already") as refused:
        require_unrepeated(store, "last")
    assert "--undo 1" in (refused.value.hint or "")
    require_unrepeated(store, "1")
    found = taken_back(given, store, ConnectionOptions(), "last", resume=False)
    assert found
    assert found.history.number == 1


def test_an_undo_that_is_to_go_on_shows_the_plan_of_no_other_push(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    assert push(geoplan, site, site.topology).code == 0
    refused = push(geoplan, site, site.topology, "--undo", "--resume")
    assert refused.code == 4, refused
    assert "there is no unfinished push to resume" in refused.stderr
    assert "takes back push" not in refused.stdout + refused.stderr


@pytest.mark.parametrize("only", ["--only-preflight", "--dry-run"])
def test_plan_of_an_undo_is_reviewed_before_and_pushed_by_its_checksum(
    geoplan: Geoplan, make_site: MakeSite, only: str
) -> None:
    site = make_site("5.3")
    assert push(geoplan, site, site.topology).code == 0
    before = held(site)
    told = geoplan("push", site.topology, "--endpoints", site.endpoints, "--undo", only)
    assert told.code == 0, told
    assert "takes back push 1 of 'pair-and-standalone'" in told.stdout
    assert f"  1. delete the cluster of {ALONE_1}" in told.stdout
    events = [
        json.loads(line)
        for line in geoplan(
            "push", site.topology, "--endpoints", site.endpoints, "--undo", only, "--format", "json"
        ).stdout.splitlines()
    ]
    (undo,) = [event for event in events if event["event"] == "undo"]
    plan = Plan.model_validate(undo["plan"])
    assert undo["push"] == 1
    assert undo["checksum"] == plan.checksum
    assert f"plan {plan.checksum}" in told.stdout
    words = f"{site.topology} --undo 1 --checksum {plan.checksum} --endpoints {site.endpoints}"
    assert f"to do exactly this: geoplan push {words}" in told.stdout
    assert held(site) == before
    other = "sha256:" + "0" * 64
    assert push(geoplan, site, site.topology, "--undo", "1", "--checksum", other).code == 4
    assert held(site) == before
    assert push(geoplan, site, site.topology, "--undo", "1", "--checksum", plan.checksum).code == 0
    assert all(unit["lists"][1] == [] for unit in held(site).values())


def test_what_somebody_changed_since_is_said_with_what_to_type(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    assert push(geoplan, site, site.topology).code == 0
    network = site.lab._lab.simulation.network
    site.lab._call(
        lambda: network.set_parameter(
            network.unit(A1), "geoclients", (*network.unit(A1).remote_geo_access, "198.51.100.9")
        )
    )
    refused = push(geoplan, site, site.topology, "--undo")
    assert refused.code == 4, refused
    (problem,) = [line for line in refused.stderr.splitlines() if "198.51.100.9" in line]
    assert A1 in problem
    assert "push 1 left it" in problem
    assert "OLD" not in refused.stderr
    assert "--remove-unknown" not in refused.stderr
    assert f"geoplan push {site.topology} --undo 1 --endpoints {site.endpoints}" in refused.stderr


def test_push_that_is_not_there_names_those_that_are(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    assert push(geoplan, site, site.topology).code == 0
    refused = push(geoplan, site, site.topology, "--undo", "77")
    assert refused.code == 4, refused
    assert "no push '77'" in refused.stderr
    assert "those are 1, the newest first" in refused.stderr


def test_push_of_more_groups_is_not_taken_back_for_one_of_them(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.4")
    path = part(
        site, "fleet", PAIR_1, PAIR_2, ALONE_1, ALONE_2, groups={"x": [PAIR_1, ALONE_1], "y": [PAIR_2, ALONE_2]}
    )
    assert push(geoplan, site, path).code == 0
    before = held(site)
    refused = push(geoplan, site, path, "--group", "x", "--undo")
    assert refused.code == 4, refused
    assert "leave --group out" in refused.stderr
    assert held(site) == before


def test_after_an_undo_what_was_there_before_is_remembered(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.4")
    two, three = part(site, "two", PAIR_1, ALONE_1), part(site, "three", PAIR_1, ALONE_1, ALONE_2)
    assert push(geoplan, site, two).code == 0
    assert push(geoplan, site, three, "--from", two).code == 0
    assert push(geoplan, site, three, "--undo").code == 0
    ended = push(geoplan, site, two)
    assert ended.code == 0, ended
    assert "is not in the file now" not in ended.stdout + ended.stderr
    assert gone(site.store) == ()
    text = geoplan("push", "--history").stdout
    assert "undoes    2" in text
