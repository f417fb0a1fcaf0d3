"""What the user wrote: sites, their units, the groups they form, and what is in front of pairs in AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator

from geoplan.topology.slugs import slugs_of
from geoplan.topology.types import (
    Address,
    AllocationId,
    ApiUrl,
    ApiVersion,
    CertificateArn,
    CheckInterval,
    Count,
    Firmware,
    InstanceId,
    Latitude,
    Longitude,
    Name,
    Port,
    Region,
    Seconds,
    SubnetId,
    TagKey,
    TagValue,
    Threshold,
    VpcId,
)
from geoplan.vendor import DEFAULT_HEALTH_CHECK_PORT, MAX_CLUSTERS, SYNC_SECONDS
from geoplan.wording import folded

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class FrozenModel(BaseModel):
    """A model that never changes and takes no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


ListenerProtocol = Literal["TCP", "UDP", "TCP_UDP", "TLS"]


class HealthCheck(FrozenModel):
    """How the load balancer asks a pair's units which of them is active (section 6.1)."""

    port: Port | None = Field(default=None, description="Default: the topology's health_check_port.")
    all_interfaces: bool = Field(
        default=False, description="Whether units answer it on every interface, as a multi-arm setup needs (6.2)."
    )
    interval_seconds: CheckInterval = Field(default=10, description="From one check to the next.")
    healthy_threshold: Threshold = Field(default=2, description="Checks that succeed until a unit is in service.")
    unhealthy_threshold: Threshold = Field(default=2, description="Checks that fail until a unit is out of service.")


class Subnet(FrozenModel):
    """Where the load balancer has a node, and the Elastic IP of that node."""

    subnet_id: SubnetId = Field(description="The subnet's ID.")
    allocation_id: AllocationId | None = Field(default=None, description="The Elastic IP's; internet-facing only.")


class Listener(FrozenModel):
    """What the load balancer takes from clients, and how it passes it on to the units."""

    protocol: ListenerProtocol = Field(description="What it takes from clients.")
    port: Port = Field(description="The port that clients connect to.")
    target_protocol: ListenerProtocol | None = Field(
        default=None, description="How it goes on to the units; default: as it came, and TCP for TLS."
    )
    target_port: Port | None = Field(default=None, description="Default: the listener's port.")
    certificate_arn: CertificateArn | None = Field(default=None, description="What a TLS listener shows to clients.")


class Aws(FrozenModel):
    """The Network Load Balancer of a pair, and where in AWS it stands (section 6.1)."""

    region: Region = Field(description="The AWS region of the pair.")
    vpc_id: VpcId = Field(description="The VPC of the pair.")
    scheme: Literal["internet-facing", "internal"] = Field(
        default="internet-facing", description="Whether clients come from the internet or from inside."
    )
    subnets: tuple[Subnet, ...] = Field(min_length=1, description="Where it has nodes, one in each subnet.")
    listeners: tuple[Listener, ...] = Field(min_length=1, description="What it takes from clients.")
    tags: Mapping[TagKey, TagValue] = Field(default_factory=dict, description="Tags of what is made for it in AWS.")


DEFAULT_GROUP = "default"


class Unit(FrozenModel):
    """One LoadMaster: its address, or a mapping with the address and what else is known of it."""

    address: Address = Field(description="The unit's own address.")
    nat_address: Address | None = Field(default=None, description="How the other sites reach it over NAT.")
    api: ApiUrl | None = Field(
        default=None, description="The URL of its API; default: https://ADDRESS and the port under api_port."
    )
    firmware: Firmware | None = Field(default=None, description="The version it runs, as the unit shows it.")
    api_version: ApiVersion | None = Field(
        default=None, description="The version of its API to speak; default: 2 if the unit takes it, else 1."
    )
    instance_id: InstanceId | None = Field(default=None, description="The EC2 instance that it is, in AWS.")

    @model_validator(mode="before")
    @classmethod
    def _from_address(cls, written: object) -> object:
        return {"address": written} if isinstance(written, str) else written

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Allow the bare address beside the mapping."""
        schema = handler.resolve_ref_schema(handler(core))
        description = schema.pop("description", "")
        return {"description": description, "anyOf": [{"type": "string", "examples": ["172.24.1.5"]}, schema]}

    @property
    def shown_address(self) -> str:
        """The address under which the other sites know this unit."""
        return self.nat_address or self.address


class HaPair(FrozenModel):
    """Two units of which one is active. Master and slave are their fixed roles, never their states."""

    master: Unit = Field(description="The unit with the fixed role of master (newer firmware: first).")
    slave: Unit = Field(description="The unit with the fixed role of slave (newer firmware: second).")
    preferred_host: Literal["master", "none"] = Field(
        "master",
        description="Who is active when both are up: the master takes over again, or whoever is active stays so (6.2).",
    )
    health_check: HealthCheck | None = Field(
        default=None, description="How the load balancer checks the pair; default: as section 6.1 sets it up."
    )
    aws: Aws | None = Field(default=None, description="The Network Load Balancer in front of the pair, in AWS.")


class VirtualService(FrozenModel):
    """What a site's units offer to clients; named so far as it can be in the way of HA (section 6.2.1)."""

    name: Name = Field(description="What messages call it.")
    address: Address | None = Field(default=None, description="Default: the unit's own address.")
    port: Port = Field(description="The port that it takes.")
    protocol: Literal["tcp", "udp"] = Field(default="tcp", description="The protocol of that port.")


class Location(FrozenModel):
    """Where a site stands, in degrees; south and west are negative."""

    latitude: Latitude = Field(description="Degrees north; south is negative.")
    longitude: Longitude = Field(description="Degrees east; west is negative.")


class Cluster(FrozenModel):
    """How the site's GEO cluster is called and where it stands."""

    name: Name | None = Field(default=None, description="Default: the site's name. Unique in the group.")
    location: Location | None = Field(default=None, description="Where the site is, for GEO by location.")


class Site(FrozenModel):
    """What takes part in GEO as one: an HA pair or a standalone LoadMaster, exactly one of the two."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["ha_pair"]}, {"required": ["standalone"]}]},
    )

    name: Name = Field(description="Unique in the file.")
    ha_pair: HaPair | None = Field(default=None, description="Its two units. Either this or standalone.")
    standalone: Unit | None = Field(default=None, description="Its only unit. Either this or ha_pair.")
    api_port: Port | None = Field(
        default=None, description="The port of its units' API and web interface. Default: that of the file."
    )
    extra_remote_geo_access: tuple[Address, ...] = Field(
        (), description="GEO units outside this topology to keep in the site's access list, at its end."
    )
    cluster: Cluster = Field(default_factory=Cluster.model_construct, description="Its GEO cluster.")
    virtual_services: tuple[VirtualService, ...] = Field(
        (), description="Services that the units offer, to be checked against what HA needs (section 6.2.1)."
    )

    @property
    def units(self) -> tuple[Unit, ...]:
        """Its units: master and slave, or the only one."""
        if self.ha_pair:
            return (self.ha_pair.master, self.ha_pair.slave)
        return (self.standalone,) if self.standalone else ()

    @property
    def cluster_name(self) -> str:
        """The name of its GEO cluster."""
        return self.cluster.name or self.name


BOOT_FLOOR_SECONDS = 60.0
SYNC_FLOOR_SECONDS = float(SYNC_SECONDS)


class Timing(FrozenModel):
    """How long things take, in seconds: for the estimates, and for how long a push waits.

    On a network a push waits as for a boot of 60 and a replication of 120 at least, whatever is written here.
    """

    boot_seconds: Seconds = Field(default=120.0, description="From the reboot until the unit answers again.")
    sync_seconds: Seconds = Field(default=120.0, description="Until the slave holds what the active unit has.")
    manual_step_seconds: Seconds = Field(default=60.0, description="What a person needs for one step.")


class Limits(FrozenModel):
    """What the LoadMasters can take."""

    max_clusters: Count = Field(default=MAX_CLUSTERS, description="GEO clusters in one group.")


class Group(NamedTuple):
    """Sites that are GEO partners of one another, in order of declaration."""

    name: str
    sites: tuple[Site, ...]


class Topology(FrozenModel):
    """The sites that form GEO systems, as the topology file gives them."""

    # Beside the fields: no copy, which may have been altered, takes them along.
    __slots__ = ("_slugs", "_well_formed", "_whole")

    model_config = ConfigDict(title="geoplan topology")

    name: Name = Field(default="topology", description="Default: the file's name without its ending.")
    sites: tuple[Site, ...] = Field(min_length=1, description="The sites; their order sets that of lists and steps.")
    groups: Mapping[Name, tuple[Name, ...]] | None = Field(
        None, description="Names of groups and of the sites in each; without it all sites form one group."
    )
    health_check_port: Port = Field(
        DEFAULT_HEALTH_CHECK_PORT,
        description="Where the units of a pair answer the health check: 200 on the active one, 503 on the standby.",
    )
    api_port: Port | None = Field(
        default=None,
        description="The port of the units' API and web interface. "
        "Default: 8443 for units of a pair with aws, 443 for all others.",
    )
    timing: Timing = Field(default_factory=Timing.model_construct, description="How long things take, in seconds.")
    limits: Limits = Field(default_factory=Limits.model_construct, description="Limits of the LoadMasters.")

    @property
    def is_well_formed(self) -> bool:
        """Whether all rules were seen to hold when it was read from a file."""
        return getattr(self, "_well_formed", False)

    def mark_well_formed(self) -> None:
        """Note that all rules hold, so that nobody has to look again."""
        object.__setattr__(self, "_well_formed", True)

    @property
    def whole(self) -> Topology:
        """The topology that it is a part of: what names sites and decides what is usual goes by that one."""
        whole: Topology = getattr(self, "_whole", self)
        return whole

    @property
    def slugs(self) -> Mapping[str, str]:
        """The slug of each site by its name, in the topology that this is a part of: found once for all its parts."""
        slugs: Mapping[str, str] | None = getattr(self.whole, "_slugs", None)
        if slugs is None:
            slugs = slugs_of(site.name for site in self.whole.sites)
            object.__setattr__(self.whole, "_slugs", slugs)
        return slugs

    def mark_part_of(self, whole: Topology) -> None:
        """Note of which well-formed topology it holds whole groups, so that the rules hold for it as well."""
        object.__setattr__(self, "_whole", whole)
        self.mark_well_formed()

    def health_check_port_of(self, site: Site) -> int:
        """Return where the units of a pair answer the health check."""
        check = site.ha_pair.health_check if site.ha_pair else None
        return (check.port if check else None) or self.health_check_port

    def partner_groups(self) -> tuple[Group, ...]:
        """Return the groups with their sites, both in order of declaration.

        Presumes that the rules hold: a group that names an unknown site raises :class:`KeyError`.
        """
        if self.groups is None:
            return (Group(DEFAULT_GROUP, self.sites),)
        position = {folded(site.name): index for index, site in enumerate(self.sites)}
        return tuple(
            Group(name, tuple(self.sites[index] for index in sorted(position[folded(member)] for member in members)))
            for name, members in self.groups.items()
        )
