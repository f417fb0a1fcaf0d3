"""Ask units what they say of themselves: many units at once, one question after the other on each."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from geoplan.addresses import canonical
from geoplan.errors import UnitError, UnitUnreachableError
from geoplan.live.activity import Look
from geoplan.live.findings.pairs import planned_pairs
from geoplan.live.model import Cause, Failure, Observation, Observations, State, failure_of
from geoplan.plan.actions import DELETIONS
from geoplan.plan.model import Action, Phase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from geoplan.live.fleet import Fleet
    from geoplan.live.unit import Unit
    from geoplan.loadmaster.health import HealthAnswer
    from geoplan.loadmaster.model import HaStatus, UnitSettings
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
_CHANGE_TIME: tuple[Question, ...] = (("change_time", lambda unit: unit.change_time()),)
_SERVICES: tuple[Question, ...] = (
    ("geo_enabled", lambda unit: unit.geo_enabled()),
    ("ssh_access", lambda unit: unit.remote_ssh_access()),
)
_HA: tuple[Question, ...] = (("ha", lambda unit: unit.ha_parameters()),)
_FQDNS: tuple[Question, ...] = (("fqdns", lambda unit: unit.fqdns()),)
_MAPS: tuple[Question, ...] = (("fqdn_maps", lambda unit: unit.fqdn_maps()),)

SETTINGS, HA_STATUS = "settings", "ha_status"
_IN_SETTINGS = frozenset({"firmware", "boot_time", "ssh_access", "remote_geo_access", "geo_partners"})
"""What one call may tell at once, of all that is asked."""

_UNIT_SECONDS = 20.0
"""At a glance, until a unit's first answer, and for each one after it: a unit that is slower does not answer."""
_MAX_UNANSWERED = 2
"""Questions in a row without an answer, after which a unit that has answered before is asked no more."""

# Firmware may lack these, or answer them in an unknown way: that is said, and is no reason to stop.
_MAY_BE_UNKNOWN = frozenset({"partner_status", "ha", "fqdn_maps"})
# At a glance all but what every unit can answer, which is asked first.
_MAY_BE_UNREAD = frozenset({name for name, _ in (*_HA, *_SERVICES, *_LISTS, *_PARTNERS, *_CLUSTERS)})
_MAY_BE_UNTOLD = _MAY_BE_UNREAD | {"boot_time", "change_time", "fqdns"}
_SUBMISSIONS = frozenset({Action.RESUBMIT_GEO_PARTNERS, Action.RESUBMIT_ON_ACTIVE})


async def observe_for_status(fleet: Fleet, *, unit_seconds: float = _UNIT_SECONDS) -> Observations:
    """Ask every unit for its health check and over its API, each for so many seconds once it is asked.

    Whatever fails on a unit is a fact about it, and stops no other.
    """

    def questions(site: SiteSettings, _unit: PlannedUnit, _state: State | None) -> tuple[Question, ...]:
        own = (*_FIRMWARE, *(_HA if site.kind == "ha_pair" else ()), *_SERVICES)
        return (*own, *_LISTS, *_PARTNERS, *_CLUSTERS)

    return await _observe(fleet, questions, _MAY_BE_UNREAD, seconds=unit_seconds)


async def observe_for_follow(fleet: Fleet, *, unit_seconds: float = _UNIT_SECONDS) -> Observations:
    """Ask every unit what shows the steps of a plan that people carry out, as at a glance, and when it was booted.

    Where a submission can show in no list and no link, it is also asked when it was changed last, and what else that
    may have been. A unit that is down is not waited for: its partner's window does not last long.
    """
    formed = {pair.site for pair in planned_pairs(fleet.plan)}
    submitting = {step.on.site for step in fleet.plan.steps if step.action in _SUBMISSIONS}

    def questions(site: SiteSettings, unit: PlannedUnit, state: State | None) -> tuple[Question, ...]:
        if not (_takes_settings(state) or state is State.STANDBY):
            return _HA if site.name in formed else ()
        own = (*_BOOT_TIME, *(_HA if site.kind == "ha_pair" else ()))
        may_only_change = site.name in submitting and (unit.role == "standalone" or fleet.plan.change is not None)
        return (*own, *_LISTS, *_PARTNERS, *_CLUSTERS, *((*_CHANGE_TIME, *_FQDNS) if may_only_change else ()))

    return await _observe(fleet, questions, _MAY_BE_UNTOLD, seconds=unit_seconds, asks_silent=False)


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

    return await _observe(fleet, questions, _MAY_BE_UNKNOWN, asks_silent=False)


async def observe_for_preflight(fleet: Fleet) -> Observations:
    """Read everything that the checks before a push need, of every unit."""
    formed = {pair.site for pair in planned_pairs(fleet.plan)}
    deleting = {step.on.site for step in fleet.plan.steps if step.action in DELETIONS}

    def questions(site: SiteSettings, _unit: PlannedUnit, state: State | None) -> tuple[Question, ...]:
        own = (*_FIRMWARE, *_BOOT_TIME, *_SERVICES, *(_HA if site.kind == "ha_pair" else ()), *_LISTS)
        # A unit that is in no pair yet has a GEO configuration of its own, and no health check that tells of it.
        if _takes_settings(state) or (site.name in formed and state is not State.STANDBY):
            return (*own, *_CLUSTERS, *_PARTNERS, *_FQDNS, *(_MAPS if site.name in deleting else ()))
        # What forming a pair would take from its slave has to be known, whatever its health check says.
        return (*own, *_CLUSTERS, *(_FQDNS if site.name in formed else ())) if state is State.STANDBY else own

    return await _observe(fleet, questions, _MAY_BE_UNKNOWN)


async def observe_unplaced(unit: Unit) -> Observation:
    """Read everything of a unit of which nothing is known yet, not even whether it is one of a pair.

    It is asked what the checks before a push ask of any unit; :func:`placed` makes it a unit of a plan.
    """
    reading = _Reading(unit, _MAY_BE_UNKNOWN, None, is_paired=True)
    look = await reading.look(asks_silent=True)
    of_active = () if look and look.state is State.STANDBY else (*_PARTNERS, *_FQDNS)
    await reading.read((*_FIRMWARE, *_BOOT_TIME, *_SERVICES, *_HA, *_LISTS, *_CLUSTERS, *of_active))
    return Observation(
        unit.address,
        site="",
        role="standalone",
        host_name=reading.host_name,
        is_trusted=unit.is_trusted,
        wants_basic=unit.wants_basic,
        certificate=unit.certificate,
        **await reading.found(),
    )


def placed(found: Observation, plan: Plan, site: SiteSettings, unit: PlannedUnit) -> Observation:
    """Return what was read of an unplaced unit as it is read of the unit of a plan that it is."""
    answers = {
        "partner_status": found.partner_status,
        "geo_partners": found.geo_partners,
        "unread": found.unread,
        # A standalone need not have a health check, and is then in no state; nor is its platform to tell HA parameters.
        **(dict.fromkeys(("state", "health", "by_health", "ha_status", "ha")) if unit.role == "standalone" else {}),
    }
    if unit.role == "standalone":
        answers["unread"] = tuple(name for name in found.unread if name != "ha")
    answers = _without_nothing(plan, site, answers)
    return replace(found, address=unit.address, site=site.name, role=unit.role, **answers)


async def _observe(
    fleet: Fleet,
    questions: Callable[[SiteSettings, PlannedUnit, State | None], Iterable[Question]],
    passed_over: frozenset[str],
    *,
    seconds: float | None = None,
    asks_silent: bool = True,
) -> Observations:
    async def ask(asked: tuple[SiteSettings, PlannedUnit]) -> Observation:
        """Look at a unit, and ask it what that look suggests; a standalone need not serve the health check."""
        site, planned = asked
        unit = fleet.unit(planned.address)
        reading = _Reading(unit, passed_over, seconds, is_paired=site.kind == "ha_pair")
        look = await reading.look(asks_silent=asks_silent)
        state = look.state if look else None
        await reading.read(questions(site, planned, state))
        return Observation(
            planned.address,
            site.name,
            planned.role,
            is_trusted=unit.is_trusted,
            wants_basic=unit.wants_basic,
            certificate=unit.certificate,
            **_without_nothing(fleet.plan, site, await reading.found()),
        )

    sites = Observations(only=fleet.only).asked(fleet.plan)
    units = [(site, planned) for site in sites for planned in site.units]
    return Observations({unit.address: unit for unit in await fleet.ask_each(units, ask)}, fleet.only)


class _Reading:
    """What one unit is asked, one question after the other, and what it answers.

    It is asked until it fails as a whole; what may not be known, or a standby refuses, is passed over. At a glance,
    with ``seconds`` for each answer, a unit that has answered before is passed over likewise where it fails: it is up.
    """

    def __init__(self, unit: Unit, passed_over: frozenset[str], seconds: float | None, *, is_paired: bool) -> None:
        self._unit = unit
        self._passed_over = passed_over
        self._seconds = seconds
        self._is_paired = is_paired
        self._health: HealthAnswer | None = None
        self._told: HaStatus | None = None
        self._settings: UnitSettings | None = None
        self._answers: dict[str, Any] = {}
        self._has_answered = False
        self._unread: list[str] = []
        self._unanswered: list[str] = []
        self._in_a_row = 0
        self._refused: dict[str, Failure] = {}
        self._failure: Failure | None = None

    async def look(self, *, asks_silent: bool) -> Look | None:
        """Look at a unit of a pair, with patience, and read what one call tells of any unit.

        Without ``asks_silent`` a unit whose health check is silent is asked once who it is, and no more if it does not
        say so.
        """
        if self._is_paired:
            self._health = await self._unit.health()
            is_silent = self._health is None or self._health.state not in (State.ACTIVE, State.STANDBY)
            if is_silent and not asks_silent:
                with suppress(UnitError):
                    self._told = await self._unit.ha_status(once=True)
                if self._told is None:
                    return self._look
        self._settings = await self._ask(SETTINGS, self._unit.settings)
        if self._settings and self._settings.ha_status:
            self._told = self._settings.ha_status
        if self._is_paired and self._told is None and self._failure is None:
            self._told = await self._ask(HA_STATUS, self._unit.ha_status)
        return self._look

    @property
    def host_name(self) -> str | None:
        """What the unit calls itself, where one call has told that."""
        return self._settings.host_name if self._settings else None

    @property
    def _look(self) -> Look | None:
        if not self._is_paired:
            return None
        return Look(self._health.state if self._health else State.UNKNOWN, self._told)

    async def read(self, questions: Iterable[Question]) -> None:
        """Ask all that is not told yet, until the unit fails as a whole."""
        for name, question in questions:
            if self._failure is not None:
                return
            told = getattr(self._settings, name) if self._settings and name in _IN_SETTINGS else None
            if told is not None:
                self._answers[name] = told
            elif self._in_a_row >= _MAX_UNANSWERED:
                self._unanswered.append(name)
            else:
                self._answers[name] = await self._ask(name, partial(question, self._unit))

    async def _ask(self, name: str, ask: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401 - whatever it answers
        """Return an answer; None, with a note why, where there is none."""
        seconds = self._seconds
        if seconds and not self._has_answered:  # what one call may tell is asked in two ways before a unit is given up
            seconds /= 2
        try:
            async with asyncio.timeout(seconds):
                answer = await ask()
        except TimeoutError:
            self._note(name, Failure(Cause.UNREACHABLE, f"its API did not answer within {self._seconds:g} s"))
        except UnitError as error:
            if name != SETTINGS or not (isinstance(error, UnitUnreachableError) and error.request_sent):
                self._note(name, failure_of(error))
        else:
            if answer is not None:
                self._has_answered, self._in_a_row = True, 0
            return answer
        return None

    def _note(self, name: str, found: Failure) -> None:
        is_standby = self._health is not None and self._health.state is State.STANDBY
        no_answer = found.cause in (Cause.UNREADABLE, Cause.REFUSED)
        if no_answer and name == HA_STATUS:
            return  # older firmware does not know it
        if found.cause is Cause.REFUSED and is_standby and self._unit.is_trusted:
            self._refused[name] = found
        elif no_answer and name in self._passed_over:
            self._unread.append(name)
        elif self._seconds and self._has_answered and found.cause is Cause.UNREACHABLE:
            self._unanswered.append(name)
            self._in_a_row += 1
        elif self._seconds is None or name != SETTINGS or found.cause is not Cause.UNREACHABLE:
            self._failure = found

    async def found(self) -> dict[str, Any]:
        """Return everything as an observation has it."""
        await self._ask_again_at_its_own_port()
        # Only a standby may refuse: one that has become active meanwhile has told nothing of itself.
        if self._refused and self._failure is None and await self._unit.state() is not State.STANDBY:
            self._failure = next(iter(self._refused.values()))
        look = self._look
        return {
            **self._answers,
            "state": look.state if look else None,
            "health": self._health.said if self._health else None,
            "by_health": look.health if look else None,
            "ha_status": self._told,
            "failure": self._failure,
            "unread": tuple(self._unread),
            "unanswered": tuple(self._unanswered),
            "refused": () if self._failure else tuple(self._refused),
        }

    async def _ask_again_at_its_own_port(self) -> None:
        """Look again at a silent health check once the unit has told its port: that may be another than was asked."""
        ha = self._answers.get("ha")
        if self._health and self._health.state is State.DOWN and ha and ha.health_check_port:
            self._health = await self._unit.health()


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
