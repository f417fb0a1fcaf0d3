"""What a push command is about: the plan that is carried out, its units, and what is kept of pushes on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from geoplan.cli import changing, push_undo
from geoplan.cli.connection import TypedCommands
from geoplan.cli.files import load_part, plan_phases, planned_change
from geoplan.cli.push_options import PushFlags, origin_of, require_changed_pairs
from geoplan.cli.push_secret import options_of_secret, plan_of_secret
from geoplan.cli.push_units import push_store, typed_about
from geoplan.cli.push_update import plan_of_update
from geoplan.cli.window import end_of
from geoplan.loadmaster.firmware import FirmwareImage
from geoplan.plan.described import known_units
from geoplan.plan.planner import make_plan
from geoplan.push.kinds import words_of_kind
from geoplan.push.store import addresses_of

if TYPE_CHECKING:
    from geoplan.cli.approving import Named
    from geoplan.cli.files import OldState
    from geoplan.cli.options import Part
    from geoplan.cli.push_command import PushCommand
    from geoplan.plan.model import Plan
    from geoplan.push.options import Options
    from geoplan.push.store import Store
    from geoplan.push.undoing import Undoing
    from geoplan.topology.model import Topology


class Goal(NamedTuple):
    """What a push is about."""

    topology: Topology
    part: Part
    """The groups of the file that it is of, as the file writes them."""
    plan: Plan
    store: Store
    old: OldState | None = None
    """Where a change starts."""
    undoing: Undoing | None = None
    """What takes a push back, where this one does that."""

    def with_what_is_due(self, given: PushCommand, named: Named) -> Goal:
        """Return the same, a change with the reboots that earlier pushes left due; not where it was reviewed without.

        Of that one they stay due, and its end says so.
        """
        if self.old is None or named.is_plan(self.plan):
            return self
        plan = changing.with_what_is_due(self.plan, self.topology, self.old, given.change, self.store)
        return self._replace(plan=plan)

    def typed(self, given: PushCommand, path: str) -> TypedCommands:
        """Return commands about the same, as they are typed."""
        undo = str(self.undoing.history.number) if self.undoing else None
        return TypedCommands(given.reach, path, None, given.places.state_dir, self.part, change=given.change, undo=undo)

    def options(self, given: PushCommand, path: str) -> Options:
        """Return what the push is to do, and how far it may go."""
        run, places = given.run, given.places
        known = {**(known_units(self.old.topology) if self.old and self.old.topology else {})}
        return replace(
            given.flags.options(self.plan),
            jobs=1 if run.dry_run else given.jobs,
            max_clusters=self.topology.limits.max_clusters,
            backup_folder=None if places.backup_dir is None or run.dry_run else Path(places.backup_dir),
            keep_backups=None if run.dry_run else places.keep_backups,
            origin=origin_of(click.get_current_context(), path),
            known=known | known_units(self.topology),
            resume=given.journals.resume,
            only_preflight=run.only_preflight,
            seed_by_api=given.seed.seed_by_api,
            until=end_of(given.window, datetime.now(UTC)),
            **self._own_options(given),
        )

    def _own_options(self, given: PushCommand) -> dict[str, Any]:
        """Return the options of its kind of push alone."""
        if self.plan.secret:
            return options_of_secret(given, self.store)
        if self.plan.firmware:
            return _of_update(given)
        return {"undoes": self.undoing.name} if self.undoing else {}

    def push_flags(self, given: PushCommand, path: str) -> PushFlags:
        """Return how the push goes about it. Raises :class:`click.UsageError` for a pair that is none."""
        require_changed_pairs(self.plan, given.ha_change.accept_ha_change)
        return PushFlags(
            path,
            given.phase,
            given.places.state_dir,
            given.output_format,
            yes=given.run.yes,
            dry_run=given.run.dry_run,
            lab=given.lab.lab,
            jobs=given.jobs,
            part=self.part,
            old=self.old,
            accepts_seed_by_api=given.seed.accept_seed_by_api,
            accepts_ha_change=given.ha_change.accept_ha_change,
            variants=given.lab.variants,
            undoing=self.undoing,
            record=given.places.record,
        )


def goal_of(given: PushCommand, path: str) -> Goal:
    """Read the files of a push, and plan it: a topology, a change, or what takes a push back.

    Raises :class:`geoplan.errors.GeoplanError` where there is no such plan.
    """
    topology, part = load_part(path, given.part)
    typed = TypedCommands(given.reach, path, None, given.places.state_dir, part, change=given.change)
    old = changing.start_of_push(topology, typed, goes_on=given.journals.resume or given.journals.only_tells)
    if old is not None:
        plan = planned_change(topology, old, given.change)
        return Goal(topology, part, plan, _store(topology, given, plan), old)
    journals, store = given.journals, _store(topology, given)
    if not (given.lab.lab or journals.only_tells):
        if given.run.yes and not (given.run.dry_run or given.run.only_preflight or journals.resume):
            push_undo.require_unrepeated(store, journals.undo)
        undoing = push_undo.taken_back(topology, store, given.reach, journals.undo, resume=journals.resume)
        if undoing:
            back = undoing.topology(topology)
            return Goal(back, part, undoing.plan, _store(back, given), undoing=undoing)
    if given.secret.secret:
        return Goal(topology, part, plan_of_secret(topology, given, store, typed), store)
    if given.update.upgrade_to is not None:
        return Goal(topology, part, plan_of_update(topology, given, store), store)
    phases = plan_phases(topology, given.phase)
    unfinished = store.past().unfinished if journals.resume and given.phase is None else None
    if unfinished and (words := words_of_kind(unfinished)):
        about = typed_about(unfinished, topology, typed)
        what = "an update" if unfinished.rotation is None else "one of the Partner Shared Secret"
        raise click.UsageError(f"what is unfinished is {what}: go on with {about('push', *words, '--resume')}")
    return Goal(topology, part, make_plan(topology, (unfinished.phases if unfinished else ()) or phases), store)


def _of_update(given: PushCommand) -> dict[str, Any]:
    """Return the options of an update."""
    update = given.update
    return {
        "image": FirmwareImage.at(update.image) if update.image else None,
        "restores_firmware": update.back,
        "asks_after_first": not update.no_canary,
        "pause_seconds": update.pause,
    }


def _store(topology: Topology, given: PushCommand, plan: Plan | None = None) -> Store:
    units = addresses_of(plan) if plan else None
    return push_store(topology, given.reach, given.places.state_dir, is_lasting=not given.lab.lab, units=units)
