"""Two witnesses of who is active that do not agree: while they do so, nothing may be rebooted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from geoplan.twin import shapes
from geoplan.twin.behaviour import Behaviour, Place

if TYPE_CHECKING:
    from geoplan.lab.api.request import ApiRequest, Context
    from geoplan.lab.api.server import WireFormat
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.http import Response
    from geoplan.twin.transport import Sent

REBOOT = "reboot"


@dataclass(frozen=True)
class OtherHealth(Behaviour):
    """Something in between answers the health check of a unit otherwise than the unit does."""

    unit: str
    status: int

    def begin(self, world: Place) -> None:
        """Let it go on from when its pair has its partners."""

        async def way(sent: Sent) -> httpx.Response | None:
            if not sent.is_health or sent.address != self.unit or not _goes_on(world, self.unit):
                return None
            return httpx.Response(self.status, content=b"somebody else", request=sent.http)

        world.ways.append(way)
        _forbid_reboots(world, self.unit, f"the health check of {self.unit} answers {self.status} for another unit")


@dataclass(frozen=True)
class OtherStatus(Behaviour):
    """The API of a unit says another place in its pair than its health check."""

    unit: str
    told: str

    def begin(self, world: Place) -> None:
        """Let it go on from when its pair has its partners."""
        told = shapes.ha_status_told(self.told, self.unit)

        def shape(dialect: WireFormat, context: Context, call: ApiRequest) -> Response | None:
            return told(dialect, context, call) if _goes_on(world, self.unit) else None

        world.shapes.append(shape)
        _forbid_reboots(world, self.unit, f"{self.unit} says '{self.told}' against its health check")


def _goes_on(world: Place, unit: str) -> bool:
    return not world.is_lifted and world.has_partners(unit)


def _forbid_reboots(world: Place, witness: str, why: str) -> None:
    site = world.network.unit(witness).site

    def forbids(unit: Unit, subject: str) -> str | None:
        return why if subject == REBOOT and unit.site == site and _goes_on(world, witness) else None

    world.watch.forbids.append(forbids)
