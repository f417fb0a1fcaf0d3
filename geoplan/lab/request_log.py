"""One line for each request. What is not known to be harmless is masked: no secret reaches the log."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from geoplan.lab.api.commands import COMMANDS
from geoplan.lab.api.request import VALUES
from geoplan.lab.device.parameters import PARAMETERS

if TYPE_CHECKING:
    from geoplan.lab.api.request import ApiRequest
    from geoplan.lab.http import Outcome, Request

logger = logging.getLogger("geoplan.lab.requests")

_HARMLESS = frozenset(name for command in COMMANDS.values() for name in command.logged)
_MASK = "***"
_LONGEST = 200  # characters of one value


def describe_call(dialect: str, request: Request, call: ApiRequest) -> str:
    """Say a command with its parameters."""
    shown = [f"{_plain(name)}={_shown(call, name)}" for name in call.parameters]
    return " ".join([dialect, _plain(request.method), _plain(call.command), *shown])


def describe_page(request: Request) -> str:
    """Say a request that is no command."""
    return f"{_plain(request.method)} {_plain(request.path)}"


def describe_control(method: str, path: str, status: int, said: str) -> str:
    """Say a request to the control endpoint, what it was answered, and what else there is to say."""
    words = f"control {_plain(method)} {_plain(path)} -> {status}"
    return f"{words} ({_plain(said)})" if said else words


def with_log(outcome: Outcome, request: str) -> Outcome:
    """Say beside a request what becomes of it, and which faults have a part in that."""
    words = [str(outcome.response.status)] if outcome.response and outcome.sent_body else []
    if outcome.ending != "answered" or not words:
        words.append(outcome.ending)
    if outcome.delay_seconds:
        words.append(f"after {outcome.delay_seconds:g} s")
    words += [f"({fault})" for fault in outcome.faults]
    return replace(outcome, log=f"{request} -> {' '.join(words)}")


def _shown(call: ApiRequest, name: str) -> str:
    harmless_value = name in VALUES and call.param in PARAMETERS
    return _plain(call.parameters[name]) if name in _HARMLESS or harmless_value else _MASK


def _plain(written: object) -> str:
    """Return a value in visible characters on one line."""
    text = written if isinstance(written, str) else json.dumps(written)
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return cut if cut.isprintable() else repr(cut)
