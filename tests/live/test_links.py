"""Links: what each unit says of each of its partners, and what proves what nobody says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from geoplan.live import diff as reports
from geoplan.live.findings import NoteKind
from geoplan.live.findings.compare import Kind, Mend, Report, verify
from geoplan.live.links import NO_SIGHTS, SAME_SECRETS, Colour, GivenSecrets, KnownLinks, Sights
from geoplan.live.model import Cause, Failure, Observations, State
from geoplan.plan.model import Phase
from geoplan.vendor import PARTNERS_STATUS
from tests.push.observations import changed, in_place, plan_of
from tests.push.support import A1, A2, M1, M2, S1, S2

PLAN = plan_of()
FINE = in_place(PLAN)
ALL = frozenset({M1, S1, M2, S2, A1, A2})


def partners_of(address: str) -> tuple[str, ...]:
    return FINE.units[address].geo_partners or ()


def tells(address: str, facts: Observations = FINE, **colours: bool | None) -> Observations:
    """Return the facts with a unit that says otherwise of some partners, named without dots: ``_172_24_1_6``."""
    status: dict[str, bool | None] = dict(facts.units[address].partner_status or {})
    status |= {name.strip("_").replace("_", "."): colour for name, colour in colours.items()}
    return changed(facts, address, partner_status=status)


def silent(*addresses: str, facts: Observations = FINE) -> Observations:
    return changed(facts, *addresses, partner_status={})


def report_of(facts: Observations, sights: Sights = NO_SIGHTS) -> Report:
    return verify(PLAN, facts, KnownLinks(sights))


def kinds_of(report: Report) -> list[NoteKind]:
    return [note.kind for note in report.notes]


def test_every_partner_of_every_unit_that_is_green_makes_all_green() -> None:
    found = report_of(FINE)
    assert found.is_all_green
    assert found.is_proven
    assert (found.not_told, found.unproven) == ((), ())
    assert {(link.unit, link.partner) for link in found.links if link.is_asked} == {
        (unit, partner) for unit in (M1, M2, A1, A2) for partner in ALL if partner in partners_of(unit)
    }


@pytest.mark.parametrize(
    "status",
    [
        {},
        None,
        dict.fromkeys(partners_of(A1)),
        dict.fromkeys(partners_of(A1)[1:], True),
        {**dict.fromkeys(partners_of(A1), True), partners_of(A1)[-1]: None},
        {"lb-a": True, "10.9.9.9": True},
    ],
    ids=["empty", "unreadable", "unknown words", "all but one", "one unknown word", "others"],
)
def test_what_a_unit_does_not_say_of_a_planned_partner_is_not_told(status: Mapping[str, bool | None] | None) -> None:
    found = report_of(changed(FINE, A1, partner_status=status))
    assert not found.is_all_green
    assert found.not_told == (A1,)
    assert NoteKind.COLOURS_NOT_TOLD in kinds_of(found)
    assert found.is_in_place  # not told is no difference


def test_one_end_proves_a_link_that_the_other_does_not_tell() -> None:
    found = report_of(silent(A1))
    proven = {link.partner for link in found.links if link.unit == A1 and link.is_proven}
    assert proven == {M1, M2, A2}  # the active units tell it from their side; of standbys nobody does


def test_a_standby_whose_links_nobody_tells_is_not_proven_and_named() -> None:
    found = report_of(silent(A1))
    assert not found.is_proven
    assert found.unproven == (S1, S2)
    assert [str(note) for note in found.notes if note.kind is NoteKind.LINK_NOT_PROVEN] == [
        f"links of the slave {S1}: not proven",
        f"links of the slave {S2}: not proven",
    ]
    assert "--reboot 'always=HA Pair 1' --reboot 'always=HA Pair 2'" in reports.as_text(found)


def test_lines_fit_a_width_but_for_commands() -> None:
    found = report_of(silent(A1))
    wide, narrow = reports.as_text(found), reports.as_text(found, width=40)
    assert wide.split() == narrow.split()
    commands = [line for line in wide.splitlines() if line.startswith("  geoplan push")]
    assert commands
    assert all(line in commands for line in narrow.splitlines() if len(line) > 40)
    assert any(len(line) > 40 for line in wide.splitlines() if line not in commands)


def test_what_a_slave_saw_while_it_was_active_proves_its_links() -> None:
    found = report_of(silent(A1), {S1: frozenset({A1}), S2: frozenset({A1, S1})})
    assert found.is_proven
    assert found.unproven == ()
    assert not found.is_all_green


def test_a_sight_of_another_partner_proves_nothing() -> None:
    assert report_of(silent(A1), {S1: frozenset({A2}), S2: frozenset({A1, S1})}).unproven == (S1,)


def test_where_nobody_tells_anything_nothing_is_proven() -> None:
    found = report_of(silent(M1, M2, A1, A2))
    assert found.unproven == tuple(FINE.units)
    assert not any(link.is_proven for link in found.links)


@pytest.mark.parametrize("status", [{}, None, "Unknown"])
def test_no_reboot_is_offered_to_prove_links_of_which_no_unit_tells_a_colour(status: str | None) -> None:
    facts = FINE
    for unit in (M1, M2, A1, A2):
        told = dict.fromkeys(partners_of(unit)) if status == "Unknown" else status
        facts = changed(facts, unit, partner_status=told)
    text = reports.as_text(report_of(facts))
    assert "--reboot" not in text
    assert "shows every partner green" not in text
    assert f"the links of {', '.join(FINE.units)} can be seen in the web interface alone" in text
    assert PARTNERS_STATUS in text


def test_a_failover_is_offered_for_those_pairs_alone_of_which_some_unit_tells_colours() -> None:
    facts = silent(M1, M2, A1, A2)
    text = reports.as_text(report_of(tells(A1, facts, _172_24_1_5=True)))  # of HA Pair 1, and of itself
    assert "--reboot 'always=HA Pair 1'" in text
    assert "always=HA Pair 2" not in text
    assert f"the links of {M2}, {S2}, {A2} can be seen in the web interface alone" in text


def test_two_standbys_are_proven_by_what_all_active_units_say_of_both() -> None:
    (between,) = [link for link in report_of(FINE).links if not link.is_asked]
    assert ({between.unit, between.partner}, between.is_proven) == ({S1, S2}, True)
    partly = {M2: frozenset({S1}), M1: frozenset({S2}), A1: frozenset({S1, S2}), A2: frozenset({S1, S2})}
    (between,) = [link for link in report_of(silent(M1, M2), partly).links if not link.is_asked]
    assert not between.is_proven  # each saw one end, and nobody saw them together
    (between,) = [link for link in report_of(silent(M1, M2), {S1: frozenset({S2})}).links if not link.is_asked]
    assert between.is_proven


# -- red ---------------------------------------------------------------------------------------------------------------


def red_standby() -> Observations:
    """Return units that all see both standbys red, as where standbys run no GEO."""
    facts = FINE
    for unit in (M1, M2, A1, A2):
        others = {address: address not in (S1, S2) for address in partners_of(unit)}
        facts = changed(facts, unit, partner_status=others)
    return facts


SEEN_WHILE_ACTIVE = {S1: frozenset({M2, A1, A2}), S2: frozenset({M1, A1, A2})}


def test_a_red_standby_that_saw_these_units_green_while_it_was_active_is_a_note_said_once() -> None:
    found = report_of(red_standby(), SEEN_WHILE_ACTIVE)
    assert found.differences == ()
    assert found.is_proven
    assert kinds_of(found) == [NoteKind.STANDBY_RED, NoteKind.STANDBY_RED]
    assert not found.is_all_green
    assert found.unproven == ()


def test_a_red_standby_without_a_sight_is_a_finding_with_its_command() -> None:
    found = report_of(red_standby())
    assert {each.kind for each in found.differences} == {Kind.RED}
    assert found.pairs_to_finish == ("HA Pair 1", "HA Pair 2")
    assert found.sites_to_resubmit == ()
    assert "--reboot 'always=HA Pair 1' --reboot 'always=HA Pair 2'" in reports.as_text(found)


def test_a_sight_explains_red_only_to_those_that_were_seen() -> None:
    found = report_of(red_standby(), {**SEEN_WHILE_ACTIVE, S1: frozenset({M2, A1})})
    assert [(each.unit, each.values) for each in found.differences] == [(A2, ("HA Pair 1",))]


def test_a_sight_explains_no_red_unit_that_is_active() -> None:
    active = changed(changed(red_standby(), M1, state=State.STANDBY), S1, state=State.ACTIVE, partner_status={})
    found = report_of(active, {**SEEN_WHILE_ACTIVE, M1: frozenset({M2, A1, A2})})
    assert found.sites_to_resubmit == ("HA Pair 1", "HA Pair 2", "Standalone LoadMaster 1", "Standalone LoadMaster 2")


def test_a_red_link_between_active_units_asks_for_submissions_at_both_ends() -> None:
    found = report_of(tells(A1, _172_24_1_10=False))
    assert [each.mends for each in found.differences] == [Mend.SUBMISSION]
    assert found.sites_to_resubmit == ("Standalone LoadMaster 1", "Standalone LoadMaster 2")
    assert found.pairs_to_finish == ()
    assert not found.is_proven
    assert "  geoplan push TOPOLOGY\n" in reports.as_text(found)


def test_a_unit_whose_links_with_active_units_are_red_calls_for_no_reboot_yet() -> None:
    found = report_of(changed(FINE, A1, partner_status=dict.fromkeys(partners_of(A1), False)))
    assert found.pairs_to_finish == ()
    assert "Standalone LoadMaster 1" in found.sites_to_resubmit


def test_a_red_partner_that_is_down_is_left_to_a_person() -> None:
    facts = changed(tells(A1, _172_24_1_10=False), A2, failure=Failure(Cause.UNREACHABLE, "no route"))
    (red,) = [each for each in report_of(facts).differences if each.kind is Kind.RED]
    assert (red.mends, red.hint) == (Mend.BY_HAND, f"bring {A2} up")


def test_red_at_either_end_is_never_proven() -> None:
    found = report_of(tells(A1, _172_24_1_10=False), {A1: frozenset({A2}), A2: frozenset({A1})})
    assert not [link for link in found.links if {link.unit, link.partner} == {A1, A2} and link.is_proven]
    assert [link.colour for link in found.links if (link.unit, link.partner) == (A2, A1)] == [Colour.GREEN]


def test_a_slave_that_submitted_and_never_told_is_looked_at_and_not_rebooted() -> None:
    spoiled = changed(FINE, M1, partner_status={**dict.fromkeys(partners_of(M1), True), S2: False})
    (found,) = verify(PLAN, spoiled, KnownLinks(unseen={S2: frozenset({M1})})).differences
    assert found.mends is Mend.BY_HAND
    assert f"make {S2} active" in found.hint
    (found,) = verify(PLAN, spoiled).differences
    assert found.mends is Mend.REBOOT  # nothing says that it ever submitted


# -- red by nature -----------------------------------------------------------------------------------------------------

GEO_PLAN = plan_of("5.2", [Phase.GEO])
GEO_FINE = in_place(GEO_PLAN)
GEO_SIGHTS = {S1: frozenset({M2, S2}), S2: frozenset({M1, S1})}


def red_on(facts: Observations, unit: str, *partners: str) -> Observations:
    status = {**(facts.units[unit].partner_status or {}), **dict.fromkeys(partners, False)}
    return changed(facts, unit, partner_status=status)


def test_a_standby_is_not_red_by_nature_where_another_one_is_shown_green() -> None:
    facts = red_on(GEO_FINE, M2, S1)
    assert [found.kind for found in verify(GEO_PLAN, facts, KnownLinks(GEO_SIGHTS)).differences] == [Kind.RED]


def test_a_standby_is_not_red_by_nature_once_it_was_shown_green_as_the_standby() -> None:
    facts = red_on(red_on(GEO_FINE, M2, S1), M1, S2)
    assert verify(GEO_PLAN, facts, KnownLinks(GEO_SIGHTS)).is_in_place
    known = KnownLinks(GEO_SIGHTS, green_standbys=frozenset({S1}))
    assert [found.unit for found in verify(GEO_PLAN, facts, known).differences] == [M2]


def test_pair_that_a_secret_may_have_parted_is_repaired_by_the_push_of_it() -> None:
    sites = plan_of().sites
    pair, alone = sites[0], sites[-1]
    units = frozenset(unit.address for unit in pair.units)
    assert SAME_SECRETS.how_to_repair(pair) == "repair the pair first"
    half = GivenSecrets(units, frozenset([pair.units[1].address]))
    assert "geoplan push --secret" in half.how_to_repair(pair)
    assert half.how_to_repair(alone) == "repair the pair first"
    assert GivenSecrets(units, units).how_to_repair(pair) == "repair the pair first"
