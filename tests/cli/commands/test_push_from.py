"""``geoplan push --from`` over TLS: sites that join and leave in one lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A2, M1, M2, S2, Site, as_operator, part, red_in_any_state

__all__ = ["make_site"]

TWO = ("HA Pair 1", "Standalone LoadMaster 1")


def push(geoplan: Geoplan, site: Site, topology: Path, *options: str | Path) -> Outcome:
    return geoplan("push", topology, "--endpoints", site.endpoints, "--yes", *options)


def clusters(site: Site, address: str) -> set[str]:
    return {cluster["name"] for cluster in site.units[address]["clusters"]}


def pushed_pair(geoplan: Geoplan, make_site: MakeSite) -> tuple[Site, Path, Path]:
    site = make_site("5.4")
    two, four = part(site, "two", *TWO), part(site, "four")
    assert push(geoplan, site, two).code == 0
    return site, two, four


def reboots_since(site: Site, before: dict[str, int]) -> dict[str, int]:
    return {address: more for address in before if (more := site.reboots[address] - before[address])}


def test_sites_join_and_leave_again(geoplan: Geoplan, make_site: MakeSite) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    before = site.reboots
    ended = push(geoplan, site, four, "--from", two)
    assert ended.code == 0, ended
    assert "done and verified" in ended.stdout
    assert "joins the topology, whose GEO configuration is that of 'HA Pair 1'" in ended.stdout
    site.settle()
    assert red_in_any_state(site.lab) == set()
    assert reboots_since(site, before) == {M1: 1, M2: 1}
    assert geoplan("diff", four, "--endpoints", site.endpoints).code == 0

    before = site.reboots
    ended = push(geoplan, site, two, "--from", four)
    assert ended.code == 0, ended
    assert "done and verified" in ended.stdout
    assert "leaves: HA Pair 2, Standalone LoadMaster 2" in ended.stdout
    site.settle()
    assert reboots_since(site, before) == {}
    assert red_in_any_state(site.lab) == set()
    gone = {M2, S2, A2}
    for address, unit in site.units.items():
        assert (address in gone) or not gone & {*unit["remote_geo_access"], *unit["geo_partners"]}
        assert (address in gone) or {cluster["name"] for cluster in unit["clusters"]} == set(TWO)
    for address in gone:
        assert site.units[address]["geo_partners"] == []
        assert site.units[address]["remote_geo_access"] == [A2 if address == A2 else M2]
    assert "nothing to do" in push(geoplan, site, two, "--from", four).stdout


def test_seeding_by_the_api_has_a_question_that_yes_does_not_answer(geoplan: Geoplan, make_site: MakeSite) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    network = site.lab._lab.simulation.network
    site.lab._call(lambda: network.geo.put_fqdn(network.unit(M1), "www.example.com"))
    site.settle()
    before = site.all_that_counts()
    refused = push(geoplan, site, four, "--from", two, "--seed-by-api")
    assert refused.code == 4, refused
    assert "--seed-by-api has a question of its own, which --yes does not answer" in refused.stderr
    words = f"geoplan push {four} --from {two} --seed-by-api --accept-seed-by-api --endpoints {site.endpoints}"
    assert words in refused.stderr
    assert "whether" in refused.stderr
    assert site.all_that_counts() == before
    ended = push(geoplan, site, four, "--from", two, "--seed-by-api", "--accept-seed-by-api")
    assert ended.code == 0, ended
    site.settle()
    assert {tuple(unit["fqdns"]) for unit in site.units.values()} == {("www.example.com",)}
    assert red_in_any_state(site.lab) == set()


def test_a_stopped_change_prints_commands_that_carry_it(geoplan: Geoplan, make_site: MakeSite) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    site.lab.inject(f"ignore,unit={M2},command=set:geoclients,occurrence=1")
    stopped = push(geoplan, site, four, "--from", two)
    assert stopped.code == 3, stopped
    words = f"geoplan push {four} --from {two} --resume --endpoints {site.endpoints}"
    assert words in stopped.stderr
    assert f"or take it back: geoplan push {four} --undo --endpoints {site.endpoints}" in stopped.stderr
    status = geoplan("push", four, "--endpoints", site.endpoints, "--from", two, "--status")
    assert f"geoplan push {four} --from {two} --abandon" in status.stdout
    ended = push(geoplan, site, four, "--from", two, "--resume")
    assert ended.code == 0, ended


@pytest.mark.parametrize("command", ["diff", "status", "push --status", "push --yes", "push --resume --yes"])
def test_who_forgets_where_an_unfinished_change_began_is_told(
    geoplan: Geoplan, make_site: MakeSite, command: str
) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    site.lab.inject(f"ignore,unit={M2},command=set:geoclients,occurrence=1")
    assert push(geoplan, site, four, "--from", two).code == 3
    name, *options = command.split()
    said = geoplan(name, four, *options, "--endpoints", site.endpoints)
    words = f"geoplan push {four} --from {two} --resume --endpoints {site.endpoints}"
    assert words in said.stdout + said.stderr, said


@pytest.mark.parametrize("command", ["diff", "status", "push --status", "push --yes", "push --resume --yes"])
@pytest.mark.parametrize("joins", [True, False])
def test_who_gives_old_in_place_of_new_is_told_the_file_of_the_unfinished_change(
    geoplan: Geoplan, make_site: MakeSite, command: str, joins: bool
) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    old, new = (two, four) if joins else (four, two)
    if not joins:
        assert push(geoplan, site, four, "--from", two).code == 0
    site.lab.inject(f"ignore,unit={M1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site, new, "--from", old).code == 3
    name, *options = command.split()
    said = geoplan(name, old, *options, "--endpoints", site.endpoints)
    words = f"geoplan push {new} --from {old} --resume --endpoints {site.endpoints}"
    assert words in said.stdout + said.stderr, said


@pytest.mark.parametrize("options", [(), ("--from", "four"), ("--resume",)], ids=" ".join)
def test_who_gives_the_groups_before_a_split_is_told_the_file_of_the_unfinished_one(
    geoplan: Geoplan, make_site: MakeSite, options: tuple[str, ...]
) -> None:
    site, _, four = pushed_pair(geoplan, make_site)
    assert push(geoplan, site, four, "--from", "live").code == 0
    groups = {"x": list(TWO), "y": ["HA Pair 2", "Standalone LoadMaster 2"]}
    split = part(site, "split", groups=groups)
    site.lab.inject(f"ignore,unit={M1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site, split, "--from", four).code == 3
    said = push(geoplan, site, four, *(four if word == "four" else word for word in options))
    words = f"geoplan push {split} --from {four} --resume --endpoints {site.endpoints}"
    assert said.code == 4
    assert words in said.stderr, said


def test_a_change_is_approved_with_what_was_found(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    approved = tmp_path / "approved.json"
    live = geoplan("plan", four, "--from", two, "--live", "-o", approved, "--endpoints", site.endpoints)
    assert live.code == 0, live
    assert f"--from {two} --plan {approved}" in live.stderr
    ended = push(geoplan, site, four, "--from", two, "--plan", approved)
    assert ended.code == 0, ended


def test_who_leaves_is_reached_by_old(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    plan = tmp_path / "old.json"
    assert geoplan("plan", four, "--format", "json", "-o", plan).code == 0
    dry = geoplan("push", two, "--endpoints", site.endpoints, "--from", plan, "--only-preflight")
    assert dry.code == 4, dry  # the units never were at four
    assert "is neither OLD's nor on the way to the plan's" in dry.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--lab"], "--lab begins with fresh units"),
        (["--phase", "ha"], "--from changes GEO alone"),
        (["--accept-seed-by-api"], "answers a question that only --seed-by-api asks"),
    ],
)
def test_options_that_do_not_go_with_a_change(
    geoplan: Geoplan, make_site: MakeSite, options: list[str], said: str
) -> None:
    topology = TOPOLOGIES / "section-5.2.yaml"
    ended = geoplan("push", topology, "--from", topology, *options)
    assert (ended.code, said in ended.stderr) == (2, True), ended


def test_seeding_by_the_api_is_of_a_change(geoplan: Geoplan) -> None:
    ended = geoplan("push", TOPOLOGIES / "section-5.2.yaml", "--seed-by-api")
    assert (ended.code, "--seed-by-api matters only with --from" in ended.stderr) == (2, True), ended


def test_a_plan_as_old_does_not_say_where_apis_are(
    geoplan: Geoplan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_operator(monkeypatch, tmp_path / "state")
    plan = tmp_path / "old.json"
    assert geoplan("plan", TOPOLOGIES / "section-5.4.yaml", "--format", "json", "-o", plan).code == 0
    ended = geoplan("push", TOPOLOGIES / "section-5.1.yaml", "--from", plan, "--only-preflight")
    assert ended.code == 4, ended
    assert "OLD is a plan, which does not say where the APIs of units that leave are: 172.24.1.8" in ended.stderr


def test_a_dry_run_of_a_change_shows_each_newcomers_clusters_and_changes_nothing(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    before = site.all_that_counts()
    ended = push(geoplan, site, four, "--from", two, "--dry-run")
    assert ended.code == 0, ended
    seeded, own = 2 * len(TWO), 2
    assert ended.stdout.count('"cmd": "addcluster"') == seeded + own
    assert site.all_that_counts() == before
