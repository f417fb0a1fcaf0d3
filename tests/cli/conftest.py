"""What the tests of the command line share."""

from __future__ import annotations

from functools import partial

import pytest

from geoplan.loadmaster.session import Retries

FIRST_PAUSE = 0.01  # seconds


@pytest.fixture
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a unit that does not answer as often as ever, but without long pauses: it is not to return."""
    monkeypatch.setattr("geoplan.loadmaster.client.Retries", partial(Retries, first_pause=FIRST_PAUSE))
