"""Addresses as a unit takes them: several spellings, one meaning."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address


@lru_cache(maxsize=4096)
def canonical(address: str) -> str:
    """Return the one spelling of an address; raises :class:`ValueError` where it is none."""
    return str(ip_address(address.strip()))


def split_addresses(text: str) -> tuple[str, ...]:
    """Return the addresses of a list, as they were written, separated by commas, spaces or both.

    Raises :class:`ValueError` where one of them is no address.
    """
    addresses = tuple(part for part in re.split(r"[,\s]+", text) if part)
    for address in addresses:
        canonical(address)
    return addresses
