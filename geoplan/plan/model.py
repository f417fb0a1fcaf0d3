"""What has to be done: lists, clusters and steps, as frozen data that goes to JSON and comes back equal."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cached_property
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from geoplan.plan.base import FrozenModel, json_of
from geoplan.plan.ha_model import HaPairSettings, HaParameters
from geoplan.plan.upgrade_model import FirmwareChange
from geoplan.topology.model import Location

Kind = Literal["ha_pair", "standalone"]
Role = Literal["master", "slave", "standalone"]
GeoSection = Literal["5.1", "5.2", "5.3", "5.4"]
FirmwareSection = Literal["7.1", "7.2"]
Section = Literal[GeoSection, "6.1", "6.2", "8", FirmwareSection]
TargetUnit = Literal[
    "active", "standby", "master", "slave", "both", "new_active", "updated", "standalone", "load_balancer"
]


class Phase(StrEnum):
    """A part of the work that is done as one: working pairs first, then GEO upon them; new firmware is its own work."""

    HA = "ha"
    GEO = "geo"
    FIRMWARE = "firmware"


class Action(StrEnum):
    """What a step does."""

    CREATE_LOAD_BALANCER = "create_load_balancer"
    SET_MASTER_HA_PARAMETERS = "set_master_ha_parameters"
    SET_SLAVE_HA_PARAMETERS = "set_slave_ha_parameters"
    VERIFY_HA_PAIR = "verify_ha_pair"
    SET_REMOTE_GEO_ACCESS = "set_remote_geo_access"
    SET_GEO_PARTNERS = "set_geo_partners"
    REBOOT_MASTER = "reboot_master"
    RESUBMIT_GEO_PARTNERS = "resubmit_geo_partners"
    ADD_CLUSTER = "add_cluster"
    UPDATE_STANDBY = "update_standby"
    UPDATE_ACTIVE = "update_active"
    UPDATE_REMAINING = "update_remaining"
    UPDATE_STANDALONE = "update_standalone"
    SET_PARTNER_SECRET = "set_partner_secret"  # noqa: S105 - what is done, not a secret
    VERIFY_UPDATED_PAIR = "verify_updated_pair"


HA_ACTIONS = frozenset(
    {
        Action.CREATE_LOAD_BALANCER,
        Action.SET_MASTER_HA_PARAMETERS,
        Action.SET_SLAVE_HA_PARAMETERS,
        Action.VERIFY_HA_PAIR,
    }
)
UPDATE_ACTIONS = frozenset(
    {Action.UPDATE_STANDBY, Action.UPDATE_ACTIVE, Action.UPDATE_REMAINING, Action.UPDATE_STANDALONE}
)
FIRMWARE_ACTIONS = UPDATE_ACTIONS | {Action.SET_PARTNER_SECRET, Action.VERIFY_UPDATED_PAIR}


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
        if self.action in HA_ACTIONS:
            return Phase.HA
        return Phase.FIRMWARE if self.action in FIRMWARE_ACTIONS else Phase.GEO


class Estimates(FrozenModel):
    """How long the plan takes; all times in seconds."""

    boot_seconds: float
    sync_seconds: float
    manual_step_seconds: float
    by_api_seconds: float = Field(
        description="One replication and one boot for each reboot, one boot for each update, all one after the other."
    )
    by_hand_seconds: float = Field(
        description="That, the time of a manual step for each step, and what the load balancers' health checks take."
    )
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
    ha_pairs: tuple[HaPairSettings, ...] = Field(
        default=(), description="The pairs that are to be formed, or whose health check the topology describes."
    )
    firmware: FirmwareChange | None = Field(default=None, description="The change of firmware that its steps make.")
    estimates: Estimates

    @property
    def written_fields(self) -> tuple[str, ...]:
        """The keys with which it is written: without HA pairs or new firmware there is no word of them."""
        left_out = {key for key in ("ha_pairs", "firmware") if not getattr(self, key)}
        return tuple(key for key in type(self).model_fields if key not in left_out)

    def compute_checksum(self) -> str:
        """Return what ``checksum`` has to be: SHA-256 over the compact JSON of all that would be done."""
        fields = (key for key in self.written_fields if key not in {"topology", "checksum", "estimates"})
        wording = {"__all__": {"why", "note"}}
        parts = (
            b'"%s":%s' % (key.encode(), json_of(getattr(self, key), exclude=wording if key == "steps" else None))
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

    def sites_of(self, group: str) -> tuple[SiteSettings, ...]:
        """Return the sites of a group, in the plan's order; raises :class:`KeyError` where the plan has none."""
        return self._sites_by_group[group]

    def cluster(self, site: str) -> ClusterDefinition:
        """Return the cluster of the site of that name; raises :class:`KeyError` where the plan has none."""
        return self._clusters_by_site[site]

    def ha_pair(self, site: str) -> HaPairSettings:
        """Return what makes that site a pair; raises :class:`KeyError` where the plan does not say it."""
        return self._ha_pairs_by_site[site]

    def health_check_port_of(self, site: str) -> int:
        """Return where the units of that pair answer the health check."""
        pair = self._ha_pairs_by_site.get(site)
        return pair.health_check.port if pair else self.health_check_port

    def health_check_seconds(self, step: Step) -> int:
        """Return how long the load balancer's health check makes a step take, in seconds (section 2).

        A new pair is checked until its active unit is in service. While a unit reboots that may be the active one, the
        traffic moves to the other, and with Prefer Master back again. Without a health check in the
        topology that is not known, and 0.
        """
        pair = self._ha_pairs_by_site.get(step.site)
        if pair is None:
            return 0
        match step.action:
            case Action.VERIFY_HA_PAIR:
                return pair.health_check.in_service_seconds
            case Action.REBOOT_MASTER | Action.UPDATE_ACTIVE | Action.UPDATE_REMAINING:
                switchovers = 2 if pair.master.preferred_host == "master" else 1
                return switchovers * pair.health_check.switchover_seconds
            case _:
                return 0

    def phases(self) -> tuple[Phase, ...]:
        """Return the parts of the work that it has steps of, in order."""
        found = {step.phase for step in self.steps}
        return tuple(phase for phase in Phase if phase in found)

    def values(self, step: Step) -> tuple[str, ...]:
        """Return what a step enters, in the order of the fields.

        That is the addresses of a list; address, name and type of a cluster; mode, preferred host, partner, health
        check port and ``yes`` or ``no`` for all interfaces of a unit's HA parameters; region, VPC and scheme of a load
        balancer; the version of an update; nothing for a reboot, for a secret and for what is only looked at.
        """
        match step.action:
            case Action.CREATE_LOAD_BALANCER:
                balancer = self.ha_pair(step.site).load_balancer
                return (balancer.region, balancer.vpc_id, balancer.scheme) if balancer else ()
            case Action.SET_MASTER_HA_PARAMETERS:
                return _written(self.ha_pair(step.site).master)
            case Action.SET_SLAVE_HA_PARAMETERS:
                return _written(self.ha_pair(step.site).slave)
            case Action.SET_REMOTE_GEO_ACCESS:
                return self.site(step.site).remote_geo_access
            case Action.SET_GEO_PARTNERS | Action.RESUBMIT_GEO_PARTNERS:
                return self.site(step.site).geo_partners
            case Action.ADD_CLUSTER:
                cluster = self.cluster(step.site)
                return (cluster.address, cluster.name, cluster.type)
            case Action.UPDATE_STANDBY | Action.UPDATE_ACTIVE | Action.UPDATE_REMAINING | Action.UPDATE_STANDALONE:
                return (self.firmware.to,) if self.firmware else ()
            case Action.VERIFY_HA_PAIR | Action.REBOOT_MASTER | Action.SET_PARTNER_SECRET | Action.VERIFY_UPDATED_PAIR:
                return ()

    @cached_property
    def _sites_by_name(self) -> dict[str, SiteSettings]:
        return {site.name: site for site in self.sites}

    @cached_property
    def _sites_by_group(self) -> dict[str, tuple[SiteSettings, ...]]:
        sites: dict[str, list[SiteSettings]] = {}
        for site in self.sites:
            sites.setdefault(site.group, []).append(site)
        return {group: tuple(members) for group, members in sites.items()}

    @cached_property
    def _ha_pairs_by_site(self) -> dict[str, HaPairSettings]:
        return {pair.site: pair for pair in self.ha_pairs}

    @cached_property
    def _clusters_by_site(self) -> dict[str, ClusterDefinition]:
        return {cluster.site: cluster for cluster in self.clusters}


def _written(parameters: HaParameters) -> tuple[str, ...]:
    return (
        parameters.mode,
        parameters.preferred_host,
        parameters.partner,
        str(parameters.health_check_port),
        "yes" if parameters.all_interfaces else "no",
    )
