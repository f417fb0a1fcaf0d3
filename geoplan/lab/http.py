"""What goes over the wire, without a wire: a request, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


BASIC = MappingProxyType({"WWW-Authenticate": 'Basic realm="LoadMaster"'})


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to one unit."""

    method: str
    path: str
    """Percent-decoded, without the query."""
    query: str = field(default="", repr=False)
    """Still percent-encoded."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By names in lower case."""
    body: bytes = field(default=b"", repr=False)
    image_bytes: int = 0
    """The size of a firmware image that came as the body and was not kept."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Responder(Protocol):
    """What answers one request."""

    def __call__(self, *, pretend: bool) -> Response:
        """Do what is asked and answer it; when pretending, answer alone."""


class Ending(StrEnum):
    """How an exchange ends on the transport."""

    ANSWERED = "answered"
    """The whole response is sent."""
    TRUNCATED = "truncated"
    """Half of the body is sent, then the connection ends without TLS's goodbye."""
    CLOSED = "closed"
    """The connection ends without an answer and without TLS's goodbye."""
    RESET = "reset"
    """The connection is reset without an answer."""
    SILENCE = "silence"
    """Nothing is ever sent, and the connection stays."""
    REFUSED = "refused"
    """There was no connection: nothing listens."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a request: a transport carries it out."""

    ending: Ending
    response: Response | None = None
    """What is sent, where the ending has something sent at all."""
    delay_seconds: float = 0.0
    """How long after the request, on the lab's clock. A unit that goes down in between sends nothing."""
    faults: tuple[str, ...] = ()
    """The faults that had a part in it."""
    log: str = ""
    """The request and what became of it in a line without secrets; empty if no request was read."""

    @property
    def sent_body(self) -> bytes:
        """The part of the body that reaches the client."""
        if self.response is None or self.ending not in (Ending.ANSWERED, Ending.TRUNCATED):
            return b""
        body = self.response.body
        return body if self.ending is Ending.ANSWERED else body[: len(body) // 2]
