"""Standard streams that may break while something goes on which must not."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


class Outlet:
    """A standard stream. From the first text on that it cannot take, what is written to it is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost_because: str | None = None
        """Why the stream could not be written, once that was so."""

    def write(self, text: str) -> int:
        """Write a text, or drop it."""
        if self.lost_because is None:
            try:
                return self._stream.write(text)
            except (OSError, ValueError) as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Have all that was written on its way, or drop it."""
        if self.lost_because is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the stream has
        return getattr(self._stream, name)

    def _lose(self, error: OSError | ValueError) -> None:
        self.lost_because = getattr(error, "strerror", None) or str(error)


def forgiving(stream: TextIO) -> TextIO:
    """Return a stream whose failures are no errors."""
    return stream if isinstance(stream, Outlet) else cast("TextIO", Outlet(stream))


@contextmanager
def dropping_lost_output() -> Iterator[Outlet]:
    """Let standard output break without an error while the block lasts; once broken, it stays forgiving to the end."""
    before = sys.stdout
    outlet = before if isinstance(before, Outlet) else Outlet(before)
    sys.stdout = cast("TextIO", outlet)
    try:
        yield outlet
    finally:
        if outlet.lost_because is None:
            sys.stdout = before
