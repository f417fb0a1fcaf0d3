"""A fault or a doubt that a topology file gives reason for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from geoplan.yaml12 import Loc


class Finding(NamedTuple):
    """A rule that is broken at one place; ``at_key`` shows the key there and not the value."""

    loc: Loc
    message: str
    hint: str
    at_key: bool = False
