"""Firmware over the API: an image in, the way back, and what the unit ran before. Either counts at the next boot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geoplan.lab.api.request import NOT_ALLOWED, UNKNOWN_COMMAND, UNPROCESSABLE, Answer, ApiError, Command
from geoplan.lab.device.unit import Firmware
from geoplan.topology.types import is_firmware

if TYPE_CHECKING:
    from geoplan.lab.api.request import ApiRequest, Context

APIV1 = 1


def install(context: Context, call: ApiRequest) -> Answer:
    """Take a firmware image, whose name says its version: the unit runs it from its next boot on."""
    if call.version != APIV1:
        raise ApiError(NOT_ALLOWED, UNKNOWN_COMMAND)  # which APIv2 has not
    found = re.search(r"\d+(\.\d+){2,4}(\.RELEASE)?", call.file_name)
    if found is None or not is_firmware(found[0]) or not call.file_bytes:
        raise ApiError(UNPROCESSABLE, "Invalid patch file")
    context.network.upgrade(context.unit, Firmware(found[0]))
    return Answer()


def restore_previous(context: Context, _call: ApiRequest) -> Answer:
    """Go back to the firmware before from the next boot on."""
    context.network.upgrade(context.unit, _previous(context))
    return Answer()


def tell_previous(context: Context, _call: ApiRequest) -> Answer:
    """Answer the firmware that the unit ran before."""
    return Answer(data={"PreviousVersion": _previous(context).release})


def _previous(context: Context) -> Firmware:
    if context.unit.previous is None:
        raise ApiError(UNPROCESSABLE, "No previous version")
    return context.unit.previous


COMMANDS = (
    Command("installpatch", install, changes=True),
    Command("restorepatch", restore_previous, changes=True),
    Command("getpreviousversion", tell_previous),
)
