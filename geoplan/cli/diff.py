"""``geoplan diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.command import Command
from geoplan.cli.files import load_topology, output_option, phase_option, plan_phases, topology_argument, write
from geoplan.cli.units import jobs_option, live_fleet, reach_options

if TYPE_CHECKING:
    from geoplan.cli.units import Reach


@click.command("diff", cls=Command)
@topology_argument
@click.option(
    "--format", "output_format", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True
)
@phase_option
@output_option
@jobs_option
@reach_options
def command(  # noqa: PLR0913 - one for each option
    *, path: str, output_format: str, phase: str | None, output: str | None, jobs: int, reach: Reach
) -> int:
    """Hold live units against the plan; exit 1 where they differ.

    It asks every unit for its two lists and its clusters, the active ones for their partners, and changes nothing.
    After a failover a pair's cluster carries the slave's address: that is no difference.
    """
    import asyncio

    from geoplan.cli.push_units import known_links, push_store
    from geoplan.plan.planner import make_plan
    from geoplan.push import report as reports
    from geoplan.push.clock import SystemClock
    from geoplan.push.observe import observe_for_verify
    from geoplan.push.verify import Report, verify

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
