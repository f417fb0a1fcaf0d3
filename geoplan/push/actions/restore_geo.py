"""A group's GEO configuration restored on a newcomer over the API, under conditions; all else is looked at then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import same_addresses
from geoplan.errors import UnclearOutcomeError, UnitError, UnitUnreachableError
from geoplan.files import read_bounded, write_private
from geoplan.live.activity import said
from geoplan.live.findings import NoteKind
from geoplan.live.findings.newcomers import GeoConfiguration, differences, seeded_sites
from geoplan.live.fleet import NoActiveUnitError
from geoplan.live.model import LIST_NAMES, SUBJECTS
from geoplan.loadmaster.http import MAX_FILE_BYTES
from geoplan.push.boots import as_clock_time, boot_time, is_another_boot
from geoplan.push.context import StepError
from geoplan.push.outcome import Outcome, StepState
from geoplan.wording import some_of

if TYPE_CHECKING:
    from geoplan.live.model import HaFacts
    from geoplan.live.unit import Unit
    from geoplan.plan.model import Step
    from geoplan.push.context import Context

BY_HAND = "go on without --seed-by-api: then it is restored by hand"


class _Rest(NamedTuple):
    """What a restore of GEO is not to change."""

    boot_time: str | None
    host_name: str
    ha: HaFacts | None
    lists: tuple[tuple[str, ...], tuple[str, ...]]


async def restore_geo(context: Context, step: Step, unit: Unit, reference: Unit) -> Outcome:
    """Restore the reference's GEO configuration on a newcomer, once, and see that nothing else is another one.

    Raises :class:`StepError` where a condition does not hold, before anything is sent; and where anything beyond GEO
    changed.
    """
    group = context.plan.site(step.site).group
    try:
        await _require_conditions(context, step, unit, reference)
        before = await _rest(unit)
        here = GeoConfiguration(await unit.clusters(), await unit.fqdns())
    except UnitError as error:
        raise StepError(step, f"it cannot be seeded: {error.reason}", unit=error.unit, hint=BY_HAND) from None
    file = await save_to_seed(context, step, reference)
    site = context.plan.site(step.on.site)
    context.journal.write(
        "seeding",
        step=step.id,
        site=step.site,
        unit=unit.address,
        source=reference.address,
        file=str(file),
        before=[*(f"cluster {each.name}" for each in here.clusters), *(f"FQDN {name}" for name in here.fqdns)],
    )
    if not await context.fleet.is_active_now(site, unit.address):
        raise StepError(step, "the other unit took over meanwhile", unit=unit.address, hint="go on once it is settled")
    try:
        await unit.restore_geo(read_bounded(file, MAX_FILE_BYTES))
    except (UnclearOutcomeError, UnitUnreachableError):
        pass  # what it shows tells
    except UnitError as error:
        raise StepError(step, f"the restore was refused: {error.reason}", unit=unit.address, hint=BY_HAND) from None

    async def look() -> bool | None:
        try:
            now = GeoConfiguration(await unit.clusters(), await unit.fqdns())
            wanted = GeoConfiguration(await reference.clusters(), await reference.fqdns())
        except UnitError:
            return None
        return None if differences(context.plan, group, now, wanted) else True

    telling = context.reporter.waiting(step, "waiting until it shows the restored GEO configuration", unit.address)
    if not await context.until(look, within=context.timings.return_deadline, on_wait=telling):
        message = f"{unit.address} does not show the GEO configuration of {reference.address} after the restore"
        raise StepError(step, message, unit=unit.address, hint=BY_HAND)
    await _require_rest(context, step, unit, before)
    context.record("changed", step, unit.address, action=step.action.value)
    return Outcome(StepState.DONE, unit.address, f"restored from the backup of {reference.address}, and read back")


async def _require_conditions(context: Context, step: Step, unit: Unit, reference: Unit) -> None:
    plan, group = context.plan, context.plan.site(step.site).group

    def refuse(message: str) -> StepError:
        return StepError(step, f"it is not seeded over the API: {message}", unit=unit.address, hint=BY_HAND)

    if unit.address not in context.history.backed_up:
        raise refuse("it is not backed up")
    if services := await unit.virtual_services():
        raise refuse(f"it has {services} virtual services")
    if (own := await unit.firmware()) != (other := await reference.firmware()):
        raise refuse(f"it runs {own}, and {reference.address} runs {other}")
    wanted = GeoConfiguration(await reference.clusters(), await reference.fqdns())
    seeded = set(seeded_sites(plan))
    for site in plan.sites_of(group):
        if site.name in seeded:
            continue
        try:
            active = await context.fleet.active(site)
        except NoActiveUnitError as error:
            raise refuse(str(error)) from None
        if active.address == reference.address and active.address != site.units[0].address:
            looks = await context.fleet.look(site)
            raise refuse(f"the pair that it is seeded from is not on its master: {said(looks)}")
        found = GeoConfiguration(await active.clusters(), await active.fqdns())
        if left := differences(plan, group, found, wanted):
            raise refuse(f"{active.address} differs from {reference.address}: {'; '.join(left)}")


async def save_to_seed(context: Context, step: Step, reference: Unit) -> Path:
    """Keep what the reference has now beside its backup, for a restore: this push has changed it since that one.

    Raises :class:`StepError` where that cannot be done.
    """
    before = context.history.backed_up.get(reference.address)
    if before is None:
        raise StepError(step, f"there is no backup of {reference.address} to seed from", unit=reference.address)
    path = Path(before).with_name(f"{reference.address.replace(':', '_')}-to-seed.backup")
    try:
        content = await reference.backup()
        path.unlink(missing_ok=True)  # from an earlier newcomer, or an earlier run
        write_private(path, content)
    except UnitError as error:
        raise StepError(step, f"it gives no backup to seed from: {error.reason}", unit=reference.address) from None
    except OSError as error:
        raise StepError(step, f"cannot write {path}: {error.strerror or error}") from None
    return path


async def _rest(unit: Unit) -> _Rest:
    lists = (await unit.remote_geo_access(), await unit.geo_partners())
    return _Rest(await boot_time(unit), await unit.host_name(), await unit.ha_parameters(), lists)


async def _require_rest(context: Context, step: Step, unit: Unit, before: _Rest) -> None:
    """See that a restore has changed nothing but GEO; lists that it brought are the push's to set."""
    try:
        now = await _rest(unit)
    except UnitError as error:
        message = f"it was seeded, and does not tell what else changed: {error.reason}"
        raise StepError(step, message, unit=unit.address, hint="look at it, then go on") from None
    changed = []
    if before.boot_time and now.boot_time and is_another_boot(before.boot_time, now.boot_time):
        changed.append(
            f"it was rebooted: it says {as_clock_time(now.boot_time)}, and said {as_clock_time(before.boot_time)}"
        )
    if now.host_name != before.host_name:
        changed.append(f"its host name is {now.host_name}, and was {before.host_name}")
    if now.ha != before.ha:
        changed.append("its HA parameters are others")
    if changed:
        message = f"the restore changed more than GEO: {'; '.join(changed)}"
        hint = f"look at it; its own backup is {context.history.backed_up.get(unit.address)}"
        raise StepError(step, message, unit=unit.address, hint=hint)
    for subject, was, held in zip(SUBJECTS, before.lists, now.lists, strict=True):
        context.seen.note_list(step.site, subject, held)
        if not same_addresses(was, held):
            message = f"{unit.address}: the restore brought {LIST_NAMES[subject]} {some_of(held)}, which is set anew"
            context.note(NoteKind.SEEDED, message, site=step.site, unit=unit.address)
