"""New firmware: the order of sections 7.1 and 7.2, what it does to the secret, and what is refused."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan import InvalidInputError, Plan, Topology, load_topology, make_plan
from geoplan.errors import UpgradeRefusedError
from geoplan.plan.actions import PREFERRED_HOST_ACTIONS
from geoplan.plan.model import FIRMWARE_ACTIONS, Action, Phase, Step, checksum_of
from geoplan.plan.upgrade import make_upgrade, written_firmware
from geoplan.render import json as json_format
from tests.conftest import TOPOLOGIES
from tests.plan.units_of_pairs import UPDATES, Model
from tests.plan.upgrades import running_everywhere, upgrades

SECRET = Action.SET_PARTNER_SECRET


def example() -> Topology:
    return load_topology(TOPOLOGIES / "section-5.4.yaml")


def upgrade_of_example(to: str, present: str, **other_units: str) -> Plan:
    topology = example()
    running = running_everywhere(topology, present)
    running |= {address.replace("_", ".").removeprefix("u"): version for address, version in other_units.items()}
    return make_upgrade(topology, to, running)


def actions_of(plan: Plan, site: str) -> list[tuple[Action, str]]:
    return [(step.action, step.on.unit) for step in plan.steps if step.site == site]


# -- the order -------------------------------------------------------------------------------------------------------


def test_pairs_standby_first_then_standalones() -> None:
    plan = upgrade_of_example("7.2.54.9", "7.2.48.4")

    assert [(step.site, step.action, step.on.unit) for step in plan.steps] == [
        ("HA Pair 1", Action.UPDATE_STANDBY, "standby"),
        ("HA Pair 1", Action.UPDATE_ACTIVE, "active"),
        ("HA Pair 1", Action.VERIFY_UPDATED_PAIR, "both"),
        ("HA Pair 2", Action.UPDATE_STANDBY, "standby"),
        ("HA Pair 2", Action.UPDATE_ACTIVE, "active"),
        ("HA Pair 2", Action.VERIFY_UPDATED_PAIR, "both"),
        ("Standalone LoadMaster 1", Action.UPDATE_STANDALONE, "standalone"),
        ("Standalone LoadMaster 2", Action.UPDATE_STANDALONE, "standalone"),
    ]
    assert {step.section for step in plan.steps} == {"7.1"}
    assert plan.phases() == (Phase.FIRMWARE,)


def test_downgrade_follows_its_own_section() -> None:
    plan = upgrade_of_example("7.2.48.4", "7.2.59.4")

    assert {step.section for step in plan.steps} == {"7.2"}
    assert plan.firmware
    assert plan.firmware.direction == "downgrade"


def test_secret_is_set_right_after_each_units_update() -> None:
    plan = upgrade_of_example("7.2.59.4", "7.2.48.4")

    assert actions_of(plan, "HA Pair 1") == [
        (Action.UPDATE_STANDBY, "standby"),
        (SECRET, "updated"),
        (Action.UPDATE_ACTIVE, "active"),
        (SECRET, "updated"),
        (Action.VERIFY_UPDATED_PAIR, "both"),
    ]
    assert actions_of(plan, "Standalone LoadMaster 1") == [
        (Action.UPDATE_STANDALONE, "standalone"),
        (SECRET, "updated"),
    ]
    assert [step.id for step in plan.steps if step.action is SECRET][:2] == [
        "ha-pair-1/set-partner-secret",
        "ha-pair-1/set-partner-secret-2",
    ]


@pytest.mark.parametrize(
    ("present", "to", "is_set"),
    [
        ("7.2.48.4", "7.2.54.9", False),
        ("7.2.48.4", "7.2.54.10", True),
        ("7.2.54.9", "7.2.54.12.22642.RELEASE", True),
        ("7.2.54.12", "7.2.59.0", False),  # from the LTSF line into a release that lacks the secret again
        ("7.2.54.12", "7.2.59.4", False),  # it is there already
        ("7.2.59.3", "7.2.59.4", True),
        ("7.2.59.4", "7.2.54.12", False),
        ("7.2.59.4", "7.2.48.4", False),
    ],
)
def test_secret_is_set_where_the_change_brings_it(present: str, to: str, is_set: bool) -> None:
    assert any(step.action is SECRET for step in upgrade_of_example(to, present).steps) == is_set


def test_downgrade_into_the_line_with_the_secret_sets_it() -> None:
    assert any(step.action is SECRET for step in upgrade_of_example("7.2.54.12", "7.2.55.0").steps)


def test_unit_that_runs_the_version_is_left_alone() -> None:
    plan = upgrade_of_example("7.2.59.4", "7.2.48.4", u172_24_1_6="7.2.59.4")

    assert actions_of(plan, "HA Pair 1") == [
        (Action.UPDATE_REMAINING, "master"),
        (SECRET, "updated"),
        (Action.VERIFY_UPDATED_PAIR, "both"),
    ]


def test_pair_of_which_one_unit_had_the_secret_gets_it_on_both() -> None:
    plan = upgrade_of_example("7.2.59.4", "7.2.48.4", u172_24_1_6="7.2.54.12")

    assert [action for action, _ in actions_of(plan, "HA Pair 1")].count(SECRET) == 2


def test_site_whose_units_run_the_version_has_no_step() -> None:
    plan = upgrade_of_example("7.2.59.4", "7.2.48.4", u172_24_1_5="7.2.59.4", u172_24_1_6="7.2.59.4.1.RELEASE")

    assert actions_of(plan, "HA Pair 1") == []
    assert plan.steps[0].after == ()


def test_nothing_is_left_to_do_where_all_run_the_version() -> None:
    plan = upgrade_of_example("7.2.59.4", "7.2.59.4.22642.RELEASE")

    assert plan.steps == ()
    assert plan.firmware
    assert plan.firmware.direction is None


def test_sites_left_without_the_secret_are_named() -> None:
    topology = example()
    running = {"172.24.1.5": "7.2.48.4", "172.24.1.6": "7.2.48.4", "172.24.1.9": "7.2.59.4", "172.24.1.7": "7.2.48.4"}
    change = make_upgrade(topology, "7.2.59.4", running, ["HA Pair 1"]).firmware

    assert change
    assert change.sites == ("HA Pair 1",)
    assert {unit.address: unit.present for unit in change.cut_off} == {
        "172.24.1.8": None,
        "172.24.1.7": "7.2.48.4",
        "172.24.1.10": None,
    }


def test_written_firmware_is_that_of_the_file() -> None:
    document = {
        "sites": [
            {"name": "A", "ha_pair": {"master": {"address": "10.0.0.1", "firmware": "7.2.48.4"}, "slave": "10.0.0.2"}}
        ]
    }

    assert written_firmware(Topology.model_validate(document)) == {"10.0.0.1": "7.2.48.4"}


def test_site_that_the_topology_lacks_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        make_upgrade(example(), "7.2.59.4", {}, ["HA Pair 3"])


def test_broken_topology_is_never_planned() -> None:
    topology = Topology.model_validate({"sites": [{"name": name, "standalone": "10.0.0.1"} for name in ("A", "B")]})

    with pytest.raises(InvalidInputError):
        make_upgrade(topology, "7.2.59.4", running_everywhere(topology, "7.2.48.4"))


# -- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("preferred_host", "switchovers"), [("master", 2), ("none", 1)])
def test_window_has_a_boot_for_each_update_and_the_switch_over_for_the_active(
    preferred_host: str, switchovers: int
) -> None:
    check = {"interval_seconds": 20, "healthy_threshold": 2, "unhealthy_threshold": 4}
    pair = {"master": "10.0.0.1", "slave": "10.0.0.2", "preferred_host": preferred_host, "health_check": check}
    document: dict[str, Any] = {
        "sites": [{"name": "A", "ha_pair": pair}],
        "timing": {"boot_seconds": 100, "sync_seconds": 7, "manual_step_seconds": 10},
    }
    topology = Topology.model_validate(document)
    estimates = make_upgrade(topology, "7.2.54.0", running_everywhere(topology, "7.2.48.4")).estimates

    assert estimates.by_api_seconds == 200
    assert estimates.by_hand_seconds == 200 + 3 * 10 + switchovers * 80
    assert estimates.longest_chain_seconds == 200
    assert estimates.longest_chain_steps == 3


# -- what is refused -------------------------------------------------------------------------------------------------


def refusal(to: str, present: str, **other_units: str) -> UpgradeRefusedError:
    with pytest.raises(UpgradeRefusedError) as caught:
        upgrade_of_example(to, present, **other_units)
    return caught.value


def test_downgrade_below_7_2_36_is_refused() -> None:
    error = refusal("7.2.35.0", "7.2.48.4")

    assert error.exit_code == 2
    assert "172.24.1.5" in str(error)
    assert "would become inaccessible and could not be recovered" in str(error)
    assert error.hint == "the lowest version that these units can go to is 7.2.36.0"


@pytest.mark.parametrize(
    ("present", "to", "is_refused"),
    [
        ("7.2.59.4", "7.2.61.0", True),
        ("7.2.48.4", "7.2.62.1", True),
        ("7.2.59.4", "7.2.60.0", False),
        ("7.2.59.4", "7.2.60.3", False),  # a fix of the stepping stone counts as it
        ("7.2.60.0", "7.2.61.0", False),
        ("7.2.60.2.22951.RELEASE", "7.2.62.1", False),
        ("7.2.62.1", "7.2.61.0", False),
    ],
)
def test_nothing_goes_past_the_stepping_stone(present: str, to: str, is_refused: bool) -> None:
    if not is_refused:
        assert upgrade_of_example(to, present).steps
        return
    error = refusal(to, present)
    assert "would go past 7.2.60: firmware before it goes to it first" in str(error)
    assert error.hint == f"bring these units to 7.2.60 or one of its fixes first, then to {to}"


def test_preferred_host_is_set_aside_for_the_time_of_an_update_where_roles_are_held() -> None:
    topology = example()
    running = running_everywhere(topology, "7.2.59.4") | {"172.24.1.8": "7.2.60.1", "172.24.1.7": "7.2.60.1"}
    plan = make_upgrade(topology, "7.2.60.1", running, holds_roles=True)

    assert [action for action, _ in actions_of(plan, "HA Pair 1")] == [
        Action.SET_PREFERRED_HOST_ASIDE,
        Action.UPDATE_STANDBY,
        Action.UPDATE_ACTIVE,
        Action.VERIFY_UPDATED_PAIR,
        Action.RESTORE_PREFERRED_HOST,
    ]
    assert actions_of(plan, "HA Pair 2") == []  # whose units run it already
    assert [len(step.after) for step in plan.steps] == [0, *[1] * (len(plan.steps) - 1)]


def test_preferred_host_that_is_none_is_left_as_it_is() -> None:
    pair = {"master": "10.0.0.1", "slave": "10.0.0.2", "preferred_host": "none"}
    document = {"sites": [{"name": "A", "ha_pair": pair}]}
    topology = Topology.model_validate(document)
    plan = make_upgrade(topology, "7.2.60.1", running_everywhere(topology, "7.2.59.4"), holds_roles=True)

    assert {step.action for step in plan.steps}.isdisjoint(PREFERRED_HOST_ACTIONS)


def test_downgrade_to_7_2_36_itself_and_below_it_are_no_matter() -> None:
    assert upgrade_of_example("7.2.36.0", "7.2.48.4").steps
    assert upgrade_of_example("7.2.30.0", "7.2.35.9").steps
    assert upgrade_of_example("7.2.36", "7.2.35.9").steps


def test_unknown_firmware_is_refused_and_the_units_are_named() -> None:
    with pytest.raises(UpgradeRefusedError) as caught:
        make_upgrade(example(), "7.2.59.4", {"172.24.1.5": "7.2.48.4"})

    assert "172.24.1.6, 172.24.1.8, 172.24.1.7, 172.24.1.9 and 172.24.1.10 is not known" in str(caught.value)
    assert "--live" in (caught.value.hint or "")


def test_firmware_of_other_sites_need_not_be_known() -> None:
    plan = make_upgrade(example(), "7.2.59.4", {"172.24.1.9": "7.2.48.4"}, ["Standalone LoadMaster 1"])

    assert {step.site for step in plan.steps} == {"Standalone LoadMaster 1"}


def test_pair_that_would_go_both_ways_is_refused() -> None:
    error = refusal("7.2.54.0", "7.2.54.0", u172_24_1_5="7.2.48.4", u172_24_1_6="7.2.59.4")

    assert "172.24.1.5 would go up from 7.2.48.4 and 172.24.1.6 would go down from 7.2.59.4" in str(error)
    assert error.hint == "bring that pair to one version first: --site 'HA Pair 1' --to 7.2.59.4"


def test_sites_that_would_go_both_ways_are_refused() -> None:
    error = refusal("7.2.54.0", "7.2.48.4", u172_24_1_9="7.2.59.4")

    assert "'HA Pair 1', 'HA Pair 2' and 'Standalone LoadMaster 2' would go up" in str(error)
    assert "'Standalone LoadMaster 1' down" in str(error)
    assert "--site" in (error.hint or "")


@pytest.mark.parametrize("to", ["", "latest", "7.2", "7.2.59.4\n", "7.2.59.x", "-7.2.59.4"])
def test_what_is_no_version_is_refused(to: str) -> None:
    error = refusal(to, "7.2.48.4")

    assert "is not a firmware version" in str(error)
    assert "\n" not in str(error).strip()


def test_unit_that_names_no_version_is_refused() -> None:
    error = refusal("7.2.59.4", "7.2.48.4", u172_24_1_9="\x1b[31mnone")

    assert "172.24.1.9 says that it runs" in str(error)
    assert "\x1b" not in str(error)


# -- what holds for all ----------------------------------------------------------------------------------------------


@given(upgrades(), st.data())
def test_no_pair_is_ever_down_and_every_unit_ends_on_the_version(plan: Plan, data: st.DataObject) -> None:
    """Begin and end steps in any order that what they wait for allows, with HA doing its part in between."""
    model = Model(
        plan,
        first_active=lambda: data.draw(st.integers(0, 1)),
        alone_takes_over=lambda: data.draw(st.booleans()),
    )
    waiting, under_way = list(plan.steps), list[Step]()
    done: set[str] = set()
    begun: dict[str, None] = {}
    while waiting or under_way:
        ready = [step for step in waiting if set(step.after) <= done]
        step = data.draw(st.sampled_from([*under_way, *ready]))
        if step in under_way:
            model.end(step)
            under_way.remove(step)
            done.add(step.id)
        else:
            model.begin(step)
            waiting.remove(step)
            under_way.append(step)
            begun[step.site] = None
        for site in model.sites.values():
            assert len(site.units) == 1 or any(unit.up and unit.active for unit in site.units)
        unfinished = {later.site for later in [*waiting, *under_way]}
        assert len(begun.keys() & unfinished) <= 1, "a site is finished before the next is begun"
    assert all(unit.firmware == model.to for site in model.sites.values() for unit in site.units if plan.steps)
    for name in begun:
        site = model.sites[name]
        assert len(site.units) == 1 or site.linked()
        assert [unit.active for unit in site.units].count(True) == 1


@given(upgrades(), st.data())
def test_pair_ends_as_its_preferred_host_says(plan: Plan, data: st.DataObject) -> None:
    model = Model(plan, first_active=lambda: data.draw(st.integers(0, 1)), alone_takes_over=lambda: False)
    active_before = {name: [unit.active for unit in site.units] for name, site in model.sites.items()}
    assert plan.firmware
    crossing = {unit.site for unit in plan.firmware.crossing}
    for step in plan.steps:
        model.begin(step)
        model.end(step)
    for name, site in model.sites.items():
        updates = [step for step in plan.steps if step.site == name and step.action in UPDATES]
        if len(updates) < 2 or name in crossing or len({unit.present for unit in plan.firmware.of_site(name)}) > 1:
            continue
        after = [unit.active for unit in site.units]
        if site.prefers_master:
            assert after == [True, False]
            assert len(site.failovers) == 2
        else:
            assert after == active_before[name][::-1]
            assert len(site.failovers) == 1


@given(upgrades())
def test_standalones_come_last_and_one_at_a_time(plan: Plan) -> None:
    kinds = [plan.site(step.site).kind for step in plan.steps]
    assert kinds == sorted(kinds)  # ha_pair before standalone
    runs = [site for site, _ in groupby(step.site for step in plan.steps)]
    assert len(runs) == len(set(runs))
    order = [site.name for site in plan.sites]
    for kind in ("ha_pair", "standalone"):
        own = [site for site in runs if plan.site(site).kind == kind]
        assert own == sorted(own, key=order.index)


@given(upgrades())
def test_plan_is_read_back_and_its_checksum_holds_the_change(plan: Plan) -> None:
    assert Plan.model_validate_json(json_format.render(plan)) == plan
    assert {step.action for step in plan.steps} <= FIRMWARE_ACTIONS
    assert plan.firmware
    other = plan.model_copy(update={"firmware": plan.firmware.model_copy(update={"to": "7.2.99.0"})})
    assert checksum_of(vars(other)) != plan.checksum


def test_plan_without_new_firmware_has_no_word_of_it() -> None:
    assert '"firmware"' not in json_format.render(make_plan(example()))
