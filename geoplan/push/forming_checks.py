"""What blocks the forming of a pair: parameters that a push must not change, and what its slave would lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import without
from geoplan.live.findings.forming import linked_without_master, what_is_linked
from geoplan.live.findings.pairs import problems_of_unit
from geoplan.live.model import LIST_NAMES, SUBJECTS
from geoplan.push.problems import Override, Problem
from geoplan.wording import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.model import Observations
    from geoplan.plan.model import Plan
    from geoplan.plan.pairs import HaPairSettings
    from geoplan.push.options import Options


def unlike_planned(pair: HaPairSettings, facts: Observations, *, is_formed: bool) -> Iterator[Problem]:
    """Find HA parameters that a push must not change."""
    for wanted in (pair.master, pair.slave):
        unit = facts.unit(wanted.address)
        for found in problems_of_unit(unit, wanted, is_formed=is_formed) if unit else ():
            yield Problem(wanted.address, found.message, found.hint, kind=found.kind)


def at_work_alone(plan: Plan, site: str, facts: Observations) -> Iterator[Problem]:
    """Find a slave that is in a GEO group by itself: to make it another unit's standby would take it out.

    That the master holds all that it has proves nothing: anybody can copy that. Nothing lets this pass.
    """
    if linked := linked_without_master(plan, site, facts):
        yield Problem(plan.site(site).units[1].address, *what_is_linked(plan, site, linked))


def lost_by_forming(site: str, facts: Observations, options: Options) -> Iterator[Problem]:
    """Find what a slave has and its master does not: as the standby it takes over all that the master has."""
    if options.accept_geo_merge:
        return
    master, slave = facts.of_site(site)
    for unit in (master, slave):
        untold = [name for name in (*SUBJECTS, "clusters", "fqdns") if getattr(unit, name) is None]
        if untold and not unit.failure:
            message = "it does not tell all that its GEO configuration has, of which forming the pair may lose some"
            hint = f"see that it answers; or give {Override.ACCEPT_GEO_MERGE}"
            yield Problem(unit.address, message, hint, Override.ACCEPT_GEO_MERGE)
            return
    kept = [found.definition for found in master.clusters or ()]
    clusters = [f"the cluster '{found.name}'" for found in slave.clusters or () if found.definition not in kept]
    fqdns = [f"the FQDN {name}" for name in slave.fqdns or () if name not in (master.fqdns or ())]
    lists = [
        f"{LIST_NAMES[subject]} {some_of(extra)}"
        for subject in SUBJECTS
        if (extra := without(getattr(slave, subject) or (), getattr(master, subject) or ()))
    ]
    if lost := (*clusters, *fqdns, *lists):
        message = f"as the standby of {master.address} it would lose {'; '.join(lost)}"
        hint = f"enter it on {master.address} first; or give {Override.ACCEPT_GEO_MERGE}"
        yield Problem(slave.address, message, hint, Override.ACCEPT_GEO_MERGE)
