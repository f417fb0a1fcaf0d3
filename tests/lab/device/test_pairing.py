"""When two units are an HA pair, when they are not, and what each of them then does and shows."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.lab.device.pairing import pairing_of
from geoplan.lab.errors import LabError
from geoplan.lab.serve.table import as_table
from tests.lab.support import (
    MOMENT,
    Rehearsal,
    body,
    endpoints_of,
    health,
    pair,
    read_v2,
    settle,
    simulate,
    standalone,
    status,
    topology,
    v1,
    v2,
)

M, S = "10.0.1.1", "10.0.1.2"
OLD, LTSF, GA = "7.2.48.6", "7.2.54.12", "7.2.59.4"
SHARED = "shared-secret"
FAILOVER, SYNC, BOOT = 0.5, 1.0, 3.0


def lab_of(**options: Any) -> Rehearsal:
    return simulate(topology(pair(1), standalone(1)), **options)


@pytest.fixture
def fresh() -> Rehearsal:
    return lab_of(unpaired=True)


def enter(lab: Rehearsal, address: str, **parameters: Any) -> None:
    """Set HA parameters, and the mode where it is given, by the API."""
    mode = parameters.pop("mode", None)
    if parameters:
        assert status(v1(lab, address, "awshaparam", **parameters)) == 200
    if mode:
        assert status(v1(lab, address, "awshamode", hamode=mode)) == 200


def pair_up(lab: Rehearsal) -> None:
    enter(lab, M, partner=S, hcp=8444, mode="master")
    enter(lab, S, partner=M, hcp=8444, mode="slave")


def pair_in(lab: Rehearsal) -> Any:
    return lab.state()["pairs"]["Pair 1"]


def healths(lab: Rehearsal) -> tuple[int | None, int | None]:
    return health(lab, M), health(lab, S)


# -- fresh units -----------------------------------------------------------------------------------------------------


def test_a_fresh_unit_is_single_has_nothing_set_and_serves_no_health_check(fresh: Rehearsal) -> None:
    assert healths(fresh) == (None, None)
    assert not fresh.accepts(M, "health")
    assert "<hamode>0</hamode>" in body(v1(fresh, M, "get", param="hamode"))
    assert read_v2(fresh, S, "getawshaparams")["AwsHA"] == {
        "HaMode": "single",
        "HaPrefered": 1,
        "Partner": "unset",
        "Port": "unset",
    }
    found = pair_in(fresh)
    assert (found["formed"], found["active"], found["ever_same_mode"]) == (False, None, False)
    assert found["unpaired_because"] == [
        f"{M} is in mode single",
        f"{S} is in mode single",
        f"{M} has no partner",
        f"{S} has no partner",
        f"{M} has no health check port",
        f"{S} has no health check port",
    ]


def test_fresh_units_take_settings_and_geo_like_standalones_and_replicate_nothing(fresh: Rehearsal) -> None:
    for address, cluster in ((M, "192.0.2.1"), (S, "192.0.2.2")):
        assert status(v1(fresh, address, "set", param="geoclients", value=cluster)) == 200
        assert status(v1(fresh, address, "addcluster", ip=cluster, name=address)) == 200
    settle(fresh)
    units = fresh.state()["units"]
    assert [units[address]["remote_geo_access"] for address in (M, S)] == [["192.0.2.1"], ["192.0.2.2"]]
    assert [[c["name"] for c in units[address]["clusters"]] for address in (M, S)] == [[M], [S]]
    assert units[M]["active"]
    assert units[S]["active"]


def test_a_topology_s_standalone_has_no_other_mode_than_single(fresh: Rehearsal) -> None:
    assert status(v1(fresh, "10.1.1.1", "awshamode", hamode="single")) == 200
    assert status(v1(fresh, "10.1.1.1", "awshamode", hamode="master")) == 422


# -- forming ---------------------------------------------------------------------------------------------------------


def test_a_pair_forms_with_its_master_active_and_its_slave_gets_what_that_has(fresh: Rehearsal) -> None:
    v1(fresh, M, "set", param="geoclients", value="192.0.2.1")
    v1(fresh, S, "set", param="geoclients", value="192.0.2.2")
    enter(fresh, M, partner=S, hcp=8444, mode="master")
    assert healths(fresh) == (200, None)
    enter(fresh, S, partner=M, hcp=8444, mode="slave")
    assert healths(fresh) == (200, 503)
    found = pair_in(fresh)
    assert (found["formed"], found["active"], found["unpaired_because"]) == (True, M, [])
    assert not found["ever_same_mode"]
    assert fresh.state()["units"][S]["remote_geo_access"] == ["192.0.2.1"]
    assert status(v1(fresh, S, "set", param="geoclients", value="192.0.2.3")) == 422
    v1(fresh, M, "set", param="geoclients", value="192.0.2.4")
    fresh.clock.advance(SYNC)
    assert fresh.state()["units"][S]["remote_geo_access"] == ["192.0.2.4"]


COMMANDS = [
    (M, "awshaparam", {"partner": S}),
    (M, "awshaparam", {"hcp": 8444}),
    (M, "awshamode", {"hamode": "master"}),
    (S, "awshaparam", {"partner": M}),
    (S, "awshaparam", {"hcp": 8444}),
    (S, "awshamode", {"hamode": "slave"}),
]


@settings(deadline=None)
@given(st.permutations(COMMANDS), st.lists(st.sampled_from([0.0, 0.3, FAILOVER, 2.0]), min_size=6, max_size=6))
def test_a_pair_forms_by_the_last_of_its_parameters_in_whatever_order_and_time(
    order: list[tuple[str, str, dict[str, Any]]], pauses: list[float]
) -> None:
    lab = lab_of(unpaired=True)
    for (address, command, parameters), pause in zip(order, pauses, strict=True):
        lab.clock.advance(pause)
        assert not pair_in(lab)["formed"]
        assert pair_in(lab)["unpaired_because"]
        assert status(v2(lab, address, command, **parameters)) == 200
    assert pair_in(lab)["formed"]
    settle(lab)
    assert healths(lab) == (200, 503)
    assert not pair_in(lab)["ever_same_mode"]


def test_a_pair_formed_by_the_api_fails_over_like_any_other(fresh: Rehearsal) -> None:
    pair_up(fresh)
    fresh.reboot(M)
    fresh.clock.advance(FAILOVER)
    assert healths(fresh) == (None, 200)
    settle(fresh)
    assert healths(fresh) == (200, 503)
    enter(fresh, M, haprefered=0)
    fresh.reboot(M)
    settle(fresh)
    assert healths(fresh) == (503, 200)


def test_the_modes_and_not_the_topology_s_roles_say_who_is_master(fresh: Rehearsal) -> None:
    enter(fresh, M, partner=S, hcp=8444, mode="slave")
    enter(fresh, S, partner=M, hcp=8444, haprefered=0, mode="master")
    assert healths(fresh) == (503, 200)
    assert pair_in(fresh)["preferred_host"] == "none"


def test_a_partner_may_be_named_by_its_nat_address() -> None:
    units = {"master": {"address": M, "nat_address": "198.51.100.1"}, "slave": S}
    lab = simulate(topology({"name": "Pair 1", "ha_pair": units}), unpaired=True)
    enter(lab, M, partner=S, hcp=8444, mode="master")
    enter(lab, S, partner="198.51.100.1", hcp=8444, mode="slave")
    assert pair_in(lab)["formed"]


def test_a_pair_forms_only_when_both_units_are_up(fresh: Rehearsal) -> None:
    enter(fresh, M, partner=S, hcp=8444, mode="master")
    enter(fresh, S, partner=M, hcp=8445, mode="slave")
    fresh.power_off(M)
    enter(fresh, S, hcp=8444)
    assert pair_in(fresh)["unpaired_because"] == [f"{M} takes no part in HA now"]
    settle(fresh)
    assert healths(fresh) == (None, 200)
    fresh.power_on(M)
    settle(fresh)
    assert pair_in(fresh)["formed"]
    assert healths(fresh) == (200, 503)


def test_the_newer_commands_and_words_do_the_same(fresh: Rehearsal) -> None:
    for address, other, mode in ((M, S, "first"), (S, M, "second")):
        assert status(v2(fresh, address, "setcloudhaparam", partner=other, hcp="8444", hcai="1")) == 200
        assert status(v2(fresh, address, "setcloudhamode", hamode=mode)) == 200
        told = read_v2(fresh, address, "getCloudHaParams")["AwsHA"]
        assert told["HaMode"] == {"first": "master", "second": "slave"}[mode]
        assert told["HealthCheckAllInterfaces"] is True
    assert healths(fresh) == (200, 503)


def test_a_partner_may_be_the_name_of_its_host(fresh: Rehearsal) -> None:
    enter(fresh, M, partner="lb-10-0-1-2", hcp=8444, mode="master")
    enter(fresh, S, partner="LB-10-0-1-1", hcp=8444, mode="slave")
    assert pair_in(fresh)["formed"]
    assert read_v2(fresh, M, "getawshaparams")["AwsHA"]["Partner"] == "lb-10-0-1-2"
    enter(fresh, M, partner="lb-10-0-9-9")
    assert not pair_in(fresh)["formed"]
    for bad in ("lb 2", "-lb", "10.0.0.256", "lb..x", ""):
        assert status(v1(fresh, M, "awshaparam", partner=bad)) == 422, bad


def test_ha_cannot_be_configured_before_the_secret_is_set(fresh: Rehearsal) -> None:
    fresh.upgrade(M, "7.2.48.6")
    settle(fresh)
    enter(fresh, M, mode="master")  # this firmware has no secret
    fresh.upgrade(M, "7.2.59.4")
    settle(fresh)
    enter(fresh, M, mode="single")
    assert status(v1(fresh, M, "awshamode", hamode="master")) == 422
    v1(fresh, M, "setlmcommsecret", secret=SHARED)
    enter(fresh, M, mode="master")


def test_an_ignored_command_changes_nothing(fresh: Rehearsal) -> None:
    fresh.inject(f"ignore,unit={S},command=awshamode")
    pair_up(fresh)
    assert pair_in(fresh)["unpaired_because"] == [f"{S} is in mode single"]
    assert fresh.state()["units"][S]["ha_mode"] == "single"


def test_a_paired_lab_has_what_its_topology_says() -> None:
    site = {"name": "Pair 1", "ha_pair": {"master": M, "slave": S, "preferred_host": "none"}}
    site["ha_pair"]["health_check"] = {"port": 9000, "all_interfaces": True}  # type: ignore[index]
    lab = simulate(topology(site, health_check_port=8555))
    ha = {"health_check_port": 9000, "preferred_host": "none", "all_interfaces": True}
    units = lab.state()["units"]
    assert [units[address]["ha"] for address in (M, S)] == [{"partner": S, **ha}, {"partner": M, **ha}]
    assert [units[address]["ha_mode"] for address in (M, S)] == ["master", "slave"]
    assert healths(lab) == (200, 503)
    assert simulate(topology(pair(1), health_check_port=8555)).state()["units"][M]["ha"]["health_check_port"] == 8555


# -- trouble ---------------------------------------------------------------------------------------------------------


def test_ports_that_differ_part_the_pair_and_both_become_active() -> None:
    lab = lab_of()
    enter(lab, M, hcp=8445)
    assert pair_in(lab)["unpaired_because"] == [f"the health check ports differ: 8445 on {M}, 8444 on {S}"]
    assert healths(lab) == (None, 503), "the published endpoint stands for the topology's port"
    lab.clock.advance(FAILOVER - MOMENT)
    assert healths(lab) == (None, 503)
    lab.clock.advance(MOMENT)
    assert healths(lab) == (None, 200)
    units = lab.state()["units"]
    assert units[M]["active"]
    assert units[S]["active"]
    enter(lab, M, hcp=8444)
    assert healths(lab) == (200, 503)


@pytest.mark.parametrize("partner", ["10.1.1.1", "192.0.2.99"])
def test_a_slave_with_a_wrong_partner_takes_over_and_both_answer_200(partner: str) -> None:
    lab = lab_of()
    v1(lab, M, "set", param="geoclients", value="192.0.2.1")
    enter(lab, S, partner=partner)
    settle(lab)
    assert healths(lab) == (200, 200)
    assert pair_in(lab)["unpaired_because"] == [f"{S} has the partner {partner}, not {M}"]
    assert lab.state()["units"][S]["remote_geo_access"] == [], "nothing is replicated"


def test_a_slave_whose_poll_is_answered_stays_standby_though_its_master_names_another() -> None:
    lab = lab_of()
    enter(lab, M, partner="192.0.2.99")
    settle(lab)
    assert healths(lab) == (200, 503)
    assert not pair_in(lab)["formed"]
    lab.power_off(M)
    settle(lab, FAILOVER)
    assert healths(lab) == (None, 200)
    lab.power_on(M)
    settle(lab)
    assert healths(lab) == (200, 200), "who is active polls nobody"
    with pytest.raises(LabError, match="no standby"):
        lab.fail_over("Pair 1")


@pytest.mark.parametrize(("address", "mode"), [(M, "slave"), (S, "master")])
def test_the_same_mode_on_both_is_recorded_and_both_answer_200(address: str, mode: str) -> None:
    lab = lab_of()
    enter(lab, address, mode=mode)
    settle(lab)
    assert healths(lab) == (200, 200)
    assert pair_in(lab)["unpaired_because"] == [f"both units are in mode {mode}"]
    enter(lab, address, mode={M: "master", S: "slave"}[address])
    assert healths(lab) == (200, 503)
    assert pair_in(lab)["ever_same_mode"], "it was so for a moment"


def test_none_is_active_while_a_master_turned_slave_waits_for_an_answer() -> None:
    lab = lab_of()
    enter(lab, M, mode="slave")
    assert healths(lab) == (503, 503)


def test_a_pair_parted_while_its_slave_was_active_leaves_both_active() -> None:
    lab = lab_of()
    lab.fail_over("Pair 1")
    settle(lab)
    assert healths(lab) == (503, 200)
    enter(lab, M, partner="192.0.2.99")
    assert healths(lab) == (200, 200)


def test_ha_parameters_are_set_on_a_standby_and_never_replicated() -> None:
    lab = lab_of()
    enter(lab, S, hcai=1, haprefered=0)
    settle(lab)
    units = lab.state()["units"]
    assert [units[address]["ha"]["all_interfaces"] for address in (M, S)] == [False, True]
    assert pair_in(lab)["preferred_host"] == "master", "the master's own says"
    assert pair_in(lab)["formed"]


def test_a_bad_parameter_leaves_the_others_as_they_were(fresh: Rehearsal) -> None:
    assert status(v1(fresh, M, "awshaparam", partner=S, hcp="none")) == 422
    assert fresh.state()["units"][M]["ha"]["partner"] is None


# -- unconnected -----------------------------------------------------------------------------------------------------


def shown(lab: Rehearsal) -> list[str | None]:
    units = lab.state()["units"]
    return [units[address]["ha_status"] for address in (M, S)]


def test_a_unit_is_unconnected_until_its_health_check_is_polled(fresh: Rehearsal) -> None:
    assert shown(fresh) == [None, None]
    enter(fresh, M, partner=S, hcp=8444, mode="master")
    assert shown(fresh) == ["MASTER", None]
    enter(fresh, S, mode="slave")
    assert shown(fresh) == ["MASTER", "SLAVE"]
    enter(fresh, S, partner=M, hcp=8444)
    assert shown(fresh) == ["Master Unconnected", "Slave Unconnected"]
    assert health(fresh, S) == 503
    assert shown(fresh) == ["Master Unconnected", "Slave (Standby)"]
    assert health(fresh, M) == 200
    fresh.fail_over("Pair 1")
    settle(fresh)
    assert shown(fresh) == ["Master (Standby)", "Slave (Active)"]
    assert fresh.state()["units"]["10.1.1.1"]["ha_status"] is None


def test_a_reboot_and_another_port_leave_a_unit_unconnected() -> None:
    lab = lab_of()
    healths(lab)
    assert shown(lab) == ["Master (Active)", "Slave (Standby)"]
    lab.reboot(S)
    assert shown(lab) == ["Master (Active)", None]
    settle(lab)
    assert shown(lab) == ["Master (Active)", "Slave Unconnected"]
    enter(lab, M, hcp=8445)
    assert shown(lab)[0] == "Master Unconnected"


@pytest.mark.parametrize("kind", ["reset", "timeout", "refuse"])
def test_a_poll_without_an_answer_does_not_count(kind: str) -> None:
    lab = lab_of()
    lab.inject(f"{kind},command=health")
    healths(lab)
    assert shown(lab) == ["Master Unconnected", "Slave Unconnected"]


def test_the_table_of_a_terminal_shows_the_ha_status_of_pairs() -> None:
    for lab, states in (
        (lab_of(), ["Master Unconnected", "Slave Unconnected"]),
        (lab_of(unpaired=True), ["single"] * 2),
    ):
        heading, *rows = as_table(lab.network, endpoints_of(lab), width=200).splitlines()
        assert heading.endswith("  HA STATUS")
        assert [row[heading.index("HA STATUS") :] for row in rows] == [*states, ""]
        narrow = as_table(lab.network, endpoints_of(lab), width=80)
        assert all(word in narrow for state in states for word in state.split())


# -- firmware --------------------------------------------------------------------------------------------------------


def test_an_upgrade_reboots_a_unit_and_keeps_what_it_has() -> None:
    lab = lab_of(firmware=OLD)
    v1(lab, M, "set", param="geoclients", value="192.0.2.1")
    settle(lab)
    lab.upgrade(S, "7.2.52.0")
    assert not lab.accepts(S)
    assert lab.state()["units"][S]["firmware"] == OLD
    settle(lab)
    unit = lab.state()["units"][S]
    assert (unit["firmware"], unit["reboots"], unit["remote_geo_access"]) == ("7.2.52.0", 1, ["192.0.2.1"])
    assert "<version>7.2.52.0." in body(v1(lab, S, "get", param="version"))
    assert pair_in(lab)["formed"], "units of different firmware do form a pair"
    assert healths(lab) == (200, 503)


def test_the_partner_shared_secret_parts_a_pair_that_is_upgraded_until_it_is_set_on_both() -> None:
    lab = lab_of(firmware=OLD)
    lab.upgrade(S, GA)
    settle(lab)
    assert pair_in(lab)["unpaired_because"] == [
        f"the firmware of {S}, {GA}, has a Partner Shared Secret, and that of {M}, {OLD}, has none"
    ]
    assert healths(lab) == (200, 200)
    lab.upgrade(M, LTSF)
    settle(lab)
    assert pair_in(lab)["unpaired_because"] == [f"no Partner Shared Secret is set on {M} and {S}"]
    v1(lab, M, "setlmcommsecret", secret=SHARED)
    v1(lab, S, "setlmcommsecret", secret=SHARED + ".")
    assert pair_in(lab)["unpaired_because"] == ["the Partner Shared Secrets differ"]
    assert healths(lab) == (200, 200)
    v1(lab, S, "setlmcommsecret", secret=SHARED)
    assert pair_in(lab)["formed"]
    assert healths(lab) == (200, 503)


def test_an_upgrade_within_the_partner_shared_secret_keeps_it_and_a_downgrade_out_of_it_loses_it() -> None:
    lab = lab_of(firmware=LTSF)
    lab.upgrade(S, GA)
    settle(lab)
    assert pair_in(lab)["formed"]
    for version in (OLD, GA):
        lab.upgrade(S, version)
        settle(lab)
        assert not lab.state()["units"][S]["has_secret"]
    assert not pair_in(lab)["formed"]


def test_a_secret_that_is_gone_turns_partner_links_red_until_it_is_set() -> None:
    lab = simulate(topology(standalone(1), standalone(2)))
    one, other = "10.1.1.1", "10.1.2.1"
    for address in (one, other):
        v1(lab, address, "setlmcommsecret", secret=SHARED)
        v1(lab, address, "set", param="geoclients", value=f"{one},{other}")
    for address, partner in ((one, other), (other, one)):
        v1(lab, address, "set", param="geopartners", value=partner)
    seen = [lab.state()["units"][one]["partner_status"][other]]
    for version in (OLD, GA):
        lab.upgrade(other, version)
        settle(lab)
        seen.append(lab.state()["units"][one]["partner_status"][other])
    v1(lab, other, "setlmcommsecret", secret=SHARED)
    seen.append(lab.state()["units"][one]["partner_status"][other])
    assert seen == ["green", "red", "red", "green"]


def test_an_upgrade_is_refused_to_no_version_and_on_a_unit_that_is_down() -> None:
    lab = lab_of()
    with pytest.raises(LabError, match="no unit"):
        lab.upgrade("192.0.2.99", GA)
    for text in ("newest", "7.2", f"7.2.{'9' * 5000}"):
        with pytest.raises(LabError, match="not a firmware version") as caught:
            lab.upgrade(S, text)
        assert len(str(caught.value)) < 200
    lab.power_off(S)
    with pytest.raises(LabError, match="is not up"):
        lab.upgrade(S, GA)
    lab.power_on(S)
    settle(lab)
    assert lab.state()["units"][S]["reboots"] == 0


# -- what always holds -----------------------------------------------------------------------------------------------

happenings = st.one_of(
    st.tuples(st.just("mode"), st.sampled_from([M, S]), st.sampled_from(["single", "master", "slave"])),
    st.tuples(st.just("partner"), st.sampled_from([M, S]), st.sampled_from([M, S, "192.0.2.99"])),
    st.tuples(st.just("hcp"), st.sampled_from([M, S]), st.sampled_from(["8444", "8445"])),
    st.tuples(st.just("secret"), st.sampled_from([M, S]), st.sampled_from([SHARED, "other-secret"])),
    st.tuples(st.just("upgrade"), st.sampled_from([M, S]), st.sampled_from([OLD, LTSF, GA])),
    st.tuples(st.just("power"), st.sampled_from([M, S]), st.sampled_from(["off", "on", "reboot", "fail over"])),
    st.tuples(st.just("wait"), st.just(M), st.sampled_from(["0.1", "0.5", "3", "400"])),
)


def let_happen(lab: Rehearsal, kind: str, address: str, value: str) -> None:
    try:
        match kind, value:
            case "mode", _:
                v1(lab, address, "awshamode", hamode=value)
            case "partner", _:
                v1(lab, address, "awshaparam", partner=value)
            case "hcp", _:
                v1(lab, address, "awshaparam", hcp=value)
            case "secret", _:
                v1(lab, address, "setlmcommsecret", secret=value)
            case "upgrade", _:
                lab.upgrade(address, value)
            case "power", "off":
                lab.power_off(address)
            case "power", "on":
                lab.power_on(address)
            case "power", "reboot":
                lab.reboot(address)
            case "power", _:
                lab.fail_over("Pair 1")
            case _:
                lab.clock.advance(float(value))
    except LabError:
        assert kind == "upgrade" or value == "fail over"


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(happenings, max_size=25))
def test_a_pair_is_formed_by_agreement_alone_and_never_has_two_active_units(
    unpaired: bool,
    all_happenings: list[tuple[str, str, str]],
) -> None:
    lab = lab_of(unpaired=unpaired)
    ha = lab.network.pair("Pair 1")
    ever_same = False
    for kind, address, value in all_happenings:
        let_happen(lab, kind, address, value)
        ever_same |= ha.master.ha.mode == ha.slave.ha.mode != "single"
        active = [unit for unit in ha.units if lab.network.is_active(unit)]
        agree = pairing_of(ha.master, ha.slave).is_possible
        if ha.is_formed:
            assert agree
            assert len(active) <= 1
            assert ha.unpaired_because == ()
        else:
            assert ha.active is None
            assert ha.unpaired_because
            assert not (agree and all(unit.takes_part for unit in ha.units))
            assert all(unit in active for unit in ha.units if unit.takes_part and unit.ha.mode != "slave")
        assert ha.ever_same_mode == ever_same
    settle(lab)
    active = [unit for unit in ha.units if lab.network.is_active(unit)]
    if any(unit.takes_part for unit in ha.units):
        assert active, "in the end somebody takes over"
    for unit in (ha.master, ha.slave):
        lab.power_off(unit.address)
        lab.power_on(unit.address)
    settle(lab)
    for unit in ha.units:
        unit.secret = None
        if unit.firmware.has_partner_secret:
            v1(lab, unit.address, "setlmcommsecret", secret=SHARED)
    pair_up(lab)
    same_side = ha.master.firmware.has_partner_secret == ha.slave.firmware.has_partner_secret
    settle(lab)
    assert ha.is_formed == same_side
    if same_side:
        assert ha.active is not None
        assert ha.master.configuration == ha.slave.configuration


def test_every_order_of_reboots_gives_the_same_state_twice() -> None:
    for order in permutations((M, S)):
        states = []
        for _ in range(2):
            lab = lab_of(unpaired=True)
            pair_up(lab)
            for address in order:
                lab.reboot(address)
                lab.clock.advance(1)
            settle(lab)
            states.append(lab.state())
        assert states[0] == states[1]
