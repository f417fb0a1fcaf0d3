"""The mends of what a push once did wrong, each taken out in turn: the situation that shows it has to break then.

``python -m tests.simulation.mutations`` prints the table, and ends with 1 unless every one is caught.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from geoplan.addresses import same_addresses
from geoplan.errors import RefusedSpellingError
from geoplan.live.findings.pairs import drifts
from geoplan.live.links import Colour, _End
from geoplan.loadmaster.decode import ha_parameters
from geoplan.loadmaster.model import HaFacts, State
from geoplan.loadmaster.session import Session
from geoplan.plan.change_graph import build_change_graph, removals
from geoplan.plan.model import Action
from geoplan.push import journal
from geoplan.push.actions import ACTIONS, readiness
from geoplan.push.actions.change import LookFirst
from geoplan.push.actions.readiness import require_room, what_slave_holds
from geoplan.push.actions.reboot_master import PairReboot
from geoplan.push.actions.set_ha_parameters import _change as change_parameters
from geoplan.push.actions.set_ha_parameters import set_parameters
from geoplan.push.actions.verify_unlinked import _read as read_lists
from geoplan.push.executor import Executor
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.store import Store
from geoplan.twin.loop import run_simulated
from tests.simulation import drills, ha_changes
from tests.simulation.scenarios import SCENARIOS

colour_of, watch, look_first = _End.colour_of, PairReboot._watch, LookFirst.__call__
do_pair = Executor._do_pair

TakeOut = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutation:
    """One mend taken out."""

    name: str
    """What the push does without it."""
    scenario: str
    """The situation that shows it, by its name in ``scenarios``."""
    take_out: TakeOut | None = None
    """Takes the mend out; without it the mend is yet to be named here."""


@dataclass(frozen=True)
class Replay:
    """How a situation went with the mend and without it."""

    mutation: Mutation
    with_mend: list[str]
    without: list[str]

    @property
    def is_caught(self) -> bool:
        """Whether the situation is clean with the mend and breaks without it."""
        return self.mutation.take_out is not None and not self.with_mend and bool(self.without)

    def __str__(self) -> str:
        state = "caught" if self.is_caught else "NOT CAUGHT"
        why = self.without[0] if self.is_caught else next(iter(self.with_mend), "the mend is not named yet")
        return f"{state:10}  {self.mutation.name:65}  {self.mutation.scenario:46}  {why.splitlines()[0][:100]}"


# -- how mends are taken out -------------------------------------------------------------------------------------------


def setting(*changes: tuple[str, Any]) -> TakeOut:
    """Return what sets attributes, each by its dotted name, such as ``geoplan.live.polling.SYNC_FLOOR_SECONDS``."""

    def take_out(patch: pytest.MonkeyPatch) -> None:
        for name, value in changes:
            module, _, attribute = name.rpartition(".")
            if module in sys.modules:  # a module of an action is hidden behind the function of its name
                patch.setattr(sys.modules[module], attribute, value)
            else:
                patch.setattr(name, value)

    return take_out


def unguarded(*names: str) -> tuple[tuple[str, Any], ...]:
    """Return what lets requests pass that the guard would stop, by the names of its methods."""
    return tuple((f"geoplan.push.guard.Guard.{name}", lambda *_given, **_options: None) for name in names)


def answering(value: Any) -> Callable[..., Any]:
    """Return what answers one value whatever it is asked."""
    return lambda *_given, **_options: value


def awaited(value: Any) -> Callable[..., Awaitable[Any]]:
    """Return what answers one value once it is awaited."""

    async def answer(*_given: Any, **_options: Any) -> Any:
        return value

    return answer


def _sent_blindly(patch: pytest.MonkeyPatch) -> None:
    send = Session.change

    async def change(session: Session, command: Any, *, is_applied: Any = None, once: bool = False, **_: Any) -> None:
        session._changes_once = False
        await send(session, command, is_applied=is_applied)

    patch.setattr(Session, "change", change)
    patch.setattr("geoplan.push.actions.reboot_master.Sending.take_back", answering(None))


async def _holds_or_refuses(pair: Any) -> tuple[readiness.Holds, str]:
    holds, reason = await what_slave_holds(pair)
    return (readiness.Holds.REFUSES if holds is readiness.Holds.UNTOLD else holds), reason


def _single_where_untold(answer: Any) -> HaFacts:
    found = ha_parameters(answer)
    return replace(found, mode="single") if found.mode is None else found


async def _changed_or_single(context: Any, step: Any, unit: Any, before: Any, wanted: Any) -> Any:
    problem = await change_parameters(context, step, unit, before, wanted)
    if any(drifts(await unit.ha_parameters(), wanted)):
        await context.fleet.look(context.plan.site(step.on.site))
        await unit.set_ha_mode("single")
    return problem


async def _set_whatever_works(context: Any, step: Any) -> Any:
    pair = context.plan.ha_pair(step.site)
    wanted = pair.master if step.action is Action.SET_MASTER_HA_PARAMETERS else pair.slave
    await context.fleet.unit(wanted.address).set_ha_parameters(wanted)
    return await set_parameters(context, step)


def _whatever_works_is_set(patch: pytest.MonkeyPatch) -> None:
    for action in (Action.SET_MASTER_HA_PARAMETERS, Action.SET_SLAVE_HA_PARAMETERS):
        patch.setitem(ACTIONS, action, _set_whatever_works)
    setting(*unguarded("before_ha_parameters"))(patch)


def _told_green(end: Any, other: Any) -> Colour:
    colour: Colour = colour_of(end, other)
    return Colour.GREEN if colour is Colour.NOT_TOLD else colour


def _room_by_own_journal(context: Any, step: Any, unit: str, booted: Any = None) -> None:
    own = SimpleNamespace(reboots_of=context.history.reboots_of)
    require_room(SimpleNamespace(ledger=own, clock=context.clock), step, unit)  # type: ignore[arg-type]


async def _unread(resubmission: Any) -> Any:
    pair = resubmission._pair
    sent = pair.site.geo_partners
    pair.context.record("resubmitting", pair.resubmission, pair.slave, before=list(sent), after=list(sent))
    if not await pair.slave_is_active():
        return None
    await pair.slave_unit.resubmit_geo_partners(sent)
    return sent


def _unless_told_otherwise(look: Any) -> Any:
    return look.by_api or look.health if look.by_api is look.health or look.health is State.DOWN else look.health


async def _once_answered(reboot: Any, sending: Any) -> Any:
    if sending:
        await asyncio.wait([sending.request])
    return await watch(reboot, sending)


def _last_by_the_clock(store: Store, clock: Any, _require_consent: Any) -> Any:
    last = max(journal.histories(store.state), key=lambda history: history.records[0].at)
    if not last.is_finished:
        with journal.Journal(last.path, clock) as opened:
            opened.write("end", outcome="abandoned", who="somebody")
    return last


async def _looking_once(look: Any) -> None:
    if not look._allowed:
        await look_first(look)


def doing_nothing(action: Action, *changes: tuple[str, Any]) -> TakeOut:
    """Return what lets the steps of an action end well without being done, and what they guard pass."""

    def take_out(patch: pytest.MonkeyPatch) -> None:
        patch.setitem(ACTIONS, action, awaited(Outcome(StepState.DONE, None, "")))
        setting(*changes, *unguarded("before_delete"))(patch)

    return take_out


def _access_first(site: str, work: Any) -> Any:
    return reversed(list(removals(site, work)))


async def _of_actives(context: Any, sites: Any) -> Any:
    standbys = {
        unit.address
        for site in sites
        for unit in site.units
        if not await context.fleet.is_active_now(site, unit.address)
    }
    seen = await read_lists(context, sites)
    for found in seen:
        for address in standbys:
            found.told.pop(address, None)
    return seen


async def _pair_by_lists(executor: Any, task: Any) -> None:
    context = executor._context
    site = context.plan.site(task.first.site)
    slave = next(unit.address for unit in site.units if unit.role == "slave")
    if not same_addresses(await context.fleet.unit(slave).geo_partners(), site.geo_partners):
        await do_pair(executor, task)
        return
    for step in task.steps:  # its list has come to the slave, and so, one might think, it has submitted it
        executor._record(step, Outcome(StepState.NOT_NEEDED, None, ""))


def _seeds_after(*actions: Action) -> Callable[[Any], Any]:
    """Return what builds the graph of a change in which newcomers are seeded once these steps are done."""

    def build(work: Any) -> Any:
        graph = build_change_graph(work)
        seeds = [key for key in graph if key.action is Action.SEED_GEO_CONFIGURATION]
        later = [key for key in graph if key.action in actions]
        graph.remove_edges_from([(seed, key) for seed in seeds for key in list(graph.successors(seed))])
        graph.add_edges_from((key, seed) for seed in seeds for key in later)
        return graph

    return build


_LISTS = (Action.SET_REMOTE_GEO_ACCESS, Action.SET_GEO_PARTNERS)
_PROVED = (
    ("geoplan.push.actions.delete_cluster._is_proved", answering(value=True)),
    ("geoplan.push.actions.delete_other_clusters._require_proved", awaited(None)),
)
_FORGOTTEN = setting(
    *((f"geoplan.push.ledger.Ledger.{name}", answering(frozenset())) for name in ("owes", "due", "unproven")),
    *((f"geoplan.push.ledger.Ledger.{name}", answering(value=False)) for name in ("is_due", "owes_reboot")),
)
_SILENT = setting(
    ("geoplan.push.actions.readiness.what_slave_holds", _holds_or_refuses),
    ("geoplan.push.actions.reboot_master.what_slave_holds", _holds_or_refuses),
    *unguarded("before_reboot"),
)


def _spelled_otherwise_at_once(patch: pytest.MonkeyPatch) -> None:
    send = Session.change

    async def change(session: Session, *given: Any, **options: Any) -> None:
        try:
            await send(session, *given, **options)
        except RefusedSpellingError:
            await send(session, *given, **options)

    patch.setattr(Session, "change", change)


MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "a mode that was refused in one word is sent in the other at once",
        "modes in newer words",
        _spelled_otherwise_at_once,
    ),
    Mutation(
        "a cluster that was refused by its address is sent by its number at once",
        "clusters by their number",
        _spelled_otherwise_at_once,
    ),
    Mutation(
        "a cluster gets its type under the look that was for its adding",
        "reboot answered late",
        setting(
            ("geoplan.push.actions.change.LookFirst.__call__", _looking_once),
            *unguarded("before_cluster"),
        ),
    ),
    Mutation("a reboot that was refused is sent again blindly", "reboot refused 4 times, slave dies", _sent_blindly),
    Mutation("a mode that was refused is sent again blindly", "mode connect-timeout", _sent_blindly),
    Mutation("a slave that is unreachable counts as a silent standby", "closed slave: timeout", _SILENT),
    Mutation("a slave that takes no credentials counts as a silent standby", "closed slave: 401", _SILENT),
    Mutation(
        "a mode that nobody tells is single",
        "working pair: HaMode absent, hamode '0'",
        setting(("geoplan.loadmaster.decode.ha_parameters", _single_where_untold)),
    ),
    Mutation(
        "single is sent back to a unit that answers its health check",
        "parameter that a unit does not take",
        setting(("geoplan.push.actions.set_ha_parameters._change", _changed_or_single), *unguarded("before_mode")),
    ),
    Mutation(
        "HA parameters of a pair at work are set again",
        "other parameter on the master",
        _whatever_works_is_set,
    ),
    Mutation(
        "the wait for a replication has no floor",
        "slow standby that refuses reads",
        setting(("geoplan.live.polling.SYNC_FLOOR_SECONDS", 0.0), ("geoplan.live.polling.BOOT_FLOOR_SECONDS", 0.0)),
    ),
    Mutation(
        "what nobody tells is green",
        "colours: nothing",
        setting(
            ("geoplan.live.links._End.colour_of", _told_green),
            ("geoplan.live.links._Group._owes", answering(value=False)),
        ),
    ),
    Mutation(
        "an end is complete without a proof",
        "colours: some",
        setting(("geoplan.live.findings.Report.is_proven", True)),
    ),
    Mutation("what was left out is forgotten", "no reboots at first, colours untold", _FORGOTTEN),
    Mutation("what was abandoned is forgotten", "abandoned before its reboots, colours untold", _FORGOTTEN),
    Mutation(
        "what was seen green while a slave was active is no proof",
        "standbys red by nature",
        setting(("geoplan.push.ledger.Ledger.all_sights", answering({}))),
    ),
    Mutation(
        "reboots are counted by the push's own journal alone",
        "fourth reboot by two pushes",
        setting(("geoplan.push.actions.reboot_master.require_room", _room_by_own_journal)),
    ),
    Mutation(
        "the unit that took a list is not looked at again",
        "partners on a standby",
        setting(("geoplan.live.fleet.Fleet.is_active_now", awaited(value=True)), *unguarded("before_list")),
    ),
    Mutation(
        "partners are submitted in a reboot's window without a read",
        "address added on the slave",
        setting(
            ("geoplan.push.actions.resubmit_geo_partners.Resubmission._submit", _unread), *unguarded("before_list")
        ),
    ),
    Mutation(
        "partners are submitted although somebody has added one",
        "address added on the standalone",
        setting(
            (
                "geoplan.push.actions.resubmit_geo_partners.require_unchanged",
                lambda _context, site, _unit, _held: site.geo_partners,
            ),
            *unguarded("before_list"),
        ),
    ),
    Mutation(
        "goes by hastatus although the health check contradicts it",
        "health check of the slave answers 200, and its API 'Standby'",
        setting(("geoplan.live.activity.Look.state", property(lambda look: look.by_api or look.health))),
    ),
    Mutation(
        "goes by the health check although hastatus contradicts it",
        "standby slave says 'Active' over its API",
        setting(("geoplan.live.activity.Look.state", property(lambda look: look.health))),
    ),
    Mutation(
        "a unit that says that it is in no pair counts as its standby",
        "standby slave says 'HA not configured' over its API",
        setting(("geoplan.live.activity.Look.state", property(_unless_told_otherwise))),
    ),
    Mutation(
        "the API is not asked who is active before a reboot",
        "standby slave says 'Active' over its API",
        setting(("geoplan.live.activity._told", awaited(None)), *unguarded("before_reboot", "before_list")),
    ),
    Mutation(
        "a unit is sent as many calls as come up",
        "links of standalones lost",
        setting(("geoplan.loadmaster.pace.Pace._seconds_left", answering(0.0))),
    ),
    Mutation(
        "the answer to a reboot is waited for",
        "reboot answered late",
        setting(("geoplan.push.actions.reboot_master.PairReboot._watch", _once_answered)),
    ),
    Mutation(
        "the standby is not verified",
        "standby without partners",
        setting(("geoplan.live.findings.compare._standby_differences", answering(()))),
    ),
    Mutation(
        "a standby without a backup refuses the push",
        "standby refuses backup",
        setting(("geoplan.push.backups._may_be_missing", awaited(value=False))),
    ),
    Mutation(
        "the unfinished push is the last one by the clock",
        "abandoned after the clock was set back",
        setting(("geoplan.push.abandoning.abandon", _last_by_the_clock)),
    ),
    Mutation(
        "a difference that no step mends lets the push begin",
        "cluster that does not follow",
        setting(("geoplan.push.preflight._unmended", answering(()))),
    ),
    Mutation(
        "no probe precedes a deletion",
        "sites leave",
        doing_nothing(Action.PROBE_UNLINKED, *_PROVED),
    ),
    Mutation(
        "a probe that travels is not seen",
        "sites leave over a live link",
        doing_nothing(Action.PROBE_UNLINKED, *_PROVED),
    ),
    Mutation(
        "a probe is not waited for",
        "sites leave",
        setting(("geoplan.push.actions.probe_unlinked._hold", awaited(None))),
    ),
    Mutation(
        "access is taken before the partners are",
        "sites leave",
        setting(("geoplan.plan.change_graph.removals", _access_first)),
    ),
    Mutation(
        "the lists of standbys are not read before a deletion",
        "sites leave, and a standby does not follow",
        setting(("geoplan.push.actions.verify_unlinked._read", _of_actives), *unguarded("before_delete")),
    ),
    Mutation(
        "a cluster is deleted where a site leaves before all lists were read",
        "sites leave",
        doing_nothing(Action.VERIFY_UNLINKED),
    ),
    Mutation(
        "a seed is not compared again before it is linked",
        "seed that somebody takes away",
        setting(("geoplan.push.actions.set_lists.require_same", awaited(None))),
    ),
    Mutation(
        "the lists of slaves are taken for their submissions",
        "sites join",
        setting(("geoplan.push.executor.Executor._do_pair", _pair_by_lists)),
    ),
    Mutation(
        "sites that join are seeded after the lists",
        "sites join",
        setting(
            ("geoplan.plan.change.build_change_graph", _seeds_after(*_LISTS)),
            ("geoplan.push.actions.set_lists.require_same", awaited(None)),
        ),
    ),
    Mutation(
        "sites that join a group with FQDNs are seeded after the lists",
        "sites join a group with FQDNs",
        setting(
            ("geoplan.plan.change.build_change_graph", _seeds_after(*_LISTS)),
            ("geoplan.push.actions.set_lists.require_same", awaited(None)),
        ),
    ),
    Mutation(
        "red links with all lists in place are nothing to do",
        "links of standalones lost",
        setting(("geoplan.push.preflight._sites_to_resubmit", answering(()))),
    ),
)


def replay(mutation: Mutation, folder: Path) -> Replay:
    """Play a mutation's situation with the mend and without it."""
    with_mend = _play(mutation, folder / "with")
    with pytest.MonkeyPatch.context() as patch:
        if mutation.take_out:
            mutation.take_out(patch)
        without = _play(mutation, folder / "without")
    return Replay(mutation, with_mend, without)


def table(replays: Iterable[Replay]) -> str:
    """Return a line for each mutation, and how many are caught."""
    played = list(replays)
    caught = sum(each.is_caught for each in played)
    return "\n".join([*map(str, played), f"{caught} of {len(played)} caught"])


def _play(mutation: Mutation, folder: Path) -> list[str]:
    async def played() -> list[str]:
        return await {**SCENARIOS, **drills.SCENARIOS, **ha_changes.SCENARIOS}[mutation.scenario](folder)

    try:
        return run_simulated(played())
    except AssertionError as error:  # an assertion of the push itself, which stands before the harm
        return [f"AssertionError: {error}"]


def main() -> int:
    """Replay every mutation and print the table."""
    from tests.simulation.drill_mutations import DRILL_MUTATIONS
    from tests.simulation.ha_mutations import HA_MUTATIONS

    os.fsync = lambda _handle: None  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "user")  # where the locks are
        replays = [
            replay(each, Path(folder) / str(number))
            for number, each in enumerate((*MUTATIONS, *DRILL_MUTATIONS, *HA_MUTATIONS))
        ]
    sys.stdout.write(table(replays) + "\n")
    return 0 if all(each.is_caught for each in replays) else 1


if __name__ == "__main__":
    sys.exit(main())
