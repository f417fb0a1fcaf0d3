"""Credentials that are given for many units: a wrong password is tried on one of them, and not on all the others."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from geoplan.errors import AuthenticationError, NotAskedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

FIRST_TURN_SECONDS = 3.0
"""How long others wait for the first unit's word: one that is down must not hold up the rest."""
NEXT_TURN_SECONDS = 1.0
"""The same of each unit after it. They still go one by one: the password may be wrong."""


class SharedCredentials:
    """What is known of credentials by the units that were asked with them; units lock users out."""

    def __init__(self) -> None:
        self._refused_by: str | None = None
        self._in_doubt: dict[str, str] = {}
        """Units that have refused them, each with the unit that makes a pair with it and has not answered yet."""
        self._in_doubt_until = 0.0
        """How long others wait for those answers, by the clock of the loop."""
        self._accepted_by: set[str] = set()
        self._turns = _Turns()
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def first_use(
        self, unit: str, partner: str | None = None, *, is_final: Callable[[AuthenticationError], bool] = lambda _: True
    ) -> AsyncIterator[None]:
        """Let a unit be asked with them for the first time, one unit after the other until one has taken them.

        A refusal stops the asking, since it may be the password that is wrong there. A standby may take no login,
        though: where a unit's ``partner`` in its pair takes them, before or afterwards, the refusal is that unit's own,
        and the others are asked on. So after a refusal the partner alone is asked still, and the others wait for it.
        A refusal that is not final may be tried in another way on the same unit, and says nothing to the others.
        Raises :class:`geoplan.errors.NotAskedError` where another unit has refused them: this one is not asked then.
        """
        async with self._turn_of(unit):
            if refused_by := self._refused_elsewhere(unit):
                raise NotAskedError(unit, refused_by)
            try:
                yield
            except AuthenticationError as refusal:
                if is_final(refusal):
                    self._note_refusal(unit, partner)
                raise
            self._note_success(unit)

    def _refused_elsewhere(self, unit: str) -> str | None:
        """Return the unit whose refusal is the reason not to ask this one, or None where nothing is."""
        if unit in self._accepted_by:
            return None
        if self._refused_by:
            return None if unit == self._refused_by else self._refused_by
        return None if {unit} & {*self._in_doubt, *self._in_doubt.values()} else next(iter(self._in_doubt), None)

    def _note_refusal(self, unit: str, partner: str | None) -> None:
        if {unit, partner} & self._accepted_by or self._refused_by:
            return
        if partner is None or partner in self._in_doubt:
            self._refused_by = next(iter(self._in_doubt), unit)
            self._settle({})
            return
        if not self._in_doubt:
            self._in_doubt_until = asyncio.get_running_loop().time() + FIRST_TURN_SECONDS
        self._in_doubt[unit] = partner
        self._settled.clear()

    def _note_success(self, unit: str) -> None:
        self._accepted_by.add(unit)
        self._settle(
            {refused: partner for refused, partner in self._in_doubt.items() if unit not in (refused, partner)}
        )

    def _settle(self, in_doubt: dict[str, str]) -> None:
        self._in_doubt = in_doubt
        if not in_doubt:
            self._settled.set()

    @asynccontextmanager
    async def _turn_of(self, unit: str) -> AsyncIterator[None]:
        """Wait for a unit's turn, which none needs once one has taken the credentials; others wait while it lasts."""
        end = None if self._accepted_by else await self._turns.begin()
        try:
            if end and (self._accepted_by or self._is_in_doubt_for(unit)):
                end()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._in_doubt_until):
                    while self._is_in_doubt_for(unit):
                        await self._settled.wait()
            yield
        finally:
            if end:
                end()

    def _is_in_doubt_for(self, unit: str) -> bool:
        return self._refused_by is None and self._refused_elsewhere(unit) is not None


class _Turns:
    """Turns of one unit after the other; that of a unit that takes long ends before its answer comes."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._seconds = FIRST_TURN_SECONDS

    async def begin(self) -> Callable[[], None]:
        """Wait for a turn; return what ends it, which does no harm where it has ended."""
        await self._lock.acquire()
        is_over = False

        def end() -> None:
            nonlocal is_over
            timer.cancel()
            if not is_over:
                is_over = True
                self._lock.release()

        def end_early() -> None:
            self._seconds = NEXT_TURN_SECONDS
            end()

        timer = asyncio.get_running_loop().call_later(self._seconds, end_early)
        return end
