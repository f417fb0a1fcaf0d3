"""Every command of the API: parameters, HA and what concerns the unit itself; those of GEO are in ``geo``."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from geoplan.lab.api import firmware, geo
from geoplan.lab.api.request import MAX_PORT, UNPROCESSABLE, Answer, ApiError, Command
from geoplan.lab.device.geo import Cluster, Fqdn, FqdnMap
from geoplan.lab.device.parameters import (
    GEO_PARTNERS,
    PARAMETERS,
    REMOTE_GEO_ACCESS,
    SESSION_CONTROL,
    Parameter,
    Value,
    is_address,
)
from geoplan.lab.variants import Variant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geoplan.lab.api.request import ApiRequest, Cloud, Context, Handler, Leaf
    from geoplan.lab.device.unit import Firmware, Mode

MIN_SECRET, MAX_SECRET = 8, 127  # characters (Updating the LoadMaster Software)
NOT_IN_SECRETS = "'"  # of what ASCII has visible; neither a blank nor anything beyond ASCII may be in one

SECRET_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - frozenset(NOT_IN_SECRETS)

NO_HA, CLOUD_HA = 0, 3  # of the numbers that hamode has (Interface Description); it tells no role of a cloud pair


def get(context: Context, call: ApiRequest) -> Answer:
    """Answer a parameter under the name that was asked for."""
    asked = call.text("param")
    return Answer(data={asked: _value(context, _parameter(asked))})


def get_all(context: Context, _call: ApiRequest) -> Answer:
    """Answer all parameters that are set; where several values are one parameter's, APIv1 repeats its element."""
    values = {name: _value(context, parameter) for name, parameter in PARAMETERS.items()}
    return Answer(data={name: value for name, value in values.items() if value not in ("", ())}, repeats=True)


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
    if not all(character in SECRET_CHARACTERS for character in secret):
        raise ApiError(UNPROCESSABLE, "Invalid character in the secret")
    context.network.set_secret(context.unit, secret)
    return Answer()


def backup(context: Context, _call: ApiRequest) -> Answer:
    """Answer a file with all that the unit would need to be restored, in a format of the lab; packed, it shows cuts."""
    unit = context.unit
    content = {
        "unit": unit.address,
        "settings": {**unit.configuration.settings, **unit.own},
        "clusters": [
            {**asdict(cluster), "address": address} for address, cluster in context.network.geo.clusters(unit)
        ],
        "fqdns": [{"name": fqdn.name, "maps": fqdn.maps} for fqdn in context.network.geo.fqdns(unit)],
    }
    written = BACKUP_HEAD + json.dumps(content, indent=1).encode() + b"\n"
    return Answer(file=gzip.compress(written, mtime=0))


def restore(context: Context, call: ApiRequest) -> Answer:
    """Take what ``type`` names from a backup of any unit: a bitmask, of which the lab knows GEO alone.

    That it replaces all of GEO's entries, writes no list and restarts nothing is a guess.
    """
    if call.number("type", 1, ALL_PARTS) != GEO_PART:
        raise ApiError(UNPROCESSABLE, "The lab restores GEO alone: type 4")
    try:
        content = gzip.decompress(_file(call))
    except (OSError, EOFError, zlib.error):
        content = b""
    if not content.startswith(BACKUP_HEAD):
        raise ApiError(UNPROCESSABLE, "Invalid backup file")
    kept = json.loads(content.removeprefix(BACKUP_HEAD))
    clusters = [Cluster(**cluster) for cluster in kept["clusters"]]
    fqdns = [Fqdn(fqdn["name"], tuple(FqdnMap(*each) for each in fqdn["maps"])) for fqdn in kept["fqdns"]]
    context.network.geo.replace_all(context.unit, clusters, fqdns)
    if Variant.RESTORE_BRINGS_LISTS in context.variants:
        for name in (REMOTE_GEO_ACCESS, GEO_PARTNERS):
            context.network.set_parameter(context.unit, name, tuple(kept["settings"][name]))
    return Answer()


def _file(call: ApiRequest) -> bytes:
    """Return the file that came with a command: the body in APIv1, in base64 under ``data`` in APIv2."""
    if call.file:
        return call.file
    try:
        return base64.b64decode(call.text("data"), validate=True)
    except ValueError:
        raise ApiError(UNPROCESSABLE, "Invalid value for data") from None


BACKUP_HEAD = b"GEOPLAN LAB BACKUP\n"
GEO_PART, ALL_PARTS = 4, 15  # Interface Description: 1 base, 2 virtual services, 4 GEO, 8 ESP SSO


def statistics(context: Context, _call: ApiRequest) -> Answer:
    """Answer when the unit was changed last, which it tells only with Session Management on; there is no traffic."""
    unit = context.unit
    told: dict[str, Leaf] = {"ChangeTime": context.network.time_of_day(unit.changed)}
    return Answer(data=told if unit.setting(SESSION_CONTROL) else {})


def list_virtual_services(_context: Context, _call: ApiRequest) -> Answer:
    """Answer that there are none: the lab has no virtual services."""
    return Answer(data={})


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
        case "hastatus":
            return context.network.ha_state(unit)
        case "boottime":
            return context.network.time_of_day(unit.booted)
        case "activetime":
            since = context.network.active_since(unit)
            return 0 if since is None else context.network.time_of_day(since)
        case name:
            return unit.setting(name)


def list_api(context: Context, _call: ApiRequest) -> Answer:
    """Answer the commands that this firmware knows."""
    firmware = context.unit.firmware
    names = sorted(command.name for command in COMMANDS.values() if command.exists(firmware))
    return Answer(data={"commands": tuple(names)}, repeats=True)


# -- HA, on each unit by itself, active or standby (WUI guide, AWS HA Parameters) --------------------------------------


UNSET = "unset"
HOST = r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*"

_MODES: dict[str, Mode] = {
    "master": "master", "slave": "slave", "single": "single",
    "first": "master", "second": "slave",
}  # fmt: skip
"""The words of the vendor's PowerShell SDK. The Interface Description has only the last three."""


def set_mode(context: Context, call: ApiRequest) -> Answer:
    """Change the unit's own HA mode; a standalone of the topology has no partner that HA could be with."""
    mode = _MODES[call.one_of("hamode", list(_MODES))]
    if mode != "single" and context.unit.firmware.has_partner_secret and context.unit.secret is None:
        raise ApiError(UNPROCESSABLE, "Set the Partner Shared Secret first")  # HA Feature Description
    if context.unit.role == "standalone" and mode != "single":
        raise ApiError(UNPROCESSABLE, "The lab has no partner for a standalone of its topology")
    context.network.set_ha(context.unit, replace(context.unit.ha, mode=mode))
    return Answer()


def set_parameters(context: Context, call: ApiRequest) -> Answer:
    """Change what is given of the HA parameters, all of it or, where one is bad, none."""
    ha = context.unit.ha
    if call.has("partner"):
        ha = replace(ha, partner=_partner(call))
    if call.has("hcp"):
        ha = replace(ha, health_check_port=call.number("hcp", 1, MAX_PORT))
    if call.has("haprefered"):
        ha = replace(ha, prefer_master=bool(call.number("haprefered", 0, 1)))
    if call.has("hcai"):
        ha = replace(ha, all_interfaces=call.flag("hcai"))
    context.network.set_ha(context.unit, ha)
    return Answer()


def _partner(call: ApiRequest) -> str:
    """Return a partner: an address, or the name of a host."""
    given = call.text("partner").strip()
    is_name = re.fullmatch(HOST, given) and not given.rpartition(".")[2].isdigit() and not is_address(given)
    return given if is_name else call.address("partner")


def get_parameters(of: Cloud | None = None) -> Handler:
    """Return a cloud's own command for the HA parameters, or that of every cloud.

    It answers as the Interface Description's sample, and with an empty success on a unit of another cloud: this is
    how the vendor's PowerShell SDK knows that a unit is none of that cloud. The word for mode single is a guess.
    """

    def answer(context: Context, _call: ApiRequest) -> Answer:
        cloud = context.cloud
        if of not in (None, cloud):
            return Answer(data={})
        ha = context.unit.ha
        shown: dict[str, Leaf] = {
            "HaMode": ha.mode,
            "HaPrefered": int(ha.prefer_master),
            "Partner": ha.partner or UNSET,
            "Port": ha.health_check_port or UNSET,
        }
        if ha.all_interfaces:  # absent when unset
            shown["HealthCheckAllInterfaces"] = True
        return Answer(data={cloud: shown})

    return answer


def _on(cloud: Cloud, run: Handler) -> Handler:
    """Return a cloud's own command for a change, which units of another cloud refuse; that they do is a guess."""

    def refuse_elsewhere(context: Context, call: ApiRequest) -> Answer:
        if context.cloud != cloud:
            raise ApiError(UNPROCESSABLE, "Not available on this platform")
        return run(context, call)

    return refuse_elsewhere


def _has_cloud_ha(firmware: Firmware) -> bool:
    return firmware.has_cloud_ha


_PARAMETERS = ("partner", "hcp", "haprefered", "hcai")

_ALL = (
    Command("get", get, ("param",)),
    Command("set", set_parameter, ("param",), changes=True),  # and the value of a parameter that there is
    Command("getall", get_all),
    Command("setlmcommsecret", set_secret, changes=True, exists=lambda firmware: firmware.has_partner_secret),
    Command("backup", backup),
    Command("restore", restore, ("type",), changes=True),
    Command("stats", statistics),
    Command("listvs", list_virtual_services),
    Command("reboot", reboot, changes=True),
    Command("listapi", list_api),
    Command("awshamode", _on("AwsHA", set_mode), ("hamode",), changes=True),
    Command("awshaparam", _on("AwsHA", set_parameters), _PARAMETERS, changes=True),
    Command("getawshaparams", get_parameters("AwsHA")),
    Command("azurehamode", _on("AzureHA", set_mode), ("hamode",), changes=True),
    Command("azurehaparam", _on("AzureHA", set_parameters), _PARAMETERS, changes=True),
    Command("getazurehaparams", get_parameters("AzureHA")),
    Command("setcloudhamode", set_mode, ("hamode",), changes=True, exists=_has_cloud_ha),
    Command("setcloudhaparam", set_parameters, _PARAMETERS, changes=True, exists=_has_cloud_ha),
    Command("getcloudhaparams", get_parameters(), exists=_has_cloud_ha),
    *geo.COMMANDS,
    *firmware.COMMANDS,
)
COMMANDS: Mapping[str, Command] = MappingProxyType({command.name: command for command in _ALL})
