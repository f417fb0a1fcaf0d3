"""What an installation without extras lacks, said as that."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB_PACKAGES = frozenset({"cryptography", "starlette", "uvicorn"})


@contextmanager
def lab_installed() -> Iterator[None]:
    """Import what the lab needs in this block. Raises :class:`GeoplanError` where its packages are not installed."""
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in LAB_PACKAGES:
            raise
        raise GeoplanError(
            f"the lab is not installed: {package} is missing", hint="pip install 'geoplan[lab]'"
        ) from None
