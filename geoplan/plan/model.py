"""What has to be done: lists, clusters, pairs and steps, as frozen data that goes to JSON and comes back equal."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from geoplan.addresses import canonical
from geoplan.plan.actions import (
    ACTIONS,
    FIRMWARE_ACTIONS,
    HA_ACTIONS,
    UPDATE_ACTIONS,
    Action,
    GeoSection,
    Phase,
    Section,
    TargetUnit,
)
from geoplan.plan.base import FrozenModel, json_of
from geoplan.plan.estimates import Estimates
from geoplan.plan.firmware_change import FirmwareChange
from geoplan.plan.groups import grouped
from geoplan.plan.ha_values import HaChange
from geoplan.plan.pairs import HaPairSettings, written
from geoplan.plan.secret_change import SecretChange
from geoplan.topology.model import DEFAULT_GROUP, Location
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FIRMWARE_ACTIONS", "HA_ACTIONS", "UPDATE_ACTIONS", "Action", "Estimates", "Phase", "Section", "TargetUnit",
]  # fmt: skip

Kind = Literal["ha_pair", "standalone"]
Role = Literal["master", "slave", "standalone"]
FORMAT: Final = "geoplan/plan/1"


class PlannedGroup(FrozenModel):
    """Sites that become partners of one another, and the section of the document that they follow."""

    name: str
    section: GeoSection
    sites: tuple[str, ...]


class PlannedUnit(FrozenModel):
    """One LoadMaster of a site."""

    address: str
    role: Role
    nat_address: str | None = Field(
        None, description="How the other sites reach it, where that is not its own address."
    )


class SiteSettings(FrozenModel):
    """A site with its two lists, in the order in which the document writes them."""

    name: str
    kind: Kind
    group: str
    units: tuple[PlannedUnit, ...]
    preferred_host: Literal["master", "none"] | None = Field(
        None, description="Of a pair: whether the master takes over again once it is back."
    )
    remote_geo_access: tuple[str, ...]
    geo_partners: tuple[str, ...]


class ClusterDefinition(FrozenModel):
    """A GEO cluster to define, once in each group: its partners share it."""

    group: str
    site: str
    name: str
    address: str
    type: Literal["Remote LM"] = "Remote LM"
    location: Location | None = None


class StepTarget(FrozenModel):
    """Where a step is done: a site, and which unit of it at that moment."""

    site: str
    unit: TargetUnit


class Step(FrozenModel):
    """One thing done on one unit."""

    number: int = Field(description="Its place in the order, from 1.")
    id: str = Field(description="Its name, which stays when other sites are added after its own.")
    action: Action
    site: str = Field(description="Whose list or cluster it enters.")
    on: StepTarget = Field(description="Where that is done.")
    after: tuple[str, ...] = Field(description="The ids of the steps that have to be done before it.")
    section: Section
    why: str
    note: str | None = Field(default=None, description="How the document is read, where it is unclear.")

    @property
    def phase(self) -> Phase:
        """The part of the work that it belongs to."""
        return ACTIONS[self.action].phase


class SiteLists(FrozenModel):
    """What a site's lists hold between what leaves and what joins: addresses are taken off, and none is new."""

    site: str
    remote_geo_access: tuple[str, ...]
    geo_partners: tuple[str, ...]


class LeavingPart(FrozenModel):
    """Sites of one group that stay linked with each other, if at all, and with none of the others."""

    group: str = Field(description="The group that they leave, as it was called.")
    sites: tuple[str, ...]
    others: tuple[str, ...] = Field(description="The other sites of that group, in any part of it.")
    stay: tuple[str, ...] = Field(description="Those of them that go on as the group; the first is where clusters go.")
    keeps: tuple[str, ...] = Field(
        default=(), description="Where a join is undone, the sites whose clusters were there before: these stay."
    )

    @model_serializer(mode="wrap")
    def _without_what_is_not_needed(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        return {key: value for key, value in written.items() if key != "keeps" or value}


class JoinedGroup(FrozenModel):
    """A group that sites join, and the site whose GEO configuration they take over."""

    name: str
    reference: str
    joining: tuple[str, ...]


class Change(FrozenModel):
    """What leads from an older plan to this one: where it starts, and what comes between.

    The sites that leave for good are among the plan's, each in a group of its own and without a cluster: that is what
    they come to. Sites are named as in this plan.
    """

    old_topology: str
    old_checksum: str
    old_sites: tuple[SiteSettings, ...] = Field(description="What each site's lists held before, whoever it is now.")
    old_clusters: tuple[ClusterDefinition, ...] = Field(description="The clusters before, by the sites' names now.")
    leaving: tuple[str, ...] = Field(description="The sites that leave for good.")
    parts: tuple[LeavingPart, ...] = ()
    joined: tuple[JoinedGroup, ...] = ()
    interim: tuple[SiteLists, ...] = ()
    replaced: tuple[str, ...] = Field(default=(), description="Units that are new, or are to be taken for new.")
    cleans_leaving: bool = Field(default=False, description="Whether sites that leave lose all clusters they had.")

    def old_site(self, name: str) -> SiteSettings | None:
        """Return what the site of that name, in this plan, was before; None where it is new."""
        return self._old_sites_by_name.get(name)

    def old_cluster(self, site: str) -> ClusterDefinition | None:
        """Return the cluster that a site had before, by its name in this plan."""
        return self._old_clusters_by_site.get(site)

    def interim_lists(self, site: str) -> SiteLists | None:
        """Return what a site's lists hold once all that leaves it is taken off; None where nothing is."""
        return self._interim_by_site.get(site)

    def part_of(self, site: str) -> LeavingPart | None:
        """Return the part that a site leaves its group with, or None where it stays."""
        return self._parts_by_site.get(site)

    def departure_of(self, site: str) -> LeavingPart | None:
        """Return the part with which a site leaves a group that goes on without it, and deletes its cluster."""
        part = self.part_of(site)
        return part if part and part.stay else None

    def joined_by(self, site: str) -> JoinedGroup | None:
        """Return the group that a site joins, or None where it joins none."""
        return self._joined_by_site.get(site)

    @cached_property
    def _old_sites_by_name(self) -> dict[str, SiteSettings]:
        return {site.name: site for site in self.old_sites}

    @cached_property
    def _old_clusters_by_site(self) -> dict[str, ClusterDefinition]:
        return {cluster.site: cluster for cluster in self.old_clusters}

    @cached_property
    def _interim_by_site(self) -> dict[str, SiteLists]:
        return {lists.site: lists for lists in self.interim}

    @cached_property
    def _parts_by_site(self) -> dict[str, LeavingPart]:
        return {site: part for part in self.parts for site in part.sites}

    @cached_property
    def _joined_by_site(self) -> dict[str, JoinedGroup]:
        return {site: group for group in self.joined for site in group.joining}


class Plan(FrozenModel):
    """Everything that a working GEO setup needs. :func:`geoplan.make_plan` makes it.

    Read one back with ``Plan.model_validate_json(text)``; a plan whose checksum does not fit its content, because
    it was edited or damaged, raises :class:`pydantic.ValidationError`.
    """

    model_config = ConfigDict(title="geoplan plan")

    format: Literal["geoplan/plan/1"] = FORMAT
    topology: str
    checksum: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="SHA-256 of what would be done: it does not change when only the wording does.",
    )
    groups: tuple[PlannedGroup, ...]
    sites: tuple[SiteSettings, ...]
    clusters: tuple[ClusterDefinition, ...]
    steps: tuple[Step, ...]
    health_check_port: int = Field(description="Where a pair's active unit answers 200 and its standby 503.")
    ha_pairs: tuple[HaPairSettings, ...] = Field(
        default=(), description="The pairs that are to be formed, or whose health check the topology describes."
    )
    firmware: FirmwareChange | None = Field(default=None, description="The change of firmware that its steps make.")
    secret: SecretChange | None = Field(default=None, description="That its steps set the Partner Shared Secret.")
    change: Change | None = Field(default=None, description="What it starts from, where it changes what is there.")
    ha_changes: tuple[HaChange, ...] = Field(
        default=(), description="The HA parameters of pairs at work that a change makes others."
    )
    estimates: Estimates

    @property
    def written_fields(self) -> tuple[str, ...]:
        """The keys with which it is written: without HA pairs or new firmware there is no word of them."""
        return _written_fields(vars(self))

    @model_validator(mode="after")
    def _checksum_fits(self) -> Self:
        if self.checksum != checksum_of(vars(self)):
            raise PydanticCustomError("plan_checksum", "the plan's checksum does not fit its content: it was changed")
        return self

    def site(self, name: str) -> SiteSettings:
        """Return the site of that name; raises :class:`KeyError` where the plan has none."""
        return self._sites_by_name[name]

    def sites_of(self, group: str) -> tuple[SiteSettings, ...]:
        """Return the sites of a group, in the plan's order; raises :class:`KeyError` where the plan has none."""
        return self._sites_by_group[group]

    def group_label(self, group: str) -> str:
        """Return how a message calls a group: without groups in the topology, all its sites are one without a name."""
        return f"group '{group}'" if self.is_group_written(group) else "the topology"

    def is_group_written(self, group: str) -> bool:
        """Return whether a group is one of the topology's, and not the one that all sites form without groups."""
        return len(self.groups_now) > 1 or group != DEFAULT_GROUP

    @cached_property
    def groups_now(self) -> tuple[PlannedGroup, ...]:
        """The groups of the topology, without those that sites which leave for good have of their own."""
        leaving = frozenset(self.change.leaving if self.change else ())
        return tuple(group for group in self.groups if leaving.isdisjoint(group.sites[:1]))

    @property
    def scope(self) -> str:
        """How a message calls all that it is about: its groups, or without groups in the topology all sites."""
        names = [group.name for group in self.groups_now if self.is_group_written(group.name)]
        return f"group{'' if len(names) == 1 else 's'} {some_of(names)}" if names else "all sites"

    def cluster(self, site: str) -> ClusterDefinition:
        """Return the cluster of the site of that name; raises :class:`KeyError` where the plan has none."""
        return self._clusters_by_site[site]

    def clusters_of(self, group: str) -> tuple[ClusterDefinition, ...]:
        """Return the clusters of a group, in the plan's order."""
        return self._clusters_by_group.get(group, ())

    def ha_pair(self, site: str) -> HaPairSettings:
        """Return what makes that site a pair; raises :class:`KeyError` where the plan does not say it."""
        return self._ha_pairs_by_site[site]

    def ha_change(self, site: str) -> HaChange | None:
        """Return what changes of the HA parameters of the pair of that name; None where nothing does."""
        return self._ha_changes_by_site.get(site)

    def health_check_port_of(self, site: str) -> int:
        """Return where the units of that pair answer the health check."""
        pair = self._ha_pairs_by_site.get(site)
        return pair.health_check.port if pair else self.health_check_port

    def health_check_seconds(self, step: Step) -> int:
        """Return how long the load balancer's health check makes a step take, in seconds; where none is known 0."""
        pair = self._ha_pairs_by_site.get(step.site)
        return pair.health_check_seconds(step.action) if pair else 0

    def phases(self) -> tuple[Phase, ...]:
        """Return the parts of the work that it has steps of, in order."""
        found = {step.phase for step in self.steps}
        return tuple(phase for phase in Phase if phase in found)

    def values(self, step: Step) -> tuple[str, ...]:  # noqa: PLR0911 - one for each kind of action
        """Return what a step enters, in the order of the fields.

        That is the addresses of a list; address, name and type of a cluster; mode, preferred host, partner, health
        check port and ``yes`` or ``no`` for all interfaces of a unit's HA parameters; region, VPC and scheme of a load
        balancer; the version of an update; the one HA parameter of a pair at work; nothing for a reboot, for a secret
        and for what is only looked at.
        """
        match step.action:
            case Action.CREATE_LOAD_BALANCER:
                balancer = self.ha_pair(step.site).load_balancer
                return (balancer.region, balancer.vpc_id, balancer.scheme) if balancer else ()
            case Action.SET_MASTER_HA_PARAMETERS:
                return written(self.ha_pair(step.site).master)
            case Action.SET_SLAVE_HA_PARAMETERS:
                return written(self.ha_pair(step.site).slave)
            case Action.SET_REMOTE_GEO_ACCESS:
                return self.site(step.site).remote_geo_access
            case Action.SET_GEO_PARTNERS | Action.RESUBMIT_GEO_PARTNERS | Action.RESUBMIT_ON_ACTIVE:
                return self.site(step.site).geo_partners
            case Action.REMOVE_REMOTE_GEO_ACCESS:
                return self._interim(step.site).remote_geo_access
            case Action.REMOVE_GEO_PARTNERS:
                return self._interim(step.site).geo_partners
            case Action.ADD_CLUSTER | Action.MODIFY_CLUSTER:
                cluster = self.cluster(step.site)
                return (cluster.address, cluster.name, cluster.type)
            case Action.PROBE_UNLINKED | Action.DELETE_CLUSTER:
                old = self.change.old_cluster(step.site) if self.change else None
                return (old.address, old.name, old.type) if old else ()
            case Action.UPDATE_STANDBY | Action.UPDATE_ACTIVE | Action.UPDATE_REMAINING | Action.UPDATE_STANDALONE:
                return (self.firmware.to,) if self.firmware else ()
            case Action.SET_HA_PARTNER:
                return self._new_units(step.site)
            case _:
                return change.values(step.action) if (change := self.ha_change(step.site)) else ()

    def _new_units(self, site: str) -> tuple[str, ...]:
        """Return the units of a site that are at other addresses than before."""
        old = self.change.old_site(site) if self.change else None
        known = {canonical(unit.address) for unit in old.units} if old else set()
        return tuple(unit.address for unit in self.site(site).units if canonical(unit.address) not in known)

    def _interim(self, site: str) -> SiteSettings | SiteLists:
        """Return a site's lists once all that leaves it is taken off."""
        return (self.change.interim_lists(site) if self.change else None) or self.site(site)

    @cached_property
    def _sites_by_name(self) -> dict[str, SiteSettings]:
        return {site.name: site for site in self.sites}

    @cached_property
    def _sites_by_group(self) -> dict[str, tuple[SiteSettings, ...]]:
        return grouped(self.sites)

    @cached_property
    def _ha_pairs_by_site(self) -> dict[str, HaPairSettings]:
        return {pair.site: pair for pair in self.ha_pairs}

    @cached_property
    def _ha_changes_by_site(self) -> dict[str, HaChange]:
        return {change.site: change for change in self.ha_changes}

    @cached_property
    def _clusters_by_site(self) -> dict[str, ClusterDefinition]:
        return {cluster.site: cluster for cluster in self.clusters}

    @cached_property
    def _clusters_by_group(self) -> dict[str, tuple[ClusterDefinition, ...]]:
        return grouped(self.clusters)


def checksum_of(content: Mapping[str, Any]) -> str:
    """Return SHA-256 over the compact JSON of all that a plan with these fields would do: the words do not count."""
    wording = {"__all__": {"why", "note"}}
    parts = (
        b'"%s":%s' % (key.encode(), json_of(content[key], exclude=wording if key == "steps" else None))
        for key in _written_fields(content)
        if key not in {"topology", "checksum", "estimates"}
    )
    return "sha256:" + hashlib.sha256(b"{" + b",".join(parts) + b"}").hexdigest()


def _written_fields(content: Mapping[str, Any]) -> tuple[str, ...]:
    where_needed = {"ha_pairs", "firmware", "secret", "change", "ha_changes"}
    return tuple(key for key in Plan.model_fields if key not in where_needed or content.get(key))
