"""``geoplan import`` against the lab over real sockets."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from geoplan.lab.device.network import Network
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.support import BOOT, SYNC, Site, as_operator, serve

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSite]:
    """Serve an example's topology until the test ends."""
    as_operator(monkeypatch, tmp_path / "state")
    with ExitStack() as running:

        def make(name: str, **options: Any) -> Site:
            document = yaml.safe_load((TOPOLOGIES / f"{name}.yaml").read_text())
            document["timing"] = {"boot_seconds": BOOT, "sync_seconds": SYNC}
            path = tmp_path / f"{name}.yaml"
            path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
            return serve(running, path, **options)

        yield make


def pushed(geoplan: Geoplan, site: Site) -> None:
    """Push a site; on a machine that is very busy quick boots may be over too soon, and the push is gone on with."""
    words = [site.topology, "--endpoints", site.endpoints, "--yes"]
    ended = geoplan("push", *words, "--phase", "geo")
    for _ in range(2):
        if ended.code:
            ended = geoplan("push", *words, *(("--resume",) if ended.code == 3 else ("--phase", "geo")))
    assert ended.code == 0, ended
    site.settle()


def imported(geoplan: Geoplan, site: Site, *words: str | Path) -> Outcome:
    return geoplan("import", *words, "--endpoints", site.endpoints)


ALL = ("--follow", "--within", "0.0.0.0/0", "--within", "::/0")
GIVEN = {
    "aws-dublin-ohio": ["10.30.0.5"],
    "eighteen-sites": ["10.7.1.5"],
    "fleet": ["10.1.4.5", "10.2.1.5", "2001:db8:3:2::5", "10.4.2.5"],
    "section-5.1": ["172.24.1.6"],
    "section-5.2": ["172.24.1.7"],
    "section-5.3": ["172.24.1.9"],
    "section-5.4": ["172.24.1.10"],
    "three-regions": ["192.168.40.5"],
    "two-of-four": ["172.24.1.5"],
}
"""One address of each group, of each role somewhere; behind NAT the one that only the unit itself knows."""


def test_every_example_is_imported() -> None:
    assert set(GIVEN) == {path.stem for path in TOPOLOGIES.glob("*.yaml")}


@pytest.mark.parametrize("name", GIVEN)
def test_what_was_pushed_is_imported_and_differs_in_nothing(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, name: str
) -> None:
    site = make_site(name)
    pushed(geoplan, site)
    written = tmp_path / "imported.yaml"
    ended = imported(geoplan, site, *GIVEN[name], *ALL, "-o", written)
    compared = geoplan("diff", written, "--phase", "geo", "--endpoints", site.endpoints)

    assert compared.code == 0, (ended, compared, written.read_text())
    assert ended.code == (1 if name == "three-regions" else 0), ended  # a unit of another department was not asked
    wanted, found = make_plan(load_topology(site.topology)), make_plan(load_topology(written))
    assert lists_of(found) == lists_of(wanted)
    assert {(each.address, each.location) for each in found.clusters} == {
        (each.address, each.location) for each in wanted.clusters
    }


def lists_of(plan: Any) -> dict[tuple[str, ...], tuple[set[str], set[str]]]:
    return {
        tuple(unit.address for unit in site.units): (set(site.remote_geo_access), set(site.geo_partners))
        for site in plan.sites
    }


M1, S1, M2, S2, A1, A2 = "172.24.1.5", "172.24.1.6", "172.24.1.8", "172.24.1.7", "172.24.1.9", "172.24.1.10"


def change(site: Site, action: Callable[[Network], object]) -> None:
    """Do something to the lab's units in its own thread."""
    site.lab._call(lambda: action(site.lab._lab.simulation.network))


def set_lists(network: Network, address: str, **lists: tuple[str, ...]) -> None:
    unit = network.unit(address)
    unit.configuration = unit.configuration.with_settings(lists)


def spoil(network: Network) -> None:
    """Make six faults by hand."""
    unit = network.unit(M1)
    wrong, unnamed = network.geo.find_cluster(unit, A1), network.geo.find_cluster(unit, M2)
    assert wrong
    assert unnamed
    network.geo.put_cluster(unit, replace(wrong, type="localLM"))
    network.geo.put_cluster(unit, replace(unnamed, name="HA Pair 1"))
    network.geo.remove_cluster(unit, A2)


def spoil_lists(network: Network) -> None:
    access = tuple(each for each in network.unit(M1).remote_geo_access if each != A2)
    for unit in (M1, S1):
        set_lists(network, unit, geoclients=access)
    partners = tuple(each for each in network.unit(A2).geo_partners if each not in (M2, S2))
    set_lists(network, A2, geopartners=partners)
    set_lists(network, S2, geopartners=(M1, S1, A1))


def test_six_faults_are_named_each_at_its_line(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("section-5.4")
    pushed(geoplan, site)
    change(site, spoil)
    site.settle()
    change(site, spoil_lists)
    written = tmp_path / "imported.yaml"
    ended = imported(geoplan, site, M1, *ALL, "-o", written)

    assert ended.code == 1
    lines = written.read_text().splitlines()
    expected = {
        M1: ["Remote GEO LoadMaster Access lacks 172.24.1.10"],
        M2: ["cluster is called 'HA Pair 1'", f"n the standby {S2}: GEO LoadMaster Partners lacks {A2}"],
        A1: ["is of type localLM"],
        A2: ["(172.24.1.10) is missing", "GEO LoadMaster Partners lacks 172.24.1.7, 172.24.1.8"],
    }
    for unit, messages in expected.items():
        for message in messages:
            (line,) = {
                int(found[1])
                for found in re.finditer(rf"^.*:(\d+): .*{re.escape(message)}", ended.stderr, re.MULTILINE)
            }
            assert lines[line - 1].strip().startswith("- name:"), ended.stderr
            assert unit in "\n".join(lines[line : line + 3])
            assert message in "\n".join(itertools.takewhile(is_comment, reversed(lines[: line - 1])))
    found = geoplan("diff", written, "--phase", "geo", "--endpoints", site.endpoints, "--format", "json")
    report = json.loads(found.stdout)
    told = " ".join(each["message"] for each in (*site_differences(report), *report["findings"]))
    for message in ("lacks 172.24.1.10", "is called 'HA Pair 1'", "localLM", "is missing", "lacks 172.24.1.7"):
        assert message in told


def is_comment(line: str) -> bool:
    return line.strip().startswith("#")


def site_differences(report: Any) -> list[Any]:
    return [found for site in report["sites"] for found in site["differences"]]


def test_nothing_is_sent_to_an_address_that_nobody_confirmed(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("section-5.4")
    pushed(geoplan, site)
    reached = noted(site, monkeypatch)
    ended = imported(geoplan, site, A1)

    assert ended.code == 1
    assert set(reached) == {A1}
    assert f"  {M1} (GEO partner of {A1}, " in ended.stderr
    (command,) = [line.strip() for line in ended.stderr.splitlines() if line.startswith("  geoplan import ")]
    assert command.split()[2:8] == [A1, *sorted({M1, S1, M2, S2, A2}, key=command.index)]
    again = geoplan(*command.split()[1:])
    assert again.code == 0, again
    assert set(reached) == {M1, S1, M2, S2, A1, A2}


def noted(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which units anything is sent to, by API or health check."""
    reached: list[str] = []
    simulation = site.lab._lab.simulation
    for name in ("handle", "check_health"):
        own = getattr(simulation, name)

        def note(address: str, request: Any, own: Any = own) -> Any:
            reached.append(address)
            return own(address, request)

        monkeypatch.setattr(simulation, name, note)
    return reached


def test_units_outside_of_the_networks_are_not_asked(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("section-5.4")
    pushed(geoplan, site)
    reached = noted(site, monkeypatch)
    ended = imported(geoplan, site, M1, "--follow", "--within", "172.24.1.4/30")

    assert ended.code == 1
    assert set(reached) == {M1, S1, S2}
    assert "not_asked" in ended.stdout  # the other unit of a pair
    for address in (M2, A1, A2):
        assert f"# not asked: {address} (" in ended.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--follow", "--within", "10.0.0.0/8", "--insecure"), "leave --insecure out"),
        (("--follow",), "--follow and --within belong together"),
        (("--within", "10.0.0.0/8"), "--follow and --within belong together"),
        (("--follow", "--within", "10.0.0.1/8"), "10.0.0.1/8 has host bits set"),
    ],
)
def test_wrong_usage_asks_nobody(geoplan: Geoplan, words: tuple[str, ...], says: str) -> None:
    ended = geoplan("import", "10.0.0.1", *words)
    assert ended.code == 2
    assert says in " ".join(ended.stderr.split())


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "fe80::1", "::ffff:10.0.0.1", "a.example"])  # noqa: S104
def test_address_that_no_unit_can_have_is_wrong_usage(geoplan: Geoplan, address: str) -> None:
    ended = geoplan("import", address)
    assert ended.code == 2
    assert address in ended.stderr


def test_file_that_exists_stays_unless_it_is_forced(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("section-5.1")
    mine = tmp_path / "mine.yaml"
    mine.write_text("mine")
    refused = imported(geoplan, site, M1, *ALL, "-o", mine)
    assert refused.code == 2
    assert "give --force" in refused.stderr
    assert mine.read_text() == "mine"
    assert imported(geoplan, site, M1, *ALL, "-o", mine, "--force").code == 1  # nothing was pushed to it
    assert load_topology(mine).sites[0].units[1].address == S1


def test_units_that_do_not_answer_leave_nothing_written(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("section-5.1")
    monkeypatch.setenv("GEOPLAN_PASSWORD", "not the password")
    ended = imported(geoplan, site, M1, "-o", tmp_path / "x.yaml")
    assert ended.code == 1
    assert "no unit could be read, so nothing was written" in ended.stderr
    assert not (tmp_path / "x.yaml").exists()


def test_unit_that_is_down_is_a_site_and_a_finding(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    """A unit that only others tell of is kept, and so is a pair of which one unit is down."""
    site = make_site("section-5.4")
    pushed(geoplan, site)
    site.lab.power_off(A1)
    site.lab.power_off(S2)
    written = tmp_path / "imported.yaml"
    ended = imported(geoplan, site, M1, *ALL, "-o", written)

    assert ended.code == 1
    sites = [tuple(unit.address for unit in each.units) for each in load_topology(written).sites]
    assert sorted(sites) == sorted([(M1, S1), (M2, S2), (A1,), (A2,)])
    assert f"{A1} could not be read, so whether it is one unit of a pair is not known" in ended.stderr
    assert f"{S2} (slave) does not answer its health check" in ended.stderr
    assert load_topology(written).groups is None


def test_json_has_the_topology_and_the_findings_with_their_places(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("section-5.1")
    report = json.loads(imported(geoplan, site, M1, *ALL, "--format", "json").stdout)

    assert report["format"] == "geoplan/import/1"
    assert report["topology"]["sites"][0]["ha_pair"]["master"]["address"] == M1
    assert {each["where"] for each in report["findings"]} == {"sites[0]"}
    assert report["not_asked"] == {}


MINE = f"""\
# ours, see the wiki
name: mine
sites:
  - name: Cellar   # the oldest
    ha_pair: {{master: {M1}, slave: {S1}}}
  - name: Gone
    standalone: 172.24.1.99
"""


def test_merge_keeps_a_file_and_brings_in_what_is_new(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("section-5.4")
    pushed(geoplan, site)
    mine = tmp_path / "mine.yaml"
    mine.write_text(MINE)
    ended = imported(geoplan, site, M1, *ALL, "--merge", mine, "-o", mine, "--force")

    assert ended.code == 1
    written = mine.read_text()
    assert written.startswith(MINE.rstrip("\n"))
    assert "+  - name: HA Pair 2" in ended.stderr.splitlines()
    assert "mine.yaml:6: worth mending: site_not_found: Gone: 172.24.1.99: it stays" in ended.stderr
    topology = load_topology(mine)
    assert [each.name for each in topology.sites] == [
        "Cellar", "Gone", "HA Pair 2", "Standalone LoadMaster 1", "Standalone LoadMaster 2",
    ]  # fmt: skip
    mine.write_text(
        written.replace("  - name: Gone\n    standalone: 172.24.1.99\n", "").replace("Cellar ", "HA Pair 1 ")
    )
    assert geoplan("diff", mine, "--phase", "geo", "--endpoints", site.endpoints).code == 0
    again = imported(geoplan, site, M1, *ALL, "--merge", mine)
    assert again.code == 0, again
    assert again.stdout == mine.read_text()
    assert "nothing new" in again.stderr


@pytest.mark.parametrize("ends", [("\n", ""), ("\n", "\n"), ("\r\n", "\r\n")], ids=["no last", "LF", "CRLF"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
def test_merge_keeps_every_byte_of_what_it_does_not_change(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, mark: bytes, ends: tuple[str, str]
) -> None:
    site = make_site("section-5.1")
    lines = ["name: mine", "sites:", "- name: A", f"  ha_pair: {{master: {M1}, slave: {S1}}}"]
    content = mark + (ends[0].join(lines) + ends[1]).encode()
    mine = tmp_path / "mine.yaml"
    mine.write_bytes(content)
    ended = imported(geoplan, site, M1, "--merge", mine, "-o", mine, "--force")
    assert "nothing new" in ended.stderr
    assert mine.read_bytes() == content


def test_a_cluster_of_no_site_is_told_once_and_what_nobody_tells_of_nat_is_asked_for(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site("three-regions")
    pushed(geoplan, site)
    ended = imported(geoplan, site, "10.20.2.5", *ALL)
    assert ended.stdout.count("cluster 'singapore' (203.0.113.40) is of no site") == 1, ended
    assert "if a site behind NAT is known by 203.0.113.40, nobody tells its own address: give that" in ended.stderr

    mine, extra = tmp_path / "mine.yaml", "    extra_remote_geo_access: [192.168.40.200]"
    whole = (TOPOLOGIES / "three-regions.yaml").read_text().splitlines()
    mine.write_text("\n".join(line for line in whole if not line.startswith(extra)) + "\n")
    imported(geoplan, site, "192.168.40.5", *ALL, "--merge", mine, "-o", mine, "--force")
    lines = mine.read_text().splitlines()
    assert lines[lines.index(extra) - 1].startswith("    # outside_access: 192.168.40.200 may connect")
    again = imported(geoplan, site, "192.168.40.5", *ALL, "--merge", mine, "-o", mine, "--force")
    assert mine.read_text().splitlines() == lines, again


def test_merge_asks_the_units_of_the_file_without_a_word(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("section-5.1")
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"sites:\n- name: A\n  ha_pair: {{master: {M1}, slave: {S1}}}\n")
    ended = imported(geoplan, site, M1, "--merge", mine)
    assert "not asked" not in ended.stderr
    refused = imported(geoplan, site, M1, "--merge", mine, "--format", "json")
    assert refused.code == 2


def while_asked(site: Site, monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    """Have something happen as soon as a unit is asked."""
    simulation = site.lab._lab.simulation
    own = simulation.handle

    def handle(*given: Any) -> Any:
        action()
        return own(*given)

    monkeypatch.setattr(simulation, "handle", handle)


@pytest.mark.parametrize("words", [("--merge", "mine.yaml"), ()])
def test_what_somebody_changes_while_units_are_asked_stays(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    site = make_site("section-5.1")
    mine = tmp_path / "mine.yaml"
    mine.write_text(MINE)
    while_asked(site, monkeypatch, lambda: mine.write_text(MINE + "# of a colleague\n"))
    given = [tmp_path / word if word.endswith("yaml") else word for word in words]
    ended = imported(geoplan, site, M1, "--follow", "--within", "172.24.1.0/28", *given, "-o", mine, "--force")
    assert (ended.code, mine.read_text()) == (2, MINE + "# of a colleague\n")
    assert "it has been changed since this command began" in ended.stderr
    assert "give the command again" in ended.stderr


def test_file_that_comes_into_being_while_units_are_asked_stays(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("section-5.1")
    new = tmp_path / "new.yaml"
    while_asked(site, monkeypatch, lambda: new.write_text("of a colleague"))
    ended = imported(geoplan, site, M1, "-o", new)
    assert (ended.code, new.read_text()) == (2, "of a colleague")


def test_link_to_nothing_is_not_written_through(geoplan: Geoplan, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "elsewhere.yaml")
    for words in (("import", "10.0.0.1"), ("init", "--standalone", "A=10.0.0.1")):
        ended = geoplan(*words, "-o", link)
        assert ended.code == 2
        assert "exists" in ended.stderr
    assert not (tmp_path / "elsewhere.yaml").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"sites:\n- name: A\t# tab\n  standalone: {A1}\n", "mine.yaml:2:10: it cannot be edited"),
        (f'{{"sites": [{{"name": "A", "standalone": "{A1}"}}]}}', "mine.yaml is JSON"),
    ],
)
def test_file_that_cannot_be_merged_into_is_refused_before_anybody_is_asked(
    geoplan: Geoplan, tmp_path: Path, text: str, says: str
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(text)
    ended = geoplan("import", "10.0.0.1", "--merge", mine)
    assert ended.code == 2
    assert says in ended.stderr


def test_address_that_the_lab_does_not_serve_is_refused(geoplan: Geoplan, make_site: MakeSite) -> None:
    """It would be reached in production."""
    site = make_site("section-5.1")
    ended = imported(geoplan, site, "172.24.1.77")
    assert ended.code == 2
    assert "the endpoints file is that of a lab" in ended.stderr
