"""The Jinja2 environment of the templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Callable

TEMPLATES = Path(__file__).parent / "templates"


def asset(*names: str) -> str:
    """Return style sheets or scripts of this package as one text."""
    return "".join((TEMPLATES / name).read_text("utf-8") for name in names)


def environment(finalize: Callable[[object], str], *, autoescape: bool) -> Environment:
    """Build an environment in which ``finalize`` turns each value that a template writes into the format's text."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,  # noqa: S701 - Markdown is no HTML: there finalize alone escapes
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
