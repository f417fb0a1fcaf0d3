"""Units of a topology in simulated time, on which pushes are carried out and watched."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from geoplan.lab.clock import SimulatedClock
from geoplan.lab.clock import Timings as LabTimings
from geoplan.lab.device.network import REBOOT_WINDOW_SECONDS
from geoplan.lab.device.unit import Credentials
from geoplan.lab.simulation import Simulation
from geoplan.live.findings.clusters import OLD
from geoplan.live.fleet import Fleet
from geoplan.loadmaster import ApiKey, Secret, SystemTrust, Timeouts, UserPassword, unit_connections
from geoplan.loadmaster.clients import connected
from geoplan.push import journal
from geoplan.push.run import run_push
from geoplan.push.store import Store, addresses_of, unit_keys
from geoplan.twin.arrivals import Watch
from geoplan.twin.evidence import entered_lists
from geoplan.twin.loop import EPOCH, SimulatedTime, clock_of_the_lab
from geoplan.twin.transport import LabTransport, call_of
from geoplan.twin.watch import is_read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from geoplan.lab.device.network import Network
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.http import Outcome, Request
    from geoplan.lab.variants import Variant
    from geoplan.live.polling import Timings
    from geoplan.plan.model import Plan
    from geoplan.push.listener import PushListener
    from geoplan.push.options import Options
    from geoplan.push.run import PushResult
    from geoplan.topology.model import Topology
    from geoplan.twin.transport import Way

USER = "bal"
PASSWORD = "PassphraseOfTheTwin"  # noqa: S105 - of simulated units
KEY = "a key of the twin"
TRUST = SystemTrust()


@dataclass(frozen=True)
class UnitsAtStart:
    """The units as they begin, and how fast they are."""

    topology: Topology
    """Of all units that there are."""
    lab_timings: LabTimings
    firmware: str | None = None
    variants: tuple[Variant, ...] = ()
    unpaired: bool = False
    """Whether the units of pairs begin by themselves, so that a push forms the pairs."""
    longest_delay: float = 0.0
    """How long each way of a request takes at most, in seconds."""


class Stage:
    """A lab in simulated time, watched while pushes go on in it. ``seed`` draws the delays of requests."""

    def __init__(  # noqa: PLR0913 - what a stage is
        self,
        start: UnitsAtStart,
        plan: Plan,
        folder: Path,
        *,
        options: Options,
        timings: Timings,
        seed: int = 0,
        has_key: bool = False,
    ) -> None:
        self.start = start
        self.plan = plan
        self.folder = folder
        self.options = options
        self.timings = timings
        self.sync_seconds = start.lab_timings.sync_seconds
        self.time = SimulatedTime()
        self.ways: list[Way] = []
        """What lies between the push and its units."""
        self.former: list[Plan] = []
        """What the same units were pushed to before."""
        self.on_change: list[Callable[[], None]] = []
        """Called after everything that happens to units."""
        self.reboots_before = 0
        """How often units were rebooted before the push that is watched."""
        self.kept: dict[str, frozenset[str]] = {}
        """The clusters that sites have to keep in a change."""
        self.removes_unknown = False
        self.has_key = has_key
        self._chance = random.Random(-seed - 1)  # noqa: S311 - not for secrets
        self.simulation = Simulation(
            start.topology,
            clock_of_the_lab(),
            timings=start.lab_timings,
            firmware=start.firmware,
            credentials=Credentials(USER, PASSWORD, KEY),
            variants=start.variants,
            unpaired=start.unpaired,
            epoch=EPOCH.timestamp(),
            on_change=self._changed,
        )
        self.watch = Watch(self)
        self._handle = self.simulation.handle
        self.simulation.handle = self._watched  # type: ignore[method-assign]
        self._check_health = self.simulation.check_health
        self.simulation.check_health = self._watched_health  # type: ignore[method-assign]

    @property
    def broken(self) -> list[str]:
        """What was wrong with the way, or with the end."""
        return self.watch.broken

    @property
    def network(self) -> Network:
        """All units as they really are."""
        return self.simulation.network

    @property
    def clock(self) -> SimulatedClock:
        """The lab's time, which is the only one."""
        clock = self.simulation.clock
        if not isinstance(clock, SimulatedClock):
            raise TypeError("the lab's time is not simulated")
        return clock

    @property
    def store(self) -> Store:
        """What is kept of pushes to these units; nobody else can reach them, so their locks are with it."""
        return Store(self.folder, unit_keys(addresses_of(self.plan)), self.folder / "locks")

    @property
    def is_unfinished(self) -> bool:
        """Whether a push is to be resumed."""
        return any(history.records and not history.is_finished for history in journal.histories(self.folder))

    def active_unit(self, site: str) -> Unit | None:
        """Return a site's active unit, or None where not exactly one is active."""
        units = [unit for unit in self.network.units.values() if unit.site == site and self.network.is_active(unit)]
        return units[0] if len(units) == 1 else None

    async def push_once(self, listener: PushListener, *, resume: bool = False) -> PushResult:
        """Start a push as a process of its own would. Raises what :func:`run_push` raises."""
        self.watch.begin_push()
        self.removes_unknown = self.removes_unknown or self.options.remove_unknown
        async with self.connected_fleet() as fleet:
            return await run_push(fleet, replace(self.options, resume=resume), self.store, listener)

    @asynccontextmanager
    async def connected_fleet(self, *, dry_run: bool = False) -> AsyncIterator[Fleet]:
        """Have the units of the plan at hand, over the real client, while the block lasts."""
        credentials = ApiKey(Secret(KEY)) if self.has_key else UserPassword(USER, Secret(PASSWORD))
        planned = frozenset(addresses_of(self.plan))
        accesses = unit_connections(
            self.start.topology, lambda _a: credentials, trust=TRUST, timeouts=Timeouts(), resolve=self._look_up
        )
        known = {address: access for address, access in accesses.items() if address in planned}
        transport, jitter = self._transport, self._chance.random
        async with connected(known, self.time, transport_of=transport, jitter=jitter, dry_run=dry_run) as units:
            yield Fleet(self.plan, units, self.time, self.timings)

    async def _look_up(self, host: str) -> tuple[str, ...]:  # noqa: ARG002 - of a resolver
        return ()

    def _transport(self, address: str) -> LabTransport:
        return LabTransport(self.simulation, address, self._latency, ways=self.ways, watcher=self.watch)

    def _latency(self) -> float:
        return self._chance.uniform(0.0, self.start.longest_delay)

    # -- what people do ----------------------------------------------------------------------------------------------

    def make_masters_active(self, *, preferred_alone: bool = False) -> bool:
        """Switch over to the master where a slave is active, as a refusal asks for, and a stop for *Prefer Master*."""
        switched = False
        for site, pair in self.network.pairs.items():
            if pair.active is pair.slave and pair.standby and (pair.prefers_master or not preferred_alone):
                self.simulation.fail_over(site)
                switched = True
        return switched

    def restart_pacified(self) -> bool:
        """Bring back what a flapping unit's reboots, beside the push's own, have pacified: after a while."""
        pacified = [unit for unit in self.network.units.values() if unit.pacified]
        for unit in pacified:
            unit.reboots[:] = [moment - REBOOT_WINDOW_SECONDS for moment in unit.reboots]
            self.simulation.power_off(unit.address)
            self.simulation.power_on(unit.address)
        return bool(pacified)

    # -- what is watched ---------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        for look in self.on_change:
            look()

    def _watched_health(self, address: str, request: Request, at: int | None = None) -> Outcome:
        outcome = self._check_health(address, request, at)
        if outcome.response:
            self.watch.health_answered(address, outcome.response.status)
        return outcome

    def _watched(self, address: str, request: Request) -> Outcome:
        call = call_of(request)
        if call and self.simulation.accepts(address):
            self.watch.arrived(address, call)
        outcome = self._handle(address, request)
        if call and call.command == "set":
            self.check_lists()
        if call and self.kept and not is_read(call):
            self.check_kept(f"after '{call.command}' on {address}")
        return outcome

    def check_lists(self, also: frozenset[str] = frozenset()) -> None:
        """See that every list is an old one or a new one; ``also`` are addresses that hands may have entered."""
        if self.former:
            return
        for site in self.plan.sites:
            for planned in site.units:
                unit = self.network.unit(planned.address)
                for name, held, wanted in (
                    ("access", unit.remote_geo_access, site.remote_geo_access),
                    ("partners", unit.geo_partners, site.geo_partners),
                ):
                    if held and held != wanted and not (also and set(held) <= {*wanted, *also}):
                        self.watch.say(f"{planned.address} holds a list of {name} that is neither old nor new")

    def keep(self) -> None:
        """See from now on that who stays together in a change keeps the clusters of each other at every moment."""
        plan, change = self.plan, self.plan.change
        self.kept = {}
        for site in plan.sites if change else ():
            old = change.old_site(site.name) if change else None
            if change is None or old is None or change.part_of(site.name) or change.joined_by(site.name):
                continue
            mates = [each for each in change.old_sites if each.group == old.group and not change.part_of(each.name)]
            found = (change.old_cluster(each.name) for each in mates)
            goes_on = {cluster.name for cluster in plan.clusters}
            self.kept[site.name] = frozenset(each.name for each in found if each and each.name in goes_on)

    def check_kept(self, when: str) -> None:
        """See that nobody who stays has lost the cluster of another one; what is renamed may be there by both names."""
        for site, names in self.kept.items():
            unit = self.active_unit(site)
            if unit is None:
                continue
            held = {cluster.name.removesuffix(OLD) for _, cluster in self.network.geo.clusters(unit)}
            if held and (lost := sorted(names - held)):  # who has none at all has lost its configuration by itself
                self.watch.say(f"'{site}' has lost the clusters {lost}, {when}")

    def check_claim(self, result: PushResult, lost: frozenset[tuple[str, str]] = frozenset()) -> None:
        """See that what a push says of itself is so: complete means that no failover can show a red link.

        ``lost`` are links that nobody could see go.
        """
        if result.is_complete and (red := self.red_in_any_state() - lost):
            self.watch.say(f"it says that it is complete, and red after a failover are {sorted(red)}")

    def check_done(self) -> None:
        """See that every list of which a journal says that it was entered was taken by a unit that was active."""
        for (address, name), entered in entered_lists(self.folder).items():
            taken = self.watch.taken[address, name]
            if entered > taken:
                self.watch.say(f"{address}: {entered} changes of {name} are called done, and {taken} took place")

    def check_standbys(self) -> None:
        """See that every standby has the lists of the plan: it takes over with them."""
        for site, pair in self.network.pairs.items():
            wanted, standby = self.plan.site(site), pair.standby
            if standby and set(standby.geo_partners) != set(wanted.geo_partners):
                self.watch.say(f"it says that it is complete, and {standby.address} has {standby.geo_partners}")

    def check_pairs(self) -> None:
        """See that every pair is one, and was at every moment."""
        for site, pair in self.network.pairs.items():
            if pair.unpaired_because:
                self.watch.say(f"'{site}' is no pair: {pair.unpaired_because}")
            if pair.ever_same_mode:
                self.watch.say(f"both units of '{site}' were in one mode")

    def check_clusters(self) -> None:
        """See that every active unit has the clusters of its group, and no other; after a change others may stay."""
        network, change = self.network, self.plan.change
        for unit in network.units.values():
            if not network.is_active(unit) or (change and unit.site in change.leaving):
                continue
            group = self.plan.site(unit.site).group
            wanted = {cluster.name for cluster in self.plan.clusters if cluster.group == group}
            found = {cluster.name for _, cluster in network.geo.clusters(unit) if cluster.type == "remoteLM"}
            if found != wanted and not (change and wanted <= found):
                self.watch.say(f"'{unit.site}' has the clusters {sorted(found)}")

    def count_reboots(self) -> int:
        """Return how often units were rebooted, for whatever reason."""
        return sum(len(unit.reboots) for unit in self.network.units.values())

    def check_reboots(self, more: int) -> None:
        """See that no more masters were rebooted than planned, and ``more``."""
        reboots = self.count_reboots() - self.reboots_before
        planned = sum(step.action == "reboot_master" for step in self.plan.steps)
        if reboots > planned + more:
            self.watch.say(f"{reboots} reboots where {planned} were planned")

    def red_in_any_state(self) -> set[tuple[str, str]]:
        """Return who would see whom red after failovers, in whatever state of all pairs.

        Of more than :data:`MANY_PAIRS` pairs, with none and with each one failed over alone.
        """
        pairs = list(self.network.pairs.values())
        before = [pair.active for pair in pairs]
        red: set[tuple[str, str]] = set()
        for states in _states_of(len(pairs)):
            for pair, wanted in zip(pairs, states, strict=True):
                pair.active = getattr(pair, wanted)
            for unit in self.network.units.values():
                if self.network.is_active(unit):
                    statuses = self.network.partners.status_of(unit)
                    red |= {(unit.address, other) for other, green in statuses if not green}
        for pair, active in zip(pairs, before, strict=True):
            pair.active = active
        return red


MANY_PAIRS = 4


def _states_of(pairs: int) -> list[tuple[str, ...]]:
    if pairs <= MANY_PAIRS:
        return list(product(("master", "slave"), repeat=pairs))
    return [tuple("slave" if number == failed else "master" for number in range(pairs)) for failed in range(-1, pairs)]
