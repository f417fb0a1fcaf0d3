"""``verify_unlinked``: no list of a site that leaves names the others, and none of theirs names it, on any unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.findings import NoteKind
from geoplan.live.findings.clusters import addresses_before
from geoplan.live.model import LIST_NAMES
from geoplan.push.actions.leaving import ask_units, left_alone, part_of, require_told
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.vendor import SYNC_PORT
from geoplan.wording import count, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.live.model import Subject
    from geoplan.live.unit import Unit
    from geoplan.plan.model import SiteSettings, Step
    from geoplan.push.actions.leaving import Told
    from geoplan.push.context import Context

Lists = tuple[tuple[str, ...], tuple[str, ...]]


class _Side(NamedTuple):
    """A site, and the addresses that none of its lists may have."""

    site: SiteSettings
    unwanted: frozenset[str]


_SUBJECTS: tuple[Subject, ...] = ("remote_geo_access", "geo_partners")


async def verify_unlinked(context: Context, step: Step) -> Outcome:
    """See that both lists on both sides are without each other on every unit, and that no partner is green there.

    A standby has to tell in an answer of its own; one that explicitly refuses gets the full time of a replication.
    Sites that leave in other parts are seen by a step of their own.
    """
    part, plan = part_of(context, step), context.plan
    gone = addresses_before(plan, step.site)
    kept = frozenset().union(*(addresses_before(plan, name) for name in part.others))
    left = await left_alone(context, step, wholly=True)
    sides = [_Side(plan.site(name), gone) for name in part.stay]
    sides += [] if left else [_Side(plan.site(step.site), kept)]
    lists = await _until_without(context, step, sides)
    if lists.refusing:
        seconds = context.timings.replication_seconds
        message = f"{some_of(lists.refusing)}: the standby refuses reads; waiting {seconds:.0f} s for replication"
        context.note(NoteKind.STANDBY_REFUSES, message, site=step.site)
        await context.clock.sleep(seconds)
        await _until_without(context, step, sides)
    await _until_not_green(context, step, sides)
    if left:
        return left
    message = f"no list of {count(len(lists.told) + len(lists.refusing), 'unit')} names the other side"
    return Outcome(StepState.DONE, None, message)


async def _read(unit: Unit) -> Lists:
    return await unit.remote_geo_access(), await unit.geo_partners()


async def _until_without(context: Context, step: Step, sides: Sequence[_Side]) -> Told[Lists]:
    """Read the lists of both sides until none names the other one; a standby follows within a replication."""
    sites = [side.site for side in sides]
    unwanted = {unit.address: side.unwanted for side in sides for unit in side.site.units}
    seen: list[Told[Lists]] = []

    async def look() -> bool | None:
        seen.append(await ask_units(context, sites, _read))
        return None if seen[-1].silent or any(_named(seen[-1], unwanted)) else True

    within, every = context.timings.replication_deadline, max(context.timings.poll_seconds, 1.0)
    telling = context.reporter.waiting(step, "waiting until no list names the other side")
    if await context.until(look, within=within, every=every, on_wait=telling):
        return seen[-1]
    require_told(step, seen[-1], "two lists")
    unit, subject, addresses = next(_named(seen[-1], unwanted))
    raise StepError(
        step,
        f"its {LIST_NAMES[subject]} still has {some_of(addresses)}, so nothing is deleted",
        unit=unit,
        hint=f"see that the pair synchronises (TCP port {SYNC_PORT}) and that nobody else changes it, then go on",
    )


def _named(
    found: Told[Lists], unwanted: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, Subject, tuple[str, ...]]]:
    for unit, lists in found.told.items():
        for subject, held in zip(_SUBJECTS, lists, strict=True):
            if named := tuple(address for address in held if canonical(address) in unwanted[unit]):
                yield unit, subject, named


async def _until_not_green(context: Context, step: Step, sides: Sequence[_Side]) -> None:
    """See that no active unit shows a partner on the other side green, as far as it tells that."""
    green: list[tuple[str, str]] = []

    async def look() -> bool | None:
        green.clear()
        for site, unwanted in sides:
            for planned in site.units:
                try:
                    told = await context.fleet.unit(planned.address).partner_status()
                except UnitError:
                    continue
                shown = [address for address, is_green in told.items() if is_green and canonical(address) in unwanted]
                green.extend((planned.address, address) for address in shown)
        return None if green else True

    telling = context.reporter.waiting(step, "waiting until no partner on the other side is green")
    every = max(context.timings.poll_seconds, 1.0)
    if not await context.until(look, within=context.timings.replication_deadline, every=every, on_wait=telling):
        unit, partner = green[0]
        hint = f"submit GEO LoadMaster Partners again on {unit} and on {partner}, then go on"
        raise StepError(step, f"it shows {partner} green, which it does not list any more", unit=unit, hint=hint)
