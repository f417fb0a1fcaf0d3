"""Every command of the API, by its name in lower case."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from geoplan.lab.api.commands import Command, Context, geo, ha, system
from geoplan.lab.api.request import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.lab.api.request import ApiRequest


def list_api(context: Context, _call: ApiRequest) -> Answer:
    """Answer the commands that this firmware knows."""
    firmware = context.unit.firmware
    names = sorted(command.name for command in COMMANDS.values() if command.exists(firmware))
    return Answer(data={"command": [{"name": name} for name in names]})


_ALL = (
    *system.COMMANDS,
    *geo.COMMANDS,
    *ha.COMMANDS,
    Command("listapi", list_api),
)
COMMANDS: Mapping[str, Command] = MappingProxyType({command.name: command for command in _ALL})
