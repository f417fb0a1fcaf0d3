"""The table of codes."""

from __future__ import annotations

from geoplan.diagnostics import Severity
from geoplan.topology.codes import CODES, explain
from geoplan.topology.rules import RULES


def test_codes_stand_in_order() -> None:
    assert list(CODES) == sorted(CODES)
    assert list(RULES) == sorted(RULES)


def test_warnings_are_the_500s() -> None:
    for code, meaning in CODES.items():
        assert (meaning.severity is Severity.WARNING) == code.startswith("GEO5")


def test_explanation_says_what_why_and_whence() -> None:
    assert explain("GEO205").splitlines() == [
        "GEO205 (error): An address is used twice",
        "",
        "One of the two is a slip, in whatever spelling, and some site would never learn the right address.",
        "",
        "Source: LoadMaster HA for AWS, 5.4",
    ]
