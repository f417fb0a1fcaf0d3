"""The plan in one screen for a review, as a pull request shows it: GitHub Flavored Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan import vendor
from geoplan.plan.actions import Action, Phase
from geoplan.render.delta import deltas_of, described
from geoplan.render.runbook.markdown import code, in_cell, name, words
from geoplan.render.text import OF_ONE_CLUSTER, UNIT_LABELS, duration, label_of
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.plan.model import Change, ClusterDefinition, Plan, SiteSettings, Step


def render(plan: Plan) -> str:
    """Return the plan with its checksum, what is rebooted, the lists and clusters, and the steps folded away."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    if plan.change:
        yield from _change(plan, plan.change)
    else:
        yield from (f"## {name(plan.topology)}", "", f"{_summary(plan)}.  ", f"{_reboots(plan)}.  ")
        yield f"Checksum: {code(plan.checksum)}"
    if plan.change and not plan.steps:
        return
    if plan.change:  # in one screen: what changes stands above, and all there is folded away
        yield from ("", "<details>", "<summary>All lists and clusters then</summary>")
    if Phase.GEO in plan.phases():
        for group in plan.groups:
            yield ""
            if plan.is_group_written(group.name):
                yield from (f"### Group {name(group.name)}", "")
            yield from _lists([plan.site(site) for site in group.sites])
            if clusters := plan.clusters_of(group.name):
                yield from ("", *_clusters(clusters))
    if plan.change:
        yield from ("", "</details>")
    steps = count(len(plan.steps), "step")
    yield from ("", "<details>", f"<summary>{steps} in order</summary>", "")
    for step in plan.steps:
        yield f"{step.number}. {_step(plan, step)}"
    yield from ("", "</details>")


def _change(plan: Plan, change: Change) -> Iterator[str]:
    """Yield what a change does, site by site."""
    yield from (f"## {name(plan.topology)}, changed from {name(change.old_topology)}", "")
    if plan.steps:
        yield from (f"{_summary(plan)}.  ", f"{_reboots(plan)}.  ")
    else:
        yield "Nothing to change.  "
    yield f"Checksum: {code(plan.checksum)}, from {code(change.old_checksum)}"
    deltas = deltas_of(plan)
    if deltas:
        yield from ("", _row("Site", "Change", vendor.REMOTE_GEO_ACCESS, vendor.GEO_PARTNERS), _row(*["---"] * 4))
    for delta in deltas:
        words_of_it = in_cell(described(plan, delta, name), described(plan, delta))
        yield _row(
            _cell(delta.site), words_of_it, *(str(each) or "as before" for each in (delta.access, delta.partners))
        )


def _summary(plan: Plan) -> str:
    units = sum(len(site.units) for site in plan.sites)
    sections = ", ".join(sorted({step.section for step in plan.steps}))
    times = plan.estimates
    return (
        f"{count(len(plan.sites), 'site')}, {count(units, 'unit')}; {count(len(plan.steps), 'step')} "
        f"of section {sections}; {duration(times.by_api_seconds)} of waiting by API, "
        f"{duration(times.by_hand_seconds)} by hand"
    )


def _reboots(plan: Plan) -> str:
    masters = [name(step.on.site) for step in plan.steps if step.action is Action.REBOOT_MASTER]
    return f"Masters to reboot, one after the other: {', '.join(masters)}" if masters else "Nothing is rebooted"


def _lists(sites: list[SiteSettings]) -> Iterator[str]:
    yield _row("Site", "Units", vendor.REMOTE_GEO_ACCESS, vendor.GEO_PARTNERS)
    yield _row(*["---"] * 4)
    for site in sites:
        units = "<br>".join(
            f"{unit.address}{'' if unit.role == 'standalone' else f' {unit.role}'}"
            f"{f', reached by {unit.nat_address}' if unit.nat_address else ''}"
            for unit in site.units
        )
        yield _row(_cell(site.name), units, " ".join(site.remote_geo_access), " ".join(site.geo_partners) or "none")


def _clusters(clusters: tuple[ClusterDefinition, ...]) -> Iterator[str]:
    headings = ["Cluster", "IP address", "Type", *(["Location"] if any(each.location for each in clusters) else [])]
    yield _row(*headings)
    yield _row(*["---"] * len(headings))
    for cluster in clusters:
        place = cluster.location
        location = f"{place.latitude:g}, {place.longitude:g}" if place else ""
        yield _row(*[_cell(cluster.name), cluster.address, cluster.type, location][: len(headings)])


def _step(plan: Plan, step: Step) -> str:
    unit = UNIT_LABELS[step.on.unit]
    where = f"{name(step.on.site)}, {unit}" if unit else name(step.on.site)
    if step.action is Action.ADD_CLUSTER:
        cluster = plan.cluster(step.site)
        return f"{where}: add the cluster {name(cluster.name)}, {cluster.address}"
    if step.action in OF_ONE_CLUSTER:
        address, cluster_name, _ = plan.values(step)
        return f"{where}: {words(label_of(plan, step))}: {name(cluster_name)}, {address}"
    what = words(label_of(plan, step))
    return f"{where}: {f'**{what}**' if step.action is Action.REBOOT_MASTER else what}"


def _cell(text: str) -> str:
    return in_cell(name(text), text)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
