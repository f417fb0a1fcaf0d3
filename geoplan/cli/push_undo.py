"""``geoplan push --undo``: which push is taken back, and what of it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.addresses import canonical
from geoplan.errors import PushRefusedError
from geoplan.push.store import addresses_of
from geoplan.push.undoing import find_push, undoing
from geoplan.wording import some_of

if TYPE_CHECKING:
    from geoplan.push.store import Store
    from geoplan.push.undoing import Undoing
    from geoplan.topology.model import Topology


def taken_back(topology: Topology, store: Store, named: str | None, *, resume: bool) -> Undoing | None:
    """Return what takes the push of that name back, or goes on with taking one back; None for any other push.

    What stays of it is said on standard error. Raises :class:`PushRefusedError` where there is no such push, or the
    topology does not have all of its units.
    """
    unfinished = store.past().unfinished if resume else None
    if unfinished and unfinished.begin.undoes:
        named = unfinished.begin.undoes
    if named is None:
        return None
    found = undoing(find_push(store, named))
    known = {canonical(unit.address) for site in topology.sites for unit in site.units}
    if missing := [address for address in addresses_of(found.plan) if canonical(address) not in known]:
        raise PushRefusedError(
            f"push {found.name} changed units that '{topology.name}' does not have: {some_of(missing)}; "
            "nothing was changed",
            hint="give a topology that has all of its units: of a change OLD or NEW, or a file with the sites of both",
        )
    for line in found.left:
        click.echo(f"geoplan: note: not taken back: {line}", err=True)
    return found
