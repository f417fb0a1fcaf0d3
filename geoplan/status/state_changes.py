"""Since when units are what they are, as far as somebody was watching."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings.states import unit_state

if TYPE_CHECKING:
    from datetime import datetime

    from geoplan.live.findings.kinds import Since
    from geoplan.live.findings.states import UnitState
    from geoplan.live.model import Observations


class Sightings:
    """Remembers every unit's state from one look to the next."""

    def __init__(self) -> None:
        self._states: dict[str, UnitState] = {}
        self._since: dict[str, datetime] = {}

    def look(self, facts: Observations, at: datetime) -> Since:
        """Note a look, and return when units were seen to change; what was so at the first look has no moment."""
        for address, unit in facts.units.items():
            state = unit_state(unit)
            if self._states.get(address, state) is not state:
                self._since[address] = at
            self._states[address] = state
        return dict(self._since)
