"""Units that may have new firmware waiting: an update sent it to them, ended, and saw no boot of them since.

Whatever boots such a unit next may bring it up with the other version: no push does that unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.loadmaster.decode import moment
from geoplan.push import firmware_records as updates
from geoplan.push import records as models
from geoplan.push.firmware_progress import is_version
from geoplan.push.kinds import words_of_kind
from geoplan.push.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geoplan.live.findings.kinds import Command
    from geoplan.live.model import Observation, Observations
    from geoplan.push.history import History


class WaitingImage(NamedTuple):
    """What an update sent to a unit."""

    sent: updates.Installing
    update: History


def waiting_after(
    waiting: Mapping[str, WaitingImage], history: History, keys: Mapping[str, str]
) -> dict[str, WaitingImage]:
    """Return the units with firmware that may be waiting, by canonical address, with a further journal.

    ``keys`` are the keys of the units that count. A boot ends it: what the unit runs from then on is told by itself.
    """
    found, before = dict(waiting), dict[str, WaitingImage]()
    named = {canonical(address): key for address, key in history.begin.units.items()}
    for record in history.records:
        match record:
            case updates.Installing(unit=unit):
                if named.get(canonical(unit)) == keys.get(canonical(unit), ""):
                    found[canonical(unit)] = WaitingImage(record, history)
            case updates.NotInstalled(unit=unit) | updates.Updated(unit=unit):
                found.pop(canonical(unit), None)
            case models.Rebooting(unit=unit):
                if image := found.pop(canonical(unit), None):
                    before[canonical(unit)] = image
            case models.RebootNotSent(unit=unit):
                if image := before.pop(canonical(unit), None):
                    found[canonical(unit)] = image
            case _:
                pass
    return found


def may_wait(image: WaitingImage, unit: Observation | None) -> bool:
    """Return whether it may still be there: the unit does not run it, and tells of no boot since it was sent."""
    if unit is None:
        return True
    if unit.firmware is not None and is_version(unit.firmware, image.sent.after):
        return False
    booted = moment(unit.boot_time or "")
    return booted is None or booted <= image.sent.at


def image_problems(
    units: Iterable[str], facts: Observations, waiting: Mapping[str, WaitingImage], command: Command
) -> Iterator[Problem]:
    """Find units, of those that a push boots or calls unchanged, whose next boot may bring another version."""
    for address in units:
        image = waiting.get(canonical(address))
        if image is not None and may_wait(image, facts.unit(address)):
            hint = "bring it to that version, or see it booted by hand and what it runs then:"
            again = command("push", *words_of_kind(image.update))
            yield Problem(address, f"{_said(image)}, so its next boot may bring that", hint, commands=(again,))


def lines_of_waiting(waiting: Mapping[str, WaitingImage]) -> list[str]:
    """Return which units may have firmware waiting."""
    return [f"{image.sent.unit}: {_said(image)}, so its next boot may bring that" for image in waiting.values()]


def _said(image: WaitingImage) -> str:
    return f"an update sent {image.sent.after} to it and saw no boot of it since"
