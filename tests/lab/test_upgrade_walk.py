"""Upgrades and downgrades carried along simulated LoadMasters, as their runbooks say."""

from __future__ import annotations

import pytest

from geoplan import Topology
from geoplan.plan.model import Action, Step
from geoplan.plan.upgrade import make_upgrade
from tests.lab.support import (
    Rehearsal,
    Walk,
    health,
    pair,
    red_entries,
    settle,
    simulate,
    standalone,
    status,
    topology,
    v1,
)

SECRET = "chosen-before-it-began"  # noqa: S105 - the lab's
ACTIVE, STANDBY = 200, 503
A_MOMENT = 1.0  # longer than a failover of the lab, shorter than a boot


class UpgradeWalk:
    """Does what a runbook says, and looks at every pair whenever a unit is down."""

    def __init__(self, of: Topology, present: str, to: str) -> None:
        self.lab: Rehearsal = simulate(of, firmware=present)
        Walk(self.lab, of).run()
        settle(self.lab)
        running = {unit.address: present for site in of.sites for unit in site.units}
        self.plan = make_upgrade(of, to, running)
        self.to = to
        self.waiting = {site.name: [unit.address for unit in site.units] for site in of.sites}
        self.updated = ""

    def run(self) -> None:
        for step in self.plan.steps:
            if step.action is Action.SET_PARTNER_SECRET:
                assert status(v1(self.lab, self.updated, "setlmcommsecret", secret=SECRET)) == 200
                settle(self.lab)
            elif step.action is Action.VERIFY_UPDATED_PAIR:
                assert set(self.states(step.site)) == {ACTIVE, STANDBY}
            else:
                self.update(step)

    def update(self, step: Step) -> None:
        waiting = self.waiting[step.site]
        if step.on.unit == "standby":
            (self.updated,) = (address for address in waiting if health(self.lab, address) == STANDBY)
        else:  # the only one that is left
            (self.updated,) = waiting
        waiting.remove(self.updated)
        self.lab.upgrade(self.updated, self.to)
        self.lab.clock.advance(A_MOMENT)
        assert health(self.lab, self.updated) is None
        for site in self.plan.sites:
            if site.kind == "ha_pair":
                assert ACTIVE in self.states(site.name)
        settle(self.lab)

    def states(self, site: str) -> list[int | None]:
        return [health(self.lab, unit.address) for unit in self.plan.site(site).units]


@pytest.mark.parametrize("preferred_host", ["master", "none"])
@pytest.mark.parametrize(
    ("present", "to"),
    [
        ("7.2.48.4", "7.2.54.9"),
        ("7.2.48.4", "7.2.59.4"),
        ("7.2.59.4", "7.2.48.4"),
        ("7.2.54.12", "7.2.59.0"),
        ("7.2.54.12", "7.2.59.4"),
    ],
)
def test_every_pair_serves_throughout_and_is_whole_in_the_end(preferred_host: str, present: str, to: str) -> None:
    of = topology(pair(1, preferred_host=preferred_host), pair(2, preferred_host=preferred_host), standalone(3))
    walk = UpgradeWalk(of, present, to)
    walk.run()

    assert not any(walk.waiting.values())
    assert {unit.firmware.text for unit in walk.lab.network.units.values()} == {to}
    for site in of.sites:
        if site.ha_pair and preferred_host == "master":
            assert walk.states(site.name) == [ACTIVE, STANDBY]
    assert red_entries(walk.lab) == []
