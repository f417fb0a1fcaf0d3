"""Many commands to one unit: authenticated once, reads retried, changes never repeated blindly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from geoplan.errors import (
    AuthenticationError,
    NotAskedError,
    UnclearOutcomeError,
    UnitError,
    UnitRefusedError,
    UnitUnreachableError,
    UnusableAnswerError,
)
from geoplan.loadmaster.pace import Haste
from geoplan.loadmaster.raw import Recording
from geoplan.loadmaster.spellings import Spellings
from geoplan.loadmaster.wire import Command, is_about_sessions
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.loadmaster.wire_v2 import WireV2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from geoplan.loadmaster.clock import Clock
    from geoplan.loadmaster.connection import ApiVersion
    from geoplan.loadmaster.http import UnitHttp
    from geoplan.loadmaster.pace import Pace
    from geoplan.loadmaster.raw import RawAnswer
    from geoplan.loadmaster.shared_credentials import SharedCredentials
    from geoplan.loadmaster.wire import Answer, WireFormat


_V1, KEY_IN_QUERY = WireV1(), WireV1(key_in_query=True)
_FORMATS: dict[ApiVersion | None, tuple[WireFormat, ...]] = {
    None: (WireV2(), _V1),
    1: (_V1,),
    2: (WireV2(),),
}

PROBE = Command("get", {"param": "version"})  # what every unit can answer


@dataclass(frozen=True, slots=True)
class Retries:
    """How often to try, and how long to pause in between; pauses grow, and are shortened by up to half at random."""

    attempts: int = 5
    first_pause: float = 0.4
    """Seconds."""
    growth: float = 2.0
    longest_pause: float = 10.0
    """Seconds."""
    patience: float = 60.0
    """Seconds after which no further attempt begins."""

    def pause(self, attempt: int, chance: float) -> float:
        """Return the seconds to wait after an attempt, counted from 0; ``chance`` is from 0 to 1."""
        whole: float = min(self.first_pause * self.growth**attempt, self.longest_pause)
        return whole * (0.5 + chance / 2)


class Session:
    """What a client keeps of one unit: its wire format, and whether it takes the credentials."""

    def __init__(  # noqa: PLR0913 - options
        self,
        exchange: UnitHttp,
        *,
        api_version: ApiVersion | None,
        has_key: bool = False,
        partner: str | None = None,
        clock: Clock,
        jitter: Callable[[], float],
        retries: Retries,
        pace: Pace,
        shared: SharedCredentials,
        changes_once: bool = False,
        dry_run: bool = False,
    ) -> None:
        self._exchange = exchange
        formats = _FORMATS[api_version]
        self.formats = (*formats, KEY_IN_QUERY) if has_key and _V1 in formats else formats
        """The wire formats in which it may be spoken to, in the order of trying."""
        self._partner = partner
        self._clock = clock
        self._jitter = jitter
        self._retries = retries
        self._pace = pace
        self._shared = shared
        self._changes_once = changes_once
        self._dry_run = dry_run
        self._wire: WireFormat | None = None
        self.wants_basic = False
        """Whether the unit refuses APIv2 because of how people log in there; it is spoken to in APIv1 then."""
        self._spellings = Spellings()
        self._opening = asyncio.Lock()
        self._failed_openings = 0
        self._last_failure: UnitError | None = None
        self._locked_out: AuthenticationError | None = None
        self._unread: dict[WireFormat, AuthenticationError] = {}
        """The formats in which credentials were refused, and may not have been looked at."""

    async def read(self, command: Command, *, once: bool = False) -> Answer:
        """Send a command that changes nothing, again where an answer is lost.

        What is read ``once`` is part of a look: it is sent once, and not at all where the unit was asked much just now.
        """
        return await self._read(await self._opened(once=once), command, once=once)

    async def read_raw(self, wire: WireFormat, command: Command) -> RawAnswer:
        """Send a command that changes nothing once, in a format of choice; what fails is in what it returns.

        Pace and credentials go by the rules of every other request: what the unit refuses is not tried again, nor on
        another unit, unless it may not have been looked at. Raises :class:`AuthenticationError` where for that reason
        nothing is sent, and :class:`ValueError` for a command that changes units.
        """
        if command.changes:
            raise ValueError(f"{command.name} changes the unit")
        if refusal := self._locked_out or self._unread.get(wire):
            raise refusal
        recording = Recording(wire, self._exchange.masked)

        def is_final(refusal: AuthenticationError) -> bool:
            return not self._may_be_unread(wire, refusal)

        try:
            async with self._shared.first_use(self._exchange.unit, self._partner, is_final=is_final):
                await self._pace.turn(Haste.READ)
                return recording.success(await self._send(recording, command))
        except NotAskedError:
            raise
        except UnitError as error:
            if isinstance(error, AuthenticationError) and not is_final(error):
                self._locked_out, self._unread[wire] = None, error
            return recording.failure(error)

    async def change(
        self,
        command: Command,
        *,
        other: Command | None = None,
        is_applied: Callable[[], Awaitable[bool]] | None = None,
        once: bool = False,
        only_v1: bool = False,
    ) -> None:
        """Send a command that changes the unit; ``only_v1`` where APIv2 has it not.

        After an unclear answer ``is_applied`` reads back, and only where it did not apply the command is sent again.
        What is sent ``once`` is never sent again, not even where nothing was sent: whoever asks for it has looked at
        the unit just before, and has to look again. ``other`` is the same change in another spelling: it is sent in
        place of the first once the unit has explicitly refused that for its spelling, by the next call alone, before
        which whoever calls looks again. Never is it sent after a lost answer.

        Raises :class:`UnclearOutcomeError` where nothing tells; after any other error it was not carried out, and
        :class:`RefusedSpellingError` says that the next call spells it otherwise.
        """
        usual, command = command, self._spellings.choose(command, other)
        wire = await self._opened()
        if only_v1 and isinstance(wire, WireV2):
            wire = _V1
        if self._dry_run:
            self._exchange.show(wire, command)
            return
        was_sent, began = False, self._clock.now()
        for attempt in count():
            try:
                await self._pace.turn(Haste.AT_ONCE if once else Haste.CHANGE)
                await self._send(wire, command)
            except UnitRefusedError as refusal:
                # After a lost answer a refusal can mean that the change had arrived after all.
                if was_sent and await self._is_applied(command, refusal, is_applied):
                    return
                if was_sent:
                    raise
                raise self._spellings.failure(refusal, usual, other) from None
            except (UnitUnreachableError, UnusableAnswerError) as error:
                if not isinstance(error, UnitUnreachableError) or error.request_sent:
                    was_sent = True
                    if await self._is_applied(command, error, is_applied):
                        return
                if once or self._changes_once or self._gives_up(attempt, began):
                    raise
            else:
                return
            await self._pause(attempt)

    async def _is_applied(
        self, command: Command, failure: UnitError, is_applied: Callable[[], Awaitable[bool]] | None
    ) -> bool:
        """Read back whether a change was carried out. Raises :class:`UnclearOutcomeError` where nothing tells."""
        reason = failure.reason
        if is_applied is None:
            why = "reading back cannot tell"
        else:
            try:
                return await is_applied()
            except UnitError as error:
                why = f"reading back failed: {error.reason}"
        raise UnclearOutcomeError(
            self._exchange.unit,
            f"'{command.name}' was sent and may or may not have been carried out: {reason}; {why}",
            status=failure.status if isinstance(failure, UnusableAnswerError) else None,
            hint="look at the unit before it is sent again",
        ) from None

    async def _opened(self, *, once: bool = False) -> WireFormat:
        """Return the wire format, found out by one authenticated request that precedes all others."""
        if self._locked_out:
            raise self._locked_out
        if self._wire:
            return self._wire
        failures_before = self._failed_openings
        async with self._opening:
            if self._wire:
                return self._wire
            if self._last_failure and self._failed_openings > failures_before:
                raise self._last_failure  # it failed while this one waited
            try:
                async with self._shared.first_use(self._exchange.unit, self._partner):
                    self._wire = await self._find_format(once=once)
            except UnitError as error:
                if not once:  # what a look could not find out may yet be found out by patience
                    self._failed_openings += 1
                    self._last_failure = error.to_keep()
                raise
            return self._wire

    async def _find_format(self, *, once: bool) -> WireFormat:
        """Try the formats in turn; only an answer that cannot be the format's leads to the next.

        Credentials that are refused are tried again once, and only where the unit cannot have looked at them: APIv2
        asks for HTTP Basic, or says that Session Management is off; or APIv1 does not take a key in a form.
        """
        failure: UnitError | None = None
        wants_basic = False
        wire: WireFormat
        for wire in self.formats:
            if wire is KEY_IN_QUERY and isinstance(failure, UnusableAnswerError):
                break  # what is not the API gets no key in a URL
            self._locked_out = None
            try:
                await self._read(wire, PROBE, once=once)
            except AuthenticationError as error:
                failure = error
                if not self._may_be_unread(wire, error):
                    break
                wants_basic |= error.asks_for_basic
            except (UnitRefusedError, UnusableAnswerError) as error:
                if isinstance(error, UnusableAnswerError) and error.transient:
                    raise
                # A refusal is in the API's own words; what is no answer of the API says less.
                if failure is None or isinstance(error, UnitRefusedError):
                    failure = error
                wants_basic |= isinstance(error, UnitRefusedError) and is_about_sessions(error.answer)
            else:
                self.wants_basic = wants_basic
                return wire
        assert failure is not None  # noqa: S101 - for the type checker: there is at least one format
        self._locked_out = failure.to_keep() if isinstance(failure, AuthenticationError) else None
        raise failure

    def _may_be_unread(self, wire: WireFormat, refusal: AuthenticationError) -> bool:
        """Return whether a unit that refuses credentials may not have looked at them where they were sent."""
        return refusal.asks_for_basic or (wire is _V1 and KEY_IN_QUERY in self.formats)

    async def _read(self, wire: WireFormat, command: Command, *, once: bool = False) -> Answer:
        began = self._clock.now()
        for attempt in count():
            if not once:
                await self._pace.turn(Haste.READ)
            elif not await self._pace.look():
                raise UnitUnreachableError(
                    self._exchange.unit, "it was asked often enough just now", request_sent=False
                )
            try:
                return await self._send(wire, command)
            except (UnitUnreachableError, UnusableAnswerError) as error:
                passing = isinstance(error, UnitUnreachableError) or error.transient
                if once or not passing or self._gives_up(attempt, began):
                    raise
            await self._pause(attempt)
        raise AssertionError("attempts are counted without end")  # for the type checker

    async def _send(self, wire: WireFormat, command: Command) -> Answer:
        if self._locked_out:
            raise self._locked_out
        try:
            return await self._exchange.send(wire, command)
        except AuthenticationError as error:
            self._locked_out = error.to_keep()
            raise

    def _gives_up(self, attempt: int, began: float) -> bool:
        late = self._clock.now() - began >= self._retries.patience
        return late or attempt + 1 >= self._retries.attempts

    async def _pause(self, attempt: int) -> None:
        await self._clock.sleep(self._retries.pause(attempt, self._jitter()))
