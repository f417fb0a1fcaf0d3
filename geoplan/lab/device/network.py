"""All units of a topology and everything that happens among them, without a single socket.

This is the state machine of the lab. ``pair`` holds the rules of HA, ``partners`` those of GEO partners; here stand
power and what is entered on a unit, and the order in which one thing leads to another:

    whatever happens ──▶ the pair's state follows ──▶ partners with a green link share ──▶ replication is under way
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from geoplan.lab.clock import Timings
from geoplan.lab.device.geo import ReplicationLog
from geoplan.lab.device.geo_entries import GeoEntries
from geoplan.lab.device.pair import Pair
from geoplan.lab.device.parameters import GEO_PARTNERS, PARAMETERS, SESSION_CONTROL, Value, canonical
from geoplan.lab.device.partners import Directory, Partners
from geoplan.lab.device.unit import Configuration, HaParameters, Power, Unit, fresh_units
from geoplan.lab.errors import LabError, NotInLabError
from geoplan.lab.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.lab.clock import Clock, Timer
    from geoplan.lab.device.unit import Firmware
    from geoplan.topology import model

MAX_REBOOTS = 3
DEFAULT_EPOCH = 1_767_225_600.0  # the first second of 2026, for clocks that are simulated
REBOOT_WINDOW_SECONDS = 300.0  # WUI guide, HA Mode: more than 3 reboots in 5 minutes
HaState = Literal["Active", "Standby", "Passive", "HA not configured"]


class NotActiveError(Exception):
    """A synchronised setting was to be written on a unit that is not active."""


class Network:
    """The simulated LoadMasters of a topology.

    ``secret`` is the Partner Shared Secret that all units start with, as operators have to arrange it. ``firmware``
    is every unit's; without it each has the topology's, or the default. ``unpaired`` units of a pair have no HA mode
    and parameters yet. ``epoch`` is the time of day, in seconds since 1970, at which the lab's clock shows 0; boot
    times are told by it. ``variants`` say in what units are otherwise. ``on_change`` is called after everything that
    happens.
    """

    def __init__(  # noqa: PLR0913 - options
        self,
        topology: model.Topology,
        clock: Clock,
        timings: Timings | None = None,
        *,
        firmware: str | None = None,
        secret: str | None = "a secret of the lab",  # noqa: S107 - it guards nothing
        unpaired: bool = False,
        epoch: float = DEFAULT_EPOCH,
        variants: frozenset[Variant] = frozenset(),
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.epoch = epoch
        self.timings = timings or Timings()
        self.clock = clock
        self._on_change = on_change
        self._spread = ReplicationLog()
        self._boots: dict[Unit, Timer] = {}
        self._upgrades: dict[Unit, Firmware] = {}
        self.units = {unit.address: unit for unit in fresh_units(topology, firmware, secret, unpaired=unpaired)}
        if Variant.V2_WANTS_BASIC in variants:
            for unit in self.units.values():
                unit.configuration = unit.configuration.with_settings({SESSION_CONTROL: False})
        for unit in self.units.values():
            unit.pairs_with_other_secrets = Variant.SECRETS_KEEP_HA in variants
        self._directory = Directory(self.units.values())
        self.partners = Partners(
            self._directory,
            links_ignore_access=Variant.LINKS_IGNORE_ACCESS in variants,
            cuts_end_links=Variant.CUTS_END_LINKS in variants,
        )
        self.geo = GeoEntries(
            clock,
            topology.limits.max_clusters,
            pair_at=self.pair_at,
            require_active=self.require_active,
            after_write=self.after_write,
            maps_go=Variant.MAPS_GO in variants,
        )
        self._goes_both_ways = Variant.AZURE in variants
        self.pairs = {site.name: self._pair(site.ha_pair) for site in topology.sites if site.ha_pair}
        self._active_since = {unit: unit.booted for unit in self.units.values() if self.is_active(unit)}

    def unit(self, address: str) -> Unit:
        """Return the unit of an address, its own or NATed one; raises :class:`NotInLabError` where there is none."""
        try:
            found = self._directory.find(address)
        except ValueError:
            found = None
        if found is None:
            raise NotInLabError(f"the lab has no unit {address}", hint=f"its units are {', '.join(self.units)}")
        return found

    def find(self, address: str) -> Unit | None:
        """Return the unit of an address, its own or its NATed one, or None for one outside the lab."""
        return self._directory.find(address)

    def pair(self, site: str) -> Pair:
        """Return a site's pair; raises :class:`NotInLabError` where it has none."""
        if site not in self.pairs:
            pairs = ", ".join(f"'{name}'" for name in self.pairs) or "none"
            raise NotInLabError(f"the lab has no HA pair '{site}'", hint=f"its pairs are {pairs}")
        return self.pairs[site]

    def pair_of(self, unit: Unit) -> Pair | None:
        """Return the pair of a unit, or None for a standalone."""
        return self.pairs.get(unit.site)

    def is_active(self, unit: Unit) -> bool:
        """Return whether a unit handles traffic and takes settings.

        That does a pair's active one, a standalone that is up, and a unit without a working partner as ``pair`` has it.
        """
        pair = self.pair_of(unit)
        return unit.takes_part and (pair is None or pair.is_active(unit))

    def ha_status(self, unit: Unit) -> str | None:
        """Return the HA state that a unit shows (section 8), or None for one that is single or not up."""
        pair = self.pair_of(unit)
        return pair.status_of(unit) if pair else None

    def ha_state(self, unit: Unit) -> HaState:
        """Return what ``hastatus`` says of a unit (Interface Description); a cloud unit is passive until HA is set."""
        if unit.ha.mode == "single":
            return "HA not configured"
        if not unit.ha.is_complete or unit.pacified:
            return "Passive"
        return "Active" if self.is_active(unit) else "Standby"

    def active_since(self, unit: Unit) -> float | None:
        """Return when a unit became active, in seconds of the lab's clock, or None for one that is not."""
        return self._active_since.get(unit)

    def time_of_day(self, moment: float) -> int:
        """Return a moment of the lab's clock in seconds since 1970."""
        return int(self.epoch + moment)

    def pair_at(self, address: str) -> Pair | None:
        """Return the pair one of whose units has this very address, not its NATed one, or None."""
        unit = self._directory.find(address)
        return self.pair_of(unit) if unit and canonical(unit.address) == canonical(address) else None

    def is_served(self, address: str) -> bool:
        """Return whether what an address stands for is up: a pair, or a unit; all outside the lab is."""
        pair = self.pair_at(address)
        if pair and pair.is_formed:
            return pair.active is not None
        unit = self.find(address)
        return unit is None or unit.takes_part

    def require_active(self, unit: Unit) -> None:
        """Raise :class:`NotActiveError` on a unit that takes no synchronised settings."""
        pair = self.pair_of(unit)
        if not (self.is_active(unit) or (pair and pair.takes_changes(unit))):
            raise NotActiveError(f"{unit.address} is not the active unit")

    def set_parameter(self, unit: Unit, name: str, value: Value) -> None:
        """Write a setting, and submit it where it is the partners list.

        Raises :class:`NotActiveError` for one that is synchronised, on a unit that is not active. A standby in Azure
        takes it; that a partners list which is entered there is not submitted is a guess.
        """
        if name in PARAMETERS and not PARAMETERS[name].synchronised:
            unit.own[name] = value
            unit.changed = self.clock.now()
            return
        self.require_active(unit)
        unit.configuration = unit.configuration.with_settings({name: value})
        if name == GEO_PARTNERS and isinstance(value, tuple) and self.is_active(unit):
            self.partners.submit(unit, value)
        self.after_write(unit, {name: value})

    def set_ha(self, unit: Unit, parameters: HaParameters) -> None:
        """Replace a unit's HA mode and parameters, be it active or standby; its pair may form or part by that."""
        before, unit.ha = unit.ha, parameters
        is_other_mode = parameters.mode != before.mode
        if is_other_mode or parameters.health_check_port != before.health_check_port:
            unit.is_polled = False
        pair = self.pair_of(unit)
        if pair and is_other_mode:
            pair.mode_changed(unit)
        elif pair:
            pair.reconsider()
            if parameters.prefer_master and not before.prefer_master:
                pair.prefer()
        self._settle()

    def set_secret(self, unit: Unit, secret: str) -> None:
        """Set the Partner Shared Secret of this unit alone; by it partners of HA and GEO connect, or do not."""
        unit.secret = secret
        pair = self.pair_of(unit)
        if pair:
            pair.reconsider()
        self._settle()

    def upgrade(self, unit: Unit, firmware: Firmware) -> None:
        """Give a unit another firmware from its next boot on; it keeps what it has.

        Into a firmware that brings the Partner Shared Secret it comes without one.
        """
        self._upgrades[unit] = firmware

    def note_poll(self, unit: Unit) -> None:
        """Note that something has polled a unit's health check and had its answer (section 8)."""
        unit.is_polled = True

    def after_write(self, unit: Unit, settings: Mapping[str, Value] = MappingProxyType({})) -> None:
        """Replicate what was written on a unit, entries and these settings.

        To its partners it goes at once, to its standby in ``sync_seconds``, and from a standby to its active unit.
        """
        unit.changed = self.clock.now()
        pair = self.pair_of(unit)
        if pair and unit is pair.standby:
            pair.changed_on_standby(settings)
        else:
            self._replicate(unit)
        self._settle()

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
        """Finish the boot of a unit now."""
        if unit.power is Power.BOOTING:
            self._stop_boot(unit)
            self._come_up(unit)

    def fail_over(self, site: str) -> None:
        """Hand over from a pair's active unit to its standby, both of them up; nothing is lost by that.

        It stays so even with *Prefer Master*, until the master comes up the next time.

        Raises :class:`LabError` for a site without a pair, or with no standby to take over.
        """
        if not self.pair(site).hand_over():
            raise LabError(
                f"'{site}' has no standby that could take over", hint="wait until both units are up and form a pair"
            )
        self._settle()

    def lose_configuration(self, unit: Unit) -> None:
        """Take a unit's synchronised settings, its GEO configuration and its memory of submitted partners.

        What is its own business stays: HA parameters, the shared secret, credentials, hostname.
        """
        unit.configuration = Configuration()
        self.partners.forget(unit)
        self._replicate(unit)
        self._settle()

    def parts(self) -> tuple[object, ...]:
        """Return what joins the units, beside the pairs: all else that changes with them."""
        return self.partners, self._spread

    def forget_partners(self, unit: Unit) -> None:
        """Take a unit's memory of submitted partners and its links; its lists stay: it never submitted them."""
        self.partners.forget(unit)
        self._settle()

    def cut(self, site: str, *others: str) -> None:
        """Cut the network between a site and others. Raises :class:`NotInLabError` for a site that is not there."""
        self.partners.cut(self._site(site), map(self._site, others))
        self._settle()

    def mend(self, site: str) -> None:
        """Mend the network of a site. Raises :class:`NotInLabError` for a site that is not there."""
        self.partners.mend(self._site(site))
        self._settle()

    def set_replication(self, site: str, *, works: bool) -> None:
        """Break the replication of a pair, or let it work again. Raises :class:`NotInLabError` where there is none."""
        self.pair(site).set_replication(works=works)
        self._settle()

    def _site(self, name: str) -> str:
        sites = dict.fromkeys(unit.site for unit in self.units.values())
        if name not in sites:
            known = ", ".join(f"'{site}'" for site in sites)
            raise NotInLabError(f"the lab has no site '{name}'", hint=f"its sites are {known}")
        return name

    def _settle(self) -> None:
        """Share entries among active partners, and replicate to the standbys what that changes."""
        active = [unit for unit in self.units.values() if self.is_active(unit)]
        self._active_since = {unit: self._active_since.get(unit, self.clock.now()) for unit in active}
        for unit in self.partners.share(active, self._spread):
            unit.changed = self.clock.now()
            self._replicate(unit)
        self._on_change()

    def _replicate(self, unit: Unit) -> None:
        """Replicate from the active unit of this one's pair to its standby."""
        pair = self.pair_of(unit)
        if pair:
            pair.changed()

    def _go_down(self, unit: Unit) -> None:
        was_up = unit.is_up
        unit.power = Power.OFF
        unit.is_polled = False
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
        self._finish_upgrade(unit)
        unit.power = Power.UP
        unit.booted = self.clock.now()
        pair = self.pair_of(unit)
        if pair:
            pair.came_up(unit)
        self._settle()

    def _finish_upgrade(self, unit: Unit) -> None:
        firmware = self._upgrades.pop(unit, None)
        if firmware is None:
            return
        if not (unit.firmware.has_partner_secret and firmware.has_partner_secret):
            unit.secret = None
        unit.previous, unit.firmware = unit.firmware, firmware

    def _pair(self, units: model.HaPair) -> Pair:
        master, slave = self.units[units.master.address], self.units[units.slave.address]
        return Pair(
            master,
            slave,
            clock=self.clock,
            timings=self.timings,
            spread=self._spread,
            on_change=self._settle,
            goes_both_ways=self._goes_both_ways,
        )
