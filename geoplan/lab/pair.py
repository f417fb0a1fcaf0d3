"""An HA pair: which unit is active, and how what it has reaches the standby.

    active goes down ──── failover_seconds ───▶ the standby is active
    unit comes up    ──── joins as standby ───▶ has what the active has ──▶ a preferred master takes over
    active changes   ──── sync_seconds ───────▶ the standby has that change

A unit that rebooted too often is pacified: it neither joins nor receives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.lab.geo import later_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.lab.clock import Clock, Timer
    from geoplan.lab.geo import Spread
    from geoplan.lab.timings import Timings
    from geoplan.lab.unit import Configuration, Unit


class Pair:
    """Two units of which at most one is active. A fresh pair's master is.

    ``on_change`` is called whenever time, and not a caller, has changed something.
    """

    def __init__(  # noqa: PLR0913 - two units and their world
        self,
        master: Unit,
        slave: Unit,
        *,
        clock: Clock,
        timings: Timings,
        spread: Spread,
        on_change: Callable[[], None],
    ) -> None:
        self.master = master
        self.slave = slave
        self.active: Unit | None = master
        self.last_active = master
        self._clock = clock
        self._timings = timings
        self._spread = spread
        self._on_change = on_change
        self._takeover: Timer | None = None
        self._heir: Unit | None = None
        self._deliveries: list[Timer] = []

    @property
    def prefers_master(self) -> bool:
        """Whether the master takes over again once it is up: *Prefer Master*, or *No Preferred Host* (6.2)."""
        return self.master.ha.prefer_master

    @property
    def standby(self) -> Unit | None:
        """The unit that would take over if the active went now."""
        if self.active is None:
            return None
        partner = self.partner_of(self.active)
        return partner if partner.takes_part else None

    def partner_of(self, unit: Unit) -> Unit:
        """Return the other unit."""
        return self.slave if unit is self.master else self.master

    def went_down(self, unit: Unit) -> None:
        """See that a unit is gone. What had not yet reached the standby does not reach it any more."""
        self._stop_deliveries()
        if unit is self.active:
            self.active = None
            self._expect_takeover(heir=None)

    def came_up(self, unit: Unit) -> None:
        """See that a unit is up: it joins the active one, or, with none there, may become it."""
        if not unit.takes_part:
            return
        if self.active is None:
            self._expect_takeover(heir=self._heir)
            return
        self._join(self.active, unit)
        if unit is self.master and self.prefers_master:
            self._activate(unit)

    def changed(self) -> None:
        """See that the active's configuration has changed: the standby has it as it is now in ``sync_seconds``."""
        if self.active is None:
            return
        present = self.active.configuration
        self._deliveries.append(self._clock.call_later(self._timings.sync_seconds, lambda: self._deliver(present)))

    def hand_over(self) -> bool:
        """Let the active step down in good order for the standby; tell whether there was one to step up."""
        standby = self.standby
        if self.active is None or standby is None:
            return False
        self._join(self.active, standby)
        self.active = None
        self._expect_takeover(heir=standby)
        return True

    def _expect_takeover(self, heir: Unit | None) -> None:
        self._heir = heir
        if self._takeover is None:
            self._takeover = self._clock.call_later(self._timings.failover_seconds, self._take_over)

    def _take_over(self) -> None:
        self._takeover = None
        candidates = [unit for unit in (self._heir, self.master, self.slave) if unit and unit.takes_part]
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
        kept = self._spread.of(joining.configuration.geo)
        together = active.configuration.with_geo(later_of(active.configuration.geo, kept))
        active.configuration = together
        self._receive(joining, together)

    def _deliver(self, configuration: Configuration) -> None:
        self._deliveries.pop(0)
        standby = self.standby
        if standby:
            self._receive(standby, configuration)
            self._on_change()

    def _receive(self, unit: Unit, configuration: Configuration) -> None:
        self._spread.record(configuration.geo)
        unit.configuration = configuration

    def _stop_deliveries(self) -> None:
        for delivery in self._deliveries:
            delivery.cancel()
        self._deliveries.clear()
