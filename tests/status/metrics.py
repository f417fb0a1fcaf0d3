"""Metrics read as Prometheus reads them, and what its own checker says of them."""

from __future__ import annotations

import shutil
import subprocess

from prometheus_client.parser import text_string_to_metric_families

from tests.render.pictures import require


def value(text: str, name: str, **labels: str) -> float | None:
    """Return the one sample with these labels, whatever others it has; None where there is none."""
    found = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) <= 1, found
    return found[0] if found else None


def labels_of(text: str, name: str, label: str) -> list[str]:
    """Return the values of a label, in the order in which they stand."""
    families = text_string_to_metric_families(text)
    return [sample.labels[label] for family in families for sample in family.samples if sample.name == name]


def promtool() -> str:
    """Return the program, or skip the test; where GEOPLAN_REQUIRE_PROMTOOL is 1 it has to be there."""
    found = shutil.which("promtool")
    require(found, "promtool", "GEOPLAN_REQUIRE_PROMTOOL")
    return found or ""


def check(what: str, *arguments: str, given: str = "") -> str:
    """Return what promtool finds wrong: nothing, if all is well."""
    ended = subprocess.run(
        [promtool(), "check", what, *arguments], input=given, capture_output=True, text=True, check=False, timeout=60
    )
    said = f"{ended.stdout}{ended.stderr}"
    return said if ended.returncode or "FAILED" in said else ""


def check_metrics(text: str) -> str:
    """Return what promtool finds wrong with metrics, lint included."""
    return check("metrics", given=text)
