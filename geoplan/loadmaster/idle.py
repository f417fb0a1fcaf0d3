"""Connections that stay open between two requests: those to the units that were asked last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.loadmaster.exchange import Exchange

MAX_IDLE_UNITS = 64  # beside those that are being asked, within the 256 open files of a small machine


class IdleConnections:
    """Shared by the clients of many units, so that hundreds of idle connections do not use up the open files."""

    def __init__(self, at_most: int = MAX_IDLE_UNITS) -> None:
        self._at_most = at_most
        self._units: dict[Exchange, None] = {}
        """The units that are not being asked now and have a connection; first the one that waits for the longest."""

    def take(self, unit: Exchange) -> None:
        """Note that a unit is being asked."""
        self._units.pop(unit, None)

    async def give_back(self, unit: Exchange) -> None:
        """Note that a unit is being asked no more; close the connections that this makes too many."""
        self._units[unit] = None
        while len(self._units) > self._at_most:
            longest = next(iter(self._units))
            del self._units[longest]
            await longest.close_connections()
