"""Where every unit answers, as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from geoplan.console import laid_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.lab.device.network import Network
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.serve.endpoints import Endpoints

HEADINGS = ("UNIT", "SITE", "ROLE", "API", "HEALTH CHECK", "FINGERPRINT")
HA_STATUS = "HA STATUS"  # one more column, where there are pairs
SITE, ROLE, API, HEALTH, FINGERPRINT = range(1, 6)
GAP = 2
SHOWN_DIGITS = 8  # of a fingerprint; the endpoints file has them all

Row = tuple[str, ...]


def as_columns(network: Network, endpoints: Endpoints) -> str:
    """Return the table for a pipe: one line a unit, aligned by terminal cells; the HA status is in the lab's state."""
    rows = _rows(network, endpoints)
    widths = _widths(rows)
    lines = ((" " * GAP).join(map(_padded, row, widths)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def as_table(network: Network, endpoints: Endpoints, *, width: int, color: bool = False) -> str:
    """Return the table for a terminal of ``width`` columns; where it is narrow, cells share columns."""
    rows = _with_ha_status(network, _rows(network, endpoints))
    if sum(_widths(rows)) + GAP * (len(rows[0]) - 1) > width:
        rows = [_narrowed(row) for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column, (heading, cells) in enumerate(zip(rows[0], _widths(rows), strict=True)):
        table.add_column(Text(heading), width=None if column == SITE else cells, overflow="fold")
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    return laid_out([table], width=width, color=color)


def _rows(network: Network, endpoints: Endpoints) -> list[Row]:
    rows: list[Row] = [HEADINGS]
    for address, endpoint in endpoints.units.items():
        unit = network.unit(address)
        fingerprint = _shortened(endpoint.fingerprint)
        rows.append((address, unit.site, unit.role, endpoint.api, endpoint.health, fingerprint))
    return rows


def _with_ha_status(network: Network, rows: list[Row]) -> list[Row]:
    """Add the column of HA, where there are pairs."""
    states = [_ha_status(network, network.unit(address)) for address, *_ in rows[1:]]
    return [(*row, state) for row, state in zip(rows, (HA_STATUS, *states), strict=True)] if any(states) else rows


def _ha_status(network: Network, unit: Unit) -> str:
    """Return what a pair's unit shows of HA, or its mode where that is nothing; no text for a standalone."""
    return "" if unit.role == "standalone" else network.ha_status(unit) or unit.ha.mode


def _narrowed(row: Row) -> Row:
    """Put both URLs into one column, and the role and the HA status, which mostly begins with it, into another."""
    state = row[FINGERPRINT + 1] if len(row) > len(HEADINGS) else ""
    role = row[ROLE]
    lines = state.split() if state.lower().startswith(role) else [line for line in (role, state) if line]
    return (*row[:ROLE], "\n".join(lines), f"{row[API]}\n{row[HEALTH]}", row[FINGERPRINT])


def _shortened(fingerprint: str) -> str:
    name, _, digits = fingerprint.partition(":")
    return f"{name}:{digits[:SHOWN_DIGITS]}…"


def _widths(rows: Sequence[Row]) -> list[int]:
    columns = zip(*rows, strict=True)
    return [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - cell_len(cell))
