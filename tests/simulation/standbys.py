"""Standbys of the simulated world that do otherwise than most: they refuse reads, or run no GEO."""

from __future__ import annotations

from geoplan.lab.device.unit import Unit
from geoplan.lab.http import Ending, Outcome, Request, Response
from tests.simulation.world import World

REFUSAL = Outcome(
    Ending.ANSWERED,
    Response(
        200, "application/json", b'{"code":422,"message":"Not available: this unit is not active","status":"fail"}'
    ),
)


def refuse_on_standbys(made: World, *commands: bytes) -> None:
    """Let every standby refuse the requests that hold one of these words."""
    network, handle = made.simulation.network, made.simulation.handle

    def refusing(address: str, request: Request) -> Outcome:
        unit = network.unit(address)
        is_standby = network.pair_of(unit) is not None and not network.is_active(unit)
        if is_standby and any(word in request.body for word in commands):
            return REFUSAL
        return handle(address, request)

    made.simulation.handle = refusing  # type: ignore[method-assign]


def show_standbys_red(made: World) -> None:
    """Let a standby be red to everybody, as where it runs no GEO."""
    network = made.simulation.network
    is_green = network.partners.is_green

    def both_active(one: Unit, other: Unit) -> bool:
        return is_green(one, other) and network.is_active(one) and network.is_active(other)

    network.partners.is_green = both_active  # type: ignore[method-assign]
