"""The units that a push command goes to: live ones, an embedded lab's, or live ones on paper."""

from __future__ import annotations

import os
import tempfile
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.addresses import canonical
from geoplan.cli.connection import NO_CHANGE, live_fleet
from geoplan.cli.options import LIVE, WHOLE, Part, lab_installed
from geoplan.errors import NotInLabError, PushRefusedError, UnusableFileError
from geoplan.live.fleet import Fleet
from geoplan.live.polling import SystemClock, Timings
from geoplan.plan.model import Action, Phase
from geoplan.push.dry_run import DryRunClock, DryRunState, dry_run_units
from geoplan.push.kinds import words_of_drill, words_of_kind
from geoplan.push.ledger import Ledger
from geoplan.push.remembered import gone_findings
from geoplan.push.state_dir import STATE_DIR_VARIABLE, state_folder
from geoplan.push.store import Past, Store, unit_keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from geoplan.cli.connection import ConnectionOptions, TypedCommands
    from geoplan.cli.files import OldState
    from geoplan.cli.push_options import PushFlags
    from geoplan.live.findings.kinds import Finding
    from geoplan.loadmaster import ShownRequest, UnitConnection
    from geoplan.plan.model import Plan
    from geoplan.push.history import History
    from geoplan.push.undoing import Undoing
    from geoplan.topology.model import Topology

LAB_GRACE_SECONDS = 15.0


def push_store(
    topology: Topology,
    reach: ConnectionOptions,
    state_dir: str | None,
    *,
    is_lasting: bool = True,
    units: Iterable[str] | None = None,
) -> Store:
    """Return what is kept of pushes on a topology's units; of a push that leaves nothing it has no place.

    ``units`` are those of a change, by their addresses, with those that leave.

    Raises :class:`click.UsageError` for an empty place, :class:`UnusableFileError` where there is none.
    """
    if state_dir is None and os.environ.get(STATE_DIR_VARIABLE) == "":
        raise click.UsageError(f"{STATE_DIR_VARIABLE} is empty. Unset it, or let it name a folder.")
    addresses = units or (unit.address for site in topology.sites for unit in site.units)
    return Store(state_folder(state_dir) if is_lasting else Path(), unit_keys(addresses, reach.lab_id()))


def known_past(topology: Topology, reach: ConnectionOptions) -> Past:
    """Return what earlier pushes have left, such as proven links; journals that cannot be read are warned of.

    What only reads does not stop for them. A push that is running is not one that is to be resumed.
    """
    try:
        store = push_store(topology, reach, None)
        past = store.past()
    except (UnusableFileError, PushRefusedError) as error:
        click.echo(f"geoplan: warning: what earlier pushes have proven is not known: {error}", err=True)
        return Past(Ledger())
    return replace(past, unfinished=None) if past.unfinished and store.holder() else past


def left_findings(topology: Topology, reach: ConnectionOptions, typed: TypedCommands) -> tuple[Finding, ...]:
    """Return a finding for each site that has left the topology since a push, as far as that is known."""
    try:
        return gone_findings(push_store(topology, reach, None), typed)
    except UnusableFileError:  # whoever asks has been warned of it
        return ()


def typed_after(past: Past, topology: Topology, typed: TypedCommands) -> TypedCommands:
    """Return commands as they are typed while a push is to be resumed, if one is: that one names its own groups."""
    if past.unfinished is None:
        return typed
    return typed_unfinished(past.unfinished, topology, typed) or _typed_while(past.unfinished, typed.part, typed)


def typed_unfinished(history: History, topology: Topology, typed: TypedCommands) -> TypedCommands | None:
    """Return commands as they are typed while a push is to be resumed, of its own file if this one has other groups.

    None where this file does not have its groups any more.
    """
    part = part_of_push(history, topology)
    if part is not None and _has_its_units(history, topology):
        return _typed_while(history, part, typed)
    file, is_other = history.begin.file, history.begin.undoes is None
    if is_other and file is not None and file != typed.path:
        return _typed_while(history, Part(history.groups_given), replace(typed, path=file, change=NO_CHANGE))
    return None if part is None else _typed_while(history, part, typed)


def _typed_while(history: History, part: Part, typed: TypedCommands) -> TypedCommands:
    of_units = words_of_kind(history)
    change = NO_CHANGE if of_units else typed.change
    begun = of_units or history.words_of_change
    return replace(typed, unfinished=part, begun=begun, drill=words_of_drill(history), change=change)


def _has_its_units(history: History, topology: Topology) -> bool:
    """Return whether each group of a push is one of a topology, with the same units."""
    plan = history.plan  # which part_of_push has read
    planned = [
        {canonical(unit.address) for name in group.sites for unit in plan.site(name).units} for group in plan.groups_now
    ]
    known = [
        {canonical(unit.address) for site in group.sites for unit in site.units}
        for group in topology.whole.partner_groups()
    ]
    return all(units in known for units in planned)


def typed_about(history: History, topology: Topology, typed: TypedCommands) -> TypedCommands:
    """Return commands about another push as they are typed: that one's groups, and nothing that only this one has."""
    if history.drill is not None:
        return typed
    own = replace(typed, part=part_of_push(history, topology) or typed.part, unfinished=None)
    return replace(own, phase=None, change=NO_CHANGE, undo=None) if words_of_kind(history) else own


def typed_rebooting(typed: TypedCommands, plan: Plan, words: Sequence[str], undoing: Undoing | None) -> str:
    """Return a push that reboots pairs which a push of this plan does not: one of the topology that it leads to.

    It is empty where no file is known that has that: a push was taken back that did not begin at one.
    """
    pairs = {f"always={step.site}" for step in plan.steps if step.action is Action.REBOOT_MASTER}
    if pairs.issuperset(word for word in words if word.startswith("always=")):
        return typed("push", *words)
    if undoing is None:
        return replace(typed, change=NO_CHANGE)("push", *words)
    old = undoing.history.old_state
    return replace(typed, path=old, change=NO_CHANGE, undo=None)("push", *words) if old and old != LIVE else ""


def part_of_push(history: History, topology: Topology) -> Part | None:
    """Return how the groups of a push are named for its topology's file; None if the file no longer has them all."""
    try:
        plan = history.plan
        leaving = {plan.site(site).group for site in plan.change.leaving} if plan.change else set()
        pushed = tuple(group.name for group in plan.groups if group.name not in leaving)
    except UnusableFileError:
        return None
    known = {group.name for group in topology.whole.partner_groups()}
    if known == {*pushed}:
        return WHOLE
    return Part(pushed) if known.issuperset(pushed) else None


def say_unfinished(typed: TypedCommands) -> None:
    """Say on standard error that a push or a failover drill is to be resumed, if one is."""
    if typed.unfinished is not None:
        what = "failover drill" if typed.drill else "push"
        if "--secret" in typed.begun:
            what = "push of the Partner Shared Secret, which keeps links red,"
        click.echo(f"geoplan: note: a {what} is unfinished; go on with: {typed.resuming()}", err=True)


@asynccontextmanager
async def push_units(  # noqa: PLR0913 - where a push goes, and what shows it
    topology: Topology,
    plan: Plan,
    reach: ConnectionOptions,
    flags: PushFlags,
    store: Store,
    *,
    on_request: Callable[[ShownRequest], None],
) -> AsyncIterator[tuple[Fleet, Store]]:
    """Have the units at hand that a push goes to, and where it is written down, while the block lasts.

    That is a temporary place for whatever is gone when the push ends. ``on_request`` gets the requests of a dry run.
    """
    clock, jobs = SystemClock(), flags.jobs
    if flags.lab:
        async with (
            _lab(topology, plan, flags.variants) as (accesses, timings),
            live_fleet(plan, accesses, clock, jobs=jobs, timings=timings) as live,
        ):
            with _temporary_folder() as folder:
                yield live, Store(folder, store.keys, folder / "locks")
        return
    try:
        accesses, is_lab = accesses_of(topology, plan, reach, flags.old), reach.lab_id() is not None
    except NotInLabError as error:
        raise PushRefusedError(f"{error}\n  nothing was changed", error.units, hint=error.hint) from None
    if not flags.dry_run:
        async with live_fleet(plan, accesses, clock, jobs=jobs, is_lab=is_lab) as live:
            yield live, store
        return
    async with live_fleet(plan, accesses, clock, jobs=jobs, observer=on_request, dry_run=True, is_lab=is_lab) as live:
        paper_clock = DryRunClock()
        paper = DryRunState(plan, paper_clock, live.timings)
        units = dry_run_units({address: live.unit(address) for address in accesses}, paper)
        with _temporary_folder() as folder:
            copied = store.copied_to(folder)  # so that it also shows what --resume would do
            yield Fleet(plan, units, paper_clock, live.timings, jobs=jobs, is_on_paper=True), copied


def accesses_of(
    topology: Topology, plan: Plan, reach: ConnectionOptions, old: OldState | None
) -> dict[str, UnitConnection]:
    """Return the access to every unit of a plan: to those that leave as OLD says.

    Raises :class:`PushRefusedError` where OLD is a plan, which does not say where its units' APIs are, and the
    endpoints file does not say so either.
    """
    accesses = reach.accesses(topology)
    missing = [unit.address for site in plan.sites for unit in site.units if unit.address not in accesses]
    if not missing or old is None:
        return accesses
    if old.topology is not None:
        known = {canonical(address): access for address, access in reach.accesses(old.topology).items()}
        return accesses | {address: known[canonical(address)] for address in missing}
    port = old.api_port or HTTPS_PORT
    if old.api_port is None and (unreached := [address for address in missing if not reach.names(address)]):
        raise PushRefusedError(
            f"OLD is a plan, which does not say where the APIs of units that leave are: {', '.join(unreached)}; "
            "nothing was changed",
            hint="give as OLD the topology that the plan was made of, or name these units in an --endpoints file",
        )
    health_check_port = old.plan.health_check_port
    return accesses | {
        address: reach.access_of(address, api_port=port, health_check_port=health_check_port) for address in missing
    }


HTTPS_PORT = 443


@asynccontextmanager
async def _lab(
    topology: Topology, plan: Plan, variants: Sequence[str]
) -> AsyncIterator[tuple[dict[str, UnitConnection], Timings]]:
    with lab_installed():
        from geoplan.lab import Lab
        from geoplan.twin.placing import place_as_planned
    from geoplan.lab.clock import DEFAULT_BOOT_SECONDS, DEFAULT_SYNC_SECONDS
    from geoplan.loadmaster import Endpoints, Secret, UnitEndpoint, UserPassword, unit_connections

    # All of its units are there, so that the rehearsal shows as well what a push of some groups does to the others.
    async with Lab(topology.whole, unpaired=Phase.HA in plan.phases(), variants=variants) as lab:
        if plan.firmware or plan.secret:  # of units that are at work already
            place_as_planned(lab.simulation.network, topology.whole)
        known = Endpoints(
            {
                address: UnitEndpoint(unit.api, unit.health, unit.fingerprint)
                for address, unit in lab.endpoints.units.items()
            }
        )
        credentials = UserPassword(lab.credentials.user, Secret(lab.credentials.password))
        accesses = unit_connections(topology, lambda _address: credentials, endpoints=known, resolve=None)
        yield accesses, Timings(DEFAULT_BOOT_SECONDS, DEFAULT_SYNC_SECONDS, LAB_GRACE_SECONDS)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="geoplan-") as folder:
        yield Path(folder)
