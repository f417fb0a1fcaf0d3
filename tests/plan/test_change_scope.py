"""A change of some groups alone: it is the same as in the change of all, and touches no other group."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from geoplan import Plan, make_plan
from geoplan.errors import ChangeRefusedError
from geoplan.plan.change import make_change, older_plan, plan_change
from geoplan.plan.model import Phase
from geoplan.topology.part import only_groups
from tests.plan.changes import Drawn, named, possible_changes

SITES = "A:10.0.0.1:10.0.0.2 B:10.0.0.3 C:10.0.0.5:10.0.0.6 D:10.0.0.7 E:10.0.0.8"
OLD = named(SITES, {"x": ["A", "B"], "y": ["C", "D", "E"]})


def change(new_groups: dict[str, list[str]], *meant: str, sites: str = SITES) -> Plan:
    return make_change(only_groups(named(sites, new_groups), meant), make_plan(OLD, (Phase.GEO,)))


def test_a_group_that_loses_a_site_for_good_touches_no_other() -> None:
    plan = change({"x": ["A", "B"], "y": ["C", "D"]}, "y", sites=SITES.removesuffix(" E:10.0.0.8"))
    assert plan.change
    assert plan.change.leaving == ("E",)
    assert {site.name for site in plan.sites} == {"C", "D", "E"}


def test_a_group_that_a_site_has_moved_from_is_needed() -> None:
    groups = {"x": ["A", "B", "E"], "y": ["C", "D"]}
    for meant, other in (("x", "y"), ("y", "x")):
        with pytest.raises(ChangeRefusedError) as refused:
            change(groups, meant)
        assert f"which is in '{other}' now" in str(refused.value)
        assert refused.value.hint == "name all that it touches: --group x --group y"
    assert change(groups, "x", "y").steps == make_change(named(SITES, groups), make_plan(OLD, (Phase.GEO,))).steps


def test_a_group_of_newcomers_touches_nobody() -> None:
    plan = change({"x": ["A", "B"], "y": ["C", "D", "E"], "z": ["F"]}, "z", sites=f"{SITES} F:10.0.0.9")
    assert {step.site for step in plan.steps} == {"F"}


@given(possible_changes(max_sites=8))
def test_each_group_by_itself_is_what_it_is_in_the_whole_or_names_those_it_needs(drawn: tuple[Drawn, Plan]) -> None:
    how, plan = drawn
    old = make_plan(how.old, (Phase.GEO,))
    for group in how.new.partner_groups():
        members = {site.name for site in group.sites}
        replaced = tuple(
            address for address in how.replaced if any(u.address == address for s in group.sites for u in s.units)
        )
        part = only_groups(how.new, [group.name])
        try:
            own = plan_change(part, old, replaced=replaced, cleans_leaving=how.cleans_leaving)
        except ChangeRefusedError:
            continue
        wanted = Counter((step.site, step.action) for step in plan.steps if step.site in members)
        assert Counter((step.site, step.action) for step in own.steps if step.site in members) == wanted


@given(possible_changes())
def test_a_change_can_be_made_again_from_itself_alone(drawn: tuple[Drawn, Plan]) -> None:
    how, plan = drawn
    again = plan_change(how.new, older_plan(plan), replaced=how.replaced, cleans_leaving=how.cleans_leaving)
    assert again.checksum == plan.checksum
