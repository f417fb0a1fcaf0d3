"""``geoplan diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import connection_options, live_fleet
from geoplan.cli.files import load_topology, plan_phases, write
from geoplan.cli.formats import format_option
from geoplan.cli.options import Command, jobs_option, output_option, phase_option, topology_argument

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions
    from geoplan.live.model import Observations


@click.command("diff", cls=Command)
@topology_argument
@format_option("diff")
@phase_option
@output_option
@jobs_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *, path: str, output_format: str, phase: str | None, output: str | None, jobs: int, reach: ConnectionOptions
) -> int:
    """Compare live units with the plan. Exit 1 if they differ.

    It asks every unit what a push would ask before it begins, and changes nothing. What a push would refuse, or
    somebody should look at, is told as well, with exit code 1; what may stay as it is stands in the JSON alone.
    After a failover a pair's cluster carries the slave's address: that is no difference.
    """
    import asyncio

    from geoplan.cli.push_units import known_links
    from geoplan.live import diff as reports
    from geoplan.live.findings.collect import examine
    from geoplan.live.findings.kinds import Severity
    from geoplan.live.polling import SystemClock
    from geoplan.live.survey import observe_for_preflight
    from geoplan.plan.planner import make_plan

    topology = load_topology(path)
    plan = make_plan(topology, plan_phases(topology, phase))
    accesses = reach.accesses(topology)

    ledger = known_links(topology, reach)

    async def look() -> Observations:
        async with live_fleet(plan, accesses, SystemClock(), jobs=jobs) as fleet:
            return await observe_for_preflight(fleet)

    facts, limit = asyncio.run(look()), topology.limits.max_clusters

    def typed(name: str, *words: str) -> str:
        return reach.command(name, path, *words)

    report, findings = examine(plan, facts, ledger.known_links(), max_clusters=limit, command=typed)
    push = reach.command("push", path, *(("--phase", phase) if phase else ()))
    rendered = {
        "text": lambda: reports.as_text(report, push, findings),
        "markdown": lambda: reports.as_markdown(report, push, findings),
        "json": lambda: reports.as_json(report, findings),
    }[output_format]()
    write(rendered, output)
    is_well = all(finding.severity is Severity.KNOWING for finding in findings)
    return 0 if report.is_in_place and is_well else 1
