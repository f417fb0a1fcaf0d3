"""Parameters, backup, reboot and what else concerns the unit itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from geoplan.lab.api.commands import Command, Context
from geoplan.lab.api.request import UNPROCESSABLE, Answer, ApiError
from geoplan.lab.device.parameters import PARAMETERS, Parameter, Value

if TYPE_CHECKING:
    from geoplan.lab.api.request import ApiRequest
    from geoplan.lab.device.firmware import Firmware

MIN_SECRET, MAX_SECRET = 8, 127  # characters (Updating the LoadMaster Software)

NO_HA, CLOUD_HA = "0", "3"  # of the numbers that hamode has (Interface Description); it tells no role of a cloud pair


def get(context: Context, call: ApiRequest) -> Answer:
    """Answer a parameter under the name that was asked for."""
    asked = call.text("param")
    return Answer(data={asked: _value(context, _parameter(asked))})


def get_all(context: Context, _call: ApiRequest) -> Answer:
    """Answer all parameters."""
    return Answer(data={name: _value(context, parameter) for name, parameter in PARAMETERS.items()})


def set_parameter(context: Context, call: ApiRequest) -> Answer:
    """Write a parameter."""
    parameter = _parameter(call.text("param"))
    value = call.value_of(parameter)
    if not parameter.writable:
        raise ApiError(UNPROCESSABLE, f"Parameter {parameter.name} cannot be set")
    context.network.set_parameter(context.unit, parameter.name, value)
    return Answer()


def set_secret(context: Context, call: ApiRequest) -> Answer:
    """Write the Partner Shared Secret of this unit alone; nothing ever reads it back."""
    secret = call.text("secret")
    if not MIN_SECRET <= len(secret) <= MAX_SECRET:
        raise ApiError(UNPROCESSABLE, f"The secret must have {MIN_SECRET} to {MAX_SECRET} characters")
    context.network.set_secret(context.unit, secret)
    return Answer()


def backup(context: Context, _call: ApiRequest) -> Answer:
    """Answer a file with all that the unit would need to be restored, in the lab's own format."""
    unit = context.unit
    content = {
        "unit": unit.address,
        "settings": {**unit.configuration.settings, **unit.own},
        "clusters": [f"{cluster.name} {address}" for address, cluster in context.network.geo.clusters(unit)],
        "fqdns": [fqdn.name for fqdn in context.network.geo.fqdns(unit)],
    }
    return Answer(file=b"GEOPLAN LAB BACKUP\n" + json.dumps(content, indent=1).encode() + b"\n")


def reboot(context: Context, _call: ApiRequest) -> Answer:
    """Answer, and then be gone."""
    context.reboot()
    return Answer()


def _parameter(name: str) -> Parameter:
    parameter = PARAMETERS.get(name.lower())
    if parameter is None:
        raise ApiError(UNPROCESSABLE, f"Unknown parameter {name}")
    return parameter


def _value(context: Context, parameter: Parameter) -> Value:
    unit = context.unit
    match parameter.name:
        case "version":
            return unit.firmware.release
        case "hamode":
            return NO_HA if unit.ha.mode == "single" else CLOUD_HA
        case "boottime":
            return str(int(context.network.epoch + unit.booted))
        case name:
            return unit.setting(name)


def _has_secret(firmware: Firmware) -> bool:
    return firmware.has_partner_secret


COMMANDS = (
    Command("get", get),
    Command("set", set_parameter, changes=True),
    Command("getall", get_all),
    Command("setlmcommsecret", set_secret, changes=True, exists=_has_secret),
    Command("backup", backup),
    Command("reboot", reboot, changes=True),
)
