"""Units that answer by a script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from geoplan.live.fleet import Fleet
from geoplan.live.model import GeoCluster, HaFacts, State
from geoplan.live.polling import SystemClock, Timings
from geoplan.live.unit import Unit
from geoplan.loadmaster.health import HealthAnswer
from geoplan.loadmaster.model import HaStatus, UnitSettings
from geoplan.plan.model import Plan


@dataclass
class ScriptedUnit:
    """Answers everything, but for what the script has for a question: an error, or no answer at all."""

    address: str
    script: Mapping[str, Exception | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_trusted: bool = True
    wants_basic: bool = False
    status: Mapping[str, bool | None] = field(default_factory=dict)
    entered: tuple[str, ...] = ()
    health_answer: HealthAnswer = field(default_factory=lambda: HealthAnswer(State.ACTIVE, "200"))
    ha_told: HaStatus | None = None
    """What its API says of its place in its pair."""
    told_at_once: UnitSettings | None = None
    """What one call tells."""

    async def _answer(self, name: str) -> None:
        self.asked.append(name)
        if name in self.script:
            if error := self.script[name]:
                raise error
            await asyncio.Event().wait()

    async def health(self) -> HealthAnswer | None:
        await self._answer("health")
        return self.health_answer

    async def state(self) -> State:
        return self.health_answer.state

    async def ha_status(self, *, once: bool = False) -> HaStatus | None:
        await self._answer("ha_status once" if once else "ha_status")
        return self.ha_told

    async def settings(self) -> UnitSettings | None:
        await self._answer("settings")
        return self.told_at_once

    async def firmware(self) -> str:
        await self._answer("firmware")
        return "7.2.59.4"

    async def ha_parameters(self) -> HaFacts | None:
        await self._answer("ha")
        return None

    async def geo_enabled(self) -> bool:
        await self._answer("geo_enabled")
        return True

    async def remote_ssh_access(self) -> bool:
        await self._answer("ssh_access")
        return True

    async def remote_geo_access(self) -> tuple[str, ...]:
        await self._answer("remote_geo_access")
        return ()

    async def geo_partners(self) -> tuple[str, ...]:
        await self._answer("geo_partners")
        return self.entered

    async def partner_status(self) -> Mapping[str, bool | None]:
        await self._answer("partner_status")
        return self.status

    async def clusters(self) -> tuple[GeoCluster, ...]:
        await self._answer("clusters")
        return ()

    async def fqdns(self) -> tuple[str, ...]:
        await self._answer("fqdns")
        return ()

    async def boot_time(self) -> str | None:
        await self._answer("boot_time")
        return None


def fleet_of(plan: Plan, units: Mapping[str, ScriptedUnit], *, jobs: int = 8) -> Fleet:
    return Fleet(plan, cast("Mapping[str, Unit]", units), SystemClock(), Timings(120, 120), jobs=jobs)
