"""What a command of the API is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geoplan.lab.api.request import DONE, UNPROCESSABLE, Answer, ApiError

if TYPE_CHECKING:
    from geoplan.lab.api.request import ApiRequest
    from geoplan.lab.device.firmware import Firmware
    from geoplan.lab.device.network import Network
    from geoplan.lab.device.unit import Unit


@dataclass(frozen=True, slots=True)
class Context:
    """Where a command is carried out: a unit among the others."""

    network: Network
    unit: Unit
    reboot: Callable[[], None]
    """Let this unit reboot once it has answered."""


Handler = Callable[[Context, "ApiRequest"], Answer]


def _always(_firmware: Firmware) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it does, whether it changes anything, and which firmware has it."""

    name: str
    run: Handler
    changes: bool = False
    exists: Callable[[Firmware], bool] = _always
    pretend: Handler = lambda _context, _call: Answer(DONE)
    """Answer as though it had been done."""


def unknown_command(name: str) -> ApiError:
    """Return how a command that this firmware does not know is refused."""
    shown = name if name.isprintable() else "?"
    return ApiError(UNPROCESSABLE, f"Unknown command {shown}")
