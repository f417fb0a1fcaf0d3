"""How long a plan takes, by hand and over the API."""

from __future__ import annotations

from pydantic import Field

from geoplan.plan.base import FrozenModel


class Estimates(FrozenModel):
    """How long the plan takes; all times in seconds."""

    boot_seconds: float
    sync_seconds: float
    manual_step_seconds: float
    by_api_seconds: float = Field(
        description="One replication and one boot for each reboot, one boot for each update, one replication for each "
        "look at what is unlinked, all one after the other."
    )
    by_hand_seconds: float = Field(
        description="That, the time of a manual step for each step, and what the load balancers' health checks take."
    )
    longest_chain_seconds: float = Field(
        description="The time of the longest chain of steps that wait for one another: no way of working can beat it."
    )
    longest_chain_steps: int
