"""A change of some groups alone: what it touches of the older plan, and that it touches no group beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.errors import ChangeRefusedError
from geoplan.wording import count, shell_command, some_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.plan.model import SiteSettings
    from geoplan.topology.model import Topology


def touched_by(topology: Topology, old: Sequence[SiteSettings]) -> list[SiteSettings]:
    """Return the older sites that a change to a topology touches: all of them, or of a part the groups it comes from.

    These are whole groups, since who leaves one has links with all that stay. Raises
    :class:`geoplan.errors.ChangeRefusedError` where a site of one of them is in a group now that is not of the part.
    """
    if topology.whole is topology:
        return list(old)
    now = {
        canonical(unit.address): (group.name, site.name)
        for group in topology.whole.partner_groups()
        for site in group.sites
        for unit in site.units
    }
    meant = {group.name for group in topology.partner_groups()}
    goes_to = {site.name: next((now[key] for key in _keys(site) if key in now), None) for site in old}
    touched = {site.group for site in old if (found := goes_to[site.name]) and found[0] in meant}
    others = {
        found[0]: f"sites of {some_of(sorted(meant))} were partners of '{found[1]}', which is in '{found[0]}' now"
        for site in old
        if site.group in touched and (found := goes_to[site.name]) and found[0] not in meant
    }
    if others:
        wanted = [group.name for group in topology.whole.partner_groups() if group.name in meant | {*others}]
        words = shell_command(*(word for name in wanted for word in ("--group", name)))
        raise ChangeRefusedError(
            f"the change touches {count(len(others), 'group')} more than the named ones, and nothing is planned:",
            list(others.values()),
            hint=f"name all that it touches: {words}",
        )
    return [site for site in old if site.group in touched]


def _keys(site: SiteSettings) -> list[str]:
    return [canonical(unit.address) for unit in site.units]
