"""The LoadMaster's web interface (WUI) in a runbook: the menu paths, labels and buttons of :mod:`geoplan.vendor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from geoplan import vendor
from geoplan.render.runbook.prose import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

Source = Literal["document", "vendor"]


class Screen(NamedTuple):
    """A screen of the WUI, by its path in the main menu."""

    path: Label
    source: Source
    """The document (*LoadMaster HA for AWS*), or another of the vendor's guides where the document names no path."""


_SCREENS = frozenset(
    {
        "REMOTE_ACCESS",
        "MANAGE_CLUSTERS",
        "HA_PARAMETERS",
        "HOME",
        "SYSTEM_REBOOT",
        "UPDATE_SOFTWARE",
        "STANDBY_UPDATE",
        "BACKUP",
    }
)
MODES = {"master": Label(vendor.MASTER_HA_MODE), "slave": Label(vendor.SLAVE_HA_MODE)}
PREFERRED_CHOICE = {"master": Label(vendor.PREFER_MASTER), "none": Label(vendor.NO_PREFERRED_HOST)}


def _named(fact: vendor.Fact) -> Label | Screen:
    label = Label(fact.value)
    return Screen(label, "document" if fact.confirmed else "vendor") if fact.name in _SCREENS else label


NAMES: Mapping[str, object] = {
    **{fact.name: _named(fact) for fact in vendor.FACTS if fact.meaning == vendor.WUI},
    "MODES": MODES,
    "PREFERRED_CHOICE": PREFERRED_CHOICE,
    "LOCAL_UPDATE": Label(vendor.STANDBY_UPDATE),
}
"""What templates know as ``wui``."""
SCREENS = tuple(screen for screen in NAMES.values() if isinstance(screen, Screen))
