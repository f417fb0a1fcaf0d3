"""A template as YAML that people read: CloudFormation's short functions, comments, and short mappings on one line."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from geoplan.render.yaml import ReadableDumper

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_LINE = 4096  # texts are not folded: no one searches for half a description
COMMENT_WIDTH = 110


class Ref(str):
    """A parameter or resource, by its logical id: ``!Ref``."""

    __slots__ = ()


class GetAtt(str):
    """An attribute of a resource, written ``Resource.Attribute``: ``!GetAtt``."""

    __slots__ = ()


class Function(NamedTuple):
    """A function of CloudFormation on a list, such as ``!Equals``."""

    name: str
    arguments: tuple[object, ...]


class OneLine(dict[str, object]):
    """A short mapping that is read at a glance."""


class Entry(NamedTuple):
    """One parameter, condition, resource or output, with what a reader should know first."""

    id: str
    body: object
    comment: str | None = None


class _TemplateDumper(ReadableDumper):
    """PyYAML's safe dumper, which also knows the functions and quotes none of them without need."""

    def choose_scalar_style(self) -> Any:  # noqa: ANN401 - PyYAML's signature
        """Leave the quotes away from a name behind a function, where it can stand without."""
        style = super().choose_scalar_style()
        if style == "'" and isinstance(self.event, yaml.ScalarEvent) and self.analysis:
            plain = self.analysis.allow_flow_plain if self.flow_level else self.analysis.allow_block_plain
            return "" if plain and (self.event.tag or "").startswith("!") else style
        return style


_TemplateDumper.add_representer(Ref, lambda dumper, name: dumper.represent_scalar("!Ref", str(name)))
_TemplateDumper.add_representer(GetAtt, lambda dumper, name: dumper.represent_scalar("!GetAtt", str(name)))
_TemplateDumper.add_representer(
    Function,
    lambda dumper, function: dumper.represent_sequence(f"!{function.name}", function.arguments, flow_style=True),
)
_TemplateDumper.add_representer(
    OneLine, lambda dumper, mapping: dumper.represent_mapping("tag:yaml.org,2002:map", mapping.items(), flow_style=True)
)


def as_yaml(value: object) -> str:
    """Return a value as YAML, keys in their order."""
    text = yaml.dump(
        value, Dumper=_TemplateDumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=LONGEST_LINE
    )
    assert isinstance(text, str)  # noqa: S101 - for the type checker
    return text


def section(name: str, entries: Iterable[Entry]) -> str:
    """Return a section of the template, its entries apart from one another, or an empty text without entries.

    Raises :class:`ValueError` for two entries of one id, of which a reader of YAML would lose one.
    """
    texts: dict[str, str] = {}
    for entry in entries:
        if entry.id in texts:
            raise ValueError(f"{name} has two entries {entry.id}")
        comment = "".join(f"# {line}\n" for line in textwrap.wrap(entry.comment or "", COMMENT_WIDTH))
        texts[entry.id] = textwrap.indent(comment + as_yaml({entry.id: entry.body}), "  ")
    return f"{name}:\n" + "\n".join(texts.values()) if texts else ""
