"""An HA pair: whether it is one, which unit is active, and how what it has reaches the standby.

    parameters agree, both up ───────▶ the pair forms: the master is active ──▶ the slave has what the active has
    active goes down ──── failover_seconds ───▶ the standby is active
    unit comes up    ──── joins as standby ───▶ has what the active has ──▶ a preferred master takes over
    active changes   ──── sync_seconds ───────▶ the standby has that change
    standby changes  ──── sync_seconds ───────▶ the active has that change: in Azure alone
    parameters agree no more ────────▶ each unit is by itself

By itself a unit is active in mode single or master; in mode slave it is the standby of whatever it polls, and active
``failover_seconds`` after nothing answers that. Nothing but the parameters parts a pair: while one unit is down it
stays one. A unit that rebooted too often is pacified: it neither joins nor receives.

Guesses, since the document tells of working pairs alone: a slave takes over also from a partner with which it never
formed a pair; once active by itself it polls nobody; a pair that forms again has its master active, whoever was before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.lab.device.geo import later_of
from geoplan.lab.device.pairing import ha_status, have_same_mode, pairing_of, reaches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.lab.clock import Clock, Timer, Timings
    from geoplan.lab.device.geo import Entries, ReplicationLog
    from geoplan.lab.device.parameters import Value
    from geoplan.lab.device.unit import Configuration, Unit


class Pair:
    """Two units of which, while they form a pair, at most one is active. A fresh pair's master is.

    With ``goes_both_ways`` the standby takes changes too, and they reach the active (HA for Azure).

    ``master`` and ``slave`` are the topology's; HA goes by the units' own modes. ``active`` is None while there is
    no pair. ``on_change`` is called whenever time, and not a caller, has changed something.
    """

    def __init__(  # noqa: PLR0913 - two units and their world
        self,
        master: Unit,
        slave: Unit,
        *,
        clock: Clock,
        timings: Timings,
        spread: ReplicationLog,
        on_change: Callable[[], None],
        goes_both_ways: bool = False,
    ) -> None:
        self.master = master
        self.slave = slave
        self.is_formed = False
        self.ever_same_mode = False
        """Whether both units were ever master, or both slave, at one moment."""
        self.active: Unit | None = None
        self.last_active = master
        self.replicates = True
        """Whether the standby gets what the active has; broken, it keeps what it had, also when it takes over."""
        self._goes_both_ways = goes_both_ways
        self._clock = clock
        self._timings = timings
        self._spread = spread
        self._on_change = on_change
        self._takeover: Timer | None = None
        self._heir: Unit | None = None
        self._deliveries: list[Timer] = []
        self._active_alone: set[Unit] = set()
        self._takeovers_alone: dict[Unit, Timer] = {}
        self.reconsider()

    @property
    def units(self) -> tuple[Unit, Unit]:
        """Both units, the topology's master first."""
        return self.master, self.slave

    @property
    def preferred(self) -> Unit:
        """The unit in mode master; where none or both are, the topology's."""
        return self.slave if self.slave.ha.mode == "master" != self.master.ha.mode else self.master

    @property
    def prefers_master(self) -> bool:
        """Whether the master takes over again once it is up: *Prefer Master*, or *No Preferred Host* (6.2)."""
        return self.preferred.ha.prefer_master

    @property
    def standby(self) -> Unit | None:
        """The unit that would take over if the active went now."""
        if self.active is None:
            return None
        partner = self.partner_of(self.active)
        return partner if partner.takes_part else None

    @property
    def unpaired_because(self) -> tuple[str, ...]:
        """Why the units form no pair; empty if they do."""
        if self.is_formed:
            return ()
        absent = (f"{unit.address} takes no part in HA now" for unit in self.units if not unit.takes_part)
        return (*pairing_of(self.master, self.slave).reasons, *absent)

    def partner_of(self, unit: Unit) -> Unit:
        """Return the other unit."""
        return self.slave if unit is self.master else self.master

    def is_active(self, unit: Unit) -> bool:
        """Return whether a unit is active, as one of the pair or by itself."""
        if not unit.takes_part:
            return False
        return self.active is unit if self.is_formed else unit in self._active_alone

    def status_of(self, unit: Unit) -> str | None:
        """Return the HA state that a unit shows, or None for one that is single or not up."""
        return ha_status(unit, self.partner_of(unit), is_active=self.is_active(unit))

    def mode_changed(self, unit: Unit) -> None:
        """Start a unit again in the HA mode that it was given."""
        self._active_alone.discard(unit)
        self.reconsider(newcomer=unit)

    def reconsider(self, newcomer: Unit | None = None) -> None:
        """Form or part after parameters, a firmware, a secret or power has changed, or stay as it is.

        When it parts, the active unit stays active, but for a ``newcomer`` to its mode.
        """
        self.ever_same_mode = self.ever_same_mode or have_same_mode(self.master, self.slave)
        is_possible = pairing_of(self.master, self.slave).is_possible
        if self.is_formed and not is_possible:
            self._part(newcomer)
        elif not self.is_formed and is_possible and all(unit.takes_part for unit in self.units):
            self._form()
        if not self.is_formed:
            for unit in (self.preferred, self.partner_of(self.preferred)):
                self._stand_alone(unit)

    def went_down(self, unit: Unit) -> None:
        """Go on without a unit. What had not yet reached the standby is lost."""
        self._stop_deliveries()
        if unit is self.active:
            self.active = None
            self._expect_takeover(heir=None)
        self.reconsider()

    def came_up(self, unit: Unit) -> None:
        """Take in a unit that is up: it joins the active one, or, with none there, may become it."""
        was_formed = self.is_formed
        self.reconsider()
        if not unit.takes_part or not (was_formed and self.is_formed):
            return
        if self.active is None:
            self._expect_takeover(heir=self._heir)
            return
        self._join(self.active, unit)
        if unit is self.preferred and self.prefers_master:
            self._activate(unit)

    def takes_changes(self, unit: Unit) -> bool:
        """Return whether a unit takes synchronised settings: an active one, and in Azure the standby too."""
        return self.is_active(unit) or (self._goes_both_ways and self.is_formed and unit is self.standby)

    def changed_on_standby(self, settings: Mapping[str, Value]) -> None:
        """Bring what was written on the standby to the active in ``sync_seconds``: these settings, and GEO entries."""
        if self.standby:
            seconds, geo = self._timings.sync_seconds, self.standby.configuration.geo
            self._deliveries.append(self._clock.call_later(seconds, lambda: self._deliver_back(settings, geo)))

    def changed(self) -> None:
        """Replicate the active's configuration as it is now: the standby has it in ``sync_seconds``."""
        if self.active is None:
            return
        present = self.active.configuration
        self._deliveries.append(self._clock.call_later(self._timings.sync_seconds, lambda: self._deliver(present)))

    def set_replication(self, *, works: bool) -> None:
        """Break the replication, or let it work again: the standby then has all that the active has."""
        self.replicates = works
        self.changed()

    def set_timings(self, timings: Timings) -> None:
        """Let this pair be as fast as that from now on; what is on its way to the standby does not arrive."""
        self._timings = timings
        self._stop_deliveries()

    def hand_over(self) -> bool:
        """Hand over from the active to the standby; return whether there was a standby."""
        standby = self.standby
        if self.active is None or standby is None:
            return False
        self._join(self.active, standby)
        self.active = None
        self._expect_takeover(heir=standby)
        return True

    def settle_standby(self) -> None:
        """Give the standby at once all that the active unit has."""
        if self.active and self.standby:
            self._join(self.active, self.standby)

    def prefer(self) -> None:
        """Let the master take over that stands by and is preferred from now on; that it does so at once is a guess."""
        if self.is_formed and self.prefers_master and self.standby is self.preferred:
            self.hand_over()

    # -- a pair or not -----------------------------------------------------------------------------------------------

    def _form(self) -> None:
        """Become a pair: the master is active, the slave its standby."""
        self.is_formed = True
        self._active_alone.clear()
        for unit in self.units:
            self._stop_takeover_alone(unit)
        self._activate(self.preferred)

    def _part(self, newcomer: Unit | None) -> None:
        """Be a pair no more."""
        self._stop_deliveries()
        if self._takeover:
            self._takeover.cancel()
        self._takeover = self._heir = None
        self._active_alone = {self.active} - {newcomer} if self.active else set()
        self.is_formed, self.active = False, None

    def _stand_alone(self, unit: Unit) -> None:
        """Let a unit by itself be active, or the standby of what it polls."""
        if not unit.takes_part:
            self._active_alone.discard(unit)
        elif unit.ha.mode != "slave":
            self._active_alone.add(unit)
        if not unit.takes_part or unit in self._active_alone or self._is_answered(unit):
            self._stop_takeover_alone(unit)
        elif unit not in self._takeovers_alone:
            takeover = self._clock.call_later(self._timings.failover_seconds, lambda: self._take_over_alone(unit))
            self._takeovers_alone[unit] = takeover

    def _is_answered(self, unit: Unit) -> bool:
        """Return whether a unit by itself gets an answer from an active partner when it polls (section 4)."""
        partner = self.partner_of(unit)
        return reaches(unit, partner) and self.is_active(partner)

    def _take_over_alone(self, unit: Unit) -> None:
        del self._takeovers_alone[unit]
        self._active_alone.add(unit)
        self._on_change()

    def _stop_takeover_alone(self, unit: Unit) -> None:
        takeover = self._takeovers_alone.pop(unit, None)
        if takeover:
            takeover.cancel()

    # -- a pair's active and standby ---------------------------------------------------------------------------------

    def _expect_takeover(self, heir: Unit | None) -> None:
        self._heir = heir
        if self._takeover is None:
            self._takeover = self._clock.call_later(self._timings.failover_seconds, self._take_over)

    def _take_over(self) -> None:
        self._takeover = None
        preferred = self.preferred
        order = (self._heir, preferred, self.partner_of(preferred))
        candidates = [unit for unit in order if unit and unit.takes_part]
        self._heir = None
        if self.active is None and candidates:
            self._activate(candidates[0])
            self._on_change()

    def _activate(self, unit: Unit) -> None:
        self.active = self.last_active = unit
        standby = self.standby
        if standby:
            self._join(unit, standby)

    def _join(self, active: Unit, joining: Unit) -> None:
        """Give a standby what the active has.

        What the joining unit alone ever had, because it died too early, is lost; what another unit has had as well
        is not, and the later change of an entry wins.
        """
        self._stop_deliveries()
        if not self.replicates:
            return
        kept = self._spread.of(joining.configuration.geo)
        together = active.configuration.with_geo(later_of(active.configuration.geo, kept))
        active.configuration = together
        self._receive(joining, together)

    def _deliver(self, configuration: Configuration) -> None:
        self._deliveries.pop(0)
        standby = self.standby
        if standby and self.replicates:
            self._receive(standby, configuration)
            self._on_change()

    def _deliver_back(self, settings: Mapping[str, Value], geo: Entries) -> None:
        """Give the active what was written on the standby; it comes back with all that the active has besides."""
        self._deliveries.pop(0)
        if self.active and self.replicates:
            own = self.active.configuration
            self._receive(self.active, own.with_settings(settings).with_geo(later_of(own.geo, geo)))
            self.changed()
            self._on_change()

    def _receive(self, unit: Unit, configuration: Configuration) -> None:
        self._spread.record(configuration.geo)
        unit.configuration = configuration

    def _stop_deliveries(self) -> None:
        for delivery in self._deliveries:
            delivery.cancel()
        self._deliveries.clear()
