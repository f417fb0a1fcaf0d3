"""A topology file changed in a few places: names, order, comments and all else in it stay as somebody wrote them."""

from __future__ import annotations

import io
import itertools
import json
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, NamedTuple

from geoplan.errors import GeoplanError
from geoplan.topology.loader import check_text
from geoplan.topology.model import Topology
from geoplan.topology.starter import is_plain
from geoplan.topology.writer import comment_line
from geoplan.yaml12 import read_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ruamel.yaml import YAML

    from geoplan.yaml12 import Loc


class Inserted(str):
    """A text that an edit puts into a list of somebody's; within what it puts in as a whole, texts need no mark."""

    __slots__ = ()


LONGEST_LINE = 10_000
"""Characters: no line of somebody else's is broken up."""


def edited(text: str, edit: Callable[[Any], None]) -> tuple[dict[str, Any], str]:
    """Return the content of a topology file and its text, both after an edit.

    ``edit`` changes mappings and lists where they stand, and does the same each time: it is called for both. Lines that
    it does not touch keep every byte. The file has to be a usable one. Raises :class:`GeoplanError` where its text
    would not say what its content is.
    """
    content: Any = read_document(text).value
    edit(content)
    ends = _LINE_END.findall(text)
    end = max(set(ends), key=ends.count) if ends else "\n"
    plain = _LINE_END.sub("\n", text)
    before, after = _rewritten(plain, lambda _document: None), _rewritten(plain, edit)
    if before == after:
        return content, text
    for written in (_in_place(text, before, after, end), after.replace("\n", end)):
        checked = check_text(written.encode(), path="merged", default_name="geo")
        named = {"name": checked.topology.name if checked.topology else "geo", **content}
        if checked.topology is not None and checked.topology == Topology.model_validate(named):
            return content, written
    raise GeoplanError(
        "the file cannot be changed without changing more of it", hint="import to another FILE, and merge by hand"
    )


def commented(text: str, comments: Mapping[Loc, Sequence[str]]) -> str:
    """Return the text of a topology file with comments above what is at their places; those that are there stay alone.

    What does not begin a line of its own, and what would say something else then, gets none.
    """
    document = read_document(text)
    lines = _LINE.findall(text)
    for loc in sorted(comments, key=lambda each: document.place_of(each).line, reverse=True):
        at = document.place_of(loc).line
        start = lines[at][: len(lines[at]) - len(lines[at].lstrip(" "))] if at < len(lines) else ""
        own = [f"{start}- ", *(f"{start}{key}:" for key in loc[2:][-1:])]
        if at >= len(lines) or not lines[at].startswith(tuple(own)):
            continue
        above = {each.strip() for each in itertools.takewhile(_is_comment, reversed(lines[:at]))}
        end = found[0] if (found := _LINE_END.findall(lines[at])) else "\n"
        new = [f"{start}{comment}" for comment in map(comment_line, comments[loc]) if comment not in above]
        lines[at:at] = [line + end for line in dict.fromkeys(new)]
    written = "".join(lines)
    return written if read_document(written).value == document.value else text


def _is_comment(line: str) -> bool:
    return line.lstrip(" ").startswith("#")


def require_editable(text: str, name: str) -> None:
    """See that a usable topology file can be edited at all, before anything takes long.

    ``name`` is what errors call it. Raises :class:`GeoplanError` where it is JSON, or written in a way that YAML's
    round trip does not take.
    """
    if _is_json(text):
        raise GeoplanError(
            f"{name} is JSON, and would be YAML once something is put into it",
            hint="write it as YAML, or import to another FILE, and merge by hand",
        )

    def trial(document: Any) -> None:  # noqa: ANN401 - plain, or as YAML keeps it
        document["sites"].append({"name": "a new site", "standalone": {"address": "192.0.2.1"}})

    from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: PLC0415 - only a merge needs it

    hint = "write that in another way, or import to another FILE, and merge by hand"
    try:
        content: Any = read_document(text).value
        trial(content)
        plain = _LINE_END.sub("\n", text)
        before, after = _rewritten(plain, lambda _document: None), _rewritten(plain, trial)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise GeoplanError(f"{name}{where}: it cannot be edited as it is written there", hint=hint) from None
    except (
        YAMLError,
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise GeoplanError(f"{name} cannot be edited as it is written: {type(error).__name__}", hint=hint) from None
    for written in (_in_place(plain, before, after, "\n"), after):
        if read_document(written).value == content:
            return
    raise GeoplanError(f"{name} cannot be edited without changing more of it", hint=hint)


_OF_READERS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError
)  # fmt: skip
"""What a reader of YAML raises of values that it takes for dates or numbers, and of keys that are none."""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _rewritten(text: str, edit: Callable[[Any], None]) -> str:
    """Return a file after an edit as YAML's round trip writes it: what is beside the edit may have other blanks."""
    yaml = _yaml(text)
    document = yaml.load(text)
    edit(document)
    written = io.StringIO()
    yaml.dump(_styled(document), written)
    return written.getvalue()


_LINE_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_FIRST_SITE = re.compile(r"^sites:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)-( +)", re.MULTILINE)


class _Place(NamedTuple):
    """Lines of a text, and those that stand for them once it is rewritten; each from the first to behind the last."""

    own: int
    own_end: int
    old: int
    old_end: int


class _Change(NamedTuple):
    """Lines of a text that are replaced by some of the rewritten ones after an edit."""

    own: int
    own_end: int
    new: int
    new_end: int


def _in_place(text: str, before: str, after: str, end: str) -> str:
    """Return the text with the lines alone changed in which two rewritten ones differ; ``end`` ends those."""
    own, old, new = _LINE.findall(text), before.splitlines(), after.splitlines()
    lines: list[str] = []
    done = 0
    for change in _changes(_places(own, old), old, new):
        lines += own[done : change.own]
        if lines and not _LINE_END.search(lines[-1]):
            lines[-1] += end
        lines += [line + end for line in new[change.new : change.new_end]]
        done = change.own_end
    return "".join((*lines, *own[done:]))


def _places(own: Sequence[str], old: Sequence[str]) -> list[_Place]:
    """Say which rewritten lines stand for which: one for one that has the same words, else several for several."""
    of_own, of_old = ([" ".join(line.split()) for line in lines] for lines in (own, old))
    places: list[_Place] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, of_own, of_old).get_opcodes():
        each = [_Place(i1 + n, i1 + n + 1, j1 + n, j1 + n + 1) for n in range(i2 - i1)]
        places += each if tag == "equal" else [_Place(i1, i2, j1, j2)]
    return places


def _changes(places: Sequence[_Place], old: Sequence[str], new: Sequence[str]) -> Iterator[_Change]:
    """Yield what an edit has changed, in whole places."""
    behind = _Place(places[-1].own_end, places[-1].own_end, len(old), len(old)) if places else _Place(0, 0, 0, 0)
    last: tuple[int, _Change] | None = None
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            continue
        hit = [place for place in places if place.old < i2 and place.old_end > i1]
        if not hit:  # between two of them
            at = next((place for place in places if place.old >= i1), behind)
            hit = [_Place(at.own, at.own, i1, i1)]
        first, until = hit[0], hit[-1]
        change = _Change(first.own, until.own_end, j1 - (i1 - first.old), j2 + (until.old_end - i2))
        if last and last[0] > first.old:  # both are of one place
            change = change._replace(own=last[1].own, new=last[1].new)
        elif last:
            yield last[1]
        last = until.old_end, change
    if last:
        yield last[1]


def _yaml(text: str) -> YAML:
    """Return the reader and writer that keeps how things are written; its YAML is 1.2, as geoplan's own.

    Lists are indented as the sites of the text are.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - only a merge needs it

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = LONGEST_LINE
    found = _FIRST_SITE.search(text)
    offset, blanks = (len(found[1]), len(found[2])) if found else (2, 1)
    yaml.indent(mapping=2, sequence=offset + 1 + blanks, offset=offset)
    return yaml


def _styled(node: Any, depth: int = 0, *, is_new: bool = False) -> Any:  # noqa: ANN401 - what YAML holds
    """Return a document in which what the edit put in is written as geoplan writes it: inner values on one line."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq  # noqa: PLC0415 - as above
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString  # noqa: PLC0415 - as above

    made: Any
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            node[key] = _styled(value, depth + 1)
    elif isinstance(node, CommentedSeq):
        for index, value in enumerate(node):
            node[index] = _styled(value, depth + 1)
    elif isinstance(node, dict):
        made = CommentedMap({key: _styled(value, depth + 1, is_new=True) for key, value in node.items()})
        if depth > 2:  # noqa: PLR2004 - beneath a site, or a group
            made.fa.set_flow_style()
        return made
    elif isinstance(node, list | tuple):
        made = CommentedSeq([_styled(value, depth + 1, is_new=True) for value in node])
        made.fa.set_flow_style()
        return made
    elif isinstance(node, Inserted) or (is_new and type(node) is str):
        return str(node) if is_plain(node) else DoubleQuotedScalarString(node)
    return node
