"""What a change makes of the HA parameters of pairs at work: what differs, who is new, what each step risks.

Only a change from an older topology touches them, each in a step of its own. Modes are never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan import vendor
from geoplan.addresses import canonical
from geoplan.plan.actions import Action
from geoplan.plan.ha_values import HaChange, HaValues

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geoplan.plan.model import Plan, SiteSettings, Step
    from geoplan.topology.model import Topology


class NewPartner(NamedTuple):
    """The two units of a pair of which one is at another address now."""

    stays: str
    comes: str


def ha_changes(topology: Topology, old: Plan, now: Mapping[str, str]) -> Iterator[HaChange]:
    """Yield what changes of each pair that there was before; ``now`` is how the older plan's sites are called now.

    What the new topology does not say stays as it was. Interfaces that the older one does not name are off, as units
    are by themselves.
    """
    sites = {site.name: site for site in topology.sites}
    for was in old.sites:
        site = sites.get(now.get(was.name, ""))
        if site is None or site.ha_pair is None or was.kind != "ha_pair":
            continue
        before, pair = ha_values_of(old, was), site.ha_pair
        told = pair.health_check.all_interfaces if pair.health_check else None
        if told:
            before = before.model_copy(update={"all_interfaces": bool(before.all_interfaces)})
        after = HaValues(
            preferred_host=pair.preferred_host,
            health_check_port=topology.health_check_port_of(site),
            all_interfaces=before.all_interfaces if told in (None, bool(before.all_interfaces)) else told,
        )
        change = HaChange(site=site.name, before=before, after=after)
        if change.actions:
            yield change


def ha_values_of(plan: Plan, site: SiteSettings) -> HaValues:
    """Return what a plan has a pair hold in the end."""
    if change := plan.ha_change(site.name):
        return change.after
    described = next((pair for pair in plan.ha_pairs if pair.site == site.name), None)
    return HaValues(
        preferred_host=site.preferred_host or "master",
        health_check_port=plan.health_check_port_of(site.name),
        all_interfaces=described.master.all_interfaces if described else None,
    )


def ha_values_before(plan: Plan, site: SiteSettings) -> HaValues:
    """Return what a pair held before a change, which the plan may leave as it is."""
    change = plan.ha_change(site.name)
    return change.before if change else ha_values_of(plan, site)


def new_partner(site: SiteSettings, old: SiteSettings | None) -> NewPartner | None:
    """Return which unit of a pair stays and which is at another address now; None unless that is one of each."""
    if old is None or site.kind != "ha_pair":
        return None
    known = {canonical(unit.address) for unit in old.units}
    stays = [unit.address for unit in site.units if canonical(unit.address) in known]
    comes = [unit.address for unit in site.units if canonical(unit.address) not in known]
    return NewPartner(stays[0], comes[0]) if len(stays) == len(comes) == 1 else None


def new_partner_of(plan: Plan, site: str) -> NewPartner | None:
    """Return which unit of a plan's pair stays and which is at another address now, as :func:`new_partner` does."""
    return new_partner(plan.site(site), plan.change.old_site(site) if plan.change else None)


# -- what is said of it ------------------------------------------------------------------------------------------------

PREFERRED = {"master": vendor.PREFER_MASTER, "none": vendor.NO_PREFERRED_HOST}


class Consequences(NamedTuple):
    """What a step on HA parameters does and risks, in words that question, plan and runbook share."""

    what: str
    risk: str
    balancer: str
    """What the load balancer sees meanwhile."""


def consequences_of(plan: Plan, step: Step) -> Consequences | None:
    """Say what a step on HA parameters of a pair at work does and risks; None for any other."""
    if step.action is Action.SET_HA_PARTNER:
        found = new_partner_of(plan, step.site)
        return _of_partner(found) if found else None
    change = plan.ha_change(step.site)
    match step.action:
        case Action.SET_PREFERRED_HOST if change:
            return _of_preferred(change)
        case Action.SET_ALL_INTERFACES if change:
            return _of_interfaces(change)
        case Action.SET_HEALTH_CHECK_PORT if change:
            return _of_port(change)
        case Action.MOVE_HEALTH_CHECK if change:
            return _of_balancer(change)
        case _:
            return None


def _of_partner(found: NewPartner) -> Consequences:
    return Consequences(
        f"{found.stays} gets the HA partner {found.comes}",
        "Until the new unit is set up, the pair is one unit alone: nothing takes over where that fails.",
        "It sees no change: the unit that stays answers 200 all the time.",
    )


def _of_preferred(change: HaChange) -> Consequences:
    name = PREFERRED[change.after.preferred_host]
    what = f"{vendor.PREFERRED_SERVER}: {PREFERRED[change.before.preferred_host]} becomes {name}, on both units"
    if change.after.preferred_host == "master":
        return Consequences(
            what,
            "If the slave is active, the master takes over, at once or at its next boot, and open connections through "
            "the pair break then.",
            "200 may go from the slave to the master, once. If the master is active already, it sees no change.",
        )
    return Consequences(
        what,
        "Nothing moves now. From now on nothing switches back by itself: after a failover the pair stays on its slave.",
        "It sees no change: the same unit answers 200 all the time.",
    )


def _of_interfaces(change: HaChange) -> Consequences:
    if change.after.all_interfaces:
        return Consequences(
            f"{vendor.ALL_INTERFACES}: on, on both units",
            "The health check is answered on every interface: whoever reaches one of them sees who is active.",
            "It sees no change, but for checks at other interfaces than eth0, which are answered from now on.",
        )
    return Consequences(
        f"{vendor.ALL_INTERFACES}: off, on both units",
        "A load balancer that asks at another interface than eth0 gets no answer any more.",
        "If it asks at another interface than eth0, it takes both units for unhealthy, until its targets are others.",
    )


def _of_port(change: HaChange) -> Consequences:
    before, after = change.before.health_check_port, change.after.health_check_port
    return Consequences(
        f"{vendor.HEALTH_CHECK_PORT}: {before} becomes {after}, on both units",
        "While the two ports differ, HA does not work: the standby may go active beside the active unit, and nothing "
        "is synchronised. So the second unit is set right after the first.",
        f"Nothing answers it at {before} from then on: it takes both units for unhealthy until it asks at {after}.",
    )


def _of_balancer(change: HaChange) -> Consequences:
    before, after = change.before.health_check_port, change.after.health_check_port
    return Consequences(
        f"in AWS: the health check of each target group of the pair asks at port {after}, and no more at {before}",
        "It is done by hand, right after the units: geoplan cannot see it, so it waits until somebody says so.",
        "It takes both units for unhealthy until then, and may send clients to both of them, or to none.",
    )
