"""What a rehearsal has shown, as data, as text and as Markdown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

from geoplan.render.diagram import timeline as pictured
from geoplan.render.diagram.timeline import SiteLanes, TimePicture, UnitLane, clock
from geoplan.twin.cases import Planned, Result, Way
from geoplan.twin.timeline import MomentKind
from geoplan.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geoplan.plan.model import Plan
    from geoplan.twin.incidents import Case
    from geoplan.twin.timeline import Gap, Lane, Moment, Timeline

FORMAT = "geoplan/rehearsal/1"
CASE_FORMAT = "geoplan/rehearsed-case/1"
NARROWEST = 60
_WORDS = {Way.AT_ONCE: "at once", Way.RESUMED: "resumed", Way.REFUSED: "refused", Way.FINISHED: "finished"}
_SIXTY = 60
_REPLAY = "  replay it with: "


@dataclass(frozen=True)
class Group:
    """Cases of one kind: how many there are, and how those ended that were played."""

    name: str
    total: int
    results: tuple[Result, ...]

    @property
    def ways(self) -> Mapping[Way, int]:
        """How many ended in which way, without those that broke a promise."""
        found = Counter(result.way for result in self.results if not result.broken)
        return {way: found[way] for way in Way}


@dataclass(frozen=True)
class Report:
    """A whole rehearsal."""

    plan: Plan
    planned: Planned
    groups: tuple[Group, ...]
    seeds: range = range(0)
    """The seeds of the draws among them."""
    is_interrupted: bool = False

    @property
    def broken(self) -> tuple[Result, ...]:
        """The cases that broke a promise."""
        played = (self.planned.result, *(result for group in self.groups for result in group.results))
        return tuple(result for result in played if result.broken)

    @property
    def longest(self) -> tuple[Gap, Case] | None:
        """The longest time in which a pair had no active unit, and in which case."""
        found = [(result.gap, result.case) for group in self.groups for result in group.results if result.gap]
        return max(found, key=lambda each: (each[0].seconds, each[1].name), default=None)


def as_data(report: Report) -> dict[str, object]:
    """Return a report as JSON holds it; all times are seconds."""
    longest = report.longest
    return {
        "format": FORMAT,
        "topology": report.plan.topology,
        "checksum": report.plan.checksum,
        "interrupted": report.is_interrupted,
        "planned": {
            "way": report.planned.result.way.value,
            "longest_gap": _gap(report.planned.result.gap),
            **timeline_data(report.planned.timeline),
        },
        "cases": {
            group.name: {
                "total": group.total,
                "played": len(group.results),
                **{way.value: number for way, number in group.ways.items()},
            }
            for group in report.groups
        },
        "seeds": [report.seeds.start, report.seeds.stop - 1] if report.seeds else [],
        "longest_gap": None if longest is None else {**(_gap(longest[0]) or {}), "case": longest[1].name},
        "broken": [result_data(result) for result in report.broken],
    }


def case_data(result: Result, timeline: Timeline) -> dict[str, object]:
    """Return how one case went, with its timeline, as JSON holds it."""
    return {"format": CASE_FORMAT, **result_data(result), **timeline_data(timeline)}


def result_data(result: Result) -> dict[str, object]:
    """Return how a case went as JSON holds it."""
    return {
        "case": result.case.name,
        "meaning": result.case.meaning,
        "way": result.way.value,
        "runs": list(result.story),
        "longest_gap": _gap(result.gap),
        "broken": list(result.broken),
    }


def timeline_data(timeline: Timeline) -> dict[str, object]:
    """Return a timeline as JSON holds it."""
    return {
        "seconds": timeline.seconds,
        "links": timeline.links,
        "moments": [
            {name: value for name, value in moment._asdict().items() if value is not None}
            for moment in timeline.moments
        ],
        "units": [lane._asdict() for lane in timeline.lanes],
    }


def _gap(gap: Gap | None) -> dict[str, object] | None:
    return None if gap is None else gap._asdict()


def timeline_svg(name: str, timeline: Timeline) -> str:
    """Return a timeline as a picture."""
    sites: dict[str, list[UnitLane]] = {}
    for lane in timeline.lanes:
        sites.setdefault(lane.site, []).append(UnitLane(lane.unit, lane.role, lane.down, lane.active))
    lanes = [SiteLanes(site, tuple(units)) for site, units in sites.items()]
    green = [(moment.seconds, moment.green) for moment in timeline.moments if moment.green is not None]
    picture = TimePicture(f"Push of {name} over time, as rehearsed", "", timeline.seconds, lanes, timeline.links, green)
    return pictured.render(picture._replace(description=pictured.in_words(picture)))


# -- text --------------------------------------------------------------------------------------------------------------


def timeline_lines(timeline: Timeline, width: int, last: str = "done and verified") -> Iterator[str]:
    """Yield a timeline as lines of at most ``width`` columns: a lane for each unit, then all moments.

    ``last`` says what the end of the time is.
    """
    labels = [lane.unit for lane in timeline.lanes]
    room = max(10, width - max(map(len, labels), default=0) - 2)
    margin = " " * (width - room)
    end = clock(timeline.seconds)
    yield f"{margin}0:00{end:>{room - 4}}"
    for lane, label in zip(timeline.lanes, labels, strict=True):
        yield f"{label:<{width - room}}{_lane(lane, timeline.seconds, room)}".rstrip()
    yield "# takes traffic   - standby   . down"
    yield ""
    for moment in timeline.moments:
        yield f"{clock(moment.seconds):>7}  {_moment(moment, timeline)}"
    yield f"{end:>7}  {last}"


def _lane(lane: Lane, seconds: float, room: int) -> str:
    """Return what a unit does, a character for each part of the time: down wins over traffic, so that it is seen."""
    cells = ["-"] * room
    for spans, mark in ((lane.active, "#"), (lane.down, ".")):
        for begin, end in spans:
            first, last = (int(moment / max(seconds, 1.0) * room) for moment in (begin, end))
            for cell in range(first, min(room, max(last, first + 1))):
                cells[cell] = mark
    return "".join(cells)


def _moment(moment: Moment, timeline: Timeline) -> str:
    match moment.kind:
        case MomentKind.DOWN:
            return f"{moment.unit} goes down"
        case MomentKind.UP:
            return f"{moment.unit} is up again"
        case MomentKind.ACTIVE:
            return f"traffic of {shown(str(moment.site))} moves to {moment.unit}"
        case MomentKind.NONE_ACTIVE:
            return f"no unit of {shown(str(moment.site))} takes traffic"
        case MomentKind.GREEN:
            return f"links green: {moment.green} of {timeline.links}"


def as_text(report: Report, width: int, replay: Mapping[str, str]) -> str:
    """Return a report as text; ``replay`` has a command for each case that broke a promise, by its name."""
    width = max(NARROWEST, width)
    lines = [f"Push of {shown(report.plan.topology)}, as planned: {spoken(report.planned.timeline.seconds)}", ""]
    lines += timeline_lines(report.planned.timeline, width)
    if report.groups:
        lines += ["", *_table(report.groups), "", *_legend(report), *_gaps(report)]
    lines += ["", *_verdict(report, replay)]
    return "\n".join(_wrapped(lines, width)) + "\n"


def _wrapped(lines: Iterable[str], width: int) -> Iterator[str]:
    """Yield lines, those that are too long in parts; a command to be typed stays whole."""
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        if len(line) <= width or line.startswith(_REPLAY):
            yield line
        else:
            yield from wrap(line, width, subsequent_indent=f"{indent}  ", break_on_hyphens=False)


def _table(groups: Iterable[Group]) -> Iterator[str]:
    yield f"{'':<15}{'cases':>9}" + "".join(f"{_WORDS[way]:>9}" for way in Way)
    for group in groups:
        yield f"{group.name:<15}{len(group.results):>9}" + "".join(f"{group.ways[way]:>9}" for way in Way)


def _legend(report: Report) -> Iterator[str]:
    played = sum(len(group.results) for group in report.groups)
    total = sum(group.total for group in report.groups)
    yield _played_in_words(played, total)
    if report.seeds:
        first, last = report.seeds.start, report.seeds.stop - 1
        yield f"Draw: seed {first}." if first == last else f"Draws: seeds {first} to {last}."
    yield "resumed: stopped or killed, then --resume completed it."
    yield "refused: nothing was changed; pushed anew once it was over."
    yield "finished: done with findings, then done as they say."


def _played_in_words(played: int, total: int) -> str:
    if played < total:
        return f"{played:,} of {total:,} cases {'was' if played == 1 else 'were'} played."
    return "The only case was played." if total == 1 else f"All {total:,} cases were played."


def _gaps(report: Report) -> Iterator[str]:
    planned, longest = report.planned.result.gap, report.longest
    yield ""
    yield "Longest time that a pair had no active unit:"
    yield f"  as planned {spoken(planned.seconds) + ', ' + shown(planned.site) if planned else 'never'}"
    if longest:
        yield f"  at worst {spoken(longest[0].seconds)}, {shown(longest[0].site)}, in {shown(longest[1].name)}:"
        yield f"    {shown(longest[1].meaning)}"


def _verdict(report: Report, replay: Mapping[str, str]) -> Iterator[str]:
    if report.is_interrupted:
        yield "Interrupted: this is what was done so far."
    for result in report.broken:
        yield f"BROKEN in {shown(result.case.name)}: {shown(result.case.meaning)}"
        yield from (f"  {shown(what)}" for what in result.broken)
        if result.case.name in replay:
            yield f"{_REPLAY}{replay[result.case.name]}"
    if not report.broken:
        yield "No promise was broken."


def case_text(result: Result, timeline: Timeline, width: int) -> str:
    """Return how one case went, with its timeline."""
    lines = [f"{shown(result.case.name)}: {shown(result.case.meaning)}", ""]
    lines += timeline_lines(timeline, max(NARROWEST, width), "everything has settled")
    lines += ["", *(shown(line) for number, words in enumerate(result.story, 1) for line in _run(number, words)), ""]
    lines += [f"BROKEN: {shown(what)}" for what in result.broken] or ["No promise was broken."]
    return "\n".join(_wrapped(lines, max(NARROWEST, width))) + "\n"


def _run(number: int, words: str) -> list[str]:
    """Return what a run ended with as lines, of which a push may have printed several."""
    first, *more = words.splitlines() or [""]
    return [f"run {number}: {first}", *(f"  {line}" for line in more)]


def as_markdown(report: Report, replay: Mapping[str, str]) -> str:
    """Return a report as Markdown, for a ticket; the timeline stands in it as text."""
    timeline = "\n".join(timeline_lines(report.planned.timeline, 100))
    head = f"# Rehearsal of `{report.plan.topology.replace('`', ' ')}`"
    lines = [head, "", f"As planned: {spoken(report.planned.timeline.seconds)}. Plan `{report.plan.checksum}`.", ""]
    lines += ["```text", timeline, "```", ""]
    if report.groups:
        lines += ["| | cases | " + " | ".join(_WORDS[way] for way in Way) + " |", "|---|" + "--:|" * (1 + len(Way))]
        for group in report.groups:
            cells = (str(len(group.results)), *(str(group.ways[way]) for way in Way))
            lines.append(f"| {group.name} | {' | '.join(cells)} |")
        lines += ["", "```text", *_legend(report), *_gaps(report), "```", ""]
    return "\n".join([*lines, "```text", *_verdict(report, replay), "```"]) + "\n"


def spoken(seconds: float) -> str:
    """Return a length of time in minutes and seconds."""
    minutes, rest = divmod(round(seconds), _SIXTY)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
