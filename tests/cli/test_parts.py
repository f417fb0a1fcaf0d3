"""``--group`` and ``--site``: what a command is about, and whom it leaves in peace."""

from __future__ import annotations

import json
import logging
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from geoplan.cli import COMMANDS, cli
from geoplan.cli.connection import ConnectionOptions, TypedCommands
from geoplan.cli.options import Part
from geoplan.lab import Lab
from geoplan.push import lock
from geoplan.topology.model import Topology
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import Site

__all__ = ["make_site"]

FLEET = TOPOLOGIES / "fleet.yaml"
SHOP = {"10.1.1.5", "10.1.2.5", "10.1.3.5", "10.1.4.5"}
BANK = {"10.2.1.5", "10.2.2.5", "10.2.3.5"}
FIRST_MASTER, STANDALONE = "10.1.1.5", "10.2.3.5"
HAVING_GROUPS = ("plan", "runbook", "push", "diff", "status", "diagram", "follow", "rehearse", "whatif")
HAVING_SITES = ("diff", "status")


class Requests:
    """The units that the lab was asked for anything, by its request log."""

    def __init__(self, log: pytest.LogCaptureFixture) -> None:
        self._log = log
        log.set_level(logging.INFO, "geoplan.lab.requests")

    def asked(self) -> set[str]:
        """Return them since the last call."""
        messages = [r.getMessage() for r in self._log.records if r.name == "geoplan.lab.requests"]
        self._log.clear()
        return {message.partition(" ")[0] for message in messages}


@pytest.fixture
def requests(caplog: pytest.LogCaptureFixture) -> Requests:
    return Requests(caplog)


@pytest.fixture
def fleet(make_site: MakeSite) -> Site:
    """Serve the groups shop and bank of the fleet."""
    document = yaml.safe_load(FLEET.read_text())
    groups = {name: document["groups"][name] for name in ("shop", "bank")}
    members = [name for names in groups.values() for name in names]
    sites = [site for site in document["sites"] if site["name"] in members]
    return make_site("5.3", boot=2.0, settings={"boot": 2.0, "name": "fleet", "sites": sites, "groups": groups})


class Operator:
    """Somebody who runs geoplan on the fleet."""

    def __init__(self, geoplan: Geoplan, site: Site) -> None:
        self._geoplan, self._site = geoplan, site

    def run(self, command: str, *options: str) -> Outcome:
        yes = ("--yes",) if command == "push" and not {"--status", "--abandon"} & {*options} else ()
        return self._geoplan(command, self._site.topology, "--endpoints", self._site.endpoints, *options, *yes)

    def expected(self, name: str, *options: str) -> str:
        """Return a command as it is to be printed."""
        return TypedCommands(ConnectionOptions(endpoints=str(self._site.endpoints)), str(self._site.topology))(
            name, *options
        )

    def stop_at_the_first_reboot(self, *options: str) -> Outcome:
        fault = self._site.lab.inject(f"ignore,unit={FIRST_MASTER},command=reboot")
        stopped = self.run("push", *options)
        assert stopped.code == 3, stopped
        self._site.lab.lift(fault)
        self._site.settle()
        return stopped


@pytest.fixture
def operator(geoplan: Geoplan, fleet: Site) -> Operator:
    return Operator(geoplan, fleet)


def pushes(text: str) -> set[str]:
    return {found[0].rstrip() for found in re.finditer(r"\bgeoplan push .*", text)}


# -- whom a command leaves in peace ------------------------------------------------------------------------------------


def test_rehearsal_of_one_group_touches_no_unit_of_another(
    geoplan: Geoplan, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[str] = []

    class WatchedLab(Lab):
        def __init__(self, topology: Topology, **options: Any) -> None:
            served.extend(unit.address for site in topology.sites for unit in site.units)
            super().__init__(topology, boot_seconds=2.0, failover_seconds=0.1, sync_seconds=0.1, **options)

    monkeypatch.setattr("geoplan.lab.Lab", WatchedLab)
    ended = geoplan("push", FLEET, "--group", "shop", "--lab", "--yes")

    assert ended.code == 0, ended
    assert "done and verified" in ended.stdout
    assert {*served} > SHOP | BANK  # so that others could have been asked
    assert requests.asked() == SHOP


@pytest.mark.parametrize("command", ["push", "diff", "status"])
def test_a_dead_unit_is_in_no_other_groups_way(
    operator: Operator, fleet: Site, requests: Requests, command: str
) -> None:
    assert operator.run("push", "--group", "shop").code == 0
    fleet.settle()
    fleet.lab.power_off(STANDALONE)
    requests.asked()

    assert operator.run(command, "--group", "shop").code == 0
    assert requests.asked() == SHOP
    assert operator.run(command).code == (4 if command == "push" else 1)
    assert requests.asked() >= SHOP


def test_one_group_is_pushed_while_another_is_held_by_a_push(operator: Operator, fleet: Site) -> None:
    bank = {address: key for address, key in fleet.store.keys.items() if address in BANK}
    with lock.only_push(fleet.store.locks, bank, "fleet", "somebody"):
        refused = operator.run("push")
        assert refused.code == 4
        assert "another push is running on 10.2." in refused.stderr
        assert operator.run("push", "--group", "shop").code == 0


def test_a_unit_of_another_group_needs_no_place_in_the_endpoints(operator: Operator, fleet: Site) -> None:
    endpoints = yaml.safe_load(fleet.endpoints.read_text())
    endpoints["units"] = {address: unit for address, unit in endpoints["units"].items() if address in SHOP}
    fleet.endpoints.write_text(yaml.safe_dump(endpoints))
    assert operator.run("push").code == 4
    assert operator.run("push", "--group", "shop").code == 0


@pytest.mark.parametrize("command", HAVING_SITES)
def test_of_a_site_its_own_units_alone_are_asked(
    operator: Operator, fleet: Site, requests: Requests, command: str
) -> None:
    assert operator.run("push").code == 0
    fleet.settle()
    requests.asked()
    found = operator.run(command, "--site", "bank-paris", "--format", "json")

    assert found.code == 0, found
    assert requests.asked() == {"10.2.1.5", "10.2.2.5"}
    assert [site.get("site", site.get("name")) for site in json.loads(found.stdout)["sites"]] == ["Bank Paris"]
    fleet.lab.power_off(STANDALONE)
    red = operator.run(command, "--site", "Bank Paris")
    assert red.code == 1
    assert STANDALONE in red.stdout


# -- what is printed to be typed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_takes_a_part_is_printed_with_it(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command
    options = {word for param in command.params for word in param.opts if isinstance(param, click.Option)}
    of_sites = TypedCommands(ConnectionOptions(), "my.yaml", part=Part(("a b",), ("x", "y")))(name)
    of_groups = TypedCommands(ConnectionOptions(), "my.yaml", part=Part(("a b", "c")))(name)

    assert ("--group" in options) is (name in HAVING_GROUPS or name == "init")  # which writes groups into a new file
    assert ("--group 'a b' --group c" in of_groups) is (name in HAVING_GROUPS)
    assert ("--site x --site y" in of_sites) is (name in HAVING_SITES)
    assert ("--group 'a b'" in of_sites) is (name in HAVING_GROUPS and name not in HAVING_SITES)


def test_findings_of_a_group_name_commands_of_that_group(operator: Operator) -> None:
    for command in HAVING_SITES:
        found = operator.run(command, "--group", "SHOP")
        assert found.code == 1
        printed = re.findall(r"geoplan (?:push|diff) .*", found.stdout)
        assert all("--group shop" in each for each in printed)
    assert operator.expected("push", "--group", "shop") in operator.run("status", "--group", "shop").stdout
    of_site = operator.run("status", "--site", "Shop Dublin").stdout
    assert operator.expected("push", "--group", "shop") in of_site
    assert operator.expected("diff", "--site", "Shop Dublin") in of_site


# -- unfinished pushes -------------------------------------------------------------------------------------------------


def test_unfinished_push_of_the_whole_is_resumed_as_the_whole(operator: Operator) -> None:
    operator.stop_at_the_first_reboot()
    resume = operator.expected("push", "--resume")
    for options in (("--group", "shop"), ("--group", "shop", "--resume"), ("--group", "bank")):
        refused = operator.run("push", *options)
        assert refused.code == 4, refused
        assert pushes(refused.stderr) == {resume}
        assert "the unfinished push is one of groups shop, bank, and this one of group" in refused.stderr
    assert pushes(operator.run("status", "--group", "bank").stderr) == {resume}
    assert resume in operator.run("push", "--status", "--group", "bank").stdout
    assert operator.run("push", "--resume").code == 0


def test_unfinished_push_of_a_group_is_resumed_with_that_group(operator: Operator) -> None:
    stopped = operator.stop_at_the_first_reboot("--group", "shop")
    resume = operator.expected("push", "--group", "shop", "--resume")
    assert resume in pushes(stopped.stderr)
    for options in ((), ("--resume",)):
        refused = operator.run("push", *options)
        assert refused.code == 4, refused
        assert pushes(refused.stderr) == {resume}
    for command in ("status", "diff"):
        found = operator.run(command)
        assert pushes(found.stdout + found.stderr) == {resume}
    assert resume in operator.run("push", "--status").stdout
    assert "no push on these units yet" in operator.run("push", "--status", "--group", "bank").stdout
    assert operator.run("push", "--group", "bank").code == 0
    assert operator.run("push", "--group", "shop", "--resume").code == 0
    assert operator.run("push").code == 0


def test_groups_that_the_file_no_longer_has_are_not_named(operator: Operator, fleet: Site) -> None:
    operator.stop_at_the_first_reboot("--group", "shop")
    fleet.topology.write_text(fleet.topology.read_text().replace("shop:", "store:"))
    refused = operator.run("push", "--group", "store")
    assert refused.code == 4
    assert "the unfinished push is one of group shop, and this one of group store" in refused.stderr
    assert not pushes(refused.stderr)
    assert operator.run("push", "--abandon", "--yes").code == 0


def test_a_reboot_that_is_due_in_one_group_stays_due_through_pushes_of_another(operator: Operator, fleet: Site) -> None:
    assert operator.run("push", "--reboot", "never").code == 1
    shop = operator.run("push", "--group", "shop")
    assert shop.code == 0, shop
    fleet.settle()
    assert {address for address, count in fleet.reboots.items() if count} == {"10.1.1.5", "10.1.3.5"}
    owed = json.loads(operator.run("push", "--status", "--format", "json").stdout)
    assert owed["pairs_to_finish"] == ["Bank Paris"]
    assert operator.run("push").code == 0
    fleet.settle()
    assert {address: count for address, count in fleet.reboots.items() if count} == {
        "10.1.1.5": 1,
        "10.1.3.5": 1,
        "10.2.1.5": 1,
    }


def test_an_approval_of_one_group_is_pushed_as_that(operator: Operator, geoplan: Geoplan, tmp_path: Path) -> None:
    approved = tmp_path / "approved.json"
    made = operator.run("plan", "--group", "shop", "--live", "-o", str(approved))
    assert made.code == 0, made
    assert "fleet: 2 sites in group shop" in made.stderr
    (typed,) = pushes(made.stderr)
    refused = operator.run("push", "--plan", str(approved))
    assert refused.code == 4
    assert "the reviewed plan is one of group shop, and this one of groups shop, bank" in refused.stderr
    _, *words = shlex.split(typed)
    ended = geoplan(*words, "--yes")
    assert ended.code == 0, ended


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "option", "noun"),
    [*((name, "--group", "group") for name in HAVING_GROUPS), *((name, "--site", "site") for name in HAVING_SITES)],
)
def test_a_name_that_is_not_there_is_wrong_usage(geoplan: Geoplan, command: str, option: str, noun: str) -> None:
    ended = geoplan(command, FLEET, option, "shpo")
    assert (ended.code, ended.stdout) == (2, "")
    assert f"{FLEET} has no {noun} 'shpo'" in ended.stderr
    assert f"he {noun}s are: " in ended.stderr


@pytest.mark.parametrize("command", HAVING_GROUPS)
def test_a_file_without_groups_is_named_as_that(geoplan: Geoplan, command: str) -> None:
    ended = geoplan(command, TOPOLOGIES / "section-5.3.yaml", "--group", "shop")
    assert ended.code == 2
    assert "this file writes no groups" in ended.stderr


@pytest.mark.parametrize("command", HAVING_SITES)
def test_groups_and_sites_together_are_wrong_usage(geoplan: Geoplan, command: str) -> None:
    ended = geoplan(command, FLEET, "--group", "shop", "--site", "Shop Dublin")
    assert ended.code == 2
    assert "give one of them" in ended.stderr


# -- the rest of the file ----------------------------------------------------------------------------------------------

WARNED = """
sites:
  - name: A
    ha_pair: {master: {address: 10.0.0.1, firmware: 7.2.59.4}, slave: {address: 10.0.0.2, firmware: 7.2.60.1}}
  - {name: B, ha_pair: {master: 10.0.0.3, slave: 10.0.0.4}}
groups: {one: [A], two: [B]}
"""


def test_warnings_of_other_groups_are_not_repeated(geoplan: Geoplan, tmp_path: Path) -> None:
    path = tmp_path / "warned.yaml"
    path.write_text(WARNED)
    warned = {group: geoplan("plan", path, "--group", group).stderr for group in ("one", "two")}
    assert "warning: GEO" in geoplan("plan", path).stderr
    assert "warning: GEO" in warned["one"]
    assert warned["two"] == ""


def test_a_fault_in_another_group_is_an_error_all_the_same(geoplan: Geoplan, tmp_path: Path) -> None:
    path = tmp_path / "faulty.yaml"
    path.write_text(WARNED.replace("10.0.0.4", "10.0.0.3"))
    ended = geoplan("plan", path, "--group", "one")
    assert ended.code == 2
    assert "GEO206" in ended.stderr


def test_documents_of_a_group_have_nothing_of_another(geoplan: Geoplan) -> None:
    for command, options in (("plan", ("--format", "markdown")), ("runbook", ()), ("diagram", ("--format", "mermaid"))):
        ended = geoplan(command, FLEET, "--group", "clinic", "--group", "SHOP", *options)
        assert ended.code == 0
        assert all(name in ended.stdout for name in ("Shop Dublin", "Clinic Bergen"))
        assert all(name not in ended.stdout for name in ("Bank", "Laboratory"))


def test_documents_of_one_group_name_it(geoplan: Geoplan) -> None:
    for command, options in (("plan", ()), ("plan", ("--format", "markdown")), ("runbook", ())):
        shown = geoplan(command, FLEET, "--group", "clinic", *options).stdout
        assert re.search("(Group|Sites:).* clinic", shown)


# -- what is wrong alone -----------------------------------------------------------------------------------------------


def test_problems_are_what_is_wrong_alone(operator: Operator, fleet: Site) -> None:
    assert operator.run("push").code == 0
    fleet.settle()
    well = operator.run("status", "--problems")
    assert (well.code, well.stdout) == (0, "fleet: 4 sites, 7 units: all is well\n")
    fleet.lab.power_off(STANDALONE)
    shown = operator.run("status", "--problems")
    report = json.loads(operator.run("status", "--problems", "--format", "json").stdout)

    assert shown.code == 1
    assert "Bank Madrid" in shown.stdout
    assert "Shop" not in shown.stdout
    assert [site["name"] for site in report["sites"]] == ["Bank Madrid"]
    assert (report["well"], report["sites_left_out"]) == (False, 3)
