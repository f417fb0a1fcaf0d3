"""What rich lays out for people, as text: of a given width, with colour only where asked for, the same everywhere."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType


def laid_out(parts: Iterable[RenderableType], *, width: int, color: bool, soft_wrap: bool = False) -> str:
    """Return what a terminal ``width`` columns wide shows, no line with a blank at its end.

    ``soft_wrap`` leaves lines that are too long whole, to be broken by the terminal itself.
    """
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
        for part in parts:
            console.print(part, soft_wrap=soft_wrap)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
