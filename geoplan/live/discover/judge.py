"""What was found as a topology that can be used, with all that does not fit: as ``diff`` tells it, and what is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from geoplan.addresses import canonical
from geoplan.diagnostics import without_secrets
from geoplan.live.diff import found_besides
from geoplan.live.discover.document import Draft, Remark, unconfirmed
from geoplan.live.discover.search import is_linked_alone
from geoplan.live.discover.sites import Oddity
from geoplan.live.findings import Kind
from geoplan.live.findings.collect import examine
from geoplan.live.findings.compare import CLUSTERS
from geoplan.live.findings.kinds import Finding, FindingKind, Severity
from geoplan.live.links import NOTHING_KNOWN
from geoplan.live.model import HA_SUBJECT, Cause, Failure, Observation, Observations, State
from geoplan.live.survey import placed
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.topology.finding import ERROR
from geoplan.topology.model import Topology
from geoplan.topology.partial import partial_topology
from geoplan.topology.rules import RULES, broken_rules
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from geoplan.live.discover.search import Discovery
    from geoplan.live.findings import Difference
    from geoplan.live.findings.kinds import Command
    from geoplan.live.links import KnownLinks
    from geoplan.plan.model import Plan
    from geoplan.yaml12 import Loc

_MAY_BE_LEFT_OUT = frozenset(
    {
        "health_check",
        "health_check_port",
        "api_port",
        "api",
        "nat_address",
        "firmware",
        "cluster",
        "extra_remote_geo_access",
    }
)
_NOT_ASKED = Failure(Cause.NOT_ASKED, "was not asked: nobody has confirmed its address")


class Placed(NamedTuple):
    """A finding, and the place of the topology file where it belongs."""

    loc: Loc
    finding: Finding


@dataclass(frozen=True)
class Imported:
    """A topology as units are, and all that is wrong with them."""

    content: dict[str, Any]
    """What the file holds; it always makes a topology."""
    topology: Topology
    findings: tuple[Placed, ...]
    unconfirmed: Mapping[str, tuple[str, ...]]
    """The addresses that were named and not asked, with those that name them."""
    linked: frozenset[str] = frozenset()
    """Those of them that are named as partners or clusters, and not in access lists alone."""

    @property
    def to_mend(self) -> tuple[Placed, ...]:
        """The findings that somebody has to do something about."""
        return tuple(each for each in self.findings if each.finding.severity is not Severity.KNOWING)


def judged(
    discovery: Discovery,
    draft: Draft,
    command: Command,
    known: Callable[[Topology], KnownLinks] = lambda _topology: NOTHING_KNOWN,
) -> Imported:
    """Return the topology of a draft, compared with the units that it was made of.

    ``known`` tells what is known of the links of a topology; ``command`` writes commands about its file.
    """
    content, topology, left_out = usable(draft.content)
    plan = make_plan(topology, [Phase.GEO])
    facts = observations_of(plan, discovery)
    report, findings = examine(plan, facts, known(topology), max_clusters=topology.limits.max_clusters, command=command)
    missing = {unit.address for unit in facts.units.values() if unit.failure is _NOT_ASKED}
    others = [each for each in found_besides(report, findings) if not (each.units and missing.issuperset(each.units))]
    half_known = {facts.units[address].site for address in missing}
    told = [
        found
        for found in report.differences
        if found.unit not in missing and not (found.unit is None and found.site in half_known)
    ]
    placed_findings = [
        *(_odd(remark, topology) for remark in (*draft.remarks, *left_out)),
        *_differences(told, plan, topology),
        *(Placed(_loc_of(each.sites, each.units, topology), each) for each in others),
        *(
            Placed(_loc_of(each.sites, each.units, topology), each)
            for each in findings
            if each.severity is Severity.KNOWING
        ),
    ]
    order = {site.name: number for number, site in enumerate(topology.sites)}
    placed_findings.sort(key=lambda each: order.get(each.finding.sites[0], -1) if each.finding.sites else -1)
    left = unconfirmed(draft, discovery)
    linked = frozenset(address for address in left if is_linked_alone(discovery.named[address]))
    return Imported(content, topology, tuple(placed_findings), left, linked)


def usable(content: dict[str, Any]) -> tuple[dict[str, Any], Topology, list[Remark]]:
    """Return content that makes a topology: what breaks a rule although units tell it so is left out."""
    content = _copied(content)
    left_out: list[Remark] = []
    while True:
        fault = next(_faults(content), None)
        if fault is None:
            return content, Topology.model_validate(content), left_out
        loc, message = fault
        left_out.append(Remark(_leave_out(content, loc, message), Oddity(FindingKind.LEFT_OUT, (), message)))


def _copied(content: Any) -> Any:  # noqa: ANN401 - what YAML holds
    """Return a copy of all mappings and lists; scalars of a file know how they were written, and stay."""
    if isinstance(content, dict):
        return {key: _copied(value) for key, value in content.items()}
    return [_copied(value) for value in content] if isinstance(content, list | tuple) else content


def _faults(content: dict[str, Any]) -> Iterator[tuple[Loc, str]]:
    """Yield where content breaks a rule for topologies, or has another shape, and how."""
    for code, finding in broken_rules(partial_topology(content)):
        if RULES[code].meaning.severity is ERROR:
            yield finding.loc, without_secrets(finding.message)  # a unit's name may look like one
    try:
        Topology.model_validate(content)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False):
            yield each["loc"], without_secrets(each["msg"])


def _leave_out(content: dict[str, Any], loc: Loc, message: str) -> Loc:
    """Take the nearest value out that need not be there; return the place around it."""
    for depth in range(len(loc), 0, -1):
        *around, key = loc[:depth]
        if key in _MAY_BE_LEFT_OUT:
            holder: Any = content
            for part in around:
                holder = holder[part]
            del holder[key]
            return tuple(around)
    raise AssertionError(f"what was found makes no topology: {'.'.join(map(str, loc))}: {message}")


def observations_of(plan: Plan, discovery: Discovery) -> Observations:
    """Return what units told as what is known of a plan's; of those that were not asked, that."""
    units = {}
    for site in plan.sites:
        for unit in site.units:
            found = discovery.units.get(canonical(unit.address))
            units[unit.address] = (
                placed(found, plan, site, unit)
                if found
                else Observation(unit.address, site.name, unit.role, state=State.UNKNOWN, failure=_NOT_ASKED)
            )
    return Observations(units)


def _odd(remark: Remark, topology: Topology) -> Placed:
    kind, units, message, hint, severity = (
        remark.oddity.kind,
        remark.oddity.units,
        remark.oddity.message,
        remark.oddity.hint,
        remark.oddity.severity,
    )
    sites = (topology.sites[int(remark.loc[1])].name,) if len(remark.loc) > 1 else ()
    message = message[:1].upper() + message[1:]
    return Placed(remark.loc, Finding(kind, sites, units, message, hint, severity=severity))


def _differences(differences: Iterable[Difference], plan: Plan, topology: Topology) -> Iterator[Placed]:
    """Yield differences as findings; what several units have alike about one cluster is told once, at its site."""
    by_what: dict[tuple[Loc, FindingKind, str, str], list[Difference]] = {}
    for found in differences:
        loc, kind = _loc_of_difference(found, plan, topology), _KINDS.get(found.kind, FindingKind.GEO_DIFFERS)
        message = found.message
        if found.subject == CLUSTERS:  # of which all units of a group are told alike
            message = message.removeprefix(f"{found.unit}: ")
        key = (loc, kind, message, found.hint.removesuffix(":"))
        by_what.setdefault(key, []).append(found)
    for (loc, kind, message, hint), alike in by_what.items():
        units = tuple(dict.fromkeys(found.unit for found in alike if found.unit))
        is_named = len(units) == 1 and units[0] in message
        shown = f"on {some_of(units)}: {message}" if units and not is_named else message
        sites = tuple(dict.fromkeys((topology.sites[int(loc[1])].name, *(found.site for found in alike))))
        shown = shown[:1].upper() + shown[1:]
        yield Placed(loc, Finding(kind, sites, units, shown, hint, severity=Severity.MENDING))


_KINDS = {Kind.RED: FindingKind.RED_PARTNER, Kind.UNREADABLE: FindingKind.UNREADABLE}


def _loc_of_difference(found: Difference, plan: Plan, topology: Topology) -> Loc:
    site = next(site for site in plan.sites if site.name == found.site)
    if found.subject == CLUSTERS and found.values:
        owner = next(
            (each.site for each in plan.clusters if each.group == site.group and each.name == found.values[0]), None
        )
        return _loc_of((owner or plan.sites_of(site.group)[0].name,), (), topology)
    units = (found.unit,) if found.unit and found.subject == HA_SUBJECT else ()
    return _loc_of((found.site,), units, topology)


def _loc_of(sites: Sequence[str], units: Sequence[str], topology: Topology) -> Loc:
    """Return where a site, or its only unit that is meant, is written; the top for what is of no site."""
    for number, site in enumerate(topology.sites):
        if site.name not in sites[:1]:
            continue
        if site.ha_pair and len(units) == 1:
            for role in ("master", "slave"):
                if canonical(getattr(site.ha_pair, role).address) == canonical(units[0]):
                    return ("sites", number, "ha_pair", role)
        return ("sites", number)
    return ()
