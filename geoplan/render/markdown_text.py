"""Text in Markdown as GitHub reads it, so that it shows as it was written, whatever it holds."""

from __future__ import annotations

import re

# What means nothing to Markdown anywhere in a line, nor to what GitHub makes of text (links, mentions, emoji).
_PLAIN = re.compile(r"(?!.*www\.)[^\W\d_]([\w .,'()/+-]*[\w)])?", re.IGNORECASE)
_UNDERSCORE_AT_EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def words(text: str) -> str:
    """Return text that is read as these words, in a line that other words begin."""
    return _SPECIAL.sub(_escape, _one_line(text))


def name(text: str) -> str:
    """Return a name as plain words where it holds nothing special, and else as code, in which nothing is."""
    if _PLAIN.fullmatch(text) and not _UNDERSCORE_AT_EDGE.search(text):
        return text
    return code(text)


def code(text: str) -> str:
    """Return a code span of the text, between more backticks than it has in a row."""
    text = _one_line(text)
    marks = "`" * (_longest_run("`", text) + 1)
    if text.startswith("`") or text.endswith("`"):
        text = f" {text} "
    return f"{marks}{text}{marks}"


def fenced(text: str, language: str = "text") -> str:
    """Return a fenced code block of the text."""
    marks = "`" * max(3, _longest_run("`", text) + 1)
    return "\n".join((marks + language, text.removesuffix("\n"), marks))


def in_cell(written: str, text: str) -> str:
    """Return what was written of a text for a cell of a table, whose bars would else end the cell, even in code."""
    if "|" not in written:
        return written
    # A backslash before a bar is read in two ways by different readers; words have neither.
    return words(text) if r"\|" in text else written.replace("|", r"\|")


def link_or_code(url: str) -> str:
    """Return a URL as a link, or as code where it could not be one."""
    return f"<{url}>" if re.fullmatch(r"https?://[\w.:\[\]/-]+", url) else code(url)


def _escape(found: re.Match[str]) -> str:
    """Write a bar and a backslash by their numbers, since tables read both before anything else does."""
    character = found[0]
    return f"&#{ord(character)};" if character in "|\\" else f"\\{character}"


def _one_line(text: str) -> str:
    return _BREAKS.sub(" ", text)


def _longest_run(character: str, text: str) -> int:
    return max((len(run) for run in re.findall(f"{re.escape(character)}+", text)), default=0)
