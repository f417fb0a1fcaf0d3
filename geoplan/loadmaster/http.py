"""One command to one unit over HTTP, once: sent, read to its end, and every failure told apart."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

import httpx

from geoplan.errors import (
    AuthenticationError,
    ProxyRefusedError,
    UnitRefusedError,
    UnitUnreachableError,
    UntrustedUnitError,
    UnusableAnswerError,
)
from geoplan.loadmaster.credentials import MASK, masked
from geoplan.loadmaster.exchange import exchange
from geoplan.loadmaster.large_answers import LARGE, look_into, turn
from geoplan.loadmaster.masking import Masks
from geoplan.loadmaster.proxies import proxy_for
from geoplan.loadmaster.tls import (
    PinMismatchError,
    causes_of,
    describe_os_error,
    fingerprint_of,
    is_before_connection,
    no_tls,
    tls_refusal,
    too_many_open_files,
)
from geoplan.loadmaster.wire import (
    SERVER_ERROR,
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    Reply,
    UnusableError,
    asks_for_basic,
    is_about_sessions,
)
from geoplan.vendor import REQUIRE_BASIC, SESSION_MANAGEMENT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from geoplan.errors import GeoplanError
    from geoplan.loadmaster.connection import UnitConnection
    from geoplan.loadmaster.wire import Answer, Command, WireFormat, WireRequest


MAX_IDLE_UNITS = 64  # beside those that are being asked, within the 256 open files of a small machine


class IdleConnections:
    """Shared by the clients of many units, so that hundreds of idle connections do not use up the open files."""

    def __init__(self, at_most: int = MAX_IDLE_UNITS) -> None:
        self._at_most = at_most
        self._units: dict[UnitHttp, None] = {}
        """The units that are not being asked now and have a connection; first the one that waits for the longest."""

    def take(self, unit: UnitHttp) -> None:
        """Note that a unit is being asked."""
        self._units.pop(unit, None)

    async def give_back(self, unit: UnitHttp) -> None:
        """Note that a unit is being asked no more; close the connections that this makes too many."""
        self._units[unit] = None
        while len(self._units) > self._at_most:
            longest = next(iter(self._units))
            del self._units[longest]
            await longest.close_connections()


logger = logging.getLogger(__name__)
_asks_a_unit = ContextVar("asks_a_unit", default=False)


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep the HTTP library from logging what goes to a unit and comes from it while the block lasts."""
    before = _asks_a_unit.set(True)
    try:
        yield
    finally:
        _asks_a_unit.reset(before)


def _is_of_others(_record: logging.LogRecord) -> bool:
    return not _asks_a_unit.get()


# What httpx logs of a request holds its URL, and what a unit echoes in its headers: secrets, either of them.
for _name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
    logging.getLogger(_name).addFilter(_is_of_others)
MAX_CONNECTIONS = 4  # units limit the rate of requests; more at once only meet that limit
MAX_ANSWER_BYTES = 8 * 1024 * 1024
MAX_FILE_BYTES = 64 * 1024 * 1024
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request as people may see it: secrets are masked."""

    unit: str
    command: str
    method: str
    url: str
    body: str
    changes: bool
    """Whether it changes the unit."""

    def __str__(self) -> str:
        return f"{self.method} {self.url} {self.body}".rstrip()


class UnitHttp:
    """The connections to one unit."""

    def __init__(
        self,
        access: UnitConnection,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Callable[[ShownRequest], None] | None = None,
        idle: IdleConnections | None = None,
    ) -> None:
        self.unit = access.address
        self.certificate: str | None = None
        """The fingerprint of the certificate behind the last answer; None before one, and where there is no TLS."""
        self._access = access
        self._transport = transport
        self._observer = observer
        self._proxy = proxy_for(access.api_url, os.environ) if access.use_proxies and not transport else None
        self._idle = idle or IdleConnections()
        self._mask = Masks(access.credentials)
        self._is_open = False
        self._has_answered = False
        self._requests = 0
        """How many are under way."""
        self._urls: dict[str, httpx.URL] = {}
        """By what follows the unit's own; none that has a query, which may hold a secret."""
        self._pool: httpx.AsyncBaseTransport | None = None
        """What has the connections; without any there is none."""
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)  # waiting for a connection is no time of the unit's

    async def open(self) -> None:
        """Make ready to connect."""
        self._is_open = True

    async def close(self) -> None:
        """Close all connections."""
        self._is_open = False
        self._idle.take(self)
        await self.close_connections()

    async def close_connections(self) -> None:
        """Close all connections; the next request makes a new one."""
        pool, self._pool = self._pool, None
        if pool and pool is not self._transport:
            await pool.aclose()

    @asynccontextmanager
    async def _connections(self) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """Have the connections while a request is under way; afterwards one of them waits for the next request."""
        self._idle.take(self)
        self._requests += 1
        self._pool = pool = self._pool or self._transport or self._new_pool()
        try:
            yield pool
        finally:
            self._requests -= 1
            if not self._requests and self._is_open:
                await self._idle.give_back(self)

    def _new_pool(self) -> httpx.AsyncHTTPTransport:
        return httpx.AsyncHTTPTransport(
            verify=self._access.trust.context,
            proxy=self._proxy.url if self._proxy else None,
            trust_env=False,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=1),
        )

    def _url_of(self, target: str) -> httpx.URL:
        url = self._urls.get(target)
        if url is None:
            url = httpx.URL(self._access.api_url + target)
            if "?" not in target:
                self._urls[target] = url
        return url

    def _note_certificate(self, response: httpx.Response) -> None:
        stream = response.extensions.get("network_stream")
        tls = stream.get_extra_info("ssl_object") if stream else None
        presented = tls.getpeercert(binary_form=True) if tls else None
        if presented:
            self.certificate = fingerprint_of(presented)

    def masked(self, answer: Answer) -> Answer:
        """Return an answer that holds nothing of the secret."""
        return self._mask.answer(answer)

    def show(self, wire: WireFormat, command: Command) -> None:
        """Tell the observer of a request."""
        if self._observer:
            request = wire.request(command.shown(), masked(self._access.credentials))
            url = self._access.api_url + request.target
            body = request.body.decode(errors="replace").replace(quote_plus(MASK), MASK)
            self._observer(ShownRequest(self.unit, command.name, request.method, url, body, command.changes))

    async def send(self, wire: WireFormat, command: Command) -> Answer:
        """Send a command and return its successful answer.

        Every failure is a :class:`geoplan.errors.UnitError`, but for :class:`geoplan.errors.TooManyOpenFilesError`,
        which is this machine's, and with which nothing was sent.
        """
        self.show(wire, command)
        self._mask.learn(command.secrets)
        async with AsyncExitStack() as room:
            reply = await self._reply(wire.request(command, self._access.credentials), room, file=command.file)
            size = len(reply.body)
            logger.debug("%s %s by %s: HTTP %d, %d bytes", self.unit, command.name, wire.name, reply.status, size)
            if reply.status == UNAUTHORIZED:
                raise self._not_accepted(wire, wants_basic=asks_for_basic(reply))
            read = partial(self._read, wire, reply, file=command.file)
            answer = await look_into(read) if size > LARGE else read()
            del reply, read  # a failure that is kept would keep this frame, and with it all that came
        if isinstance(answer, UnusableAnswerError):
            raise answer
        if answer.is_success:
            return answer
        raise self._failure(wire, command.name, answer)

    def _read(self, wire: WireFormat, reply: Reply, *, file: bool) -> Answer | UnusableAnswerError:
        """Return what came, with secrets masked, or why it cannot be read."""
        if not file:  # a backup stays as it is, and is never shown
            reply = replace(reply, body=self._mask.raw(reply.body))
        try:
            return self._mask.answer(wire.read(reply, file=file))
        except UnusableError as error:
            return self._unusable(error)

    async def _reply(self, request: WireRequest, room: AsyncExitStack, *, file: bool) -> Reply:
        if not self._is_open:
            raise RuntimeError("the client is not open; enter it with `async with`")
        async with self._slots, self._connections() as pool:
            with unlogged():
                return await self._reply_over(pool, request, room, file=file)

    async def _reply_over(
        self, pool: httpx.AsyncBaseTransport, request: WireRequest, room: AsyncExitStack, *, file: bool
    ) -> Reply:
        timeouts = self._access.timeouts
        seconds = timeouts.of_request(request.image, file=file)
        failure: GeoplanError
        was_cut_off = False
        try:
            async with (
                asyncio.timeout(timeouts.connect + seconds),
                exchange(
                    pool,
                    request.method,
                    self._url_of(request.target),
                    headers=request.headers,
                    content=request.image or request.body,
                    timeout=httpx.Timeout(seconds, connect=timeouts.connect, pool=None),
                ) as response,
            ):
                self._note_certificate(response)
                body = await self._body(response, room, MAX_FILE_BYTES if file else MAX_ANSWER_BYTES)
                self._has_answered = True
                return Reply(response.status_code, body, response.headers.get("www-authenticate", ""))
        except _NOTHING_SENT as error:
            failure = self._no_connection(error)
        except (httpx.TimeoutException, TimeoutError):
            failure = self._lost(f"no answer within {seconds:g} s")
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            failure = no_tls(self.unit, error) or self._lost("the connection ended before the answer did")
            was_cut_off = True
        if was_cut_off and not (self._has_answered or self._transport or self._proxy):
            context = self._access.trust.context
            failure = await tls_refusal(self.unit, self._access.api_url, context, timeouts.connect) or failure
        raise failure  # outside of the handlers: what they handled holds the request, and the request the secret

    async def _body(self, response: httpx.Response, room: AsyncExitStack, limit: int) -> bytes:
        """Read an answer as it comes, never unpacked; once it is large, ``room`` holds its turn among all that are."""
        if response.is_stream_consumed:  # a transport in memory has it whole already
            return response.content
        parts: list[bytes] = []
        size = 0
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - for the type checker: the request was one
        async for part in stream:
            parts.append(part)
            size += len(part)
            if size > limit:
                parts.clear()  # a failure that is kept keeps this frame
                raise self._unusable(UnusableError(f"its answer is larger than {limit // 2**20} MiB"))
            if size > LARGE >= size - len(part):
                await room.enter_async_context(turn())
        return b"".join(parts)

    def _no_connection(self, error: Exception) -> GeoplanError:
        """Say why there was no connection, so that nothing was sent."""
        if own_failure := too_many_open_files(error):
            return own_failure
        causes, api = list(causes_of(error)), self._access.api
        if mismatch := next((cause for cause in causes if isinstance(cause, PinMismatchError)), None):
            return UntrustedUnitError(
                self.unit,
                f"its certificate is not the pinned one; it presents {mismatch.presented or 'none'}",
                presented=mismatch.presented,
                hint="if its certificate was renewed, compare the fingerprint on the unit and run geoplan trust again; "
                f"it was asked on {api.said_by}; {api.changed_by}",
            )
        invalid = next((cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)), None)
        if invalid:
            hint = "pin its fingerprint with geoplan trust, or give the CA's certificates with --ca-file; "
            hint += f"it was asked on {api.said_by}; {api.changed_by}"
            return UntrustedUnitError(self.unit, f"its certificate is not trusted: {invalid.verify_message}", hint=hint)
        if tls_failure := no_tls(self.unit, error):
            return tls_failure
        failed = next((cause for cause in reversed(causes) if isinstance(cause, OSError)), None)
        if isinstance(error, httpx.TimeoutException):
            reason = f"no connection within {self._access.timeouts.connect:g} s"
        elif isinstance(error, httpx.ProxyError):
            reason = f"the proxy answers {str(error)[:3]}"  # its status; the words behind it may be anybody's
        else:
            reason = describe_os_error(failed) if failed else "the connection was closed in the handshake"
        if self._proxy:
            return self._not_through_proxy(error, reason, is_proxys_own=is_before_connection(failed))
        return UnitUnreachableError(
            self.unit,
            f"cannot connect to {api.url} ({api.said_by}): {reason}",
            request_sent=False,
            hint=f"check that the unit is up and that its API is at this URL; {api.changed_by}",
        )

    def _not_through_proxy(self, error: Exception, reason: str, *, is_proxys_own: bool) -> UnitUnreachableError:
        """Say that the unit was not reached, and whether it was not even asked."""
        was_refused = isinstance(error, httpx.ProxyError) and str(error).startswith("4")  # its status
        if is_proxys_own:
            message = f"cannot connect to the proxy {self._proxy}: {reason}"
            hint = "check that the proxy is up, or leave --use-proxies out; the unit itself was not asked"
        else:
            message = f"cannot connect to {self._access.api_url} through the proxy {self._proxy}: {reason}"
            hint = "check that the proxy lets this URL through and that the unit is up, or leave --use-proxies out"
        kind = ProxyRefusedError if is_proxys_own or was_refused else UnitUnreachableError
        return kind(self.unit, message, request_sent=False, hint=hint)

    def _lost(self, reason: str) -> UnitUnreachableError:
        hint = "check that the unit is up and that the network path to it works"
        return UnitUnreachableError(self.unit, reason, request_sent=True, hint=hint)

    def _not_accepted(self, wire: WireFormat, *, wants_basic: bool) -> AuthenticationError:
        if wants_basic and not wire.sends_basic:
            return AuthenticationError(
                self.unit,
                f"it refuses {wire.name}: it asks for HTTP Basic, or its {SESSION_MANAGEMENT} is off",
                asks_for_basic=True,
                hint=f"turn {SESSION_MANAGEMENT} on and {REQUIRE_BASIC} off; or write api_version: 1 at the unit in "
                "the topology",
            )
        hint = "check user and password, or the API key; they are not tried again, since units lock users out"
        if not wire.sends_basic:
            hint += f". If they are right, write api_version: 1 at the unit in the topology: {wire.name} needs "
            hint += f"{SESSION_MANAGEMENT} on"
        return AuthenticationError(self.unit, "it does not accept the credentials", hint=hint)

    def _unusable(self, why: UnusableError) -> UnusableAnswerError:
        api, hint = self._access.api, "check the unit's state"
        if why.is_page:
            hint = f"check that its API is enabled; it was asked on {api.said_by}; {api.changed_by}"
        return why.of_unit(self.unit, hint)

    def _failure(
        self, wire: WireFormat, command: str, answer: Answer
    ) -> AuthenticationError | UnitRefusedError | UnusableAnswerError:
        reason = answer.message or "no reason given"
        if answer.code == UNAUTHORIZED:
            return self._not_accepted(wire, wants_basic=is_about_sessions(answer.message))
        if answer.code == TOO_MANY_REQUESTS or answer.code >= SERVER_ERROR:
            return self._unusable(UnusableError.of_command(command, answer.code, reason))
        return UnitRefusedError(
            self.unit,
            f"it refuses '{command}' with {answer.code}: {reason}",
            code=answer.code,
            answer=reason,
            hint="check that the unit is active and that the user may do this",
        )
