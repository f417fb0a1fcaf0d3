"""The face of one unit: an HTTP request in, a response out, no socket in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from geoplan.lab.api import v1, v2, variation
from geoplan.lab.api.commands import COMMANDS
from geoplan.lab.api.request import (
    NOT_ALLOWED,
    NOT_FOUND,
    UNAUTHORIZED,
    UNKNOWN_COMMAND,
    UNPROCESSABLE,
    ApiError,
    ApiRequest,
    Command,
    Context,
)
from geoplan.lab.device.geo_entries import TooManyClustersError
from geoplan.lab.device.network import NotActiveError
from geoplan.lab.device.parameters import API_ENABLED, SESSION_CONTROL
from geoplan.lab.http import Ending, Outcome, Responder, Response
from geoplan.lab.request_log import describe_call, describe_page, with_log
from geoplan.lab.variants import Variant

if TYPE_CHECKING:
    from geoplan.lab.api.request import Answer, Identity
    from geoplan.lab.device.unit import Credentials
    from geoplan.lab.http import Request

HTML = "text/html"
LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>LoadMaster Login</title></head>\n"
    b'<body><form method="post" action="/progs/login"><input name="user"><input name="pass" type="password">'
    b"</form></body></html>\n"
)
NO_SUCH_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"


@dataclass(frozen=True, slots=True)
class WireFormat:
    """A wire format: how it reads a request, and how it writes a success and a failure."""

    name: str
    read: Callable[[Request], ApiRequest]
    write: Callable[[Answer], Response]
    write_refusal: Callable[[ApiError], Response]


V1 = WireFormat("v1", v1.read, v1.write, v1.write_refusal)
V2 = WireFormat("v2", v2.read, v2.write, v2.write_refusal)


ApplyFaults = Callable[[ApiRequest, Responder], Outcome]
"""Given a command, and what carries it out and answers it, it returns what becomes of the command."""


@dataclass(frozen=True, slots=True)
class ApiServer:
    """A unit with its web server."""

    context: Context
    credentials: Credentials

    def handle(self, request: Request, apply_faults: ApplyFaults) -> Outcome:
        """Answer a request; ``apply_faults`` decides what becomes of one that is a command."""
        dialect, page = self._dialect_of(request), describe_page(request)
        if dialect is None:
            return with_log(Outcome(Ending.ANSWERED, self._page(request)), page)
        longest = v1.SEEN_URL if Variant.URL_2000 in self.context.variants else v1.MAX_URL
        if dialect is V1 and len(f"{request.path}?{request.query}") > longest:
            return with_log(Outcome(Ending.RESET), f"{page} (URL too long)")
        try:
            call = dialect.read(request)
        except ApiError as refusal:
            written = variation.written(self.context, dialect.write_refusal(refusal))
            response = written if self._api_is_enabled else self._page(request)
            return with_log(Outcome(Ending.ANSWERED, response), page)
        outcome = apply_faults(call, partial(self.carry_out, dialect, call))
        return with_log(outcome, describe_call(dialect.name, request, call))

    def carry_out(self, dialect: WireFormat, call: ApiRequest, *, pretend: bool = False) -> Response:
        """Carry a command out and answer it; when pretending, answer alone."""
        try:
            response = self._carry_out(dialect, call, pretend=pretend)
        except ApiError as refusal:
            response = dialect.write_refusal(refusal)
        except NotActiveError:
            response = dialect.write_refusal(ApiError(UNPROCESSABLE, "Not available: this unit is not active"))
        except TooManyClustersError as error:
            response = dialect.write_refusal(ApiError(UNPROCESSABLE, str(error)))
        return variation.written(self.context, response)

    @property
    def _api_is_enabled(self) -> bool:
        """Whether it answers commands, and not only the login page."""
        return bool(self.context.unit.setting(API_ENABLED))

    def _dialect_of(self, request: Request) -> WireFormat | None:
        """Return the wire format that a request's path stands for, or None where it is not the API's."""
        if request.path.rstrip("/") == v2.PATH:
            return V2 if self.context.unit.firmware.has_api_v2 else None
        return V1 if request.path.startswith(v1.PREFIX) else None

    def _page(self, request: Request) -> Response:
        """Answer what is not the API's: its path where there is no such API, else the login page."""
        missing = request.path.rstrip("/") == v2.PATH and not self.context.unit.firmware.has_api_v2
        return Response(NOT_FOUND, HTML, NO_SUCH_PAGE) if missing else Response(200, HTML, LOGIN_PAGE)

    def _carry_out(self, dialect: WireFormat, call: ApiRequest, *, pretend: bool) -> Response:
        if not self._api_is_enabled and not _enables_api(call):
            return Response(200, HTML, LOGIN_PAGE)
        if dialect is V2:
            self._require_sessions()
        if not self._knows(call.identity):
            raise ApiError(UNAUTHORIZED, "Client Error: Authorization required")
        command = self._command(call)
        run = command.pretend if pretend and command.changes else command.run
        return dialect.write(variation.answered(self.context, call, run))

    def _require_sessions(self) -> None:
        """Refuse APIv2 where there is no Session Management."""
        if Variant.V2_WANTS_SESSIONS in self.context.variants:
            raise ApiError(UNPROCESSABLE, "Session Management must be enabled to use this API")
        if not self.context.unit.setting(SESSION_CONTROL):
            raise ApiError(UNAUTHORIZED, "Client Error: Authorization required", wants_basic=True)

    def _command(self, call: ApiRequest) -> Command:
        command = COMMANDS.get(call.command)
        if command is None or not command.exists(self.context.unit.firmware):
            code = NOT_FOUND if Variant.UNKNOWN_404 in self.context.variants else NOT_ALLOWED
            raise ApiError(code, UNKNOWN_COMMAND)
        return command

    def _knows(self, identity: Identity) -> bool:
        if identity.api_key is not None:  # it wins over a user and a password
            if identity.has_key_in_form and Variant.KEY_IN_QUERY in self.context.variants:
                return False
            return self.credentials.accept_key(identity.api_key)
        if identity.user is None or identity.password is None:
            return False
        return self.credentials.accept_user(identity.user, identity.password)


def _enables_api(call: ApiRequest) -> bool:
    """Return whether a call turns the API on, which is the one that a unit takes while it is off (the Python SDK)."""
    return call.command == "set" and call.param == API_ENABLED
