"""A topology file changed in a few places: names, order, comments and all else in it stay as somebody wrote them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from geoplan.errors import GeoplanError
from geoplan.topology.loader import check_text
from geoplan.topology.model import Topology
from geoplan.topology.starter import is_plain
from geoplan.yaml12 import read_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from ruamel.yaml import YAML


class Inserted(str):
    """A text that an edit puts into a list of somebody's; within what it puts in as a whole, texts need no mark."""

    __slots__ = ()


LONGEST_LINE = 10_000
"""Characters: no line of somebody else's is broken up."""


def edited(text: str, edit: Callable[[Any], None]) -> tuple[dict[str, Any], str]:
    """Return the content of a topology file and its text, both after an edit.

    ``edit`` changes mappings and lists where they stand, and does the same each time: it is called for both. The file
    has to be a usable one. Raises :class:`GeoplanError` where its text would not say what its content is.
    """
    content: Any = read_document(text).value
    edit(content)
    yaml = _yaml()
    document = yaml.load(text)
    edit(document)
    written = io.StringIO()
    yaml.dump(_styled(document), written)
    checked = check_text(written.getvalue().encode(), path="merged", default_name="geo")
    named = {"name": checked.topology.name if checked.topology else "geo", **content}
    if checked.topology is None or checked.topology != Topology.model_validate(named):
        raise GeoplanError(
            "the file cannot be changed without changing more of it", hint="import to another FILE, and merge by hand"
        )
    return content, written.getvalue()


def _yaml() -> YAML:
    """Return the reader and writer that keeps how things are written; its YAML is 1.2, as geoplan's own."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - only a merge needs it

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = LONGEST_LINE
    yaml.indent(mapping=2, sequence=4, offset=2)
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
