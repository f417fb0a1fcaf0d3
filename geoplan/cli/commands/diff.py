"""``geoplan diff``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import TypedCommands, connection_options, live_fleet
from geoplan.cli.files import load_part, plan_phases, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import Command, Part, jobs_option, output_option, part_options, phase_option, topology_argument

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions
    from geoplan.live.findings.kinds import Finding
    from geoplan.live.model import Observations


@click.command("diff", cls=Command)
@topology_argument
@part_options
@format_option("diff")
@phase_option
@output_option
@jobs_option
@connection_options
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    part: Part,
    output_format: str | None,
    phase: str | None,
    output: str | None,
    jobs: int,
    reach: ConnectionOptions,
) -> int:
    """Compare live units with the plan. Exit 1 if they differ.

    It asks every unit what a push would ask before it begins, and changes nothing. It also lists what would block a
    push and what somebody should look at, with exit code 1; what may stay as it is appears in the JSON alone. After a
    failover a pair's cluster has the slave's address: that is no difference.

    With --site only that site's own units are asked: whether they hold its HA parameters, its two lists and all
    clusters of its group, and which links they see themselves. What its partners hold of it, only these can say: see
    --group.
    """
    import asyncio

    from geoplan.cli.leavers import back_findings
    from geoplan.cli.output import columns
    from geoplan.cli.push_units import known_past, left_findings, say_unfinished, typed_after
    from geoplan.live import diff as reports
    from geoplan.live.findings.collect import examine
    from geoplan.live.findings.kinds import Severity
    from geoplan.live.polling import SystemClock
    from geoplan.live.survey import observe_for_preflight
    from geoplan.plan.planner import make_plan

    chosen = chosen_format("diff", output_format, output)
    topology, part = load_part(path, part)
    plan = make_plan(topology, plan_phases(topology, phase))
    accesses, is_lab = reach.accesses(topology, part.only), reach.lab_file() is not None

    past = known_past(topology, reach)

    async def look() -> Observations:
        async with live_fleet(plan, accesses, SystemClock(), jobs=jobs, is_lab=is_lab, only=part.only) as fleet:
            return await observe_for_preflight(fleet)

    typed = typed_after(past, topology, TypedCommands(reach, path, phase, part=part))

    async def look_at_all() -> tuple[Observations, tuple[Finding, ...]]:
        return await asyncio.gather(look(), back_findings(topology, reach, typed))

    (facts, back), limit = asyncio.run(look_at_all()), topology.limits.max_clusters
    report, findings = examine(plan, facts, past.ledger.known_links(), max_clusters=limit, command=typed)
    findings = (*findings, *left_findings(topology, reach, typed), *back)
    push = partial(typed, "push")
    rendered = {
        "text": lambda: reports.as_text(report, push, findings, width=columns() if output in (None, "-") else None),
        "markdown": lambda: reports.as_markdown(report, push, findings),
        "json": lambda: reports.as_json(report, findings),
    }[chosen]()
    write(rendered, output)
    say_unfinished(typed)
    is_well = all(finding.severity is Severity.KNOWING for finding in findings)
    return 0 if report.is_in_place and is_well else 1
