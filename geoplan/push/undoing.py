"""A push taken back: which one is meant, what of it a plan takes back, and what is left to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.errors import PushRefusedError
from geoplan.live.model import SUBJECTS
from geoplan.plan.model import Action, SiteLists
from geoplan.plan.undo import Before, make_undo
from geoplan.push import journal as journals
from geoplan.push import records as models
from geoplan.topology.model import Location
from geoplan.wording import join_words

if TYPE_CHECKING:
    from geoplan.live.polling import Clock
    from geoplan.plan.model import ClusterDefinition, Plan
    from geoplan.push.history import History
    from geoplan.push.store import Store

LAST = "last"


class Undoing(NamedTuple):
    """What takes a push back."""

    history: History
    plan: Plan
    left: tuple[str, ...]
    """What it does not take back, each with the way by hand."""

    @property
    def name(self) -> str:
        """What the push is called that is taken back."""
        return name_of(self.history)


def name_of(history: History) -> str:
    """Return what a push is called: its journal's name without its ending."""
    return history.path.stem


def find_push(store: Store, named: str) -> History:
    """Return the push that is to be taken back: the last one on the units, or that of a name or number.

    A push that takes another one back, and is not finished, stands for itself: it goes on. Raises
    :class:`PushRefusedError` where there is none.
    """
    pushes = [history for history in store.histories() if history.has_changes]
    if not pushes:
        raise PushRefusedError("no push has changed anything on these units: there is nothing to take back")
    if named == LAST:
        return pushes[-1]
    number = named.lstrip("0") or "0"
    found = [
        history
        for history in pushes
        if named == name_of(history) or number == (name_of(history).partition("-")[0].lstrip("0") or "0")
    ]
    if not found:
        known = join_words([name_of(history).partition("-")[0] for history in pushes[-10:]])
        raise PushRefusedError(
            f"there is no push '{named}' that changed anything on these units",
            hint=f"the last ones are {known}: see --history",
        )
    return found[-1]


def undoing(history: History) -> Undoing:
    """Return what takes a push back. Raises :class:`geoplan.errors.ChangeRefusedError` where no safe plan does."""
    before, left = _found_before(history)
    return Undoing(history, make_undo(history.plan, before), tuple(left))


def _found_before(history: History) -> tuple[Before, list[str]]:
    """Return what the push found before it changed it, and what of that no plan brings back."""
    plan = history.plan
    changes = [record for record in history.records if isinstance(record, models.Changing)]
    lists: dict[str, dict[str, tuple[str, ...]]] = {}
    clusters: dict[str, models.Changing] = {}
    for record in changes:
        if record.what in SUBJECTS and isinstance(record.before, tuple):
            lists.setdefault(record.site, {}).setdefault(record.what, record.before)
        elif record.action in (Action.ADD_CLUSTER, Action.MODIFY_CLUSTER):
            clusters.setdefault(record.site, record)
    held = {
        name: SiteLists(
            site=name,
            **{subject: found.get(subject, getattr(plan.site(name), subject)) for subject in SUBJECTS},
        )
        for name, found in lists.items()
    }
    added = tuple(site for site, record in clusters.items() if record.before is None)
    modified: dict[str, ClusterDefinition] = {}
    left = [
        f"'{pair.site}' stays the pair that the push formed: part it by hand, as push --status says"
        for pair in plan.ha_pairs
        if history.was_formed(pair.site)
    ]
    for site, record in clusters.items():
        if isinstance(record.before, models.ClusterValue):
            was, stays = _cluster_before(plan.cluster(site), record.before)
            left += stays
            if was != plan.cluster(site):
                modified[site] = was
    return Before(held, added, modified), left


def _cluster_before(now: ClusterDefinition, before: models.ClusterValue) -> tuple[ClusterDefinition, list[str]]:
    """Return a cluster as it was, as far as a step can make it so again, and what stays as it is now."""
    stays = []
    location = now.location
    if before.latitude is not None and before.longitude is not None:
        location = Location(latitude=before.latitude, longitude=before.longitude)
    elif location is not None:
        stays.append(f"the cluster '{now.name}' keeps its place; before it had none")
    if before.type != now.type:
        stays.append(f"the cluster '{now.name}' stays of type {now.type}; before it was {before.type}")
    return now.model_copy(update={"name": before.name, "location": location}), stays


def mark_undone(history: History, clock: Clock) -> None:
    """End an unfinished push that is about to be taken back: nobody goes on with it."""
    with journals.Journal(history.path, clock) as opened:
        if not opened.history.is_finished:
            opened.write("end", outcome="taken back", who=journals.who())
