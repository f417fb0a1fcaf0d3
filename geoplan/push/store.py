"""What is kept of pushes on some units: their journals, locks and backups, found by the units and never by a name.

A unit's key is its address; in a lab it is that and the lab, whose units are none of production's. Two files that share
units share their past, whatever they are called; two that share none share nothing.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnusableFileError
from geoplan.files import make_private
from geoplan.push import journal as journals
from geoplan.push import lock
from geoplan.push.carry_over import carry_over
from geoplan.push.journal import Journal
from geoplan.push.ledger import Ledger
from geoplan.push.secret_progress import left_different
from geoplan.push.secret_scope import given_secrets
from geoplan.push.set_aside import left_after
from geoplan.push.state_dir import journals_folder, locks_folder, require_own, usable
from geoplan.push.waiting_image import waiting_after
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from geoplan.live.polling import Clock
    from geoplan.plan.model import Plan
    from geoplan.push.history import History
    from geoplan.push.options import Options
    from geoplan.push.waiting_image import WaitingImage


def unit_keys(addresses: Iterable[str], lab: str | None = None) -> dict[str, str]:
    """Return the keys of units by their canonical addresses; ``lab`` is the id of the lab that they belong to."""
    return {
        address: address if lab is None else f"{address}@{lab}" for address in dict.fromkeys(map(canonical, addresses))
    }


def addresses_of(plan: Plan) -> tuple[str, ...]:
    """Return the addresses of all units of a plan."""
    return tuple(unit.address for site in plan.sites for unit in site.units)


@dataclass(frozen=True, slots=True)
class Past:
    """What all pushes that named any of the units have left, by the order in which they were begun."""

    ledger: Ledger
    latest: History | None = None
    """The push that was begun last."""
    unfinished: History | None = None
    """The push that is still to be ended, by ``--resume`` or ``--abandon``; of several, the one that began last."""
    left_different: Mapping[frozenset[str], tuple[str, ...]] = field(default_factory=dict)
    """The units whose Partner Shared Secrets may differ, site by site, in the order in which they were set."""
    rotations: tuple[History, ...] = ()
    """The pushes of the Partner Shared Secret, the oldest first."""
    waiting: Mapping[str, WaitingImage] = field(default_factory=dict)
    """The units that may have new firmware waiting for their next boot, by canonical address."""
    left_aside: Mapping[str, History] = field(default_factory=dict)
    """The units that an update left on *No Preferred Host*, by canonical address, each with that update."""


@dataclass(frozen=True, slots=True)
class Store:
    """The state folder as the units at hand see it."""

    state: Path
    keys: Mapping[str, str]
    """The units' keys, by their canonical addresses."""
    own_locks: Path | None = None
    """Where its locks are, if not with those of all pushes: for units that nobody else can reach."""

    @property
    def locks(self) -> Path:
        """Where its locks are."""
        return self.own_locks or locks_folder(self.state)

    @property
    def backups(self) -> Path:
        """Where backups go unless another folder is wanted."""
        return self.state / "backups"

    def nat_keys(self, plan: Plan) -> dict[str, str]:
        """Return what locks the NAT addresses of a plan's units, by which another file may know them."""
        lab = next((key.partition("@")[2] for key in self.keys.values()), "") or None
        return unit_keys((unit.nat_address for site in plan.sites for unit in site.units if unit.nat_address), lab)

    @contextmanager
    def locked(self, topology: str, also: Mapping[str, str] | None = None) -> Iterator[str | None]:
        """Hold all units while the block lasts, or yield who holds one of them; ``also`` are further ones."""
        keys, who, here = {**(also or {}), **self.keys}, journals.who(), self.state / "locks"
        with lock.try_to_lock(self.locks, keys, topology, who) as refusal:
            # By default they are one folder, in which this push must not meet itself.
            if refusal or self.own_locks or (here.exists() and here.samefile(self.locks)):
                yield refusal
                return
            # Who has another XDG_STATE_HOME, such as cron, and the same state folder is told by that.
            with lock.try_to_lock(here, keys, topology, who) as refusal_here:
                yield refusal_here

    @contextmanager
    def only_push(self, topology: str, also: Mapping[str, str] | None = None) -> Iterator[None]:
        """Hold all units as :meth:`locked` does. Raises :class:`PushRefusedError` while another push holds one."""
        with lock.only_push(self.locks, {**(also or {}), **self.keys}, topology, journals.who()):
            yield

    def holder(self) -> str | None:
        """Return which push is running on any of the units now, or None where none is.

        A push holds them in the state folder as well, where whoever has another XDG_STATE_HOME sees it.
        """
        return lock.holder_of(self.locks, self.keys) or lock.holder_of(self.state / "locks", self.keys)

    def past(self) -> Past:
        """Read all journals that name any of the units.

        Raises :class:`UnusableFileError` where one of them is damaged, or of another version: nothing is guessed.
        """
        carry_over(self.state, self.locks)
        ledger, latest, unfinished = Ledger(self.keys), None, None
        rotations: list[History] = []
        aside: dict[str, History] = {}
        waiting: dict[str, WaitingImage] = {}
        for path in self._paths():
            history = journals.read(path)
            if not history.records:
                raise UnusableFileError(
                    f"{path}: the journal is empty, or cut off in its first record, so what its push left is not known",
                    hint="restore the file; or remove it, if its push ended right at its start and so changed nothing: "
                    + shell_command("rm", str(path)),
                )
            ledger.read(history)
            latest = history
            aside = left_after(aside, history, self.keys)
            waiting = waiting_after(waiting, history, self.keys)
            rotations += [history] if history.rotation else []
            if not history.is_finished:
                unfinished = history
        ledger.secrets = given_secrets(rotations)
        return Past(ledger, latest, unfinished, left_different(rotations), tuple(rotations), waiting, aside)

    def histories(self, *, more_than: int = 0) -> Iterator[History]:
        """Yield what journals tell that name any of the units, the oldest first, if there are more than so many."""
        found = tuple(self._paths())
        if len(found) > more_than:
            yield from (history for path in found if (history := journals.read(path)).records)

    def begin(self, plan: Plan, options: Options, clock: Clock, ledger: Ledger | None = None) -> Journal:
        """Start the journal of a new push; ``ledger`` is that of the past, where it has been read already."""
        return Journal.begin(self.state, plan, options, clock, keys=self.keys, ledger=ledger or self.past().ledger)

    def resume(self, history: History, clock: Clock, ledger: Ledger | None = None) -> Journal:
        """Open the journal of an unfinished push to go on from it."""
        return Journal.resume(history.path, clock, ledger or self.past().ledger)

    def copied_to(self, folder: Path) -> Store:
        """Return the same with copies of its journals in another folder: for a push that changes nothing here."""
        carry_over(self.state, self.locks)
        target = make_private(journals_folder(folder))
        for path in self._paths():
            shutil.copy(path, target)
        return Store(folder, self.keys, folder / "locks")

    def _paths(self) -> Iterator[Path]:
        wanted = frozenset(self.keys.values())
        with usable(self.state):
            require_own(self.state)
            require_own(journals_folder(self.state))
            found = journals.paths(self.state)
        for path in found:
            if not wanted.isdisjoint(journals.units_of(path)):
                yield path
