"""The parameters that ``get`` and ``set`` know, and addresses as a unit takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@lru_cache(maxsize=4096)
def canonical(address: str) -> str:
    """Return the one spelling of an address; raises :class:`ValueError` where it is none."""
    return str(ip_address(address.strip()))


def is_address(text: str) -> bool:
    """Return whether a text is an address."""
    try:
        canonical(text)
    except ValueError:
        return False
    return True


def split_addresses(text: str) -> tuple[str, ...]:
    """Return the addresses of a list, as they were written, separated by commas, spaces or both.

    Raises :class:`ValueError` where one of them is no address.
    """
    addresses = tuple(part for part in re.split(r"[,\s]+", text) if part)
    for address in addresses:
        canonical(address)
    return addresses


Value = bool | int | str | tuple[str, ...]
Kind = Literal["addresses", "flag", "number", "port", "text", "yes"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter with its kind and its value on a fresh unit."""

    name: str
    kind: Kind
    default: Value
    synchronised: bool = True
    writable: bool = True


_TABLE = (
    Parameter("geoclients", "addresses", ()),
    Parameter("geopartners", "addresses", ()),
    Parameter("geosshport", "port", 22),
    Parameter("geo_ssh_iface", "number", 0),
    Parameter("sshaccess", "flag", default=True),
    Parameter("enableapi", "yes", default=True),  # no other word will do, and no 1 (Interface Description)
    Parameter("sessioncontrol", "flag", default=True),
    # Section 4 of the document names these among the settings that HA does not synchronise.
    Parameter("hostname", "text", "lb100", synchronised=False),
    Parameter("namserver", "addresses", (), synchronised=False),
    Parameter("dfltgw", "text", "", synchronised=False),
    Parameter("searchlist", "text", "", synchronised=False),
    Parameter("hamode", "text", "", synchronised=False, writable=False),
    Parameter("version", "text", "", synchronised=False, writable=False),
    Parameter("hastatus", "text", "", synchronised=False, writable=False),
    Parameter("boottime", "number", "", synchronised=False, writable=False),
    Parameter("activetime", "number", "", synchronised=False, writable=False),
    Parameter("apiport", "port", "", synchronised=False, writable=False),  # unset means the port of the WUI
)
PARAMETERS: Mapping[str, Parameter] = MappingProxyType({parameter.name: parameter for parameter in _TABLE})
REMOTE_GEO_ACCESS = "geoclients"
GEO_PARTNERS = "geopartners"
API_ENABLED = "enableapi"
SESSION_CONTROL = "sessioncontrol"  # off, it leaves HTTP Basic alone, which APIv2 does not have (Programmer Guide, WUI)
GEO_ENABLED = "geo_enabled"  # not a parameter: enablegeo and isgeoenabled alone touch it
SYNCHRONISED_DEFAULTS: Mapping[str, Value] = MappingProxyType(
    {name: parameter.default for name, parameter in PARAMETERS.items() if parameter.synchronised} | {GEO_ENABLED: True}
)
OWN_DEFAULTS: Mapping[str, Value] = MappingProxyType(
    {name: parameter.default for name, parameter in PARAMETERS.items() if not parameter.synchronised}
)
