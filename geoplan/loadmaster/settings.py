"""What one unit says of itself by its parameters: many in one call, and who it is in its pair."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from geoplan.errors import UnitRefusedError, UnusableAnswerError
from geoplan.loadmaster import decode
from geoplan.loadmaster.model import UnitSettings
from geoplan.loadmaster.wire import Answer, Command, UnusableError
from geoplan.vendor import HOST_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.loadmaster.model import HaStatus
    from geoplan.loadmaster.session import Session

Value = TypeVar("Value")

REMOTE_GEO_ACCESS, GEO_PARTNERS = "geoclients", "geopartners"
VERSION, BOOT_TIME, SSH_ACCESS = "version", "boottime", "sshaccess"
HA_STATUS, ACTIVE_TIME, GET_ALL = "hastatus", "activetime", "getall"
STATISTICS, CHANGE_TIME = "stats", "changetime"


async def read_settings(session: Session) -> UnitSettings | None:
    """Return all parameters that one call tells; None where the unit refuses it, or answers in an unknown way.

    It leaves out what is unset: what is missing here is not told, and has to be asked by itself.
    """
    try:
        answer = await session.read(Command(GET_ALL))
    except UnitRefusedError:
        return None
    except UnusableAnswerError as error:
        if error.transient:
            raise
        return None
    text, addresses = partial(_told, decode.text, answer), partial(_told, decode.addresses, answer)
    return UnitSettings(
        firmware=text(VERSION),
        boot_time=text(BOOT_TIME),
        ssh_access=_told(decode.flag, answer, SSH_ACCESS),
        remote_geo_access=addresses(REMOTE_GEO_ACCESS) or None,
        geo_partners=addresses(GEO_PARTNERS) or None,
        ha_status=_told(decode.ha_status, answer, HA_STATUS) or _told(decode.active_time, answer, ACTIVE_TIME),
        host_name=text(HOST_NAME),
    )


async def read_boot_time(session: Session) -> str | None:
    """Return when a unit was booted last, in its own words, or None if it does not tell.

    How units write it is not known. Whether it is the same as before tells a reboot in any spelling;
    :func:`geoplan.loadmaster.decode.moment` reads the spellings that are likely.
    """
    try:
        return decode.text(await session.read(Command("get", {"param": BOOT_TIME})), BOOT_TIME)
    except (UnitRefusedError, UnusableError):
        return None


async def read_change_time(session: Session) -> str | None:
    """Return when a unit's configuration was changed last, in its own words, or None if it does not tell."""
    try:
        return decode.text(await session.read(Command(STATISTICS)), CHANGE_TIME)
    except (UnitRefusedError, UnusableError, UnusableAnswerError):
        return None


async def read_ha_status(session: Session, *, once: bool) -> HaStatus | None:
    """Return what a unit says of its place in its pair, or None for an answer that tells nothing.

    Firmware that does not know ``hastatus`` may tell since when the unit is active, which is never of a standby.
    """
    try:
        answer = await session.read(Command("get", {"param": HA_STATUS}), once=once)
    except UnitRefusedError:
        answer = await session.read(Command("get", {"param": ACTIVE_TIME}), once=once)
        return _told(decode.active_time, answer, ACTIVE_TIME)
    return _told(decode.ha_status, answer, HA_STATUS)


def _told(read: Callable[[Answer, str], Value], answer: Answer, parameter: str) -> Value | None:
    """Return what an answer tells of a parameter, or None where it does not tell it."""
    try:
        return read(answer, parameter)
    except UnusableError:
        return None
