"""Where a change starts whose OLD are live units: the topology that they hold, as an OLD of a file would have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geoplan.addresses import canonical
from geoplan.errors import ChangeRefusedError
from geoplan.live.discover.before import Before, before_change
from geoplan.live.discover.search import belongs
from geoplan.live.model import Cause, Failure, Observation, State
from geoplan.plan.change import make_change
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.topology.model import Site, Topology
from tests.live.discover.estates import changed, found, units_of
from tests.plan.changes import Drawn, drawn_changes, named

A, B, C, D = "A:10.0.0.1:10.0.0.2", "B:10.0.0.3", "C:10.0.0.5:10.0.0.6", "D:10.0.0.7"
TWO, FOUR = named(f"{A} {B}", name="two"), named(f"{A} {B} {C} {D}", name="four")
GONE = Failure(Cause.UNREACHABLE, "no answer")


def fresh(topology: Topology) -> dict[str, Observation]:
    """Return the units of a topology as they are before any push: pairs that work, and no GEO configuration."""
    return {address: _emptied(unit) for address, unit in units_of(topology).items()}


def _emptied(unit: Observation) -> Observation:
    nothing: dict[str, Any] = {"remote_geo_access": (), "geo_partners": (), "clusters": (), "partner_status": None}
    return changed({"": unit}, "", **nothing)[""]


def reached(estate: Mapping[str, Observation], new: Topology) -> dict[str, Observation]:
    """Return the units that are found from those of a topology, where each that is named may be asked."""
    known = {canonical(address): unit for address, unit in estate.items()}
    found_ = {canonical(unit.address): known[canonical(unit.address)] for site in new.sites for unit in site.units}
    while True:
        more = {
            address: known[address]
            for address, namings in found(found_).not_asked.items()
            if address in known and belongs(namings)
        }
        if not more:
            return found_
        found_ |= more


def start(estate: Mapping[str, Observation], new: Topology, **how: Any) -> Before:
    return before_change(new, found(reached(estate, new)), {}, **how)


def by_from_live(estate: Mapping[str, Observation], new: Topology, **how: Any) -> Plan:
    before = start(estate, new, replaced=how.get("replaced", ()))
    assert (before.problems, before.unasked) == ((), {})
    assert before.topology
    return make_change(new, make_plan(before.topology, (Phase.GEO,)), **how)


def work(plan: Plan) -> Counter[tuple[str, str, str, str]]:
    """Return what a plan does, whatever order it does it in."""
    return Counter((step.site, step.action.value, step.on.site, step.on.unit) for step in plan.steps)


# -- what a file would say ---------------------------------------------------------------------------------------------


def test_sites_join_and_leave_as_from_a_file() -> None:
    estate = {**fresh(FOUR), **units_of(TWO)}
    assert by_from_live(estate, FOUR).steps == make_change(FOUR, make_plan(TWO, (Phase.GEO,))).steps
    assert by_from_live(units_of(FOUR), TWO).steps == make_change(TWO, make_plan(FOUR, (Phase.GEO,))).steps


@pytest.mark.parametrize("site", ["B:10.0.0.3", "B:10.0.0.3:10.0.0.4"])
def test_a_site_alone_that_is_reached_elsewhere_from_now_on_is_no_new_one(site: str) -> None:
    """Nobody but its own cluster tells where it was reached before."""
    first, *second = site.split(":")[1:]

    def behind(nat: str | None) -> Topology:
        unit = {"address": first, "nat_address": nat} if nat else first
        kind = {"ha_pair": {"master": unit, "slave": second[0]}} if second else {"standalone": unit}
        return Topology.model_validate({"name": "alone", "sites": [{"name": "B", **kind}]})

    for old, new in product((None, "192.0.2.1", "192.0.2.2"), repeat=2):
        plan = by_from_live(units_of(behind(old)), behind(new))
        assert plan.steps == make_change(behind(new), make_plan(behind(old), (Phase.GEO,))).steps, (old, new)


def test_the_old_place_of_a_lone_pair_whose_master_is_replaced_is_no_nat() -> None:
    old, new = named("A:10.0.0.1:10.0.0.2", name="old"), named("A:10.0.0.2:10.0.1.1", name="new")
    estate = {**fresh(new), **units_of(old)}
    assert by_from_live(estate, new).steps == make_change(new, make_plan(old, (Phase.GEO,))).steps
    del estate["10.0.0.1"]
    before = start(estate, new)
    assert before.topology
    assert [unit.address for unit in before.topology.sites[0].units] == ["10.0.0.1", "10.0.0.2"]
    assert not any(unit.nat_address for site in before.topology.sites for unit in site.units)


def test_what_is_there_is_no_change() -> None:
    assert by_from_live(units_of(FOUR), FOUR).steps == ()


def known_to_units(old: Topology, new: Topology) -> Topology:
    """Return an old topology as far as live units have it: its groups with a site of the new one, without names."""
    new_units = {canonical(unit.address) for site in new.sites for unit in site.units}
    groups = {
        group.name: tuple(site.name for site in group.sites)
        for group in old.partner_groups()
        if any(canonical(unit.address) in new_units for site in group.sites for unit in site.units)
    }
    names = {name for members in groups.values() for name in members}
    sites = tuple(site for site in old.sites if site.name in names)
    return old.model_copy(update={"sites": sites, "groups": groups})


@given(drawn_changes(), st.data())
def test_units_in_order_give_the_change_that_their_topology_gives(drawn: Drawn, data: st.DataObject) -> None:
    """Sites of two topologies are the same where they share a unit; groups of live units have no names."""
    old, new = known_to_units(drawn.old, drawn.new), drawn.new
    assume(old.sites)
    # A unit that is linked with nobody tells that another address of NAT is its own by its cluster's name alone.
    lone = [group.sites[0] for group in old.partner_groups() if len(group.sites) == 1]
    assume(not any(unit.nat_address for site in lone for unit in site.units if not _keeps_its_name(site, new)))
    estate = {**fresh(drawn.new), **units_of(drawn.old)}
    before = start(estate, new, replaced=drawn.replaced)
    if before.problems or before.unasked:
        is_explained = any(unit.nat_address for site in (*old.sites, *new.sites) for unit in site.units)
        assert is_explained, (before.problems, before.unasked)
        return
    assert before.topology
    live = make_plan(before.topology, (Phase.GEO,))
    groups = {_units(group.sites): group.name for group in before.topology.partner_groups()}
    assert set(groups) == {_units(group.sites) for group in old.partner_groups()}
    # Where as many sites come from each, a new group is made around the first of those before: their order is the same.
    place = {_units([site]): number for number, site in enumerate(before.topology.sites)}
    members = {_units(group.sites): tuple(site.name for site in group.sites) for group in old.partner_groups()}
    as_live = {
        "sites": tuple(sorted(old.sites, key=lambda site: place[_units([site])])),
        "groups": {name: members[units] for units, name in groups.items()},
    }
    planned = make_plan(old.model_copy(update=as_live), (Phase.GEO,))
    how: dict[str, Any] = {"replaced": drawn.replaced, "cleans_leaving": drawn.cleans_leaving}
    try:
        wanted = make_change(new, planned, **how)
    except ChangeRefusedError:
        return
    assert by_units(make_change(new, live, **how)) == by_units(wanted)


def _keeps_its_name(old: Site, new: Topology) -> bool:
    """Return whether a site, and nothing of it but NAT, is the same in a new topology."""
    units = [unit.address for unit in old.units]
    return any((each.cluster_name, [u.address for u in each.units]) == (old.cluster_name, units) for each in new.sites)


def _units(sites: Any) -> frozenset[str]:
    return frozenset(canonical(unit.address) for site in sites for unit in site.units)


def by_units(plan: Plan) -> Counter[tuple[frozenset[str], str, frozenset[str], str]]:
    """Return what a plan does, with sites told by their units: a site that leaves is called as its cluster."""
    units = {site.name: frozenset(canonical(unit.address) for unit in site.units) for site in plan.sites}
    return Counter((units[step.site], step.action.value, units[step.on.site], step.on.unit) for step in plan.steps)


# -- what is refused, and what is not ----------------------------------------------------------------------------------


def test_a_site_that_leaves_and_cannot_be_read_is_no_start() -> None:
    estate = changed(units_of(FOUR), "10.0.0.7", failure=GONE, geo_partners=None, remote_geo_access=None, clusters=None)
    assert any("10.0.0.7 could not be read" in problem for problem in start(estate, TWO).problems)


def test_a_dead_unit_that_is_replaced_elsewhere_need_not_answer() -> None:
    new = named(f"{A} {B} C:10.0.0.5:10.0.0.66 {D}")
    estate = {**changed(fresh(new), "10.0.0.66", ha=None, ha_status=None, state=State.UNKNOWN), **units_of(FOUR)}
    del estate["10.0.0.6"]
    assert by_from_live(estate, new).steps == make_change(new, make_plan(FOUR, (Phase.GEO,))).steps


def test_a_new_box_at_an_old_address_lacks_everything() -> None:
    box = fresh(FOUR)["10.0.0.7"]
    estate = {**units_of(FOUR), "10.0.0.7": box}
    assert start(estate, FOUR).problems
    plan = by_from_live(estate, FOUR, replaced=("10.0.0.7",))
    assert plan.steps == make_change(FOUR, make_plan(FOUR, (Phase.GEO,)), replaced=("10.0.0.7",)).steps


def test_who_is_linked_with_nobody_of_the_topology_is_no_part_of_the_change() -> None:
    """A unit that left keeps the clusters of its old group, and these name the group's units."""
    left = changed(units_of(FOUR), "10.0.0.7", geo_partners=(), remote_geo_access=("10.0.0.7",))
    alone = named(D, name="alone")
    estate = {**units_of(named(f"{A} {B} {C}")), "10.0.0.7": left["10.0.0.7"]}
    before = start(estate, alone)
    assert before.topology
    assert [site.name for site in before.topology.sites] == ["D"]
    assert not make_change(alone, make_plan(before.topology, (Phase.GEO,))).change.leaving  # type: ignore[union-attr]


def test_a_leave_that_stopped_before_its_cluster_went_is_no_start() -> None:
    estate = units_of(named(f"{A} {B} {C}"))
    of_four = units_of(FOUR)
    for address, unit in estate.items():
        estate = changed(estate, address, clusters=of_four[unit.address].clusters)
    estate["10.0.0.7"] = changed(of_four, "10.0.0.7", geo_partners=(), remote_geo_access=("10.0.0.7",))["10.0.0.7"]
    before = start(estate, named(f"{A} {B} {C}"))
    assert any("'D' (10.0.0.7) of a unit that is no partner" in problem for problem in before.problems)


def test_what_is_named_and_was_not_asked_is_told_with_who_names_it() -> None:
    estate = units_of(FOUR)
    del estate["10.0.0.7"]
    before = start(estate, TWO)
    assert set(before.unasked) == {"10.0.0.7"}
    assert "GEO partner of 10.0.0.1" in before.unasked["10.0.0.7"]


def test_a_unit_from_outside_that_the_topology_names_is_nobodys() -> None:
    new = named(f"{A} {B}", A={"extra_remote_geo_access": ["192.0.2.9"]})
    before = start(units_of(new), new)
    assert (before.problems, before.unasked) == ((), {})


def test_a_place_and_a_name_that_come_to_the_same_are_no_change() -> None:
    place = {
        "cluster": {"name": "A long name with blanks", "location": {"latitude": 53.349804, "longitude": -6.2603099}}
    }
    new = named(f"{A} {B}", A=place)
    estate = units_of(new)
    for address, unit in estate.items():
        clusters = tuple(
            changed({"": each}, "", name=each.name.replace(" ", "_"), latitude=each.latitude and 53.3498)[""]  # type: ignore[dict-item]
            for each in unit.clusters or ()
        )
        estate = changed(estate, address, clusters=clusters)
    assert by_from_live(estate, new).steps == ()


def test_groups_are_called_as_the_new_ones_that_have_most_of_them() -> None:
    old = named(f"{A} {B} {C} {D}", {"x": ["A", "B"], "y": ["C", "D"]})
    new = named(f"{A} {B} {C} {D}", {"west": ["C"], "east": ["A", "B", "D"]})
    before = start(units_of(old), new)
    assert before.topology
    assert dict(before.topology.groups or {}) == {"east": ("A", "B"), "west": ("C", "D")}


def test_a_group_with_fqdns_is_the_one_that_goes_on_whatever_its_size() -> None:
    old = named(f"{A} {B} {C} {D}", {"x": ["A", "B", "C"], "y": ["D"]})
    estate = changed(units_of(old), "10.0.0.7", fqdns=("www.example.com",))
    for new in (FOUR, named(f"{A} {B} {C} {D}", {"all": ["A", "B", "C", "D"]})):
        plan = by_from_live(estate, new)
        assert plan.change
        assert [joined.reference for joined in plan.change.joined] == ["D"]
