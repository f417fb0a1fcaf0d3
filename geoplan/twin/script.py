"""What a rehearsal has in store: the units, the push, and everything that goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.lab.variants import Variant
    from geoplan.push.options import Options
    from geoplan.topology.model import Topology
    from geoplan.twin.behaviour import Behaviour

LIFTED_AFTER = 2


@dataclass
class Script:
    """What a seed has in store."""

    topology: Topology
    firmware: str | None
    options: Options
    faults: list[str] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    """The moments, in seconds after its start, at which a run is killed."""
    longest_delay: float = 0.01
    unpaired: bool = False
    """Whether the units of pairs begin by themselves, and the push forms them first."""
    behaviours: list[Behaviour] = field(default_factory=list)
    verifies_ha: bool = False
    """Whether the push does the HA phase although the pairs work."""
    abandons: int = 0
    """How many pushes that are left unfinished the operator abandons, from the first on."""
    variants: tuple[Variant, ...] = ()
    """In what units do otherwise than those of the lab do."""
    knows_hosts: bool = False
    """Whether the names of the units' hosts can be looked up."""
    has_key: bool = False
    """Whether the push has an API key, and no password."""
    lifted_after: int = LIFTED_AFTER
    """Runs beside those that are killed, after which all disturbances end."""
    patience_seconds: float = 0.0
    """How long is waited after that until the next run."""

    @property
    def incidents(self) -> int:
        """How many reboots more than planned everything that goes wrong may cost."""
        return len(self.faults) + len(self.kills) + sum(behaviour.costs for behaviour in self.behaviours)

    @property
    def hides_colours(self) -> bool:
        """Whether an operator cannot know that all links are green: the push then ends with exit code 1."""
        hidden = any(fault.startswith(("html", "error")) and "partnerstatus" in fault for fault in self.faults)
        return hidden or any(behaviour.hides_colours for behaviour in self.behaviours)
