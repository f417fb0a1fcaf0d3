"""What all models of a topology file have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A model that never changes and takes no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
