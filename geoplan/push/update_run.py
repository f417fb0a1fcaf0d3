"""An update: what of it is its own, beside what every push on units does."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import UnitError
from geoplan.live.activity import states_of
from geoplan.live.fleet import only_active
from geoplan.plan.model import Phase
from geoplan.push import firmware_records as updates
from geoplan.push.firmware_guard import guarded_for_update
from geoplan.push.firmware_progress import has_begun
from geoplan.push.set_aside import left_after, sites_to_set_again
from geoplan.push.units_run import UnitsPush, UnitsResult, run_on_units
from geoplan.push.update_checks import check_update
from geoplan.vendor import parse_version

if TYPE_CHECKING:
    from geoplan.live.fleet import Fleet
    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Context, Stop
    from geoplan.push.history import History
    from geoplan.push.journal import Journal
    from geoplan.push.listener import PushListener
    from geoplan.push.options import Options
    from geoplan.push.store import Store


async def run_update(
    fleet: Fleet, options: Options, store: Store, listener: PushListener, *, stop: Stop | None = None
) -> UnitsResult:
    """Carry an update out, or go on with it; raises what :func:`geoplan.push.run.run_push` raises."""
    return await run_on_units(_UPDATE, fleet, options, store, listener, stop=stop)


async def _standing(context: Context) -> list[str]:
    """Say of each site that was begun which version its units run, and which of them serves."""
    begun = [site for site in context.plan.sites if has_begun(context.history, site.name)]
    return [await _standing_of(context, site) for site in begun]


async def _standing_of(context: Context, site: SiteSettings) -> str:
    runs: dict[str, str | None] = {}
    for unit in site.units:
        runs[unit.address] = None
        with suppress(UnitError):
            runs[unit.address] = await context.fleet.unit(unit.address).firmware()
    told = ", ".join(f"{unit} {f'runs {version}' if version else _NOT_TOLD}" for unit, version in runs.items())
    if site.kind != "ha_pair":
        return f"  now       '{site.name}': {told}"
    active = only_active(states_of(await context.fleet.look(site)))
    serves = f"{active} serves" if active else "no unit is seen to serve: look at both at once"
    known = {parse_version(version) for version in runs.values() if version}
    mixed = "on two versions: " if len(known) > 1 else "perhaps on two versions: " if None in runs.values() else ""
    return f"  now       '{site.name}': {mixed}{told}; {serves}"


_NOT_TOLD = "does not answer, so what it runs is not known"


def _carry_over(journal: Journal, store: Store, _replaced: History | None) -> None:
    """Write down which pairs earlier updates have left on *No Preferred Host*: their steps set it again."""
    own = journal.history
    left: dict[str, History] = {}
    for history in store.histories():
        left = left_after(left, history, store.keys) if history.path != own.path else left
    known = {record.site for record in own.records if isinstance(record, updates.LeftAside)}
    for site in sites_to_set_again(own.plan, left):
        if site.name not in known:
            units = [unit.address for unit in site.units if canonical(unit.address) in left]
            journal.write("left_aside", site=site.name, units=units)


_UPDATE = UnitsPush(Phase.FIRMWARE, check_update, guarded_for_update, _standing, _carry_over)
