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

    It asks every unit for its two lists and its clusters, and the active ones for their partners. It changes nothing.
    After a failover a pair's cluster has the slave's address: that is not a difference.
    """
    import asyncio

    from geoplan.cli.push_units import known_links, push_store
    from geoplan.live import diff as reports
    from geoplan.live.findings.compare import Report, verify
    from geoplan.live.polling import SystemClock
    from geoplan.live.survey import observe_for_verify
    from geoplan.plan.planner import make_plan

    topology = load_topology(path)
    plan = make_plan(topology, plan_phases(topology, phase))
    accesses = reach.accesses(topology)

    ledger = known_links(push_store(topology, reach, None))

    async def compare() -> Report:
        async with live_fleet(plan, accesses, SystemClock(), jobs=jobs) as fleet:
            facts = await observe_for_verify(fleet)
            return verify(plan, facts, ledger.known_links())

    report = asyncio.run(compare())
    push = reach.command("push", path, *(("--phase", phase) if phase else ()))
    rendered = {
        "text": lambda: reports.as_text(report, push),
        "markdown": lambda: reports.as_markdown(report, push),
        "json": lambda: reports.as_json(report),
    }[output_format]()
    write(rendered, output)
    return 0 if report.is_in_place else 1
