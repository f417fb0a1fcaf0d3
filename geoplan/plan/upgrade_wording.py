"""What a step of an upgrade or a downgrade says of itself: why it is there, and how the document is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Action

if TYPE_CHECKING:
    from geoplan.plan.upgrade_model import FirmwareChange
    from geoplan.topology.model import Site

REASONS = {
    Action.UPDATE_STANDBY: "The standby carries no traffic: the active unit goes on serving while it reboots.",
    Action.UPDATE_ACTIVE: "The other unit runs the new version by now, and takes over while this one reboots.",
    Action.UPDATE_REMAINING: "The pair's other unit runs the version already, and a pair is never left on two.",
    Action.UPDATE_STANDALONE: "A standalone has no partner to take over: its site is down while it reboots.",
    Action.SET_PARTNER_SECRET: (
        "HA and GEO partners refuse each other until both sides have the secret, and it is the same."
    ),
    Action.VERIFY_UPDATED_PAIR: "The next pair is begun only when this one is whole: one version, one active unit.",
}


def why(action: Action, site: Site, change: FirmwareChange) -> str:
    """Say in one short sentence why a step is there."""
    if action is Action.UPDATE_ACTIVE and change.crosses_at(site.name):
        return "Until this unit runs the new version as well, the pair's units refuse each other."
    return REASONS[action]


def note(action: Action, site: Site, change: FirmwareChange) -> str | None:
    """Say how the document is read for a step, where it leaves a question open."""
    match action:
        case Action.UPDATE_STANDBY if change.crosses_at(site.name):
            return (
                "Section 7 has the standby stay standby after this. It is older than the Partner Shared Secret: where "
                "only one unit of a pair has it, HA between them is refused, and then the standby may take itself for "
                "active too."
            )
        case Action.UPDATE_ACTIVE if site.ha_pair and site.ha_pair.preferred_host == "master":
            return (
                "Section 7 leaves the end to the preferred host: under Prefer Master the master is active again, "
                "whichever unit was updated last."
            )
        case Action.UPDATE_ACTIVE:
            return (
                "Section 7 leaves the end to the preferred host: under No Preferred Host nothing switches back, and "
                "the unit that was standby stays active."
            )
        case _:
            return None
