"""The HA pairs of a plan as tables: parameters of both units, load balancer, and the times of the health check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from geoplan.plan.model import Phase
from geoplan.render.runbook import wui
from geoplan.render.runbook.prose import count
from geoplan.render.tables import table

if TYPE_CHECKING:
    from rich.table import Table

    from geoplan.plan.ha_model import LoadBalancer, PlannedListener
    from geoplan.plan.model import Plan


def parts(plan: Plan) -> list[Table]:
    """Return the tables of what the plan says about pairs: none where it says nothing beyond their units."""
    if not plan.ha_pairs:
        return []
    tables = [_parameters(plan)] if Phase.HA in plan.phases() else []
    if any(pair.load_balancer for pair in plan.ha_pairs):
        tables.append(_balancers(plan))
    return [*tables, _health_checks(plan)]


def _parameters(plan: Plan) -> Table:
    units = table("HA pair", "AWS HA Mode", "Partner", "Port", "Preferred server", "Interfaces")
    for pair in plan.ha_pairs:
        units.add_row(Text(pair.site, style="bold"))
        for unit in (pair.master, pair.slave):
            units.add_row(
                unit.address,
                unit.mode.capitalize(),
                unit.partner,
                str(unit.health_check_port),
                wui.PREFERRED_CHOICE[unit.preferred_host],
                "all" if unit.all_interfaces else "eth0",
            )
    return units


def _balancers(plan: Plan) -> Table:
    balancers = table("HA pair", "Network Load Balancer", "Listeners and their targets")
    for pair in plan.ha_pairs:
        balancer = pair.load_balancer
        facts = _facts(balancer) if balancer else Text("none in the topology", style="dim")
        listeners = "\n".join(map(_listener, balancer.listeners)) if balancer else ""
        balancers.add_row(Text(pair.site, style="bold"), facts, listeners)
    return balancers


def _facts(balancer: LoadBalancer) -> str:
    elastic = sum(subnet.allocation_id is not None for subnet in balancer.subnets)
    addresses = f" with {count(elastic, 'Elastic IP')}" if elastic else ""
    return (
        f"{balancer.scheme}, {balancer.region}\n{balancer.vpc_id}\n{count(len(balancer.subnets), 'subnet')}{addresses}"
    )


def _listener(listener: PlannedListener) -> str:
    came, goes = (f"{each.protocol} {each.port}" for each in (listener, listener.target))
    return came if came == goes else f"{came} to {goes}"


def _health_checks(plan: Plan) -> Table:
    """Return how long it takes until a unit is in service, and until a failed one is out (section 2)."""
    checks = table("HA pair", "Health check", "In service after", "Out of service after")
    for pair in plan.ha_pairs:
        check = pair.health_check
        asked = f"port {check.port}, every {check.interval_seconds} s"
        times = (f"{check.in_service_seconds} s", f"{check.out_of_service_seconds} s")
        checks.add_row(Text(pair.site, style="bold"), asked, *times)
    return checks
