"""What lies behind an error of the HTTP client."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from geoplan.errors import TooManyOpenFilesError

if TYPE_CHECKING:
    from collections.abc import Iterator


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, the last first."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):  # a name with several addresses fails for each of them
            waiting += reversed(cause.exceptions)
        waiting.append(cause.__cause__ or cause.__context__)


def too_many_open_files(error: BaseException) -> TooManyOpenFilesError | None:
    """Return the failure of this machine, and of no unit, where an error is due to its limit of open files."""
    for cause in causes_of(error):
        if isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE):
            return TooManyOpenFilesError()
    return None
