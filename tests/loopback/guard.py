"""Hold a process to loopback: whatever it connects to, sends to or looks up elsewhere raises."""

from __future__ import annotations

import sys
from ipaddress import ip_address


class BeyondLoopbackError(BaseException):
    """A test reaches beyond loopback. No ``except OSError`` of the code under test takes it for a failed connection."""


def hold_to_loopback() -> None:
    """Have the interpreter itself watch this process, whichever library it connects with, until it ends."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            raise BeyondLoopbackError(f"a test reaches for {address[0]}")
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"} and _is_looked_up(
        arguments[0]
    ):
        raise BeyondLoopbackError(f"a test looks up {arguments[0]}")


def _is_loopback(host: object) -> bool:
    try:
        address = ip_address(str(host))
    except ValueError:
        return host == "localhost"
    return bool((getattr(address, "ipv4_mapped", None) or address).is_loopback)


def _is_looked_up(host: object) -> bool:
    """Return whether a name server may be asked for a name; an address needs none."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost"}:
        return False
    try:
        ip_address(str(name))
    except ValueError:
        return True
    return False
