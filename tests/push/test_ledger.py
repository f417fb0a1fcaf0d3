"""What slaves owe and have proven, over pushes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geoplan.plan.model import Plan
from geoplan.plan.planner import make_plan
from geoplan.push.boots import WINDOW, room_at
from geoplan.push.ledger import Ledger
from geoplan.push.records import FORMAT, AnyRecord, make
from geoplan.topology.model import Topology

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
M1, S1, M2, S2, A = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2", "10.0.3.1"
ACTIVE = {"P1": M1, "P2": M2, "Alone": A}
EVERY = frozenset({M1, S1, M2, S2, A})


def plan_of(*sites: str) -> Plan:
    known = {
        "P1": {"name": "P1", "ha_pair": {"master": M1, "slave": S1}},
        "P2": {"name": "P2", "ha_pair": {"master": M2, "slave": S2}},
        "Alone": {"name": "Alone", "standalone": A},
    }
    return make_plan(Topology.model_validate({"name": "t", "sites": [known[site] for site in sites]}))


PLAN = plan_of("P1", "P2", "Alone")
PARTNERS_OF_S1 = frozenset({M2, S2, A})


class Push:
    """A push as its journal has it, written into a ledger."""

    def __init__(self, ledger: Ledger, plan: Plan = PLAN, keys: dict[str, str] | None = None) -> None:
        self._ledger = ledger
        self._plan = plan
        addresses = [unit.address for site in plan.sites for unit in site.units]
        units = {address: (keys or {}).get(address, address) for address in addresses}
        self("begin", format=FORMAT, who="a", checksum="b", options={}, units=units, plan=plan.model_dump(mode="json"))

    def __call__(self, event: str, **fields: object) -> AnyRecord:
        record = make(event, NOW, **fields)
        self._ledger.take(record)
        return record

    def change(
        self,
        site: str = "P1",
        before: list[str] | None = None,
        after: list[str] | None = None,
        *,
        seen: bool = True,
        action: str = "set_geo_partners",
    ) -> None:
        wanted = list(self._plan.site(site).geo_partners) if after is None else after
        fields = {"step": "s", "site": site, "action": action, "unit": ACTIVE[site]}
        self("changing", **fields, what="geo_partners", before=before, after=wanted)
        if seen:
            self("changed", **fields)

    def reboot(self, site: str = "P1") -> None:
        self("rebooting", step="r", site=site, unit=ACTIVE[site])

    def submit(self, site: str = "P1") -> None:
        slave = self._plan.site(site).units[1].address
        self("resubmitting", site=site, unit=slave, after=list(self._plan.site(site).geo_partners))
        self("resubmitted", step="x", site=site, unit=slave)

    def green(self, *partners: str, unit: str = S1, site: str = "P1") -> None:
        self("green", site=site, unit=unit, partners=list(partners))

    def whole(self, site: str = "P1", *, green: bool = True) -> None:
        self.reboot(site)
        self.submit(site)
        if green:
            site_of = self._plan.site(site)
            self.green(*site_of.geo_partners, unit=site_of.units[1].address, site=site)
        self("healthy", site=site)


def test_a_debt_arises_with_a_partner_and_stays_over_pushes_until_the_pair_has_had_its_turn() -> None:
    ledger = Ledger()
    first = Push(ledger)
    assert ledger.owes(S1) == frozenset()
    first.change(before=[M2])
    assert ledger.due(S1) == {S2, A}
    first("end", outcome="abandoned")
    second = Push(ledger)
    second("step", id="p1/reboot", site="P1", state="left out")
    second("end", outcome="done with findings")
    assert ledger.owes_reboot(PLAN.site("P1"))
    third = Push(ledger)
    third.reboot()
    third.submit()
    assert ledger.due(S1) == PARTNERS_OF_S1
    third("healthy", site="P1")
    assert ledger.due(S1) == frozenset()
    assert ledger.owes(S1) == ledger.unproven(S1) == PARTNERS_OF_S1
    third.green(M2, S2)
    assert ledger.owes(S1) == {A}
    assert ledger.sights(S1) == {M2, S2}
    Push(ledger).green(A)
    assert ledger.owes(S1) == frozenset()


HA_OF_THE_SAME_PAIR = ("set_preferred_host", "set_all_interfaces", "set_health_check_port")
HA_OF_ANOTHER_PAIR = ("set_ha_partner", "set_master_ha_parameters", "set_slave_ha_parameters")


@pytest.mark.parametrize("action", [*HA_OF_THE_SAME_PAIR, *HA_OF_ANOTHER_PAIR])
def test_sights_hold_while_ha_parameters_change_unless_the_pair_is_another_one(action: str) -> None:
    ledger = Ledger()
    push = Push(ledger)
    push.whole()
    values = {"before": {"mode": "slave"}, "after": {"mode": "slave"}}
    push("changing", step="h", site="P1", action=action, unit=S1, what="ha_parameters", **values)
    is_another = action in HA_OF_ANOTHER_PAIR
    assert ledger.sights(S1) == (frozenset() if is_another else PARTNERS_OF_S1)
    assert ledger.was_formed(PLAN.site("P1")) is is_another


def test_what_was_there_before_and_is_not_told_is_taken_for_nothing() -> None:
    ledger = Ledger()
    Push(ledger).change(before=None, seen=False)
    assert ledger.due(S1) == PARTNERS_OF_S1


def test_a_pair_that_is_healthy_again_without_a_submission_has_paid_nothing() -> None:
    ledger = Ledger()
    push = Push(ledger)
    push.change(before=[])
    push.reboot()
    push.submit()
    push("too_late", site="P1", unit=S1)
    push("healthy", site="P1")
    assert ledger.due(S1) == PARTNERS_OF_S1


def test_a_submission_pays_for_those_that_it_named_alone() -> None:
    ledger = Ledger()
    push = Push(ledger)
    push.change(before=[])
    push.reboot()
    push("resubmitting", site="P1", unit=S1, after=[M2])
    push("resubmitted", step="x", site="P1", unit=S1)
    push("healthy", site="P1")
    assert ledger.due(S1) == {S2, A}


def test_a_reboot_that_is_begun_owes_its_end_and_one_that_was_never_sent_does_not() -> None:
    ledger = Ledger()
    push = Push(ledger)
    push.reboot()
    assert ledger.owes_reboot(PLAN.site("P1"))
    assert len(ledger.reboots_of(M1)) == 1
    push("reboot_not_sent", step="r", site="P1", unit=M1, why="refused")
    assert not ledger.owes_reboot(PLAN.site("P1"))
    assert ledger.reboots_of(M1) == ()


@pytest.mark.parametrize("action", ["set_geo_partners", "remove_geo_partners"])
def test_a_partner_that_leaves_takes_its_debt_and_its_sight_along(action: str) -> None:
    ledger = Ledger()
    push = Push(ledger)
    push.change(before=[])
    push.whole()
    push.change(before=[M2, S2])  # A was lost, and is owed again
    assert ledger.due(S1) == {A}
    smaller = plan_of("P1", "P2")
    later = Push(ledger, smaller)
    later.change(before=[M2, S2, A], seen=False, action=action)
    assert ledger.due(S1) == {A}  # it may not have been made
    assert not ledger.owes_reboot(smaller.site("P1"))
    later.change(before=[M2, S2, A], action=action)
    assert ledger.owes(S1) == frozenset()
    assert ledger.sights(S1) == {M2, S2}
    Push(ledger).change(before=[M2, S2])
    assert ledger.due(S1) == {A}


@pytest.mark.parametrize("told", ["changing", "resubmitting"])
def test_a_sight_goes_with_the_configuration(told: str) -> None:
    ledger = Ledger()
    push = Push(ledger)
    push.change(before=[])
    push.whole()
    assert ledger.sights(S1) == PARTNERS_OF_S1
    if told == "changing":
        push.change(before=[M2])
    else:
        push("resubmitting", site="P1", unit=M1, before=[M2], after=[M2, S2, A])
    assert ledger.sights(S1) == {M2}
    assert ledger.due(S1) == {S2, A}


def test_a_sight_of_a_slave_goes_where_the_other_side_gets_it_again() -> None:
    ledger = Ledger()
    push = Push(ledger)
    for site in ("P1", "P2"):
        push.change(site, before=[])
        push.whole(site)
    push.change("P2", before=[M1, A])
    assert ledger.sights(S1) == {A}
    assert not ledger.owes_reboot(PLAN.site("P1"))
    assert ledger.due(S2) == {S1}


def test_units_of_a_lab_owe_nothing_to_production() -> None:
    ledger = Ledger({address: address for address in EVERY})
    lab = Push(ledger, keys={address: f"{address}@1f" for address in EVERY})
    lab.change(before=[])
    lab.reboot()
    lab.green(M2)
    assert ledger.owes(S1) == ledger.sights(S1) == frozenset()
    assert ledger.reboots_of(M1) == ()


def test_another_spelling_and_another_name_of_a_site_are_no_other_slave() -> None:
    pair = {"name": "Old", "ha_pair": {"master": "2001:db8:0::1", "slave": "2001:DB8::2"}}
    alone = {"name": "Alone", "standalone": "2001:db8::3"}
    plan = make_plan(Topology.model_validate({"name": "t", "sites": [pair, alone]}))
    ledger = Ledger()
    push = Push(ledger, plan)
    fields = {"step": "s", "site": "Old", "action": "set_geo_partners", "unit": "2001:db8:0::1"}
    push("changing", **fields, what="geo_partners", before=[], after=["2001:db8:0:0::3"])
    renamed = {"name": "New", "ha_pair": {"master": "2001:db8::1", "slave": "2001:db8:0::2"}}
    again = make_plan(Topology.model_validate({"name": "u", "sites": [renamed, alone]}))
    assert ledger.owes_reboot(again.site("New"))


def happen(push: Push, event: str, site: str, listed: set[str] | None) -> None:
    slave = {"P1": S1, "P2": S2}.get(site, "")
    match event:
        case "change":
            push.change(site, before=None if listed is None else sorted(listed))
        case "reboot":
            push.reboot(site)
        case "not sent":
            push.reboot(site)
            push("reboot_not_sent", step="r", site=site, unit=ACTIVE[site], why="refused")
        case "submit":
            push.submit(site)
        case "too late":
            push("too_late", site=site, unit=slave)
        case "healthy":
            push("healthy", site=site)
        case "green":
            push.green(*sorted(listed or ()), unit=slave, site=site)
        case "push":
            push("end", outcome="abandoned")


EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("change"),
            st.sampled_from(["P1", "P2", "Alone"]),
            st.none() | st.sets(st.sampled_from(sorted(EVERY))),
        ),
        st.tuples(
            st.sampled_from(["reboot", "submit", "not sent", "too late", "healthy", "push"]),
            st.sampled_from(["P1", "P2"]),
            st.none(),
        ),
        st.tuples(st.just("green"), st.sampled_from(["P1", "P2"]), st.sets(st.sampled_from(sorted(EVERY)))),
    ),
    max_size=25,
)


@given(EVENTS)
@example([("change", "P1", None), *((event, "P1", None) for event in ("reboot", "submit", "healthy", "reboot"))])
@example([("change", "P1", None), *((event, "P1", None) for event in ("reboot", "submit", "healthy", "not sent"))])
@example(
    [
        ("change", "P1", set()),
        ("reboot", "P1", None),
        ("submit", "P1", None),
        ("change", "P1", {M2}),
        ("healthy", "P1", None),
    ]
)
def test_whatever_happens_a_debt_is_paid_by_a_turn_and_a_sight_alone(
    events: list[tuple[str, str, set[str] | None]],
) -> None:
    ledger = Ledger()
    push = Push(ledger)
    slaves = {"P1": S1, "P2": S2}
    took: dict[str, bool] = {}  # whether a slave took its partners since its pair's last reboot
    for event, site, listed in events:
        owed = {slave: ledger.owes(slave) for slave in slaves.values()}
        due = {slave: ledger.due(slave) for slave in slaves.values()}
        happen(push, event, site, listed)
        took[site] = {"reboot": False, "too late": False, "submit": True}.get(event, took.get(site, False))
        if event == "push":
            push = Push(ledger)
        for slave in slaves.values():
            of_site = slaves.get(site) == slave
            if not (of_site and event == "healthy" and took.get(site)):
                assert due[slave] <= ledger.due(slave) | (due[slave] - PARTNERS[slave])
            if not (of_site and event in ("green", "healthy")):
                assert owed[slave] <= ledger.owes(slave) | (owed[slave] - PARTNERS[slave])
            if event == "not sent":
                assert (due[slave], owed[slave]) == (ledger.due(slave), ledger.owes(slave))
            assert not ledger.due(slave) & ledger.unproven(slave)


PARTNERS = {S1: PARTNERS_OF_S1, S2: frozenset({M1, S1, A})}


def test_reboots_of_all_pushes_and_the_unit_s_own_word_leave_room_or_not() -> None:
    def ago(minutes: int) -> datetime:
        return NOW - timedelta(minutes=minutes)

    assert room_at([ago(1), ago(2)], NOW) is None
    assert room_at([ago(1), ago(2), ago(3)], NOW) == ago(3) + WINDOW
    assert room_at([ago(2), ago(3)], NOW, booted=ago(1)) is None  # that is the reboot of two minutes ago
    assert room_at([ago(2), ago(3)], NOW, booted=ago(4)) == ago(4) + WINDOW
    assert room_at([ago(1), ago(2), ago(6)], NOW) is None
    assert room_at([ago(-60), ago(-61), ago(2)], NOW) == ago(2) + WINDOW  # the clock was set back by an hour


def test_a_submission_that_nobody_could_see_the_outcome_of_is_unseen_until_a_colour_is_told() -> None:
    ledger = Ledger()
    push = Push(ledger)
    push.change()
    push.reboot()
    push.submit()
    assert ledger.known_links().unseen == {}
    push("healthy", site="P1")
    assert ledger.known_links().unseen == {S1: PARTNERS_OF_S1}
    push.green(M2)
    assert ledger.known_links().unseen == {S1: PARTNERS_OF_S1 - {M2}}
    push("note", message="all red", kind="stays_red", site="P1", unit=S1)
    assert ledger.known_links().unseen == {}
    push.reboot()
    push.submit()
    push("healthy", site="P1")
    assert ledger.known_links().unseen == {S1: PARTNERS_OF_S1 - {M2}}  # green once, and no reboot takes that back


def test_a_partner_that_was_red_before_its_own_turn_is_not_known_to_be_red_after_it() -> None:
    """A slave is red on others until its pair has had its turn; a push that is cut right after that sees no colour."""
    ledger = Ledger()
    push = Push(ledger)
    push.change(before=[])
    push.change(site="P2", before=[])
    push.reboot()
    push.submit()
    push("green", site="P1", unit=S1, partners=[M2, A], red=[S2])
    push("healthy", site="P1")
    assert ledger.seen_red(S1) == {S2}

    push.reboot(site="P2")
    assert ledger.seen_red(S1) == {S2}
    push.submit(site="P2")

    assert ledger.seen_red(S1) == frozenset()
    assert ledger.unproven(S1) == {S2}, "not red is not green"


def test_a_standby_that_was_green_is_red_by_nature_once_a_submission_has_proven_its_links_since() -> None:
    ledger = Ledger()
    first = Push(ledger)
    first.whole()
    first("green_standby", site="P1", unit=S1, on=[M2])
    assert S1 in ledger.known_links().green_standbys
    second = Push(ledger)
    second.reboot()
    assert S1 in ledger.known_links().green_standbys
    second.submit()
    assert S1 in ledger.known_links().green_standbys
    second.green(M2, A)
    assert S1 not in ledger.known_links().green_standbys
    second("healthy", site="P1")
    second("green_standby", site="P1", unit=S1, on=[M2])
    assert S1 in ledger.known_links().green_standbys


def test_a_sight_without_a_submission_since_the_reboot_says_nothing_of_standbys() -> None:
    ledger = Ledger()
    push = Push(ledger)
    push("green_standby", site="P1", unit=S1, on=[M2])
    push.green(M2, S2, A)
    assert S1 in ledger.known_links().green_standbys
    push("rebooting", step="r", site="P1", unit=M1)
    push.green(M2, S2, A)
    assert S1 in ledger.known_links().green_standbys


def test_of_a_new_box_slaves_of_other_pairs_have_proven_nothing() -> None:
    ledger = Ledger()
    push = Push(ledger)
    for site, slave, partners in (("P1", S1, (M2, S2, A)), ("P2", S2, (M1, S1, A))):
        push.change(site, before=[])
        push.reboot(site)
        push.submit(site)
        push("healthy", site=site)
        push.green(*partners, unit=slave, site=site)
    assert not ledger.owes(S1) | ledger.owes(S2)
    assert not ledger.is_proven_since_renewed(PLAN.site("P2"), [S2]), "it never was a new box"
    again = Push(ledger)
    again("renewed", units=[S2])
    assert ledger.unproven(S1) == {S2}, "it has submitted its partners to the box before"
    assert ledger.due(S1) == frozenset(), "and that is no reason for a reboot"
    assert not ledger.is_proven_since_renewed(PLAN.site("P2"), [S2])
    assert ledger.due(S2) == {M1, S1, A}, "the new box has submitted nothing, so its own pair has to have its turn"
    again.reboot("P2")
    again.submit("P2")
    again("healthy", site="P2")
    again.green(M1, S1, A, unit=S2, site="P2")
    assert ledger.is_proven_since_renewed(PLAN.site("P2"), [S2])
    assert not ledger.is_proven_since_renewed(PLAN.site("P2"), [M2, S2])
    again.green(S2, unit=S1)
    assert ledger.owes(S1) == frozenset()
