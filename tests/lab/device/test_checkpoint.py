"""Moments to which a network can go back."""

from __future__ import annotations

import pytest

from geoplan.lab.device.checkpoint import Checkpoint
from geoplan.lab.device.geo import Cluster
from tests.lab.support import A1, M1, S1, Walk, example, settle, simulate


def test_going_back_leaves_nothing_of_what_was_done() -> None:
    simulation = simulate()
    Walk(simulation, example()).run()
    network = simulation.network
    before = {**simulation.state(), "seconds": 0}
    kept = Checkpoint(network, simulation.clock)
    simulation.power_off(A1)
    simulation.cut("HA Pair 1", "HA Pair 2")
    simulation.break_replication("HA Pair 2")
    simulation.forget_partners(S1)
    network.geo.put_cluster(network.unit(M1), Cluster("10.9.9.9", "new"))
    simulation.reboot(M1)
    kept.restore()
    assert {**simulation.state(), "seconds": 0} == before
    settle(simulation)  # nor does anything come of it later
    assert {**simulation.state(), "seconds": 0} == before


def test_a_moment_at_which_something_is_under_way_is_none() -> None:
    simulation = simulate()
    simulation.reboot(M1)
    with pytest.raises(ValueError, match="under way"):
        Checkpoint(simulation.network, simulation.clock)
