"""A push on units themselves from its lock to its proof: the executor and the journal of any push, with own checks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.live.findings.compare import verify
from geoplan.live.survey import observe_for_preflight
from geoplan.push.context import Context, Seen
from geoplan.push.events import EventKind
from geoplan.push.executor import Executor, Progress
from geoplan.push.freeze import frozen_problems, require_thawed
from geoplan.push.listener import Found, Reporter
from geoplan.push.measured import compare, measure, measured_before
from geoplan.push.past_pushes import check_resume
from geoplan.push.run import (
    PushResult,
    backed_up,
    begin_or_resume,
    make_ready,
    prune_backups,
    readiness,
    require_clear,
    stopping_for_this_machine,
)
from geoplan.push.summary import stopped_because
from geoplan.push.undoing import mark_undone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator
    from pathlib import Path

    from geoplan.live.fleet import Fleet
    from geoplan.live.model import Observations
    from geoplan.plan.model import Phase, Plan
    from geoplan.push.context import Stop
    from geoplan.push.history import History
    from geoplan.push.journal import Journal
    from geoplan.push.listener import PushListener
    from geoplan.push.measured import Compared
    from geoplan.push.options import Options
    from geoplan.push.preflight import PreflightResult
    from geoplan.push.store import Past, Store


@dataclass(frozen=True)
class UnitsResult(PushResult):
    """How a push on units ended that was neither refused nor stopped."""

    compared: tuple[Compared, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every step was done, and nothing else changed."""
        return not self.declined and not any(row.changed for row in self.compared)


class UnitsPush(NamedTuple):
    """What one kind of push on units is, and others are not."""

    phase: Phase
    check: Callable[[Fleet, Observations, Options, Past, History | None], Awaitable[PreflightResult]]
    """Finds what blocks it; the last argument is what is known of it from a run before."""
    guarded: Callable[[Fleet, Journal], Fleet]
    standing: Callable[[Context], Awaitable[list[str]]]
    """Says of each site that was begun what it has now, and what serves."""
    prepare: Callable[[Journal, Store, History | None], None] = lambda *_: None
    """Writes down what earlier pushes have left, before it begins; with the push whose place it takes, if any."""
    at_once: Callable[[History], Collection[str]] = lambda _: ()
    """Returns the steps that a run before has left half done."""


async def run_on_units(  # noqa: PLR0913 - what a push is
    kind: UnitsPush, fleet: Fleet, options: Options, store: Store, listener: PushListener, *, stop: Stop | None = None
) -> UnitsResult:
    """Carry such a push out, or go on with it; raises what :func:`geoplan.push.run.run_push` raises."""
    plan = fleet.plan
    make_ready(store, options)
    with store.locked(plan.topology, store.nat_keys(plan)) as running:
        past = store.past()
        undone = past.unfinished if past.unfinished and past.unfinished.name == options.undoes else None
        unfinished = None if undone else past.unfinished
        reporter = Reporter(listener, fleet.clock)
        command = reporter.typed_about(unfinished)
        resumed = check_resume(plan, unfinished, resume=options.resume, running=running, command=command)
        history = resumed.unfinished
        if history:
            options = options.resumed_with(history.begin.options.as_options())
        facts = await observe_for_preflight(fleet)
        own = history if history and history.begin.checksum == plan.checksum else undone
        verdict = await kind.check(fleet, facts, options, past, own)
        before = verify(plan, facts, past.ledger.known_links())
        objections = listener.objections(Found(options, facts, verdict, before))
        later = verdict.put_off if options.only_preflight else ()
        problems = (*resumed.problems, *frozen_problems(store.state), *objections, *verdict.problems, *later)
        verdict = replace(verdict, problems=problems)
        reporter.say(EventKind.PREFLIGHT, readiness(verdict), verdict=verdict)
        require_clear(verdict, may_resume=resumed.may_resume)
        if options.only_preflight:
            return UnitsResult(verdict, before, Progress())
        for line in _what_is_left_for_now(plan, verdict):
            reporter.say(EventKind.NOTE, line)
        if not listener.may_begin(Found(options, facts, verdict, before)):
            return UnitsResult(verdict, before, Progress(), declined=True)
        require_thawed(store.state)  # whoever answers may have taken an hour
        with begin_or_resume(fleet, store, options, history, past.ledger) as journal:
            replaced = undone or _left_undone(journal.history, store)
            kind.prepare(journal, store, replaced)
            if replaced:  # only now: its place is taken, and what it has left is written down
                mark_undone(replaced, fleet.clock)
            guards = kind.guarded(fleet, journal)
            context = Context(guards, journal, options, reporter, stop=stop, seen=Seen.in_facts(facts))
            if not measured_before(journal.history):
                known = measured_before(replaced) if replaced else {}
                journal.write("measured", units=known or await measure(guards, facts))
            backups = (options.backup_folder or store.backups) / journal.path.stem
            half_done = kind.at_once(journal.history)
            first = {step.site for step in plan.steps if step.id in half_done}
            await backed_up(context, _needed(facts, verdict, only=first if verdict.put_off else None), backups)
            with stopping_for_this_machine():
                executor = Executor(context)
                progress = await executor.run_half_done(half_done)
                if verdict.put_off and not (progress.failures or context.stop.requested):
                    facts = await _others_ready(kind, context, past, facts, backups)
                result = await _carried_out(kind, executor, context, facts, verdict)
            prune_backups(context, store)
            return result


def _left_undone(history: History, store: Store) -> History | None:
    """Return the push whose place a resumed one has taken, where that was cut off before it was ended."""
    name = history.begin.undoes
    return next((each for each in store.histories() if each.name == name and not each.is_finished), None)


def _what_is_left_for_now(plan: Plan, verdict: PreflightResult) -> Iterator[str]:
    for site in plan.sites:
        if site.name in verdict.left_alone:
            yield f"'{site.name}' is left alone: no unit of it was given what is taken back"
    if verdict.put_off:
        yield "first come the sites whose units may differ; then it stops, unless this is repaired by then:"
        yield from (f"  {problem}" for problem in verdict.put_off)


def _needed(facts: Observations, verdict: PreflightResult, *, only: Collection[str] | None = None) -> Observations:
    """Return the units that are changed, of some sites or of all."""
    found = {address: unit for address, unit in facts.units.items() if unit.site not in verdict.left_alone}
    return replace(facts, units={key: unit for key, unit in found.items() if only is None or unit.site in only})


async def _others_ready(
    kind: UnitsPush, context: Context, past: Past, facts: Observations, backups: Path
) -> Observations:
    """Check everything once no units differ any more. Raises :class:`PushStoppedError` with what blocks the rest."""
    if not context.fleet.is_on_paper:
        facts = await observe_for_preflight(context.fleet)
    verdict = await kind.check(context.fleet, facts, context.options, past, context.history)
    why = [str(problem) for problem in (*verdict.problems, *verdict.put_off)]
    if not why:
        try:
            await backed_up(context, _needed(facts, verdict), backups)
        except PushRefusedError as error:
            why = list(error.problems)
    if why:
        context.journal.write("stopped", outcome="stopped", why=why)
        said = "the push stopped part-way: the sites whose units might differ came first, and this blocks the others"
        lines = [f"{said}:", *(f"  {each}" for each in why), *await kind.standing(context)]
        raise PushStoppedError("\n".join(lines))
    return facts


async def _carried_out(
    kind: UnitsPush, executor: Executor, context: Context, facts: Observations, verdict: PreflightResult
) -> UnitsResult:
    progress = await executor.run(kind.phase)
    if progress.failures or not progress.has_ended(step.id for step in context.plan.steps):
        context.journal.write("stopped", outcome="stopped", why=[str(error) for error in progress.failures])
        lines = [stopped_because(context.plan, progress), *await kind.standing(context)]
        raise PushStoppedError("\n".join(lines))
    context.reporter.say(EventKind.VERIFYING, "comparing all units with what they held before")
    compared = () if context.fleet.is_on_paper else await compare(context)
    outcome = "done with findings" if any(row.changed for row in compared) else "done"
    context.journal.write("end", outcome=outcome)
    context.reporter.say(EventKind.VERIFIED, outcome)
    report = verify(context.plan, facts, context.ledger.known_links())
    return UnitsResult(verdict, report, progress, journal=context.journal.path, compared=compared)
