"""The inventory: a host for each group, or for each region with its groups."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from geoplan.render.yaml import ReadableDumper
from geoplan.topology.slugs import slugs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GROUP = "geoplan"
"""The group of Ansible that all hosts are in."""
TAKEN = (" all", " ungrouped", " localhost", f" {GROUP}")
"""What means something else to Ansible; no name of the topology begins with a blank."""
LONGEST_LINE = 120


class Part(NamedTuple):
    """One group of the topology, as it is pushed."""

    group: str | None
    """None where the topology writes no groups: then it is the whole."""
    checksum: str


class Pushed(NamedTuple):
    """What all hosts push."""

    file: str
    sha256: str
    phase: str


class Unsafe(str):
    """A text that Ansible never takes for a template: ``!unsafe``."""

    __slots__ = ()


class _InventoryDumper(ReadableDumper):
    """PyYAML's safe dumper, which marks what is no template."""


_InventoryDumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style="'"))

HEAD = """\
---
# The hosts that push, each with its groups and the checksums of their plans. The next export writes this file anew:
# what you know of a host, as ansible_host, goes into host_vars/HOST.yaml beside it, and a secret into Ansible Vault.
"""


def inventory(pushed: Pushed, parts: Sequence[Part], regions: Mapping[str, str]) -> str:
    """Return the inventory as YAML; ``regions`` are by groups, and a group without one has a host of its own."""
    variables = {
        "geoplan_topology": pushed.file,
        "geoplan_topology_sha256": pushed.sha256,
        "geoplan_phase": pushed.phase,
    }
    written = {
        host.name: {"geoplan_parts": [{"group": _text(part.group), "checksum": part.checksum} for part in host.parts]}
        for host in hosts_of(Path(pushed.file).stem, parts, regions)
    }
    text = yaml.dump(
        {GROUP: {"hosts": written, "vars": variables}},
        Dumper=_InventoryDumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=LONGEST_LINE,
    )
    assert isinstance(text, str)  # noqa: S101 - for the type checker
    return HEAD + text


def _text(name: str | None) -> str | None:
    """Mark what could be a template, and nothing else: under that mark Ansible reads even a quoted 'no' as false."""
    return Unsafe(name) if name is not None and _TEMPLATE.search(name) else name


_TEMPLATE = re.compile(r"\{|^#")
"""What a template has, or begins with where it chooses other braces; no number, date or truth value has it."""


class Host(NamedTuple):
    """A host of the inventory."""

    name: str
    title: str
    """The region or the group that it is of; the topology, where that writes no groups."""
    parts: tuple[Part, ...]

    @property
    def is_renamed(self) -> bool:
        """Whether it is called otherwise than what it is of, but for the case of letters."""
        return self.name != self.title.lower()


def hosts_of(topology: str, parts: Sequence[Part], regions: Mapping[str, str]) -> list[Host]:
    """Return what each host pushes, in the order of the topology; a region stands where its first group does.

    What can be the name of a host stays as it is, in small letters; of anything else the letters and digits.
    """
    by_owner: dict[str, list[Part]] = {}
    for part in parts:
        group = topology if part.group is None else part.group
        # A region and a group of one name are two hosts, and no group's name begins with a blank.
        owner = f"  {regions[group]}" if group in regions else group
        by_owner.setdefault(owner, []).append(part)
    titles = {owner: owner if _LETTER.search(owner) else f"group {owner}" for owner in by_owner}
    names = slugs_of([*TAKEN, *titles.values()], kept=_HOST_NAME)
    return [Host(names[titles[owner]], owner.strip(), tuple(its)) for owner, its in by_owner.items()]


_LETTER = re.compile(r"[^\W_]")
_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
