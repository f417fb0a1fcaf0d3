"""The units of a running push, each behind what holds its requests against what a push never does."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from geoplan.errors import UnitRefusedError
from geoplan.live.fleet import Fleet
from geoplan.live.model import State
from geoplan.push.guard import Guard, GuardError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from geoplan.live.unit import Unit
    from geoplan.loadmaster.clusters import Look
    from geoplan.loadmaster.health import HealthAnswer
    from geoplan.loadmaster.model import GeoCluster, HaMode, HaRequest, HaStatus
    from geoplan.plan.pairs import HaParameters
    from geoplan.push.journal import Journal

OF_OTHER_PUSHES = {"install_firmware", "restore_firmware", "set_preferred_host", "set_partner_secret"}
"""What an update or a rotation alone does, each with a guard of its own."""


class GuardedUnit:
    """One unit behind the guard; fulfils :class:`geoplan.live.unit.Unit`, whose reads pass through and are noted."""

    def __init__(self, unit: Unit, guard: Guard) -> None:
        self._unit = unit
        self._guard = guard
        self.address = unit.address
        self.is_trusted = unit.is_trusted

    @property
    def certificate(self) -> str | None:
        """The fingerprint of the certificate that the unit presents."""
        return self._unit.certificate

    def __getattr__(self, question: str) -> Callable[[], Awaitable[Any]]:
        """Return a read that notes what it is answered."""
        if question in OF_OTHER_PUSHES:
            raise GuardError(self.address, question, "this push is of another kind")
        return partial(self._ask, question, getattr(self._unit, question))

    async def _ask(self, question: str, ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever it answers
        try:
            answer = await ask()
        except UnitRefusedError:
            self._guard.note_refusal(self._unit)
            raise
        if answer is not None:  # what it does not tell, or refuses so that it counts as not told, is no answer
            self._guard.note_answer(self.address, question, answer)
        return answer

    @property
    def wants_basic(self) -> bool:
        """Whether it was seen to refuse APIv2 for a setting of its logins."""
        return self._unit.wants_basic

    async def state(self) -> State:
        """Return what its health check says; one that is given up at a look counts as down."""
        answer = await self.health()
        return answer.state if answer else State.UNKNOWN

    async def health(self) -> HealthAnswer | None:
        """Return what its health check says and answered: a look, and no authenticated answer."""
        try:
            answer = await self._unit.health()
        except asyncio.CancelledError:
            self._guard.note_state(self.address, State.DOWN)
            raise
        self._guard.note_state(self.address, answer.state if answer else State.UNKNOWN)
        return answer

    async def ha_status(self, *, once: bool = False) -> HaStatus | None:
        """Return what its API says of its place in its pair: the other half of a look."""
        self._guard.note_status(self.address, None)
        told = await self._ask("ha_status", partial(self._unit.ha_status, once=once))
        self._guard.note_status(self.address, told)
        return cast("HaStatus | None", told)

    async def set_remote_geo_access(self, addresses: Sequence[str]) -> None:
        """Enter its Remote GEO LoadMaster Access list."""
        self._guard.before_list(self.address, "remote_geo_access", is_submission=False)
        self._guard.written(self.address, "remote_geo_access")
        await self._unit.set_remote_geo_access(addresses)

    async def set_geo_partners(self, addresses: Sequence[str]) -> None:
        """Enter its GEO LoadMaster Partners list."""
        self._guard.before_list(self.address, "geo_partners", is_submission=False)
        self._guard.written(self.address, "geo_partners")
        await self._unit.set_geo_partners(addresses)

    async def resubmit_geo_partners(self, addresses: Sequence[str]) -> None:
        """Submit its unchanged GEO LoadMaster Partners list again."""
        self._guard.before_list(self.address, "geo_partners", is_submission=True)
        self._guard.written(self.address, "geo_partners")
        await self._unit.resubmit_geo_partners(addresses)

    def _looking(self, look: Look) -> Look:
        """Return what looks before each change of a cluster, and then asks whether the change may be sent."""

        async def look_and_ask() -> None:
            if look:
                await look()
            self._guard.before_cluster(self.address)

        return look_and_ask

    async def add_remote_lm_cluster(
        self, name: str, address: str, *, also_as: Sequence[str] = (), look: Look = None
    ) -> None:
        """Add a cluster of type Remote LM, or complete one that has not got its type yet."""
        await self._unit.add_remote_lm_cluster(name, address, also_as=also_as, look=self._looking(look))

    async def delete_cluster(self, address: str) -> None:
        """Delete one of its clusters."""
        self._guard.before_delete(self.address, address)
        self._guard.written(self.address, "clusters")
        await self._unit.delete_cluster(address)

    async def add_cluster_like(self, cluster: GeoCluster, *, look: Look = None) -> None:
        """Add a cluster as another unit has it."""
        await self._unit.add_cluster_like(cluster, look=self._looking(look))

    async def rename_cluster(self, address: str, name: str, *, look: Look = None) -> None:
        """Give one of its clusters another name."""
        await self._unit.rename_cluster(address, name, look=self._looking(look))

    async def restore_geo(self, content: bytes) -> None:
        """Restore GEO Configuration from a backup."""
        self._guard.before_restore(self.address)
        for question in ("clusters", "remote_geo_access", "geo_partners"):
            self._guard.written(self.address, question)
        await self._unit.restore_geo(content)

    async def set_cluster_location(self, address: str, latitude: float, longitude: float, *, look: Look = None) -> None:
        """Place a cluster; in degrees."""
        await self._unit.set_cluster_location(address, latitude, longitude, look=self._looking(look))

    async def set_ha_mode(self, mode: HaMode) -> None:
        """Give it its role in a pair."""
        self._guard.before_mode(self.address, mode)
        self._guard.written(self.address, "ha_parameters")
        await self._unit.set_ha_mode(mode)

    async def set_ha_parameters(self, parameters: HaParameters) -> None:
        """Set all its HA parameters but the mode."""
        self._guard.before_ha_parameters(self.address)
        self._guard.written(self.address, "ha_parameters")
        await self._unit.set_ha_parameters(parameters)

    async def change_ha_parameters(self, request: HaRequest) -> None:
        """Set one HA parameter of a unit that is in a pair already."""
        self._guard.before_ha_change(self.address, request)
        self._guard.written(self.address, "ha_parameters")
        await self._unit.change_ha_parameters(request)

    async def reboot(self) -> None:
        """Ask it to reboot."""
        self._guard.before_reboot(self.address)
        await self._unit.reboot()


def guarded(fleet: Fleet, journal: Journal, forms: Collection[str] = ()) -> Fleet:
    """Return the same units for a push with this journal: none of them takes a change that a push never makes."""
    guard = Guard(fleet.plan, journal, fleet.clock, fleet.timings, forms)
    units = {address: cast("Unit", GuardedUnit(unit, guard)) for address, unit in fleet.units.items()}
    return Fleet(fleet.plan, units, fleet.clock, fleet.timings, jobs=fleet.jobs, is_on_paper=fleet.is_on_paper)
