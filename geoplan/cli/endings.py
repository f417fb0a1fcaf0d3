"""The format that the name of an output file asks for."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


def format_of(output: str | None, by_ending: Mapping[str, str], default: str) -> str:
    """Return the format of a file's ending, or the default for a name without one and for standard output.

    Raises :class:`click.BadParameter` for any other ending: who asks for a PDF is not to find something else in it.
    """
    ending = PurePath(output or "").suffix
    if not ending:
        return default
    try:
        return by_ending[ending.lower()]
    except KeyError:
        known = f"{', '.join(list(by_ending)[:-1])} or {list(by_ending)[-1]}"
        raise click.BadParameter(
            f"no format ends in {ending}: {output}. Use {known}, or name the format with --format.", param_hint="'-o'"
        ) from None
