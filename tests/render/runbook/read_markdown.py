"""Markdown as its readers see it, and as snapshots keep it."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

# What can stand for a name, whatever that holds.
WORDS = {"text", "code_inline", "softbreak", "text_special"}


class MarkdownFile(SingleFileSnapshotExtension):
    """Keep each snapshot as a Markdown file, to be read as one."""

    _write_mode = WriteMode.TEXT
    file_extension = "md"


def parse(text: str) -> list[Token]:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return [token for block in parser.parse(text) for token in (block, *(block.children or ()))]


def structure(text: str) -> list[str]:
    """Return the structure that a reader sees, without its words."""
    return [token.type for token in parse(text) if token.type not in WORDS]
