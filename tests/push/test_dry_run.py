"""A dry run for programs: every event says that it is one, and none that anything was done."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from geoplan.live.model import ClusterType, GeoCluster, HaFacts
from geoplan.live.polling import Timings
from geoplan.plan.planner import make_plan
from geoplan.push.dry_run import DryRunClock, DryRunState, DryRunUnit, dry_run_units
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite
from tests.push.support import M1, PASSWORD, S1


def events_of(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_every_event_says_that_it_is_a_dry_run_and_none_that_something_was_done(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.3")
    before = site.all_that_counts()
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--dry-run", "--format", "json")
    events = events_of(ended.stdout)
    assert ended.code == 0, ended
    assert {event["dry_run"] for event in events} == {True}
    assert {event["state"] for event in events if "state" in event} == {"would do"}
    assert [event["message"] for event in events if event["event"] == "backup"][-1] == "3 units would be backed up"
    for event in events:
        assert not re.search(r"\bdone\b|was backed|are backed|\d backed|read back|rebooted", event["message"]), event
    assert events[-1]["message"] == "nothing was changed: this was a dry run"
    assert site.all_that_counts() == before


def test_a_slave_that_forgot_its_partners_is_as_red_on_paper_as_it_is(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    command = ("push", site.topology, "--endpoints", site.endpoints)
    assert geoplan(*command, "--yes").code == 0
    site.settle()
    site.lab.forget_partners(S1)
    site.settle()
    on_paper, really = geoplan(*command, "--dry-run"), geoplan(*command, "--yes")
    assert (on_paper.code, really.code) == (1, 1), on_paper
    red = f"red: partner {S1} is red though it is up: the slave of 'HA Pair 1' may never have submitted its partners"
    assert red in on_paper.stdout
    assert red in really.stdout


def test_requests_are_events_with_the_step_that_sends_them_and_without_secrets(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.3")
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--dry-run", "--format", "json")
    requests = [event for event in events_of(ended.stdout) if event["event"] == "request"]
    assert PASSWORD not in ended.stdout + ended.stderr
    assert "POST" not in ended.stderr
    assert {"unit", "command", "method", "url", "body", "step", "action"} <= set(requests[0])
    by_action = {request["action"]: request for request in requests}
    assert by_action["reboot_master"]["command"] == "reboot"
    assert by_action["reboot_master"]["unit"] == M1
    assert by_action["resubmit_geo_partners"]["unit"] in (S1, "172.24.1.9")
    assert json.loads(by_action["set_geo_partners"]["body"])["param"] == "geopartners"
    steps = [request["number"] for request in requests]
    assert steps == sorted(steps)


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_dry_run_can_be_piped_into_jq(make_site: MakeSite) -> None:
    site = make_site("5.3")
    push = f"{sys.executable} -m geoplan push {site.topology} --endpoints {site.endpoints} --dry-run --format json"
    command = f"{push} | jq -r 'select(.event == \"request\") | .command'; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended
    assert ended.stdout.split().count("reboot") == 1


def test_a_push_that_is_none_says_nothing_of_a_dry_run(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", "--format", "json")
    assert not any("dry_run" in event or event["event"] == "request" for event in events_of(ended.stdout))
    assert "done" in {event.get("state") for event in events_of(ended.stdout)}


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "cryptography"])
@pytest.mark.parametrize("command", ["'push', T, '--lab', '--yes'", "'lab', T"])
def test_installation_without_the_lab_says_what_to_install(package: str, command: str) -> None:
    script = (
        f"import sys; sys.modules[{package!r}] = None; from geoplan.cli import run; "
        f"T = {str(TOPOLOGIES / 'section-5.1.yaml')!r}; sys.exit(run([{command}]))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert f"geoplan: error: the lab is not installed: {package} is missing" in ended.stderr
    assert "pip install 'geoplan[lab]'" in ended.stderr
    assert "Traceback" not in ended.stderr


# -- on paper ----------------------------------------------------------------------------------------------------------


class Silent:
    """A unit that has two clusters and its HA parameters, and takes every change without making it."""

    is_trusted = True

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[str] = []

    async def clusters(self) -> tuple[GeoCluster, ...]:
        return (GeoCluster(M1, "one", ClusterType.REMOTE_LM), GeoCluster(S1, "two", ClusterType.REMOTE_LM))

    async def ha_parameters(self) -> HaFacts:
        return HaFacts(mode="single", partner="10.9.9.9")

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def change(*_given: object, **_named: object) -> None:
            self.asked.append(name)

        return change


def on_paper() -> tuple[DryRunUnit, Silent]:
    plan = make_plan(load_topology(TOPOLOGIES / "section-5.1.yaml"))
    units = {unit.address: Silent(unit.address) for site in plan.sites for unit in site.units}
    paper = DryRunState(plan, DryRunClock(), Timings.of(plan.estimates))
    made = dry_run_units(cast("Any", units), paper)
    address = plan.sites[0].units[0].address
    return made[address], units[address]


def test_clusters_are_noted_as_they_would_be() -> None:
    async def act() -> None:
        unit, below = on_paper()
        await unit.rename_cluster(M1, "first")
        await unit.set_cluster_location(M1, 53.5, -6.5)
        await unit.add_cluster_like(GeoCluster("10.0.0.7", "three", ClusterType.REMOTE_LM))
        await unit.delete_cluster(S1)
        await unit.restore_geo(b"")
        held = {cluster.name: (cluster.latitude, cluster.longitude) for cluster in await unit.clusters()}
        assert held == {"first": (53.5, -6.5), "three": (None, None)}
        shown = ["rename_cluster", "set_cluster_location", "add_cluster_like", "delete_cluster", "restore_geo"]
        assert below.asked == shown

    asyncio.run(act())


def test_ha_parameters_are_noted_as_they_would_be() -> None:
    async def act() -> None:
        unit, below = on_paper()
        await unit.set_ha_mode("master")
        found = await unit.ha_parameters()
        assert found is not None
        assert (found.mode, found.partner) == ("master", "10.9.9.9")
        assert below.asked == ["set_ha_mode"]

    asyncio.run(act())
