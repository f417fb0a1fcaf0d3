"""``geoplan follow``: a person's hands, over TLS in a lab, ticked off as they are seen."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml

from geoplan.plan.model import Action, Plan, Step
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from tests.push.conftest import MakeSite, make_site
from tests.push.support import CREDENTIALS, M1, PASSWORD, S1, Site

__all__ = ["make_site"]

BOOT = 6.0  # seconds, so that a busy machine does not miss the window of a reboot


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
def following(site: Site, *options: str) -> Iterator[Following]:
    command = [sys.executable, "-m", "geoplan", "follow", str(site.topology), "--endpoints", str(site.endpoints)]
    process = subprocess.Popen(
        [*command, "--format", "json", "--interval", "0.2", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ},
    )
    try:
        yield Following(site, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Hands:
    """Does steps by curl, as a person does them in the web interface."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.plan: Plan = make_plan(load_topology(str(site.topology)))
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
            case Action.SET_REMOTE_GEO_ACCESS:
                self.curl(units[0].address, "set", param="geoclients", value=values)
            case Action.SET_GEO_PARTNERS:
                self.curl(units[0].address, "set", param="geopartners", value=values)
            case Action.REBOOT_MASTER:
                self.site.settle()
                self.curl(units[0].address, "reboot")
            case Action.RESUBMIT_GEO_PARTNERS:
                self.curl(units[-1].address, "set", param="geopartners", value=values)
            case _:
                address, name, _type = values
                self.curl(units[0].address, "addcluster", ip=address, name=name)
                self.curl(units[0].address, "modcluster", ip=address, type="remoteLM")


Prepare = Callable[..., tuple[Site, Hands]]


@pytest.fixture
def prepared(make_site: MakeSite) -> Prepare:
    def prepare(**options: Any) -> tuple[Site, Hands]:
        site = make_site(boot=BOOT, settings={"boot": BOOT}, **options)
        return site, Hands(site)

    return prepare


def test_all_18_steps_are_ticked_or_asked_for_while_somebody_does_them(prepared: Prepare) -> None:
    site, hands = prepared()
    with following(site) as follow:
        for step in hands.plan.steps:
            if step.action is Action.RESUBMIT_GEO_PARTNERS and step.on.unit == "new_active":
                follow.until("window_open", step.number)
            if step.on.unit == "standalone" and step.action is Action.RESUBMIT_GEO_PARTNERS:
                if not any((told["event"], told["number"]) == ("asks", step.number) for told in follow.told):
                    follow.until("asks", step.number)  # both standalones are asked for at the same look
                hands.do(step)
                follow.type(str(step.number))  # nothing that units tell shows it
            else:
                hands.do(step)
            follow.until("done", step.number)
            if step.action is Action.RESUBMIT_GEO_PARTNERS:
                site.settle()
        rest = follow.rest()

    assert follow.process.returncode == 0
    assert "18 of 18 steps done" in rest
    assert [told["number"] for told in follow.told if told["event"] == "done"] == list(range(1, 19))
    assert {told["number"] for told in follow.told if told["by_hand"]} == {13, 14}
    assert {told["event"] for told in follow.told} <= {"done", "asks", "window_open", "window_closing"}


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
