"""The table of units that the lab shows."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from geoplan.lab.serve.table import as_columns, as_table
from tests.lab.support import endpoints_of, simulate, topology


def column_of(word: str, line: str) -> int:
    return cell_len(line[: line.index(word)])


def test_columns_are_aligned_by_terminal_cells_in_a_pipe() -> None:
    lab = simulate(
        topology({"name": "東京本社", "standalone": "10.1.1.1"}, {"name": "Berlin", "standalone": "10.1.2.1"})
    )
    heading, *rows = as_columns(lab.network, endpoints_of(lab)).splitlines()
    assert heading.split() == ["UNIT", "SITE", "ROLE", "API", "HEALTH", "CHECK", "FINGERPRINT"]
    assert {column_of("standalone", row) for row in rows} == {column_of("ROLE", heading)}
    assert all(row.endswith("  sha256:6f6f6f6f…") for row in rows)


@pytest.mark.parametrize("width", [80, 100, 115, 200])
def test_the_table_fits_its_terminal_and_breaks_no_url(width: int) -> None:
    lab = simulate()
    endpoints = endpoints_of(lab)
    shown = as_table(lab.network, endpoints, width=width)
    assert max(map(cell_len, shown.splitlines())) <= width
    for address, unit in endpoints.units.items():
        for word in (address, unit.api, unit.health):
            assert word in shown
    assert shown.count("sha256:6f6f6f6f…") == len(endpoints.units)
