"""What live units run, asked before it is changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from geoplan.concurrency import DEFAULT_AT_ONCE, ask_each
from geoplan.errors import UnitError, UpgradeRefusedError
from geoplan.vendor import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.live.unit import Unit
    from geoplan.topology.model import Topology


async def firmware_of(units: Mapping[str, Unit], *, jobs: int = DEFAULT_AT_ONCE) -> dict[str, str]:
    """Return the version that each unit says it runs, so many asked at once.

    Raises :class:`geoplan.errors.UpgradeRefusedError` with every unit that does not say it: nothing is updated that
    does not answer, and of a pair never one unit alone.
    """

    async def ask(unit: Unit) -> str | UnitError:
        try:
            return await unit.firmware()
        except UnitError as error:
            return error

    answers = await ask_each(units.values(), ask, asyncio.Semaphore(jobs))
    found: dict[str, str] = {}
    problems = []
    for address, answer in zip(units, answers, strict=True):
        if isinstance(answer, UnitError):
            problems.append(f"{address}: {answer.reason}")
        else:
            found[address] = answer
    if problems:
        hint = "a standby may not answer: then write what each unit's home screen shows into the file, without --live"
        raise UpgradeRefusedError("not every unit says what it runs, and nothing is planned:", problems, hint=hint)
    return found


def differences(topology: Topology, found: Mapping[str, str]) -> Iterator[str]:
    """Yield where a topology names another version than the unit does."""
    for site in topology.sites:
        for unit in site.units:
            live = found.get(unit.address)
            if live and unit.firmware and parse_version(live) != parse_version(unit.firmware):
                yield f"{unit.address} runs {live}, and the file says {unit.firmware}: what it runs counts"
