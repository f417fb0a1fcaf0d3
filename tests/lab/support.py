"""What the lab's tests share: a lab without sockets, and the plan's steps walked on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from geoplan.lab.clock import SimulatedClock, Timings
from geoplan.lab.device.unit import Credentials, Unit
from geoplan.lab.http import Outcome, Request
from geoplan.lab.serve.endpoints import Endpoints, UnitEndpoint
from geoplan.lab.simulation import Simulation
from geoplan.plan.model import Action, Plan, Step
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology

TOPOLOGIES = Path(__file__).parents[2] / "topologies"
CREDENTIALS = Credentials("bal", "correct horse", "the-key")
BASIC = {"authorization": "Basic " + base64.b64encode(b"bal:correct horse").decode()}
FORM = {"content-type": "application/x-www-form-urlencoded"}

M1, S1, M2, S2, A1, A2 = "172.24.1.5", "172.24.1.6", "172.24.1.8", "172.24.1.7", "172.24.1.9", "172.24.1.10"
MOMENT = 0.001


def example(section: str = "5.4") -> Topology:
    return load_topology(TOPOLOGIES / f"section-{section}.yaml")


def topology(*sites: Mapping[str, Any], **settings: Any) -> Topology:
    return Topology.model_validate({"sites": list(sites), **settings})


def pair(number: int, *, preferred_host: str = "master") -> dict[str, Any]:
    units = {"master": f"10.0.{number}.1", "slave": f"10.0.{number}.2", "preferred_host": preferred_host}
    return {"name": f"Pair {number}", "ha_pair": units}


def standalone(number: int) -> dict[str, Any]:
    return {"name": f"Standalone {number}", "standalone": f"10.1.{number}.1"}


class Rehearsal(Simulation):
    """A simulation whose clock tests advance; 3 s a boot, 0.5 s a failover, 1 s a replication."""

    clock: SimulatedClock


def simulate(of: Topology | None = None, **options: Any) -> Rehearsal:
    options.setdefault("timings", Timings(boot_seconds=3, failover_seconds=0.5, sync_seconds=1))
    options.setdefault("rate_limit", None)  # these tests ask faster than any client may
    return Rehearsal(of or example(), SimulatedClock(), credentials=CREDENTIALS, **options)


def v1(
    simulation: Simulation,
    address: str,
    command: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] = BASIC,
    **parameters: Any,
) -> Outcome:
    encoded = urlencode(parameters)
    if method == "POST":
        request = Request("POST", f"/access/{command}", "", {**headers, **FORM}, encoded.encode())
    else:
        request = Request("GET", f"/access/{command}", encoded, headers)
    return simulation.handle(address, request)


def v2(
    simulation: Simulation,
    address: str,
    command: str,
    *,
    identity: Mapping[str, str] | None = None,
    **parameters: Any,
) -> Outcome:
    content = {"cmd": command, **(identity or {"apiuser": "bal", "apipass": "correct horse"}), **parameters}
    return simulation.handle(address, Request("POST", "/accessv2", body=json.dumps(content).encode()))


def read_v2(simulation: Simulation, address: str, command: str, **parameters: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(body(v2(simulation, address, command, **parameters)))
    return content


def body(outcome: Outcome) -> str:
    """Return what a whole answer says."""
    assert outcome.response
    assert outcome.ending == "answered"
    return outcome.response.body.decode("iso-8859-1")


def status(outcome: Outcome) -> int:
    assert outcome.response
    return outcome.response.status


def health(simulation: Simulation, address: str) -> int | None:
    """Return the status of a health check, or nothing where it is refused."""
    outcome = simulation.check_health(address, Request("GET", "/"))
    return outcome.response.status if outcome.response else None


def endpoints_of(simulation: Simulation) -> Endpoints:
    units = {
        address: UnitEndpoint(
            f"https://127.0.0.1:{20001 + 2 * number}", f"http://127.0.0.1:{20002 + 2 * number}", "sha256:" + "6f" * 32
        )
        for number, address in enumerate(simulation.network.units)
    }
    return Endpoints(units, "http://127.0.0.1:20000")


def settle(simulation: Rehearsal, seconds: float = 60) -> None:
    """Let all that is under way come to its end."""
    simulation.clock.advance(seconds)


def red_entries(simulation: Simulation) -> list[tuple[str, str]]:
    """Return every partner entry that is red on the active unit of a site, as (unit, partner)."""
    network = simulation.network
    active = [unit for unit in network.units.values() if network.is_active(unit)]
    return [(u.address, partner) for u in active for partner, green in network.partners.status_of(u) if not green]


def red_in_any_state(simulation: Rehearsal, plan: Plan) -> set[tuple[str, str]]:
    """Return the red entries over every combination of HA states of the pairs."""
    red: set[tuple[str, str]] = set()
    pairs = [site.name for site in plan.sites if site.kind == "ha_pair"]
    for states in product(("master", "slave"), repeat=len(pairs)):
        for name, wanted in zip(pairs, states, strict=True):
            pair = simulation.network.pair(name)
            if pair.active is not getattr(pair, wanted):
                simulation.fail_over(name)
                settle(simulation)
            assert pair.active is getattr(pair, wanted)
        red.update(red_entries(simulation))
    return red


class Walk:
    """Walks a plan's steps on a simulation with the waits of the design; subclasses go wrong on purpose."""

    def __init__(self, simulation: Rehearsal, of: Topology) -> None:
        self.simulation = simulation
        self.network = simulation.network
        self.plan = make_plan(of)
        self.clock = simulation.clock

    def run(self) -> Walk:
        for step in self.plan.steps:
            self.step(step)
        settle(self.simulation)
        return self

    def step(self, step: Step) -> None:
        match step.action:
            case Action.SET_REMOTE_GEO_ACCESS:
                self.network.set_parameter(self.active(step.on.site), "geoclients", self.plan.values(step))
            case Action.SET_GEO_PARTNERS:
                self.network.set_parameter(self.active(step.on.site), "geopartners", self.plan.values(step))
            case Action.REBOOT_MASTER:
                self.before_reboot(step)
                self.network.reboot(self.network.pair(step.site).master)
            case Action.RESUBMIT_GEO_PARTNERS:
                self.resubmit(step)
            case Action.ADD_CLUSTER:
                self.until_all_up()
                address, name, _ = self.plan.values(step)
                unit = self.active(step.on.site).address
                assert status(v1(self.simulation, unit, "addcluster", ip=address, name=name)) == 200
                modified = v1(self.simulation, unit, "modcluster", ip=address, type="remoteLM")
                assert status(modified) == 200

    def before_reboot(self, step: Step) -> None:
        self.until_all_up()
        lists = self.plan.site(step.site)
        slave = self.network.pair(step.site).slave
        self.until(
            lambda: (slave.remote_geo_access, slave.geo_partners) == (lists.remote_geo_access, lists.geo_partners)
        )

    def resubmit(self, step: Step) -> None:
        if step.on.unit == "new_active":
            pair = self.network.pair(step.site)
            self.until(lambda: pair.active is pair.slave)
        else:
            self.until_all_up()
        self.network.set_parameter(self.active(step.on.site), "geopartners", self.plan.values(step))

    def active(self, site: str) -> Unit:
        pair = self.network.pairs.get(site)
        if pair is None:
            return next(unit for unit in self.network.units.values() if unit.site == site)
        assert pair.active
        return pair.active

    def until_all_up(self) -> None:
        self.until(lambda: all(unit.is_up for unit in self.network.units.values()))

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(1000):
            if condition():
                return
            due = self.clock.next_due()
            assert due is not None, "nothing more is going to happen"
            self.clock.advance_to(due)
        raise AssertionError("never came true")
