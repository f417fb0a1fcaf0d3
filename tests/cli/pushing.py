"""Pushes as processes of their own."""

from __future__ import annotations

import sys

from geoplan.push.journal import read
from tests.push.support import Site, red_in_any_state


def pushing(site: Site, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "geoplan", "push", str(site.topology), "--endpoints", str(site.endpoints)),
        *options,
    ]


def assert_pushed(site: Site) -> None:
    site.settle()
    assert red_in_any_state(site.lab) == set()
    (journal,) = site.journals()
    assert read(journal).outcome == "done"
