"""What has to be done: lists, clusters and steps, as frozen data that goes to JSON and comes back equal."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError, to_json

from geoplan.topology.model import Location

Kind = Literal["ha_pair", "standalone"]
Role = Literal["master", "slave", "standalone"]
Section = Literal["5.1", "5.2", "5.3", "5.4"]
TargetUnit = Literal["active", "master", "new_active", "standalone"]


class FrozenModel(BaseModel):
    """A model that never changes. Keys of newer versions are passed over: the checksum tells if they matter."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Action(StrEnum):
    """What a step does."""

    SET_REMOTE_GEO_ACCESS = "set_remote_geo_access"
    SET_GEO_PARTNERS = "set_geo_partners"
    REBOOT_MASTER = "reboot_master"
    RESUBMIT_GEO_PARTNERS = "resubmit_geo_partners"
    ADD_CLUSTER = "add_cluster"


class PlannedGroup(FrozenModel):
    """Sites that become partners of one another, and the section of the document that they follow."""

    name: str
    section: Section
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


class Estimates(FrozenModel):
    """How long the plan takes; all times in seconds."""

    boot_seconds: float
    sync_seconds: float
    manual_step_seconds: float
    by_api_seconds: float = Field(
        description="One replication and one boot for each reboot, one after the other over all groups."
    )
    by_hand_seconds: float = Field(description="That, and the time of a manual step for each step.")
    longest_chain_seconds: float = Field(
        description="The time of the longest chain of steps that wait for one another: no way of working can beat it."
    )
    longest_chain_steps: int


class Plan(FrozenModel):
    """Everything that a working GEO setup needs. :func:`geoplan.make_plan` makes it.

    Read one back with ``Plan.model_validate_json(text)``; a plan whose checksum does not fit its content, because
    it was edited or damaged, raises :class:`pydantic.ValidationError`.
    """

    model_config = ConfigDict(title="geoplan plan")

    format: Literal["geoplan/plan/1"] = "geoplan/plan/1"
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
    estimates: Estimates

    def compute_checksum(self) -> str:
        """Return what ``checksum`` has to be: SHA-256 over the compact JSON of all that would be done."""
        fields = (key for key in type(self).model_fields if key not in {"topology", "checksum", "estimates"})
        wording = {"__all__": {"why", "note"}}
        parts = (
            b'"%s":%s' % (key.encode(), to_json(getattr(self, key), exclude=wording if key == "steps" else None))
            for key in fields
        )
        return "sha256:" + hashlib.sha256(b"{" + b",".join(parts) + b"}").hexdigest()

    @model_validator(mode="after")
    def _checksum_fits(self) -> Self:
        if self.checksum != self.compute_checksum():
            raise PydanticCustomError("plan_checksum", "the plan's checksum does not fit its content: it was changed")
        return self

    def site(self, name: str) -> SiteSettings:
        """Return the site of that name; raises :class:`KeyError` where the plan has none."""
        return self._sites_by_name[name]

    def cluster(self, site: str) -> ClusterDefinition:
        """Return the cluster of the site of that name; raises :class:`KeyError` where the plan has none."""
        return self._clusters_by_site[site]

    def values(self, step: Step) -> tuple[str, ...]:
        """Return what a step enters, in the order of the fields.

        That is the addresses of a list; address, name and type of a cluster; nothing for a reboot.
        """
        match step.action:
            case Action.SET_REMOTE_GEO_ACCESS:
                return self.site(step.site).remote_geo_access
            case Action.SET_GEO_PARTNERS | Action.RESUBMIT_GEO_PARTNERS:
                return self.site(step.site).geo_partners
            case Action.ADD_CLUSTER:
                cluster = self.cluster(step.site)
                return (cluster.address, cluster.name, cluster.type)
            case Action.REBOOT_MASTER:
                return ()

    @cached_property
    def _sites_by_name(self) -> dict[str, SiteSettings]:
        return {site.name: site for site in self.sites}

    @cached_property
    def _clusters_by_site(self) -> dict[str, ClusterDefinition]:
        return {cluster.site: cluster for cluster in self.clusters}
