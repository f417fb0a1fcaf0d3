"""If a GEO step goes wrong: for each kind of step what is in place, how to go on, and how to go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.render.runbook import wui
from geoplan.render.runbook.context import OK
from geoplan.render.runbook.model import Trouble
from geoplan.render.runbook.prose import Value, duration, prose

if TYPE_CHECKING:
    from geoplan.render.runbook.context import RunbookContext

NOT_ACTIVE = (
    "Check that you are on the active unit: the menu of a standby offers {} alone, and what is changed there is never "
    "replicated."
)


def access(_bearings: RunbookContext) -> Trouble:
    """Say what to do when Remote GEO LoadMaster Access cannot be set."""
    return Trouble(
        Action.SET_REMOTE_GEO_ACCESS,
        f"If {wui.REMOTE_GEO_ACCESS} cannot be set",
        in_place=(
            prose("The lists of the steps that are ticked. No unit has been rebooted by them; clients notice nothing."),
        ),
        go_on=(
            prose(NOT_ACTIVE, wui.LOCAL_ADMINISTRATION),
            prose("Paste the list again, as one line with single spaces, and press {}.", wui.SET_REMOTE_GEO_ACCESS),
            prose("Submitting a list twice does no harm."),
        ),
        go_back=(
            prose("Put the old list, which you wrote down, into the field and press {}.", wui.SET_REMOTE_GEO_ACCESS),
        ),
    )


def partners(_bearings: RunbookContext) -> Trouble:
    """Say what to do when GEO LoadMaster Partners cannot be set."""
    return Trouble(
        Action.SET_GEO_PARTNERS,
        f"If {wui.GEO_PARTNERS} cannot be set, or a partner stays red",
        in_place=(
            prose(
                "The lists of the steps that are ticked. Two sites share their GEO configuration as soon as each "
                "stands in the other's list."
            ),
        ),
        go_on=(
            prose(NOT_ACTIVE, wui.LOCAL_ADMINISTRATION),
            prose("A partner is red until its own list is in; judge it after the last list, not before."),
            prose(
                "Still red then: {} on at both ends, TCP {} open both ways, {} equal. A log line 'Unauthorized Remote "
                "Machine' names a secret that differs.",
                wui.ALLOW_SSH,
                Value("22"),
                wui.SHARED_SECRET,
            ),
        ),
        go_back=(
            prose("Put the old list into the field, empty if it was empty, and press {}.", wui.SET_GEO_PARTNERS),
            prose(
                "If the wrong GEO configuration has spread: first remove the partners on every site, then restore {} "
                "from each site's own backup at {}.",
                wui.GEO_CONFIGURATION,
                wui.BACKUP.path,
            ),
        ),
    )


def reboot(bearings: RunbookContext) -> Trouble:
    """Say what to do when a reboot or its failover goes wrong."""
    boot = prose(duration(bearings.plan.estimates.boot_seconds))
    return Trouble(
        Action.REBOOT_MASTER,
        "If a reboot or the failover goes wrong",
        in_place=(
            prose(
                "Every list, on every site. The pair is on one unit alone until its master is back; the other sites go "
                "on as they are."
            ),
        ),
        go_on=(
            prose(
                "The slave does not answer {}: see whether the load balancer's checks reach it, then wait for the "
                "master, about {}. It takes the traffic back; find the cause before you try again.",
                OK,
                boot,
            ),
            prose("Do not reboot again and again: after more than 3 reboots in 5 minutes a unit makes itself passive."),
            prose(
                "The slave is active but its lists are empty or old: they had not been replicated. Enter both there, "
                "exactly as in the site's two steps above, then go on."
            ),
            prose(
                "The master does not come back: the pair runs on its slave. Restart it from its console. Stop here: no "
                "other pair is rebooted before this one has both units."
            ),
        ),
        go_back=(
            prose(
                "There is nothing to undo: a reboot changes no setting. Under {} the master takes over by itself; "
                "under {} reboot the slave, once the master is up, to have the master active.",
                wui.PREFERRED_CHOICE["master"],
                wui.PREFERRED_CHOICE["none"],
            ),
        ),
    )


def resubmission(bearings: RunbookContext) -> Trouble:
    """Say what to do when the resubmission goes wrong."""
    too_late = prose(
        "Too late on a pair, the master is active again: the submission would reach the master. Do the reboot step "
        "before it once more, with its waits, then this step at once. Leave 5 minutes between the reboots."
    )
    rebooted = any(pair.site in bearings.rebooted for pair in bearings.pairs.values())
    return Trouble(
        Action.RESUBMIT_GEO_PARTNERS,
        f"If submitting {wui.GEO_PARTNERS} again goes wrong",
        in_place=(
            prose(
                "Every list, on every site. Without this step the unit has no links of its own: the site works, and "
                "drops out of GEO at its next failover."
            ),
        ),
        go_on=(
            *((too_late,) if rebooted else ()),
            prose("The field is empty or differs: paste the list of the step, then press {}.", wui.SET_GEO_PARTNERS),
            prose(
                "The screen offers {} alone: this unit is not active, or not yet. Look at its health check.",
                wui.LOCAL_ADMINISTRATION,
            ),
            prose("Submitting it twice does no harm."),
        ),
        go_back=(
            prose(
                "There is nothing to undo: the list is the one that is already there. To leave the partnership "
                "altogether, go back as for entering {}.",
                wui.GEO_PARTNERS,
            ),
        ),
    )


def cluster(_bearings: RunbookContext) -> Trouble:
    """Say what to do when a cluster cannot be added."""
    return Trouble(
        Action.ADD_CLUSTER,
        "If a cluster cannot be added, or is down",
        in_place=(
            prose(
                "Every list and every partnership, and the clusters of the steps that are ticked. Partners replicate a "
                "cluster: it is entered once, never on each site."
            ),
        ),
        go_on=(
            prose(
                "It is refused: look whether the address or the name is there already, and whether the unit has "
                "reached its limit, usually 18 clusters."
            ),
            prose("Wrong name or type: press {} on its line and correct it.", wui.MODIFY),
            prose(
                "It is down: its site must list this unit under {}, TCP {} must be open, and the type must be {}.",
                wui.REMOTE_GEO_ACCESS,
                Value("22"),
                Value("Remote LM"),
            ),
        ),
        go_back=(
            prose(
                "Delete the cluster on the same screen: {}. Nothing else depends on it yet.", wui.MANAGE_CLUSTERS.path
            ),
        ),
    )
