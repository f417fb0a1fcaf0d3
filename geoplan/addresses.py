"""Addresses as units write them, compared by what they mean, not by how they are spelled; and hosts that can be one."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LABEL, MAX_HOST = 63, 253  # octets (RFC 1035)


def is_address(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address and nothing else."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def same_addresses(some: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether two lists mean the same addresses, in whatever order and spelling."""
    return set(map(canonical, some)) == set(map(canonical, others))


@lru_cache(maxsize=1 << 16)
def canonical(address: str) -> str:
    """Return one spelling for all spellings of an address; what is none stays as it is."""
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return address.strip()


def without(addresses: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return those addresses that the others do not have, each as it was written."""
    known = set(map(canonical, others))
    given = tuple(addresses)
    return tuple(address for address, meant in zip(given, map(canonical, given), strict=True) if meant not in known)


def url_fault(url: str) -> str | None:
    """Say why a URL leads to no host that can be asked, in words that go on from what is named; or None if it can."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "that is no URL"
    if port == 0:
        return "its port is none"
    if "[" in parts.netloc.rpartition("@")[2] and not is_address(host or ""):
        return "what stands in its brackets is no IPv6 address"
    if "%" in (host or ""):
        return "its address has a zone, which only its own host understands"
    return host_fault(host or "")


def host_fault(host: str) -> str | None:
    """Say why a text can be no host, in words that go on from what is named; or None if it can."""
    if is_address(host):
        return None
    if not host.isascii() or "xn--" in host.lower():
        import idna  # noqa: PLC0415 - its tables take long to load, and hardly any host needs them

        try:
            # Both ways: whoever connects writes it in ASCII, and shows it in letters.
            host = idna.encode(host.lower()).decode("ascii")
            idna.decode(host)
        except (ValueError, IndexError):  # idna's own errors are the former
            return "that is no host name, although it has letters beyond ASCII or begins with xn--"
    labels = host.removesuffix(".").split(".")
    if any(len(label) > MAX_LABEL for label in labels) or len(host) > MAX_HOST:
        return f"its host name is longer than names can be: {MAX_LABEL} characters between dots, {MAX_HOST} in all"
    if not all(re.fullmatch(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?", label) for label in labels):
        return "that is no host name"
    return None
