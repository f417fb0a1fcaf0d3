"""What all models of a plan have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping


class FrozenModel(BaseModel):
    """A model that never changes. Keys of newer versions are passed over: the checksum tells if they matter."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values; what was worked out from the old ones stays with the old model."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


def json_of(value: object, exclude: Mapping[str, Any] | None = None) -> bytes:
    """Return the compact JSON of a plain value, a model or a tuple of models; ``exclude`` as pydantic takes it."""
    for kind in {type(item) for item in (value if isinstance(value, tuple) else (value,))}:
        if issubclass(kind, FrozenModel):
            kind.model_rebuild()  # before 2.13.1 ``to_json`` fails on a model whose building is deferred
    return to_json(value, exclude=dict(exclude) if exclude else None)
