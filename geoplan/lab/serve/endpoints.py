"""Where the simulated units answer: the file that ``geoplan push`` and ``geoplan diff`` take."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class UnitEndpoint:
    """Where one unit answers."""

    api: str
    """The URL before ``/access`` and ``/accessv2``."""
    health: str
    """The URL of the health check; a standalone refuses it unless switched on."""
    fingerprint: str
    """``sha256:`` and 64 hexadecimal digits of its certificate."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """All units by their own addresses, and the control endpoint."""

    units: Mapping[str, UnitEndpoint]
    control: str

    def to_yaml(self) -> str:
        """Return the content of the endpoints file."""
        content = {"units": {address: asdict(unit) for address, unit in self.units.items()}, "control": self.control}
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
