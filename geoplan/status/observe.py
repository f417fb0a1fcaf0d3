"""Ask many units at once how they stand; whatever fails on one is a fact about it, and stops no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from geoplan.concurrency import DEFAULT_AT_ONCE, ask_each
from geoplan.errors import UnitError
from geoplan.live.model import Cause, Failure, Observation, Observations, failure_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from geoplan.live.model import HaFacts, LiveCluster, State
    from geoplan.plan.model import Plan, PlannedUnit, SiteSettings

UNIT_SECONDS = 20.0  # what a glance may take: a unit that is slower counts as one that does not answer


class ReadableUnit(Protocol):
    """What a status needs of one LoadMaster: reads alone.

    Each may raise :class:`geoplan.errors.UnitError`, but ``health``, which always knows an answer.
    """

    async def health(self) -> tuple[State, str] | None:
        """Return what its health check says and answered, or nothing where it has none."""

    async def firmware(self) -> str:
        """Return the version that it runs."""

    async def ha_parameters(self) -> HaFacts | None:
        """Return its HA parameters, or nothing where its platform has none."""

    async def geo_enabled(self) -> bool:
        """Tell whether GEO is on."""

    async def remote_ssh_access(self) -> bool:
        """Tell whether remote SSH access is allowed."""

    async def remote_geo_access(self) -> tuple[str, ...]:
        """Return its Remote GEO LoadMaster Access list."""

    async def geo_partners(self) -> tuple[str, ...]:
        """Return its GEO LoadMaster Partners list."""

    async def partner_status(self) -> Mapping[str, bool | None]:
        """Return whether each partner is green, or nothing for a colour that cannot be read."""

    async def clusters(self) -> tuple[LiveCluster, ...]:
        """Return its GEO clusters."""


Question = tuple[str, "Callable[[ReadableUnit], Awaitable[Any]]"]

# The first is what every unit can answer: one that does not is asked nothing more.
_FIRMWARE: Question = ("firmware", lambda unit: unit.firmware())
_HA: Question = ("ha", lambda unit: unit.ha_parameters())
_OTHERS: tuple[Question, ...] = (
    ("geo_enabled", lambda unit: unit.geo_enabled()),
    ("ssh_access", lambda unit: unit.remote_ssh_access()),
    ("remote_geo_access", lambda unit: unit.remote_geo_access()),
    ("geo_partners", lambda unit: unit.geo_partners()),
    ("partner_status", lambda unit: unit.partner_status()),
    ("clusters", lambda unit: unit.clusters()),
)


async def observe(
    plan: Plan,
    units: Mapping[str, ReadableUnit],
    *,
    unit_seconds: float = UNIT_SECONDS,
    jobs: int = DEFAULT_AT_ONCE,
) -> Observations:
    """Ask every unit of a plan for its health check and over its API: so many at once, each for so many seconds.

    A unit's seconds begin once it is asked.
    """

    async def ask(asked: tuple[SiteSettings, PlannedUnit]) -> Observation:
        site, planned = asked
        unit = units[planned.address]
        is_paired = site.kind == "ha_pair"
        questions = (_FIRMWARE, *((_HA,) if is_paired else ()), *_OTHERS)
        health, answers = await asyncio.gather(_health(unit, asked=is_paired), _answers(unit, questions, unit_seconds))
        state, said = health or (None, None)
        return Observation(planned.address, site.name, planned.role, state=state, health=said, **answers)

    planned_units = [(site, planned) for site in plan.sites for planned in site.units]
    return Observations({unit.address: unit for unit in await ask_each(planned_units, ask, asyncio.Semaphore(jobs))})


async def _health(unit: ReadableUnit, *, asked: bool) -> tuple[State, str] | None:
    return await unit.health() if asked else None  # a standalone need not serve it


async def _answers(unit: ReadableUnit, questions: tuple[Question, ...], seconds: float) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    unread: list[str] = []
    failure: Failure | None = None
    try:
        async with asyncio.timeout(seconds):
            for name, question in questions:
                try:
                    answers[name] = await question(unit)
                except UnitError as error:
                    found = failure_of(error)
                    if name == _FIRMWARE[0] or found.cause not in (Cause.UNREADABLE, Cause.REFUSED):
                        failure = found
                        break
                    unread.append(name)
    except TimeoutError:
        failure = Failure(Cause.UNREACHABLE, f"its API did not answer everything within {seconds:g} s")
    return {**answers, "failure": failure, "unread": tuple(unread)}
