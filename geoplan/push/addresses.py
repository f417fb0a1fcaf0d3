"""Addresses as sets: neither order nor spelling is a difference."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@lru_cache(maxsize=1 << 16)
def canonical(address: str) -> str:
    """Return one spelling for all spellings of an address; what is none stays as it is."""
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return address.strip()


def same_addresses(one: Iterable[str], other: Iterable[str]) -> bool:
    """Tell whether two lists name the same addresses."""
    return set(map(canonical, one)) == set(map(canonical, other))


def without(addresses: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Return those addresses that the others do not have, each as it was written."""
    known = set(map(canonical, others))
    return tuple(address for address in addresses if canonical(address) not in known)
