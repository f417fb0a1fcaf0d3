"""A push taken back: which one is meant, what of it a plan takes back, and what is left to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, same_addresses
from geoplan.errors import PushRefusedError
from geoplan.live.findings.clusters import find
from geoplan.live.model import SUBJECTS, ClusterType
from geoplan.plan.described import KnownUnit, known_units, topology_of
from geoplan.plan.model import Action, SiteLists
from geoplan.plan.undo import Before, make_undo
from geoplan.push import journal as journals
from geoplan.push import records as models
from geoplan.push import values
from geoplan.push.history import number_in
from geoplan.push.newcomers_before import before_joining, clusters_of_newcomers
from geoplan.topology.model import Location, Unit
from geoplan.vendor import MANAGE_CLUSTERS, MANAGE_FQDNS
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.model import Observations
    from geoplan.live.polling import Clock
    from geoplan.plan.model import Change, ClusterDefinition, Plan
    from geoplan.push.history import History
    from geoplan.push.store import Store
    from geoplan.topology.model import Topology

LAST = "last"
NOWHERE = Location(latitude=0.0, longitude=0.0)
"""The place that units tell of a cluster that was given none."""
CLUSTER_CHANGES = frozenset({Action.ADD_CLUSTER, Action.MODIFY_CLUSTER, Action.DELETE_CLUSTER})


class Undoing(NamedTuple):
    """What takes a push back."""

    history: History
    plan: Plan
    left: tuple[str, ...]
    """What it does not take back, each with the way by hand."""

    @property
    def name(self) -> str:
        """What the push is called that is taken back."""
        return self.history.name

    @property
    def units(self) -> tuple[str, ...]:
        """The addresses of all units that it is about."""
        return tuple(unit.address for site in self.plan.sites for unit in site.units)

    def topology(self, given: Topology) -> Topology:
        """Return the topology of its units; where they answer is what the given one says, else what the push knew."""
        reached = {
            address: KnownUnit(Unit(address=address, api=known.api), known.health_check_port)
            for address, known in self.history.begin.reached.items()
        }
        described = topology_of(self.plan, {**reached, **known_units(given)}, with_leaving=True)
        return described.model_copy(update={"limits": given.limits})

    def unreached(self, given: Topology) -> tuple[str, ...]:
        """Return the units of which neither the given topology nor the push says where they answer."""
        known = {*known_units(given), *self.history.begin.reached}
        return tuple(address for address in self.units if canonical(address) not in known)


def find_push(store: Store, named: str) -> History:
    """Return the push that is to be taken back: the one of that name or number, or the last one that stands.

    A push that was taken back does not stand, nor does one that took another back; by its name it is found.
    Raises :class:`PushRefusedError` where there is none.
    """
    pushes = [history for history in store.histories() if _may_be_taken_back(history)]
    if named == LAST:
        undone = {each.begin.undoes for each in pushes}
        standing = [each for each in pushes if each.name not in undone and each.begin.undoes is None]
        if not standing:
            raise PushRefusedError("no push on these units stands that changed anything: there is nothing to take back")
        return standing[-1]
    number = number_in(named) if named.isdecimal() else 0
    found = [history for history in pushes if history.name == named or (number and history.number == number)]
    if not found:
        numbers = [str(history.number) for history in reversed(pushes)]
        some = f"those are {some_of(numbers)}, the newest first" if numbers else "there is none"
        raise PushRefusedError(
            f"there is no push '{named}' on these units that changed anything; {some}",
            hint="geoplan push --history lists all pushes, each with the number that --undo takes",
        )
    return found[-1]


def _may_be_taken_back(history: History) -> bool:
    """Return whether a push has changed lists or clusters, or may have: drills, updates and rotations change none."""
    is_other = history.drill is not None or history.update is not None or history.rotation is not None
    return history.has_changes and not is_other


def undoing(history: History) -> Undoing:
    """Return what takes a push back. Raises :class:`geoplan.errors.ChangeRefusedError` where no safe plan does."""
    before, left = _found_before(history)
    return Undoing(history, make_undo(history.plan, before), tuple(left))


def what_was_found(plan: Plan, facts: Observations) -> dict[str, object]:
    """Return the fields of the record of what a push found: lists and clusters that are not the plan's."""
    lists: dict[str, dict[str, tuple[str, ...]]] = {}
    lacking = []
    for site in plan.sites:
        unit = facts.active(site.name)
        if unit is None:
            continue
        for subject in SUBJECTS:
            held: tuple[str, ...] | None = getattr(unit, subject)
            if held is not None and not same_addresses(held, getattr(site, subject)):
                lists.setdefault(site.name, {})[subject] = held
    joining = clusters_of_newcomers(plan, facts)
    by_group = {step.site: facts.active(step.on.site) for step in plan.steps if step.action is Action.ADD_CLUSTER}
    for name, unit in by_group.items():
        if unit and unit.clusters is not None and find(plan, plan.cluster(name), unit.clusters) is None:
            lacking.append(name)
    return {"held": lists, "lacking": lacking, **({"joining": joining} if joining else {})}


def _found_before(history: History) -> tuple[Before, list[str]]:
    """Return what the push found before it changed it, and what of that no plan brings back."""
    plan = history.plan
    found = next((record for record in history.records if isinstance(record, models.Found)), None)
    clusters = _first_of_clusters(history)
    added = tuple(site for site, record in clusters.items() if record.before is None)
    never = tuple(site for site in (found.lacking if found else ()) if site not in clusters)
    modified: dict[str, ClusterDefinition] = {}
    left = [
        f"'{pair.site}' stays the pair that the push formed, with its HA parameters: part it by hand, as push --status "
        "says"
        for pair in plan.ha_pairs
        if history.was_formed(pair.site)
    ]
    if plan.change:
        lists, modified = _lists_before(history, found), _clusters_of_old(plan.change, history)
        joined, stays = before_joining(history, found, lists)
        return Before(lists, modified=modified, stood=joined), left + _lost_with_clusters(history) + stays
    for site, record in clusters.items():
        if isinstance(record.before, values.ClusterValue):
            was, stays = _cluster_before(plan.cluster(site), record.before)
            left += stays
            if was != plan.cluster(site):
                modified[site] = was
    return Before(_lists_before(history, found), added, modified, never), left


def _lists_before(history: History, found: models.Found | None) -> dict[str, SiteLists]:
    """Return the lists of each site that were not the plan's; a list that was not told counts as the plan's."""
    lists: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, held in found.held.items() if found else ():
        lists[name] = {subject: told for subject in SUBJECTS if (told := getattr(held, subject)) is not None}
    for record in history.records:
        if isinstance(record, models.Changing) and record.what in SUBJECTS and isinstance(record.before, tuple):
            lists.setdefault(record.site, {}).setdefault(record.what, record.before)
    return {
        name: SiteLists(
            site=name,
            **{subject: told.get(subject, getattr(history.plan.site(name), subject)) for subject in SUBJECTS},
        )
        for name, told in lists.items()
    }


def _first_of_clusters(history: History) -> dict[str, models.Changing]:
    """Return the first change of each cluster that was entered, by its site: that one knows what was before."""
    first: dict[str, models.Changing] = {}
    for record in history.records:
        if isinstance(record, models.Changing) and record.action in (Action.ADD_CLUSTER, Action.MODIFY_CLUSTER):
            first.setdefault(record.site, record)
    return first


def _clusters_of_old(change: Change, history: History) -> dict[str, ClusterDefinition]:
    """Return the clusters that a change found in another place than OLD has them, by site."""
    places: dict[str, ClusterDefinition] = {}
    for record, before in _clusters_changed(history):
        old = change.old_cluster(record.site)
        if old and record.site not in places and before.latitude is not None and before.longitude is not None:
            place = Location(latitude=before.latitude, longitude=before.longitude)
            is_told = old.location is not None or place != NOWHERE
            places[record.site] = old.model_copy(update={"location": place}) if is_told else old
    return {site: cluster for site, cluster in places.items() if cluster != change.old_cluster(site)}


def _lost_with_clusters(history: History) -> list[str]:
    """Return what went with the clusters that a change deleted, and only a person sets again."""
    lost: dict[str, None] = {}
    for record, before in _clusters_changed(history):
        if record.action is not Action.DELETE_CLUSTER:
            continue
        if before.enabled is False:
            lost[f"the cluster '{before.name}' was disabled: disable it again at {MANAGE_CLUSTERS}"] = None
        for fqdn in before.fqdns or ():
            if uses := [address for address, name in fqdn.maps if name == before.name]:
                what = f"the FQDN '{fqdn.name.removesuffix('.')}' used the cluster '{before.name}' for {some_of(uses)}"
                lost[f"{what}: give it that again at {MANAGE_FQDNS}"] = None
    return [*lost]


def _clusters_changed(history: History) -> Iterator[tuple[models.Changing, values.ClusterValue]]:
    """Yield the changes of clusters for all that stay, each with the cluster as it was."""
    for record in history.records:
        if not isinstance(record, models.Changing) or record.action not in CLUSTER_CHANGES:
            continue
        if isinstance(record.before, values.ClusterValue):
            yield record, record.before


def _cluster_before(now: ClusterDefinition, before: values.ClusterValue) -> tuple[ClusterDefinition, list[str]]:
    """Return a cluster as it was, as far as a step can make it so again, and what stays as it is now."""
    stays = []
    location = now.location
    if before.latitude is not None and before.longitude is not None:
        location = Location(latitude=before.latitude, longitude=before.longitude)
    elif location is not None:
        stays.append(f"the cluster '{now.name}' keeps its place; before it had none")
    if before.type not in (now.type, ClusterType.REMOTE_LM.value):
        stays.append(f"the cluster '{now.name}' stays of type {now.type}; before it was {before.type}")
    return now.model_copy(update={"name": before.name, "location": location}), stays


def mark_undone(history: History, clock: Clock) -> None:
    """End an unfinished push that is about to be taken back: nobody goes on with it."""
    with journals.Journal(history.path, clock) as opened:
        if not opened.history.is_finished:
            opened.write("end", outcome="taken back", who=journals.who())
