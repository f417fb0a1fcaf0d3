"""What changes from one look to the next, as a program is told it."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from geoplan.live.findings.collect import examine
from geoplan.live.findings.kinds import Finding, FindingKind, Severity
from geoplan.live.links import NOTHING_KNOWN
from geoplan.status.model import Drift, Seen
from geoplan.status.notification import as_json, beyond, changes, findings_in
from tests.status.made import AT, M1, PLAN, failed_over, status_of, well


def found(kind: FindingKind = FindingKind.UNIT_DOWN, unit: str = M1, message: str = "It is down") -> Finding:
    return Finding(kind, ("HA Pair 1",), (unit,), message, severity=Severity.MENDING)


FINDINGS = st.lists(
    st.builds(
        found,
        st.sampled_from([FindingKind.UNIT_DOWN, FindingKind.GEO_OFF]),
        st.sampled_from(["192.0.2.1", "192.0.2.2"]),
        st.sampled_from(["since 01:00", "since 02:00"]),
    ),
    max_size=6,
).map(tuple)


@given(FINDINGS, FINDINGS)
def test_what_comes_and_goes_makes_one_look_of_the_other(before: tuple[Finding, ...], now: tuple[Finding, ...]) -> None:
    told = changes(before, now)

    assert len(before) + len(told.appeared) - len(told.gone) == len(now)
    assert set(told.appeared) <= set(now)
    assert set(told.gone) <= set(before)
    kinds = {(each.kind, each.units) for each in told.appeared}
    assert kinds.isdisjoint((each.kind, each.units) for each in told.gone)


@given(FINDINGS)
def test_nothing_changes_by_other_words_or_another_order(findings: tuple[Finding, ...]) -> None:
    reworded = tuple(replace(each, message="other words") for each in reversed(findings))

    assert not changes(findings, reworded)


def test_of_two_alike_the_new_one_is_told() -> None:
    one, other = found(message="cluster A"), found(message="cluster B")

    assert changes((one,), (other, one)).appeared == (other,)
    assert changes((other, one), (other,)).gone == (one,)


def test_another_severity_is_a_change() -> None:
    note = replace(found(), severity=Severity.KNOWING)

    assert changes((note,), (found(),)).appeared == (found(),)
    assert changes((note,), (found(),)).gone == (note,)


def test_what_a_comparison_found_besides_lasts_until_the_next_one() -> None:
    status = status_of(failed_over(well()))
    report = examine(PLAN, well(), NOTHING_KNOWN, max_clusters=18)[0]
    drifted = (*status.findings, found(FindingKind.GEO_OFF))
    drift = Drift(report, drifted, AT, tuple(beyond(drifted, status.findings)))

    assert set(findings_in(Seen(status, drift))) == set(drifted)
    assert findings_in(Seen(status_of(well()), drift)) == (found(FindingKind.GEO_OFF),)


def test_json_is_one_line_with_all_that_a_finding_has() -> None:
    status = status_of(failed_over(well()))
    text = as_json(status, changes((), status.findings), is_first=True)

    assert text.count("\n") == 1
    assert text.isascii()
    told = json.loads(text)
    assert (told["format"], told["first"], told["gone"]) == ("geoplan/notification/1", True, [])
    assert told["topology"] == status.topology
    (finding,) = told["appeared"]
    assert finding["kind"] == "failed_over"
    assert finding["sites"] == ["HA Pair 1"]
    assert set(finding) == {"kind", "sites", "units", "message", "hint", "commands", "severity"}
