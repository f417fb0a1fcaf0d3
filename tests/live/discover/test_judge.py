"""What is left out of an imported topology since it breaks a rule is told without what looks like a secret."""

from __future__ import annotations

import pytest

from geoplan.live.discover.judge import usable


@pytest.mark.parametrize(
    ("name", "secret"),
    [("password: hunter2abc", "hunter2abc"), ("apikey=Zq81kkLm", "Zq81kkLm"), ("https://bal:geheim12@lm", "geheim12")],
)
def test_what_a_rule_quotes_of_units_is_masked(name: str, secret: str) -> None:
    sites = [
        {"name": site, "standalone": address, "cluster": {"name": name}}
        for site, address in (("A", "10.0.0.1"), ("B", "10.0.0.2"))
    ]
    content, topology, (left_out,) = usable({"name": "x", "sites": sites})
    assert "cluster" not in content["sites"][1]
    assert [site.name for site in topology.sites] == ["A", "B"]
    assert "the clusters of 'A' and 'B' are both called" in left_out.oddity.message
    assert secret not in left_out.oddity.message
