"""If a step that makes a pair goes wrong: what is in place, how to go on, and how to go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.plan.model import Action
from geoplan.render.runbook import ec2, wui
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.model import Trouble
from geoplan.render.runbook.prose import Prose, Value, prose

if TYPE_CHECKING:
    from geoplan.render.runbook.context import RunbookContext

SYNC_PORT = Value("6973")  # section 6


def balancer(_bearings: RunbookContext) -> Trouble:
    """Say what to do when a load balancer cannot be created."""
    return Trouble(
        Action.CREATE_LOAD_BALANCER,
        "If a load balancer cannot be created",
        in_place=(prose("The pairs of the steps that are ticked. On the units of this pair nothing was changed."),),
        go_on=(
            prose("An Elastic IP or a subnet is not offered: it is of another region or VPC, or in use elsewhere."),
            prose("A certificate is not offered: it has to be of the load balancer's own region."),
            prose("A name is taken: choose another one; nothing else depends on it."),
            prose(
                "The units are not offered as targets: they are in another VPC, or still being started; the target "
                "type has to be {}.",
                ec2.INSTANCE,
            ),
        ),
        go_back=(
            prose(
                "Delete the load balancer, then its target groups, at {}. The Elastic IPs stay yours, to be used again "
                "or released.",
                ec2.LOAD_BALANCERS.path,
            ),
        ),
    )


def master_parameters(_bearings: RunbookContext) -> Trouble:
    """Say what to do when the master's HA parameters cannot be set."""
    return Trouble(
        Action.SET_MASTER_HA_PARAMETERS,
        "If the master's HA parameters cannot be set",
        in_place=(
            prose("The load balancer of the pair, where it has one: it sends traffic to no unit that does not answer."),
            prose("The slave knows nothing of the pair yet."),
        ),
        go_on=(
            prose(
                "The menu has no {}: the unit is no LoadMaster for AWS, or it is a standby, which offers {} alone.",
                wui.HA_PARAMETERS.path,
                wui.LOCAL_ADMINISTRATION,
            ),
            prose("A value is not kept: each text box has a button of its own, which takes that one value."),
            prose("Setting the same values twice does no harm."),
        ),
        go_back=(prose("Set {} to {} on the master.", wui.HA_MODE, wui.NON_HA_MODE),),
    )


def slave_parameters(_bearings: RunbookContext) -> Trouble:
    """Say what to do when the slave's HA parameters cannot be set."""
    return Trouble(
        Action.SET_SLAVE_HA_PARAMETERS,
        "If the slave's HA parameters cannot be set",
        in_place=(prose("The load balancer of the pair, where it has one, and the parameters of the master."),),
        go_on=(
            prose(
                "It is the other unit that you are on: the address in the step is the slave's. Two units with the same "
                "{} never become a pair.",
                wui.HA_MODE,
            ),
            prose("A value is not kept: each text box has a button of its own, which takes that one value."),
            prose("Setting the same values twice does no harm."),
        ),
        go_back=(_no_pair(),),
    )


def verification(bearings: RunbookContext) -> Trouble:
    """Say what to do when two units do not become a working pair."""
    hidden = prose("a security group, or {} without a tick on a unit with several arms", wui.ALL_INTERFACES)
    behind = any(pair.load_balancer for pair in bearings.ha_pairs.values())
    stays_out = prose(
        "The active unit is not in service though it answers {}: compare the port and the path of the target group's "
        "health check, and let its security group pass.",
        OK,
    )
    return Trouble(
        Action.VERIFY_HA_PAIR,
        "If two units do not become a pair",
        in_place=(
            prose("The parameters of both units, and the pairs of the steps that are ticked. No GEO setting of them."),
        ),
        go_on=(
            prose(
                "They say {} and {}: nobody asks them. Compare the {} of both with the port that is asked, then see "
                "what is in the way: {}.",
                wui.MASTER_UNCONNECTED,
                wui.SLAVE_UNCONNECTED,
                wui.HEALTH_CHECK_PORT,
                hidden,
            ),
            prose(
                "Both answer {}: each believes that the other is gone. The {} of each has to name the other one, and "
                "TCP {} and the {} have to pass between them.",
                OK,
                wui.PARTNER,
                SYNC_PORT,
                wui.HEALTH_CHECK_PORT,
            ),
            prose(
                "Both answer {}, or neither is active: look whether one is {} and the other {}, and whether the ports "
                "of both are the same.",
                BUSY,
                wui.MODES["master"],
                wui.MODES["slave"],
            ),
            prose(
                "The slave is active and the master its standby: the pair works. Under {} the master takes over by "
                "itself; under {} it stays so until the slave fails or is rebooted.",
                wui.PREFERRED_CHOICE["master"],
                wui.PREFERRED_CHOICE["none"],
            ),
            *((stays_out,) if behind else ()),
            prose("Do not go on with GEO before this pair works: everything after it is entered on the active unit."),
        ),
        go_back=(_no_pair(),),
    )


def _no_pair() -> Prose:
    words = "Set {} to {} on both units, the slave first. What the slave has taken over from the master stays there; "
    return prose(words + "its own backup has what it had before.", wui.HA_MODE, wui.NON_HA_MODE)
