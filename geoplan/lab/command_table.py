"""Every command of the API, by its name in lower case."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from geoplan.lab import commands_geo, commands_ha, commands_system
from geoplan.lab.answers import Answer
from geoplan.lab.commands import Command, Context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.lab.calls import Call


def list_api(context: Context, _call: Call) -> Answer:
    """Answer the commands that this firmware knows."""
    firmware = context.unit.firmware
    names = sorted(command.name for command in COMMANDS.values() if command.exists(firmware))
    return Answer(data={"command": [{"name": name} for name in names]})


_ALL = (
    *commands_system.COMMANDS,
    *commands_geo.COMMANDS,
    *commands_ha.COMMANDS,
    Command("listapi", list_api),
)
COMMANDS: Mapping[str, Command] = MappingProxyType({command.name: command for command in _ALL})
