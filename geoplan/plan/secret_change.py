"""That a plan sets the Partner Shared Secret: a plan holds no word of what it is."""

from __future__ import annotations

from pydantic import Field

from geoplan.plan.base import FrozenModel


class SecretChange(FrozenModel):
    """The Partner Shared Secret is set on every unit, each by itself, site by site."""

    goes_back: bool = Field(default=False, description="Whether it is the one that units had before.")
