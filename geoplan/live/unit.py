"""What geoplan asks of one LoadMaster, and enters there. The client fulfils it over the network; a dry run notes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from geoplan.loadmaster.clusters import Look
    from geoplan.loadmaster.credentials import Secret
    from geoplan.loadmaster.firmware import FirmwareImage
    from geoplan.loadmaster.health import HealthAnswer
    from geoplan.loadmaster.model import (
        GeoCluster,
        GeoFqdn,
        HaFacts,
        HaMode,
        HaRequest,
        HaSettings,
        HaStatus,
        State,
        UnitSettings,
    )


class Unit(Protocol):
    """One LoadMaster.

    Every method may raise :class:`geoplan.errors.UnitError`, but ``state`` and ``health``, which always know. A change
    raises :class:`geoplan.errors.UnclearOutcomeError` where it may have been made although its answer was lost.
    """

    @property
    def address(self) -> str:
        """Its own address, as the plan has it."""

    @property
    def is_trusted(self) -> bool:
        """Whether its certificate is verified or pinned, so that what it refuses was refused by itself."""

    @property
    def wants_basic(self) -> bool:
        """Whether it was seen to refuse APIv2 for a setting of its logins, so that it is spoken to in APIv1."""

    @property
    def certificate(self) -> str | None:
        """The fingerprint of the certificate behind its last answer; None where that is not known."""

    async def state(self) -> State:
        """Return what its health check says."""

    async def health(self) -> HealthAnswer | None:
        """Return what its health check says and answered, or None if it has none."""

    async def ha_status(self, *, once: bool = False) -> HaStatus | None:
        """Return what its API says of its place in its pair, or None where that tells nothing; ``once`` in a look."""

    async def settings(self) -> UnitSettings | None:
        """Return all parameters that one call tells, or None where it does not answer that call."""

    async def firmware(self) -> str:
        """Return the version that it runs."""

    async def boot_time(self) -> str | None:
        """Return when it was booted last, in its own words, or None if it does not tell."""

    async def change_time(self) -> str | None:
        """Return when its configuration was changed last, in its own words, or None if it does not tell."""

    async def host_name(self) -> str:
        """Return the name of its host."""

    async def virtual_services(self) -> int:
        """Return how many virtual services it has."""

    async def geo_enabled(self) -> bool:
        """Return whether GEO is on."""

    async def remote_ssh_access(self) -> bool:
        """Return whether remote SSH access is allowed."""

    async def ha_parameters(self) -> HaFacts | None:
        """Return its HA parameters, or None if its platform has none."""

    async def remote_geo_access(self) -> tuple[str, ...]:
        """Return its Remote GEO LoadMaster Access list."""

    async def geo_partners(self) -> tuple[str, ...]:
        """Return its GEO LoadMaster Partners list."""

    async def partner_status(self) -> Mapping[str, bool | None]:
        """Return whether each partner is green, or None for a colour that cannot be read."""

    async def clusters(self) -> tuple[GeoCluster, ...]:
        """Return its GEO clusters."""

    async def fqdns(self) -> tuple[str, ...]:
        """Return the names of its GEO FQDNs."""

    async def fqdn_maps(self) -> tuple[GeoFqdn, ...]:
        """Return its GEO FQDNs with their maps."""

    async def backup(self) -> bytes:
        """Return a backup of all that it has."""

    async def set_remote_geo_access(self, addresses: Sequence[str]) -> None:
        """Enter its Remote GEO LoadMaster Access list."""

    async def set_geo_partners(self, addresses: Sequence[str]) -> None:
        """Enter its GEO LoadMaster Partners list."""

    async def resubmit_geo_partners(self, addresses: Sequence[str]) -> None:
        """Submit its unchanged GEO LoadMaster Partners list again."""

    async def add_remote_lm_cluster(
        self, name: str, address: str, *, also_as: Collection[str] = (), look: Look = None
    ) -> None:
        """Add a cluster of type Remote LM, or complete one that has not got its type yet.

        Here and below ``look`` is called just before each request that is sent; what it raises keeps that from it.
        """

    async def delete_cluster(self, address: str) -> None:
        """Delete the cluster that it shows at an address; all units that it is linked with lose it too."""

    async def add_cluster_like(self, cluster: GeoCluster, *, look: Look = None) -> None:
        """Add a cluster as another unit has it."""

    async def rename_cluster(self, address: str, name: str, *, look: Look = None) -> None:
        """Give the cluster at an address another name."""

    async def restore_geo(self, content: bytes) -> None:
        """Restore GEO Configuration, and nothing else, from a backup."""

    async def set_cluster_location(self, address: str, latitude: float, longitude: float, *, look: Look = None) -> None:
        """Place a cluster; in degrees."""

    async def set_ha_mode(self, mode: HaMode) -> None:
        """Give it its role in a pair."""

    async def set_ha_parameters(self, parameters: HaSettings) -> None:
        """Set all its HA parameters but the mode."""

    async def change_ha_parameters(self, request: HaRequest) -> None:
        """Set one HA parameter of a unit that is in a pair already, and never its mode."""

    async def reboot(self) -> None:
        """Ask it to reboot."""

    async def install_firmware(self, image: FirmwareImage) -> None:
        """Send it an image, which it runs from its next boot on."""

    async def restore_firmware(self) -> None:
        """Have it go back to the firmware before, which it runs from its next boot on."""

    async def previous_firmware(self) -> str:
        """Return the version that it ran before."""

    async def set_preferred_host(self, partner: str, *, prefers_master: bool) -> None:
        """Set whether the master takes over again; ``partner`` is the one that it told just before."""

    async def set_partner_secret(self, secret: Secret) -> None:
        """Set the Partner Shared Secret of this unit alone; nothing reads it back."""
