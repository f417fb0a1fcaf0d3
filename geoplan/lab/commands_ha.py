"""HA parameters: each unit's own, whether active or standby (WUI guide, *AWS HA Parameters*)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.lab.answers import UNPROCESSABLE, Answer, RefusalError
from geoplan.lab.calls import MAX_PORT
from geoplan.lab.commands import Command, Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.lab.calls import Call
    from geoplan.lab.commands import Handler
    from geoplan.lab.firmware import Firmware

UNSET = "unset"

_MODES = {"master": "master", "slave": "slave", "single": "standalone"}
_NEWER_MODES = {**_MODES, "first": "master", "second": "slave"}


def set_mode(context: Context, call: Call) -> Answer:
    """Confirm the role that the topology gives the unit; the lab has no other for it."""
    modes = _NEWER_MODES if context.unit.firmware.has_cloud_ha else _MODES
    if modes[call.one_of("hamode", list(modes))] != context.unit.role:
        raise RefusalError(UNPROCESSABLE, "The lab takes the HA mode from its topology")
    return Answer()


def set_parameters(context: Context, call: Call) -> Answer:
    """Change what is given of the HA parameters."""
    ha = context.unit.ha
    partner = call.address("partner") if call.has("partner") else ha.partner
    port = call.number("hcp", 1, MAX_PORT) if call.has("hcp") else ha.health_check_port
    prefer_master = bool(call.number("haprefered", 0, 1)) if call.has("haprefered") else ha.prefer_master
    all_interfaces = call.flag("hcai") if call.has("hcai") else ha.all_interfaces
    ha.partner, ha.health_check_port, ha.prefer_master, ha.all_interfaces = partner, port, prefer_master, all_interfaces
    return Answer()


def get_parameters(element: str) -> Handler:
    """Return the command that answers the HA parameters under that element."""

    def answer(context: Context, _call: Call) -> Answer:
        ha = context.unit.ha
        shown = {
            "Partner": ha.partner or UNSET,
            "Port": ha.health_check_port or UNSET,
            "HaPrefered": int(ha.prefer_master),
            "HealthCheckAllInterfaces": ha.all_interfaces or UNSET,
        }
        return Answer(data={element: shown})

    return answer


def _has_cloud_ha(firmware: Firmware) -> bool:
    return firmware.has_cloud_ha


def _commands(names: tuple[str, str, str], element: str, exists: Callable[[Firmware], bool]) -> tuple[Command, ...]:
    mode, change, answer = names
    return (
        Command(mode, set_mode, changes=True, exists=exists),
        Command(change, set_parameters, changes=True, exists=exists),
        Command(answer, get_parameters(element), exists=exists),
    )


COMMANDS = (
    *_commands(("awshamode", "awshaparam", "getawshaparams"), "AwsHA", lambda _firmware: True),
    # The element's name is a guess, made after its older sibling's.
    *_commands(("setcloudhamode", "setcloudhaparam", "getcloudhaparams"), "CloudHA", _has_cloud_ha),
)
