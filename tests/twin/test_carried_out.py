"""What ``whatif`` says is what the lab shows: cases are drawn, and carried out over real sockets with TLS."""

from __future__ import annotations

import random
from functools import partial
from itertools import combinations

from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.model import Topology
from geoplan.twin.failures import Failure, FailureKind, single_failures
from geoplan.twin.report import Outcome, TaskKind
from geoplan.twin.whatif import try_failures
from geoplan.twin.world import AS_BEGUN, Link, Start, planned_world
from tests.lab.support import pair, standalone, topology
from tests.twin.estate import Estate, Seen, estate

SHAPES = ("ps", "pp", "pps", "psss", "ppss")
MEANWHILE = "changed-meanwhile.invalid"


def drawn(case: int) -> tuple[Topology, Start, tuple[Failure, ...], Outcome]:
    """Draw a topology, a starting state, one failure or two, and return them with what they cost."""
    chance = random.Random(f"case {case}")  # noqa: S311 - no secret
    while True:
        kinds = chance.choice(SHAPES)
        hosts = [chance.choice(["master", "none"]) for _ in kinds]
        sites = [
            pair(number, preferred_host=hosts[number]) if kind == "p" else standalone(number)
            for number, kind in enumerate(kinds)
        ]
        of = topology(*sites)
        world = planned_world(of, make_plan(of, (Phase.GEO,)))
        start = chance.choice(world.starts())
        kind = chance.choice(tuple(FailureKind))
        singles = single_failures(of, [("Pair 0", sites[1]["name"])])
        failures = [chance.choice([each for each in singles if each.kind is kind])]
        if chance.random() < 0.5:
            failures.append(chance.choice(singles))
        failures.sort(key=lambda failure: tuple(FailureKind).index(failure.kind))
        if len(failures) > 1 and (failures[0].covers(failures[1]) or failures[1].covers(failures[0])):
            continue
        outcome = try_failures(world, start, failures)
        if outcome is not None:
            return of, start, tuple(failures), outcome


def links(of: Topology, lost: tuple[str, ...], without: tuple[Link, ...]) -> set[frozenset[str]]:
    """Return the links that are said to be green between the sites that are not lost."""
    sites = [site.name for site in of.sites if site.name not in lost]
    return {frozenset(two) for two in combinations(sites, 2)} - {frozenset(two) for two in without}


def is_as_said(seen: Seen, of: Topology, outcome: Outcome) -> bool:
    """Return whether units show what is said of the time while the failure lasts."""
    kept = {site.name for site in of.sites} - {*outcome.lost}
    in_geo = {link for link in seen.green if link <= kept}
    has_units = {*outcome.cut_off, *outcome.isolated}
    apart = {frozenset((site, other)) for site in has_units for other in kept}
    return (
        seen.active.keys() == kept | has_units
        and in_geo == links(of, outcome.lost, (*outcome.red, *outcome.parted))
        and apart <= seen.red
    )


def is_as_said_after(seen: Seen, of: Topology, outcome: Outcome) -> bool:
    """Return whether units show what is said of the time after the repair."""
    kept = {site.name for site in of.sites} - {*outcome.lost_after}
    in_geo = {link for link in seen.green if link <= kept}
    apart = {frozenset((site, other)) for site in outcome.lost_after for other in kept}
    return in_geo == links(of, outcome.lost_after, outcome.red_after) and apart <= seen.red


def has_moved(site: str, before: Seen, seen: Seen) -> bool:
    return seen.active.get(site) not in (None, before.active[site])


def is_gone(units: tuple[str, ...], seen: Seen) -> bool:
    return not set(seen.active.values()) & set(units)


def carry_out(units: Estate, start: Start, failures: tuple[Failure, ...], outcome: Outcome) -> None:
    if start.failed_over:
        units.fail_over(start.failed_over)
    for failure in failures:
        before = units.look()
        units.begin(failure)
        if failure.kind is FailureKind.FAILOVER:
            units.until(partial(has_moved, failure.sites[0], before))
        elif failure.units and failure.kind is not FailureKind.NEVER_SUBMITTED:
            units.until(partial(is_gone, failure.units))
            units.until(lambda seen: {*outcome.briefly} - {*outcome.down} <= seen.active.keys())
    seen = units.until(lambda seen: units.standbys_behind(seen) == {*outcome.behind})
    assert units.standbys_behind(seen) == {*outcome.behind}
    if outcome.at_failover:
        for site in {site for failure in failures for site in failure.sites}:
            units.fail_over(site)


def change_something(units: Estate, of: Topology, outcome: Outcome) -> None:
    """Change something on a site that is well, and see that exactly those answer with an older configuration."""
    well = [site.name for site in of.sites if site.name not in {*outcome.lost, *outcome.older}]
    if not well:
        return
    units.change(well[0], MEANWHILE)
    has_older = {*outcome.older} - {*outcome.down}
    seen = units.until(lambda seen: units.without(MEANWHILE, seen) == has_older)
    assert units.without(MEANWHILE, seen) == has_older


def do_what_is_asked(units: Estate, of: Topology, outcome: Outcome) -> None:
    """Submit where that is a person's task, and see that nothing else is needed."""
    asked = [task.units[0] for task in outcome.tasks if task.kind is TaskKind.SUBMIT]
    for unit in asked:
        units.submit_on(unit)
    everybody = links(of, (), ())
    assert not asked or units.until(lambda seen: seen.green == everybody).green == everybody


def test_lab_shows_what_is_said(case: int) -> None:
    of, start, failures, outcome = drawn(case)
    with estate(of, make_plan(of, (Phase.GEO,))) as units:
        carry_out(units, start, failures, outcome)
        during = units.until(lambda seen: is_as_said(seen, of, outcome))
        assert is_as_said(during, of, outcome), (start, failures, outcome, during)
        change_something(units, of, outcome)
        for failure in reversed(failures):
            units.repair(failure)
        after = units.until(lambda seen: is_as_said_after(seen, of, outcome))
        assert is_as_said_after(after, of, outcome), (start, failures, outcome, after)
        do_what_is_asked(units, of, outcome)
        assert start == AS_BEGUN or start.failed_over in {site.name for site in of.sites}
