"""All units of a topology and everything that happens among them, without a single socket.

This is the state machine of the lab. ``pair`` holds the rules of HA, ``partners`` those of GEO partners; here stand
power, submissions and the shared clusters, and the order in which one thing leads to another:

    whatever happens ──▶ the pair's state follows ──▶ partners with a green link share ──▶ replication is under way
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from geoplan.lab.addresses import canonical
from geoplan.lab.errors import LabError
from geoplan.lab.firmware import DEFAULT_FIRMWARE, Firmware
from geoplan.lab.geo import Cluster, Entry, Fqdn, Key, Spread, Stamp
from geoplan.lab.pair import Pair
from geoplan.lab.parameters import GEO_PARTNERS, PARAMETERS, Value
from geoplan.lab.partners import Directory, Partners
from geoplan.lab.timings import Timings
from geoplan.lab.unit import Configuration, HaParameters, Power, Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.lab.clock import Clock, Timer
    from geoplan.lab.unit import Role
    from geoplan.topology import model

MAX_REBOOTS = 3
REBOOT_WINDOW_SECONDS = 300.0  # WUI guide, HA Mode: more than 3 reboots in 5 minutes


class NotActiveError(Exception):
    """A synchronised setting was to be written on a unit that is not active."""


class TooManyClustersError(Exception):
    """No room for another GEO cluster (GEO Feature Description, Manage Clusters)."""


class Network:
    """The simulated LoadMasters of a topology.

    ``secret`` is the Partner Shared Secret that all units start with, as operators have to arrange it. ``firmware``
    is every unit's; without it each has the topology's, or the default. ``on_change`` is called after everything
    that happens.
    """

    def __init__(  # noqa: PLR0913 - options
        self,
        topology: model.Topology,
        clock: Clock,
        timings: Timings | None = None,
        *,
        firmware: str | None = None,
        secret: str | None = "a secret of the lab",  # noqa: S107 - it guards nothing
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.timings = timings or Timings()
        self.clock = clock
        self._on_change = on_change
        self._max_clusters = topology.limits.max_clusters
        self._numbers = count(1)
        self._spread = Spread()
        self._boots: dict[Unit, Timer] = {}
        self.units = {unit.address: unit for unit in _units_of(topology, firmware, secret)}
        self._directory = Directory(self.units.values())
        self.partners = Partners(self._directory)
        self.pairs = {site.name: self._pair(site.ha_pair) for site in topology.sites if site.ha_pair}

    # -- who is who --------------------------------------------------------------------------------------------------

    def unit(self, address: str) -> Unit:
        """Return the unit of an address, its own or its NATed one; raises :class:`LabError` where there is none."""
        try:
            found = self._directory.find(address)
        except ValueError:
            found = None
        if found is None:
            raise LabError(f"the lab has no unit {address}", hint=f"its units are {', '.join(self.units)}")
        return found

    def pair(self, site: str) -> Pair:
        """Return a site's pair; raises :class:`LabError` where it has none."""
        if site not in self.pairs:
            pairs = ", ".join(f"'{name}'" for name in self.pairs) or "none"
            raise LabError(f"the lab has no HA pair '{site}'", hint=f"its pairs are {pairs}")
        return self.pairs[site]

    def pair_of(self, unit: Unit) -> Pair | None:
        """Return the pair of a unit, or nothing for a standalone."""
        return self.pairs.get(unit.site)

    def is_active(self, unit: Unit) -> bool:
        """Tell whether a unit handles traffic and takes settings: a pair's active one, or a standalone that is up."""
        pair = self.pair_of(unit)
        return unit.takes_part and (pair is None or pair.active is unit)

    # -- what is entered on a unit -----------------------------------------------------------------------------------

    def set_own(self, unit: Unit, name: str, value: Value) -> None:
        """Write a setting that HA does not synchronise; any unit takes its own."""
        unit.own[name] = value
        self._on_change()

    def set_parameter(self, unit: Unit, name: str, value: Value) -> None:
        """Write a setting, and submit it where it is the partners list.

        Raises :class:`NotActiveError` for one that is synchronised, on a unit that is not active.
        """
        if name in PARAMETERS and not PARAMETERS[name].synchronised:
            self.set_own(unit, name, value)
            return
        self._require_active(unit)
        unit.configuration = unit.configuration.with_settings({name: value})
        if name == GEO_PARTNERS and isinstance(value, tuple):
            self.partners.submit(unit, value)
        self._after_write(unit)

    def put_cluster(self, unit: Unit, cluster: Cluster) -> None:
        """Add a cluster, or change the one at its place.

        Raises :class:`NotActiveError` on a unit that is not active, :class:`TooManyClustersError` at the limit.
        """
        self._require_active(unit)
        known = len(list(self.clusters(unit)))
        if self.find_cluster(unit, cluster.address) is None and known >= self._max_clusters:
            raise TooManyClustersError(
                f"{known} GEO clusters are defined, and no more than {self._max_clusters} can be"
            )
        self._put(unit, self._place(cluster.address), cluster)

    def remove_cluster(self, unit: Unit, address: str) -> None:
        """Remove the cluster at a place; raises :class:`NotActiveError` on a unit that is not active."""
        self._require_active(unit)
        self._put(unit, self._place(address), None)

    def put_fqdn(self, unit: Unit, name: str) -> None:
        """Add an FQDN; raises :class:`NotActiveError` on a unit that is not active."""
        self._require_active(unit)
        self._put(unit, Key("fqdn", name.lower()), Fqdn(name))

    def remove_fqdn(self, unit: Unit, name: str) -> None:
        """Remove an FQDN; raises :class:`NotActiveError` on a unit that is not active."""
        self._require_active(unit)
        self._put(unit, Key("fqdn", name.lower()), None)

    # -- what a unit answers -----------------------------------------------------------------------------------------

    def clusters(self, unit: Unit) -> Iterator[tuple[str, Cluster]]:
        """Yield each cluster with the address by which this unit knows it now, in the order of their making."""
        for entry in _in_order(unit.configuration):
            if isinstance(entry.content, Cluster):
                yield self.address_of(entry.content, unit), entry.content

    def find_cluster(self, unit: Unit, address: str) -> Cluster | None:
        """Return the cluster at a place, by any address that stands for it."""
        entry = unit.configuration.geo.get(self._place(address))
        return entry.content if entry and isinstance(entry.content, Cluster) else None

    def fqdns(self, unit: Unit) -> Iterator[Fqdn]:
        """Yield each FQDN, in the order of their making."""
        for entry in _in_order(unit.configuration):
            if isinstance(entry.content, Fqdn):
                yield entry.content

    def address_of(self, cluster: Cluster, asked: Unit) -> str:
        """Return a cluster's address as a unit gives it.

        An address of a pair's unit stands for the pair (sections 4 and 5): on the pair itself it is the asked unit's
        own, elsewhere the active unit's. A NATed one does not, because HA replaces the units' own addresses only.
        """
        pair = self._pair_at(cluster.address)
        if pair is None:
            return cluster.address
        return (asked if asked in (pair.master, pair.slave) else pair.active or pair.last_active).address

    def cluster_is_up(self, cluster: Cluster) -> bool:
        """Tell whether what a cluster stands for is up; what is outside the lab is."""
        pair = self._pair_at(cluster.address)
        if pair:
            return pair.active is not None
        unit = self._directory.find(cluster.address)
        return unit is None or unit.takes_part

    # -- what happens to a unit --------------------------------------------------------------------------------------

    def reboot(self, unit: Unit, *, returns: bool = True) -> None:
        """Reboot a unit: it is gone at once and, if it returns at all, up again after ``boot_seconds``."""
        if not unit.is_up:
            return
        now = self.clock.now()
        unit.reboots.append(now)
        unit.pacified = sum(now - moment < REBOOT_WINDOW_SECONDS for moment in unit.reboots) > MAX_REBOOTS
        self._go_down(unit)
        if returns:
            self._boot(unit)
        self._settle()

    def power_off(self, unit: Unit) -> None:
        """Cut a unit's power; does nothing where it is off already."""
        self._stop_boot(unit)
        self._go_down(unit)
        self._settle()

    def power_on(self, unit: Unit) -> None:
        """Give a unit power again: it is up after ``boot_seconds``, and no longer pacified."""
        if unit.power is Power.OFF:
            unit.pacified = False
            self._boot(unit)
            self._settle()

    def finish_boot(self, unit: Unit) -> None:
        """Let a unit that is booting be up now."""
        if unit.power is Power.BOOTING:
            self._stop_boot(unit)
            self._come_up(unit)

    def fail_over(self, site: str) -> None:
        """Let a pair's active unit step down for its standby, both of them up; nothing is lost by that.

        Raises :class:`LabError` for a site without a pair, or with no standby to take over.
        """
        if not self.pair(site).hand_over():
            raise LabError(f"'{site}' has no standby that could take over", hint="wait until both units are up")
        self._settle()

    def lose_configuration(self, unit: Unit) -> None:
        """Take a unit's synchronised settings, its GEO configuration and its memory of submitted partners.

        What is its own business stays: HA parameters, the shared secret, credentials, hostname.
        """
        unit.configuration = Configuration()
        self.partners.forget(unit)
        self._replicate(unit)
        self._settle()

    # -- how one thing leads to another ------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Let active partners share what they have, and what this changes be on its way to the standbys."""
        active = [unit for unit in self.units.values() if self.is_active(unit)]
        for unit in self.partners.share(active, self._spread):
            self._replicate(unit)
        self._on_change()

    def _after_write(self, unit: Unit) -> None:
        self._replicate(unit)
        self._settle()

    def _replicate(self, unit: Unit) -> None:
        """Let what the active unit of this one's pair has be on its way to the standby."""
        pair = self.pair_of(unit)
        if pair:
            pair.changed()

    def _go_down(self, unit: Unit) -> None:
        was_up = unit.is_up
        unit.power = Power.OFF
        pair = self.pair_of(unit)
        if pair and was_up:
            pair.went_down(unit)

    def _boot(self, unit: Unit) -> None:
        unit.power = Power.BOOTING
        self._boots[unit] = self.clock.call_later(self.timings.boot_seconds, lambda: self._come_up(unit))

    def _stop_boot(self, unit: Unit) -> None:
        boot = self._boots.pop(unit, None)
        if boot:
            boot.cancel()

    def _come_up(self, unit: Unit) -> None:
        self._boots.pop(unit, None)
        unit.power = Power.UP
        pair = self.pair_of(unit)
        if pair:
            pair.came_up(unit)
        self._settle()

    def _require_active(self, unit: Unit) -> None:
        if not self.is_active(unit):
            raise NotActiveError(f"{unit.address} is not the active unit")

    def _put(self, unit: Unit, key: Key, content: Cluster | Fqdn | None) -> None:
        now = Stamp(self.clock.now(), next(self._numbers))
        known = unit.configuration.geo.get(key)
        created = known.created if known and known.content else now
        entries = {**unit.configuration.geo, key: Entry(created, now, content)}
        unit.configuration = unit.configuration.with_geo(entries)
        self._after_write(unit)

    def _place(self, address: str) -> Key:
        pair = self._pair_at(address)
        return Key("cluster", pair.master.address if pair else canonical(address))

    def _pair_at(self, address: str) -> Pair | None:
        unit = self._directory.find(address)
        return self.pair_of(unit) if unit and canonical(unit.address) == canonical(address) else None

    def _pair(self, units: model.HaPair) -> Pair:
        master, slave = self.units[units.master.address], self.units[units.slave.address]
        return Pair(master, slave, clock=self.clock, timings=self.timings, spread=self._spread, on_change=self._settle)


def _in_order(configuration: Configuration) -> list[Entry]:
    return sorted(configuration.geo.values(), key=lambda entry: entry.created)


def _units_of(topology: model.Topology, firmware: str | None, secret: str | None) -> Iterator[Unit]:
    """Yield a fresh unit for each one of the topology, in order of declaration."""
    for site in topology.sites:
        roles: tuple[Role, ...] = ("master", "slave") if site.ha_pair else ("standalone",)
        for number, (unit, role) in enumerate(zip(site.units, roles, strict=True)):
            version = Firmware(firmware or unit.firmware or DEFAULT_FIRMWARE)
            simulated = Unit(
                address=unit.address,
                nat_address=unit.nat_address,
                site=site.name,
                role=role,
                firmware=version,
                secret=secret if version.has_partner_secret else None,
            )
            if site.ha_pair:
                simulated.ha = HaParameters(
                    partner=site.units[1 - number].address,
                    health_check_port=topology.health_check_port,
                    prefer_master=site.ha_pair.preferred_host == "master",
                )
            simulated.own["hostname"] = "lb-" + unit.address.replace(".", "-").replace(":", "-")
            yield simulated
