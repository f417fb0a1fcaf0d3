"""Changes in a simulated world: units of both topologies in one lab, in which nothing of who stays is ever lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from geoplan.errors import ChangeRefusedError, PushRefusedError, PushStoppedError
from geoplan.lab.api.request import ApiRequest
from geoplan.lab.clock import Timings as LabTimings
from geoplan.lab.device.unit import Credentials, Unit
from geoplan.lab.http import Outcome, Request
from geoplan.lab.simulation import Simulation
from geoplan.lab.variants import Variant
from geoplan.live.findings.clusters import OLD
from geoplan.live.findings.newcomers import seeded_sites
from geoplan.live.fleet import Fleet
from geoplan.live.polling import Timings
from geoplan.loadmaster import Secret, SystemTrust, UserPassword, unit_connections
from geoplan.loadmaster.clients import connected
from geoplan.plan.change import plan_change
from geoplan.plan.model import Action, Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push import journal
from geoplan.push.options import Options
from geoplan.push.run import PushResult, run_push
from geoplan.topology.model import Topology
from geoplan.twin.loop import EPOCH, SimulatedTime, clock_of_the_lab
from geoplan.twin.rehearsal import Heard
from geoplan.twin.transport import LabTransport, call_of
from geoplan.twin.watch import MODES, PARAMETERS
from tests.push.support import real_store

PASSWORD = "a passphrase of the simulation"  # noqa: S105 - of a lab
BOOT, SYNC = 20.0, 5.0
TRUST = SystemTrust()


def topology(name: str, sites: str, groups: dict[str, list[str]] | None = None, **settings: Any) -> Topology:
    """Return a topology of sites, each written as its name and its addresses, with colons between."""
    written: list[dict[str, Any]] = []
    for site in sites.split():
        called, *addresses = site.split(":")
        pair = {"ha_pair": {"master": addresses[0], "slave": addresses[-1]}}
        written.append({"name": called, **(pair if addresses[1:] else {"standalone": addresses[0]})})
        written[-1].update(settings.get(called, {}))
    timing = {"boot_seconds": BOOT, "sync_seconds": SYNC}
    return Topology.model_validate(
        {"name": name, "sites": written, "timing": timing, **({"groups": groups} if groups else {})}
    )


class ChangingWorld:
    """A lab in simulated time in which several pushes follow each other.

    ``lab`` is a topology of all units that there are.
    """

    def __init__(self, lab: Topology, folder: Path, *, variants: Iterable[Variant] = (), seed: int = 0) -> None:
        self.folder = folder
        self.lab = lab
        self.time = SimulatedTime()
        self.timings = Timings(BOOT, SYNC, grace_seconds=30.0)
        self.broken: list[str] = []
        self.heard = Heard()
        self.sent: list[tuple[str, str]] = []
        """The commands that changed a unit, each behind its address, in their order."""
        self.after_change: Callable[[str, str], None] = lambda _address, _command: None
        """What happens just after a command that changed a unit: given its address and the command."""
        self.plan: Plan | None = None
        """What is pushed."""
        self.kept: dict[str, set[str]] = {}
        """What must never be missing on the active unit of a site: names of clusters and FQDNs.

    A cluster that another one takes the name from goes by its old name until that one is there.
    """
        self._chance = random.Random(seed)  # noqa: S311 - not for secrets
        self.simulation = Simulation(
            lab,
            clock_of_the_lab(),
            timings=LabTimings(boot_seconds=BOOT, failover_seconds=3.0, sync_seconds=SYNC),
            credentials=Credentials("bal", PASSWORD),
            variants=frozenset(variants),
            epoch=EPOCH.timestamp(),
        )
        self._handle = self.simulation.handle
        self.simulation.handle = self._watched  # type: ignore[method-assign]
        self.network = self.simulation.network

    async def push(self, plan: Plan, *, kill_after: float | None = None, **options: Any) -> PushResult:
        """Push a plan to the units of the lab."""
        self.heard = Heard()
        self.plan = plan
        async with asyncio.timeout(kill_after):
            accesses = unit_connections(
                self.lab, lambda _address: UserPassword("bal", Secret(PASSWORD)), trust=TRUST, resolve=None
            )
            planned = {unit.address for site in plan.sites for unit in site.units}
            known = {address: access for address, access in accesses.items() if address in planned}
            async with connected(known, self.time, transport_of=self._transport, jitter=self._chance.random) as units:
                fleet = Fleet(plan, units, self.time, self.timings)
                return await run_push(fleet, Options(**options), real_store(self.folder, plan), self.heard)

    async def push_new(self, new: Topology) -> PushResult:
        """Push a topology to units that have nothing."""
        return await self.push(make_plan(new, (Phase.GEO,)))

    async def change(
        self, old: Topology, new: Topology, *, replaced: tuple[str, ...] = (), **options: Any
    ) -> PushResult:
        """Push what leads from one topology to another."""
        return await self.push(self.plan_of_change(old, new, replaced=replaced), **options)

    def plan_of_change(self, old: Topology, new: Topology, **how: Any) -> Plan:
        return plan_change(new, make_plan(old, (Phase.GEO,)), **how)

    async def change_to_the_end(
        self, plan: Plan, kills: Iterable[float] = (), *, resume: bool = False, **options: Any
    ) -> PushResult:
        """Push a change that is killed after these seconds each, and resumed; a stop is resumed as well."""
        left = list(kills)
        for _ in range(12):
            try:
                return await self.push(plan, kill_after=left.pop(0) if left else None, resume=resume, **options)
            except TimeoutError:
                resume = self.is_unfinished()
            except PushStoppedError:
                resume = True
                self.make_masters_active()
            await asyncio.sleep(40.0)
        raise AssertionError("it never came to an end")

    def is_unfinished(self) -> bool:
        """Return whether a push is to be resumed."""
        return any(history.records and not history.is_finished for history in journal.histories(self.folder))

    def keep(self, names: Iterable[str], sites: Iterable[str]) -> None:
        """See from now on that the active units of these sites have these clusters and FQDNs at every moment."""
        self.kept = {site: set(names) for site in sites}

    def active(self, site: str) -> Unit:
        """Return a site's active unit."""
        return next(unit for unit in self.network.units.values() if unit.site == site and self.network.is_active(unit))

    def names_on(self, unit: Unit) -> set[str]:
        """Return the clusters and FQDNs of a unit."""
        clusters = {cluster.name for _, cluster in self.network.geo.clusters(unit)}
        return clusters | {fqdn.name for fqdn in self.network.geo.fqdns(unit)}

    def reboots(self) -> dict[str, int]:
        """Return how often each unit was rebooted, as far as it was."""
        return {address: len(unit.reboots) for address, unit in self.network.units.items() if unit.reboots}

    def red_in_any_state(self) -> set[tuple[str, str]]:
        """Return who would see whom red after failovers, over every state of up to 4 pairs, beyond each alone."""
        pairs = list(self.network.pairs.values())
        before = [pair.active for pair in pairs]
        states = list(product(("master", "slave"), repeat=len(pairs))) if len(pairs) <= 4 else [
            tuple("slave" if number == other else "master" for other in range(len(pairs)))
            for number in range(-1, len(pairs))
        ]  # fmt: skip
        red: set[tuple[str, str]] = set()
        for state in states:
            for pair, wanted in zip(pairs, state, strict=True):
                pair.active = getattr(pair, wanted)
            for unit in self.network.units.values():
                if self.network.is_active(unit):
                    red |= {
                        (unit.address, other) for other, green in self.network.partners.status_of(unit) if not green
                    }
        for pair, active in zip(pairs, before, strict=True):
            pair.active = active
        return red

    def check_is(self, plan: Plan, may_stay: Collection[str] = ()) -> None:
        """See that every unit holds the plan, with its clusters, and that no failover shows a red link.

        ``may_stay`` are clusters of a group that was split, which FQDNs may use and no push deletes then.
        """
        for site in plan.sites:
            leaves = plan.change and site.name in plan.change.leaving
            for planned in site.units:
                unit = self.network.unit(planned.address)
                assert set(unit.remote_geo_access) == set(site.remote_geo_access), planned.address
                assert set(unit.geo_partners) == set(site.geo_partners), planned.address
                wanted = {cluster.name for cluster in plan.clusters if cluster.group == site.group}
                found = {c.name for _, c in self.network.geo.clusters(unit) if c.type == "remoteLM"}
                assert leaves or (wanted <= found and found - wanted <= set(may_stay)), (planned.address, found, wanted)
        for change in plan.ha_changes:
            for held in (unit.ha for unit in self.network.units.values() if unit.site == change.site):
                after = change.after
                in_the_end = (after.preferred_host == "master", after.health_check_port, bool(after.all_interfaces))
                assert (held.prefer_master, held.health_check_port, held.all_interfaces) == in_the_end, change.site
            assert self.network.pair(change.site).is_formed
        assert self.red_in_any_state() == set()
        assert self.broken == []

    def _transport(self, address: str) -> LabTransport:
        return LabTransport(self.simulation, address, lambda: self._chance.uniform(0.0, 0.05))

    def _watched(self, address: str, request: Request) -> Outcome:
        call = call_of(request)
        if call and call.command in PARAMETERS | MODES:
            self._check_ha(address, call)
        outcome = self._handle(address, request)
        if call and not call.command.startswith(("get", "list", "is", "show", "backup")):
            self.sent.append((address, call.command))
            self.after_change(address, call.command)
        for site, names in self.kept.items():
            found = {name.removesuffix(OLD) for name in self.names_on(self.active_or_any(site))}
            if missing := names - found:
                what = f"'{site}' lost {sorted(missing)}, after '{call.command if call else request.path}' on {address}"
                if what not in self.broken:
                    self.broken.append(what)
        return outcome

    def _check_ha(self, address: str, call: ApiRequest) -> None:
        """See that HA parameters of a pair at work change only as its steps say, one at a time, and no mode does."""
        unit = self.network.unit(address)
        pair, change = self.network.pair_of(unit), self.plan.ha_change(unit.site) if self.plan else None
        is_joining = self.plan is not None and any(
            step.action is Action.SET_HA_PARTNER and step.site == unit.site for step in self.plan.steps
        )
        given = {name: value for name, value in call.parameters.items() if name in ("hcp", "haprefered", "hcai")}
        wanted = {}
        if change:
            wanted = {
                "hcp": {str(values.health_check_port) for values in (change.before, change.after)},
                "haprefered": {str(int(change.after.preferred_host == "master"))},
                "hcai": {str(int(bool(change.after.all_interfaces)))},
            }
        fits = len(given) == 1 and all(str(int(str(value))) in wanted.get(name, ()) for name, value in given.items())
        if call.command in MODES or not (pair and (fits or (is_joining and not given))):
            self.broken.append(f"{address} was sent '{call.command}' with {given}, which no step says")

    def make_masters_active(self) -> None:
        """Switch over to the masters, as a push asks for where a slave is active."""
        for site, pair in self.network.pairs.items():
            if pair.active is pair.slave and pair.standby:
                self.simulation.fail_over(site)

    def active_or_any(self, site: str) -> Unit:
        units = [unit for unit in self.network.units.values() if unit.site == site]
        return next((unit for unit in units if self.network.is_active(unit)), units[0])

    def by_hand(self, do: Callable[[], object], after: float) -> None:
        """Let a person do something, so many seconds from now."""
        asyncio.get_running_loop().call_later(after, do)

    def restore_by_hand(self, to: str, source: str) -> None:
        """Restore GEO Configuration of one site's active unit on another's, as a person does in the web interface."""
        network = self.network
        clusters = [cluster for _, cluster in network.geo.clusters(self.active(source))]
        network.geo.replace_all(self.active(to), clusters, list(network.geo.fqdns(self.active(source))))


# -- changes that are drawn --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DrawnChange:
    """What a seed has in store: where a change starts, where it leads, and what happens on the way."""

    lab: Topology
    old: Topology
    new: Topology
    fqdns: Mapping[str, tuple[str, ...]]
    """The FQDNs of each group of the old topology."""
    kills: tuple[float, ...]
    faults: tuple[str, ...]


def draw_change(seed: int) -> DrawnChange:
    """Draw two topologies out of the same units: some sites in both, some in one, in groups of any kind.

    One seed in ten has 7 to 12 sites, the others up to 6.
    """
    chance = random.Random(f"change {seed}")  # noqa: S311 - not for secrets
    count = chance.randint(7, 12) if seed % 10 == 5 else chance.randint(2, 6)
    sites = [_draw_site(chance, number) for number in range(count)]
    names = [site["name"] for site in sites]
    before = [name for name in names if chance.random() < 0.75] or names[:1]
    after = [name for name in names if chance.random() < 0.75] or names[-1:]
    if not set(before) & set(after):
        after = sorted({*after, before[0]})
    changed = random.Random(f"sites of change {seed}")  # noqa: S311 - not for secrets
    as_before, as_after = zip(*(_draw_changed(changed, site) for site in sites), strict=True)
    old, old_groups = _draw_topology(chance, "old", as_before, before)
    new, _ = _draw_topology(chance, "new", as_after, after)
    has_fqdns = chance.random() < 0.4
    addresses = [address for site in sites for address in _addresses(site)]
    faults = [
        f"{chance.choice(['reset', 'truncate'])},unit={chance.choice(addresses)},"
        f"command={chance.choice(['set:geopartners', 'set:geoclients', 'addcluster', 'listclusters', 'listfqdns'])},"
        f"occurrence={chance.randint(1, 3)}"
        for _ in range(chance.choice([0, 0, 1, 2]))
    ]
    return DrawnChange(
        _topology("lab", sites, {}),
        old,
        new,
        {group: (f"www.{group}.example",) for group in old_groups if has_fqdns and chance.random() < 0.7},
        tuple(chance.uniform(1.0, 200.0) for _ in range(chance.choice([0, 0, 1, 2]))),
        tuple(faults),
    )


def _draw_site(chance: random.Random, number: int) -> dict[str, Any]:
    has_ipv6 = chance.random() < 0.2
    first, second = (f"2001:db8::{number}:{n}" if has_ipv6 else f"10.0.{number}.{n}" for n in (1, 2))
    if chance.random() < 0.5:
        preferred = chance.choice(["master", "none"])
        pair = {"master": first, "slave": second, "preferred_host": preferred}
        return {"name": f"S{number}", "ha_pair": pair}
    has_nat = chance.random() < 0.2
    unit: Any = {"address": first, "nat_address": f"192.0.2.{number + 1}"} if has_nat else first
    return {"name": f"S{number}", "standalone": unit}


def _draw_changed(chance: random.Random, site: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a site as it is before and after: its NAT comes or goes, its cluster is renamed or placed."""
    before, after = dict(site), dict(site)
    if isinstance(site.get("standalone"), dict) and chance.random() < 0.5:
        without = chance.choice([before, after])
        without["standalone"] = site["standalone"]["address"]
    if chance.random() < 0.15:
        after["cluster"] = {"name": f"{site['name']} renamed"}
    if chance.random() < 0.15:
        after["cluster"] = {**after.get("cluster", {}), "location": {"latitude": 1.5, "longitude": -2.5}}
    return before, after


def _addresses(site: Mapping[str, Any]) -> list[str]:
    if "ha_pair" in site:
        return [site["ha_pair"]["master"], site["ha_pair"]["slave"]]
    unit = site["standalone"]
    return [unit if isinstance(unit, str) else unit["address"]]


def _draw_topology(
    chance: random.Random, name: str, sites: Sequence[dict[str, Any]], chosen: list[str]
) -> tuple[Topology, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for site in chosen:
        groups.setdefault(chance.choice(["x", "x", "y"]), []).append(site)
    return _topology(name, [site for site in sites if site["name"] in chosen], groups), tuple(groups)


def _topology(name: str, sites: list[dict[str, Any]], groups: Mapping[str, list[str]]) -> Topology:
    document: dict[str, Any] = {"name": name, "sites": sites, "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC}}
    return Topology.model_validate({**document, **({"groups": groups} if groups else {})})


async def simulate_change(seed: int, folder: Path) -> list[str]:
    """Push the old topology of a seed and change to the new one; return what was wrong on the way or at the end."""
    drawn = draw_change(seed)
    world = ChangingWorld(drawn.lab, folder, seed=seed)
    await world.push_new(drawn.old)
    before = make_plan(drawn.old, (Phase.GEO,))
    for group, names in drawn.fqdns.items():
        for name in names:
            world.network.geo.put_fqdn(world.active(before.sites_of(group)[0].name), name)
    world.make_masters_active()
    await asyncio.sleep(60.0)
    try:
        plan = world.plan_of_change(drawn.old, drawn.new)
    except ChangeRefusedError:
        return []
    seeded = set(seeded_sites(plan))
    for site in plan.sites:
        old = plan.change.old_site(site.name) if plan.change else None
        if old is None or site.name in seeded or (plan.change and plan.change.part_of(site.name)):
            continue
        together = {s.name for s in plan.sites_of(site.group)} & {s.name for s in before.sites_of(old.group)}
        stay = {name for name in together if not (plan.change and plan.change.part_of(name))}
        stay &= {cluster.name for cluster in plan.clusters}  # one that gets another name is looked for at the end
        world.kept[site.name] = {*stay, *drawn.fqdns.get(old.group, ())}
    for fault in drawn.faults:
        world.simulation.inject(fault)
    sent = len(world.sent)
    try:
        result = await world.change_to_the_end(plan, drawn.kills, seed_by_api=True)
    except PushRefusedError as error:
        is_merge = drawn.fqdns and any("not merged" in problem for problem in error.problems)
        is_full = any("a group that nobody goes on with" in problem for problem in error.problems)
        is_full = is_full or any("--accept-fqdn-loss" in problem for problem in error.problems)
        if (is_merge or is_full) and len(world.sent) == sent:
            return []
        return [f"refused: {error.problems}"]
    await asyncio.sleep(60.0)
    if result.report.undone:
        world.broken.append(f"not done: {result.report.undone}")
    try:
        with_fqdns = [site.name for group in drawn.fqdns for site in before.sites_of(group)]
        world.check_is(plan, with_fqdns)
    except AssertionError as error:
        world.broken.append(f"the end is not the plan's: {str(error)[:300]}")
    return world.broken


# -- single situations -------------------------------------------------------------------------------------------------


TWO = topology("two", "A:10.0.0.1:10.0.0.2 B:10.0.0.3")
FOUR = topology("four", "A:10.0.0.1:10.0.0.2 B:10.0.0.3 C:10.0.0.5:10.0.0.6 D:10.0.0.7")


async def seed_taken_away(folder: Path) -> ChangingWorld:
    """Push a join of which somebody deletes a seeded cluster before the partners are entered."""
    world = ChangingWorld(FOUR, folder)
    await world.push_new(TWO)
    plan = world.plan_of_change(TWO, FOUR)

    def after_the_access_list(address: str, command: str) -> None:
        if address == "10.0.0.7" and command == "set":
            world.after_change = lambda _address, _command: None
            world.network.geo.remove_cluster(world.active("D"), "10.0.0.3")

    world.after_change = after_the_access_list
    world.keep({"A", "B"}, ["A", "B"])
    with contextlib.suppress(PushStoppedError):
        await world.push(plan)
    return world


async def seed_that_somebody_takes_away(folder: Path) -> list[str]:
    """A seeded cluster is gone before the partners are entered: nothing of it reaches those that stay."""
    return (await seed_taken_away(folder)).broken


async def sites_join(folder: Path, *, fqdns: bool = False) -> list[str]:
    """Two sites join two others: at no moment do these lose anything, and at the end nobody lacks a link.

    Both were emptied by hand only now: linked so, each would let its partners know what was deleted on it.
    """
    world = ChangingWorld(FOUR, folder)
    await world.push_new(TWO)
    kept = {"A", "B"}
    if fqdns:
        world.network.geo.put_fqdn(world.active("A"), "www.example.com")
        kept |= {"www.example.com"}
    for site in "CD":
        world.restore_by_hand(site, "A")
        world.network.geo.replace_all(world.active(site), [], [])
    world.keep(kept, ["A", "B"])
    plan = world.plan_of_change(TWO, FOUR)
    stopped = []
    try:
        await world.push(plan, seed_by_api=True)
    except PushStoppedError as error:
        stopped = [f"it was stopped: {error}"]
    red = sorted(world.red_in_any_state())
    return [*world.broken, *stopped, *([f"red after a failover: {red}"] if red else [])]
