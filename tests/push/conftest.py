"""The fixture that the tests of pushes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.push.support import Site, as_operator, serve, write_topology

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSite]:
    """Serve one of the document's topologies until the test ends."""
    as_operator(monkeypatch, tmp_path / "state")

    with ExitStack() as running:

        def make(section: str = "5.4", *, preferred_host: str = "master", **options: Any) -> Site:
            settings = options.pop("settings", {})
            topology = write_topology(tmp_path, section, preferred_host=preferred_host, **settings)
            return serve(running, topology, **options)

        yield make
