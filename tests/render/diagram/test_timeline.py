"""The picture of a push over time: what it shows, in words too, and that it stays in its frame."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from geoplan.render.diagram.timeline import SiteLanes, TimePicture, UnitLane, in_words, render

SVG = "{http://www.w3.org/2000/svg}"
PAIR = SiteLanes(
    "A <pair>", (UnitLane("10.0.0.1", "master", ((60.0, 180.0),), ((0.0, 60.0), (180.0, 300.0))),
                 UnitLane("10.0.0.2", "slave", (), ((63.0, 180.0),)))
)  # fmt: skip
GREEN = ((3.0, 1), (60.0, 0), (66.0, 1))


def picture(*sites: SiteLanes) -> TimePicture:
    made = TimePicture("Push of A", "", 300.0, sites, 1, GREEN)
    return made._replace(description=in_words(made))


def test_it_says_in_words_who_is_down_and_when_all_links_are_green() -> None:
    said = in_words(picture(PAIR))

    assert said == "5:00 in all. 10.0.0.1 of A <pair> is down from 1:00 to 3:00. All links are green from 1:06 on."


def test_without_all_links_green_at_the_end_nothing_is_said_of_it() -> None:
    assert "green" not in in_words(picture(PAIR)._replace(green=((3.0, 1), (60.0, 0))))


def test_it_has_a_title_and_a_description_that_its_root_names() -> None:
    root = ET.fromstring(render(picture(PAIR)))  # noqa: S314 - our own
    named = {element.get("id"): element for element in root.iter() if element.get("id")}

    assert root.get("role") == "img"
    assert [named[each].tag.removeprefix(SVG) for each in str(root.get("aria-labelledby")).split()] == ["title", "desc"]
    assert "10.0.0.1" in str(named["geoplan-timeline-desc"].text)


def test_nothing_leaves_its_frame_and_it_grows_by_the_lanes_alone() -> None:
    heights = []
    for number in (1, 2, 3):
        root = ET.fromstring(render(picture(*[PAIR] * number)))  # noqa: S314 - our own
        width, height = (float(str(root.get(each))) for each in ("width", "height"))
        for box in root.iter(f"{SVG}rect"):
            x, y = float(box.get("x", "0")), float(box.get("y", "0"))
            assert x >= 0 <= y
            assert x + float(str(box.get("width"))) <= width
            assert y + float(str(box.get("height"))) <= height
        heights.append(height)

    assert width <= 860
    assert heights[2] - heights[1] == heights[1] - heights[0] > 0


def test_a_unit_that_is_down_shows_between_its_times() -> None:
    boxes = [box for box in ET.fromstring(render(picture(PAIR))).iter(f"{SVG}rect") if box.get("stroke-dasharray")]  # noqa: S314 - our own
    down, _of_key = boxes

    assert float(str(down.get("width"))) > 100
