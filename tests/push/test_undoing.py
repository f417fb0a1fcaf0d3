"""Which push is taken back, and what its journal says was there before."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.errors import PushRefusedError
from geoplan.live.polling import SystemClock
from geoplan.plan.model import Action
from geoplan.push.history import History
from geoplan.push.journal import Journal
from geoplan.push.options import Options
from geoplan.push.undoing import LAST, find_push, mark_undone, undoing
from tests.push.observations import plan_of
from tests.push.support import A1, M1, real_store

PLAN = plan_of("5.3")
PAIR, ALONE = "HA Pair 1", "Standalone LoadMaster 1"


def push(folder: Path, *changes: dict[str, object], end: str | None = "done", undoes: str | None = None) -> History:
    """Return a push of the plan with these changes."""
    with Journal.begin(folder, PLAN, Options(undoes=undoes), SystemClock()) as journal:
        for change in changes:
            journal.write("changing", step="s", **{"after": None, **change})
        if end:
            journal.write("end", outcome=end)
        return journal.history


def a_list(site: str, unit: str, what: str, before: list[str] | None) -> dict[str, object]:
    return {"site": site, "unit": unit, "what": what, "action": f"set_{what}", "before": before}


def a_cluster(site: str, before: dict[str, object] | None) -> dict[str, object]:
    return {"site": site, "unit": M1, "what": "cluster", "action": "add_cluster", "before": before}


def test_the_first_value_of_each_list_is_what_comes_back(tmp_path: Path) -> None:
    history = push(
        tmp_path,
        a_list(PAIR, M1, "geo_partners", ["10.9.9.1"]),
        a_list(PAIR, M1, "geo_partners", ["10.9.9.2"]),
        a_list(ALONE, A1, "remote_geo_access", []),
        a_list(ALONE, A1, "geo_partners", None),
    )
    plan = undoing(history).plan
    assert plan.site(PAIR).geo_partners == ("10.9.9.1",)
    assert plan.site(PAIR).remote_geo_access == PLAN.site(PAIR).remote_geo_access
    assert plan.site(ALONE).remote_geo_access == ()
    assert plan.site(ALONE).geo_partners == PLAN.site(ALONE).geo_partners  # what was there is not told


def test_clusters_that_were_added_go_and_others_become_what_they_were(tmp_path: Path) -> None:
    half_made = {"address": A1, "name": ALONE, "type": "default", "latitude": 53.0, "longitude": -6.0}
    found = undoing(push(tmp_path, a_cluster(PAIR, None), a_cluster(ALONE, half_made)))
    assert [(step.action, step.site) for step in found.plan.steps] == [
        (Action.DELETE_CLUSTER, PAIR),
        (Action.MODIFY_CLUSTER, ALONE),
    ]
    location = found.plan.cluster(ALONE).location
    assert location is not None
    assert (location.latitude, location.longitude) == (53.0, -6.0)
    assert any("stays of type Remote LM" in line for line in found.left)


def test_the_push_meant_is_the_last_that_changed_anything_or_the_one_named(tmp_path: Path) -> None:
    store = real_store(tmp_path, PLAN)
    with pytest.raises(PushRefusedError, match="nothing to take back"):
        find_push(store, LAST)
    one = push(tmp_path, a_cluster(PAIR, None))
    other = push(tmp_path, a_cluster(ALONE, None))
    push(tmp_path)
    assert find_push(store, LAST).name == other.name
    number = one.name.partition("-")[0]
    for named in (one.name, number, str(int(number))):
        assert find_push(store, named).name == one.name
    with pytest.raises(PushRefusedError, match="no push '77'"):
        find_push(store, "77")


def test_an_unfinished_push_ends_when_it_is_taken_back(tmp_path: Path) -> None:
    store = real_store(tmp_path, PLAN)
    history = push(tmp_path, a_cluster(PAIR, None), end=None)
    assert store.past().unfinished is not None
    mark_undone(history, SystemClock())
    mark_undone(history, SystemClock())
    past = store.past()
    assert past.unfinished is None
    assert past.latest is not None
    assert past.latest.outcome == "taken back"


def test_the_journal_says_which_push_is_taken_back(tmp_path: Path) -> None:
    assert push(tmp_path, undoes="000001-20260101T120000").begin.undoes == "000001-20260101T120000"
    assert push(tmp_path).begin.undoes is None
