"""What a user of the lab can get wrong."""

from __future__ import annotations

from geoplan.errors import GeoplanError


class LabError(GeoplanError):
    """The lab cannot be started or asked like this; it says why and what to do instead."""


class NotInLabError(LabError):
    """The lab has no such unit, pair or fault."""


class NotReadableError(LabError):
    """A text that is not of the form that it has to have."""
