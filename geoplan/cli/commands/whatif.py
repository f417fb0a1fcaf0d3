"""``geoplan whatif``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from geoplan.cli.connection import ConnectionOptions, connection_options, live_fleet
from geoplan.cli.files import load_part, write
from geoplan.cli.formats import chosen_format, format_option
from geoplan.cli.options import Command, Part, group_option, jobs_option, output_option, topology_argument
from geoplan.cli.refusals import tells_refusals

if TYPE_CHECKING:
    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan
    from geoplan.topology.model import Topology
    from geoplan.twin.report import Report
    from geoplan.twin.snapshot import Snapshot

EPILOG = """
What is tried: a unit off, a site off, a failover by hand, a region off (the units of one aws region, or --together),
the network cut between two sites, between one and all others, and around a region, replication broken, a slave on
which the partners were never submitted. From where: all masters active, and each pair alone failed over; with --live
the units as they are in place of the former.

Up to 20,000 cases all are tried, and it says so. Of more, 20,000 are drawn by the
seed that it prints, and those that cannot happen are left out.

The shape of the JSON, geoplan/whatif/1, is in geoplan/twin/README.md.

Exit codes: 0 if no single failure cuts off a site that has a unit left; 1 if one does, or may.
"""


@click.command("whatif", cls=Command, epilog=EPILOG)
@topology_argument
@group_option
@click.option("--live", is_flag=True, help="Begin with live units as they are, and not with what is planned.")
@click.option(
    "--failures",
    type=click.IntRange(1, 2),
    default=1,
    show_default=True,
    help="With 2, every pair of failures as well.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Draws cases, where not all are tried."
)
@click.option(
    "--together",
    metavar="A,B",
    multiple=True,
    help="Sites that can go off at once, as those of one place; by names in any case, or slugs; repeatable.",
)
@format_option("whatif")
@output_option
@jobs_option
@connection_options
@tells_refusals("geoplan/whatif/1")
def command(  # noqa: PLR0913 - one for each option
    *,
    path: str,
    part: Part,
    live: bool,
    failures: int,
    seed: int,
    together: tuple[str, ...],
    output_format: str | None,
    output: str | None,
    jobs: int,
    reach: ConnectionOptions,
) -> int:
    """Try every failure on simulated units, and show who is cut off from GEO. Exit 1 if a site with a unit left is.

    Nothing is sent to any unit without --live. With it live units are only read, as by geoplan diff: what they hold
    is put into the simulation, and there it fails.
    """
    if not live and reach != ConnectionOptions():
        raise click.UsageError("options that reach units matter only with --live")
    from geoplan.plan.model import Phase
    from geoplan.plan.planner import make_plan
    from geoplan.twin.whatif import what_if
    from geoplan.twin.world import planned_world

    chosen = chosen_format("whatif", output_format, output)
    topology, part = load_part(path, part)
    plan = make_plan(topology, (Phase.GEO,))
    sets = tuple(_together(topology, each, path) for each in together)
    if live:
        from geoplan.twin.snapshot import live_what_if

        snapshot = _snapshot(topology, plan, reach, jobs)
        report = live_what_if(snapshot, together=sets, failures=failures, seed=seed)
    else:
        report = what_if(topology, planned_world(topology, plan), together=sets, failures=failures, seed=seed)
    _show(report, plan, chosen, output)
    return 0 if report.is_well else 1


def _snapshot(topology: Topology, plan: Plan, reach: ConnectionOptions, jobs: int) -> Snapshot:
    """Read live units, and what journals prove of them."""
    import asyncio

    from geoplan.cli.push_units import known_past
    from geoplan.live.polling import SystemClock
    from geoplan.live.survey import observe_for_preflight
    from geoplan.twin.snapshot import Snapshot

    accesses, is_lab = reach.accesses(topology), reach.lab_file() is not None
    known = known_past(topology, reach).ledger.known_links()

    async def look() -> Observations:
        async with live_fleet(plan, accesses, SystemClock(), jobs=jobs, is_lab=is_lab) as fleet:
            return await observe_for_preflight(fleet)

    snapshot = Snapshot(topology, plan, asyncio.run(look()), known)
    snapshot.require_told()
    return snapshot


def _show(report: Report, plan: Plan, output_format: str, output: str | None) -> None:
    from geoplan.cli.output import show_laid_out, terminal
    from geoplan.twin import whatif_html, whatif_json, whatif_text

    if output_format == "text" and output is None:
        width, color = terminal()
        show_laid_out(whatif_text.render(report, width=width, color=color), color=color)
        return
    if output_format == "html":
        write(whatif_html.render(report, plan), output)
        return
    renders = {"text": whatif_text.render, "markdown": whatif_text.render_markdown, "json": whatif_json.render}
    write(renders[output_format](report), output)


def _together(topology: Topology, names: str, path: str) -> tuple[str, ...]:
    """Return the sites that go off together, as the topology writes them."""
    from geoplan.files import display_name
    from geoplan.topology.names import site_named

    given = [name.strip() for name in names.split(",")]
    if not all(given):
        raise click.BadParameter(
            f"a name is missing in '{names}': name two sites at least, with one comma between each two.",
            param_hint="'--together'",
        )
    sites = [site_named(topology, name, place=display_name(path)).name for name in given]
    if len(set(sites)) < 2:  # noqa: PLR2004 - one alone fails anyway
        raise click.BadParameter("name two sites at least, with commas between them.", param_hint="'--together'")
    return tuple(dict.fromkeys(sites))
