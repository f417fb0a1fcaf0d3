"""How long things take in the lab: quick, so that a rehearsal takes seconds and not minutes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geoplan.lab.errors import LabError

DEFAULT_BOOT_SECONDS = 3.0
DEFAULT_FAILOVER_SECONDS = 0.5
DEFAULT_SYNC_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Timings:
    """The three times that the behaviour turns on, in seconds.

    Raises :class:`LabError` where a time is no time, or where a boot would be over before the standby takes over.
    """

    boot_seconds: float = DEFAULT_BOOT_SECONDS
    """From going down until the unit is up again."""
    failover_seconds: float = DEFAULT_FAILOVER_SECONDS
    """From the active's going until the standby is active."""
    sync_seconds: float = DEFAULT_SYNC_SECONDS
    """From a change on the active until the standby has it."""

    def __post_init__(self) -> None:
        for name in ("boot_seconds", "failover_seconds", "sync_seconds"):
            seconds = getattr(self, name)
            if not math.isfinite(seconds) or seconds < 0:
                raise LabError(f"{name} is {seconds}", hint="write a number of seconds, 0 or more")
        if self.failover_seconds >= self.boot_seconds:
            raise LabError(
                f"a failover takes {self.failover_seconds:g} s and a boot {self.boot_seconds:g} s: "
                "the slave would never be active",
                hint="make failover_seconds shorter than boot_seconds",
            )
