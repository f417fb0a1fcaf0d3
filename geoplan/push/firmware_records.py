"""What a journal records of new firmware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import StrictBool, StrictInt

from geoplan.push.record import Record
from geoplan.push.values import Addresses, HaValue, Strict, Text


class MeasuredUnit(Strict):
    """What a unit held before the first installation; what it did not tell is nothing."""

    firmware: Text | None = None
    ha: HaValue | None = None
    remote_geo_access: Addresses | None = None
    geo_partners: Addresses | None = None
    clusters: Addresses | None = None
    """Their names, sorted: a pair shows its own by the address of the unit that is asked."""
    green: Addresses | None = None
    """The partners that it showed green, sorted."""
    virtual_services: StrictInt | None = None
    active: StrictBool | None = None
    """Whether it was its pair's active unit; nothing where that was not clear, or it has no pair."""


class Measured(Record):
    """What all units of an update held before it began: at its end they have to hold the same."""

    event: Literal["measured"]
    units: Mapping[Text, MeasuredUnit]


class Preferring(Record):
    """The preferred host of a unit is about to be changed: from here on it may have been."""

    event: Literal["preferring"]
    step: Text
    site: Text
    unit: Text
    before: StrictBool
    after: StrictBool
    """Whether the master takes over again."""


class LeftAside(Record):
    """An earlier update left these units of a pair on *No Preferred Host*: this one sets *Prefer Master* again."""

    event: Literal["left_aside"]
    site: Text
    units: Addresses


class Installing(Record):
    """New firmware is about to be sent to a unit: from here on it may run it from its next boot on."""

    event: Literal["installing"]
    step: Text
    site: Text
    unit: Text
    before: Text
    """The version that it ran."""
    after: Text
    image: Text | None = None
    """What the file is called; None for the way back, which needs none."""
    size: StrictInt | None = None


class NotInstalled(Record):
    """What was recorded last for the unit came to nothing: it was cut on its way, or the unit answered an error."""

    event: Literal["not_installed"]
    step: Text
    site: Text
    unit: Text


class Installed(Record):
    """The unit said that it has the new firmware."""

    event: Literal["installed"]
    step: Text
    site: Text
    unit: Text


class Booting(Record):
    """A unit is about to be told to boot into new firmware: from here on it may be under way."""

    event: Literal["booting"]
    step: Text
    site: Text
    unit: Text
    boot_time: Text | None = None
    """When it said just before that it was booted last; None where it did not tell."""


class Updated(Record):
    """The unit shows the new version, and its pair is whole: it is not touched again."""

    event: Literal["updated"]
    step: Text
    site: Text
    unit: Text
    version: Text


FirmwareRecord = Measured | Preferring | LeftAside | Installing | NotInstalled | Installed | Booting | Updated
