"""What a push shows before it asks, and what its answer means."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest

from geoplan.cli import run
from geoplan.cli.push_question import MAX_LINES, change_lines
from geoplan.live.findings.compare import verify
from geoplan.plan.model import Plan
from geoplan.plan.planner import make_plan
from geoplan.push.listener import Found
from geoplan.push.options import Options
from geoplan.push.preflight import PreflightResult
from geoplan.push.reboots import pairs_that_owe
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.observations import changed, in_place, plan_of, untouched
from tests.push.support import M1, Site

__all__ = ["make_site"]


class Terminal(io.StringIO):
    """Somebody who types an answer."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code"), [("n\n", 4), ("\n", 4), ("y\n", 0)])
def test_no_is_a_refusal_that_changes_nothing(
    make_site: MakeSite,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
    code: int,
) -> None:
    site = make_site("5.1")
    before = site.all_that_counts()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert run(["push", str(site.topology), "--endpoints", str(site.endpoints)]) == code
    printed = capsys.readouterr()
    assert "Change these units of the lab now?" in printed.out + printed.err
    assert (site.all_that_counts() == before) is (code == 4)
    assert ("nothing was changed" in printed.out) is (code == 4)
    assert bool(site.journals()) is (code == 0)


def test_what_changes_stands_unit_by_unit_before_the_question(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    shown = geoplan("push", site.topology, "--endpoints", site.endpoints).stdout
    told = geoplan("diff", site.topology, "--endpoints", site.endpoints).stdout
    blocks = told.partition("\n\n")[0].splitlines()
    assert f"HA Pair 1 (on {M1})" in blocks
    differences = [line for line in blocks if not line.startswith("  note: ")]  # what is not told is no change
    assert [line for line in shown.splitlines() if line in differences] == differences


def found(plan: Plan, *reboots: str, parallel_groups: bool = False) -> Found:
    facts = untouched(plan)
    return Found(Options(parallel_groups=parallel_groups), facts, PreflightResult((), (), reboots), verify(plan, facts))


def test_what_is_longer_than_a_screen_or_two_is_left_to_diff() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "eighteen-sites.yaml"))
    lines = list(change_lines(plan, found(plan), diff="geoplan diff my.yaml"))
    everything = sum(1 + len(site.differences) for site in verify(plan, untouched(plan)).sites)
    assert lines[MAX_LINES] == f"and {everything - MAX_LINES} more lines: geoplan diff my.yaml"
    short = plan_of()
    assert not any("more lines" in line for line in change_lines(short, found(short), diff="d"))


def test_order_of_reboots_follows_the_groups_that_go_at_once() -> None:
    plan = make_plan(load_topology(TOPOLOGIES / "fleet.yaml"))
    by_group: dict[str, list[str]] = {}
    for site in plan.sites:
        if site.kind == "ha_pair":
            by_group.setdefault(site.group, []).append(site.name)
    first, second, *_ = sorted(by_group.values(), key=len, reverse=True)

    def order(*reboots: str, parallel_groups: bool = True) -> str:
        lines = change_lines(plan, found(plan, *reboots, parallel_groups=parallel_groups), diff="d")
        return next(line.partition(":")[0] for line in lines if line.startswith("masters to reboot"))

    assert order(first[0]) == "masters to reboot"
    assert order(*first[:2], second[0], parallel_groups=False) == "masters to reboot, one after the other"
    assert order(*first[:2]) == "masters to reboot, one after the other"
    assert order(*first[:2], second[0]) == "masters to reboot, one at a time in each group"


def test_site_that_is_in_place_is_not_shown() -> None:
    plan = plan_of()
    facts = changed(in_place(plan), M1, geo_partners=())
    lines = list(change_lines(plan, replace(found(plan), facts=facts, before=verify(plan, facts)), diff="d"))
    assert lines[0] == f"HA Pair 1 (on {M1})"
    assert not any("Standalone LoadMaster 1" in line for line in lines)


def stopped_before_the_reboot(geoplan: Geoplan, make_site: MakeSite) -> Site:
    site = make_site("5.3")
    fault = site.lab.inject(f"ignore,unit={M1},command=reboot")
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 3
    site.lab.lift(fault)
    return site


@pytest.mark.parametrize("answer", ["n\n", "\n", "y\n"])
def test_abandoning_is_asked_for_with_what_stays_undone_and_owed(
    geoplan: Geoplan,
    make_site: MakeSite,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
) -> None:
    code = 0 if answer == "y\n" else 4
    site = stopped_before_the_reboot(geoplan, make_site)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert run(["push", str(site.topology), "--endpoints", str(site.endpoints), "--abandon"]) == code
    told = capsys.readouterr().err
    assert "not done: " in told
    assert "reboot master of HA Pair 1" in told
    assert "still owed, whichever push comes next: the reboots of the masters of HA Pair 1" in told
    assert told.index("still owed") < told.index("Abandon it?")
    past = site.store.past()
    assert (past.unfinished is None) is (code == 0)
    assert pairs_that_owe(past.ledger, make_plan(load_topology(site.topology))) == ("HA Pair 1",)


def test_abandoning_without_a_terminal_wants_yes(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = stopped_before_the_reboot(geoplan, make_site)
    for form in ("text", "json"):
        refused = geoplan("push", site.topology, "--endpoints", site.endpoints, "--abandon", "--format", form)
        assert (refused.code, refused.stdout) == (4, "")
        assert "hint: give --yes" in refused.stderr
    assert site.store.past().unfinished
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--abandon", "--yes").code == 0
    nothing = geoplan("push", site.topology, "--endpoints", site.endpoints, "--abandon")
    assert (nothing.code, nothing.stdout) == (0, "there is no unfinished push\n")


def test_what_another_file_of_the_units_would_owe_is_named_too(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = stopped_before_the_reboot(geoplan, make_site)
    small = site.topology.with_name("small.yaml")
    small.write_text("sites: [{name: Standalone LoadMaster 1, standalone: 172.24.1.9}]")
    refused = geoplan("push", small, "--endpoints", site.endpoints, "--abandon")
    assert refused.code == 4
    assert "the reboots of the masters of HA Pair 1" in refused.stderr
