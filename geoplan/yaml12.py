"""YAML 1.2 text as plain values, each with its place; nesting and size are limited."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple, NoReturn

import yaml

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


class PlainScalar(str):
    """The source text of an unquoted YAML scalar, with the number or truth value that YAML reads in it.

    Names and addresses keep the text, so ``NO`` and ``2024`` stay names; numbers take the ``value``.
    """

    __slots__ = ("value",)
    value: bool | int | float

    def __new__(cls, text: str, value: bool | int | float) -> PlainScalar:  # noqa: FBT001 - a value, no switch
        """Keep ``text`` as the string and ``value`` beside it."""
        scalar = super().__new__(cls, text)
        scalar.value = value
        return scalar


def typed(scalar: object) -> object:
    """Return what YAML reads in a plain scalar, and anything else as it is."""
    return scalar.value if isinstance(scalar, PlainScalar) else scalar


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


MAX_BYTES = 16 * 1024 * 1024
MAX_VALUES = 250_000
MAX_DEPTH = 32
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Yaml12Loader(_SafeLoader):  # type: ignore[misc]  # its base is chosen above
    """PyYAML's safe loader with the scalars of the YAML 1.2 core schema: ``NO`` is a text, ``0o17`` a number."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own way


_TAG = "tag:yaml.org,2002:"
for _kind, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
):
    Yaml12Loader.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), _first)


class Place(NamedTuple):
    """Where something stands: lines and columns from 0, the end behind its last character."""

    line: int
    column: int
    end_line: int
    end_column: int


class YamlFault(NamedTuple):
    """Something that is wrong with the file as YAML."""

    code: str
    message: str
    hint: str
    place: Place


Loc = tuple[str | int, ...]
"""The way to a value from the top of the file: keys, and indices from 0."""


class Node:
    """A value's place, and those of the keys and values inside it."""

    __slots__ = ("children", "keys", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.keys: dict[str, Place] = {}
        self.children: dict[str | int, Node] = {}


@dataclass
class Document:
    """What a YAML file says, where, and what is wrong with it as YAML."""

    value: object = None
    node: Node = field(default_factory=lambda: Node(Place(0, 0, 0, 0)))
    faults: list[YamlFault] = field(default_factory=list)

    def place_of(self, loc: Loc) -> Place:
        """Return where the value at ``loc`` stands, or the nearest value around it that is written out."""
        node = self.node
        for part in loc:
            if part not in node.children:
                break
            node = node.children[part]
        return node.place

    def place_of_key(self, loc: Loc) -> Place:
        """Return where the key that ``loc`` ends with stands."""
        node = self.node
        for part in loc[:-1]:
            node = node.children.get(part, node)
        key = loc[-1]
        return node.keys[key] if isinstance(key, str) and key in node.keys else self.place_of(loc)


class _RefusedError(Exception):
    """The file is not read on."""


class _Frame:
    """A collection whose end has not been read yet."""

    __slots__ = ("anchor", "discard", "in_brackets", "key", "key_place", "node", "value", "values_before")

    def __init__(self, event: yaml.CollectionStartEvent, place: Place, values_before: int) -> None:
        self.value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.node = Node(place)
        self.anchor = event.anchor
        self.in_brackets = event.flow_style is True
        self.values_before = values_before
        self.key: str | None = None  # the key whose value comes next
        self.key_place = place
        self.discard = False  # whether the value that comes next is left out


class _Anchored(NamedTuple):
    value: object
    node: Node
    values: int


def read_document(text: str) -> Document:
    """Read one YAML document. Never raises: what is wrong stands in the document's ``faults``."""
    unreadable = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if unreadable:
        return Document(faults=[_unreadable_character(text, unreadable.start())])
    reader = _Reader(text)
    try:
        reader.read()
    except _RefusedError:
        pass
    except yaml.YAMLError as error:
        reader.document.faults.append(reader.nested_too_deep(error) or _syntax_fault(error, text))
    return reader.document


class _Reader:
    """Builds the document from events; an explicit stack stands for the collections that are open."""

    def __init__(self, text: str) -> None:
        self.document = Document()
        self._loader = Yaml12Loader(text)
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._values = 0
        self._documents = 0
        self._text = text
        self._read_to = 0  # the end of the last event, as an index of the text

    def read(self) -> None:
        while self._loader.check_event():
            event = self._loader.get_event()
            self._read_to = event.end_mark.index
            match event:
                case yaml.ScalarEvent():
                    self._count(1, event)
                    place = _place(event)
                    value = self._scalar(event, place)
                    if event.anchor:
                        self._anchors[event.anchor] = _Anchored(value, Node(place), 1)
                    self._add(value, Node(place), text=event.value)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._open(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._close(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        hint = "keep one topology in a file, without a line of --- between parts"
                        self._refuse("GEO005", "the file holds more than one YAML document", hint, _place(event))

    def nested_too_deep(self, error: yaml.YAMLError) -> YamlFault | None:
        """Return the fault if, up to the parser's error, values are nested beyond the limit.

        The parser may have met a limit of its own while it looked ahead; what is told is the same with every parser.
        """
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            return None
        in_brackets = bool(self._stack) and self._stack[-1].in_brackets
        room = MAX_DEPTH - len(self._stack)
        index = bracket_beyond(self._text, self._read_to, mark.index, room=room, in_brackets=in_brackets)
        if index is None:
            return None
        return _too_deep(_place_at(self._text, index))

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._count(1, event)
        place = _place(event)
        if len(self._stack) >= MAX_DEPTH:
            self.document.faults.append(_too_deep(place))
            raise _RefusedError
        self._check_tag(event.tag, place, ("map", "seq"))
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(event, place, self._values - 1))

    def _close(self, event: yaml.Event) -> None:
        closed = self._stack.pop()
        start, end = closed.node.place, _place(event)
        closed.node.place = Place(start.line, start.column, end.end_line, end.end_column)
        if closed.anchor:
            values = self._values - closed.values_before
            self._anchors[closed.anchor] = _Anchored(closed.value, closed.node, values)
        self._add(closed.value, closed.node)

    def _alias(self, event: yaml.AliasEvent) -> None:
        place = _place(event)
        hint = "write the value out where it is needed"
        name = event.anchor or ""
        if name not in self._anchors:
            self._refuse("GEO003", f"not YAML: the alias *{name} stands for nothing", hint, place)
        anchored = self._anchors[name]
        if anchored is None:
            self._refuse("GEO007", f"the alias *{name} stands inside the value that it repeats", hint, place)
        self._count(anchored.values, event)
        node = Node(place)
        node.keys, node.children = anchored.node.keys, anchored.node.children
        self._add(anchored.value, node, text=anchored.value if isinstance(anchored.value, str) else None)

    def _add(self, value: object, node: Node, text: str | None = None) -> None:
        """Put a finished value where it belongs; ``text`` is its source where it can be a key."""
        if not self._stack:
            self.document.value, self.document.node = value, node
            return
        parent = self._stack[-1]
        if isinstance(parent.value, list):
            parent.node.children[len(parent.value)] = node
            parent.value.append(value)
        elif parent.discard:
            parent.discard = False
        elif parent.key is None:
            self._take_key(parent, node.place, text)
        else:
            parent.value[parent.key] = value
            parent.node.keys[parent.key] = parent.key_place
            parent.node.children[parent.key] = node
            parent.key = None

    def _take_key(self, parent: _Frame, place: Place, text: str | None) -> None:
        parent.key_place = place
        parent.discard = text is None or text in parent.value
        if text is None:
            self._fault("GEO008", "a list or a mapping stands where a key belongs", "write a plain key", place)
        elif text in parent.value:
            line = parent.node.keys[text].line + 1
            message = f"the key '{_visible(text)}' is given twice, first on line {line}"
            self._fault("GEO006", message, "keep one of the two", place)
        else:
            parent.key = text

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> object:
        self._check_tag(event.tag, place, ("str",))
        if event.tag or not event.implicit[0]:
            return event.value
        return _core_schema_value(self._loader.resolve(yaml.ScalarNode, event.value, (True, False)), event.value)

    def _check_tag(self, tag: str | None, place: Place, known: tuple[str, ...]) -> None:
        if tag and tag != "!" and tag not in {_TAG + kind for kind in known}:
            hint = "leave it out; put quotes around the value where a text is meant"
            self._fault("GEO008", f"the tag {_visible(tag)} has no meaning here", hint, place)

    def _count(self, values: int, event: yaml.Event) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            message = f"the file holds more than {MAX_VALUES:,} values, those behind aliases counted each time"
            self._refuse("GEO007", message, "split it into several files, or write it without aliases", _place(event))

    def _fault(self, code: str, message: str, hint: str, place: Place) -> None:
        self.document.faults.append(YamlFault(code, message, hint, place))

    def _refuse(self, code: str, message: str, hint: str, place: Place) -> NoReturn:
        self._fault(code, message, hint, place)
        raise _RefusedError


def _core_schema_value(tag: str, text: str) -> object:
    """Return what YAML 1.2 reads in a plain scalar; numbers and truth values keep their source text."""
    match tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return PlainScalar(text, text.lower() == "true")
        case "int" if len(text) <= 100:  # noqa: PLR2004 - Python refuses to read numbers of thousands of digits
            bases = {"0o": 8, "0x": 16}
            return PlainScalar(text, int(text, bases.get(text[:2], 10)))
        case "int" | "float":
            is_huge = text[1:2] in ("o", "x")
            return PlainScalar(text, inf if is_huge else float(re.sub(r"\.(?=inf|nan)", "", text.lower())))
        case _:
            return text


def _place(event: yaml.Event) -> Place:
    start, end = event.start_mark, event.end_mark
    assert start is not None  # noqa: S101 - for the type checker: the parser marks every event
    assert end is not None  # noqa: S101
    return Place(start.line, start.column, end.line, end.column)


def _place_at(text: str, index: int) -> Place:
    """Return the place of one character."""
    line, column = text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1
    return Place(line, column, line, column + 1)


def _too_deep(place: Place) -> YamlFault:
    hint = "no topology needs that; look for brackets that are never closed"
    return YamlFault("GEO009", f"values are nested more than {MAX_DEPTH} deep", hint, place)


def _unreadable_character(text: str, index: int) -> YamlFault:
    message = f"not YAML: the character U+{ord(text[index]):04X} is not allowed"
    return YamlFault("GEO003", message, "delete it, or save the file as plain text", _place_at(text, index))


def _syntax_fault(error: yaml.YAMLError, text: str) -> YamlFault:
    hint = "look at the indentation, colons, brackets and quotes on this line and the one before it"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return YamlFault("GEO003", f"not YAML: {error}".splitlines()[0], hint, Place(0, 0, 0, 0))
    reasons = [getattr(error, "context", None), getattr(error, "problem", None)]
    message = "not YAML: " + ", ".join(reason for reason in reasons if reason)
    line = text.splitlines()[mark.line : mark.line + 1]
    if line and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]:
        hint = "indent with spaces: YAML takes no tabs there"
    last_line = max(text.count("\n") - text.endswith("\n"), 0)
    if mark.line > last_line:  # at the end of the file there is no line to show
        end = len(text.rstrip("\n").rpartition("\n")[2])
        return YamlFault("GEO003", message, hint, Place(last_line, end, last_line, end))
    return YamlFault("GEO003", message, hint, Place(mark.line, mark.column, mark.line, mark.column))


def _visible(text: str) -> str:
    """Return a text from the file so that a message with it stays one line."""
    return text if text.isprintable() and len(text) <= 60 else ascii(text)[1:61]  # noqa: PLR2004
