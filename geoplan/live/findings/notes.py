"""What the checks before a push say of units without blocking it: what they do not tell, or tell in another way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings import Note, NoteKind
from geoplan.live.findings.clusters import addresses_before, unknown_to
from geoplan.live.model import LIST_NAMES
from geoplan.loadmaster.decode import moment
from geoplan.plan.model import Action
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.model import Observation, Observations
    from geoplan.plan.model import Plan

_QUESTIONS = {
    "firmware": "its version",
    "geo_enabled": "whether GEO is on",
    "ssh_access": "whether remote SSH access is on",
    "ha": "its HA parameters",
    **{str(subject): name for subject, name in LIST_NAMES.items()},
    "clusters": "its clusters",
    "fqdns": "its FQDNs",
    "fqdn_maps": "which clusters its FQDNs use",
}


def notes_of(plan: Plan, facts: Observations) -> Iterator[Note]:
    """Yield what is to be known of the units."""
    for unit in facts.units.values():
        if unit.refuses_reads:
            what = unit.failure.message if unit.failure else ", ".join(_QUESTIONS[name] for name in unit.refused)
            message = f"{unit.address}: the standby refuses reads ({what}); replication gets its time"
            yield Note(unit.site, message, NoteKind.STANDBY_REFUSES)
        is_asked = unit.failure is None and unit.role != "standalone" and "ha" not in unit.refused
        if "ha" in unit.unread or (unit.ha is None and is_asked):
            message = f"{unit.address}: its platform does not tell its HA parameters, so its role is not checked"
            yield Note(unit.site, message, NoteKind.HA_NOT_TOLD)
    yield from _answering_otherwise(plan, facts)
    yield from _unmentioned(plan, facts)


def _answering_otherwise(plan: Plan, facts: Observations) -> Iterator[Note]:
    """Say in one line which facts of the ledger that a push goes by are not so on which units."""
    units = {unit.address: denied for unit in facts.units.values() if (denied := denied_facts(unit))}
    if units:
        shown = some_of([f"{address} ({', '.join(denied)})" for address, denied in units.items()])
        message = (
            f"units answer in another way than geoplan takes for true: {shown}; 'geoplan facts' says what these are, "
            f"'geoplan probe' what the units answer"
        )
        yield Note(plan.topology, message, NoteKind.ANSWERS_OTHERWISE)


def denied_facts(unit: Observation) -> tuple[str, ...]:
    """Return the facts of the ledger that a unit contradicts, as far as the checks before a push have seen it."""
    if unit.failure is not None:
        return ()
    is_untold = unit.boot_time is not None and moment(unit.boot_time) is None
    has_no_word = unit.ha is not None and bool(unit.ha.partner) and unit.ha.mode is None
    colours = unit.partner_status or {}
    found = {
        "BOOT_TIME": is_untold,
        "HA_MODE_WORD": has_no_word,
        "PARTNER_STATUS": "partner_status" in unit.unread or (bool(colours) and None in colours.values()),
        "API_FORMATS": unit.wants_basic,
    }
    return tuple(fact for fact, is_denied in found.items() if is_denied)


def _unmentioned(plan: Plan, facts: Observations) -> Iterator[Note]:
    going = [step.site for step in plan.steps if step.action is Action.DELETE_CLUSTER]
    parts = [
        plan.change.part_of(step.site)
        for step in plan.steps
        if plan.change and step.action is Action.DELETE_OTHER_CLUSTERS
    ]
    cleaned = {site for part in parts if part for site in part.sites}
    deleted = frozenset[str]().union(*(addresses_before(plan, site) for site in going))
    for site in plan.sites:
        unit = facts.active(site.name)
        if unit is None or site.name in cleaned:
            continue
        for cluster in unknown_to(plan, site.group, unit.clusters or ()):
            if canonical(cluster.address) in deleted:
                continue
            shown = f"'{cluster.name}' ({cluster.address})"
            message = f"{unit.address}: the plan does not mention its cluster {shown}; it is left alone"
            yield Note(site.name, message, NoteKind.UNKNOWN_CLUSTER)
