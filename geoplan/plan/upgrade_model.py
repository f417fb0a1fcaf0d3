"""A change of firmware: from which version to which, and what it does to the Partner Shared Secret."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from geoplan.plan.base import FrozenModel
from geoplan.topology.firmware import has_partner_secret, parse_version

Direction = Literal["upgrade", "downgrade"]


class UnitFirmware(FrozenModel):
    """What one unit runs before the first step."""

    address: str
    site: str
    present: str | None = Field(description="Its version; nothing where it is not known and need not be.")


class FirmwareChange(FrozenModel):
    """The version to which units are brought, and what they run before."""

    to: str
    direction: Direction | None = Field(description="Nothing where every unit runs the version already.")
    units: tuple[UnitFirmware, ...] = Field(description="Every unit of the sites that are brought to it.")
    others: tuple[UnitFirmware, ...] = Field(
        default=(), description="The units of the same groups that are left as they are."
    )

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites that are brought to the version, in order of declaration."""
        return tuple(dict.fromkeys(unit.site for unit in self.units))

    @property
    def has_secret(self) -> bool:
        """Whether partners have to share a secret under the version."""
        return has_partner_secret(parse_version(self.to))

    def of_site(self, site: str) -> tuple[UnitFirmware, ...]:
        """Return the units of a site: master and slave, or the only one."""
        return tuple(unit for unit in self.units if unit.site == site)

    def is_due(self, unit: UnitFirmware) -> bool:
        """Tell whether a unit does not run the version yet."""
        return unit.present is None or parse_version(unit.present) != parse_version(self.to)

    def due(self, site: str) -> tuple[UnitFirmware, ...]:
        """Return the units of a site that do not run the version yet."""
        return tuple(filter(self.is_due, self.of_site(site)))

    def crosses(self, unit: UnitFirmware) -> bool:
        """Tell whether a unit has the secret on one side of the change only; not known counts as another side."""
        return unit.present is None or has_partner_secret(parse_version(unit.present)) != self.has_secret

    def crosses_at(self, site: str) -> bool:
        """Tell whether a unit of a site gains the Partner Shared Secret, or loses it."""
        return any(map(self.crosses, self.of_site(site)))

    @property
    def crossing(self) -> tuple[UnitFirmware, ...]:
        """The units that gain the Partner Shared Secret, or lose it."""
        return tuple(filter(self.crosses, self.units))

    @property
    def cut_off(self) -> tuple[UnitFirmware, ...]:
        """The units left as they are that, as far as is known, are refused by those that cross, until they follow."""
        return tuple(filter(self.crosses, self.others)) if self.crossing else ()
