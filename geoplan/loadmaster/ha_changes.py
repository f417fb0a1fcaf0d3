"""One HA parameter of a unit that is in a pair already: set, and nothing else with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from geoplan.loadmaster.wire import Command

if TYPE_CHECKING:
    from geoplan.loadmaster.ha import HaCommands
    from geoplan.loadmaster.model import HaFacts, HaRequest
    from geoplan.loadmaster.session import Session
    from geoplan.loadmaster.wire import Parameter


class HaChangeCommands(ABC):
    """What a client of one unit can change of its HA parameters, one at a time; its mode is none of them."""

    _session: Session

    async def change_ha_parameters(self, request: HaRequest) -> None:
        """Set what a request names, and nothing else; the partner goes with it.

        The vendor's client sends no HA parameter without the partner or the port.
        """

        async def is_set() -> bool:
            found = await self.ha_parameters()
            return found is not None and request.is_fulfilled_by(found)

        family = await self._known_ha_commands()
        given: dict[str, Parameter] = {"partner": request.partner}
        if request.health_check_port is not None:
            given["hcp"] = request.health_check_port
        if request.prefers_master is not None:
            given["haprefered"] = int(request.prefers_master)
        if request.all_interfaces is not None:
            given["hcai"] = int(request.all_interfaces)
        await self._session.change(Command(family.set_parameters, given, changes=True), is_applied=is_set)

    @abstractmethod
    async def ha_parameters(self) -> HaFacts | None:
        """Return the HA parameters of a cloud unit."""

    @abstractmethod
    async def _known_ha_commands(self) -> HaCommands:
        """Return the commands with which its firmware names HA."""
