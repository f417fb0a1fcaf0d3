"""Credentials that are given for many units: a wrong password is tried on one of them, and not on all the others."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from geoplan.errors import AuthenticationError, NotAskedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

FIRST_TURN_SECONDS = 3.0
"""How long others wait for the first unit's word: one that is down must not hold up the rest."""


class SharedCredentials:
    """What is known of credentials by the units that were asked with them; units lock users out."""

    def __init__(self) -> None:
        self._refused_by: str | None = None
        self._accepted_by: set[str] = set()
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def first_use(
        self, unit: str, partner: str | None = None, *, is_final: Callable[[AuthenticationError], bool] = lambda _: True
    ) -> AsyncIterator[None]:
        """Let a unit be asked with them for the first time, one unit after the other until one has taken them.

        A refusal by a unit whose ``partner`` in its pair has taken them is that unit's own, as of a standby that takes
        no login: the others are asked on. Any other stops the asking, since it may be the password that is wrong there.
        A refusal that is not final may be tried in another way on the same unit, and says nothing to the others.
        Raises :class:`geoplan.errors.NotAskedError` where another unit has refused them: this one is not asked then.
        """
        has_turn = not self._accepted_by and await self._wait_for_turn()
        try:
            if self._refused_by not in (None, unit) and unit not in self._accepted_by:
                raise NotAskedError(unit, self._refused_by)
            try:
                yield
            except AuthenticationError as refusal:
                if not {unit, partner} & self._accepted_by and is_final(refusal):
                    self._refused_by = self._refused_by or unit
                raise
            self._accepted_by.add(unit)
        finally:
            if has_turn:
                self._turn.release()

    async def _wait_for_turn(self) -> bool:
        try:
            async with asyncio.timeout(FIRST_TURN_SECONDS):
                return await self._turn.acquire()
        except TimeoutError:
            return False
