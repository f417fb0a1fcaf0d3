"""What can go wrong, as far as a caller may want to catch it; each error knows its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.topology.diagnostics import Diagnostic


class GeoplanError(Exception):
    """Say what happened and where; ``hint`` says what to do next."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UnusableFileError(GeoplanError):
    """A file that cannot be read or written at all."""


class InvalidInputError(GeoplanError):
    """A file that was read and is wrong; ``diagnostics`` holds every fault found in it, in its order."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(message)
        self.diagnostics = tuple(diagnostics)
