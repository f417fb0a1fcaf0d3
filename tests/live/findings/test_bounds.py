"""Of a unit that holds more than anybody could read, the first is shown and the rest counted; time stays in bounds."""

from __future__ import annotations

from geoplan.live import diff
from geoplan.live.findings.collect import examine
from geoplan.live.links import NOTHING_KNOWN
from geoplan.live.model import REMOTE_LM, GeoCluster, Observations
from geoplan.loadmaster.wire import MAX_ENTRIES
from geoplan.wording import MAX_LISTED, some_of
from tests.push.observations import changed, in_place, plan_of
from tests.push.support import A1, M1

PLAN = plan_of()
FINE = in_place(PLAN)
MANY = tuple(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}" for number in range(MAX_ENTRIES))


def told(facts: Observations) -> str:
    report, findings = examine(PLAN, facts, NOTHING_KNOWN, max_clusters=64)
    return diff.as_text(report, findings=findings) + diff.as_markdown(report, findings=findings)


def test_of_few_all_are_listed() -> None:
    assert some_of(("a",)) == "a"
    assert some_of([str(number) for number in range(MAX_LISTED)]).endswith(", 48, 49")


def test_of_many_the_first_are_listed_and_the_others_counted() -> None:
    listed = some_of([str(number) for number in range(50_000)])
    assert listed.startswith("0, 1, ")
    assert listed.endswith(", 49 and 49,950 more")


def test_addresses_without_end_are_counted() -> None:
    own = FINE.units[A1].geo_partners or ()
    text = told(changed(FINE, A1, geo_partners=(*own, *MANY)))
    assert f"and {MAX_ENTRIES - MAX_LISTED:,} more, which the plan does not have" in text
    assert len(text) < 10_000


def test_red_partners_without_end_are_counted() -> None:
    facts = changed(FINE, A1, partner_status={**(FINE.units[A1].partner_status or {}), **dict.fromkeys(MANY, False)})
    _, findings = examine(PLAN, facts, NOTHING_KNOWN, max_clusters=64)
    assert all(len(finding.message) < 2_000 for finding in findings)


def test_clusters_without_end_are_counted() -> None:
    clusters = tuple(GeoCluster(address, f"c{address}", REMOTE_LM) for address in MANY)
    facts = changed(FINE, *FINE.units, clusters=(*(FINE.units[M1].clusters or ()), *clusters))
    text = told(facts)
    assert f"and {MAX_ENTRIES - MAX_LISTED:,} more clusters are of no site" in text
    assert len(text) < 200_000


def test_configurations_without_end_are_counted() -> None:
    other = changed(FINE, A1, fqdns=MANY, geo_partners=(), partner_status={})
    _, findings = examine(PLAN, other, NOTHING_KNOWN, max_clusters=64)
    assert all(len(finding.message) < 5_000 for finding in findings)
