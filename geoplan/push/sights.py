"""What units saw of their partners while they were active, as journals hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.push.addresses import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.push.history import History
    from geoplan.push.links import Sights


def sights_in(histories: Iterable[History]) -> Sights:
    """Return of each unit the partners that it saw green, in any of the journals, all addresses canonical."""
    seen: dict[str, frozenset[str]] = {}
    for history in histories:
        for record in history.records:
            if record.event == "green":
                unit = canonical(str(record.fields["unit"]))
                partners = frozenset(canonical(str(partner)) for partner in record.fields["partners"])
                seen[unit] = seen.get(unit, frozenset()) | partners
    return seen
