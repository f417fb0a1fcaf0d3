"""What was found becomes a topology that says the same again, whatever units are called and say."""

from __future__ import annotations

import string
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import Topology
from geoplan.addresses import canonical
from geoplan.live.findings.kinds import FindingKind
from geoplan.live.model import ClusterType, GeoCluster, HaFacts, Observation, State
from geoplan.loadmaster.model import HaStatus
from geoplan.plan.planner import make_plan
from geoplan.topology.loader import check_text
from geoplan.topology.writer import topology_text
from tests.live.discover.estates import changed, found, imported, units_of
from tests.topologies import topologies

M1, S1, M2, S2, A = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2", "10.0.3.1"
TWO_PAIRS: dict[str, Any] = {
    "sites": [
        {"name": "One", "ha_pair": {"master": M1, "slave": S1}},
        {"name": "Two", "ha_pair": {"master": M2, "slave": S2}},
        {"name": "Three", "standalone": A},
    ]
}


def lists_of(topology: Topology) -> dict[tuple[str, ...], tuple[set[str], set[str], str, object]]:
    plan = make_plan(topology)
    places = {cluster.site: (cluster.address, cluster.location) for cluster in plan.clusters}
    return {
        tuple(unit.address for unit in site.units): (
            set(site.remote_geo_access),
            set(site.geo_partners),
            str(site.preferred_host),
            places[site.name],
        )
        for site in plan.sites
    }


def without_nat(topology: Topology) -> Topology:
    document = topology.model_dump(exclude_none=True)
    for site in document["sites"]:
        for unit in (*site.get("ha_pair", {}).values(), site.get("standalone")):
            if isinstance(unit, dict):
                unit.pop("nat_address", None)
    return Topology.model_validate(document)


@given(topology=topologies(max_sites=8).map(without_nat))
def test_estate_in_order_is_the_topology_that_it_was_made_of(topology: Topology) -> None:
    result = imported(found(units_of(topology)))
    assert lists_of(result.topology) == lists_of(topology)
    assert result.to_mend == ()
    assert {site.cluster_name for site in result.topology.sites} == {site.cluster_name for site in topology.sites}


@given(topology=topologies(max_sites=8).map(without_nat))
def test_addresses_that_units_spell_otherwise_are_the_same(topology: Topology) -> None:
    estate = units_of(topology)
    for address, unit in estate.items():
        ha = unit.ha and replace(unit.ha, partner=spelled_out(unit.ha.partner or ""))
        clusters = tuple(replace(each, address=spelled_out(each.address)) for each in unit.clusters or ())
        status = unit.partner_status and {spelled_out(each): green for each, green in unit.partner_status.items()}
        lists = {
            "remote_geo_access": tuple(map(spelled_out, unit.remote_geo_access or ())),
            "geo_partners": tuple(map(spelled_out, unit.geo_partners or ())),
        }
        estate = changed(estate, address, ha=ha, clusters=clusters, partner_status=status, **lists)
    result, usual = imported(found(estate)), imported(found(units_of(topology)))
    assert set(make_plan(result.topology).sites) == set(make_plan(usual.topology).sites)
    assert result.to_mend == ()


def spelled_out(address: str) -> str:
    """Return an IPv6 address with all its digits and in capitals, and others as they are."""
    return ip_address(address).exploded.upper() if ":" in address else address


@given(topology=topologies(max_sites=8))
def test_nat_address_that_is_written_is_the_one_that_it_is(topology: Topology) -> None:
    """Where it is not shown, it is said and not guessed."""
    result = imported(found(units_of(topology)))
    real = {unit.address: unit.nat_address for site in topology.sites for unit in site.units}
    written = {unit.address: unit.nat_address for site in result.topology.sites for unit in site.units}
    assert set(written) == set(real)
    for address, nat in written.items():
        assert nat in (None, real[address])


TEXTS = st.sampled_from(
    ["NO", "~", "null", "2001:10:20:30:40:50:10:20", "1e3", "a # b", "x: y", "- a", "{", "é\u202e", "*", "!x"]
)
NAMES = TEXTS | st.text(max_size=80) | st.text(string.printable, max_size=20)
OWN = st.sampled_from([M1, S1, M2, S2, A, "2001:db8::1", "2001:DB8:0::1"])
ADDRESSES = OWN | st.sampled_from(["127.0.0.1", "0.0.0.0", "lb.example", "fe80::1", "::ffff:10.0.1.1", "10.0.9.9", ""])  # noqa: S104
LISTS = st.none() | st.lists(ADDRESSES, max_size=6).map(tuple)
PORTS = st.none() | st.sampled_from([0, 22, 443, 6973, 8444, 65535])
NUMBERS = st.none() | st.floats(-200, 200)
CLUSTERS = st.builds(GeoCluster, OWN, NAMES, st.sampled_from(list(ClusterType)), latitude=NUMBERS, longitude=NUMBERS)


@st.composite
def anything(draw: st.DrawFn) -> dict[str, Observation]:
    """Draw units that say whatever they like."""
    units = {}
    for address in draw(st.lists(OWN, min_size=1, max_size=5, unique_by=canonical)):
        ha = HaFacts(
            partner=draw(st.none() | ADDRESSES),
            health_check_port=draw(PORTS),
            prefers_master=draw(st.none() | st.booleans()),
            mode=draw(st.sampled_from([None, "master", "slave", "single"])),
            all_interfaces=draw(st.none() | st.booleans()),
        )
        units[address] = Observation(
            address,
            site="",
            role="standalone",
            state=draw(st.sampled_from([None, *State])),
            ha_status=draw(st.none() | st.sampled_from(list(HaStatus))),
            host_name=draw(st.none() | NAMES),
            firmware=draw(st.sampled_from([None, "", "7.2.59.4.22338.RELEASE", "7.2", "\u0667.2.1", "9" * 99])),
            ha=draw(st.none() | st.just(ha)),
            remote_geo_access=draw(LISTS),
            geo_partners=draw(LISTS),
            partner_status=draw(st.none() | st.dictionaries(ADDRESSES, st.none() | st.booleans(), max_size=3)),
            clusters=draw(st.none() | st.lists(CLUSTERS, max_size=5).map(tuple)),
        )
    return units


@settings(max_examples=300)
@given(units=anything(), ports=st.dictionaries(OWN.map(canonical), st.sampled_from([22, 443, 6973, 8443, 8444])))
def test_whatever_units_say_the_file_loads_and_says_what_was_written(
    units: dict[str, Observation], ports: dict[str, int]
) -> None:
    result = imported(found(units), ports)
    comments = {loc: [finding.message] for loc, finding in result.findings}
    text = topology_text(result.content, comments)
    checked = check_text(text.encode(), path="new", default_name="x")
    assert checked.topology is not None, (text, checked.diagnostics)
    assert checked.topology == result.topology
    asked = {canonical(address) for address in units}
    written = {canonical(unit.address) for site in result.topology.sites for unit in site.units}
    assert asked <= written


def spoiled(address: str, **values: Any) -> set[FindingKind]:
    units = changed(units_of(Topology.model_validate(TWO_PAIRS)), address, **values)
    return {each.finding.kind for each in imported(found(units)).to_mend}


def ha(partner: str | None, mode: Any) -> HaFacts:
    return HaFacts(partner=partner, health_check_port=8444, prefers_master=True, mode=mode)


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        ({"ha": ha(M1, "master")}, {FindingKind.ROLES_UNCLEAR, FindingKind.SAME_MODE}),
        ({"ha": ha(M2, "slave")}, {FindingKind.PARTNER_MISMATCH}),
        ({"ha": ha("", "slave")}, {FindingKind.NO_PARTNER}),
        ({"ha": ha("", "single")}, {FindingKind.PARTNER_MISMATCH}),
        ({"ha": None}, set()),
    ],
)
def test_units_of_a_pair_that_do_not_agree_are_said(values: dict[str, Any], kinds: set[FindingKind]) -> None:
    assert kinds <= spoiled(S1, **values)


def test_unit_that_two_others_name_as_their_partner_is_given_to_none() -> None:
    units = changed(units_of(Topology.model_validate(TWO_PAIRS)), S1, ha=None)
    units = changed(changed(units, M2, ha=ha(S1, "master")), S2, ha=None)
    result = imported(found(units))
    assert all(site.standalone for site in result.topology.sites)
    assert FindingKind.PARTNER_MISMATCH in {each.finding.kind for each in result.to_mend}


def test_partner_by_name_is_the_unit_that_calls_itself_so() -> None:
    units = units_of(Topology.model_validate(TWO_PAIRS))
    units = changed(units, M1, ha=ha(f"{units[S1].host_name}.example.org", "master"))
    units = changed(units, S1, ha=ha(str(units[M1].host_name).upper(), "slave"))
    sites = imported(found(units)).topology.sites
    assert tuple(unit.address for unit in sites[0].units) == (M1, S1)


@pytest.mark.parametrize("subject", ["remote_geo_access", "geo_partners"])
@pytest.mark.parametrize("address", [M1, A])
def test_list_that_lacks_an_address_takes_no_site_out_of_its_group(subject: str, address: str) -> None:
    units = units_of(Topology.model_validate(TWO_PAIRS))
    for unit in (address, S1) if address == M1 else (address,):
        kept = tuple(each for each in getattr(units[unit], subject) if each not in (M2, S2))
        units = changed(units, unit, **{subject: kept})
    result = imported(found(units))
    assert result.topology.groups is None
    (lacking,) = {each.finding.message for each in result.to_mend if "lacks" in each.finding.message}
    assert f"On {address}: " in lacking
    assert M2 in lacking


def test_groups_stay_apart_where_one_address_too_many_is_in_a_list() -> None:
    document = TWO_PAIRS | {
        "sites": [*TWO_PAIRS["sites"], {"name": "Four", "standalone": "10.0.4.1"}],
        "groups": {"a": ["One", "Two"], "b": ["Three", "Four"]},
    }
    units = units_of(Topology.model_validate(document))
    units = changed(units, A, geo_partners=("10.0.4.1", M1))
    result = imported(found(units))
    assert [set(members) for members in (result.topology.groups or {}).values()] == [{"One", "Two"}, {"Three", "Four"}]
    assert FindingKind.ONE_SIDED in {each.finding.kind for each in result.to_mend}


def test_place_of_the_ports_says_how_units_were_reached() -> None:
    units = units_of(Topology.model_validate(TWO_PAIRS))
    of_all = dict.fromkeys((M1, S1, M2, S2, A), 8443)
    assert imported(found(units), of_all).topology.api_port == 8443
    some = imported(found(units), {**of_all, A: 443}).topology
    assert (some.api_port, [site.api_port for site in some.sites]) == (8443, [None, None, 443])
    assert imported(found(units), dict.fromkeys(of_all, 443)).topology.api_port is None
    one = imported(found(units), {**of_all, S1: 9443}).topology.sites[0]
    assert [unit.api for unit in one.units] == [None, f"https://{S1}:9443"]


def test_port_that_breaks_a_rule_is_left_out_and_said() -> None:
    units = units_of(Topology.model_validate(TWO_PAIRS))
    for address in (M1, S1):
        units = changed(
            units, address, ha=HaFacts(S1 if address == M1 else M1, 22, mode="master" if address == M1 else "slave")
        )
    result = imported(found(units))
    assert FindingKind.LEFT_OUT in {each.finding.kind for each in result.to_mend}


@pytest.mark.parametrize(("degrees", "place"), [((0.0, 0.0), None), ((0.0, 1.5), (0.0, 1.5)), ((91.0, 0.0), None)])
def test_place_in_the_sea_is_none(degrees: tuple[float, float], place: tuple[float, float] | None) -> None:
    units = units_of(Topology.model_validate(TWO_PAIRS))
    for address, unit in units.items():
        moved = tuple(replace(each, latitude=degrees[0], longitude=degrees[1]) for each in unit.clusters or ())
        units = changed(units, address, clusters=moved)
    location = imported(found(units)).topology.sites[0].cluster.location
    assert (location and (location.latitude, location.longitude)) == place


def test_place_and_name_that_most_units_have_are_taken() -> None:
    document = {
        "sites": [{**site, "cluster": {"location": {"latitude": 1, "longitude": 2}}} for site in TWO_PAIRS["sites"]]
    }
    units = units_of(Topology.model_validate(document))
    told = units[A].clusters or ()
    one = tuple(replace(each, latitude=5.0, name="Odd") if each.name == "One" else each for each in told)
    result = imported(found(changed(units, A, clusters=one)))
    site = result.topology.sites[0]
    assert site.name == "One"
    assert site.cluster.location is not None
    assert site.cluster.location.latitude == 1
    assert any("is called 'Odd'" in each.finding.message for each in result.to_mend)


def test_names_that_are_alike_are_told_apart() -> None:
    """In two groups clusters may be called alike, sites of one file may not; in one group neither may."""
    sites = [{"name": f"S{n}", "standalone": f"10.0.0.{n}", "cluster": {"name": "eu"}} for n in (1, 2)]
    result = imported(found(units_of(Topology.model_validate({"sites": sites, "groups": {"a": ["S1"], "b": ["S2"]}}))))
    assert [(site.name, site.cluster_name) for site in result.topology.sites] == [("eu", "eu"), ("eu (2)", "eu")]
    assert result.to_mend == ()
    units = units_of(Topology.model_validate(TWO_PAIRS))
    for address, unit in units.items():
        alike = tuple(replace(each, name="eu") for each in unit.clusters or ())
        units = changed(units, address, clusters=alike)
    result = imported(found(units))
    assert len({site.cluster_name for site in result.topology.sites}) == 3
    assert [each.finding.kind for each in result.to_mend].count(FindingKind.NAME_CHANGED) == 2


def test_place_that_one_unit_alone_tells_is_none_where_the_others_have_none() -> None:
    units = units_of(Topology.model_validate(TWO_PAIRS))
    moved = tuple(replace(each, latitude=5.0, longitude=6.0) for each in units[A].clusters or ())
    locations = [site.cluster.location for site in imported(found(changed(units, A, clusters=moved))).topology.sites]
    assert locations[:2] == [None, None]
