"""What an unfinished update has left, by its journal: which version each unit may run, and the command each way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.push import firmware_records as updates
from geoplan.push.firmware_progress import UnitProgress, has_begun, is_version, progress_of, updated_units
from geoplan.vendor import NO_PREFERRED_HOST
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geoplan.live.findings.kinds import Command
    from geoplan.plan.model import SiteSettings
    from geoplan.push.history import History

    About = Callable[[History], Command]


def update_lines(history: History, on: str, command: Command, about: About) -> Iterator[str]:
    """Yield what the units of each site run by an unfinished update, and the command each way.

    ``on`` goes on with it; ``about`` returns what writes commands for once it is no longer unfinished.
    """
    begun = [site for site in history.plan.sites if has_begun(history, site.name)]
    yield from (_of_site(history, site) for site in begun)
    with_steps = dict.fromkeys(step.site for step in history.plan.steps)
    if others := [name for name in with_steps if name not in {site.name for site in begun}]:
        yield f"not begun: {some_of(others)}"
    yield f"who serves:        {command('status')}"
    yield f"to go on with it:  {on}"
    yield f"to abandon it:     {command('push', '--abandon')}"
    yield from (f"after that, back:  {way}" for way in ways_back(history, about(history)))


def ways_back(history: History, command: Command) -> tuple[str, ...]:
    """Return the commands that bring units back to what they ran before an update; none for one that goes back."""
    firmware = history.plan.firmware
    if firmware is None or history.begin.options.restores_firmware:
        return ()
    before = sorted({unit.present for unit in firmware.units if firmware.is_due(unit) and unit.present})
    return tuple(command("push", "--upgrade-to", version, "--back") for version in before)


def _of_site(history: History, site: SiteSettings) -> str:
    runs = {unit.address: _runs(history, unit.address) for unit in site.units}
    told = ", ".join(f"{unit} {words}" for unit, (words, _) in runs.items())
    is_mixed = len({version for _, version in runs.values()}) > 1
    mixed = "on two versions, or perhaps: " if is_mixed else ""
    aside = {each.unit: each.after for each in history.records if isinstance(each, updates.Preferring)}
    set_aside = f"; {NO_PREFERRED_HOST} is set meanwhile" if False in aside.values() and _own(site, aside) else ""
    return f"'{site.name}': {mixed}{told}{set_aside}"


def _own(site: SiteSettings, aside: dict[str, bool]) -> bool:
    own = {canonical(unit.address) for unit in site.units}
    return any(canonical(unit) in own and not after for unit, after in aside.items())


def _runs(history: History, unit: str) -> tuple[str, str | None]:
    """Return in words what a unit runs by the journal, and the version; None where only the unit knows."""
    firmware = history.plan.firmware
    before = next((each.present for each in firmware.units if each.address == unit), None) if firmware else None
    to = firmware.to if firmware else ""
    if is_version(before, to) or canonical(unit) in map(canonical, updated_units(history)):
        return f"runs {to}", to
    records = [each for each in history.records if isinstance(each, updates.Installing) and each.unit == unit]
    if records and progress_of(history, records[-1].step) is not UnitProgress.NOT_BEGUN:
        return f"may run {to}, and ran {before}", None
    return f"runs {before}", before
