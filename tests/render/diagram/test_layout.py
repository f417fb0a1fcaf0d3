"""Nothing in the picture stands on anything else, whatever is drawn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings

from geoplan import Plan
from geoplan.plan.model import PlannedGroup, SiteSettings, checksum_of
from geoplan.render.diagram import dot, mermaid, svg
from geoplan.render.diagram.layout import Area, Box, Picture, lay_out
from tests.render.pictures import hostile_plan, plan_of_size, plans

ROUNDING = 0.001


def overlap(one: Box, other: Box) -> bool:
    return (
        min(one.right, other.right) - max(one.x, other.x) > ROUNDING
        and min(one.bottom, other.bottom) - max(one.y, other.y) > ROUNDING
    )


def inside(inner: Box, outer: Box) -> bool:
    return (
        inner.x >= outer.x - ROUNDING
        and inner.y >= outer.y - ROUNDING
        and inner.right <= outer.right + ROUNDING
        and inner.bottom <= outer.bottom + ROUNDING
    )


def labels_of(area: Area) -> Iterator[Box]:
    yield from (label.box for label in area.labels)
    for card in area.cards:
        yield from (label.box for label in card.labels)
        for row in card.rows:
            yield from (label.box for label in row.labels)


def overlapping(boxes: Iterable[Box]) -> list[tuple[Box, Box]]:
    """Return the boxes that stand on one another; sorted by x, only neighbours have to be compared."""
    found: list[tuple[Box, Box]] = []
    open_boxes: list[Box] = []
    for box in sorted(boxes):
        open_boxes = [other for other in open_boxes if other.right > box.x]
        found.extend((other, box) for other in open_boxes if overlap(other, box))
        open_boxes.append(box)
    return found


def check(picture: Picture) -> None:
    whole = Box(0, 0, picture.width, picture.height)
    areas = [area.box for area in picture.areas]
    own_labels = [label.box for label in picture.labels]
    assert not overlapping([*own_labels, *areas])
    assert all(inside(box, whole) for box in [*own_labels, *areas])
    for area in picture.areas:
        check_area(area)


def check_area(area: Area) -> None:
    assert not overlapping(labels_of(area))
    assert not overlapping([*(label.box for label in area.labels), *(card.box for card in area.cards)])
    assert all(inside(box, area.box) for box in [*labels_of(area), *(card.box for card in area.cards)])
    for card in area.cards:
        assert all(inside(label.box, card.box) for label in card.labels)
        assert not overlapping([*(label.box for label in card.labels), *(row.box for row in card.rows)])
        for row in card.rows:
            assert inside(row.box, card.box)
            assert all(inside(label.box, row.box) and label.box.x > row.mark.x for label in row.labels)
    top = max(label.box.bottom for label in area.labels)
    for line in area.lines:
        assert all(point.y > top and area.box.x < point.x < area.box.right for point in line)


@settings(max_examples=60)
@given(plans())
def test_nothing_overlaps(plan: Plan) -> None:
    check(lay_out(plan))


@pytest.mark.parametrize("count", range(1, 41))
def test_nothing_overlaps_with_so_many_sites(count: int) -> None:
    check(lay_out(plan_of_size(count, count // 2)))


def read_back(edit: Callable[[dict[str, Any]], object]) -> Plan:
    """Return a plan of two sites as somebody else's program wrote it: no topology's rules hold for it."""
    plan = plan_of_size(2, 1)
    content = plan.model_dump(mode="json")
    edit(content)
    sites = tuple(map(SiteSettings.model_validate, content["sites"]))
    groups = tuple(map(PlannedGroup.model_validate, content["groups"]))
    checksum = checksum_of(vars(plan.model_copy(update={"sites": sites, "groups": groups})))
    return Plan.model_validate_json(json.dumps({**content, "checksum": checksum}))


@pytest.mark.parametrize("name", ["", " ", "\u200b"])
def test_a_site_without_a_visible_name_has_its_card(name: str) -> None:
    def rename(content: dict[str, Any]) -> None:
        content["sites"][0]["name"] = content["groups"][0]["sites"][0] = name

    check(lay_out(read_back(rename)))


@pytest.mark.parametrize(
    "edit",
    [
        lambda content: content.update(topology=""),
        lambda content: content["sites"][0].update(units=[]),
        lambda content: content["groups"].append({**content["groups"][0], "name": "", "sites": []}),
        lambda content: content.update(groups=[]),
    ],
    ids=["topology without a name", "site without units", "group without sites", "no groups"],
)
def test_plan_that_lacks_something_has_its_pictures(edit: Callable[[dict[str, Any]], object]) -> None:
    plan = read_back(edit)

    check(lay_out(plan))
    assert all(module.render(plan) for module in (dot, mermaid, svg))


def test_nothing_overlaps_with_hostile_names() -> None:
    check(lay_out(hostile_plan()))


@given(plans())
@settings(max_examples=20)
def test_every_two_sites_of_a_group_are_joined_once(plan: Plan) -> None:
    for area in lay_out(plan).areas:
        joined = [{line.start, line.end} for line in area.lines]
        assert joined == [{one, other} for one, other in combinations(area.anchors, 2)]
        assert len(area.anchors) == (len(area.cards) if len(area.cards) > 1 else 0)


@given(plans())
@settings(max_examples=20)
def test_a_sites_lines_begin_at_its_card(plan: Plan) -> None:
    for area in lay_out(plan).areas:
        for anchor, card in zip(area.anchors, area.cards, strict=bool(area.anchors)):
            assert abs(anchor.x - card.box.x) < ROUNDING or abs(anchor.x - card.box.right) < ROUNDING
            assert card.box.y < anchor.y < card.box.bottom


@given(plans())
@settings(max_examples=20)
def test_no_text_is_cut(plan: Plan) -> None:
    areas = lay_out(plan).areas
    for group, area in zip(plan.groups, areas, strict=True):
        shown = ["".join(label.text for label in card.labels) for card in area.cards]
        assert shown == list(group.sites)


def test_eighteen_sites_fit_a_page() -> None:
    picture = lay_out(plan_of_size(18, 12))
    assert picture.width < 1200
    assert picture.height < 1200
