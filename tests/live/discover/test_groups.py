"""Sites that name each other are one group, and a slip in one list neither parts nor joins groups."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geoplan import Topology
from geoplan.live.discover.groups import groups_of
from geoplan.live.discover.sites import found_sites
from geoplan.live.findings.kinds import FindingKind
from geoplan.live.model import Cause, Failure, Observation
from tests.live.discover.estates import changed, found, units_of


def estate(*sizes: int) -> dict[str, Observation]:
    """Return the units of groups of so many standalones; unit b of group a has the address 10.0.a.b."""
    names = {
        f"10.0.{group}.{unit}": f"group {group}" for group, size in enumerate(sizes) for unit in range(1, size + 1)
    }
    groups: dict[str, list[str]] = {}
    for address, group in names.items():
        groups.setdefault(group, []).append(address)
    sites = [{"name": address, "standalone": address} for address in names]
    return units_of(Topology.model_validate({"sites": sites, "groups": groups}))


def grouped(units: dict[str, Observation]) -> tuple[list[set[str]], list[FindingKind]]:
    discovery = found(units)
    sites = found_sites(discovery)
    groups, odd = groups_of(sites, discovery)
    return [{sites[number].units[0] for number in members} for members in groups], [each.kind for _, each in odd]


def names(group: int, size: int) -> set[str]:
    return {f"10.0.{group}.{unit}" for unit in range(1, size + 1)}


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_groups_are_those_that_name_each_other(sizes: list[int]) -> None:
    assert grouped(estate(*sizes)) == ([names(group, size) for group, size in enumerate(sizes)], [])


@given(size=st.integers(2, 6), data=st.data())
def test_list_that_lacks_an_address_parts_no_group(size: int, data: st.DataObject) -> None:
    units = estate(size)
    address = data.draw(st.sampled_from(sorted(units)))
    kept = data.draw(st.sets(st.sampled_from(units[address].geo_partners or ("",))))
    assert grouped(changed(units, address, geo_partners=tuple(kept)))[0] == [names(0, size)]


@given(one=st.integers(2, 5), other=st.integers(2, 5), data=st.data())
def test_address_too_many_joins_no_groups_and_is_said(one: int, other: int, data: st.DataObject) -> None:
    units = estate(one, other)
    address, stray = (
        data.draw(st.sampled_from(sorted(names(0, one)))),
        data.draw(st.sampled_from(sorted(names(1, other)))),
    )
    spoiled = changed(units, address, geo_partners=(*(units[address].geo_partners or ()), stray))
    assert grouped(spoiled) == ([names(0, one), names(1, other)], [FindingKind.ONE_SIDED])


def test_half_of_a_join_is_one_group() -> None:
    """Somebody has entered the partners on one side, and not on the other yet."""
    units = estate(2, 2)
    for address in names(0, 2):
        units = changed(units, address, geo_partners=tuple(names(0, 2) - {address} | names(1, 2)))
    assert grouped(units) == ([names(0, 2), names(1, 2)], [FindingKind.ONE_SIDED] * 4), "the others do not let them in"
    for address in names(1, 2):
        units = changed(units, address, remote_geo_access=tuple(names(0, 2) | names(1, 2)))
    assert grouped(units) == ([names(0, 2) | names(1, 2)], [])


def test_site_that_names_nobody_yet_belongs_to_those_that_name_it() -> None:
    units = estate(3)
    assert grouped(changed(units, "10.0.0.2", geo_partners=())) == ([names(0, 3)], [])


@given(size=st.integers(1, 6), data=st.data())
def test_who_names_a_group_belongs_to_none_of_it_by_its_own_word(size: int, data: st.DataObject) -> None:
    units = estate(size, 1)
    (stranger,) = names(1, 1)
    named = data.draw(st.sets(st.sampled_from(sorted(names(0, size))), min_size=1))
    claims = changed(units, stranger, geo_partners=tuple(named), remote_geo_access=(stranger, *named))
    groups, odd = grouped(claims)
    assert groups == [names(0, size), {stranger}]
    assert odd == [FindingKind.ONE_SIDED] * len(named)


def test_silent_site_that_two_groups_name_joins_neither_of_them() -> None:
    """It belongs to the group that most name it in."""
    units = estate(3, 2)
    silent = changed(units, "10.0.0.3", failure=Failure(Cause.UNREACHABLE, "is down"), geo_partners=None)
    silent = changed(silent, "10.0.1.1", geo_partners=("10.0.1.2", "10.0.0.3"))
    assert grouped(silent) == ([names(0, 3), names(1, 2)], [FindingKind.ONE_SIDED])
    tied = changed(silent, "10.0.1.2", geo_partners=("10.0.1.1", "10.0.0.3"))
    assert grouped(tied)[0] == [{"10.0.0.1", "10.0.0.2"}, {"10.0.0.3"}, names(1, 2)]
