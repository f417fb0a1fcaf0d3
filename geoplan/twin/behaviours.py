"""Every behaviour there is, and how often each is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.twin.between import ClosedApi, LostRequest, Middlebox
from geoplan.twin.people import ClockSetBack, ForeignReboot, Hand, Switchover
from geoplan.twin.units import (
    Colours,
    HaTold,
    OtherParameter,
    RedStandbys,
    RefusingStandbys,
    Replication,
    TakingStandbys,
    UnclearStandbys,
)

if TYPE_CHECKING:
    import random

    from geoplan.topology.model import Topology
    from geoplan.twin.behaviour import Behaviour

TABLE: tuple[tuple[type[Behaviour], int], ...] = (
    (ClosedApi, 3),
    (Middlebox, 2),
    (LostRequest, 4),
    (RefusingStandbys, 3),
    (UnclearStandbys, 1),
    (TakingStandbys, 1),
    (Colours, 2),
    (RedStandbys, 2),
    (HaTold, 2),
    (OtherParameter, 1),
    (Replication, 2),
    (Hand, 3),
    (ForeignReboot, 2),
    (Switchover, 1),
    (ClockSetBack, 2),
)
"""Every behaviour, and how often it is drawn beside the others."""


def draw(chance: random.Random, topology: Topology) -> list[Behaviour]:
    """Draw what goes on: mostly nothing, or one thing."""
    kinds = [kind for kind, _ in TABLE]
    weights = [weight for _, weight in TABLE]
    drawn = chance.choices(kinds, weights, k=chance.choice([0, 0, 0, 1, 1, 2]))
    found = [kind.draw(chance, topology) for kind in dict.fromkeys(drawn)]
    return [behaviour for behaviour in found if behaviour]
