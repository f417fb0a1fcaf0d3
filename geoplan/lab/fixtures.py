"""A pytest fixture for whoever tests against LoadMasters.

Switch it on with ``pytest_plugins = ["geoplan.lab.fixtures"]`` in the top ``conftest.py``.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from geoplan.lab.lab import BackgroundLab
from geoplan.topology.loader import load_topology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.model import Topology


class StartLab(Protocol):
    """What the fixture gives."""

    def __call__(self, topology: Topology | str | Path, **options: Any) -> BackgroundLab:  # noqa: ANN401
        """Serve a topology, or a topology file, until the test ends; the options are those of ``Lab``."""


@pytest.fixture
def start_lab() -> Iterator[StartLab]:
    """Start labs that stop when the test ends."""
    with ExitStack() as running:

        def start(topology: Topology | str | Path, **options: Any) -> BackgroundLab:  # noqa: ANN401
            loaded = load_topology(topology) if isinstance(topology, str | Path) else topology
            return running.enter_context(BackgroundLab(loaded, **options))

        yield start
