"""HA of cloud units over the API: what each firmware and cloud calls its commands, and partners given by a name."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from socket import getaddrinfo
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from geoplan.addresses import canonical, is_address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from geoplan.loadmaster.model import HaFacts, HaMode, HaSettings


class HaCommands(NamedTuple):
    """How a firmware names the commands of HA."""

    tell: str
    set_mode: str
    set_parameters: str


HA_COMMANDS = (
    HaCommands("getawshaparams", "awshamode", "awshaparam"),
    # Some units care about the capitals of the first.
    HaCommands("getCloudHaParams", "setcloudhamode", "setcloudhaparam"),
    HaCommands("getazurehaparams", "azurehamode", "azurehaparam"),
)
"""In the order of asking: AWS's own, those of every cloud, Azure's own. The first that answers with content counts."""

NEWER_WORDS: dict[HaMode, str] = {"master": "first", "slave": "second"}
"""What the vendor's guides call the modes that its own client calls master and slave; either may be refused."""

Resolver: TypeAlias = "Callable[[str], Awaitable[tuple[str, ...]]]"
"""Returns the addresses of a host's name, or none if they cannot be found out."""

LOOK_UP_SECONDS = 3.0
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?", re.IGNORECASE)


def is_host_name(text: str) -> bool:
    """Return whether a text can be a host's name, and is no address."""
    return bool(_HOST.fullmatch(text)) and not is_address(text)


async def look_up(host: str) -> tuple[str, ...]:
    """Return the addresses that this machine finds for a host's name; none if it finds none within a few seconds.

    A name server that does not answer holds up nobody, not even the end of the program: nothing waits for the thread.
    """
    if not is_host_name(host):
        return ()
    loop = asyncio.get_running_loop()
    found: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def tell(addresses: tuple[str, ...]) -> None:
        if not found.done():
            found.set_result(addresses)

    def ask() -> None:
        addresses = _addresses_of(host)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, addresses)

    Thread(target=ask, name="geoplan-look-up", daemon=True).start()
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            return await found
    except TimeoutError:
        return ()


def _addresses_of(host: str) -> tuple[str, ...]:
    try:
        places = getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(place[4][0]) for place in places))


def has_partner(found: HaFacts, address: str) -> bool:
    """Return whether a unit says that its partner is this address, by itself or by a name that stands for it."""
    told = (found.partner or "", *found.partner_addresses)
    return canonical(address) in set(map(canonical, told))


def has_parameters(found: HaFacts | None, wanted: HaSettings) -> bool:
    """Return whether a unit has all the HA parameters that it is to be given, the mode apart."""
    return (
        found is not None
        and has_partner(found, wanted.partner)
        and found.health_check_port == wanted.health_check_port
        and found.prefers_master is (wanted.preferred_host == "master")
        and bool(found.all_interfaces) is wanted.all_interfaces
    )
