"""What a step can do: a row for each action, with all that follows from it and all that is said of it."""

from __future__ import annotations

from geoplan import vendor
from geoplan.plan.action_row import (
    Action,
    Case,
    GeoSection,
    Phase,
    Row,
    Section,
    Situation,
    TargetUnit,
    is_pair,
    master_is_listed_second,
    master_takes_over_again,
)
from geoplan.plan.ha_rows import HA_CHANGE_ROWS

__all__ = ["ACTIONS", "Action", "GeoSection", "Phase", "Section", "Situation", "TargetUnit"]


ACTIONS: dict[Action, Row] = {
    Action.CREATE_LOAD_BALANCER: Row(
        Phase.HA,
        label="Create the Network Load Balancer and its target groups",
        sentence="create the load balancer of",
        short="load balancer of",
        unit="load_balancer",
        section="6.1",
        why="A cloud pair has no shared address: the load balancer sends clients to the unit that is active.",
    ),
    Action.SET_MASTER_HA_PARAMETERS: Row(
        Phase.HA,
        label=f"Set AWS HA Parameters: {vendor.MASTER_HA_MODE}",
        sentence="set the HA parameters of the master of",
        short="HA, master of",
        unit="master",
        section="6.2",
        why="HA needs one unit in master mode, set first, so that it is the one that becomes active.",
    ),
    Action.SET_SLAVE_HA_PARAMETERS: Row(
        Phase.HA,
        label=f"Set AWS HA Parameters: {vendor.SLAVE_HA_MODE}",
        sentence="set the HA parameters of the slave of",
        short="HA, slave of",
        unit="slave",
        section="6.2",
        why="HA needs the other unit in slave mode: it polls the master, and takes over when it does not answer.",
    ),
    Action.VERIFY_HA_PAIR: Row(
        Phase.HA,
        label="See that one unit is active and the other its standby",
        sentence="see the pair work at",
        short="pair of",
        unit="both",
        section="8",
        why="GEO is built on pairs that work: exactly one unit is active, and the load balancer sees which.",
    ),
    Action.SET_REMOTE_GEO_ACCESS: Row(
        Phase.GEO,
        label=f"Set {vendor.REMOTE_GEO_ACCESS}",
        sentence="set Remote GEO access of",
        short="access list of",
        unit="active",
        why="Only addresses on this list may reach the site's GEO and check its health.",
        notes=(
            Case(
                master_is_listed_second,
                "In the example of section 5.4 one pair enters its second address as its own, and the document does "
                "not say why; the text asks for the master's, so the master is entered here, though it is the second.",
            ),
        ),
    ),
    Action.SET_GEO_PARTNERS: Row(
        Phase.GEO,
        label=vendor.SET_GEO_PARTNERS,
        sentence="set GEO partners of",
        short="partners of",
        unit="active",
        why="Partners are the units with which the site shares one GEO configuration.",
        other_reasons=(
            Case(
                lambda step: step.section == "5.1",
                "A site alone has no partner: whatever it still lists would go on sharing its GEO configuration.",
            ),
        ),
        notes=(
            Case(
                lambda step: step.section == "5.1",
                "Section 5.1 names neither partners nor a reboot: a site alone has no partner, so nothing is rebooted, "
                "and partners are only taken off that were left from before.",
            ),
            Case(
                lambda step: step.section == "5.3" and not is_pair(step),
                "Section 5.3 never sets partners here, yet has them submitted again later; they are set first, "
                "as in section 5.4: both units of the pair.",
            ),
        ),
    ),
    Action.REBOOT_MASTER: Row(
        Phase.GEO,
        label="Reboot",
        sentence="reboot the master of",
        short="reboot master of",
        unit="master",
        why="The failover makes the slave active, so that it can form partner links of its own.",
    ),
    Action.RESUBMIT_GEO_PARTNERS: Row(
        Phase.GEO,
        label=f"Submit {vendor.GEO_PARTNERS} again",
        sentence="submit GEO partners again on",
        short="resubmit on",
        unit="new_active",
        why="The document has every standalone renew its links once the last pair is done.",
        other_reasons=(
            Case(is_pair, "Partner links belong to a unit: without this, the site drops out at its next failover."),
        ),
        notes=(
            Case(
                master_takes_over_again,
                "'The new active LoadMaster' is the slave, and under Prefer Master only until the master has booted: "
                "the submission has to reach the slave before then.",
            ),
            Case(
                lambda step: step.section == "5.4" and not is_pair(step),
                "Section 5.4 asks this of its standalones in one step; here each has its own, after the last pair's.",
            ),
        ),
    ),
    Action.ADD_CLUSTER: Row(
        Phase.GEO,
        label="Add the cluster",
        sentence="define the cluster of",
        short="cluster of",
        unit="active",
        why="GEO can send clients to a site only once it knows it as a cluster.",
    ),
    Action.REMOVE_GEO_PARTNERS: Row(
        Phase.GEO,
        label=f"Take what leaves off {vendor.GEO_PARTNERS}",
        sentence="take what leaves off GEO partners of",
        short="shrink partners of",
        unit="active",
        why="Partners share one GEO configuration: what leaves goes off the partners first, then loses access.",
    ),
    Action.REMOVE_REMOTE_GEO_ACCESS: Row(
        Phase.GEO,
        label=f"Take what leaves off {vendor.REMOTE_GEO_ACCESS}",
        sentence="take what leaves off Remote GEO access of",
        short="shrink access list of",
        unit="active",
        why="A unit that is no partner any more has no business with this site's GEO.",
    ),
    Action.VERIFY_UNLINKED: Row(
        Phase.GEO,
        label="See that neither side lists the other",
        sentence="see that no list links",
        short="unlinked:",
        unit="active",
        why="What partners delete is deleted everywhere, so all lists on both sides are read before anything is.",
    ),
    Action.PROBE_UNLINKED: Row(
        Phase.GEO,
        label="Delete its own cluster there, and see that all others keep it",
        sentence="probe that deletions do not travel from",
        short="probe at",
        unit="active",
        why="Lists do not prove that a link is gone. A cluster that is to go anyway does: "
        "those that stay must keep it.",
    ),
    Action.DELETE_CLUSTER: Row(
        Phase.GEO,
        label="Delete the cluster",
        sentence="delete the cluster of",
        short="delete cluster of",
        unit="active",
        why="GEO would go on sending clients to a site that is no part of the group any more.",
    ),
    Action.DELETE_OTHER_CLUSTERS: Row(
        Phase.GEO,
        label="Delete the other clusters of the group that it left",
        sentence="delete the other clusters on",
        short="clean up",
        unit="active",
        why="No cluster may leak from one group into another.",
    ),
    Action.JOIN_HA_PAIR: Row(
        Phase.GEO,
        label="Bring the new unit into the pair",
        sentence="bring the new unit into the pair of",
        short="new unit of",
        unit="both",
        section="6.2",
        why="The unit that is left still names the old one as its partner, and the new one names none.",
    ),
    Action.SEED_GEO_CONFIGURATION: Row(
        Phase.GEO,
        label="Take over the group's GEO configuration",
        sentence="bring the group's GEO configuration to",
        short="seed",
        unit="active",
        why="Which configuration stays when two differ is not known: a site joins with the one that the group has.",
    ),
    Action.RESUBMIT_ON_ACTIVE: Row(
        Phase.GEO,
        label=f"Submit {vendor.GEO_PARTNERS} again on the active unit",
        sentence="submit GEO partners again on the active unit of",
        short="resubmit on active of",
        unit="active",
        why="A unit that was replaced knows no partner, and a link needs a submission on both of its sides.",
    ),
    Action.MODIFY_CLUSTER: Row(
        Phase.GEO,
        label="Rename or place the cluster",
        sentence="rename or place the cluster of",
        short="modify cluster of",
        unit="active",
        why="The name and the place of a cluster change where it stands; no link is touched.",
    ),
    **HA_CHANGE_ROWS,
    Action.DEREGISTER_TARGETS: Row(
        Phase.GEO,
        label="Take its instances out of the target groups",
        sentence="take out of the target groups the instances of",
        short="deregister",
        unit="load_balancer",
        section="6.1",
        why="The load balancer goes on sending clients to an instance "
        "until it is taken out, not until it is terminated.",
    ),
    Action.REGISTER_TARGETS: Row(
        Phase.GEO,
        label="Put its instances into the target groups",
        sentence="put into the target groups the instances of",
        short="register",
        unit="load_balancer",
        section="6.1",
        why="The load balancer sends clients only to instances that are in its target groups, and healthy.",
    ),
    Action.FAIL_OVER: Row(
        Phase.GEO,
        label="Fail over by a reboot, and watch",
        sentence="drill a failover at",
        short="failover of",
        unit="active",
        section="5.4",
        why="A slave that nobody has seen active may have no links: the drill shows it before a failure does.",
    ),
    Action.SET_PREFERRED_HOST_ASIDE: Row(
        Phase.FIRMWARE,
        label=f"Set {vendor.NO_PREFERRED_HOST} for the time of the update",
        sentence="set the preferred host aside of",
        short="no preferred host on",
        unit="both",
        why="Otherwise the master takes over in the middle of the update, as soon as it is back.",
    ),
    Action.UPDATE_STANDBY: Row(
        Phase.FIRMWARE,
        label="Update the firmware of the standby",
        sentence="update the firmware of the standby of",
        short="update standby of",
        unit="standby",
        why="The standby carries no traffic: the active unit goes on serving while it reboots.",
        notes=(
            Case(
                lambda step: step.crosses,
                "Section 7 has the standby stay standby after this. It is older than the Partner Shared Secret: where "
                "only one unit of a pair has it, HA between them is refused, and then the standby may take itself for "
                "active too.",
            ),
        ),
    ),
    Action.UPDATE_ACTIVE: Row(
        Phase.FIRMWARE,
        label="Update the firmware of the active unit",
        sentence="update the firmware of the active unit of",
        short="update active of",
        unit="active",
        why="The other unit runs the new version by now, and takes over while this one reboots.",
        other_reasons=(
            Case(
                lambda step: step.crosses,
                "Until this unit runs the new version as well, the pair's units refuse each other.",
            ),
        ),
        notes=(
            Case(
                master_takes_over_again,
                "Section 7 leaves the end to the preferred host: under Prefer Master the master is active again, "
                "whichever unit was updated last.",
            ),
            Case(
                lambda step: not master_takes_over_again(step),
                "Section 7 leaves the end to the preferred host: under No Preferred Host nothing switches back, and "
                "the unit that was standby stays active.",
            ),
        ),
    ),
    Action.UPDATE_REMAINING: Row(
        Phase.FIRMWARE,
        label="Update the firmware of the unit that is left",
        sentence="update the firmware of the unit left of",
        short="update unit left of",
        unit=None,
        why="The pair's other unit runs the version already, and a pair is never left on two.",
    ),
    Action.UPDATE_STANDALONE: Row(
        Phase.FIRMWARE,
        label="Update the firmware",
        sentence="update the firmware of",
        short="update",
        unit="standalone",
        why="A standalone has no partner to take over: its site is down while it reboots.",
    ),
    Action.SET_PARTNER_SECRET: Row(
        Phase.FIRMWARE,
        label=f"Set the {vendor.SHARED_SECRET}",
        sentence="set the Partner Shared Secret on a unit of",
        short="secret on",
        unit="updated",
        why="HA and GEO partners refuse each other until both sides have the secret, and it is the same.",
    ),
    Action.VERIFY_UPDATED_PAIR: Row(
        Phase.FIRMWARE,
        label="See that the pair is whole again",
        sentence="see the pair whole again at",
        short="updated pair of",
        unit="both",
        why="The next pair is begun only when this one is whole: one version, one active unit.",
    ),
    Action.RESTORE_PREFERRED_HOST: Row(
        Phase.FIRMWARE,
        label=f"Set {vendor.PREFER_MASTER} again",
        sentence="set the preferred host again of",
        short="preferred host of",
        unit="both",
        why="The pair goes on as it was; this may move its traffic once more, back to the master.",
    ),
    Action.ROTATE_PARTNER_SECRET: Row(
        Phase.SECRET,
        label=f"Set the {vendor.SHARED_SECRET} on every unit of the site",
        sentence="set the Partner Shared Secret on all of",
        short="new secret on",
        unit="both",
        why="Nothing replicates the secret: each unit is given it by itself, and its links are red until all have it.",
        other_reasons=(
            Case(is_pair, "First the standby, then at once the active unit: while they differ, HA may part them."),
        ),
    ),
}

HA_CHANGES = frozenset(HA_CHANGE_ROWS)
"""Those that change HA parameters of pairs at work, or what goes with that."""
HA_ACTIONS = frozenset(action for action, row in ACTIONS.items() if row.phase is Phase.HA)
FIRMWARE_ACTIONS = frozenset(action for action, row in ACTIONS.items() if row.phase is Phase.FIRMWARE)
PREFERRED_HOST_ACTIONS = frozenset({Action.SET_PREFERRED_HOST_ASIDE, Action.RESTORE_PREFERRED_HOST})
"""Those of new firmware that only a push does: by hand the preferred host stays, as in section 7."""
UPDATE_ACTIONS = FIRMWARE_ACTIONS - PREFERRED_HOST_ACTIONS - {Action.SET_PARTNER_SECRET, Action.VERIFY_UPDATED_PAIR}
DELETIONS = frozenset({Action.PROBE_UNLINKED, Action.DELETE_CLUSTER, Action.DELETE_OTHER_CLUSTERS})
"""Those that delete clusters."""
REMOVALS = frozenset({Action.REMOVE_GEO_PARTNERS, Action.REMOVE_REMOTE_GEO_ACCESS})
"""Those that take addresses off lists, and put none on."""
LOOKS = frozenset({Action.VERIFY_UNLINKED, Action.PROBE_UNLINKED})
"""Those that wait until everything has been replicated, to see that nothing is linked."""
