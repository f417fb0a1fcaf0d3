"""What all models of a plan have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A model that never changes. Keys of newer versions are passed over: the checksum tells if they matter."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)
