"""An update from its lock to its proof: the executor and the journal of a push, with checks and an end of its own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from geoplan.errors import PushStoppedError, UnitError
from geoplan.live.activity import states_of
from geoplan.live.findings.compare import verify
from geoplan.live.fleet import only_active
from geoplan.live.survey import observe_for_preflight
from geoplan.plan.model import Phase
from geoplan.push.context import Context, Seen
from geoplan.push.events import EventKind
from geoplan.push.executor import Executor, Progress
from geoplan.push.firmware_guard import guarded_for_update
from geoplan.push.firmware_progress import has_begun
from geoplan.push.listener import Found, Reporter
from geoplan.push.measured import compare, measure, measured_before
from geoplan.push.past_pushes import check_resume
from geoplan.push.run import (
    PushResult,
    backed_up,
    begin_or_resume,
    prune_backups,
    require_clear,
    stopping_for_this_machine,
)
from geoplan.push.state_dir import make_own, usable
from geoplan.push.summary import stopped_because
from geoplan.push.update_checks import check_update
from geoplan.wording import count

if TYPE_CHECKING:
    from geoplan.live.fleet import Fleet
    from geoplan.live.model import Observations
    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Stop
    from geoplan.push.listener import PushListener
    from geoplan.push.measured import Compared
    from geoplan.push.options import Options
    from geoplan.push.preflight import PreflightResult
    from geoplan.push.store import Store


@dataclass(frozen=True)
class UpdateResult(PushResult):
    """How an update ended that was neither refused nor stopped."""

    compared: tuple[Compared, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every unit runs the version, and nothing else changed."""
        return not self.declined and not any(row.changed for row in self.compared)


async def run_update(
    fleet: Fleet, options: Options, store: Store, listener: PushListener, *, stop: Stop | None = None
) -> UpdateResult:
    """Carry an update out, or go on with it; raises what :func:`geoplan.push.run.run_push` raises."""
    plan = fleet.plan
    with usable(store.state):
        make_own(store.state)
    with store.locked(plan.topology, store.nat_keys(plan)) as running:
        past = store.past()
        resumed = check_resume(plan, past.unfinished, resume=options.resume, running=running)
        history = resumed.unfinished
        if history:
            options = options.resumed_with(history.begin.options.as_options())
        reporter = Reporter(listener, fleet.clock)
        facts = await observe_for_preflight(fleet)
        own = history if history and history.begin.checksum == plan.checksum else None
        verdict = await check_update(fleet, facts, options, past.ledger, history=own)
        before = verify(plan, facts, past.ledger.known_links())
        objections = listener.objections(Found(options, facts, verdict, before))
        problems = (*resumed.problems, *objections, *verdict.problems)
        verdict = replace(verdict, problems=problems)
        message = "all units are ready" if verdict.is_clear else count(len(problems), "problem")
        reporter.say(EventKind.PREFLIGHT, message, verdict=verdict)
        require_clear(verdict, may_resume=resumed.may_resume)
        if options.only_preflight:
            return UpdateResult(verdict, before, Progress())
        if not listener.may_begin(Found(options, facts, verdict, before)):
            return UpdateResult(verdict, before, Progress(), declined=True)
        with begin_or_resume(fleet, store, options, history, past.ledger) as journal:
            guards = guarded_for_update(fleet, journal)
            context = Context(guards, journal, options, reporter, stop=stop, seen=Seen.in_facts(facts))
            if not measured_before(journal.history):
                journal.write("measured", units=await measure(guards, facts))
            await backed_up(context, facts, (options.backup_folder or store.backups) / journal.path.stem)
            with stopping_for_this_machine():
                result = await _carried_out(context, facts, verdict)
            prune_backups(context, store)
            return result


async def _carried_out(context: Context, facts: Observations, verdict: PreflightResult) -> UpdateResult:
    progress = await Executor(context).run(Phase.FIRMWARE)
    if progress.failures or not progress.has_ended(step.id for step in context.plan.steps):
        context.journal.write("stopped", outcome="stopped", why=[str(error) for error in progress.failures])
        lines = [stopped_because(context.plan, progress), *await _standing(context)]
        raise PushStoppedError("\n".join(lines))
    context.reporter.say(EventKind.VERIFYING, "comparing all units with what they held before")
    compared = () if context.fleet.is_on_paper else await compare(context)
    outcome = "done with findings" if any(row.changed for row in compared) else "done"
    context.journal.write("end", outcome=outcome)
    context.reporter.say(EventKind.VERIFIED, outcome)
    report = verify(context.plan, facts, context.ledger.known_links())
    return UpdateResult(verdict, report, progress, journal=context.journal.path, compared=compared)


async def _standing(context: Context) -> list[str]:
    """Say of each site that was begun which version its units run, and which of them serves."""
    begun = [site for site in context.plan.sites if has_begun(context.history, site.name)]
    return [await _standing_of(context, site) for site in begun]


async def _standing_of(context: Context, site: SiteSettings) -> str:
    runs: dict[str, str | None] = {}
    for unit in site.units:
        runs[unit.address] = None
        with suppress(UnitError):
            runs[unit.address] = await context.fleet.unit(unit.address).firmware()
    told = ", ".join(f"{unit} {f'runs {version}' if version else 'does not answer'}" for unit, version in runs.items())
    if site.kind != "ha_pair":
        return f"  now       '{site.name}': {told}"
    active = only_active(states_of(await context.fleet.look(site)))
    serves = f"{active} serves" if active else "no unit is seen to serve: look at both at once"
    mixed = "on two versions: " if len(set(runs.values())) > 1 else ""
    return f"  now       '{site.name}': {mixed}{told}; {serves}"
