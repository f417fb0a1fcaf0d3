"""What a push needs of one LoadMaster. ``api`` fulfils it over the client; a dry run fulfils it on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from geoplan.live.model import HaFacts, LiveCluster, State
    from geoplan.plan.pairs import HaParameters


SettableMode = Literal["master", "slave", "single"]


class Unit(Protocol):
    """One LoadMaster.

    Every method may raise :class:`geoplan.errors.UnitError`, but ``state``, which always knows an answer. A change
    raises :class:`geoplan.errors.UnclearOutcomeError` where it may have been made although its answer was lost.
    """

    @property
    def address(self) -> str:
        """Its own address, as the plan has it."""

    @property
    def is_trusted(self) -> bool:
        """Whether its certificate is verified or pinned, so that what it refuses was refused by itself."""

    async def state(self) -> State:
        """Return what its health check says."""

    async def firmware(self) -> str:
        """Return the version that it runs."""

    async def boot_time(self) -> str | None:
        """Return when it was booted last, in its own words, or None if it does not tell."""

    async def geo_enabled(self) -> bool:
        """Tell whether GEO is on."""

    async def remote_ssh_access(self) -> bool:
        """Tell whether remote SSH access is allowed."""

    async def ha_parameters(self) -> HaFacts | None:
        """Return its HA parameters, or nothing where its platform has none."""

    async def remote_geo_access(self) -> tuple[str, ...]:
        """Return its Remote GEO LoadMaster Access list."""

    async def geo_partners(self) -> tuple[str, ...]:
        """Return its GEO LoadMaster Partners list."""

    async def partner_status(self) -> Mapping[str, bool | None]:
        """Return whether each partner is green, or nothing for a colour that cannot be read."""

    async def clusters(self) -> tuple[LiveCluster, ...]:
        """Return its GEO clusters."""

    async def fqdns(self) -> tuple[str, ...]:
        """Return the names of its GEO FQDNs."""

    async def backup(self) -> bytes:
        """Return a backup of all that it has."""

    async def set_remote_geo_access(self, addresses: Sequence[str]) -> None:
        """Enter its Remote GEO LoadMaster Access list."""

    async def set_geo_partners(self, addresses: Sequence[str]) -> None:
        """Enter its GEO LoadMaster Partners list."""

    async def resubmit_geo_partners(self, addresses: Sequence[str]) -> None:
        """Submit its unchanged GEO LoadMaster Partners list again."""

    async def add_remote_lm_cluster(self, name: str, address: str, *, also_as: Collection[str] = ()) -> None:
        """Add a cluster of type Remote LM, or complete one that has not got its type yet."""

    async def set_cluster_location(self, address: str, latitude: float, longitude: float) -> None:
        """Place a cluster; in degrees."""

    async def set_ha_mode(self, mode: SettableMode) -> None:
        """Give it its role in a pair."""

    async def set_ha_parameters(self, parameters: HaParameters) -> None:
        """Set all its HA parameters but the mode."""

    async def reboot(self) -> None:
        """Ask it to reboot."""
