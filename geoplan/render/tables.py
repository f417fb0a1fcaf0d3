"""The tables of the text format."""

from __future__ import annotations

from rich import box
from rich.table import Table


def table(*headings: str) -> Table:
    """Return an empty table; a cell that has no room is folded."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    return drawn
