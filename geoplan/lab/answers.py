"""What a command answers, before it has a wire format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DONE = "Command completed ok"  # a guess at the wording
NO_GEO_DATA = "No geo data found"

BAD_REQUEST = 400  # a mandatory parameter is missing (the vendor's Python SDK)
UNAUTHORIZED = 401
NOT_FOUND = 404
UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Letter:
    """A yes or no that APIv1 writes as Y or N."""

    value: bool


@dataclass(frozen=True, slots=True)
class Degrees:
    """An angle in degrees, with 8 decimals in APIv1."""

    value: float


Leaf: TypeAlias = "bool | int | str | tuple[str, ...] | Letter | Degrees"
Node: TypeAlias = "Leaf | Mapping[str, Node] | Sequence[Mapping[str, Node]]"


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: words, data, a sentence in place of data, or a file."""

    message: str = DONE
    data: Mapping[str, Node] | None = None
    sentence: str | None = None
    file: bytes | None = None


class RefusalError(Exception):
    """A failure, with the code that both formats give it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
