"""Changes for tests: an old and a new topology drawn from one pool of sites, and a small model of what steps do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import assume
from hypothesis import strategies as st

from geoplan import Plan, Topology, make_plan
from geoplan.addresses import canonical
from geoplan.errors import ChangeRefusedError
from geoplan.plan.actions import HA_CHANGES
from geoplan.plan.change import plan_change
from geoplan.plan.model import Action, Phase, SiteSettings, Step
from geoplan.wording import folded

MAX_SITES = 12


def named(sites: str, groups: dict[str, list[str]] | None = None, name: str = "named", **more: Any) -> Topology:
    """Return a topology of sites written as ``A:10.0.0.1:10.0.0.2 B:10.0.0.3``, a pair with two addresses."""
    document: dict[str, Any] = {"name": name, "sites": [], **({"groups": groups} if groups else {})}
    for written in sites.split():
        site, *units = written.split(":")
        kind = (
            {"ha_pair": dict(zip(("master", "slave"), units, strict=True))} if units[1:] else {"standalone": units[0]}
        )
        document["sites"].append({"name": site, **kind, **more.get(site, {})})
    return Topology.model_validate(document)


class Drawn(NamedTuple):
    """Two topologies, and the units that are new boxes at old addresses."""

    old: Topology
    new: Topology
    replaced: tuple[str, ...]
    cleans_leaving: bool

    def plan(self) -> Plan:
        """Plan the change; raises :class:`ChangeRefusedError`."""
        return plan_change(
            self.new,
            make_plan(self.old, (Phase.GEO,)),
            replaced=self.replaced,
            cleans_leaving=self.cleans_leaving,
        )


def _seldom(draw: st.DrawFn, times: int = 6) -> bool:
    return draw(st.integers(0, times)) == 0


@st.composite
def drawn_changes(draw: st.DrawFn, *, max_sites: int = MAX_SITES) -> Drawn:
    """Draw a change, which may be one that is refused."""
    count = draw(st.integers(1, max_sites))
    quiet = draw(st.booleans())  # in half of all cases sites only come, go and move
    old_sites, new_sites, common = [], [], []
    old_groups: dict[str, list[str]] = {}
    new_groups: dict[str, list[str]] = {}
    for number in range(count):
        where = draw(st.sampled_from(["both", "both", "both", "old", "new"]))
        site = _site(draw, number)
        if where != "new":
            old_sites.append(site)
            old_groups.setdefault(draw(st.sampled_from("xyz")), []).append(site["name"])
        if where != "old":
            changed = site if where == "new" or quiet else _changed(draw, site, number)
            if where == "both":
                common += list(set(_addresses(site)) & set(_addresses(changed)))
            new_sites.append(changed)
            usual = next((group for group, names in old_groups.items() if site["name"] in names), "x")
            group = draw(st.sampled_from("xyzw")) if where == "new" or _seldom(draw, 2) else usual
            new_groups.setdefault(group, []).append(changed["name"])
    assume(old_sites and new_sites)
    replaced = tuple(sorted(address for address in common if not quiet and _seldom(draw, 8)))
    limits = {"max_clusters": MAX_SITES}
    old, new = (
        Topology.model_validate({"name": name, "sites": sites, "groups": groups, "limits": limits})
        for name, sites, groups in (("old", old_sites, old_groups), ("new", new_sites, new_groups))
    )
    return Drawn(old, new, replaced, draw(st.booleans()))


@st.composite
def possible_changes(draw: st.DrawFn, *, max_sites: int = MAX_SITES) -> tuple[Drawn, Plan]:
    """Draw a change that is not refused, with its plan."""
    drawn = draw(drawn_changes(max_sites=max_sites))
    try:
        return drawn, drawn.plan()
    except ChangeRefusedError:
        assume(False)
        raise


def _site(draw: st.DrawFn, number: int) -> dict[str, Any]:
    family = draw(st.sampled_from(["10.0.{}.{}", "10.0.{}.{}", "2001:db8:{}::{}"]))

    def unit(host: int) -> dict[str, Any]:
        nat = {"nat_address": f"203.0.113.{20 * number + host}"} if _seldom(draw) else {}
        return {"address": family.format(number, host), **nat}

    site: dict[str, Any] = {"name": f"Site {number}"}
    if draw(st.booleans()):
        host = draw(st.sampled_from(["master", "none"]))
        site["ha_pair"] = {"master": unit(1), "slave": unit(2), "preferred_host": host}
    else:
        site["standalone"] = unit(1)
    if _seldom(draw):
        site["extra_remote_geo_access"] = [f"192.0.2.{number + 1}"]
    if _seldom(draw):
        site["cluster"] = {"location": {"latitude": 1.5, "longitude": number}}
    return site


def _changed(draw: st.DrawFn, site: dict[str, Any], number: int) -> dict[str, Any]:
    changed = {**site}
    if _seldom(draw):
        changed["name"] = f"Renamed {number}"
    if _seldom(draw):
        changed["cluster"] = {"name": f"Cluster {number}", "location": {"latitude": 2.5, "longitude": number}}
    if _seldom(draw):
        changed["extra_remote_geo_access"] = [f"192.0.2.{number + 100}"]
    if "ha_pair" in site:
        pair = {**site["ha_pair"]}
        if _seldom(draw):
            pair["master"], pair["slave"] = pair["slave"], pair["master"]
        for role in ("master", "slave"):
            pair[role] = _changed_unit(draw, pair[role], number)
        changed["ha_pair"] = pair
    else:
        changed["standalone"] = _changed_unit(draw, site["standalone"], number)
    return changed


def _changed_unit(draw: st.DrawFn, unit: dict[str, Any], number: int) -> dict[str, Any]:
    host = int(canonical(unit["address"]).replace(":", ".").rpartition(".")[2])
    if _seldom(draw, 10):
        return {"address": f"10.1.{number}.{host}"}
    if _seldom(draw, 10):
        return {**unit, "nat_address": f"198.51.100.{20 * number + host}"}
    return unit


def _addresses(site: dict[str, Any]) -> list[str]:
    units = site["ha_pair"] if "ha_pair" in site else {"standalone": site["standalone"]}
    return [unit["address"] for unit in units.values() if isinstance(unit, dict)]


# -- what steps do -----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Box:
    """One unit."""

    site: str
    shown: str
    access: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    clusters: dict[str, str] = field(default_factory=dict)
    """Names by address."""
    submitted: frozenset[str] | None = None
    """The partners last submitted on this very unit."""
    is_new: bool = False


def _set(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(map(canonical, addresses))


class World:
    """The units of a change while its steps are done; it fails where a step would do harm."""

    def __init__(self, plan: Plan) -> None:
        assert plan.change
        self.plan, self.change = plan, plan.change
        self.boxes: dict[str, list[Box]] = {}
        self.active: dict[str, Box] = {}
        self.links: set[frozenset[Box]] = set()
        self.seeded: set[str] = set()
        self.joined_pairs: set[str] = set()
        self.rebooted: list[str] = []
        for site in plan.sites:
            self._enter(site, self.change.old_site(site.name))
        for one in self._all():
            for other in self._all():
                if one.site != other.site and self._name(one, other) and self._name(other, one):
                    self.links.add(frozenset((one, other)))
        self.parts = {site: part for part in self.change.parts for site in part.sites}

    def _enter(self, site: SiteSettings, old: SiteSettings | None) -> None:
        known = _set(unit.address for unit in old.units) if old else frozenset()
        new = _set(self.change.replaced)
        clusters = {
            canonical(each.address): each.name
            for each in self.change.old_clusters
            if old and self.change.old_site(each.site).group == old.group  # type: ignore[union-attr]
        }
        boxes = []
        for unit in site.units:
            box = Box(site.name, canonical(unit.nat_address or unit.address))
            key = canonical(unit.address)
            box.is_new = key not in known or key in new
            if old and not box.is_new:
                box.access, box.partners = _set(old.remote_geo_access), _set(old.geo_partners)
                box.submitted, box.clusters = box.partners, dict(clusters)
            boxes.append(box)
        self.boxes[site.name] = boxes
        there = [box for box in boxes if old is None or not box.is_new] or boxes
        self.active[site.name] = there[0]

    @property
    def emptied(self) -> set[str]:
        """The sites that go on with new units only."""
        return {
            name
            for name, boxes in self.boxes.items()
            if self.change.old_site(name) and all(box.is_new for box in boxes)
        }

    def _all(self) -> Iterator[Box]:
        for boxes in self.boxes.values():
            yield from boxes

    @staticmethod
    def _name(one: Box, other: Box) -> bool:
        return one.submitted is not None and other.shown in one.submitted

    def green(self, one: Box, other: Box) -> bool:
        """Return whether two units are linked and let each other in."""
        return frozenset((one, other)) in self.links and other.shown in one.access and one.shown in other.access

    def together(self, site: str) -> set[str]:
        """Return the sites whose active units share one GEO configuration with a site's."""
        found, left = {site}, [site]
        while left:
            one = self.active[left.pop()]
            for name, other in self.active.items():
                if name not in found and self.green(one, other):
                    found.add(name)
                    left.append(name)
        return found

    def do(self, step: Step) -> None:  # noqa: PLR0912 - one for each action
        """Do one step."""
        before = {name: self.together(name) for name in self.boxes}
        site, values = step.site, _set(self.plan.values(step))
        match step.action:
            case Action.SET_REMOTE_GEO_ACCESS | Action.REMOVE_REMOTE_GEO_ACCESS:
                for box in self._paired(site):
                    box.access = values
            case Action.SET_GEO_PARTNERS | Action.REMOVE_GEO_PARTNERS:
                for box in self._paired(site):
                    box.partners = values
                self._submit(self.active[site])
            case Action.RESUBMIT_GEO_PARTNERS | Action.RESUBMIT_ON_ACTIVE:
                assert self.active[site].partners == values, "a resubmission repeats what is there"
                self._submit(self.active[site])
                if self.plan.site(site).preferred_host == "master":
                    self.active[site] = self.boxes[site][0]
            case Action.REBOOT_MASTER:
                master, slave = self.boxes[site]
                assert self.active[site] is master, "only the reboot of the active unit lets the other take over"
                assert slave.partners == _set(self.plan.site(site).geo_partners)
                self.active[site] = slave
                self.rebooted.append(site)
            case Action.JOIN_HA_PAIR:
                self._join(site)
            case Action.SEED_GEO_CONFIGURATION:
                assert self.together(site) == {site}, "nobody linked is seeded"
                joined = self.change.joined_by(site)
                source = joined.reference if joined else self._reference(site)
                for box in self._paired(site):
                    box.clusters = {**self._brought(box), **self.active[source].clusters}
                self.seeded.add(site)
            case Action.VERIFY_UNLINKED:
                self._verify(site)
            case Action.PROBE_UNLINKED | Action.DELETE_CLUSTER:
                self._delete(step)
            case Action.DELETE_OTHER_CLUSTERS:
                for name in self.together(site):
                    for box in self._paired(name):
                        box.clusters = {}
            case Action.ADD_CLUSTER | Action.MODIFY_CLUSTER:
                self._enter_cluster(step)
            case _:
                assert step.action in {Action.DEREGISTER_TARGETS, Action.REGISTER_TARGETS} | HA_CHANGES
        self._require_one_configuration(before)
        self._require_clusters()

    def _brought(self, box: Box) -> dict[str, str]:
        """Return the clusters of sites that join its group, as one of its boxes has them: no seed takes them off it.

        That of a site which joins another group is what a push finds different, before anything is linked.
        """
        group = self.plan.site(box.site).group
        joining = {site for joined in self.change.joined if joined.name == group for site in joined.joining}
        old = {canonical(each.address) for each in self.change.old_clusters if each.site in joining}
        return {at: name for at, name in box.clusters.items() if at in old}

    def _reference(self, site: str) -> str:
        """Return a site of the same group that has its configuration."""
        others = [other.name for other in self.plan.sites_of(self.plan.site(site).group) if other.name != site]
        return next(name for name in others if name in self._staying() and name not in self.emptied)

    def _paired(self, site: str) -> list[Box]:
        """Return the units of a site that work as one."""
        active, boxes = self.active[site], self.boxes[site]
        return [box for box in boxes if box is active or box.is_new == active.is_new or box.site in self.joined_pairs]

    def _join(self, site: str) -> None:
        old = self.active[site]
        for box in self.boxes[site]:
            box.access, box.partners, box.clusters = old.access, old.partners, dict(old.clusters)
        self.joined_pairs.add(site)
        self.active[site] = self.boxes[site][0]

    def _submit(self, box: Box) -> None:
        box.submitted = box.partners
        named = {other for other in self._all() if other.site != box.site and self._name(box, other)}
        self.links = {link for link in self.links if box not in link or link - {box} <= named}
        for other in named:
            lets_in = other.shown in box.access and box.shown in other.access
            if lets_in and self._name(other, box):
                self.links.add(frozenset((box, other)))

    def _verify(self, site: str) -> None:
        part = self.parts[site]
        for other in part.others:
            for one, two in ((site, other), (other, site)):
                shown = {box.shown for box in self.boxes[two]}
                listed = {address for box in self.boxes[one] for address in box.access | box.partners}
                done = one == site or one in part.stay
                assert not done or not listed & shown, f"{one} still lists {two}"

    def _delete(self, step: Step) -> None:
        address = canonical(self.plan.values(step)[0])
        host = step.on.site
        reached = self.together(host)
        if step.action is Action.PROBE_UNLINKED:
            part = self.parts[step.site]
            assert not reached & set(part.stay)
            assert all(address in self.active[name].clusters for name in part.stay if name not in self.emptied)
        assert address in self.active[host].clusters, "only what is there is deleted"
        for name in reached:
            for box in self._paired(name):
                box.clusters.pop(address, None)

    def _enter_cluster(self, step: Step) -> None:
        cluster = self.plan.cluster(step.site)
        old = self.change.old_cluster(step.site)
        for name in self.together(step.on.site):
            for box in self._paired(name):
                address = canonical(cluster.address)
                if step.action is Action.MODIFY_CLUSTER:
                    assert old
                    assert canonical(old.address) in box.clusters
                    address = canonical(old.address)
                else:
                    assert address not in box.clusters or self.change.joined_by(step.site)
                    if old and canonical(old.address) != address and canonical(old.address) in box.clusters:
                        box.clusters[canonical(old.address)] = f"{old.name} (old)"
                others = [known for at, known in box.clusters.items() if at != address]
                assert folded(cluster.name) not in map(folded, others), "a name is free before it is taken"
                box.clusters[address] = cluster.name

    def _require_one_configuration(self, before: dict[str, set[str]]) -> None:
        """Check that no link has just been made between two that differ."""
        for name in self.boxes:
            for other in self.together(name) - before[name]:
                one, two = self.active[name], self.active[other]
                assert self._without_brought(one) == self._without_brought(two), f"{name} meets {other}"
        for name in self.boxes:
            together = self.together(name)
            shared = {at: known for other in together for at, known in self.active[other].clusters.items()}
            for box in (box for other in together - before[name] for box in self._paired(other)):
                box.clusters.update(shared)

    def _without_brought(self, box: Box) -> dict[str, str]:
        return dict(box.clusters.items() - self._brought(box).items())

    def _staying(self) -> set[str]:
        """Return the sites that are in a group that goes on, as they were."""
        gone = {*self.change.leaving, *self.parts, *(site for group in self.change.joined for site in group.joining)}
        return {name for name in self.boxes if self.change.old_site(name)} - gone

    def _require_clusters(self) -> None:
        """Check that nobody who stays lacks the cluster of anybody who stays with it."""
        staying = self._staying()
        for name in staying:
            if name in self.emptied and name not in self.seeded:
                continue
            group = self.change.old_site(name).group  # type: ignore[union-attr]
            for other in staying:
                if self.change.old_site(other).group == group:  # type: ignore[union-attr]
                    old = self.change.old_cluster(other)
                    known = {canonical(self.plan.cluster(other).address), canonical(old.address)} if old else set()
                    assert known & set(self.active[name].clusters), f"{name} lacks the cluster of {other}"

    def require_end(self) -> None:
        """Check that everything is as after a fresh push of the new topology."""
        for site in self.plan.sites:
            for box in self.boxes[site.name]:
                assert box.access == _set(site.remote_geo_access), f"access of {site.name}"
                assert box.partners == _set(site.geo_partners), f"partners of {site.name}"
                if site.name not in self.change.leaving:
                    assert self._by_site(box.clusters) == {
                        cluster.site: cluster.name for cluster in self.plan.clusters if cluster.group == site.group
                    }
            if site.name in self.change.leaving:
                assert self.together(site.name) == {site.name}
        assert not self.missing_links()

    def _by_site(self, clusters: dict[str, str]) -> dict[str, str]:
        owners = {}
        for address, name in clusters.items():
            fitting = [
                each.site
                for each in self.plan.clusters
                if canonical(each.address) == address
                or (
                    address in _set(unit.address for unit in self.plan.site(each.site).units)
                    and canonical(each.address) in _set(unit.address for unit in self.plan.site(each.site).units)
                )
            ]
            owners[fitting[0] if fitting else address] = name
        return owners

    def missing_links(self) -> list[tuple[str, str]]:
        """Return the links that a fresh push would have made, and that are not there.

        What a slave, rebooted by nobody, has with a box that is new where an old one was, is not known.
        """
        missing = []
        for one in self._all():
            for other in self._all():
                if one.site == other.site or self.plan.site(one.site).group != self.plan.site(other.site).group:
                    continue
                unknown = {box for box in (one, other) if self._is_slave_of_no_reboot(box)}
                if unknown and (one.is_new or other.is_new):
                    continue
                if not self.green(one, other):
                    missing.append((one.shown, other.shown))
        return missing

    def _is_slave_of_no_reboot(self, box: Box) -> bool:
        boxes = self.boxes[box.site]
        return len(boxes) > 1 and box is boxes[1] and box.site not in self.rebooted


def walk(plan: Plan, steps: Sequence[Step] | None = None) -> World:
    """Do the steps of a change one after the other, and return what they have come to."""
    world = World(plan)
    for step in plan.steps if steps is None else steps:
        world.do(step)
    return world
