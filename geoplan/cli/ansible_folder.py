"""``geoplan export ansible -o FOLDER``: which groups are pushed from where, and the files on disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geoplan.cli.files import load_with_text, named_phase, planned
from geoplan.cli.folders import written_folder
from geoplan.wording import count, shell_command, shown, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.render.ansible import Part
    from geoplan.topology.model import Topology

_SERIAL = re.compile(r"[1-9][0-9]{0,5}|(?:[1-9][0-9]?|100)%")


def serial_of(ctx: click.Context, param: click.Parameter, written: str) -> int | str:
    """Return how many hosts push at a time, as a playbook has it. Raises :class:`click.BadParameter`."""
    if not _SERIAL.fullmatch(written):
        raise click.BadParameter(
            f"'{written}' is no number of hosts, such as 2, and no share, such as 25%.", ctx, param
        )
    return written if written.endswith("%") else int(written)


def export(  # noqa: PLR0913 - one for each option
    path: str, output: str, *, regions: tuple[str, ...], phase: str | None, serial: int | str, max_fail_percentage: int
) -> None:
    """Write the folder; the playbook is the last file, so that nothing can be run before all of it is there."""
    from geoplan.render.ansible import INVENTORY, PLAYBOOK, hosts_of, render

    topology, text = load_with_text(path)
    parts, by_group = tuple(_parts(topology, phase)), _regions(topology, regions)
    files = render(
        topology.name,
        text.encode(),
        parts,
        regions=by_group,
        phase=phase,
        serial=serial,
        max_fail_percentage=max_fail_percentage,
    )
    names = sorted(files, key=lambda name: (name == PLAYBOOK, name))
    with written_folder(output, names) as write:
        for name in names:
            write(name, files[name].decode())
    folder = Path(output)
    of = count(len(parts), "group")
    run = shell_command("ansible-playbook", "-i", str(folder / INVENTORY), str(folder / PLAYBOOK), "--check")
    click.echo(f"{of}, each with its checksum: {folder}\n  compare, and change nothing: {run}", err=True)
    hosts = () if topology.groups is None else hosts_of(topology.name, parts, by_group)
    if renamed := [f"'{host.title}' is {host.name}" for host in hosts if host.is_renamed]:
        click.echo(f"geoplan: note: {shown(f'names of hosts in the inventory: {some_of(renamed)}')}", err=True)


def _regions(topology: Topology, written: tuple[str, ...]) -> dict[str, str]:
    """Return the regions by groups. Raises :class:`click.UsageError` for what names none, or two for one group."""
    from geoplan.topology.names import group_named

    regions: dict[str, str] = {}
    for each in written:
        region, _, name = (word.strip() for word in each.partition("="))
        if not region or not name:
            raise click.UsageError(f"--region {each}: write the region and its group, as in --region europe=shop")
        group = group_named(topology, name)
        if regions.setdefault(group, region) != region:
            raise click.UsageError(f"--region {each}: '{group}' is in the region '{regions[group]}' already")
    return regions


def _parts(topology: Topology, phase: str | None) -> Iterator[Part]:
    """Yield each group that has something to do, with the checksum that ``push --group`` asks for."""
    from geoplan.render.ansible import Part
    from geoplan.topology.part import each_group

    phase = named_phase(topology, phase)
    for group, part in each_group(topology):
        if phase != "ha" or topology.groups is None or any(site.ha_pair for site in part.sites):
            yield Part(None if topology.groups is None else group, planned(part, phase).checksum)
