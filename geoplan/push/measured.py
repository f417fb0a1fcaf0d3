"""Before and after an update: lists, clusters, links, HA parameters, virtual services. What changed is a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.model import State
from geoplan.live.survey import observe_for_preflight
from geoplan.push.firmware_progress import set_aside_on
from geoplan.push.firmware_records import Measured, MeasuredUnit
from geoplan.push.values import HaValue
from geoplan.vendor import GEO_PARTNERS, PREFERRED_SERVER, REMOTE_GEO_ACCESS
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geoplan.live.fleet import Fleet
    from geoplan.live.model import HaFacts, Observation, Observations
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.context import Context
    from geoplan.push.history import History

Units = dict[str, MeasuredUnit]
Rows = list[tuple[str, MeasuredUnit | None, MeasuredUnit | None]]
"""The units of a site by their addresses, before and after."""


class Compared(NamedTuple):
    """One unit before and after: its versions, and in words what else changed."""

    site: str
    unit: str
    before: str | None
    after: str | None
    changed: tuple[str, ...]
    serves: str | None = None
    """In words that it serves in another unit's place; it stands in what changed as well, where that is a finding."""


async def measure(fleet: Fleet, facts: Observations) -> Units:
    """Return what all units hold, from what was just read of them and the number of their virtual services."""

    async def ask(unit: Observation) -> MeasuredUnit:
        return _measured(unit, await _virtual_services(fleet, unit.address))

    found = list(facts.units.values())
    return dict(zip((unit.address for unit in found), await fleet.ask_each(found, ask), strict=True))


def measured_before(history: History) -> Mapping[str, MeasuredUnit]:
    """Return what the journal says that units held before the first installation."""
    return next((record.units for record in history.records if isinstance(record, Measured)), {})


async def differences_of_unit(context: Context, address: str) -> list[str]:
    """Return in words what a unit that was just updated holds otherwise than before, as far as it tells both.

    Its preferred host may be set aside for now, and its links are looked at in the end.
    """
    before = measured_before(context.history).get(address)
    if before is None:
        return []
    unit = context.fleet.unit(address)
    try:
        ha, access, partners = await unit.ha_parameters(), await unit.remote_geo_access(), await unit.geo_partners()
        names = _names(cluster.name for cluster in await unit.clusters())
    except UnitError:
        return []  # a standby may refuse reads; whatever it is, the end looks again
    after = MeasuredUnit(
        ha=_ha(ha),
        remote_geo_access=_addresses(access),
        geo_partners=_addresses(partners),
        clusters=names,
        virtual_services=await _virtual_services(context.fleet, address),
    )
    is_aside = address in set_aside_on(context.history)
    return list(_differences(before, after, with_preferred=not is_aside))


async def compare(context: Context) -> tuple[Compared, ...]:
    """Compare all units with what they held before; links get their time to settle."""
    before = measured_before(context.history)
    found: list[tuple[Compared, ...]] = []

    async def look() -> bool | None:
        facts = await observe_for_preflight(context.fleet)
        after = await measure(context.fleet, facts)
        found[:] = [tuple(_compared(context.plan, before, after))]
        return None if any(row.changed for row in found[0]) else True

    timings = context.timings
    within = max(timings.settle_timeout, timings.replication_deadline)
    await context.until(look, within=within, every=max(timings.poll_seconds, min(5.0, timings.sync_seconds)))
    return found[0]


def _compared(plan: Plan, before: Mapping[str, MeasuredUnit], after: Mapping[str, MeasuredUnit]) -> Iterator[Compared]:
    for site in plan.sites:
        rows = [(unit.address, before.get(unit.address), after.get(unit.address)) for unit in site.units]
        lost = _links_lost([was for _, was, _ in rows], [now for _, _, now in rows])
        for number, (address, was, now) in enumerate(rows):
            changed = tuple(_differences(was, now, with_preferred=False)) if was and now else ()
            changed += tuple(_preferred(site, number, was, now))
            changed += lost if number == 0 else ()
            serves = _serves_in_place(site, number, rows)
            changed += (serves,) if serves and not _is_expected_to_move(plan, site) else ()
            yield Compared(site.name, address, _version(was), _version(now), changed, serves)


def _serves_in_place(site: SiteSettings, number: int, rows: Rows) -> str | None:
    """Say that a unit of a pair serves now and the other one did before; a preferred master serves as it should."""
    now, is_preferred = rows[number][2], site.preferred_host != "none" and number == 0
    if site.kind != "ha_pair" or is_preferred or now is None or not now.active:
        return None
    other, was, _ = rows[1 - number]
    return f"it serves now, and {other} did before" if was and was.active else None


def _is_expected_to_move(plan: Plan, site: SiteSettings) -> bool:
    """Return whether the order of section 7 moves the traffic of a pair that no preferred host moves back."""
    return plan.firmware is not None and site.preferred_host == "none" and bool(plan.firmware.due(site.name))


def _preferred(
    site: SiteSettings, number: int, before: MeasuredUnit | None, after: MeasuredUnit | None
) -> Iterator[str]:
    """Find a preferred host that is not the topology's: on the slave, which follows its master, only one that changed.

    An earlier update may have left it aside, so what was there before says nothing.
    """
    was, now = (unit.ha.preferred_host if unit and unit.ha else None for unit in (before, after))
    if site.kind != "ha_pair" or now is None or now == (site.preferred_host or "master"):
        return
    changed = f"changed: {was}, now {now}" if was not in (None, now) else f"is {now}"
    if number == 0 or was != now:
        yield f"its {PREFERRED_SERVER} {changed}, and the topology has {site.preferred_host or 'master'}"


def _version(unit: MeasuredUnit | None) -> str | None:
    return unit.firmware if unit else None


def _links_lost(before: list[MeasuredUnit | None], after: list[MeasuredUnit | None]) -> tuple[str, ...]:
    """Return which partners a site saw green before and not any more, whichever of its units is active now."""
    seen, sees = (frozenset(each for unit in units if unit for each in unit.green or ()) for units in (before, after))
    told = any(unit and unit.green is not None for unit in after)
    if seen and not told:
        return ("its links are not told any more",)
    return (f"it does not see {some_of(sorted(seen - sees))} green any more",) if seen - sees else ()


def _differences(before: MeasuredUnit, after: MeasuredUnit, *, with_preferred: bool = True) -> Iterator[str]:
    for name, what in _NAMES.items():
        was, now = getattr(before, name), getattr(after, name)
        if was is None or now is None:
            continue
        if was != now:
            yield f"{what} changed: {_shown(was)}, now {_shown(now)}"
    if before.ha is None or after.ha is None:
        return
    for name, what in _HA_NAMES.items():
        was, now = getattr(before.ha, name), getattr(after.ha, name)
        if was is not None and was != now and (with_preferred or name != "preferred_host"):
            yield f"its {what} changed: {_shown(was)}, now {_shown(now)}"


_NAMES = {
    "remote_geo_access": REMOTE_GEO_ACCESS,
    "geo_partners": GEO_PARTNERS,
    "clusters": "its list of clusters",
    "virtual_services": "the number of its virtual services",
}
_HA_NAMES = {
    "mode": "HA mode",
    "partner": "HA partner",
    "health_check_port": "health check port",
    "preferred_host": PREFERRED_SERVER,
    "all_interfaces": "health check on all interfaces",
}


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    return "not told" if value is None else str(value)


def _measured(unit: Observation, virtual_services: int | None) -> MeasuredUnit:
    clusters, status = unit.clusters, unit.partner_status
    return MeasuredUnit(
        firmware=unit.firmware,
        ha=_ha(unit.ha),
        remote_geo_access=_addresses(unit.remote_geo_access),
        geo_partners=_addresses(unit.geo_partners),
        clusters=None if clusters is None else _names(cluster.name for cluster in clusters),
        green=None if status is None else _addresses(address for address, green in status.items() if green),
        virtual_services=virtual_services,
        active=unit.state is State.ACTIVE if unit.state in (State.ACTIVE, State.STANDBY) else None,
    )


def _ha(found: HaFacts | None) -> HaValue | None:
    if found is None:
        return None
    preferred = None if found.prefers_master is None else "master" if found.prefers_master else "none"
    return HaValue(
        mode=found.mode,
        preferred_host=preferred,
        partner=found.partner,
        health_check_port=found.health_check_port,
        all_interfaces=found.all_interfaces,
    )


def _addresses(found: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(sorted(set(map(canonical, found))))


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(found))


async def _virtual_services(fleet: Fleet, address: str) -> int | None:
    try:
        return await fleet.unit(address).virtual_services()
    except UnitError:
        return None
