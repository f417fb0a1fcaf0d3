"""Ask units what they say of themselves: many units at once, one question after the other on each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.findings.pairs import planned_pairs
from geoplan.live.model import Cause, Failure, Observation, Observations, State, failure_of
from geoplan.plan.model import Phase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from geoplan.live.fleet import Fleet
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Plan, PlannedUnit, SiteSettings

Question = tuple[str, "Callable[[Unit], Awaitable[Any]]"]

_LISTS: tuple[Question, ...] = (
    ("remote_geo_access", lambda unit: unit.remote_geo_access()),
    ("geo_partners", lambda unit: unit.geo_partners()),
)
_CLUSTERS: tuple[Question, ...] = (("clusters", lambda unit: unit.clusters()),)
_PARTNERS: tuple[Question, ...] = (("partner_status", lambda unit: unit.partner_status()),)
_FIRMWARE: tuple[Question, ...] = (("firmware", lambda unit: unit.firmware()),)
_BOOT_TIME: tuple[Question, ...] = (("boot_time", lambda unit: unit.boot_time()),)
_SERVICES: tuple[Question, ...] = (
    ("geo_enabled", lambda unit: unit.geo_enabled()),
    ("ssh_access", lambda unit: unit.remote_ssh_access()),
)
_HA: tuple[Question, ...] = (("ha", lambda unit: unit.ha_parameters()),)
_FQDNS: tuple[Question, ...] = (("fqdns", lambda unit: unit.fqdns()),)

_UNIT_SECONDS = 20.0
"""What a glance may take: a unit that is slower counts as one that does not answer."""

# Firmware may lack these, or answer them in an unknown way: that is said, and is no reason to stop.
_MAY_BE_UNKNOWN = frozenset({"partner_status", "ha"})
# At a glance all but what every unit can answer, which is asked first.
_MAY_BE_UNREAD = frozenset({name for name, _ in (*_HA, *_SERVICES, *_LISTS, *_PARTNERS, *_CLUSTERS)})


async def observe_for_status(fleet: Fleet, *, unit_seconds: float = _UNIT_SECONDS) -> Observations:
    """Ask every unit for its health check and over its API, each for so many seconds once it is asked.

    Whatever fails on a unit is a fact about it, and stops no other.
    """

    def questions(site: SiteSettings, _unit: PlannedUnit, _state: State | None) -> tuple[Question, ...]:
        own = (*_FIRMWARE, *(_HA if site.kind == "ha_pair" else ()), *_SERVICES)
        return (*own, *_LISTS, *_PARTNERS, *_CLUSTERS)

    return await _observe(fleet, questions, _MAY_BE_UNREAD, seconds=unit_seconds)


async def observe_for_verify(fleet: Fleet) -> Observations:
    """Read what the comparison with the plan needs.

    That is of each unit its lists and clusters, of each site's active unit its partners as well, and of both units of
    a pair that the plan forms their HA parameters.
    """
    formed = {pair.site for pair in planned_pairs(fleet.plan)}

    def questions(site: SiteSettings, _unit: PlannedUnit, state: State | None) -> tuple[Question, ...]:
        own = _HA if site.name in formed else ()
        if Phase.GEO not in fleet.plan.phases() or not (_takes_settings(state) or state is State.STANDBY):
            return own
        return (*own, *_LISTS, *_CLUSTERS, *(_PARTNERS if _takes_settings(state) else ()))

    return await _observe(fleet, questions, _MAY_BE_UNKNOWN)


async def observe_for_preflight(fleet: Fleet) -> Observations:
    """Read everything that the checks before a push need, of every unit."""
    formed = {pair.site for pair in planned_pairs(fleet.plan)}

    def questions(site: SiteSettings, _unit: PlannedUnit, state: State | None) -> tuple[Question, ...]:
        own = (*_FIRMWARE, *_BOOT_TIME, *_SERVICES, *(_HA if site.kind == "ha_pair" else ()), *_LISTS)
        # A unit that is in no pair yet has a GEO configuration of its own, and no health check that tells of it.
        if _takes_settings(state) or (site.name in formed and state is not State.STANDBY):
            return (*own, *_CLUSTERS, *_PARTNERS, *_FQDNS)
        # What forming a pair would take from its slave has to be known, whatever its health check says.
        return (*own, *_CLUSTERS, *(_FQDNS if site.name in formed else ())) if state is State.STANDBY else own

    return await _observe(fleet, questions, _MAY_BE_UNKNOWN)


async def _observe(
    fleet: Fleet,
    questions: Callable[[SiteSettings, PlannedUnit, State | None], Iterable[Question]],
    passed_over: frozenset[str],
    *,
    seconds: float | None = None,
) -> Observations:
    async def ask(asked: tuple[SiteSettings, PlannedUnit]) -> Observation:
        """Look at a unit, and ask it what that look suggests; a standalone need not serve the health check."""
        site, planned = asked
        unit = fleet.unit(planned.address)
        health = await unit.health() if site.kind == "ha_pair" else None
        state = health.state if health else State.UNKNOWN if site.kind == "ha_pair" else None
        wanted, is_standby = questions(site, planned, state), state is State.STANDBY
        answers = await _answers(unit, wanted, passed_over, is_standby=is_standby, seconds=seconds)
        return Observation(
            planned.address,
            site.name,
            planned.role,
            state,
            health.said if health else None,
            is_trusted=unit.is_trusted,
            wants_basic=unit.wants_basic,
            certificate=unit.certificate,
            **_without_nothing(fleet.plan, site, answers),
        )

    units = [(site, planned) for site in fleet.plan.sites for planned in site.units]
    return Observations({unit.address: unit for unit in await fleet.ask_each(units, ask)})


async def _answers(
    unit: Unit,
    questions: Iterable[Question],
    passed_over: frozenset[str],
    *,
    is_standby: bool = False,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Ask until the unit fails as a whole; what may not be known, or a standby refuses, is passed over."""
    answers: dict[str, Any] = {}
    unread: list[str] = []
    refused: dict[str, Failure] = {}
    failure: Failure | None = None
    try:
        async with asyncio.timeout(seconds):
            for name, question in questions:
                try:
                    answers[name] = await question(unit)
                except UnitError as error:
                    found = failure_of(error)
                    if found.cause is Cause.REFUSED and is_standby and unit.is_trusted:
                        refused[name] = found
                    elif name in passed_over and found.cause in (Cause.UNREADABLE, Cause.REFUSED):
                        unread.append(name)
                    else:
                        failure = found
                        break
    except TimeoutError:
        failure = Failure(Cause.UNREACHABLE, f"its API did not answer everything within {seconds:g} s")
    # Only a standby may refuse: one that has become active meanwhile has told nothing of itself.
    if refused and failure is None and await unit.state() is not State.STANDBY:
        failure = next(iter(refused.values()))
    told = {} if failure else {"refused": tuple(refused)}
    return {**answers, "failure": failure, "unread": tuple(unread), **told}


def _without_nothing(plan: Plan, site: SiteSettings, answers: dict[str, Any]) -> dict[str, Any]:
    """Return answers without a partner status that names no planned partner, unless the unit has none entered.

    Such an answer is in a form that nobody knows: it says neither that partners are red nor that there are none.
    """
    status, entered = answers.get("partner_status"), answers.get("geo_partners")
    if status is None or not site.geo_partners:
        return answers
    others = (unit for other in plan.sites_of(site.group) if other.name != site.name for unit in other.units)
    planned = {canonical(known) for unit in others for known in (unit.address, unit.nat_address) if known}
    if planned & set(map(canonical, status)) or (entered is not None and not planned & set(map(canonical, entered))):
        return answers
    return {**answers, "partner_status": None, "unread": (*answers["unread"], "partner_status")}


def _takes_settings(state: State | None) -> bool:
    return state is None or state is State.ACTIVE
