"""HA parameters: each unit's own, whether active or standby (WUI guide, *AWS HA Parameters*)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geoplan.lab.api.commands import Command, Context
from geoplan.lab.api.request import MAX_PORT, UNPROCESSABLE, Answer, ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.lab.api.commands import Handler
    from geoplan.lab.api.request import ApiRequest, Leaf
    from geoplan.lab.device.firmware import Firmware
    from geoplan.lab.device.unit import Mode, Unit

UNSET = "unset"

_MODES: dict[str, Mode] = {"master": "master", "slave": "slave", "single": "single"}
_NEWER_MODES: dict[str, Mode] = {**_MODES, "first": "master", "second": "slave"}
_NEWER_WORDS: dict[Mode, str] = {"master": "first", "slave": "second", "single": "single"}


def set_mode(context: Context, call: ApiRequest) -> Answer:
    """Change the unit's own HA mode; a standalone of the topology has no partner that HA could be with."""
    modes = _NEWER_MODES if context.unit.firmware.has_cloud_ha else _MODES
    mode = modes[call.one_of("hamode", list(modes))]
    if context.unit.role == "standalone" and mode != "single":
        raise ApiError(UNPROCESSABLE, "The lab has no partner for a standalone of its topology")
    context.network.set_ha(context.unit, replace(context.unit.ha, mode=mode))
    return Answer()


def set_parameters(context: Context, call: ApiRequest) -> Answer:
    """Change what is given of the HA parameters, all of it or, where one is bad, none."""
    ha = context.unit.ha
    if call.has("partner"):
        ha = replace(ha, partner=call.address("partner"))
    if call.has("hcp"):
        ha = replace(ha, health_check_port=call.number("hcp", 1, MAX_PORT))
    if call.has("haprefered"):
        ha = replace(ha, prefer_master=bool(call.number("haprefered", 0, 1)))
    if call.has("hcai"):
        ha = replace(ha, all_interfaces=call.flag("hcai"))
    context.network.set_ha(context.unit, ha)
    return Answer()


def mode_word(unit: Unit) -> str:
    """Return a unit's HA mode in the words of its firmware; those of newer firmware and of single mode are guesses."""
    return _NEWER_WORDS[unit.ha.mode] if unit.firmware.has_cloud_ha else unit.ha.mode


def get_parameters(element: str) -> Handler:
    """Return the command that answers the HA parameters under that element, as the Interface Description's sample."""

    def answer(context: Context, _call: ApiRequest) -> Answer:
        ha = context.unit.ha
        shown: dict[str, Leaf] = {
            "HaMode": mode_word(context.unit),
            "HaPrefered": int(ha.prefer_master),
            "Partner": ha.partner or UNSET,
            "Port": ha.health_check_port or UNSET,
        }
        if ha.all_interfaces:  # absent when unset
            shown["HealthCheckAllInterfaces"] = True
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
