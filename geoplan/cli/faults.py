"""A fault of geoplan itself: what its user is told, and the report of it, which holds no secret."""

from __future__ import annotations

import os
import platform
import re
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from geoplan import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FAULT = 70  # EX_SOFTWARE of sysexits.h
_SECRET_VARIABLE = re.compile(r"(?i)GEOPLAN_(?:PASSWORD|APIKEY|CLIENT_KEY_PASSWORD)|PASSW|SECRET|TOKEN|API_?KEY")


def describe(error: BaseException) -> str:
    """Say what a fault is and where its report lies; the report is written here."""
    places = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(places[-1].filename).name}, line {places[-1].lineno})" if places else ""
    report = _write(error)
    told = f"please report it, with {report}" if report else "please report it; its report could not be written"
    return f"a fault in geoplan itself: {type(error).__name__}{place}; {told}"


def report_of(error: BaseException, environment: Mapping[str, str], arguments: Sequence[str]) -> str:
    """Return all that is known of a fault: where it came about and what was called, without any secret or value."""
    from geoplan.loadmaster.masking import hide_all_secrets

    called = " ".join(word.partition("=")[0] if word.startswith("-") else "…" for word in arguments)
    head = (
        f"geoplan {__version__}, Python {platform.python_version()}, {platform.platform()}\ncalled with: {called}\n\n"
    )
    return head + hide_all_secrets("".join(traceback.format_exception(error)), _secrets_in(environment))


def _write(error: BaseException) -> Path | None:
    """Write a report for its owner's eyes alone; None where there is no room for it."""
    import sys

    try:
        content = report_of(error, os.environ, sys.argv[1:])
        handle, name = tempfile.mkstemp(prefix="geoplan-fault-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(content)
    except OSError:
        return None
    return Path(name)


def _secrets_in(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what variables hold that are meant for secrets, and the logins in proxies' URLs."""
    for name, value in environment.items():
        if value and _SECRET_VARIABLE.search(name):
            yield value
        elif "@" in value and "://" in value:
            yield _login(value)


def _login(url: str) -> str:
    """Return the login in a URL, an empty text without one."""
    try:
        return urlsplit(url).netloc.rpartition("@")[0]
    except ValueError:
        return url
