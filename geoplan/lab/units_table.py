"""Where every unit answers, as a table for people."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.lab.endpoints import Endpoints
    from geoplan.lab.network import Network

HEADINGS = ("UNIT", "SITE", "ROLE", "API", "HEALTH CHECK", "FINGERPRINT")
SITE, API, HEALTH = 1, 3, 4
GAP = 2
SHOWN_DIGITS = 8  # of a fingerprint; the endpoints file has them all

Row = tuple[str, ...]


def as_columns(network: Network, endpoints: Endpoints) -> str:
    """Return the table for a pipe: one line a unit, aligned by terminal cells."""
    rows = _rows(network, endpoints)
    widths = _widths(rows)
    lines = ((" " * GAP).join(map(_padded, row, widths)).rstrip() for row in rows)
    return "".join(f"{line}\n" for line in lines)


def as_table(network: Network, endpoints: Endpoints, *, width: int, color: bool = False) -> str:
    """Return the table for a terminal of ``width`` columns; where it is narrow, both URLs share a column."""
    rows = _rows(network, endpoints)
    if sum(_widths(rows)) + GAP * (len(HEADINGS) - 1) > width:
        rows = [(*row[:API], f"{row[API]}\n{row[HEALTH]}", *row[HEALTH + 1 :]) for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column, (heading, cells) in enumerate(zip(rows[0], _widths(rows), strict=True)):
        table.add_column(Text(heading), width=None if column == SITE else cells, overflow="fold")
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as captured:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def _rows(network: Network, endpoints: Endpoints) -> list[Row]:
    rows: list[Row] = [HEADINGS]
    for address, endpoint in endpoints.units.items():
        unit = network.unit(address)
        fingerprint = _shortened(endpoint.fingerprint)
        rows.append((address, unit.site, unit.role, endpoint.api, endpoint.health, fingerprint))
    return rows


def _shortened(fingerprint: str) -> str:
    name, _, digits = fingerprint.partition(":")
    return f"{name}:{digits[:SHOWN_DIGITS]}…"


def _widths(rows: Sequence[Row]) -> list[int]:
    columns = zip(*rows, strict=True)
    return [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns]


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - cell_len(cell))
