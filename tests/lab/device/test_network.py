"""The rules of HA, replication and partners, one by one."""

from __future__ import annotations

import pytest

from geoplan.lab.clock import Timings
from geoplan.lab.device.geo import Cluster
from geoplan.lab.device.geo_entries import TooManyClustersError
from geoplan.lab.device.network import Network, NotActiveError
from geoplan.lab.device.unit import Power, Unit
from geoplan.lab.errors import LabError
from tests.lab.support import (
    A1,
    A2,
    M1,
    M2,
    MOMENT,
    S1,
    Rehearsal,
    example,
    pair,
    settle,
    simulate,
    standalone,
    topology,
)

EVERYONE = (M1, S1, M2, "172.24.1.7", A1, A2)


def make_partners(simulation: Rehearsal, *addresses: str) -> None:
    """Enter both lists with everyone in them on these units."""
    for name in ("geoclients", "geopartners"):
        for address in addresses:
            simulation.network.set_parameter(simulation.network.unit(address), name, EVERYONE)


def clusters_of(network: Network, unit: Unit) -> list[str]:
    return [address for address, _ in network.geo.clusters(unit)]


# -- reboots and failovers -------------------------------------------------------------------------------------------


def test_a_master_that_reboots_is_gone_for_a_boot_and_the_slave_is_active_after_a_failover() -> None:
    simulation = simulate()
    network, clock = simulation.network, simulation.clock
    master, slave = network.unit(M1), network.unit(S1)
    network.reboot(master)
    assert not network.is_active(master)
    assert not network.is_active(slave)
    clock.advance(0.5 - MOMENT)
    assert not network.is_active(slave)
    clock.advance(MOMENT)
    assert network.is_active(slave)
    clock.advance(2.5 - MOMENT)
    assert master.power is Power.BOOTING
    assert network.is_active(slave)
    clock.advance(MOMENT)
    assert network.is_active(master)
    assert not network.is_active(slave)


def test_with_no_preferred_host_the_slave_stays_active() -> None:
    simulation = simulate(topology(pair(1, preferred_host="none")))
    network = simulation.network
    network.reboot(network.unit("10.0.1.1"))
    settle(simulation)
    assert network.unit("10.0.1.1").is_up
    assert network.is_active(network.unit("10.0.1.2"))


def test_a_standby_that_reboots_changes_nothing_else() -> None:
    simulation = simulate()
    simulation.network.reboot(simulation.network.unit(S1))
    settle(simulation)
    assert simulation.network.is_active(simulation.network.unit(M1))


def test_after_a_power_cut_of_both_the_first_one_up_is_active_after_a_failover() -> None:
    simulation = simulate(topology(pair(1, preferred_host="none")))
    network = simulation.network
    simulation.power_off("10.0.1.1")
    simulation.power_off("10.0.1.2")
    settle(simulation)
    assert network.pair("Pair 1").active is None
    simulation.power_on("10.0.1.2")
    simulation.clock.advance(3 + 0.5)
    assert network.is_active(network.unit("10.0.1.2"))


def test_the_fourth_reboot_within_five_minutes_pacifies_a_unit_and_power_frees_it() -> None:
    simulation = simulate()
    network = simulation.network
    slave = network.unit(S1)
    for _ in range(3):
        network.reboot(slave)
        settle(simulation, 10)
    assert not slave.pacified
    network.reboot(slave)
    settle(simulation, 10)
    assert slave.pacified
    assert slave.is_up
    network.set_parameter(network.unit(M1), "geoclients", EVERYONE)
    network.reboot(network.unit(M1))
    simulation.clock.advance(2)
    assert network.pair("HA Pair 1").active is None, "a pacified unit does not take over"
    settle(simulation)
    assert slave.remote_geo_access == (), "a pacified unit receives nothing"
    simulation.power_off(S1)
    simulation.power_on(S1)
    settle(simulation)
    assert slave.takes_part
    assert slave.remote_geo_access == EVERYONE


def test_reboots_in_good_time_pacify_nothing() -> None:
    simulation = simulate()
    for _ in range(6):
        simulation.network.reboot(simulation.network.unit(S1))
        settle(simulation, 101)
    assert not simulation.network.unit(S1).pacified


def test_a_failover_no_shorter_than_a_boot_is_refused_at_the_start() -> None:
    with pytest.raises(LabError, match="never be active"):
        Timings(boot_seconds=1, failover_seconds=1)


# -- replication -----------------------------------------------------------------------------------------------------


def test_each_change_reaches_the_standby_after_its_own_sync_seconds() -> None:
    simulation = simulate()
    network, clock = simulation.network, simulation.clock
    master, slave = network.unit(M1), network.unit(S1)
    seen = []
    network.set_parameter(master, "geoclients", (A1,))
    clock.advance(0.6)
    network.set_parameter(master, "geoclients", (A2,))
    for seconds in (0.4 - MOMENT, MOMENT, 0.6):
        clock.advance(seconds)
        seen.append(slave.remote_geo_access)
    assert seen == [(), (A1,), (A2,)]


def test_a_failover_before_the_replication_comes_up_with_the_old_and_gives_it_to_the_returning_master() -> None:
    simulation = simulate()
    network = simulation.network
    master, slave = network.unit(M1), network.unit(S1)
    network.set_parameter(master, "geoclients", EVERYONE)
    network.reboot(master)
    simulation.clock.advance(0.5)
    assert network.is_active(slave)
    assert slave.remote_geo_access == ()
    settle(simulation)
    assert network.is_active(master)
    assert master.remote_geo_access == ()


def test_what_was_on_its_way_does_not_arrive_after_a_failover_however_slow_it_is() -> None:
    simulation = simulate(timings=Timings(boot_seconds=3, failover_seconds=0.5, sync_seconds=10))
    network = simulation.network
    network.set_parameter(network.unit(M1), "geoclients", EVERYONE)
    network.reboot(network.unit(M1))
    settle(simulation)
    assert network.unit(M1).remote_geo_access == network.unit(S1).remote_geo_access == ()


def test_a_returning_standby_has_at_once_what_the_active_has() -> None:
    simulation = simulate()
    network = simulation.network
    network.reboot(network.unit(S1))
    simulation.clock.advance(2.9)
    network.set_parameter(network.unit(M1), "geoclients", EVERYONE)
    simulation.clock.advance(0.1)
    assert network.unit(S1).remote_geo_access == EVERYONE


def test_the_standby_refuses_synchronised_settings_and_takes_its_own() -> None:
    simulation = simulate()
    network = simulation.network
    slave = network.unit(S1)
    with pytest.raises(NotActiveError):
        network.set_parameter(slave, "geopartners", EVERYONE)
    assert slave.submitted is None
    network.set_parameter(slave, "hostname", "lb-two")
    settle(simulation)
    assert slave.setting("hostname") == "lb-two"
    assert network.unit(M1).setting("hostname") != "lb-two"


def test_in_azure_what_is_changed_on_a_standby_reaches_its_active_unit() -> None:
    simulation = simulate(variants=["azure"])
    network, clock = simulation.network, simulation.clock
    master, slave = network.unit(M1), network.unit(S1)
    network.set_parameter(slave, "geosshport", 2022)
    network.geo.put_cluster(slave, Cluster("192.0.2.1", "of the standby"))
    network.set_parameter(master, "geoclients", EVERYONE)  # meanwhile
    clock.advance(1 - MOMENT)
    assert (master.setting("geosshport"), clusters_of(network, master)) == (22, [])
    settle(simulation)
    for unit in (master, slave):
        assert (unit.setting("geosshport"), unit.remote_geo_access) == (2022, EVERYONE)
        assert clusters_of(network, unit) == ["192.0.2.1"]
    network.geo.remove_cluster(slave, "192.0.2.1")
    settle(simulation)
    assert clusters_of(network, master) == []


def test_in_azure_a_list_that_is_entered_on_a_standby_is_no_submission_and_makes_no_link() -> None:
    simulation = simulate(variants=["azure"])
    network = simulation.network
    make_partners(simulation, M1, A1)
    network.partners.forget(network.unit(M1))
    make_partners(simulation, S1)
    settle(simulation)
    assert network.unit(S1).submitted is None
    assert network.unit(M1).geo_partners == EVERYONE
    assert not list(network.partners)


def test_in_azure_what_has_not_reached_the_active_unit_when_that_dies_is_what_the_standby_goes_on_with() -> None:
    simulation = simulate(variants=["azure"])
    network = simulation.network
    network.set_parameter(network.unit(S1), "geosshport", 2022)
    network.power_off(network.unit(M1))
    settle(simulation)
    network.power_on(network.unit(M1))
    settle(simulation)
    assert network.unit(M1).setting("geosshport") == 2022


def test_in_azure_nothing_passes_where_replication_is_broken() -> None:
    simulation = simulate(variants=["azure"])
    network = simulation.network
    simulation.break_replication("HA Pair 1")
    network.set_parameter(network.unit(S1), "geosshport", 2022)
    settle(simulation)
    assert network.unit(M1).setting("geosshport") == 22


# -- partners --------------------------------------------------------------------------------------------------------


def test_a_link_needs_submissions_and_access_on_both_sides() -> None:
    simulation = simulate()
    network = simulation.network
    one, other = network.unit(A1), network.unit(A2)
    network.set_parameter(one, "geoclients", (A1, A2))
    network.set_parameter(one, "geopartners", (A2,))
    network.set_parameter(other, "geopartners", (A1,))
    assert not network.partners.is_green(one, other), "A2 does not give A1 access"
    network.set_parameter(other, "geoclients", (A1, A2))
    assert not network.partners.is_green(one, other), "nobody has submitted since"
    network.set_parameter(other, "geopartners", (A1,))
    assert network.partners.is_green(one, other)
    network.set_parameter(one, "geopartners", (M2,))
    network.set_parameter(one, "geopartners", (A2,))
    assert network.partners.is_green(one, other), "the other's submission is still remembered"
    network.set_parameter(one, "geopartners", ())
    assert not list(network.partners)


def test_no_link_is_made_with_a_unit_that_has_submitted_a_list_without_the_other() -> None:
    simulation = simulate()
    network = simulation.network
    for address in (A1, A2):
        network.set_parameter(network.unit(address), "geoclients", EVERYONE)
    network.set_parameter(network.unit(A1), "geopartners", (M1,))
    network.set_parameter(network.unit(A2), "geopartners", (A1,))
    assert not list(network.partners)


def test_no_link_is_made_while_the_other_is_down_and_a_reboot_breaks_none() -> None:
    simulation = simulate()
    network = simulation.network
    make_partners(simulation, A1, A2)
    one, other = network.unit(A1), network.unit(A2)
    network.reboot(other)
    assert not network.partners.is_green(one, other)
    settle(simulation)
    assert network.partners.is_green(one, other)
    network.set_parameter(one, "geopartners", ())
    network.reboot(other)
    network.set_parameter(one, "geopartners", (A2,))
    settle(simulation)
    assert not network.partners.is_green(one, other)


def test_access_that_is_taken_away_turns_a_link_red_and_back() -> None:
    simulation = simulate()
    network = simulation.network
    make_partners(simulation, A1, A2)
    network.set_parameter(network.unit(A2), "geoclients", (A2,))
    assert dict(network.partners.status_of(network.unit(A1)))[A2] is False
    network.set_parameter(network.unit(A2), "geoclients", EVERYONE)
    assert dict(network.partners.status_of(network.unit(A1)))[A2] is True


@pytest.mark.parametrize(
    ("firmware", "secrets", "green"),
    [
        ("7.2.59.4", ("one secret", "one secret"), True),
        ("7.2.59.4", ("one secret", "other secret"), False),
        ("7.2.59.4", (None, None), False),
        ("7.2.48.6", (None, None), True),
    ],
)
def test_secrets_have_to_match_where_the_firmware_has_them(
    firmware: str, secrets: tuple[str | None, str | None], *, green: bool
) -> None:
    simulation = simulate(firmware=firmware)
    network = simulation.network
    network.unit(A1).secret, network.unit(A2).secret = secrets
    make_partners(simulation, A1, A2)
    assert network.partners.is_green(network.unit(A1), network.unit(A2)) is green


def test_a_nat_address_names_its_unit() -> None:
    of = topology(
        {"name": "One", "standalone": {"address": "10.0.0.1", "nat_address": "198.51.100.1"}},
        {"name": "Other", "standalone": {"address": "10.0.0.2", "nat_address": "198.51.100.2"}},
    )
    simulation = simulate(of)
    network = simulation.network
    for address, partner in (("10.0.0.1", "198.51.100.2"), ("10.0.0.2", "198.51.100.1")):
        network.set_parameter(network.unit(address), "geoclients", (address, partner))
        network.set_parameter(network.unit(address), "geopartners", (partner,))
    assert network.partners.status_of(network.unit("10.0.0.1")) == [("198.51.100.2", True)]
    assert network.unit("198.51.100.1") is network.unit("10.0.0.1")


def test_a_slave_is_linked_at_the_address_that_it_submitted_and_not_at_another_that_it_is_given() -> None:
    of = topology(
        pair(1),
        {"name": "Other", "standalone": {"address": "10.0.0.2", "nat_address": "198.51.100.2"}},
    )
    simulation = simulate(of)
    network = simulation.network
    master, slave, other = map(network.unit, ("10.0.1.1", "10.0.1.2", "10.0.0.2"))
    both = ("10.0.1.1", "10.0.1.2")

    def submit(unit: Unit, address: str) -> None:
        network.set_parameter(unit, "geoclients", (*both, "10.0.0.2", address))
        network.set_parameter(unit, "geopartners", (address,))

    network.set_parameter(other, "geoclients", both)
    network.set_parameter(other, "geopartners", both)
    submit(master, "198.51.100.2")
    simulation.fail_over("Pair 1")
    settle(simulation)
    submit(slave, "198.51.100.2")
    network.set_parameter(other, "geopartners", both)
    assert network.partners.status_of(slave) == [("198.51.100.2", True)]
    simulation.fail_over("Pair 1")
    settle(simulation)
    submit(master, "10.0.0.2")
    network.set_parameter(other, "geopartners", both)
    settle(simulation)
    assert network.partners.status_of(master) == [("10.0.0.2", True)]
    simulation.fail_over("Pair 1")
    settle(simulation)
    assert network.partners.status_of(slave) == [("10.0.0.2", False)]
    submit(slave, "10.0.0.2")
    assert network.partners.status_of(slave) == [("10.0.0.2", True)]


def test_losing_the_configuration_clears_what_a_unit_remembers() -> None:
    simulation = simulate()
    network = simulation.network
    make_partners(simulation, A1, A2)
    simulation.lose_configuration(A1)
    assert network.unit(A1).submitted is None
    assert network.unit(A1).geo_partners == ()
    assert not list(network.partners)


# -- the shared GEO configuration ------------------------------------------------------------------------------------


def test_an_address_of_a_pair_follows_its_active_unit_and_is_the_asked_unit_s_own_on_the_pair() -> None:
    simulation = simulate()
    network = simulation.network
    make_partners(simulation, M1, M2, A1)
    network.geo.put_cluster(network.unit(M2), Cluster(M1, "HA Pair 1"))
    settle(simulation)
    assert clusters_of(network, network.unit(M1)) == [M1]
    assert clusters_of(network, network.unit(S1)) == [S1]
    assert clusters_of(network, network.unit(A1)) == [M1]
    simulation.fail_over("HA Pair 1")
    settle(simulation)
    assert clusters_of(network, network.unit(A1)) == [S1]
    assert clusters_of(network, network.unit(M1)) == [M1]
    assert network.geo.find_cluster(network.unit(A1), M1) == network.geo.find_cluster(network.unit(A1), S1)


def test_two_sides_that_define_one_cluster_share_the_later_one() -> None:
    simulation = simulate()
    network = simulation.network
    network.geo.put_cluster(network.unit(A1), Cluster(M1, "earlier"))
    simulation.clock.advance(1)
    network.geo.put_cluster(network.unit(A2), Cluster(S1, "later"))
    make_partners(simulation, A1, A2)
    for address in (A1, A2):
        assert [cluster.name for _, cluster in network.geo.clusters(network.unit(address))] == ["later"]


def test_a_removal_wins_over_an_earlier_change_even_after_an_outage() -> None:
    simulation = simulate()
    network = simulation.network
    make_partners(simulation, A1, A2)
    network.geo.put_cluster(network.unit(A1), Cluster("192.0.2.1", "gone soon"))
    network.reboot(network.unit(A2))
    network.geo.remove_cluster(network.unit(A1), "192.0.2.1")
    settle(simulation)
    assert clusters_of(network, network.unit(A2)) == []


def test_partners_of_partners_share_too_and_those_of_another_group_do_not() -> None:
    simulation = simulate()
    network = simulation.network
    make_partners(simulation, A1, A2, M1)
    network.set_parameter(network.unit(A1), "geopartners", (M1,))
    network.geo.put_cluster(network.unit(A2), Cluster("192.0.2.1", "by way of HA Pair 1"))
    network.geo.put_fqdn(network.unit(A1), "www.example.com")
    assert clusters_of(network, network.unit(A1)) == ["192.0.2.1"]
    assert [fqdn.name for fqdn in network.geo.fqdns(network.unit(A2))] == ["www.example.com"]
    assert clusters_of(network, network.unit(M2)) == []


def test_what_only_a_dead_active_had_is_lost_to_the_returning_unit() -> None:
    simulation = simulate()
    network = simulation.network
    network.geo.put_cluster(network.unit(M1), Cluster("192.0.2.1", "too late"))
    network.reboot(network.unit(M1))
    settle(simulation)
    assert clusters_of(network, network.unit(M1)) == clusters_of(network, network.unit(S1)) == []


def test_what_another_unit_has_had_survives_two_actives_that_die_before_they_replicate() -> None:
    simulation = simulate()
    network = simulation.network
    make_partners(simulation, M1, M2)
    settle(simulation)
    network.geo.put_cluster(network.unit(M1), Cluster("192.0.2.1", "known to both"))
    network.reboot(network.unit(M1))
    network.reboot(network.unit(M2))
    settle(simulation)
    for unit in network.units.values():
        if unit.site.startswith("HA"):
            assert clusters_of(network, unit) == ["192.0.2.1"]


def test_no_more_clusters_than_the_limit_can_be_defined() -> None:
    simulation = simulate(topology(standalone(1)))
    network, unit = simulation.network, simulation.network.unit("10.1.1.1")
    for number in range(18):
        network.geo.put_cluster(unit, Cluster(f"192.0.2.{number}", f"{number}"))
    with pytest.raises(TooManyClustersError):
        network.geo.put_cluster(unit, Cluster("192.0.2.99", "one too many"))
    network.geo.put_cluster(unit, Cluster("192.0.2.1", "changed"))


def test_the_state_machine_says_which_units_and_pairs_there_are() -> None:
    network = simulate(example()).network
    with pytest.raises(LabError, match=r"no unit 10\.9\.9\.9"):
        network.unit("10.9.9.9")
    with pytest.raises(LabError, match="no HA pair"):
        network.pair("Standalone LoadMaster 1")


# -- what keeps partners and standbys apart --------------------------------------------------------------------------


def test_a_cut_network_makes_links_red_until_it_is_mended() -> None:
    simulation = simulate()
    partners = simulation.network.partners
    make_partners(simulation, M1, M2, A1, A2, M1)
    one, other, third = map(simulation.network.unit, (M1, M2, A1))
    simulation.cut("HA Pair 1", "HA Pair 2")
    assert [partners.obstacle(one, other), partners.obstacle(one, third)] == ["network", None]
    simulation.network.geo.put_cluster(one, Cluster("10.9.9.9", "new"))
    assert "10.9.9.9" in clusters_of(simulation.network, other)  # by way of the others
    simulation.network.cut("HA Pair 1", "Standalone LoadMaster 1", "Standalone LoadMaster 2")
    simulation.network.geo.remove_cluster(one, "10.9.9.9")
    assert "10.9.9.9" in clusters_of(simulation.network, other)
    simulation.mend("HA Pair 1")
    assert partners.is_green(one, other)
    assert "10.9.9.9" not in clusters_of(simulation.network, other)


def test_a_network_of_no_site_cannot_be_cut() -> None:
    with pytest.raises(LabError, match="the lab has no site 'Nowhere'"):
        simulate().cut("HA Pair 1", "Nowhere")


def test_where_replication_is_broken_the_standby_takes_over_with_what_it_had() -> None:
    simulation = simulate()
    network, master, slave = simulation.network, simulation.network.unit(M1), simulation.network.unit(S1)
    network.set_parameter(master, "geoclients", (M1,))
    settle(simulation)
    simulation.break_replication("HA Pair 1")
    network.set_parameter(master, "geoclients", (M1, A1))
    settle(simulation)
    simulation.fail_over("HA Pair 1")
    settle(simulation)
    assert network.is_active(slave)
    assert slave.remote_geo_access == (M1,)
    simulation.mend_replication("HA Pair 1")
    settle(simulation)
    assert master.remote_geo_access == (M1,)


def test_a_unit_that_forgot_its_partners_has_its_lists_and_no_links() -> None:
    simulation = simulate()
    partners = simulation.network.partners
    make_partners(simulation, M1, A1, M1)
    one, other = map(simulation.network.unit, (M1, A1))
    assert partners.is_green(one, other)
    simulation.forget_partners(M1)
    assert one.geo_partners == EVERYONE
    assert partners.obstacle(one, other) == "submission"


@pytest.mark.parametrize("obstacle", ["access", "secret"])
def test_what_keeps_two_units_apart_is_told(obstacle: str) -> None:
    simulation = simulate()
    make_partners(simulation, M1, A1, M1)
    one, other = map(simulation.network.unit, (M1, A1))
    if obstacle == "access":
        simulation.network.set_parameter(one, "geoclients", (M1,))
    else:
        simulation.network.set_secret(one, "another")
    assert simulation.network.partners.obstacle(one, other) == obstacle
