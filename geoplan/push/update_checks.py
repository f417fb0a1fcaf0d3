"""What blocks an update, found before anything is changed; of sites that were begun the steps look by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geoplan.addresses import canonical, same_addresses
from geoplan.errors import UnitError
from geoplan.live.activity import AT_WORK, said
from geoplan.live.findings import Note, NoteKind
from geoplan.live.findings.kinds import generic_command
from geoplan.live.findings.notes import notes_of
from geoplan.live.fleet import are_healthy
from geoplan.live.model import LIST_NAMES, SUBJECTS, State, how_to_reach
from geoplan.loadmaster.decode import moment
from geoplan.plan.model import Action
from geoplan.push.boots import room_at
from geoplan.push.firmware_progress import has_begun, is_version
from geoplan.push.preflight import PreflightResult
from geoplan.push.problems import Problem
from geoplan.push.set_aside import sites_to_set_again
from geoplan.push.waiting_image import image_problems
from geoplan.push.window import time_problems
from geoplan.vendor import NO_PREFERRED_HOST, PREFER_MASTER, PREFERRED_SERVER, SHARED_SECRET
from geoplan.wording import count, join_words, local_time, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from geoplan.live.fleet import Fleet
    from geoplan.live.model import Observation, Observations
    from geoplan.plan.firmware_change import FirmwareChange
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.history import History
    from geoplan.push.ledger import Ledger
    from geoplan.push.options import Options
    from geoplan.push.store import Past
    from geoplan.push.waiting_image import WaitingImage

PUSH_FIRST = "push first: geoplan push checks all of it and mends what it can"
SMALLEST_IMAGE = 1024 * 1024
"""In bytes. No document has the size of an image; those in use have hundreds of times as much."""
BY_IMAGE = "leave --back out, and give the image of that version with --image"


async def check_update(
    fleet: Fleet, facts: Observations, options: Options, past: Past, history: History | None
) -> PreflightResult:
    """Compare what all units say with what an update needs."""
    plan, change, now, ledger = fleet.plan, fleet.plan.firmware, fleet.clock.wall(), past.ledger
    if change is None:
        raise ValueError("the plan is none of new firmware")
    with_steps = [site for site in plan.sites if any(step.site == site.name for step in plan.steps)]
    fresh = [site for site in with_steps if history is None or not has_begun(history, site.name)]
    problems = [*_way_problems(plan, change), *_image_problems(plan, change, options)]
    for site in fresh:
        problems += _site_problems(plan, site, facts, change)
        problems += _pair_problems(plan, site, facts, ledger, now) if site.kind == "ha_pair" else ()
    if options.restores_firmware:
        problems += await _previous_problems(fleet, fresh, change)
    problems += time_problems(fleet, options, now, fresh)
    as_they_are = _as_they_are(with_steps, change, options)
    problems += image_problems(as_they_are, facts, _of_others(past, history), generic_command)
    notes = [*notes_of(plan, facts), *map(_note_of_left, sites_to_set_again(plan, past.left_aside))]
    return PreflightResult(tuple(problems), tuple(notes), ())


def _as_they_are(sites: list[SiteSettings], change: FirmwareChange, options: Options) -> list[str]:
    """Return the units that get no image: those that run the version already, and on the way back all."""
    due = {unit.address for unit in change.units if change.is_due(unit) and not options.restores_firmware}
    return [unit.address for site in sites for unit in site.units if unit.address not in due]


def _of_others(past: Past, history: History | None) -> dict[str, WaitingImage]:
    """Return what earlier updates have left waiting: what this one sent, its own steps look at."""
    return {unit: image for unit, image in past.waiting.items() if history is None or image.update.path != history.path}


def _note_of_left(site: SiteSettings) -> Note:
    message = f"an earlier update left it on {NO_PREFERRED_HOST}; this one sets {PREFER_MASTER} again at its end"
    return Note(site.name, message, NoteKind.FINDING)


def _way_problems(plan: Plan, change: FirmwareChange) -> Iterator[Problem]:
    if crossing := [unit.address for unit in change.crossing if change.is_due(unit)]:
        message = (
            f"{some_of(crossing)}: this update brings or takes the {SHARED_SECRET}, and while only one unit of a pair "
            "has it, HA between them is refused"
        )
        yield Problem(plan.topology, message, "do it by hand, by the runbook of geoplan upgrade")


def _image_problems(plan: Plan, change: FirmwareChange, options: Options) -> Iterator[Problem]:
    """Find whether the image's name says another version, or its size that it is none: nothing else can be looked at.

    Each version in the name counts, and as a whole: 7.2.60.10 and 17.2.60.1 are not 7.2.60.1.
    """
    image = options.image
    if image is None or options.restores_firmware:
        return
    wanted, said = ".".join(change.to.split(".")[:4]), versions_in(image.name)
    hint = f"see that it is the image of {wanted}, and call it so"
    if not said:
        yield Problem(plan.topology, f"the name of the image, {image.name}, does not say {wanted}", hint)
    elif others := [version for version in said if not is_version(version, change.to)]:
        message = f"the name of the image, {image.name}, says {join_words(others)}, and not {wanted}"
        yield Problem(plan.topology, message if others == said else f"{message} alone", hint)
    if image.size < SMALLEST_IMAGE:
        message = f"the image {image.name} has {image.size:,} bytes, which no firmware fits into"
        yield Problem(plan.topology, message, "see that it was downloaded to its end")


def versions_in(name: str) -> list[str]:
    """Return the versions that a file's name says: three numbers or more with dots between, each once."""
    return list(dict.fromkeys(re.findall(r"(?<![\d.])\d{1,9}(?:\.\d{1,9}){2,}(?!\d)", name)))


def _site_problems(plan: Plan, site: SiteSettings, facts: Observations, change: FirmwareChange) -> Iterator[Problem]:
    """Find what no unit may be like that gets new firmware, or whose partner does."""
    planned = {unit.address: unit.present for unit in change.of_site(site.name)}
    for unit in facts.of_site(site.name):
        if unit.failure is not None:
            yield Problem(unit.address, unit.failure.message, how_to_reach("see that its API answers", unit))
        elif unit.firmware is None:
            yield Problem(unit.address, "it does not tell its version", "update its site by hand")
        elif not is_version(unit.firmware, planned.get(unit.address) or ""):
            message = f"it runs {unit.firmware}, and a moment ago it ran {planned.get(unit.address)}"
            yield Problem(unit.address, message, "find out who else updates it")
        yield from red_links(plan, site, unit, facts)


def red_links(plan: Plan, site: SiteSettings, unit: Observation, facts: Observations) -> Iterator[Problem]:
    """Find active units of others that a site's active unit sees red: one of them may be gone in an update."""
    known: dict[str, str] = {}
    for other in plan.sites_of(site.group):
        active = facts.active(other.name) if other.name != site.name else None
        for planned in other.units:
            if active and planned.address == active.address:
                known |= dict.fromkeys(
                    map(canonical, filter(None, (planned.address, planned.nat_address))), planned.address
                )
    told = {canonical(address): green for address, green in (unit.partner_status or {}).items()}
    if red := [known[address] for address, green in told.items() if green is False and address in known]:
        message = f"it sees these active partners red: {some_of(red)}"
        yield Problem(unit.address, message, "mend the links first: geoplan diff says which, and how")


def _pair_problems(
    plan: Plan, site: SiteSettings, facts: Observations, ledger: Ledger, now: datetime
) -> Iterator[Problem]:
    units = facts.of_site(site.name)
    looks = {unit.address: unit.look for unit in units if unit.look is not None}
    states = {address: look.state for address, look in looks.items()}
    # An update that was given up may have left No Preferred Host on both: then whichever is active is where it stays.
    is_aside = sorted(states.values()) == AT_WORK and all(unit.ha and unit.ha.prefers_master is False for unit in units)
    if not (is_aside or are_healthy(site, states)):
        wanted = "one unit has to be active" if site.preferred_host == "none" else "its master has to be active"
        yield Problem(site.name, f"{wanted} and the other unit its standby, but {said(looks)}", "repair the pair first")
    if ledger.owes_reboot(site):
        yield Problem(site.name, "its slave still owes links, and the update makes it active", PUSH_FIRST)
    yield from out_of_sync(units)
    aside = any(step.site == site.name and step.action is Action.SET_PREFERRED_HOST_ASIDE for step in plan.steps)
    for unit in units:
        if later := room_at(ledger.reboots_of(unit.address), now, moment(unit.boot_time or "")):
            message = "it was rebooted 3 times in 5 minutes; one more reboot, and it makes itself passive"
            yield Problem(unit.address, message, f"try again after {local_time(later)}")
        if aside and unit.failure is None and (unit.ha is None or unit.ha.prefers_master is None):
            message = f"it does not tell {PREFERRED_SERVER}, which has to be set aside for the update"
            yield Problem(unit.address, message, "set it by hand, and preferred_host: none in the topology meanwhile")


def out_of_sync(units: tuple[Observation, ...]) -> Iterator[Problem]:
    """Find a standby that does not hold what its active unit does, as far as it tells."""
    active = [unit for unit in units if unit.state is State.ACTIVE]
    for unit in units:
        for subject in SUBJECTS if len(active) == 1 and unit is not active[0] else ():
            held, wanted = getattr(unit, subject), getattr(active[0], subject)
            if held is not None and wanted is not None and not same_addresses(held, wanted):
                message = f"{LIST_NAMES[subject]} is not that of {active[0].address}: the pair does not synchronise"
                yield Problem(unit.address, message, "see why; an update would bring it up with what it has")


async def _previous_problems(fleet: Fleet, sites: list[SiteSettings], change: FirmwareChange) -> list[Problem]:
    """Find units that do not go back to the version that is asked for."""

    async def ask(address: str) -> Problem | None:
        try:
            found = await fleet.unit(address).previous_firmware()
        except UnitError as error:
            return Problem(address, f"it does not tell to which version it goes back: {error.reason}", BY_IMAGE)
        message = f"it goes back to {found}, and not to {change.to}"
        return None if is_version(found, change.to) else Problem(address, message, BY_IMAGE)

    due = [unit.address for site in sites for unit in change.due(site.name)]
    return [problem for problem in await fleet.ask_each(due, ask) if problem]


def what_to_know(plan: Plan, options: Options) -> Iterator[str]:
    """Yield what nobody has confirmed of real units, and what an update costs."""
    change = plan.firmware
    alone = [site for site in plan.sites if site.kind == "standalone" and change and change.due(site.name)]
    if alone:
        addresses = some_of([site.units[0].address for site in alone])
        yield f"no partner takes over from {addresses}: such a site is down while its unit reboots"
    if pairs := sum(step.action is Action.RESTORE_PREFERRED_HOST for step in plan.steps):
        yield f"{count(pairs, 'pair')} under Prefer Master: setting it again may move the traffic once more"
    free = [site for site in plan.sites if site.preferred_host == "none" and change and change.due(site.name)]
    if free:
        names = join_words([f"'{site.name}'" for site in free])
        yield f"under {NO_PREFERRED_HOST}, so another unit serves afterwards, and nothing moves that back: {names}"
    if options.restores_firmware:
        yield "not confirmed on a real unit: that restorepatch goes back to the version that the unit names"
    elif options.image is not None:
        yield (
            "not confirmed on a real unit: that installpatch takes the image alone (since 7.2.50 an XML verification "
            "file is checked by default), and that a standby takes it; where a unit does not know it, its update is "
            "yours to do by hand, and the push waits for it"
        )
