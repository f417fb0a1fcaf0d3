"""A unit over the API: the client, in the words of a push."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from geoplan.live.model import HaFacts, LiveCluster, State
from geoplan.loadmaster.client import LoadMaster
from geoplan.loadmaster.health import ha_state_of, health_answer_of
from geoplan.loadmaster.http import IdleConnections
from geoplan.loadmaster.model import HaMode, PartnerColour
from geoplan.loadmaster.tls import Insecure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence

    import httpx

    from geoplan.live.polling import Clock
    from geoplan.live.unit import SettableMode
    from geoplan.loadmaster.connection import UnitConnection
    from geoplan.loadmaster.http import ShownRequest
    from geoplan.loadmaster.session import Retries
    from geoplan.plan.pairs import HaParameters

_COLOURS = {PartnerColour.GREEN: True, PartnerColour.RED: False, PartnerColour.UNKNOWN: None}


class ApiUnit:
    """One unit over its API; fulfils :class:`geoplan.live.unit.Unit`."""

    def __init__(self, unit: LoadMaster, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._unit = unit
        self._transport = transport

    @property
    def address(self) -> str:
        """Its own address."""
        return self._unit.address

    @property
    def is_trusted(self) -> bool:
        """Whether its certificate is verified or pinned."""
        return not isinstance(self._unit.access.trust, Insecure)

    async def state(self) -> State:
        """Return what its health check says."""
        return State((await ha_state_of(self._unit.access, transport=self._transport)).value)

    async def health(self) -> tuple[State, str] | None:
        """Return what its health check says and answered, or nothing where it has none."""
        answer = await health_answer_of(self._unit.access, transport=self._transport)
        return (State(answer.state.value), answer.said) if answer else None

    async def firmware(self) -> str:
        """Return the version that it runs."""
        return await self._unit.firmware()

    async def boot_time(self) -> str | None:
        """Return when it was booted last, in its own words."""
        return await self._unit.boot_time()

    async def geo_enabled(self) -> bool:
        """Tell whether GEO is on."""
        return await self._unit.geo_enabled()

    async def remote_ssh_access(self) -> bool:
        """Tell whether remote SSH access is allowed."""
        return await self._unit.remote_ssh_access()

    async def ha_parameters(self) -> HaFacts | None:
        """Return its HA parameters and its mode, as far as the platform has them."""
        found = await self._unit.ha_parameters()
        if found is None:
            return None
        mode = None if found.mode is HaMode.UNKNOWN else found.mode.value
        return HaFacts(found.partner, found.health_check_port, found.prefers_master, mode, found.all_interfaces)

    async def remote_geo_access(self) -> tuple[str, ...]:
        """Return its Remote GEO LoadMaster Access list."""
        return await self._unit.remote_geo_access()

    async def geo_partners(self) -> tuple[str, ...]:
        """Return its GEO LoadMaster Partners list."""
        return await self._unit.geo_partners()

    async def partner_status(self) -> Mapping[str, bool | None]:
        """Return whether each partner is green, or nothing for a colour that cannot be read."""
        return {partner.address: _COLOURS[partner.status] for partner in await self._unit.partner_status()}

    async def clusters(self) -> tuple[LiveCluster, ...]:
        """Return its GEO clusters."""
        return tuple(
            LiveCluster(found.address, found.name, found.type.value, found.latitude, found.longitude)
            for found in await self._unit.clusters()
        )

    async def fqdns(self) -> tuple[str, ...]:
        """Return the names of its GEO FQDNs."""
        return await self._unit.fqdns()

    async def backup(self) -> bytes:
        """Return a backup of all that it has."""
        return await self._unit.backup()

    async def set_remote_geo_access(self, addresses: Sequence[str]) -> None:
        """Enter its Remote GEO LoadMaster Access list."""
        await self._unit.set_remote_geo_access(addresses)

    async def set_geo_partners(self, addresses: Sequence[str]) -> None:
        """Enter its GEO LoadMaster Partners list."""
        await self._unit.set_geo_partners(addresses)

    async def resubmit_geo_partners(self, addresses: Sequence[str]) -> None:
        """Submit its unchanged GEO LoadMaster Partners list again."""
        await self._unit.resubmit_geo_partners(addresses)

    async def add_remote_lm_cluster(self, name: str, address: str, *, also_as: Collection[str] = ()) -> None:
        """Add a cluster of type Remote LM, or complete one that has not got its type yet."""
        await self._unit.add_remote_lm_cluster(name, address, also_as=also_as)

    async def set_cluster_location(self, address: str, latitude: float, longitude: float) -> None:
        """Place a cluster; in degrees."""
        await self._unit.set_cluster_location(address, latitude, longitude)

    async def set_ha_mode(self, mode: SettableMode) -> None:
        """Give it its role in a pair."""
        await self._unit.set_ha_mode(HaMode(mode))

    async def set_ha_parameters(self, parameters: HaParameters) -> None:
        """Set all its HA parameters but the mode."""
        await self._unit.set_ha_parameters(
            partner=parameters.partner,
            health_check_port=parameters.health_check_port,
            prefers_master=parameters.preferred_host == "master",
            all_interfaces=parameters.all_interfaces,
        )

    async def reboot(self) -> None:
        """Ask it to reboot."""
        await self._unit.reboot()


@asynccontextmanager
async def connected(  # noqa: PLR0913 - options
    accesses: Mapping[str, UnitConnection],
    clock: Clock,
    *,
    transport_of: Callable[[str], httpx.AsyncBaseTransport] | None = None,
    jitter: Callable[[], float] = random.random,
    retries: Retries | None = None,
    observer_of: Callable[[str], Callable[[ShownRequest], None]] | None = None,
    dry_run: bool = False,
) -> AsyncIterator[dict[str, ApiUnit]]:
    """Have a client for every unit while the block lasts; nothing is sent by that.

    A change is sent once: a push looks at the units again before it sends it a second time.
    """
    idle = IdleConnections()
    async with AsyncExitStack() as stack:
        units = {}
        for address, access in accesses.items():
            transport = transport_of(address) if transport_of else None
            client = LoadMaster(
                access,
                transport=transport,
                clock=clock,
                jitter=jitter,
                retries=retries,
                observer=observer_of(address) if observer_of else None,
                changes_once=True,
                dry_run=dry_run,
                idle=idle,
            )
            units[address] = ApiUnit(await stack.enter_async_context(client), transport=transport)
        yield units
