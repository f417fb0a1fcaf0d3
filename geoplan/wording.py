"""Words that every part of geoplan writes and compares in the same way: names, counts, lists, commands."""

from __future__ import annotations

import re
import unicodedata
from http import HTTPStatus
from itertools import islice
from shlex import quote, split
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime


_CONTROL_IN_LINES = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = rf"{_CONTROL_IN_LINES}\t\n"
_IS_CONTROL = re.compile(f"[{_CONTROL}]")
_STEERS = re.compile(rf"[{_CONTROL}\u061c\u200e\u200f]")  # names may have the last three; they turn what is beside
_STEERS_IN_LINES = re.compile(rf"[{_CONTROL_IN_LINES}\u061c\u200e\u200f]")


def folded(name: str) -> str:
    """Return a name as people tell it from another: case, kinds of spaces and invisible characters do not count."""
    if name.isascii():
        return " ".join(name.casefold().split())
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    return unicodedata.normalize("NFKC", " ".join(unicodedata.normalize("NFKC", visible).casefold().split()))


def shorten(text: str, width: int = 60) -> str:
    """Cut a long text for a message, so that a diagnostic stays one line."""
    return text if len(text) <= width else text[: width - 1] + "…"


LONGEST_WORD = 300  # a file's name has at most 255 bytes, and marks around it
LONGEST_LINE = 4096  # of an error: a command with the longest path
_LONGER_THAN_NAMES = re.compile(rf"[^\s/]{{{LONGEST_WORD + 1},}}")


def bounded(text: str) -> str:
    """Return an error's text with what is too long in it cut: values of an argument or a file are repeated in it.

    What could be the name of a file stays whole, so that a command in it can be typed.
    """
    cut = _LONGER_THAN_NAMES.sub(lambda found: shorten(found[0]), text)
    return "\n".join(shorten(line, LONGEST_LINE) for line in cut.split("\n"))


def is_control(character: str) -> bool:
    """Return whether a character would do something to a terminal or a line other than appear in it."""
    return _IS_CONTROL.match(character) is not None


def shown(text: str) -> str:
    """Return a text of somebody else's with what would steer a terminal, end a line or turn its direction as codes.

    The codes are those of JSON, so that a text in JSON means the same as before.
    """
    return _STEERS.sub(lambda found: _code(found[0]), text)


def shown_lines(text: str) -> str:
    """Return a text of several lines likewise; it keeps its lines and tabulators."""
    if text.isascii():
        return text.translate(_ASCII_CODES)  # of megabytes: six times as fast as the pattern
    return _STEERS_IN_LINES.sub(lambda found: _code(found[0]), text)


def shown_in_line(text: str) -> str:
    """Return a text as one line of what can be seen: all white space as blanks, everything else unseen as its code."""
    if text.isprintable():
        return text.strip()
    return "".join(c if c.isprintable() else " " if c.isspace() else _code(c) for c in text).strip()


def _code(character: str) -> str:
    return f"\\u{ord(character):04x}"


_ASCII_CODES = {
    ord(character): _code(character) for character in map(chr, range(128)) if _STEERS_IN_LINES.match(character)
}


def words_of_command(typed: str) -> list[str]:
    """Return the words of a command as a shell reads it. Raises :class:`ValueError` where a quotation has no end."""
    return split(typed)


def shell_command(*words: str) -> str:
    """Return a command as it is typed: whatever a word holds, the shell gives it back as that one word.

    Every command that geoplan prints is made here. Only bash, zsh and other shells that know ``$'…'`` take a word with
    characters that cannot be shown, such as a file name with a line break.
    """
    return " ".join(map(_shell_word, words))


def _shell_word(word: str) -> str:
    return f"$'{''.join(map(_in_dollar_quotes, word))}'" if _STEERS.search(word) else quote(word)


def _in_dollar_quotes(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if not _STEERS.match(character):
        return character
    is_byte = "\udc80" <= character <= "\udcff"  # of a file name that is not UTF-8
    return "".join(
        f"\\{byte:03o}" for byte in character.encode(errors="surrogateescape" if is_byte else "surrogatepass")
    )


def count(number: int, noun: str) -> str:
    """Return how many there are: ``1 step``, ``18 steps``, ``2 addresses``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{'es' if noun.endswith('s') else 's'}"


def http_status(code: int | str) -> str:
    """Return a status code of HTTP with its name: ``503 Service Unavailable``, ``302 Found, a redirect``."""
    try:
        known = HTTPStatus(int(code))
    except ValueError:
        return str(code)
    return f"{known.value} {known.phrase}{', a redirect' if known in (301, 302, 303) else ''}"


def local_time(moment: datetime) -> str:
    """Return a moment as people here read their clocks, with the zone: ``2026-01-31 14:05:09 +0100``."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %z}"


MAX_LISTED = 50


def some_of(words: Collection[str]) -> str:
    """Return ``a, b, c``, and of very many the first and how many more: a unit or a file may hold anything."""
    shown = ", ".join(islice(words, MAX_LISTED))
    return f"{shown} and {len(words) - MAX_LISTED:,} more" if len(words) > MAX_LISTED else shown


def join_words(words: Iterable[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
