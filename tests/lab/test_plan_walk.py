"""A plan's steps with the design's waits end with every link green in every combination of HA states."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.plan.model import Step
from geoplan.topology.model import Site, Topology
from tests.lab.support import Walk, example, pair, red_in_any_state, settle, simulate, standalone, topology

TWO_GROUPS = topology(
    pair(1),
    pair(2),
    standalone(1),
    standalone(2),
    groups={"a": ["Pair 1", "Standalone 1"], "b": ["Pair 2", "Standalone 2"]},
)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    kinds = draw(st.lists(st.sampled_from(["prefer", "none", "standalone"]), min_size=2, max_size=5))
    sites = []
    for number, kind in enumerate(kinds, start=1):
        preferred = "none" if kind == "none" else "master"
        sites.append(standalone(number) if kind == "standalone" else pair(number, preferred_host=preferred))
    return topology(*sites)


@pytest.mark.parametrize("section", ["5.1", "5.2", "5.3", "5.4"])
def test_the_document_s_topologies_end_green(section: str) -> None:
    walk = Walk(simulate(example(section)), example(section)).run()
    assert red_in_any_state(walk.simulation, walk.plan) == set()


def test_groups_end_green_beside_each_other() -> None:
    walk = Walk(simulate(TWO_GROUPS), TWO_GROUPS).run()
    assert red_in_any_state(walk.simulation, walk.plan) == set()


@settings(max_examples=30, deadline=None)
@given(topologies())
def test_any_topology_ends_green_and_knows_every_cluster_everywhere(of: Topology) -> None:
    walk = Walk(simulate(of), of).run()
    assert red_in_any_state(walk.simulation, walk.plan) == set()
    for unit in walk.network.units.values():
        assert {cluster.name for _, cluster in walk.network.geo.clusters(unit)} == {site.name for site in of.sites}


class WithoutOne(Walk):
    """Leaves one pair's resubmission out."""

    left_out = ""

    def resubmit(self, step: Step) -> None:
        if step.site != self.left_out:
            super().resubmit(step)


class TooLate(WithoutOne):
    """Resubmits one pair's partners only when its master is active again."""

    def resubmit(self, step: Step) -> None:
        if step.site == self.left_out:
            settle(self.simulation)
            active = self.active(step.site)
            self.network.set_parameter(active, "geopartners", self.plan.values(step))
        else:
            super().resubmit(step)


class TooEarly(WithoutOne):
    """Reboots one pair's master before its slave has the lists: nothing before it takes any time."""

    def before_reboot(self, step: Step) -> None:
        if step.site != self.left_out:
            super().before_reboot(step)


def _with_mistake(walk_class: type[WithoutOne], of: Topology, site: str) -> WithoutOne:
    walk = walk_class(simulate(of), of)
    walk.left_out = site
    walk.run()
    return walk


@settings(max_examples=30, deadline=None)
@given(topologies().filter(lambda of: any(site.ha_pair for site in of.sites)), st.data())
def test_leaving_out_any_one_pair_s_resubmission_shows_red(of: Topology, data: st.DataObject) -> None:
    site = data.draw(st.sampled_from([site.name for site in of.sites if site.ha_pair]))
    walk = _with_mistake(WithoutOne, of, site)
    slave = walk.network.pair(site).slave.address
    red = red_in_any_state(walk.simulation, walk.plan)
    assert red
    assert all(slave in entry for entry in red)


def _has_preferred_master(site: Site) -> bool:
    return site.ha_pair is not None and site.ha_pair.preferred_host == "master"


@settings(max_examples=30, deadline=None)
@given(topologies().filter(lambda of: any(map(_has_preferred_master, of.sites))), st.data())
def test_a_resubmission_after_the_master_is_back_shows_red(of: Topology, data: st.DataObject) -> None:
    site = data.draw(st.sampled_from([site.name for site in of.sites if _has_preferred_master(site)]))
    walk = _with_mistake(TooLate, of, site)
    assert red_in_any_state(walk.simulation, walk.plan)


@settings(max_examples=30, deadline=None)
@given(topologies().filter(lambda of: any(site.ha_pair for site in of.sites)))
def test_a_reboot_before_the_slave_had_the_lists_shows_red(of: Topology) -> None:
    first_rebooted = next(site.name for site in of.sites if site.ha_pair)
    walk = _with_mistake(TooEarly, of, first_rebooted)
    assert red_in_any_state(walk.simulation, walk.plan)


def test_a_slave_that_never_submitted_is_red_elsewhere_at_once_and_its_own_pair_sees_it_after_the_failover() -> None:
    walk = _with_mistake(WithoutOne, example(), "HA Pair 1")
    network = walk.network
    master, slave = network.pair("HA Pair 1").master, network.pair("HA Pair 1").slave
    standalone_unit = network.unit("172.24.1.9")
    assert dict(network.partners.status_of(standalone_unit))[slave.address] is False
    assert all(green for _, green in network.partners.status_of(master))

    walk.simulation.fail_over("HA Pair 1")
    settle(walk.simulation)
    assert network.is_active(slave)
    assert not any(green for _, green in network.partners.status_of(slave))


def test_standalones_need_no_last_resubmission() -> None:
    of = example()
    walk = Walk(simulate(of), of)
    walk.plan = walk.plan.model_copy(
        update={
            "steps": tuple(
                s for s in walk.plan.steps if s.on.unit != "standalone" or s.action != "resubmit_geo_partners"
            )
        }
    )
    walk.run()
    assert red_in_any_state(walk.simulation, walk.plan) == set()
