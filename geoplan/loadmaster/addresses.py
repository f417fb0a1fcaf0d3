"""Addresses as units write them: compared by what they mean, not by how they are spelled."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def canonical(text: str) -> str:
    """Return an address in its one short spelling, and anything else as it is."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text


def is_address(text: str) -> bool:
    """Tell whether a text is an IPv4 or IPv6 address and nothing else."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def same_addresses(some: Iterable[str], others: Iterable[str]) -> bool:
    """Tell whether two lists mean the same addresses, in whatever order and spelling."""
    return {canonical(address) for address in some} == {canonical(address) for address in others}
