"""What is to be known, at the end of a push, of the sites that have left, and of new boxes in the place of old ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings import NoteKind
from geoplan.plan.cut_links import cut_by_lists_alone
from geoplan.plan.model import Action
from geoplan.push import records as models
from geoplan.vendor import GEO_PARTNERS, PARTNERS_STATUS, REMOTE_GEO_ACCESS
from geoplan.wording import join_words, some_of

if TYPE_CHECKING:
    from geoplan.plan.model import SiteSettings
    from geoplan.push.context import Context


def tell_of_leavers(context: Context) -> None:
    """Say that those that left still answer DNS, and what is to be done on those that did not answer."""
    for name in context.plan.change.leaving if context.plan.change else ():
        site = context.plan.site(name)
        units = join_words(unit.address for unit in site.units)
        dns, cloud = "take it out of the delegation, or disable GEO there", _of_balancer(context, site)
        if silent := context.left_alone.get(name):
            access = join_words(site.remote_geo_access)
            message = (
                f"'{name}' ({units}) was left alone, since {silent} does not answer. Once it is back geoplan diff "
                "and status say so, with the push that unlinks it. By hand, before anything is deleted there: empty "
                f"{GEO_PARTNERS} on each of its units while that is active, then set {REMOTE_GEO_ACCESS} to {access}; "
                f"and {dns}: it answers DNS with its old GEO configuration{cloud}"
            )
            context.note(NoteKind.LEFT_ALONE, message, site=name, unit=silent)
            continue
        message = f"'{name}' ({units}) still answers DNS with its old GEO configuration: {dns}{cloud}"
        context.note(NoteKind.STILL_ANSWERS, message, site=name)


def tell_of_cuts(context: Context) -> None:
    """Say of each pair which unit stood by while partners left, and has submitted nothing since that is without them.

    No list and no partner's status shows that, and the probe deletes on the unit that is active now.
    """
    records = context.history.records
    sent = {record.unit for record in records if isinstance(record, models.Changing) and record.what == "geo_partners"}
    sent |= {record.unit for record in records if isinstance(record, models.Resubmitting)}
    leaving = context.plan.change.leaving if context.plan.change else ()
    for name, gone in cut_by_lists_alone(context.plan).items():
        for unit in context.plan.site(name).units:
            if unit.address in sent or name in context.left_alone:
                continue
            way = f"make it active, and submit its empty {GEO_PARTNERS} there by hand"
            if name not in leaving:
                by_push = context.reporter.typed("push", "--reboot", f"always={name}")
                way = f"make it active, and submit {GEO_PARTNERS} there again; with the reboot of its master: {by_push}"
            message = (
                f"links of the {unit.role} {unit.address} to {some_of(gone)}: not proven to be cut. It stood by, so "
                f"what it submitted last still names them, and only access lists part them. What cuts them: {way}"
            )
            context.note(NoteKind.LINK_NOT_PROVEN, message, site=name, unit=unit.address)


def _of_balancer(context: Context, site: SiteSettings) -> str:
    """Say what is to be done in the cloud where no step has: live units do not tell what is in front of them."""
    steps = context.plan.steps
    is_done = any(step.site == site.name and step.action is Action.DEREGISTER_TARGETS for step in steps)
    if site.kind != "ha_pair" or is_done:
        return ""
    return "; if a load balancer is in front of it, take it out of that before its instances are terminated"


def tell_of_new_boxes(context: Context) -> tuple[str, ...]:
    """Say, and return, which slaves of other pairs have not shown their links to boxes that are new at old addresses.

    They submitted their partners to the boxes before, and nobody can ask a standby.
    """
    named = {
        canonical(unit.nat_address or unit.address)
        for site in context.plan.sites
        for unit in site.units
        if canonical(unit.address) in context.history.renewed
    }
    slaves = []
    for site in context.plan.sites:
        slave = next((unit.address for unit in site.units if unit.role == "slave"), None)
        unseen = sorted(context.ledger.unproven(slave) & named) if slave else []
        if slave and unseen:
            message = (
                f"links of the slave {slave} to {join_words(unseen)}: not proven, since that is a new box: make "
                f"{slave} active for a few minutes, and see that they are green, under {PARTNERS_STATUS} there or, "
                f"where units tell colours, by: {context.reporter.typed('diff')}; or by a drill, which reboots "
                f"the master: {context.reporter.typed('drill', '--site', site.name)}"
            )
            context.note(NoteKind.LINK_NOT_PROVEN, message, site=site.name, unit=slave)
            slaves.append(slave)
    return tuple(slaves)
