"""``geoplan follow``: a person's hands, over TLS in a lab, ticked off as they are seen."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from geoplan.cli.following import Follower
from geoplan.follow.model import Progress, StepState, StepStatus
from geoplan.live.polling import Timings
from geoplan.plan.change import make_change
from geoplan.plan.model import Action, Phase, Plan, Step
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import CREDENTIALS, M1, PASSWORD, S1, Site, part

__all__ = ["make_site"]

BOOT = 6.0  # seconds, so that a busy machine does not miss the window of a reboot
LIMIT_SECONDS = 300.0
"""After it a follow that hangs is killed, so that its test fails and the others go on."""


class Following:
    """A running ``geoplan follow``, and what it has told."""

    def __init__(self, site: Site, process: subprocess.Popen[str]) -> None:
        self.site = site
        self.process = process
        self.told: list[dict[str, Any]] = []

    def until(self, event: str, number: int) -> dict[str, Any]:
        """Read on until something is told of a step."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if not line.startswith("{"):
                continue
            told: dict[str, Any] = json.loads(line)
            self.told.append(told)
            if (told["event"], told["number"]) == (event, number):
                return told
        raise AssertionError(f"no {event} of step {number}: {self.told}")

    def rest(self) -> str:
        """What it tells from here to its end (not by ``communicate``, which passes over what was read ahead)."""
        assert self.process.stdout is not None
        rest = self.process.stdout.read()
        self.process.wait()
        return rest

    def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()


@contextmanager
def following(site: Site, *options: str, topology: Path | None = None) -> Iterator[Following]:
    path = topology or site.topology
    command = [sys.executable, "-m", "geoplan", "follow", str(path), "--endpoints", str(site.endpoints)]
    process = subprocess.Popen(
        [*command, "--format", "json", "--interval", "0.2", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ},
    )
    limit = threading.Timer(LIMIT_SECONDS, process.kill)
    limit.start()
    try:
        yield Following(site, process)
    finally:
        limit.cancel()
        if process.poll() is None:
            process.kill()
        if process.stdout and not process.stdout.closed:
            process.communicate()


class Hands:
    """Does steps by curl, as a person does them in the web interface."""

    def __init__(self, site: Site, plan: Plan | None = None) -> None:
        self.site = site
        self.plan: Plan = plan or make_plan(load_topology(str(site.topology)))
        self._apis = {
            address: unit["api"] for address, unit in yaml.safe_load(site.endpoints.read_text())["units"].items()
        }

    def curl(self, address: str, command: str, **parameters: Any) -> None:
        content = {"cmd": command, "apiuser": CREDENTIALS.user, "apipass": PASSWORD, **parameters}
        done = subprocess.run(
            ["curl", "-sk", "--max-time", "20", "--json", "@-", f"{self._apis[address]}/accessv2"],
            input=json.dumps(content),
            text=True,
            check=True,
            capture_output=True,
        )
        assert '"ok"' in done.stdout, (address, command, done.stdout)

    def do(self, step: Step) -> None:
        units = self.plan.site(step.on.site).units
        values = list(self.plan.values(step))
        match step.action:
            case Action.SET_REMOTE_GEO_ACCESS | Action.REMOVE_REMOTE_GEO_ACCESS:
                self.curl(units[0].address, "set", param="geoclients", value=values or "")
            case Action.SET_GEO_PARTNERS | Action.REMOVE_GEO_PARTNERS:
                self.curl(units[0].address, "set", param="geopartners", value=values or "")
            case Action.VERIFY_UNLINKED:
                self.site.settle()
            case Action.PROBE_UNLINKED | Action.DELETE_CLUSTER:
                self.curl(units[0].address, "delcluster", ip=self.plan.site(step.site).units[0].address)
            case Action.SEED_GEO_CONFIGURATION:
                for cluster in (each for each in self.plan.clusters if each.site != step.site):
                    self.add(units[0].address, cluster.address, cluster.name)
            case Action.SET_MASTER_HA_PARAMETERS | Action.SET_SLAVE_HA_PARAMETERS:
                pair = self.plan.ha_pair(step.site)
                wanted = pair.master if step.on.unit == "master" else pair.slave
                prefers = int(wanted.preferred_host == "master")
                parameters = {"partner": wanted.partner, "hcp": wanted.health_check_port, "haprefered": prefers}
                self.curl(wanted.address, "awshaparam", **parameters)
                self.curl(wanted.address, "awshamode", hamode=wanted.mode)
            case Action.VERIFY_HA_PAIR:
                self.site.settle()
            case Action.REBOOT_MASTER:
                self.site.settle()
                self.curl(units[0].address, "reboot")
            case Action.RESUBMIT_GEO_PARTNERS:
                self.curl(units[-1].address, "set", param="geopartners", value=values)
            case _:
                address, name, _type = values
                self.add(units[0].address, address, name)

    def add(self, unit: str, address: str, name: str) -> None:
        self.curl(unit, "addcluster", ip=address, name=name)
        self.curl(unit, "modcluster", ip=address, type="remoteLM")


Prepare = Callable[..., tuple[Site, Hands]]


@pytest.fixture
def prepared(make_site: MakeSite) -> Prepare:
    def prepare(**options: Any) -> tuple[Site, Hands]:
        site = make_site(boot=BOOT, settings={"boot": BOOT}, **options)
        return site, Hands(site)

    return prepare


def test_all_18_steps_are_ticked_while_somebody_does_them(prepared: Prepare) -> None:
    site, hands = prepared()
    with following(site) as follow:
        for step in hands.plan.steps:
            if step.action is Action.RESUBMIT_GEO_PARTNERS and step.on.unit == "new_active":
                follow.until("window_open", step.number)
            hands.do(step)
            follow.until("done", step.number)
            if step.action is Action.RESUBMIT_GEO_PARTNERS:
                site.settle()
        rest = follow.rest()

    assert follow.process.returncode == 0
    assert "18 of 18 steps done" in rest
    assert [told["number"] for told in follow.told if told["event"] == "done"] == list(range(1, 19))
    assert not any(told["by_hand"] for told in follow.told)
    assert {told["event"] for told in follow.told} <= {"done", "window_open", "window_closing"}


def test_a_submission_that_comes_too_late_is_told(prepared: Prepare) -> None:
    site, hands = prepared()
    with following(site) as follow:
        for step in hands.plan.steps[:9]:
            hands.do(step)
            follow.until("done", step.number)
        follow.until("window_closing", 10)
        site.settle()
        told = follow.until("too_late", 10)
        hands.do(hands.plan.steps[8])  # what is told: reboot it again
        follow.until("window_open", 10)
        hands.do(hands.plan.steps[9])
        follow.until("done", 10)
        follow.process.send_signal(signal.SIGINT)
        rest = follow.rest()

    assert f"Reboot {M1} again, and submit on {S1}" in told["message"]
    assert follow.process.returncode == 1
    assert "10 of 18 steps done; left: 11, 12" in rest
    assert "Traceback" not in rest


def test_a_unit_that_cannot_be_read_is_told_once_with_the_reason(
    prepared: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = prepared()
    monkeypatch.setenv("GEOPLAN_PASSWORD", "another one")
    with following(site) as follow:
        assert follow.process.stdout is not None
        said = ""
        while f"{M1} cannot be read" not in said:
            said += (line := follow.process.stdout.readline())
            assert line, said
        follow.type("0")  # answered at once, and after it nothing more comes of what was told
        while "type the number" not in said:
            said += follow.process.stdout.readline()
        follow.process.send_signal(signal.SIGINT)
        said += follow.rest()

    assert " cannot be read, so none of its steps ticks itself: it does not accept the credentials" in said
    assert said.count(f"{M1} cannot be read") == 1
    assert "another one" not in said


def test_a_watch_that_begins_again_ticks_no_reboot_and_submission_that_partners_deny(prepared: Prepare) -> None:
    site, hands = prepared()
    for step in hands.plan.steps[:8]:
        enter(site, hands.plan, step)
    site.settle()
    with following(site) as follow:
        follow.until("done", 8)
        follow.type("9")
        follow.type("10")
        assert follow.process.stdout is not None
        said = "".join(follow.process.stdout.readline() for _ in range(2))
        hands.do(hands.plan.steps[8])
        follow.until("window_open", 10)
        hands.do(hands.plan.steps[9])
        done = follow.until("done", 10)

    assert f"step 9 cannot be ticked: the links of {S1} with " in said
    assert f"reboot {M1}, and submit on {S1} while that is active" in said
    assert "step 10 comes after step 9" in said
    assert not done["by_hand"]


def test_where_units_do_not_tell_it_the_person_is_asked(prepared: Prepare) -> None:
    site, hands = prepared(variants=["partners-unknown"])
    with following(site) as follow:
        for step in hands.plan.steps[:9]:
            hands.do(step)
            follow.until("done", step.number)
        told = follow.until("asks", 10)
        hands.do(hands.plan.steps[9])
        follow.type("10")
        done = follow.until("done", 10)

    assert "tick step 10" in told["message"]
    assert done["by_hand"]


def test_it_ends_once_nobody_reads_what_it_tells(prepared: Prepare) -> None:
    site, hands = prepared()
    with following(site) as follow:
        hands.do(hands.plan.steps[0])
        follow.until("done", 1)
        assert follow.process.stdout is not None
        follow.process.stdout.close()
        hands.do(hands.plan.steps[2])
        assert follow.process.wait() == 141


def enter(site: Site, plan: Plan, step: Step) -> None:
    """Enter a list on a unit without asking its API."""
    name = "geoclients" if step.action is Action.SET_REMOTE_GEO_ACCESS else "geopartners"

    def set_list(units: Any) -> None:
        unit = units.network.unit(plan.site(step.on.site).units[0].address)
        units.network.set_parameter(unit, name, plan.values(step))

    site.lab.operate(set_list)


def test_it_sends_nothing_but_reads_whatever_people_do(make_site: MakeSite, caplog: pytest.LogCaptureFixture) -> None:
    site = make_site("5.3", boot=BOOT, settings={"boot": BOOT})
    plan = make_plan(load_topology(str(site.topology)))
    caplog.set_level(logging.INFO, logger="geoplan.lab.requests")
    with following(site) as follow:
        for step in plan.steps[:4]:  # by the lab's own hand, which sends no request
            enter(site, plan, step)
            follow.until("done", step.number)
        site.settle()
        site.lab.reboot(M1)
        follow.until("window_open", 6)
        follow.process.send_signal(signal.SIGINT)
        follow.rest()

    lines = [record.getMessage().split() for record in caplog.records if record.name == "geoplan.lab.requests"]
    commands = {words[3] for words in lines if words[2] == "POST"}  # a health check is a GET
    assert "listclusters" in commands
    assert not {each for each in commands if not each.startswith(("get", "list", "show", "is", "stats"))}


def test_a_change_by_hand_is_ticked_off_from_the_old_topology(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site(boot=BOOT, settings={"boot": BOOT})
    old = part(site, "old", "HA Pair 1", "Standalone LoadMaster 1")
    new = part(site, "new", "HA Pair 1", "Standalone LoadMaster 2")
    assert geoplan("push", old, "--endpoints", site.endpoints, "--yes").code == 0
    site.settle()
    change = make_change(load_topology(str(new)), make_plan(load_topology(str(old)), (Phase.GEO,)))
    hands = Hands(site, change)
    asked = {Action.VERIFY_UNLINKED, Action.PROBE_UNLINKED, Action.SEED_GEO_CONFIGURATION}
    with following(site, "--from", str(old), topology=new) as follow:
        for step in change.steps:
            if step.on.unit == "new_active":
                follow.until("window_open", step.number)
            if step.action in asked:  # nothing that units tell shows it
                follow.until("asks", step.number)
            hands.do(step)
            if step.action in asked or step.on.unit == "standalone":  # a tick adds nothing to what is seen
                follow.type(str(step.number))
            done = follow.until("done", step.number)
            assert not done["by_hand"] or step.action in {*asked, Action.RESUBMIT_GEO_PARTNERS}
            if step.action is not Action.REBOOT_MASTER:  # which opens the window that the next step needs
                site.settle()
        rest = follow.rest()

    assert follow.process.returncode == 0
    assert f"{len(change.steps)} of {len(change.steps)} steps done" in rest
    assert {told["event"] for told in follow.told} <= {"done", "asks", "window_open", "window_closing"}


def test_pairs_that_are_formed_by_hand_are_ticked(make_site: MakeSite) -> None:
    site = make_site(unpaired=True)
    hands = Hands(site, make_plan(load_topology(str(site.topology)), (Phase.HA,)))
    with following(site, "--phase", "ha") as follow:
        for step in hands.plan.steps:
            hands.do(step)
            follow.until("done", step.number)
        rest = follow.rest()

    assert follow.process.returncode == 0
    assert "6 of 6 steps done" in rest
    assert not any(told["by_hand"] for told in follow.told)


@pytest.mark.parametrize("columns", [60, 80, None])
def test_lines_break_between_words_where_the_terminal_ends(
    columns: int | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = make_plan(load_topology(str(TOPOLOGIES / "section-5.4.yaml")))
    said = "the GEO LoadMaster Partners of 172.24.1.5 lacks 172.24.1.8 and has 10.9.9.9, which the plan does not have"
    monkeypatch.setattr("geoplan.cli.following.columns", lambda: columns)
    follower = Follower(plan, Timings(BOOT, 1.0), seconds=1.0, as_json=False)
    follower.take(Progress({plan.steps[1].id: StepStatus(StepState.WRONG, said)}))
    lines = capsys.readouterr().out.splitlines()

    assert " ".join(line.strip() for line in lines).endswith(said)
    assert len(lines) == 1 if columns is None else max(map(len, lines)) <= columns


def test_a_step_done_wrong_and_one_out_of_order_are_told(prepared: Prepare) -> None:
    site, hands = prepared()
    first, second = hands.plan.steps[:2]
    with following(site) as follow:
        hands.do(hands.plan.steps[2])  # so that it has looked by now
        follow.until("done", 3)
        hands.curl(M1, "set", param="geopartners", value=["10.9.9.9"])
        wrong = follow.until("wrong", second.number)
        hands.do(second)
        early = follow.until("out_of_order", second.number)
        hands.do(first)
        follow.until("done", first.number)
        follow.process.send_signal(signal.SIGINT)
        follow.rest()

    assert "10.9.9.9" in wrong["message"]
    assert "step 1" in early["message"]
