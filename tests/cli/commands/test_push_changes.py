"""Each kind of change as one command line over TLS: how it ends, what it reboots, and what a diff says then."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.cli.commands.looks import send
from tests.conftest import Geoplan, Outcome
from tests.lab.boxes import put_in_pair, swap_roles
from tests.push.support import BOOT, SYNC, Site, as_operator, red_in_any_state, serve

A, B, D = "A:10.0.0.1:10.0.0.2", "B:10.0.0.3", "D:10.0.0.7"
Groups = Mapping[str, list[str]]
Do = Callable[[Site], None]


def topology(folder: Path, name: str, sites: str, groups: Groups | None = None) -> Path:
    """Write a topology of sites that are each a name and its addresses, with colons between, and maybe a place."""
    written: list[dict[str, Any]] = []
    for site in sites.split():
        called, *units = site.partition("@")[0].split(":")
        kind: dict[str, Any] = {"standalone": units[0]}
        if units[1:]:
            kind = {"ha_pair": {"master": units[0], "slave": units[1]}}
            for key, value in zip(("preferred_host", "health_check"), units[2:], strict=False):
                kind["ha_pair"] |= {key: {"port": int(value)} if value.isdecimal() else value} if value else {}
        written.append({"name": called, **kind})
        if "@" in site:
            written[-1]["cluster"] = {"location": {"latitude": float(site.partition("@")[2]), "longitude": -6.26}}
    document = {"name": name, "sites": written, **({"groups": dict(groups)} if groups else {})}
    document["timing"] = {"boot_seconds": BOOT, "sync_seconds": SYNC, "manual_step_seconds": 60}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


class Row(NamedTuple):
    """A kind of change: what is there, what is to be, and what its push comes to."""

    old: str
    new: str
    reboots: Mapping[str, int]
    """How often each unit is rebooted, as far as it is."""
    options: Sequence[str] = ()
    before: Groups | None = None
    after: Groups | None = None
    others: str = ""
    """Sites of the lab that OLD does not have."""
    happens: Do = lambda _site: None
    """What happens to units before the change is pushed."""
    by_hand: Do | None = None
    """What a person does once the push waits for it."""
    said: str = "done and verified"


def a_slave_is_set_up(address: str) -> Do:
    """Return what sets the HA parameters of the pair A whose slave is new: by requests that are not the push's."""

    def set_up(site: Site) -> None:
        send(site, "10.0.0.1", f"awshaparam?partner={address}")
        send(site, address, "awshaparam?partner=10.0.0.1&hcp=8444")
        send(site, address, "awshamode?hamode=slave")

    return set_up


def loses_all(address: str) -> Do:
    return lambda site: site.lab.lose_configuration(address)


def _dead_slave(site: Site) -> None:
    site.lab.lose_configuration("10.0.0.2")
    send(site, "10.0.0.2", "awshamode?hamode=single")


def another_box(site: Site) -> None:
    site.lab._call(lambda: put_in_pair(site.lab._lab.simulation.network, "10.0.0.2", "10.0.0.12"))


def roles_swap(site: Site) -> None:
    site.lab._call(lambda: swap_roles(site.lab._lab.simulation.network, "A"))


SPLIT, MOVED, ONE = {"x": ["A", "B"], "y": ["D"]}, {"x": ["B"], "y": ["A", "D"]}, {"x": ["A", "B", "D"]}
READDRESSED = "B:10.0.0.33"
ROWS = {
    "a standalone joins": Row(f"{A} {B}", f"{A} {B} {D}", {"10.0.0.1": 1}, others=D),
    "a standalone leaves": Row(f"{A} {B} {D}", f"{A} {B}", {}),
    "a standalone gets another address": Row(f"{A} {B}", f"{A} {READDRESSED}", {"10.0.0.1": 1}, others="B2:10.0.0.33"),
    "a pair's unit gets another address": Row(
        f"{A} {B}",
        f"A:10.0.0.1:10.0.0.12 {B}",
        {"10.0.0.1": 1},
        ["--accept-ha-change", "A"],
        others="A2:10.0.0.12",
        happens=another_box,
        by_hand=a_slave_is_set_up("10.0.0.12"),
    ),
    "a preferred host": Row(f"{A} {B}", f"{A}:none {B}", {}, ["--accept-ha-change", "A"]),
    "the health check port of a pair": Row(f"{A} {B}", f"{A}::9000 {B}", {}, ["--accept-ha-change", "A"]),
    "a dead standalone is replaced where it was": Row(
        f"{A} {B}",
        f"{A} {B}",
        {},
        ["--replaced", "10.0.0.3"],
        happens=loses_all("10.0.0.3"),
        said="all links that units tell are green; not proven: links of 10.0.0.2",
    ),
    "a dead slave is replaced where it was": Row(
        f"{A} {B}",
        f"{A} {B}",
        {"10.0.0.1": 1},
        ["--replaced", "10.0.0.2"],
        happens=_dead_slave,
        by_hand=a_slave_is_set_up("10.0.0.2"),
    ),
    "a dead standalone is replaced at another address": Row(
        f"{A} {B} {D}",
        f"{A} {READDRESSED} {D}",
        {"10.0.0.1": 1},
        others="B2:10.0.0.33",
        happens=lambda site: site.lab.power_off("10.0.0.3"),
        said="all partner links are green; left alone: B (old)",
    ),
    "a site is renamed": Row(f"{A} {B}", f"Dublin:10.0.0.1:10.0.0.2 {B}", {}),
    "a place changes": Row(f"{A} {B}", f"{A} {B}@53.35", {}),
    "a group splits": Row(f"{A} {B} {D}", f"{A} {B} {D}", {}, before=ONE, after=SPLIT),
    "a site moves": Row(f"{A} {B} {D}", f"{A} {B} {D}", {"10.0.0.1": 1}, before=SPLIT, after=MOVED),
    "two groups merge": Row(f"{A} {B} {D}", f"{A} {B} {D}", {"10.0.0.1": 1}, before=SPLIT, after=ONE),
    "roles are swapped": Row(f"{A} {B}", f"A:10.0.0.2:10.0.0.1 {B}", {}, happens=roles_swap),
}


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    as_operator(monkeypatch, tmp_path / "state")
    with ExitStack() as stack:
        yield stack


def pushed(geoplan: Geoplan, row: Row, running: ExitStack, folder: Path) -> tuple[Site, Path, Path]:
    """Serve all units of a row, and push OLD to its own."""
    site = serve(running, topology(folder, "lab", f"{row.old} {row.others}"))
    old = topology(folder, "old", row.old, row.before)
    assert geoplan("push", old, "--endpoints", site.endpoints, "--yes").code == 0
    site.settle()
    return site, old, topology(folder, "new", row.new, row.after)


def change(geoplan: Geoplan, row: Row, site: Site, arguments: Sequence[str | Path]) -> Outcome:
    """Run the command line; with something to do by hand as a process, and do it once the push waits."""
    if row.by_hand is None:
        return geoplan(*arguments)
    command = [sys.executable, "-m", "geoplan", *map(str, arguments), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        lines, is_done = [], False
        for line in process.stdout:
            lines.append(line)
            event = json.loads(line)
            if event["event"] == "step_waiting" and event.get("action") == "join_ha_pair" and not is_done:
                row.by_hand(site)
                is_done = True
        return Outcome(process.wait(), "".join(lines), process.stderr.read())


@pytest.mark.usefixtures("quick_pauses")
@pytest.mark.parametrize("name", ROWS)
def test_a_change_is_one_command(geoplan: Geoplan, running: ExitStack, tmp_path: Path, name: str) -> None:
    row = ROWS[name]
    site, old, new = pushed(geoplan, row, running, tmp_path)
    row.happens(site)
    before = site.reboots
    command: list[str | Path] = ["push", new, "--from", old, *row.options, "--endpoints", site.endpoints, "--yes"]
    ended = change(geoplan, row, site, command)
    assert ended.code == 0, ended
    assert row.said in ended.stdout, ended
    site.settle()
    assert {unit: more for unit, count in site.reboots.items() if (more := count - before[unit])} == row.reboots
    assert red_in_any_state(site.lab) == set()
    compared = geoplan("diff", new, "--phase", "geo", "--endpoints", site.endpoints)
    assert compared.code == 0, compared


@pytest.mark.usefixtures("quick_pauses")
def test_what_nothing_proves_after_a_box_was_replaced_is_told_with_the_drill_that_proves_it(
    geoplan: Geoplan, running: ExitStack, tmp_path: Path
) -> None:
    row = ROWS["a dead standalone is replaced where it was"]
    site, old, new = pushed(geoplan, row, running, tmp_path)
    row.happens(site)
    ended = change(
        geoplan, row, site, ["push", new, "--from", old, *row.options, "--endpoints", site.endpoints, "--yes"]
    )
    assert f"geoplan drill {new} --site A --endpoints {site.endpoints}" in ended.stdout, ended


@pytest.mark.parametrize("name", ["a preferred host", "the health check port of a pair"])
def test_ha_parameters_are_confirmed_by_name_and_not_by_yes(
    geoplan: Geoplan, running: ExitStack, tmp_path: Path, name: str
) -> None:
    row = ROWS[name]
    site, old, new = pushed(geoplan, row, running, tmp_path)
    before = site.all_that_counts()
    refused = geoplan("push", new, "--from", old, "--endpoints", site.endpoints, "--yes")
    assert refused.code == 4, refused
    assert "risk: " in refused.stdout
    assert "the load balancer: " in refused.stdout
    assert "confirmed by name and not by --yes: 'A'" in refused.stderr
    assert f"--from {old} --accept-ha-change A" in refused.stderr
    for words in (["B"], ["nobody"], ["A", "--accept-ha-change", "a"]):
        mistyped = geoplan(
            *("push", new, "--from", old, "--endpoints", site.endpoints, "--yes"), "--accept-ha-change", *words
        )
        assert mistyped.code == 2, mistyped
        assert "the plan changes HA parameters of no such pair; its pairs are 'A'" in mistyped.stderr
    assert site.all_that_counts() == before


def test_dry_run_shows_what_makes_the_ports_of_a_split_pair_alike(
    geoplan: Geoplan, running: ExitStack, tmp_path: Path
) -> None:
    site, old, new = pushed(geoplan, ROWS["the health check port of a pair"], running, tmp_path)
    send(site, "10.0.0.2", "awshaparam?partner=10.0.0.1&hcp=9000")
    arguments = ["push", new, "--from", old, "--endpoints", site.endpoints, "--accept-ha-change", "A"]
    ended = geoplan(*arguments, "--dry-run")
    assert ended.code == 3, ended  # what parted on units does not come together on paper
    assert ended.stdout.count('"hcp": 9000') == 1
    assert "failed" not in ended.stdout
    assert site.units["10.0.0.1"]["ha"]["health_check_port"] == 8444


def test_roles_that_the_units_do_not_hold_are_refused(geoplan: Geoplan, running: ExitStack, tmp_path: Path) -> None:
    row = ROWS["roles are swapped"]
    site, old, new = pushed(geoplan, row, running, tmp_path)
    before = site.all_that_counts()
    refused = geoplan("push", new, "--from", old, "--endpoints", site.endpoints, "--yes")
    assert refused.code == 4, refused
    assert "its roles are swapped in the file, and not on the units" in refused.stderr
    assert "put the roles in the file back as the units hold them" in refused.stderr
    assert "or swap the HA modes on both units by hand" in refused.stderr
    assert "swap master and slave in the topology" not in refused.stderr  # they are swapped there already
    assert site.all_that_counts() == before


# -- reboots that are due ----------------------------------------------------------------------------------------------


@pytest.fixture
def owing(geoplan: Geoplan, running: ExitStack, tmp_path: Path) -> tuple[Site, Path]:
    """Let a site join by a push that reboots nothing; return the lab and the topology that is there then."""
    site, old, new = pushed(geoplan, ROWS["a standalone joins"], running, tmp_path)
    left = geoplan("push", new, "--from", old, "--reboot", "never", "--endpoints", site.endpoints, "--yes")
    assert left.code == 1, left
    site.settle()
    return site, new


@pytest.mark.usefixtures("quick_pauses")
@pytest.mark.parametrize("start", ["file", "live"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_change_does_the_reboots_that_are_due(
    geoplan: Geoplan, owing: tuple[Site, Path], start: str, form: str
) -> None:
    site, new = owing
    before = site.reboots
    command = ["push", new, "--from", new if start == "file" else "live", "--endpoints", site.endpoints, "--yes"]
    ended = geoplan(*command, "--format", form)
    assert ended.code == 0, ended
    assert "done and verified" in ended.stdout
    assert {unit: count - before[unit] for unit, count in site.reboots.items()}["10.0.0.1"] == 1
    site.settle()
    again = geoplan(*command, "--format", form)
    assert (again.code, "nothing to do" in again.stdout) == (0, True), again


@pytest.mark.usefixtures("quick_pauses")
def test_a_change_that_was_reviewed_without_reboots_does_none_and_says_what_is_due(
    geoplan: Geoplan, owing: tuple[Site, Path], tmp_path: Path
) -> None:
    site, new = owing
    plan, approval = tmp_path / "plan.json", tmp_path / "approval.json"
    where = ["--endpoints", site.endpoints]
    assert geoplan("plan", new, "--from", new, "-o", plan).code == 0
    before = site.reboots
    checksum = json.loads(plan.read_text())["checksum"]
    for reviewed in (["--plan", plan], ["--checksum", checksum]):
        ended = geoplan("push", new, "--from", new, *reviewed, *where, "--yes")
        assert ended.code == 1, ended
        assert "'A' is not finished" in ended.stdout
        assert f"geoplan push {new} --reboot always=A" in ended.stdout
        told = geoplan("push", new, "--from", new, *reviewed, *where, "--yes", "--format", "json")
        assert json.loads(told.stdout.splitlines()[-1])["exit_code"] == 1
    assert site.reboots == before
    assert geoplan("plan", new, "--from", new, "--live", *where, "-o", approval).code == 0
    assert json.loads(approval.read_text())["reboots"] == ["A"]
    assert geoplan("push", new, "--from", new, "--plan", approval, *where, "--yes").code == 0
    assert {unit: count - before[unit] for unit, count in site.reboots.items()}["10.0.0.1"] == 1
