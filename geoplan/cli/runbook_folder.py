"""``geoplan runbook -o FOLDER/``: a file for each group, and an index that leads to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import named_phase, planned
from geoplan.cli.folders import written_folder
from geoplan.cli.output import text_of_runbook
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.model import Topology

ENDINGS = {"markdown": ".md", "html": ".html"}
INDEX = "index"


def write_folder(topology: Topology, phase: str | None, output_format: str, output: str) -> None:
    """Write the runbook of each group into a file of its own, and the index last: whatever it leads to is there.

    Each is that of ``--group``, so that its checksum is the one that ``push --group`` asks for.
    """
    from geoplan.render.runbook import index

    phase = named_phase(topology, phase)
    ending = ENDINGS[output_format]
    parts = list(_parts(topology, phase))
    last = f"{INDEX}{ending}"
    entries = []
    with written_folder(output, [*(f"{name}{ending}" for _, name, _ in parts), last]) as write:
        for group, name, part in parts:
            plan = planned(part, phase)
            write(f"{name}{ending}", text_of_runbook(plan, part, output_format))
            entries.append(index.entry_of(group, f"{name}{ending}", plan))
        write(last, {"markdown": index.markdown, "html": index.html}[output_format](topology.name, entries))
    click.echo(f"{count(len(entries), 'runbook')} and an index: {Path(output) / last}", err=True)


def _parts(topology: Topology, phase: str | None) -> Iterator[tuple[str, str, Topology]]:
    """Yield each group that has something to do, what its file is called, and the part of the topology that it is."""
    from geoplan.topology.part import each_group
    from geoplan.topology.slugs import slugs_of

    parts = dict(each_group(topology))
    names = slugs_of([f" {INDEX}", *parts])  # no group's name begins with a blank
    for group, part in parts.items():
        if phase != "ha" or any(site.ha_pair for site in part.sites):
            yield group, names[group], part
