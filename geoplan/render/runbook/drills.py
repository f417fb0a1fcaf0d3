"""A failover that shows that both units of a pair do their part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.render.runbook import wui
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.model import Check
from geoplan.render.runbook.prose import Pasted, Prose, count, duration, prose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geoplan.render.runbook.context import Pair, RunbookContext


def drill(pair: Pair, bearings: RunbookContext, look: Iterable[Prose] = ()) -> Check:
    """Describe a failover and back; ``look`` is what is seen on the unit that has taken over."""
    failed_over = not pair.master_returns and pair.site in bearings.rebooted
    active, active_health, other_health = pair.master, pair.master_health, pair.slave_health
    if failed_over:
        active, active_health, other_health = pair.slave, pair.slave_health, pair.master_health
    boot = prose(duration(bearings.plan.estimates.boot_seconds))
    back = prose("Wait about {} until {} answers again: ", boot, active_health)
    if pair.master_returns:
        ending = prose("{}{}, and the other one {}.", back, OK, BUSY)
    else:
        ending = prose("{}{}. The other one stays active.", back, BUSY)
    return Check(
        f"drill/{pair.site}",
        prose("Failover drill: {}", pair.site),
        (
            prose("Reboot the active unit, {}: {}, {}.", Pasted(active), wui.SYSTEM_REBOOT.path, wui.REBOOT),
            prose("{} answers {}: the other unit has taken over.", other_health, OK),
            *_traffic_follows(pair, bearings),
            *look,
            ending,
        ),
    )


def _traffic_follows(pair: Pair, bearings: RunbookContext) -> Iterator[Prose]:
    settings = bearings.ha_pairs.get(pair.site)
    if settings:
        seconds = count(settings.health_check.switchover_seconds, "second")
        yield prose(f"The load balancer follows after {seconds} at least: only then has it moved the traffic.")
