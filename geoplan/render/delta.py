"""What a change comes to at each site: who leaves, joins, moves, what its lists gain and lose, why it is rebooted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from geoplan.addresses import canonical, without
from geoplan.plan.model import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.plan.model import Change, Plan, SiteSettings

Fate = Literal["leaves", "joins", "moves", "stays"]


class Difference(NamedTuple):
    """What a list gains and loses, in its order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((*(f"+{address}" for address in self.added), *(f"-{address}" for address in self.removed)))


class SiteDelta(NamedTuple):
    """What becomes of one site."""

    site: str
    fate: Fate
    left: str | None = None
    """The group that it leaves to join another one, or to be one of its own."""
    joined: str | None = None
    """The group that it is in then."""
    was_called: str | None = None
    units: Difference = Difference()
    replaced: tuple[str, ...] = ()
    access: Difference = Difference()
    partners: Difference = Difference()
    cluster: Literal["added", "deleted", "changed"] | None = None
    is_rebooted: bool = False
    changes_ha: bool = False
    """Whether HA parameters of the pair at work change."""

    @property
    def reason(self) -> str:
        """Why its master is rebooted, for a pair that is."""
        if self.fate == "joins":
            return "its slave has no partner yet"
        if self.units.added or self.replaced:
            return "a unit of it is new"
        return "its slave has new partners to link"


def deltas_of(plan: Plan) -> tuple[SiteDelta, ...]:
    """Return what becomes of each site that a change does something to, in the plan's order; none without a change."""
    if plan.change is None:
        return ()
    touched = {step.site for step in plan.steps}
    known = (_delta(plan, plan.change, site) for site in plan.sites)
    return tuple(delta for delta in known if delta.site in touched or delta.fate == "leaves")


def _delta(plan: Plan, change: Change, site: SiteSettings) -> SiteDelta:
    done = {step.action for step in plan.steps if step.site == site.name}
    old = change.old_site(site.name)
    part = change.part_of(site.name)
    fate: Fate = "joins" if old is None else "stays"
    if site.name in change.leaving:
        fate = "leaves"
    elif old is not None and (part or change.joined_by(site.name)):
        fate = "moves"
    cluster: Literal["added", "deleted", "changed"] | None = None
    if fate == "joins" or (fate == "moves" and Action.ADD_CLUSTER in done):
        cluster = "added"
    elif done & {Action.ADD_CLUSTER, Action.MODIFY_CLUSTER}:
        cluster = "changed"
    elif Action.DELETE_CLUSTER in done:
        cluster = "deleted"
    old_cluster = change.old_cluster(site.name)
    given = set(map(canonical, change.replaced))
    return SiteDelta(
        site.name,
        fate,
        left=old.group if old and fate == "moves" else None,
        joined=site.group if fate in {"moves", "joins"} else None,
        was_called=old_cluster.name if old_cluster and fate == "stays" and _is_renamed(plan, site.name) else None,
        units=_difference(_units(old), _units(site)) if old else Difference(),
        replaced=tuple(address for address in _units(site) if canonical(address) in given),
        access=_difference(old.remote_geo_access if old else (), site.remote_geo_access),
        partners=_difference(old.geo_partners if old else (), site.geo_partners),
        cluster=cluster,
        is_rebooted=Action.REBOOT_MASTER in done,
        changes_ha=plan.ha_change(site.name) is not None,
    )


def _is_renamed(plan: Plan, site: str) -> bool:
    old = plan.change.old_cluster(site) if plan.change else None
    return old is not None and old.name != plan.cluster(site).name


def _units(site: SiteSettings | None) -> tuple[str, ...]:
    return tuple(unit.address for unit in site.units) if site else ()


def _difference(old: tuple[str, ...], new: tuple[str, ...]) -> Difference:
    return Difference(added=without(new, old), removed=without(old, new))


def described(plan: Plan, delta: SiteDelta, show: Callable[[str], str] = str) -> str:
    """Say in a few words what becomes of a site; ``show`` writes a name or an address."""
    return "; ".join(_descriptions(plan, delta, show)) or "submits its partners again"


def _descriptions(plan: Plan, delta: SiteDelta, show: Callable[[str], str]) -> Iterator[str]:
    one_group = len(plan.groups) - len(plan.change.leaving if plan.change else ()) == 1
    match delta.fate:
        case "leaves":
            yield "leaves for good"
        case "joins":
            yield "joins" if one_group or delta.joined is None else f"joins {show(delta.joined)}"
        case "moves":
            yield f"moves from {show(str(delta.left))} to {show(str(delta.joined))}"
        case "stays":
            yield from ["gets new partners"] if delta.partners.added else []
            yield from ["loses partners"] if delta.partners.removed else []
            if str(delta.access) and not str(delta.partners):
                yield "its access list changes"
    yield from ["its HA parameters change"] if delta.changes_ha else []
    for address in delta.units.added:
        yield f"new unit {show(address)}"
    for address in delta.units.removed:
        yield f"without the unit {show(address)}"
    for address in delta.replaced:
        yield f"the unit {show(address)} is replaced"
    if delta.was_called is not None:
        yield f"its cluster was called {show(delta.was_called)}"
    elif delta.cluster == "changed":
        yield "its cluster changes"
    elif delta.cluster == "deleted":
        yield "its cluster is deleted"
    if delta.is_rebooted:
        yield f"its master is rebooted, since {delta.reason}"


def count_reboots(plan: Plan) -> int:
    """Return how many masters a plan reboots."""
    return sum(step.action is Action.REBOOT_MASTER for step in plan.steps)
