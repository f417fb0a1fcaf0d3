"""What the live page is told of one look after the other."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from geoplan.live.model import Observations
from geoplan.status.links import site_links
from geoplan.status.model import LEFT, UNDER_WAY, PushStep, RunningPush
from geoplan.status.page import PageContent
from tests.status.made import A1, AT, M1, M2, PLAN, S1, changed, down, failed_over, seen_of, well


def taken(*facts: Observations) -> tuple[PageContent, Any]:
    """Return the content after all looks, and what the last of them told."""
    content, told = PageContent(PLAN), {}
    for each in facts:
        told = dict(content.take(seen_of(each)))
    json.dumps(content.whole)
    return content, told


def colours(facts: Observations) -> dict[tuple[str, str], str]:
    return {links.sites: links.colour.value for links in site_links(PLAN, facts)}


def test_a_look_that_shows_nothing_new_tells_its_time_alone() -> None:
    _, told = taken(well(), well())
    assert set(told) == {"at"}


def test_a_failover_is_told_with_what_it_means_and_kept_for_pages_opened_later() -> None:
    content, told = taken(well(), failed_over(well()))
    assert [told["states"][unit] for unit in (M1, S1)] == ["standby", "active"]
    assert [finding["kind"] for finding in told["findings"]] == ["failed_over"]
    texts = [change["text"] for change in content.whole["changes"]]
    assert f"HA Pair 1: {S1} is active, was standby" in texts
    assert any(text.startswith("New: HA Pair 1: Failed over") for text in texts)


def test_what_units_say_cannot_steer_what_shows_it() -> None:
    content, _ = taken(changed(well(), M1, health="\u202e<b>\n", firmware="7.2.59.4"))
    shown = json.dumps(content.whole, ensure_ascii=False)
    assert "\u202e" not in shown
    assert "<b>" in shown  # the page sets it as text


def test_a_failed_look_is_told_until_one_succeeds() -> None:
    content, _ = taken(well())
    told = content.fail(AT + timedelta(seconds=5), "the locks\ncannot be read")
    assert "failed: the locks cannot be read." in told["trouble"]
    assert content.whole["verdict"].endswith("all is well")
    assert content.take(seen_of(well()))["trouble"] == ""


def test_steps_of_a_push_are_told_done_under_way_and_left() -> None:
    content = PageContent(PLAN)
    steps = (PushStep(1, "one", "in place"), PushStep(2, "two", UNDER_WAY), PushStep(3, "three", LEFT))
    content.take(seen_of(well()))
    told = content.take(seen_of(well(), push=RunningPush("by ann", steps)))
    assert told["push"]["progress"] == "1 of 3 steps done"
    assert [step["kind"] for step in told["push"]["steps"]] == ["done", "now", "left"]
    assert content.take(seen_of(well()))["push"] is None
    assert [change["text"] for change in content.whole["changes"]] == ["The push has ended", "A push has begun"]


def test_links_of_two_sites_are_green_red_or_not_told() -> None:
    pair, other, alone = "HA Pair 1", "HA Pair 2", "Standalone LoadMaster 1"
    assert set(colours(well()).values()) == {"green"}
    red = colours(changed(well(), M1, partner_status={**(well().units[M1].partner_status or {}), A1: False}))
    assert red[pair, alone] == "red"
    assert red[pair, other] == "green"
    assert colours(changed(well(), A1, partner_status=None))[pair, alone] == "not told"
    assert colours(down(well(), A1))[pair, alone] == "not told"


def test_a_site_that_was_not_asked_makes_no_link_uncertain() -> None:
    facts = well()
    only = Observations({address: facts.units[address] for address in (M1, S1)}, frozenset({"HA Pair 1"}))
    assert set(colours(only).values()) == {"green"}
    assert all("HA Pair 1" in sites for sites in colours(only))
    assert M2 not in only.units
