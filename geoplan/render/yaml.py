"""The plan as YAML, quoted so that readers of YAML 1.1 and of 1.2 see the same texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from geoplan.yaml12 import Yaml12Loader

if TYPE_CHECKING:
    from geoplan.plan.model import Plan

_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


# What a plain scalar would be read as, by its first character, in either version of YAML.
RESOLVERS_OF_BOTH_VERSIONS: dict[str, list[tuple[str, Any]]] = {
    first: [
        *_SafeDumper.yaml_implicit_resolvers.get(first, []),
        *Yaml12Loader.yaml_implicit_resolvers.get(first, []),
    ]
    for first in {*_SafeDumper.yaml_implicit_resolvers, *Yaml12Loader.yaml_implicit_resolvers}
}


class _PlanDumper(_SafeDumper):  # type: ignore[misc]  # its base is chosen above
    """A safe dumper that quotes what either version of YAML would not read as a text."""

    yaml_implicit_resolvers = RESOLVERS_OF_BOTH_VERSIONS

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write every value out: a plan is read by people and by simple parsers."""
        return True


class ReadableDumper(yaml.SafeDumper):
    """PyYAML's safe dumper as people read it: every value written out, quoted alike, items indented below their key."""

    yaml_implicit_resolvers = RESOLVERS_OF_BOTH_VERSIONS

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write every value out: CloudFormation and simple parsers read no aliases."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Indent the items of a list below its key."""
        super().increase_indent(flow, False)  # noqa: FBT003 - PyYAML's signature


def render(plan: Plan) -> str:
    """Return a plan that ``Plan.model_validate(yaml.safe_load(text))`` reads back to an equal one."""
    written = plan.model_dump(mode="json", include=set(plan.written_fields))
    text = yaml.dump(written, Dumper=_PlanDumper, sort_keys=False, allow_unicode=True, default_flow_style=None)
    assert isinstance(text, str)  # noqa: S101 - for the type checker
    return text
