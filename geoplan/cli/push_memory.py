"""What is remembered of a push once its units are verified to hold it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from geoplan.addresses import canonical
from geoplan.errors import GeoplanError
from geoplan.live.findings import NoteKind
from geoplan.push.events import EventKind
from geoplan.push.remembered import remember, units_out_of_sites
from geoplan.push.store import unit_keys

if TYPE_CHECKING:
    from geoplan.plan.model import Plan
    from geoplan.push.events import Event
    from geoplan.push.store import Store
    from geoplan.topology.model import Topology


@dataclass
class PushMemory:
    """Listens to a push, and writes down what it has brought about."""

    store: Store
    topology: Topology
    """What the units hold at its end."""
    plan: Plan
    lab_id: str | None
    _left_alone: set[str] = field(default_factory=set)
    """The sites that left without an answer."""

    def listen(self, event: Event) -> None:
        """Note who was left alone, and remember everything once it is verified; what was pushed is pushed."""
        if event.kind is EventKind.NOTE and event.unit and event.details.get("kind") == NoteKind.LEFT_ALONE:
            self._left_alone.add(str(event.details["site"]))
        elif event.kind is EventKind.VERIFIED:
            left = unit_keys(units_out_of_sites(self.plan), self.lab_id).values()
            try:
                remember(self.store, self.topology, left, alone=self._keys_left_alone())
            except GeoplanError as error:
                click.echo(f"geoplan: warning: {error}", err=True)

    def _keys_left_alone(self) -> list[str]:
        sites = map(self.plan.site, self._left_alone)
        return [self.store.keys[canonical(unit.address)] for site in sites for unit in site.units]
