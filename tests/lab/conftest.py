"""The lab's own fixture, as others would switch it on."""

from __future__ import annotations

from geoplan.lab.fixtures import start_lab

__all__ = ["start_lab"]
