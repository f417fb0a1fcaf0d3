"""``geoplan runbook -o FOLDER/``: a file for each group, and an index that leads to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import named_phase, planned, write
from geoplan.cli.output import text_of_runbook
from geoplan.errors import UnusableFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.model import Topology

ENDINGS = {"markdown": ".md", "html": ".html"}
INDEX = "index"


def is_folder(output: str | None) -> bool:
    """Return whether ``-o`` names a folder: one that is there, or a name with a slash at its end."""
    return output is not None and output != "-" and (output.endswith(os.sep) or Path(output).is_dir())


def write_folder(topology: Topology, phase: str | None, output_format: str, output: str) -> None:
    """Write the runbook of each group into a file of its own, and the index last: whatever it leads to is there.

    Each is that of ``--group``, so that its checksum is the one that ``push --group`` asks for.
    """
    from geoplan.render.runbook import index

    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "nothing was changed; choose another folder"
        raise UnusableFileError(f"cannot write {output}: {error.strerror or error}", hint=hint) from None
    phase = named_phase(topology, phase)
    entries = []
    for group, name, part in _parts(topology, phase):
        plan = planned(part, phase)
        file = f"{name}{ENDINGS[output_format]}"
        write(text_of_runbook(plan, part, output_format), str(folder / file))
        entries.append(index.entry_of(group, file, plan))
    text = {"markdown": index.markdown, "html": index.html}[output_format](topology.name, entries)
    write(text, str(folder / f"{INDEX}{ENDINGS[output_format]}"))
    click.echo(f"{len(entries)} runbooks and an index: {folder / f'{INDEX}{ENDINGS[output_format]}'}", err=True)


def _parts(topology: Topology, phase: str | None) -> Iterator[tuple[str, str, Topology]]:
    """Yield each group that has something to do, what its file is called, and the part of the topology that it is."""
    from geoplan.topology.part import each_group
    from geoplan.topology.slugs import slugs_of

    parts = dict(each_group(topology))
    names = slugs_of([f" {INDEX}", *parts])  # no group's name begins with a blank
    for group, part in parts.items():
        if phase != "ha" or any(site.ha_pair for site in part.sites):
            yield group, names[group], part
