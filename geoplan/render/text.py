"""The plan as tables for people, fitted to the width of a terminal."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from geoplan import vendor
from geoplan.addresses import is_address
from geoplan.console import laid_out
from geoplan.plan.actions import ACTIONS, Action, Phase
from geoplan.render.delta import count_reboots, deltas_of, described
from geoplan.wording import count

if TYPE_CHECKING:
    from geoplan.plan.model import ClusterDefinition, Plan, PlannedGroup, SiteSettings, Step, TargetUnit
    from geoplan.plan.pairs import LoadBalancer, PlannedListener


class AddressTable(Table):
    """A table that breaks words rather than an address, as long as a terminal has room for its addresses.

    Half of an address is often another one: of 172.24.1.10 the first line would show 172.24.1.1.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lay the table out; columns are as wide as their longest address only where one would be broken."""
        addresses = [_addresses_in(column) for column in self.columns]
        drawn = list(super().__rich_console__(console, options))
        shown = Counter("".join(part.text for part in drawn if isinstance(part, Segment)).split())
        if Counter(chain.from_iterable(addresses)) <= shown:
            yield from drawn
            return
        for column, words in zip(self.columns, addresses, strict=True):
            column.width = max(map(len, words), default=None)
        yield from super().__rich_console__(console, options)


def _addresses_in(column: Column) -> list[str]:
    words = (word for cell in column.cells for word in str(cell).split())
    return [word for word in words if _may_be_address(word) and is_address(word.strip("+-,;()"))]


def _may_be_address(word: str) -> bool:
    """Return whether it is worth while to ask: most words of a table are none."""
    return ":" in word or word.count(".") == 3  # noqa: PLR2004 - of IPv4


def table(*headings: str) -> Table:
    """Return an empty table; a cell that has no room is folded."""
    drawn = AddressTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        drawn.add_column(heading, overflow="fold")
    return drawn


def _pair_tables(plan: Plan) -> list[Table]:
    """Return the tables of what the plan says about pairs: none where it says nothing beyond their units."""
    if not plan.ha_pairs:
        return []
    tables = [_parameters(plan)] if Phase.HA in plan.phases() else []
    if any(pair.load_balancer for pair in plan.ha_pairs):
        tables.append(_balancers(plan))
    return [*tables, _health_checks(plan)]


def _parameters(plan: Plan) -> Table:
    units = table("HA pair", vendor.HA_MODE, "Partner", "Port", "Preferred server", "Interfaces")
    for pair in plan.ha_pairs:
        units.add_row(Text(pair.site, style="bold"))
        for unit in (pair.master, pair.slave):
            units.add_row(
                unit.address,
                unit.mode.capitalize(),
                unit.partner,
                str(unit.health_check_port),
                vendor.PREFER_MASTER if unit.preferred_host == "master" else vendor.NO_PREFERRED_HOST,
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


DEFAULT_WIDTH = 100
OF_ONE_CLUSTER = frozenset({Action.PROBE_UNLINKED, Action.DELETE_CLUSTER, Action.MODIFY_CLUSTER})
"""The steps of a change that are about one cluster."""
UNIT_LABELS: dict[TargetUnit, str] = {
    "active": "active unit",
    "standby": "standby",
    "updated": "unit just updated",
    "master": "master",
    "slave": "slave",
    "both": "both units",
    "load_balancer": "AWS",
    "new_active": "new active unit",
    "standalone": "",
}


def render(plan: Plan, *, width: int = DEFAULT_WIDTH, color: bool = False) -> str:
    """Return the plan as tables ``width`` columns wide, with escape codes for colour only where asked for."""
    return laid_out(_parts(plan), width=width, color=color)


def duration(seconds: float) -> str:
    """Return a time as people say it: ``45 s``, ``8 min``, ``2 h 05 min``."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:g} s"
    minutes = -(-seconds // 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes:.0f} min"
    return f"{minutes // 60:.0f} h {minutes % 60:02.0f} min"


def _parts(plan: Plan) -> list[RenderableType]:
    parts: list[RenderableType] = [_heading(plan)]
    if plan.change:
        parts += ["", Text(change_in_words(plan)), Text(f"from {plan.change.old_checksum}", style="dim")]
        parts += _delta_tables(plan)
    if plan.change and not plan.steps:
        return parts
    parts += _pair_tables(plan)
    if Phase.GEO in plan.phases():
        hosts = _hosts(plan)
        for group in plan.groups:
            sites = [plan.site(name) for name in group.sites]
            if plan.is_group_written(group.name):
                parts += ["", Text(f"Group {group.name}", style="bold")]
            parts += [_lists(sites)]
            if clusters := plan.clusters_of(group.name):
                parts += [_clusters(clusters, hosts.get(group.name), group)]
    parts += [_steps(plan), _reasons(plan)]
    notes = _notes(plan)
    if notes:
        parts += ["", Text("Where the document is unclear", style="bold"), *notes]
    return [*parts, "", _estimates(plan)]


def _heading(plan: Plan) -> RenderableType:
    units = sum(len(site.units) for site in plan.sites)
    followed = sorted({step.section for step in plan.steps})
    sections = f"section{'s' if len(followed) > 1 else ''} {', '.join(followed)} of the document"
    groups = f", {count(len(plan.groups), 'group')}" if len(plan.groups) > 1 else ""
    size = (
        f"{count(len(plan.sites), 'site')}, {count(units, 'unit')}{groups}; {sections if followed else 'nothing to do'}"
    )
    return Group(Text(plan.topology, style="bold"), Text(size), Text(plan.checksum, style="dim"))


def change_in_words(plan: Plan) -> str:
    """Say what a change starts from, and what it costs."""
    if plan.change is None:
        return ""
    start = f"Change from {plan.change.old_topology}"
    if not plan.steps:
        return f"{start}: nothing to change."
    reboots = count_reboots(plan)
    return f"{start}: {count(len(plan.steps), 'step')}, {count(reboots, 'reboot') if reboots else 'no reboot'}."


def _delta_tables(plan: Plan) -> list[Table]:
    """Return the table of what becomes of each site that is touched."""
    deltas = deltas_of(plan)
    if not deltas:
        return []
    shown = table("Site", "Change", vendor.REMOTE_GEO_ACCESS, vendor.GEO_PARTNERS)
    for delta in deltas:
        gains_and_losses = (str(difference) or "as before" for difference in (delta.access, delta.partners))
        shown.add_row(Text(delta.site, style="bold"), Text(described(plan, delta)), *gains_and_losses)
    return [shown]


def _lists(sites: list[SiteSettings]) -> Table:
    lists = table("Site", vendor.REMOTE_GEO_ACCESS, vendor.GEO_PARTNERS)
    for site in sites:
        partners = " ".join(site.geo_partners) or Text("none: a site alone has no partner", style="dim")
        lists.add_row(_site(site), " ".join(site.remote_geo_access), partners)
    return lists


def _site(site: SiteSettings) -> Text:
    text = Text(site.name, style="bold")
    for unit in site.units:
        role = "" if unit.role == "standalone" else f" {unit.role}"
        nat = f", reached by {unit.nat_address}" if unit.nat_address else ""
        text.append(f"\n{unit.address}{role}{nat}", style="not bold")
    return text


def _hosts(plan: Plan) -> dict[str, str]:
    """Return the site on which the clusters of each group are entered, where a step does that."""
    hosts: dict[str, str] = {}
    for step in plan.steps:
        if step.action is Action.ADD_CLUSTER:
            hosts.setdefault(plan.site(step.site).group, step.on.site)
    return hosts


def _clusters(clusters: tuple[ClusterDefinition, ...], host: str | None, group: PlannedGroup) -> RenderableType:
    shown = table("Cluster", "IP address", "Type", "Location")
    for cluster in clusters:
        place = cluster.location
        location = f"{place.latitude:g}, {place.longitude:g}" if place else ""
        shown.add_row(cluster.name, cluster.address, cluster.type, location)
    if not any(cluster.location for cluster in clusters):
        shown.columns.pop()
    if host is None:
        return shown
    where = "" if len(group.sites) == 1 else "; its partners take them over"
    return Group(shown, Text(f"All are entered on {host}{where}.", style="dim"))


def _steps(plan: Plan) -> Table:
    steps = table("#", "On", "Step")
    steps.columns[0].justify = "right"
    for step in plan.steps:
        unit = UNIT_LABELS[step.on.unit]
        on = f"{step.on.site}, {unit}" if unit else step.on.site
        steps.add_row(str(step.number), on, _what(plan, step))
    return steps


def _what(plan: Plan, step: Step) -> Text:
    if step.action is Action.ADD_CLUSTER:
        cluster = plan.cluster(step.site)
        return Text(f"Add the cluster {cluster.name}, {cluster.address}, {cluster.type}")
    if step.action in OF_ONE_CLUSTER:
        address, cluster_name, _ = plan.values(step)
        return Text(f"{label_of(plan, step)}: {cluster_name}, {address}")
    return Text(label_of(plan, step), style="bold yellow" if step.action is Action.REBOOT_MASTER else "")


def label_of(plan: Plan, step: Step) -> str:
    """Return what a step does, in few words."""
    if step.action is Action.SET_GEO_PARTNERS and not plan.values(step):
        return f"Empty {vendor.GEO_PARTNERS}"
    if step.action is Action.REMOVE_GEO_PARTNERS and not plan.values(step):
        return f"Empty {vendor.GEO_PARTNERS}, as of a site alone"
    return ACTIONS[step.action].label


def _reasons(plan: Plan) -> Table:
    shown = table("Step", "Why")
    reasons = {(label_of(plan, step), step.why): None for step in plan.steps}
    for what, why in reasons:
        shown.add_row(what, why)
    return shown


def _notes(plan: Plan) -> list[RenderableType]:
    steps_by_note: dict[str, list[int]] = {}
    for step in plan.steps:
        if step.note:
            steps_by_note.setdefault(step.note, []).append(step.number)
    return [
        Padding(
            Text(f"{'Step' if len(numbers) == 1 else 'Steps'} {', '.join(map(str, numbers))}: {note}"), (0, 0, 0, 1)
        )
        for note, numbers in steps_by_note.items()
    ]


def _estimates(plan: Plan) -> Text:
    times = plan.estimates
    by_hand = f"{duration(times.by_hand_seconds)} by hand"
    checked = sum(map(plan.health_check_seconds, plan.steps))
    if checked:
        by_hand += f", {checked} s of it for the load balancers' health checks"
    if not times.by_api_seconds:
        return Text(f"Estimated: {by_hand}; nothing is rebooted, so by API no waiting.")
    if not any(step.action is Action.REBOOT_MASTER for step in plan.steps) and plan.change:
        waits = duration(times.by_api_seconds)
        return Text(f"Estimated: {waits} of waiting by API, for replication; {by_hand}. Nothing is rebooted.")
    path = f"{times.longest_chain_steps} of {count(len(plan.steps), 'step')}, {duration(times.longest_chain_seconds)}"
    return Text(f"Estimated: {duration(times.by_api_seconds)} of waiting by API, {by_hand}. Critical path: {path}.")
