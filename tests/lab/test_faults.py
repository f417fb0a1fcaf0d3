"""Each fault does what it says, where and when it says, and no longer than until it is lifted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.lab.errors import LabError
from geoplan.lab.faults import Fault, FaultKind
from geoplan.lab.http import Outcome
from tests.lab.support import A1, M1, S1, Rehearsal, body, health, settle, simulate, status, v1

LIST = "172.24.1.9"


@pytest.fixture
def lab() -> Rehearsal:
    return simulate()


def write(lab: Rehearsal, address: str = M1) -> Outcome:
    return v1(lab, address, "set", param="geoclients", value=LIST)


def is_written(lab: Rehearsal, address: str = M1) -> bool:
    return lab.network.unit(address).remote_geo_access == (LIST,)


# -- faults of requests ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "ending", "answered", "written"),
    [
        ("reset", "reset", None, False),
        ("timeout", "silence", None, False),
        ("refuse", "reset", None, False),
        ("slow", "answered", 200, True),
        ("error", "answered", 500, False),
        ("html", "answered", 200, False),
        ("truncate", "truncated", 200, True),
    ],
)
@pytest.mark.parametrize("applied", [None, True, False])
def test_a_request_fares_as_its_fault_says_and_is_applied_where_that_is_asked(  # noqa: PLR0913 - a row of the table
    lab: Rehearsal, fault: str, ending: str, answered: int | None, *, written: bool, applied: bool | None
) -> None:
    lab.inject(Fault(FaultKind(fault), unit=M1, command="set", applied=applied))
    outcome = write(lab)
    assert outcome.ending == ending
    assert (outcome.response and outcome.response.status) == answered
    assert is_written(lab) is (written if applied is None else applied)
    assert f"(fault 1: {fault})" in outcome.log


def test_a_slow_answer_comes_later_and_a_truncated_one_in_half(lab: Rehearsal) -> None:
    lab.inject("slow,command=get,seconds=0.7")
    assert v1(lab, M1, "get", param="version").delay_seconds == 0.7
    lab.lift_all()
    whole = v1(lab, M1, "get", param="version").sent_body
    lab.inject("truncate,command=get")
    assert v1(lab, M1, "get", param="version").sent_body == whole[: len(whole) // 2]


def test_200_and_nothing_changed_answers_as_ever(lab: Rehearsal) -> None:
    lab.inject("ignore,command=set,occurrence=1")
    assert status(write(lab)) == 200
    assert not is_written(lab)
    v1(lab, A1, "addcluster", ip=A1, name="there")
    lab.inject("ignore")
    assert "<Success>Cluster deleted</Success>" in body(v1(lab, A1, "delcluster", ip=A1))
    assert "<Type>default</Type>" in body(v1(lab, A1, "modcluster", ip=A1, type="remoteLM"))
    assert status(v1(lab, A1, "reboot")) == 200
    settle(lab, 1)
    assert lab.accepts(A1)
    assert "<Name>there</Name>" in body(v1(lab, A1, "listclusters"))


def test_a_fault_knows_its_unit_command_parameter_and_occurrence(lab: Rehearsal) -> None:
    lab.inject(f"error,unit={M1},command=set:geopartners,occurrence=2")
    partners: dict[str, Any] = {"param": "geopartners", "value": LIST}
    assert status(v1(lab, S1, "get", **partners)) == 200
    assert status(write(lab)) == 200
    assert [status(v1(lab, M1, "set", **partners)) for _ in range(3)] == [200, 500, 200]


def test_the_health_check_fails_like_a_command(lab: Rehearsal) -> None:
    lab.inject("error,command=health,occurrence=1")
    assert (health(lab, M1), health(lab, M1)) == (500, 200)
    number = lab.inject(f"refuse,unit={M1},command=health")
    assert not lab.accepts(M1, "health")
    assert lab.accepts(M1, "api")
    lab.lift(number)
    assert health(lab, M1) == 200


def test_a_refusal_lasts_its_seconds_or_until_it_is_lifted(lab: Rehearsal) -> None:
    lab.inject(f"refuse,unit={M1},seconds=2")
    assert not lab.accepts(M1)
    settle(lab, 2)
    assert lab.accepts(M1)
    assert lab.state()["faults"] == []
    number = lab.inject(f"refuse,unit={M1},command=set,occurrence=1")
    assert lab.accepts(M1)
    assert write(lab).ending == "reset"
    assert not lab.accepts(M1)
    settle(lab, 600)
    assert not lab.accepts(M1)
    lab.lift(number)
    assert status(write(lab)) == 200


# -- faults of units -------------------------------------------------------------------------------------------------


def test_a_unit_that_never_comes_back_boots_once_that_is_lifted(lab: Rehearsal) -> None:
    number = lab.inject(f"no-return,unit={M1}")
    v1(lab, M1, "reboot")
    settle(lab, 600)
    assert not lab.accepts(M1)
    lab.lift(number)
    assert not lab.accepts(M1)
    settle(lab, 3)
    assert lab.accepts(M1)


@pytest.mark.parametrize("command", [None, "set"])
def test_a_fault_that_is_lifted_before_its_unit_has_gone_lets_it_come_back(lab: Rehearsal, command: str | None) -> None:
    number = lab.inject(Fault(FaultKind.NO_RETURN, unit=M1, command=command))
    assert status(write(lab) if command else v1(lab, M1, "reboot")) == 200
    lab.lift(number)
    settle(lab)
    assert len(lab.network.unit(M1).reboots) == 1
    assert lab.accepts(M1)


def test_a_unit_that_does_not_return_can_be_switched_on(lab: Rehearsal) -> None:
    lab.inject(f"no-return,unit={M1}")
    v1(lab, M1, "reboot")
    settle(lab)
    lab.power_on(M1)
    settle(lab)
    assert lab.accepts(M1)


def test_a_master_comes_back_just_before_the_resubmission_however_quick_that_is(lab: Rehearsal) -> None:
    lab.inject(f"early-return,unit={M1},occurrence=1")
    v1(lab, M1, "reboot")
    settle(lab, 0.6)
    assert health(lab, S1) == 200
    assert status(v1(lab, S1, "set", param="geopartners", value=LIST)) == 422
    assert lab.network.unit(S1).submitted is None
    assert health(lab, M1) == 200
    v1(lab, M1, "reboot")
    settle(lab, 0.6)
    assert status(v1(lab, S1, "set", param="geopartners", value=LIST)) == 200


def test_a_unit_that_loses_its_configuration_receives_the_active_s_and_forgets_what_it_submitted(
    lab: Rehearsal,
) -> None:
    write(lab)
    v1(lab, M1, "set", param="geopartners", value=LIST)
    settle(lab)
    lab.inject(f"lose-configuration,unit={M1}")
    v1(lab, M1, "reboot")
    settle(lab)
    assert is_written(lab)
    assert lab.network.unit(M1).submitted is None


def test_a_standalone_that_loses_its_configuration_has_none(lab: Rehearsal) -> None:
    write(lab, A1)
    lab.inject(f"lose-configuration,unit={A1},command=get")
    assert status(v1(lab, A1, "get", param="version")) == 200
    assert not is_written(lab, A1)
    assert lab.accepts(A1)


def test_a_flapping_unit_goes_down_twice_more_and_then_stays(lab: Rehearsal) -> None:
    lab.inject(f"flap,unit={A1},seconds=2")
    v1(lab, A1, "reboot")
    seen = []
    for _ in range(8):
        settle(lab, 2.5)
        seen.append(lab.accepts(A1))
    assert seen == [False, True, False, True, False, True, True, True]
    assert lab.state()["units"][A1]["reboots"] == 3
    assert not lab.state()["units"][A1]["pacified"]


def test_a_slow_reboot_answers_late_and_is_gone_only_then(lab: Rehearsal) -> None:
    lab.inject("slow,command=reboot,seconds=2")
    assert v1(lab, M1, "reboot").delay_seconds == 2
    settle(lab, 2)
    assert lab.accepts(M1)
    settle(lab, 0.1)
    assert not lab.accepts(M1)


def test_a_unit_may_crash_at_any_command(lab: Rehearsal) -> None:
    lab.inject(f"no-return,unit={M1},command=set,occurrence=1")
    assert status(write(lab)) == 200
    settle(lab)
    assert not lab.accepts(M1)
    assert health(lab, S1) == 200


def test_faults_and_reboots_are_in_the_state(lab: Rehearsal) -> None:
    lab.inject("slow,command=get,seconds=2")
    lab.reboot(M1)
    state = lab.state()
    assert state["faults"] == [{"number": 1, "fault": "slow,command=get,seconds=2"}]
    assert (state["units"][M1]["power"], state["units"][M1]["reboots"]) == ("booting", 1)
    assert state["pairs"]["HA Pair 1"]["active"] is None
    json.dumps(state)


# -- how they are written --------------------------------------------------------------------------------------------

written_faults = st.builds(
    Fault,
    st.sampled_from(sorted(set(FaultKind) - {FaultKind.EARLY_RETURN, FaultKind.IGNORE})),
    unit=st.none() | st.sampled_from([M1, "2001:db8::5"]),
    command=st.none() | st.sampled_from(["set", "set:geopartners", "health"]),
    occurrence=st.none() | st.integers(1, 99),
    seconds=st.none() | st.sampled_from([0.0, 0.5, 30.0]),
    applied=st.none() | st.booleans(),
)


@given(written_faults)
def test_a_fault_written_down_reads_as_the_same(fault: Fault) -> None:
    assert Fault.parse(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("explode", "no fault 'explode'"),
        ("reset,unit", "has no value"),
        ("reset,where=here", "has no 'where'"),
        ("reset,occurrence=0", "never comes"),
        ("reset,occurrence=often", "no occurrence"),
        ("slow,seconds=nan", "no number of seconds"),
        ("slow,seconds=-1", "no number of seconds"),
        ("slow,seconds=long", "no number of seconds"),
        ("reset,applied=perhaps", "neither yes nor no"),
        ("ignore,applied=yes", "not applied"),
        ("early-return,command=set", "a reboot alone"),
        ("reset,unit=10.9.9.9", "no unit"),
        ("reset,unit=nonsense", "no unit"),
        ("reset,command=sett", "no unit knows"),
    ],
)
def test_a_fault_that_could_never_happen_is_refused(lab: Rehearsal, text: str, complaint: str) -> None:
    with pytest.raises(LabError, match=complaint):
        lab.inject(text)
    assert lab.state()["faults"] == []


def test_lifting_a_fault_that_is_not_there_says_so(lab: Rehearsal) -> None:
    with pytest.raises(LabError, match="no fault 7"):
        lab.lift(7)
