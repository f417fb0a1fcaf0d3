"""A whole rehearsal: every single fault, every habit, and draws, on all processors."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from geoplan.twin.habits import habits
from geoplan.twin.incidents import drawn, single_faults
from geoplan.twin.rehearsal_report import Group, Report
from geoplan.twin.workers import play_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.twin.cases import Planned, Plays, Result
    from geoplan.twin.incidents import Case

FAULTS, HABITS, DRAWS = "single faults", "habits", "draws"


def cases_of(plays: Plays, planned: Planned, seeds: range) -> Mapping[str, tuple[Case, ...]]:
    """Return all cases of a rehearsal: the single ones without exception, and one draw for each seed."""
    return {
        FAULTS: tuple(single_faults(planned.changes, plays.plan)),
        HABITS: tuple(habits(planned.changes, plays.plan)) if planned.changes else (),
        DRAWS: tuple(drawn(seed, planned.changes, plays.topology) for seed in seeds),
    }


def rehearse(
    plays: Plays, planned: Planned, seeds: range, jobs: int, on_progress: Callable[[int, int], None]
) -> Report:
    """Play all cases; ``on_progress`` gets how many were played, and of how many.

    An interruption ends it: the report then has what was played so far.
    """
    cases = cases_of(plays, planned, seeds)
    kind_of = {case.name: kind for kind, of_kind in cases.items() for case in of_kind}
    found: dict[str, list[Result]] = {kind: [] for kind in cases}
    done, is_interrupted = 0, False
    try:
        with closing(play_all(plays, [case for of_kind in cases.values() for case in of_kind], jobs)) as results:
            for result in results:
                found[kind_of[result.case.name]].append(result)
                done += 1
                on_progress(done, len(kind_of))
    except KeyboardInterrupt:
        is_interrupted = True
    place_of = {name: place for place, name in enumerate(kind_of)}  # who was done first depends on the machine
    groups = tuple(
        Group(kind, len(of_kind), tuple(sorted(found[kind], key=lambda result: place_of[result.case.name])))
        for kind, of_kind in cases.items()
    )
    return Report(plays.plan, planned, groups, seeds, is_interrupted)
