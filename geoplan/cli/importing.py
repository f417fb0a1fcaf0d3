"""What ``geoplan import`` may ask, and what it says of what it has found."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from geoplan.addresses import canonical
from geoplan.cli.files import BYTE_ORDER_MARK, Before, read_text
from geoplan.errors import GeoplanError
from geoplan.files import STDIN, display_name
from geoplan.wording import count, some_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from geoplan.cli.connection import ConnectionOptions
    from geoplan.live.discover.judge import Imported, Placed
    from geoplan.live.discover.search import Named
    from geoplan.live.unit import Unit
    from geoplan.loadmaster import UnitConnection
    from geoplan.topology.model import Topology
    from geoplan.yaml12 import Loc

MAX_LISTED = 100
"""Addresses, and findings, that are shown one by one."""


@dataclass
class Search:
    """Which units an import asks, and how it reaches them."""

    reach: ConnectionOptions
    api_port: int
    health_check_port: int
    follow: bool = False
    within: tuple[IPv4Network | IPv6Network, ...] = ()
    known: frozenset[str] = frozenset()
    """The units of a file that is merged into, in one spelling: they are as good as given."""
    accesses: dict[str, UnitConnection] = field(default_factory=dict)
    """All units that were asked, by their addresses in one spelling."""

    @asynccontextmanager
    async def clients(self, addresses: Sequence[str]) -> AsyncIterator[Mapping[str, Unit]]:
        """Have the clients of some units at hand while the block lasts."""
        from geoplan.cli.connection import paces
        from geoplan.live.polling import SystemClock
        from geoplan.loadmaster.clients import connected
        from geoplan.loadmaster.connection import require_one_api_each

        new = {address: self._access(address) for address in addresses}
        self.accesses |= {canonical(address): access for address, access in new.items()}
        require_one_api_each({access.address: access.api_url for access in self.accesses.values()})
        async with connected(new, SystemClock(), paces=paces()) as units:
            yield units

    def allowed(self, named: Named) -> Collection[str]:
        """Return which newly found addresses may be asked: those within the given networks, or those confirmed now."""
        able = [address for address in named if self.can_ask(address)]
        if self.reach.insecure:
            return ()
        inside = [each for each in able if each in self.known or (self.follow and self._is_within(each))]
        others = {address: named[address] for address in able if address not in inside}
        return [*inside, *(others if others and _is_confirmed(others) else ())]

    def can_ask(self, address: str) -> bool:
        """Return whether a unit may be reached at all: a lab has to serve it, and there have to be credentials."""
        if not self.reach.can_reach(address):
            return False
        try:
            self._access(address)
        except GeoplanError:
            return False
        return True

    def ports(self) -> dict[str, int]:
        """Return the ports of the APIs that were reached at the units' own addresses."""
        from geoplan.topology.types import place_of_url

        found = {}
        for address, access in self.accesses.items():
            place = place_of_url(access.api_url)
            if place and canonical(place[0]) == address:
                found[address] = place[1]
        return found

    def _access(self, address: str) -> UnitConnection:
        from geoplan.loadmaster.ha import look_up

        access = self.reach.access_of(address, api_port=self.api_port, health_check_port=self.health_check_port)
        return access if self.reach.lab_file() else replace(access, resolve=look_up)

    def _is_within(self, address: str) -> bool:
        from ipaddress import ip_address

        own = ip_address(address)
        return any(own in network for network in self.within if network.version == own.version)


def _is_confirmed(named: Named) -> bool:
    """Ask, on a terminal, whether credentials may be sent to newly found addresses."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    click.echo(f"{count(len(named), 'address')} found:", err=True)
    for line in listed(
        {address: [f"{each.how} of {each.by}" for each in namings] for address, namings in named.items()}
    ):
        click.echo(line, err=True)
    return click.confirm("Send credentials to them, and ask them?", default=False, err=True)


def listed(named: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield lines of addresses, each with who names it."""
    for address in list(named)[:MAX_LISTED]:
        yield f"  {address} ({some_of(named[address])})"
    if len(named) > MAX_LISTED:
        yield f"  and {len(named) - MAX_LISTED:,} more"


def said_of_unconfirmed(imported: Imported, search: Search, given: Sequence[str], *words: str) -> list[str]:
    """Say which addresses were not asked, who names each, and the command that asks them, too."""
    if not imported.unconfirmed:
        return []
    lines = [f"{count(len(imported.unconfirmed), 'address')} found and not asked:", *listed(imported.unconfirmed)]
    able = [address for address in imported.unconfirmed if search.reach.can_reach(address)][:MAX_LISTED]
    if linked := [address for address in imported.unconfirmed if address in imported.linked]:
        lines.append(
            f"if a site behind NAT is known by {some_of(linked)}, nobody tells its own address: give that as well"
        )
    if not able:
        return [*lines, "the lab serves none of them"]
    if without := [address for address in able if not search.can_ask(address)]:
        lines.append(f"there are no credentials for {some_of(without)}: see --credentials")
    first, *others = (*given, *able)
    command = search.reach.command("import", first, *others, *words)
    return [*lines, "if they are yours, ask them as well:", f"  {command}"]


def said_of(findings: Sequence[Placed], lines: Mapping[Loc, int], path: str) -> list[str]:
    """Say what was found, each with its line in the file."""
    said = []
    for loc, finding in findings[:MAX_LISTED]:
        where = f"{path}:{lines[loc]}" if loc in lines else path
        site = f" {finding.sites[0]}:" if finding.sites else ""
        said.append(f"{where}: {finding.severity}: {finding.kind}:{site} {finding.message}")
        said += [f"  hint: {finding.hint}"] if finding.hint else []
        said += [f"      {command}" for command in finding.commands]
    if len(findings) > MAX_LISTED:
        said.append(f"and {len(findings) - MAX_LISTED:,} more findings")
    return said


def comments_of(imported: Imported) -> dict[Loc, list[str]]:
    """Return what is odd as comments, each for its place in the file."""
    from geoplan.live.findings.kinds import Severity

    comments: dict[Loc, list[str]] = {}
    for loc, finding in imported.findings:
        if finding.severity is not Severity.KNOWING or len(loc) > 2:  # noqa: PLR2004 - of one value
            comments.setdefault(loc, []).append(f"{finding.kind}: {finding.message}")
    for address, namings in list(imported.unconfirmed.items())[:MAX_LISTED]:
        comments.setdefault((), []).append(f"not asked: {address} ({some_of(namings)})")
    return comments


class Mine(NamedTuple):
    """A topology file of somebody's, into which an import is merged."""

    path: str
    text: str
    topology: Topology
    mark: str = ""
    """The byte order mark that it begins with, if it has one."""

    def before(self, output: str | None, there: Before | None) -> Before | None:
        """Return what an output has to hold still to be replaced: this file as it was read, if it is this one."""
        is_it = there and there.content is not None and self.path != STDIN and Path(self.path).samefile(str(output))
        return Before((self.mark + self.text).encode()) if is_it else there

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses of all its units in one spelling."""
        return frozenset(canonical(unit.address) for site in self.topology.sites for unit in site.units)

    def difference(self, after: str) -> list[str]:
        """Return what a merge has changed, line by line."""
        from difflib import unified_diff

        before, merged = self.text.splitlines(), after.splitlines()
        lines = unified_diff(before, merged, self.path, f"{self.path}, merged", lineterm="", n=1)
        return list(lines) or [f"{self.path}: nothing new"]


def mine_of(path: str) -> Mine:
    """Read a file that an import is to be merged into.

    Raises :class:`InvalidInputError` for one with faults, and :class:`GeoplanError` for one that cannot be edited.
    """
    from geoplan.errors import InvalidInputError
    from geoplan.topology.edit import require_editable
    from geoplan.topology.loader import check_text

    content = read_text(path, keeps_mark=True)
    text = content.removeprefix(BYTE_ORDER_MARK)
    checked = check_text(text.encode(), path=display_name(path), default_name=Path(path).stem)
    if checked.topology is None:
        raise InvalidInputError(f"{display_name(path)} is not a usable topology", checked.diagnostics)
    require_editable(text, display_name(path))
    return Mine(path, text, checked.topology, content[: len(content) - len(text)])


def lines_of(text: str, findings: Sequence[Placed]) -> dict[Loc, int]:
    """Return the line of each finding's place in a topology file."""
    from geoplan.yaml12 import read_document

    document = read_document(text)
    return {loc: document.place_of(loc).line + 1 for loc, _ in findings}


def as_json(imported: Imported) -> str:
    """Return everything, for programs."""
    import json
    from dataclasses import asdict

    def where(loc: Loc) -> str:
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")

    content: dict[str, Any] = {
        "format": "geoplan/import/1",
        "topology": imported.content,
        "findings": [{"where": where(loc), **asdict(finding)} for loc, finding in imported.findings],
        "not_asked": {address: list(namings) for address, namings in imported.unconfirmed.items()},
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
