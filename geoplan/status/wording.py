"""The small change of sentences: lists, names of sites, moments."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from geoplan import vendor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from geoplan.live.model import Observation

    Command = Callable[..., str]
    Since = Mapping[str, datetime]

MENU = vendor.HA_PARAMETERS


def generic_command(name: str, *words: str) -> str:
    """Return a command of geoplan for whoever does not know the topology's file."""
    return shlex.join(("geoplan", name, "TOPOLOGY", *words))


def listed(names: Iterable[str]) -> str:
    """Write ``a``, ``a and b``, ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def titled(unit: Observation) -> str:
    """Name a unit with its role: ``the master 172.24.1.5``; a standalone by its address alone."""
    return unit.address if unit.role == "standalone" else f"the {unit.role} {unit.address}"


def sentence(text: str) -> str:
    """Begin with a capital letter."""
    return text[:1].upper() + text[1:]


def present(since: Since, address: str) -> str:
    """Say since when something is so, where that was seen, and else that it is so now."""
    moment = since.get(address)
    return f"since {moment.astimezone():%H:%M:%S}" if moment else "at present"
