"""Units that left while they did not answer: whether anything answers at their addresses again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from geoplan.cli.push_units import push_store
from geoplan.errors import GeoplanError, UnitUnreachableError
from geoplan.loadmaster.tls import fetch_fingerprint
from geoplan.push.remembered import back_finding, left_alone
from geoplan.topology.loader import load_topology

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions, TypedCommands
    from geoplan.live.findings.kinds import Finding
    from geoplan.push.remembered import Gone
    from geoplan.topology.model import Topology

PATIENCE_SECONDS = 4.0
"""For one TLS handshake: whoever asks about other units does not wait longer for one that has left."""


async def back_findings(topology: Topology, reach: ConnectionOptions, typed: TypedCommands) -> tuple[Finding, ...]:
    """Return a finding for each site that left a topology's units without an answer, and answers again.

    Their addresses are in no file now, so they are sent no credentials: a TLS handshake tells enough. What cannot be
    known is passed over.
    """
    try:
        sites = left_alone(push_store(topology, reach, typed.state_dir))
    except GeoplanError:  # whoever asks has been warned of it
        return ()
    answering = await asyncio.gather(*(_answering(site, reach) for site in sites))
    return tuple(back_finding(site, units, typed) for site, units in zip(sites, answering, strict=True) if units)


async def _answering(site: Gone, reach: ConnectionOptions) -> tuple[str, ...]:
    apis = reach.apis(load_topology(site.path))
    units = [address for address in site.units if reach.can_reach(address)]

    async def answers(address: str) -> bool:
        try:
            await fetch_fingerprint(address, apis[address].url, timeout_seconds=PATIENCE_SECONDS)
        except UnitUnreachableError:
            return False
        return True

    found = await asyncio.gather(*map(answers, units))
    return tuple(address for address, is_there in zip(units, found, strict=True) if is_there)
