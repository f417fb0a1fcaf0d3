"""A folder for Ansible: an inventory of hosts that push, a playbook, and a role that runs geoplan there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from geoplan.render.ansible.inventory import Part, Pushed, hosts_of, inventory
from geoplan.topology.slugs import slugs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CONTENT", "INVENTORY", "PLAYBOOK", "Part", "hosts_of", "render"]

CONTENT = Path(__file__).parent / "content"
ENDING = ".jinja"
INVENTORY, PLAYBOOK = "inventory.yaml", "push.yaml"
TOPOLOGIES = "roles/geoplan/files"


def render(  # noqa: PLR0913 - what a playbook may be told
    topology: str,
    content: bytes,
    parts: Sequence[Part],
    *,
    regions: Mapping[str, str],
    phase: str | None = None,
    serial: int | str = 1,
    max_fail_percentage: int = 0,
) -> dict[str, bytes]:
    """Return the files by their paths; the same ones for the same arguments.

    ``topology`` is its name, ``content`` its file. ``regions`` are by groups: what one names is pushed by the host of
    that region, and every other group by a host of its own. ``serial`` and ``max_fail_percentage`` are Ansible's.
    Names come from a file that somebody else may have written. They stand in the inventory alone, where nothing takes
    them for a template.
    """
    file = f"{slugs_of([topology])[topology]}.topology"  # as no YAML: how somebody indents is nothing for ansible-lint
    pushed = Pushed(file=file, sha256=hashlib.sha256(content).hexdigest(), phase=phase or "")
    files = {name: text.encode() for name, text in _content(serial, max_fail_percentage).items()}
    files[f"{TOPOLOGIES}/{file}"] = content
    files[INVENTORY] = inventory(pushed, parts, regions).encode()
    return files


def _content(serial: int | str, max_fail_percentage: int) -> dict[str, str]:
    """Return the files that are the same for every topology; what is in braces there is for Ansible."""
    environment = Environment(
        loader=FileSystemLoader(CONTENT),
        autoescape=False,  # noqa: S701 - no HTML, and no value of a topology
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    return {
        name.removesuffix(ENDING): environment.get_template(name).render(
            serial=serial, max_fail_percentage=max_fail_percentage
        )
        for name in environment.list_templates(filter_func=lambda name: name.endswith(ENDING))
    }
