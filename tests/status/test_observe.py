"""One round of reads: what fails on a unit is a fact about it, and stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from geoplan.errors import AuthenticationError, UnitRefusedError, UnitUnreachableError, UnusableAnswerError
from geoplan.live.model import Cause, HaFacts, LiveCluster, Observations, State
from geoplan.status.model import UnitState
from geoplan.status.observe import observe
from tests.status.made import A1, M1, M2, PLAN, S1, S2, status_of


@dataclass
class ScriptedUnit:
    """Answers everything, but for what the script has for a question: an error, or no answer at all."""

    address: str
    script: Mapping[str, Exception | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def _answer(self, name: str) -> None:
        self.asked.append(name)
        if name in self.script:
            if error := self.script[name]:
                raise error
            await asyncio.Event().wait()

    async def health(self) -> tuple[State, str] | None:
        await self._answer("health")
        return State.ACTIVE, "200"

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
        return ()

    async def partner_status(self) -> Mapping[str, bool | None]:
        await self._answer("partner_status")
        return {}

    async def clusters(self) -> tuple[LiveCluster, ...]:
        await self._answer("clusters")
        return ()


def observed(scripts: Mapping[str, Mapping[str, Exception | None]]) -> tuple[Observations, dict[str, ScriptedUnit]]:
    addresses = [unit.address for site in PLAN.sites for unit in site.units]
    units = {address: ScriptedUnit(address, scripts.get(address, {})) for address in addresses}
    return asyncio.run(observe(PLAN, units, unit_seconds=0.05)), units


def unreachable(address: str) -> UnitUnreachableError:
    return UnitUnreachableError(address, "connection refused", request_sent=False)


def test_every_unit_is_asked_and_failures_are_facts() -> None:
    facts, units = observed(
        {
            M1: {"firmware": unreachable(M1)},
            S1: {"firmware": AuthenticationError(S1, "it does not accept the credentials")},
            M2: {"clusters": UnusableAnswerError(M2, "its answer is not understood")},
            S2: {"ha": UnitRefusedError(S2, "refused", code=404, answer="Unknown command")},
        }
    )

    failures = {address: unit.failure and unit.failure.cause for address, unit in facts.units.items()}
    assert (failures[M1], failures[S1], failures[M2], failures[A1]) == (
        Cause.UNREACHABLE,
        Cause.UNAUTHORIZED,
        None,
        None,
    )
    assert facts.units[M2].unread == ("clusters",)
    assert facts.units[S2].unread == ("ha",)
    assert units[S1].asked.count("firmware") == 1
    assert "clusters" not in units[S1].asked


def test_standalone_is_not_asked_for_a_health_check() -> None:
    _, units = observed({})

    assert "health" not in units[A1].asked
    assert "ha" not in units[A1].asked
    assert "health" in units[M1].asked


def test_unit_that_falls_silent_keeps_what_it_has_said() -> None:
    facts, _ = observed({M1: {"geo_partners": None}, A1: {"firmware": None}})
    states = {unit.address: unit.state for site in status_of(facts).sites for unit in site.units}

    assert facts.units[M1].firmware == "7.2.59.4"
    failure = facts.units[M1].failure
    assert failure is not None
    assert "did not answer everything within" in failure.message
    assert states[M1] is UnitState.ACTIVE
    assert states[A1] is UnitState.DOWN
