"""The fixture that the tests of pushes share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.push.support import PASSWORD, Site, lab_for, write_topology

MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSite]:
    """Serve one of the document's topologies until the test ends."""
    monkeypatch.setenv("GEOPLAN_USER", "bal")
    monkeypatch.setenv("GEOPLAN_PASSWORD", PASSWORD)
    monkeypatch.setenv("GEOPLAN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("GEOPLAN_APIKEY", raising=False)

    with ExitStack() as running:

        def make(section: str = "5.4", *, preferred_host: str = "master", **options: Any) -> Site:
            settings = options.pop("settings", {})
            topology = write_topology(tmp_path, section, preferred_host=preferred_host, **settings)
            lab = running.enter_context(lab_for(topology, **options))
            endpoints = tmp_path / "lab.yaml"
            endpoints.write_text(lab.endpoints.to_yaml())
            return Site(lab, topology, endpoints, tmp_path / "state")

        yield make
