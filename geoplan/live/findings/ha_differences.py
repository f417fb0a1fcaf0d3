"""How the HA parameters of a pair differ from those that a push forms it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.live.findings import Difference, Kind, Mend
from geoplan.live.findings.pairs import ALL_INTERFACES, PREFERRED_SERVER, drifts
from geoplan.live.model import HA_SUBJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.model import Observations
    from geoplan.plan.model import SiteSettings
    from geoplan.plan.pairs import HaPairSettings


def ha_differences(
    site: SiteSettings, pair: HaPairSettings, facts: Observations, *, is_formed: bool
) -> Iterator[Difference]:
    """Yield how the HA parameters of a pair's units differ from the plan's; ``is_formed`` where a push sets them."""
    for wanted in (pair.master, pair.slave):
        unit = facts.unit(wanted.address)
        if unit is None or unit.ha is None:
            message = f"{wanted.address} does not tell its HA parameters"
            yield Difference(site.name, wanted.address, Kind.UNREADABLE, HA_SUBJECT, message)
            continue
        for deviation in drifts(unit.ha, wanted):
            kind = Kind.MISSING if deviation.is_unset else Kind.DIFFERENT
            message = f"{wanted.address} ({wanted.mode}): {deviation}"
            # Section 6.2 sets the preferred server on the master, and the slave's follows.
            is_left = deviation.name == ALL_INTERFACES or (deviation.name == PREFERRED_SERVER and unit.role == "slave")
            at_work = Mend.LEFT if is_left or deviation.is_unset else Mend.NOTHING
            mends = Mend.STEP if is_formed else at_work
            hint = "correct the topology, or change it on the unit by hand, in a maintenance window"
            yield Difference(site.name, wanted.address, kind, HA_SUBJECT, message, (deviation.name,), mends, hint)
