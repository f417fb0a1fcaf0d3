"""Whatever happens in whatever order, the state machine keeps the rules of HA and of shared GEO configuration."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from geoplan.lab.clock import Timings
from geoplan.lab.device.geo import Cluster, Key, ReplicationStamp
from geoplan.lab.device.network import Network, NotActiveError
from geoplan.lab.device.unit import Power, Unit
from geoplan.lab.errors import LabError
from tests.lab.support import Rehearsal, pair, simulate, standalone, topology

SITES = ("Pair 1", "Pair 2", "Standalone 1")
ADDRESSES = ("10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2", "10.1.1.1")
CLUSTERS = (*ADDRESSES, "192.0.2.1", "192.0.2.2")
EVERYONE = ADDRESSES

addresses = st.sampled_from(ADDRESSES)
sites = st.sampled_from(SITES)


class Lab(RuleBasedStateMachine):
    """Two pairs and a standalone, to which anything may happen."""

    simulation: Rehearsal
    network: Network

    @initialize(
        first=st.sampled_from(["master", "none"]),
        second=st.sampled_from(["master", "none"]),
        sync_seconds=st.sampled_from([1.0, 5.0]),
    )
    def start(self, first: str, second: str, sync_seconds: float) -> None:
        of = topology(pair(1, preferred_host=first), pair(2, preferred_host=second), standalone(1))
        self.simulation = simulate(of, timings=Timings(boot_seconds=3, failover_seconds=0.5, sync_seconds=sync_seconds))
        self.network = self.simulation.network
        # For every cluster that may not be lost: its latest change, and the only unit that has had it so far.
        self.kept: dict[Key, tuple[ReplicationStamp, Unit | None]] = {}

    # -- what may happen ---------------------------------------------------------------------------------------------

    @rule(site=sites, everyone=st.booleans(), named=st.sets(addresses))
    def enter_access(self, site: str, everyone: bool, named: set[str]) -> None:
        self._write(site, "geoclients", EVERYONE if everyone else tuple(sorted(named)))

    @rule(site=sites, everyone=st.booleans(), named=st.sets(addresses))
    def submit_partners(self, site: str, everyone: bool, named: set[str]) -> None:
        self._write(site, "geopartners", EVERYONE if everyone else tuple(sorted(named)))

    @rule()
    def become_partners(self) -> None:
        for name in ("geoclients", "geopartners"):
            for site in SITES:
                self._write(site, name, EVERYONE)

    @rule(site=sites, address=st.sampled_from(CLUSTERS))
    def put_cluster(self, site: str, address: str) -> None:
        unit = self._active(site)
        if unit:
            self.network.geo.put_cluster(unit, Cluster(address, f"at {address}"))
            key = self._key(address)
            self.kept[key] = (unit.configuration.geo[key].changed, unit)

    @rule(site=sites, address=st.sampled_from(CLUSTERS))
    def remove_cluster(self, site: str, address: str) -> None:
        unit = self._active(site)
        if unit:
            self.network.geo.remove_cluster(unit, address)
            self.kept.pop(self._key(address), None)

    @rule(address=addresses)
    def write_on_a_standby(self, address: str) -> None:
        unit = self.network.unit(address)
        if not self.network.is_active(unit):
            before = unit.configuration
            try:
                self.network.set_parameter(unit, "geoclients", ("10.9.9.9",))
            except NotActiveError:
                assert unit.configuration is before
            else:
                raise AssertionError("a unit that is not active took a synchronised setting")

    @rule(address=addresses)
    def reboot(self, address: str) -> None:
        unit = self.network.unit(address)
        remembered = unit.submitted
        self._forget_what_dies_with(unit)
        self.network.reboot(unit)
        assert unit.submitted == remembered

    @rule(address=addresses)
    def cut_power(self, address: str) -> None:
        self._forget_what_dies_with(self.network.unit(address))
        self.simulation.power_off(address)

    @rule(address=addresses)
    def give_power(self, address: str) -> None:
        self.simulation.power_on(address)

    @rule(site=st.sampled_from(SITES[:2]))
    def fail_over(self, site: str) -> None:
        try:
            self.simulation.fail_over(site)
        except LabError:
            assert self.network.pair(site).standby is None

    @rule(seconds=st.sampled_from([0.05, 0.3, 0.5, 1, 2.9, 3, 10, 400]))
    def wait(self, seconds: float) -> None:
        self.simulation.clock.advance(seconds)

    # -- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def the_active_unit_of_a_pair_is_one_and_up(self) -> None:
        for ha in self.network.pairs.values():
            active = [unit for unit in (ha.master, ha.slave) if self.network.is_active(unit)]
            assert len(active) <= 1
            assert active == ([ha.active] if ha.active else [])

    @invariant()
    def no_cluster_is_doubled(self) -> None:
        for unit in self.network.units.values():
            shown = [address for address, _ in self.network.geo.clusters(unit)]
            assert len(shown) == len(set(shown))

    @invariant()
    def none_is_lost_that_another_unit_has_had(self) -> None:
        for key, (changed, only) in list(self.kept.items()):
            holders = [
                unit
                for unit in self.network.units.values()
                if key in unit.configuration.geo and unit.configuration.geo[key].changed >= changed
            ]
            assert holders, f"{key} is gone"
            if only and holders != [only]:
                self.kept[key] = (changed, None)

    @invariant()
    def partners_joined_by_green_links_share_one_configuration(self) -> None:
        active = [unit for unit in self.network.units.values() if self.network.is_active(unit)]
        for one in active:
            for other in active:
                if self.network.partners.is_green(one, other):
                    assert one.configuration.geo == other.configuration.geo

    @invariant()
    def green_is_mutual_and_submitted_on_both_sides(self) -> None:
        for one, other in map(tuple, self.network.partners):
            assert self.network.partners.is_green(one, other) == self.network.partners.is_green(other, one)
            assert one.submitted is not None
            assert other.submitted is not None
            assert other.address in one.submitted
            assert one.address in other.submitted

    @rule()
    def everything_converges(self) -> None:
        """With all units up and nothing more to happen, a pair's units have the same."""
        for unit in self.network.units.values():
            if unit.power is not Power.UP or unit.pacified:
                self._forget_what_dies_with(unit)
                self.simulation.power_off(unit.address)
                self.simulation.power_on(unit.address)
        self.simulation.clock.advance(20)
        for ha in self.network.pairs.values():
            assert ha.active is not None
            assert ha.standby is not None
            assert ha.active.configuration == ha.standby.configuration

    # -- helpers -----------------------------------------------------------------------------------------------------

    def _active(self, site: str) -> Unit | None:
        units = [unit for unit in self.network.units.values() if unit.site == site]
        return next((unit for unit in units if self.network.is_active(unit)), None)

    def _write(self, site: str, name: str, value: tuple[str, ...]) -> None:
        unit = self._active(site)
        if unit:
            self.network.set_parameter(unit, name, value)
            assert name != "geopartners" or unit.submitted == value

    def _forget_what_dies_with(self, unit: Unit) -> None:
        """A cluster may be lost when its active dies before any other unit had it."""
        if self.network.is_active(unit):
            self.kept = {key: kept for key, kept in self.kept.items() if kept[1] is not unit}

    def _key(self, address: str) -> Key:
        masters = {"10.0.1.2": "10.0.1.1", "10.0.2.2": "10.0.2.1"}
        return Key("cluster", masters.get(address, address))


TestLab = Lab.TestCase
TestLab.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
