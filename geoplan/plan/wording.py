"""What a step says of itself: why it is there and, where the document is unclear, how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geoplan.plan.model import Action
from geoplan.topology.types import address_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.plan.model import Section
    from geoplan.topology.model import Site


REASONS_OF_HA = {
    Action.CREATE_LOAD_BALANCER: (
        "A cloud pair has no shared address: the load balancer sends clients to the unit that is active."
    ),
    Action.SET_MASTER_HA_PARAMETERS: (
        "HA needs one unit in master mode, set first, so that it is the one that becomes active."
    ),
    Action.SET_SLAVE_HA_PARAMETERS: (
        "HA needs the other unit in slave mode: it polls the master, and takes over when it does not answer."
    ),
    Action.VERIFY_HA_PAIR: (
        "GEO is built on pairs that work: exactly one unit is active, and the load balancer sees which."
    ),
}


def why(action: Action, site: Site, section: Section) -> str:
    """Say in one short sentence why a step is there."""
    match action:
        case Action.SET_REMOTE_GEO_ACCESS:
            return "Only addresses on this list may reach the site's GEO and check its health."
        case Action.SET_GEO_PARTNERS if section == "5.1":
            return "A site alone has no partner: whatever it still lists would go on sharing its GEO configuration."
        case Action.SET_GEO_PARTNERS:
            return "Partners are the units with which the site shares one GEO configuration."
        case Action.REBOOT_MASTER:
            return "The failover makes the slave active, so that it can form partner links of its own."
        case Action.RESUBMIT_GEO_PARTNERS if site.ha_pair:
            return "Partner links belong to a unit: without this, the site drops out at its next failover."
        case Action.RESUBMIT_GEO_PARTNERS:
            return "The document has every standalone renew its links once the last pair is done."
        case Action.ADD_CLUSTER:
            return "GEO can send clients to a site only once it knows it as a cluster."
        case _:
            return REASONS_OF_HA[action]


class OpenQuestion(NamedTuple):
    """A place where the document is unclear: the steps that meet it, and how it is read."""

    met_by: Callable[[Action, Site, Section], bool]
    reading: str


OPEN_QUESTIONS = (
    OpenQuestion(
        lambda action, site, _: action is Action.SET_REMOTE_GEO_ACCESS and _master_is_listed_second(site),
        (
            "In the example of section 5.4 one pair enters its second address as its own, and the document does not say"
            " why; the text asks for the master's, so the master is entered here, though it is the second."
        ),
    ),
    OpenQuestion(
        lambda action, _, section: action is Action.SET_GEO_PARTNERS and section == "5.1",
        (
            "Section 5.1 names neither partners nor a reboot: a site alone has no partner, so nothing is rebooted, and "
            "partners are only taken off that were left from before."
        ),
    ),
    OpenQuestion(
        lambda action, site, section: action is Action.SET_GEO_PARTNERS and section == "5.3" and not site.ha_pair,
        (
            "Section 5.3 never sets partners here, yet has them submitted again later; they are set first, "
            "as in section 5.4: both units of the pair."
        ),
    ),
    OpenQuestion(
        lambda action, site, _: action is Action.RESUBMIT_GEO_PARTNERS and _master_takes_over_again(site),
        (
            "'The new active LoadMaster' is the slave, and under Prefer Master only until the master has booted: "
            "the submission has to reach the slave before then."
        ),
    ),
    OpenQuestion(
        lambda action, site, section: action is Action.RESUBMIT_GEO_PARTNERS and section == "5.4" and not site.ha_pair,
        "Section 5.4 asks this of its standalones in one step; here each has its own, after the last pair's.",
    ),
)


def note(action: Action, site: Site, section: Section) -> str | None:
    """Say how the document is read for a step, where it leaves a question open."""
    readings = [question.reading for question in OPEN_QUESTIONS if question.met_by(action, site, section)]
    return " ".join(readings) or None


def _master_takes_over_again(site: Site) -> bool:
    return site.ha_pair is not None and site.ha_pair.preferred_host == "master"


def _master_is_listed_second(site: Site) -> bool:
    master, *slaves = (address_order(unit.shown_address) for unit in site.units)
    return any(master > slave for slave in slaves)
