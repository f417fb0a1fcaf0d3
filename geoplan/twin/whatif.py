"""Every failure tried from every starting state, and what each costs."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import chain
from math import comb, isqrt
from typing import TYPE_CHECKING

from geoplan.twin.failures import FailureKind, begin, single_failures
from geoplan.twin.report import Outcome, Report, Row, Task, TaskKind, Until
from geoplan.twin.world import AS_BEGUN, Standing, Start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from geoplan.lab.device.partners import Obstacle
    from geoplan.lab.device.unit import Unit
    from geoplan.topology.model import Topology
    from geoplan.twin.failures import Failure, Repair
    from geoplan.twin.world import World

MOST_CASES = 20_000
"""So many cases are tried all; of more, so many are drawn."""


def what_if(
    topology: Topology, world: World, *, together: Sequence[tuple[str, ...]] = (), failures: int = 1, seed: int = 1
) -> Report:
    """Try every failure of a topology in a world, and with ``failures`` 2 every pair of them as well."""
    singles = single_failures(topology, together)
    starts = world.starts()
    cases = _Cases(singles, starts, with_pairs=failures > 1)
    found: dict[tuple[tuple[Failure, ...], Outcome], list[Start]] = {}
    count = impossible = 0
    for start, each in map(cases.case, cases.drawn(seed)):
        outcome = None if _is_one(each) else try_failures(world, start, each)
        if outcome is None:
            impossible += 1
            continue
        count += 1
        found.setdefault((each, outcome), []).append(start)
    rows = [Row(each, outcome, tuple(starts)) for (each, outcome), starts in found.items()]
    return Report(
        topology.name,
        tuple((group.name, tuple(site.name for site in group.sites)) for group in topology.partner_groups()),
        starts,
        _now(world),
        tuple(_off(world)),
        tuple(sorted(rows, key=_cost)),
        count,
        len(cases) - impossible,
        seed if len(cases) > MOST_CASES else None,
        assumed=tuple(_assumed(rows, _with_partners(topology))),
    )


def _with_partners(topology: Topology) -> frozenset[str]:
    """Return the sites that have links: those of groups of several."""
    groups = (tuple(site.name for site in group.sites) for group in topology.partner_groups())
    return frozenset(site for sites in groups if len(sites) > 1 for site in sites)


def _assumed(rows: Sequence[Row], partners: frozenset[str]) -> Iterator[str]:
    """Yield the facts of the ledger by which a loss ends once what failed is repaired; ``partners`` have links."""
    repaired = [row for row in rows if row.outcome.until is Until.REPAIR]
    kinds = {failure.kind for row in repaired for failure in row.failures if partners.intersection(failure.sites)}
    if kinds & {FailureKind.UNIT_OFF, FailureKind.SITE_OFF, FailureKind.REGION_OFF}:
        yield "LINKS_AFTER_BOOT"
    if FailureKind.NETWORK_CUT in kinds:
        yield "LINKS_AFTER_CUT"
    if any(row.outcome.older for row in repaired):
        yield "ENTRIES_APART"


class _Cases:
    """All cases by numbers: each failure from each starting state, then each pair of them from each."""

    def __init__(self, singles: Sequence[Failure], starts: Sequence[Start], *, with_pairs: bool) -> None:
        self._singles = singles
        self._starts = starts
        self._pairs = comb(len(singles), 2)
        self.of_singles = len(starts) * len(singles)
        self._all = self.of_singles + with_pairs * len(starts) * self._pairs

    def __len__(self) -> int:
        return self._all

    def case(self, number: int) -> tuple[Start, tuple[Failure, ...]]:
        """Return the starting state and what fails."""
        if number < self.of_singles:
            start, single = divmod(number, len(self._singles))
            return self._starts[start], (self._singles[single],)
        start, pair = divmod(number - self.of_singles, self._pairs)
        later = (1 + isqrt(1 + 8 * pair)) // 2
        return self._starts[start], _in_order(self._singles[pair - comb(later, 2)], self._singles[later])

    def drawn(self, seed: int) -> Iterable[int]:
        """Return the numbers of those that are tried: all of them up to :data:`MOST_CASES`.

        Of more so many are drawn, beside all single failures, or at least those from the first starting state.
        """
        if len(self) <= MOST_CASES:
            return range(len(self))
        sure = self.of_singles if self.of_singles <= MOST_CASES else min(len(self._singles), MOST_CASES)
        chance = random.Random(seed)  # noqa: S311 - no secret
        return chain(range(sure), sorted(chance.sample(range(sure, len(self)), MOST_CASES - sure)))


def try_failures(world: World, start: Start, failures: Sequence[Failure]) -> Outcome | None:
    """Let failures happen from a starting state, and repair them; None where they cannot happen there."""
    before = world.go_to(start)
    hit = {site for failure in failures for site in failure.sites}
    repairs: list[Repair] = []
    gone: set[str] = set()
    for failure in failures:
        repair = begin(failure, world)
        if repair is None:
            return None
        repairs.append(repair)
        gone |= world.without_active()
        world.settle()
    at_failover = all(failure.kind.is_latent for failure in failures)
    behind = frozenset(world.standbys_behind())
    if at_failover:
        for site in sorted(hit):
            if world.network.pair(site).standby is not None:
                world.network.fail_over(site)
        world.settle()
    during = world.look(before.cut_off, hit)
    causes = dict.fromkeys(_causes(world, before, during))
    for repair in reversed(repairs):
        repair()
    world.settle()
    after = world.look(before.cut_off, hit)
    causes |= dict.fromkeys(_causes(world, before, after))
    tasks = _merged((*filter(None, map(_repair_task, failures)), *causes))
    course = _Course(tuple(world.units), before, during, after)
    return course.outcome(gone, behind - before.behind, tasks, at_failover=at_failover)


@dataclass(frozen=True, slots=True)
class _Course:
    """How sites stand before, during and after a failure."""

    sites: tuple[str, ...]
    before: Standing
    during: Standing
    after: Standing

    def outcome(
        self, gone: Iterable[str], behind: Iterable[str], tasks: tuple[Task, ...], *, at_failover: bool
    ) -> Outcome:
        before, during, after = self.before, self.during, self.after
        lost, lost_after = during.lost - before.lost, after.lost - before.lost
        red, red_after = during.red - before.red, after.red - before.red
        briefly = {*gone} - during.down - before.down
        if lost_after or red_after:
            until = Until.PERSON
        elif lost or red or during.parted - before.parted:
            until = Until.REPAIR
        else:
            until = Until.TAKEOVER if briefly else Until.NOTHING_LOST
        return Outcome(
            down=self._new(during.down - before.lost),
            cut_off=self._new(during.cut_off - before.lost),
            isolated=self._new(during.isolated - before.lost),
            red=tuple(sorted(red)),
            parted=tuple(sorted(during.parted - before.parted)),
            briefly=self._new(briefly),
            older=self._new(during.older - before.older),
            behind=tuple(sorted(behind)),
            until=until,
            lost_after=self._new(lost_after),
            red_after=tuple(sorted(red_after)),
            tasks=tasks,
            at_failover=at_failover,
        )

    def _new(self, sites: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(sites, key=self.sites.index))


def _now(world: World) -> Outcome:
    """Return what is wrong before anything fails."""
    standing = world.go_to(AS_BEGUN)
    nothing = Standing()
    tasks = _merged((*_to_bring_back(world), *_to_make_active(world, standing), *_causes(world, nothing, standing)))
    course = _Course(tuple(world.units), nothing, standing, standing)
    return course.outcome((), standing.behind, tasks, at_failover=False)


def _off(world: World) -> Iterator[str]:
    return (unit.address for units in world.units.values() for unit in units if not unit.is_up)


def _to_bring_back(world: World) -> Iterator[Task]:
    off = frozenset(_off(world))
    for site, units in world.units.items():
        if gone := tuple(unit.address for unit in units if unit.address in off):
            yield Task(TaskKind.BRING_BACK, (site,), gone)


def _to_make_active(world: World, standing: Standing) -> Iterator[Task]:
    """Yield what ends it that a pair is cut off where its other unit has links: that it is made the active one."""
    for start in world.starts():
        site = start.failed_over
        if site in standing.cut_off and site not in world.go_to(start).lost:
            yield Task(TaskKind.MAKE_ACTIVE, (site,), (world.go_to(start).active[site],))
    world.go_to(AS_BEGUN)


def _merged(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Return each task once; what is to be done on one unit for several others is one."""
    others: dict[Task, dict[str, None]] = {}
    for task in tasks:
        others.setdefault(replace(task, others=()), {}).update(dict.fromkeys(task.others))
    return tuple(replace(task, others=tuple(those)) for task, those in others.items())


def _causes(world: World, before: Standing, now: Standing) -> Iterator[Task]:
    """Yield what would make links green that are red, and that only the network does not explain."""
    sites, links = now.cut_off - before.cut_off, now.red - before.red
    if sites or links:
        for unit, partner, obstacle in world.obstacles(sorted(sites), sorted(links)):
            if obstacle != "network":
                yield _cause(world, unit, partner, obstacle)
    for site in sorted(now.older - before.older - now.lost):
        yield Task(TaskKind.COMPARE, (site,))


def _cause(world: World, unit: Unit, partner: Unit, obstacle: Obstacle) -> Task:
    if obstacle == "secret":
        return Task(TaskKind.SET_SECRET, (unit.site, partner.site), (unit.address, partner.address))

    def lacks(addresses: Iterable[str] | None, wanted: Unit) -> bool:
        return all(world.network.find(address) is not wanted for address in addresses or ())

    if obstacle == "access":
        one, other = (unit, partner) if lacks(unit.remote_geo_access, partner) else (partner, unit)
        return Task(TaskKind.GRANT_ACCESS, (one.site,), (one.address,), (other.nat_address or other.address,))
    one = partner if lacks(partner.submitted, unit) and not lacks(unit.submitted, partner) else unit
    return Task(TaskKind.SUBMIT, (one.site,), (one.address,))


def _repair_task(failure: Failure) -> Task | None:
    match failure.kind:
        case FailureKind.FAILOVER:
            return None
        case FailureKind.NETWORK_CUT:
            return Task(TaskKind.MEND_NETWORK, failure.sites, others=failure.others)
        case FailureKind.REPLICATION_BROKEN:
            return Task(TaskKind.MEND_REPLICATION, failure.sites)
        case FailureKind.NEVER_SUBMITTED:
            return Task(TaskKind.SUBMIT, failure.sites, failure.units)
        case _:
            return Task(TaskKind.BRING_BACK, failure.sites, failure.units)


def _cost(row: Row) -> tuple[object, ...]:
    """Return by what rows are sorted, the worst first: silent losses, sites lost, until when."""
    outcome = row.outcome
    return (
        not (outcome.is_silent and not outcome.at_failover),
        -len(outcome.lost),
        -tuple(Until).index(outcome.until),
        -len(outcome.red),
        -len(outcome.parted),
        -len(outcome.briefly),
        len(row.failures),
        [tuple(FailureKind).index(failure.kind) for failure in row.failures],
        [(failure.sites, failure.units, failure.others) for failure in row.failures],
    )


def _in_order(*failures: Failure) -> tuple[Failure, ...]:
    """Return failures in the order in which they happen: what nobody sees first, and what needs a working pair."""
    return tuple(sorted(failures, key=lambda failure: tuple(FailureKind).index(failure.kind)))


def _is_one(failures: Sequence[Failure]) -> bool:
    """Return whether one of two failures is a part of the other."""
    return len(failures) > 1 and (failures[0].covers(failures[1]) or failures[1].covers(failures[0]))
