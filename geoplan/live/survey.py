"""Ask units what they say of themselves: many units at once, one question after the other on each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geoplan.errors import UnitError
from geoplan.live.findings.pairs import planned_pairs
from geoplan.live.model import Cause, Observation, Observations, State, failure_of
from geoplan.plan.model import Phase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from geoplan.live.fleet import Fleet
    from geoplan.live.model import Failure
    from geoplan.live.unit import Unit
    from geoplan.plan.model import PlannedUnit, SiteSettings

Question = tuple[str, "Callable[[Unit], Awaitable[Any]]"]

_LISTS: tuple[Question, ...] = (
    ("remote_geo_access", lambda unit: unit.remote_geo_access()),
    ("geo_partners", lambda unit: unit.geo_partners()),
)
_CLUSTERS: tuple[Question, ...] = (("clusters", lambda unit: unit.clusters()),)
_PARTNERS: tuple[Question, ...] = (("partner_status", lambda unit: unit.partner_status()),)
_SYSTEM: tuple[Question, ...] = (
    ("firmware", lambda unit: unit.firmware()),
    ("boot_time", lambda unit: unit.boot_time()),
    ("geo_enabled", lambda unit: unit.geo_enabled()),
    ("ssh_access", lambda unit: unit.remote_ssh_access()),
)
_HA: tuple[Question, ...] = (("ha", lambda unit: unit.ha_parameters()),)
_FQDNS: tuple[Question, ...] = (("fqdns", lambda unit: unit.fqdns()),)

# Firmware may lack these, or answer them in an unknown way: that is said, and is no reason to stop.
_MAY_BE_UNKNOWN = frozenset({"partner_status", "ha"})


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

    return await _observe(fleet, questions)


async def observe_for_preflight(fleet: Fleet) -> Observations:
    """Read everything that the checks before a push need, of every unit."""
    formed = {pair.site for pair in planned_pairs(fleet.plan)}

    def questions(site: SiteSettings, _unit: PlannedUnit, state: State | None) -> tuple[Question, ...]:
        own = (*_SYSTEM, *(_HA if site.kind == "ha_pair" else ()), *_LISTS)
        # A unit that is in no pair yet has a GEO configuration of its own, and no health check that tells of it.
        if _takes_settings(state) or (site.name in formed and state is not State.STANDBY):
            return (*own, *_CLUSTERS, *_PARTNERS, *_FQDNS)
        # What forming a pair would take from its slave has to be known, whatever its health check says.
        return (*own, *_CLUSTERS, *(_FQDNS if site.name in formed else ())) if state is State.STANDBY else own

    return await _observe(fleet, questions)


async def _observe(
    fleet: Fleet, questions: Callable[[SiteSettings, PlannedUnit, State | None], Iterable[Question]]
) -> Observations:
    async def ask(asked: tuple[SiteSettings, PlannedUnit]) -> Observation:
        site, planned = asked
        unit = fleet.unit(planned.address)
        state = await unit.state() if site.kind == "ha_pair" else None
        answers = await _answers(unit, questions(site, planned, state), is_standby=state is State.STANDBY)
        return Observation(planned.address, site.name, planned.role, state, is_trusted=unit.is_trusted, **answers)

    units = [(site, planned) for site in fleet.plan.sites for planned in site.units]
    return Observations({unit.address: unit for unit in await fleet.ask_each(units, ask)})


async def _answers(unit: Unit, questions: Iterable[Question], *, is_standby: bool) -> dict[str, Any]:
    """Ask until the unit fails as a whole; what it may not know, or refuses as a standby, is passed over."""
    answers: dict[str, Any] = {}
    unread: list[str] = []
    refused: dict[str, Failure] = {}
    for name, question in questions:
        try:
            answers[name] = await question(unit)
        except UnitError as error:
            failure = failure_of(error)
            if failure.cause is Cause.REFUSED and is_standby and unit.is_trusted:
                refused[name] = failure
            elif name in _MAY_BE_UNKNOWN and failure.cause in (Cause.UNREADABLE, Cause.REFUSED):
                unread.append(name)
            else:
                return {**answers, "failure": failure, "unread": tuple(unread)}
    # Only a standby may refuse: one that has become active meanwhile has told nothing of itself.
    if refused and await unit.state() is not State.STANDBY:
        return {**answers, "failure": next(iter(refused.values())), "unread": tuple(unread)}
    return {**answers, "unread": tuple(unread), "refused": tuple(refused)}


def _takes_settings(state: State | None) -> bool:
    return state is None or state is State.ACTIVE
