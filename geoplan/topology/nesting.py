"""Where brackets are nested too deep, counted in the text itself.

A YAML parser looks ahead: until no colon can make a key of what a bracket opens, 1,024 characters at most. What is
wrong in there, a limit of the parser's own too, is told before the collections that open there are. So what the parser
had not come to is counted here.
"""

from __future__ import annotations

import re

_WORD = r"(?:(?!:(?:[\s,\[\]{}]|\Z))[^\s,\[\]{}])++"

_TOKEN = re.compile(
    rf"""
      (?P<blank>\s++|\#[^\r\n]*+)
    | (?P<quoted>"(?:[^"\\]++|\\.)*+"|'(?:[^']++|'')*+')
    | (?P<open>[\[{{])
    | (?P<close>[\]}}])
    | (?P<mark>,|[-?:](?=[\s,\[\]{{}}"']|\Z)|[&*!][^\s,\[\]{{}}]*+|---(?=\s|\Z)|%[^\r\n]*+)
    | (?P<plain>(?!["']){_WORD}(?:[ \t]++(?!\#){_WORD})*+)
    """,
    re.VERBOSE | re.DOTALL,
)


def bracket_beyond(text: str, start: int, end: int, *, room: int, in_brackets: bool) -> int | None:
    """Return the index of the first bracket that opens more than ``room`` levels, or None.

    Reads from ``start``, which is no place inside a scalar, to the token at ``end``, each character once.
    ``in_brackets`` says that the collection around ``start`` is written in brackets: there a bracket ends plain text,
    elsewhere it is part of it, and nothing is read on. Where the text is no YAML, the count ends.
    """
    depth = 0
    while start <= end:
        token = _TOKEN.match(text, start)
        if token is None:
            return None
        kind = token.lastgroup
        if kind == "open":
            depth += 1
            if depth > room:
                return start
        elif kind == "close":
            depth -= 1
        elif kind == "plain" and depth <= 0 and not in_brackets:
            return None
        start = token.end()
    return None
