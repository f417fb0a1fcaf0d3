"""Live units as they are, in the lab's simulation: what they told, and what they did not tell.

Lists, roles, firmware and power are as told. A link is there if either end said so, or a journal proves it; it is not
there if either end says red without a reason. Of what is left nobody has told: it is taken as there, and each unit's
part of it once more as not there. That partners share their secrets is taken as so where nothing else tells it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import GeoplanError
from geoplan.lab.clock import SimulatedClock
from geoplan.lab.device.network import Network
from geoplan.lab.device.parameters import GEO_PARTNERS, REMOTE_GEO_ACCESS
from geoplan.lab.device.unit import Firmware
from geoplan.lab.errors import LabError
from geoplan.live.links import NOTHING_KNOWN, Colour, links_of
from geoplan.live.model import Cause, State
from geoplan.twin.failures import FailureKind, single_failures
from geoplan.twin.report import Doubt, Row
from geoplan.twin.whatif import try_failures, what_if
from geoplan.twin.world import AS_BEGUN, World

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from geoplan.lab.device.unit import Unit
    from geoplan.live.links import KnownLinks, Link
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan, PlannedUnit, SiteSettings
    from geoplan.topology.model import Topology
    from geoplan.twin.report import Report

Ends = frozenset[str]
"""A link by the addresses of its two units."""


@dataclass(frozen=True)
class Snapshot:
    """What live units told at one moment, and what journals prove of their links."""

    topology: Topology
    plan: Plan
    facts: Observations
    known: KnownLinks = NOTHING_KNOWN

    def world(self, without: Collection[Ends] = (), *, back: str | None = None) -> World:
        """Return the units as they are, with every link that is there or not told, but for those ``without``.

        ``back`` is a unit that is off, and is taken as up again.
        """
        clock = SimulatedClock()
        return self.put_into(Network(self.topology, clock), clock, without, back=back)

    def put_into(
        self, network: Network, clock: SimulatedClock, without: Collection[Ends] = (), *, back: str | None = None
    ) -> World:
        """Let a network's units be like that."""
        world = World(network, clock, [group.sites for group in self.plan.groups])
        for site in self.plan.sites:
            self._set_up(world, site)
        world.settle()
        there = {ends for ends, is_there in self._links.items() if is_there is not False} - {*without}
        for ends in there:
            network.partners.link(*map(network.unit, ends))
        linked = frozenset().union(*there)
        for site in self.plan.sites:
            for unit in map(network.unit, (planned.address for planned in site.units)):
                self._place(unit, site, is_linked=unit.address in linked)
        if back is not None:
            network.power_on(network.unit(back))
        return World(network, clock, world.groups)

    def doubts(self) -> dict[str, frozenset[Ends]]:
        """Return the links of which nobody told whether they are there, by the unit on which that has to be seen.

        That is the standby, which only others can speak for; of two standbys each.
        """
        found: dict[str, set[Ends]] = {}
        for ends, is_there in self._links.items():
            if is_there is None:
                off = [unit for unit in sorted(ends) if self.is_off(unit)]
                standbys = [unit for unit in sorted(ends) if self._state(unit) is not State.ACTIVE]
                for unit in off or standbys or sorted(ends)[:1]:
                    found.setdefault(unit, set()).add(ends)
        return {unit: frozenset(ends) for unit, ends in found.items()}

    def require_told(self) -> None:
        """Check that there is something to try: raises :class:`GeoplanError` where no unit told what it holds."""
        units = tuple(self.facts.units.values())
        if any(unit.remote_geo_access is not None or unit.geo_partners is not None for unit in units):
            return
        failed = next(((unit.address, unit.failure) for unit in units if unit.failure), None)
        why = f": {failed[0]}: {failed[1].message}" if failed else ""
        hint = (failed[1].hint if failed else None) or "geoplan status shows what each unit answers"
        raise GeoplanError(f"no unit told what it holds, so that nothing live can be tried{why}", hint=hint)

    def notes(self) -> tuple[str, ...]:
        """Return what was taken as planned because nobody told it."""
        return tuple(self._notes())

    @cached_property
    def _links(self) -> dict[Ends, bool | None]:
        """Whether each planned link is there; None where nobody told."""
        found: dict[Ends, bool | None] = {}
        for group in self.plan.groups:
            for one, other in combinations(map(self.plan.site, group.sites), 2):
                for unit, partner in product(one.units, other.units):
                    found[frozenset((unit.address, partner.address))] = self._is_there(unit, partner)
        return found

    def _is_there(self, unit: PlannedUnit, partner: PlannedUnit) -> bool | None:
        """Return whether a link is there: what units say now goes before what journals have seen of it."""
        ends = frozenset((unit.address, partner.address))
        links = self._told_of.get(ends, ())
        if self._leaves_out(unit, partner) or self._leaves_out(partner, unit):
            return False
        if any(map(self.is_off, ends)):
            return None  # what a journal has seen of it was before, and what it shows is that it is off
        if any(map(_is_red, links)):
            return False
        if not links and (self._has_none(unit) or self._has_none(partner)):
            return False
        is_known = any(link.is_proven or link.is_unseen for link in links)
        if is_known or self._is_seen(unit, partner) or self._is_seen(partner, unit):
            return True
        return None if links else self._of_standbys(unit, partner)

    @cached_property
    def _told(self) -> tuple[Link, ...]:
        """What the active units say of their partners."""
        found = links_of(self.plan, self.facts, self.known).values()
        return tuple(link for links in found for link in links if link.is_asked)

    @cached_property
    def _told_of(self) -> dict[Ends, list[Link]]:
        """What the active ones of each two units say of each other."""
        found: dict[Ends, list[Link]] = {}
        for link in self._told:
            found.setdefault(frozenset((link.unit, link.partner)), []).append(link)
        return found

    @cached_property
    def _blind(self) -> frozenset[str]:
        """The active units that show every partner red: they have no links, which says nothing of their partners'."""
        reds: dict[str, set[bool]] = {}
        for link in self._told:
            if link.colour is not Colour.NOT_TOLD:
                reds.setdefault(link.unit, set()).add(_is_red(link))
        return frozenset(unit for unit, are_red in reds.items() if are_red == {True})

    def _said_of(self, unit: PlannedUnit) -> list[Link]:
        """Return what the active units of others say of a unit, but for those that see nobody."""
        return [link for link in self._told if link.partner == unit.address and link.unit not in self._blind]

    def _has_none(self, unit: PlannedUnit) -> bool:
        """Return whether nobody sees a unit: it has never submitted, and has no links with standbys either."""
        said = self._said_of(unit)
        return bool(said) and all(map(_is_red, said))

    def _of_standbys(self, unit: PlannedUnit, partner: PlannedUnit) -> bool | None:
        """Return whether two units have a link of which only others can speak.

        Two that have links with everybody have submitted, and so have one with each other, unless a journal says that
        this is still owed.
        """
        if self._is_owed(unit, partner) or self._is_owed(partner, unit):
            return None
        said = (self._said_of(unit), self._said_of(partner))
        return True if all(links and all(link.is_proven for link in links) for links in said) else None

    def _is_owed(self, unit: PlannedUnit, partner: PlannedUnit) -> bool:
        return not _known_as(partner).isdisjoint(self.known.owed.get(canonical(unit.address), ()))

    def _leaves_out(self, unit: PlannedUnit, partner: PlannedUnit) -> bool:
        """Return whether a unit told its partners list, and the other one is not on it."""
        facts = self.facts.unit(unit.address)
        if facts is None or facts.geo_partners is None:
            return False
        return _known_as(partner).isdisjoint(map(canonical, facts.geo_partners))

    def _is_seen(self, unit: PlannedUnit, partner: PlannedUnit) -> bool:
        return not _known_as(partner).isdisjoint(self.known.sights.get(canonical(unit.address), ()))

    def _state(self, address: str) -> State | None:
        facts = self.facts.unit(address)
        if facts is None or facts.role == "standalone":
            return State.ACTIVE
        return facts.state

    def is_off(self, address: str) -> bool:
        """Return whether nothing of a unit answers: neither its API, nor in a pair its health check."""
        facts = self.facts.unit(address)
        if facts is None or facts.failure is None or facts.failure.cause is not Cause.UNREACHABLE:
            return False
        return facts.role == "standalone" or facts.state not in (State.ACTIVE, State.STANDBY)

    def _set_up(self, world: World, site: SiteSettings) -> None:
        """Give the units of a site their firmware, HA mode and power, and let the one be active that is."""
        network = world.network
        for planned in site.units:
            unit, facts = network.unit(planned.address), self.facts.unit(planned.address)
            if facts is None:
                continue
            unit.firmware = _firmware(facts, unit)
            shared = next((each.secret for each in network.units.values() if each.secret), "shared")
            network.set_secret(unit, shared)
            if facts.ha and site.kind == "ha_pair":
                mode, prefers = facts.ha.mode or unit.ha.mode, facts.ha.prefers_master
                prefer_master = unit.ha.prefer_master if prefers is None else prefers
                network.set_ha(unit, replace(unit.ha, mode=mode, prefer_master=prefer_master))
        world.settle()
        active = self.facts.active(site.name)
        pair = network.pairs.get(site.name)
        if pair and active and pair.active is not network.unit(active.address) and pair.standby:
            network.fail_over(site.name)
            world.settle()
        for planned in site.units:
            if self.is_off(planned.address):
                network.power_off(network.unit(planned.address))

    def _place(self, unit: Unit, site: SiteSettings, *, is_linked: bool) -> None:
        """Let a unit hold its lists, whatever is replicated later."""
        access, partners = (_in_order(each) for each in self._lists(unit.address, site))
        settings = {REMOTE_GEO_ACCESS: access, GEO_PARTNERS: partners}
        unit.configuration = unit.configuration.with_settings(settings)
        unit.submitted = partners if is_linked else None

    def _lists(self, address: str, site: SiteSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return both lists as the unit told them, else as its site's active unit did, else as planned."""
        told = [facts for facts in (self.facts.unit(address), self.facts.active(site.name)) if facts]
        access = (each.remote_geo_access for each in told if each.remote_geo_access is not None)
        partners = (each.geo_partners for each in told if each.geo_partners is not None)
        return next(access, site.remote_geo_access), next(partners, site.geo_partners)

    def _notes(self) -> Iterator[str]:
        for site in self.plan.sites:
            for facts in self.facts.of_site(site.name):
                if facts.remote_geo_access is None or facts.geo_partners is None:
                    holder = self.facts.active(site.name)
                    is_told = holder is not None and holder.geo_partners is not None and holder is not facts
                    taken = "as on the active unit" if is_told else "as planned"
                    if self.is_off(facts.address):
                        yield f"{facts.address} does not answer: taken as off, with its lists {taken}"
                    else:
                        why = f" ({facts.failure.message})" if facts.failure else ""
                        yield f"{facts.address} did not tell both lists{why}: taken {taken}"
            if site.kind == "ha_pair" and self.facts.active(site.name) is None:
                yield f"which unit of {site.name} is active was not told by exactly one: taken as by its HA parameters"


def live_what_if(
    snapshot: Snapshot, *, together: Sequence[tuple[str, ...]] = (), failures: int = 1, seed: int = 1
) -> Report:
    """Try every failure from live units as they are; what they did not tell is tried both ways."""
    report = what_if(snapshot.topology, snapshot.world(), together=together, failures=failures, seed=seed)
    known = {row.failures for row in report.faults}
    doubts = tuple(_doubts(snapshot, known))
    return replace(report, is_live=True, doubts=doubts, notes=snapshot.notes())


def _doubts(snapshot: Snapshot, known: Collection[object]) -> Iterator[Doubt]:
    singles = [(each,) for each in single_failures(snapshot.topology) if _may_show(each.kind)]
    for unit, ends in snapshot.doubts().items():
        is_off = snapshot.is_off(unit)
        world, with_them = (snapshot.world(each, back=unit if is_off else None) for each in (ends, ()))
        site = world.network.unit(unit).site
        before, at_once = with_them.go_to(AS_BEGUN).cut_off, world.go_to(AS_BEGUN).cut_off
        own = [each for each in singles if each[0].sites == (site,) and (is_off or each not in known)]
        tried = [(each, try_failures(world, AS_BEGUN, each)) for each in own]
        rows = [Row(each, outcome, (AS_BEGUN,)) for each, outcome in tried if outcome is not None]
        partners = sorted(frozenset().union(*ends) - {unit}, key=list(world.network.units).index)
        lost = tuple(each for each in world.units if is_off and each in at_once - before)
        yield Doubt(site, unit, tuple(partners), tuple(row for row in rows if row.is_fault), is_off, lost)


def _is_red(link: Link) -> bool:
    return link.colour is Colour.RED and not link.is_red_by_nature


def _known_as(unit: PlannedUnit) -> frozenset[str]:
    return frozenset(canonical(address) for address in (unit.address, unit.nat_address) if address)


def _may_show(kind: FailureKind) -> bool:
    """Return whether a failure makes another unit of a site active, which shows whether that one has links."""
    return kind in (FailureKind.UNIT_OFF, FailureKind.FAILOVER)


def _firmware(facts: Observation, unit: Unit) -> Firmware:
    try:
        return Firmware(facts.firmware) if facts.firmware else unit.firmware
    except LabError:  # what it calls itself is no version that anybody knows
        return unit.firmware


def _in_order(addresses: Sequence[str]) -> tuple[str, ...]:
    """Return a list as the set that it is: another order or spelling is no difference."""
    return tuple(sorted(set(map(canonical, addresses))))
