"""Addresses as units write them: compared by what they mean, as sets, not by how they are spelled."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_address(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address and nothing else."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def same_addresses(some: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether two lists mean the same addresses, in whatever order and spelling."""
    return {canonical(address) for address in some} == {canonical(address) for address in others}


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
    return tuple(address for address in addresses if canonical(address) not in known)
