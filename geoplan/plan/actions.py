"""What a step can do: a row for each action, with all that follows from it and all that is said of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from geoplan import vendor
from geoplan.topology.types import address_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.topology.model import Site

GeoSection = Literal["5.1", "5.2", "5.3", "5.4"]
FirmwareSection = Literal["7.1", "7.2"]
Section = Literal[GeoSection, "6.1", "6.2", "8", FirmwareSection]
TargetUnit = Literal[
    "active", "standby", "master", "slave", "both", "new_active", "updated", "standalone", "load_balancer"
]


class Phase(StrEnum):
    """A part of the work that is done as one: working pairs first, then GEO upon them; new firmware is its own work."""

    HA = "ha"
    GEO = "geo"
    FIRMWARE = "firmware"


class Action(StrEnum):
    """What a step does."""

    CREATE_LOAD_BALANCER = "create_load_balancer"
    SET_MASTER_HA_PARAMETERS = "set_master_ha_parameters"
    SET_SLAVE_HA_PARAMETERS = "set_slave_ha_parameters"
    VERIFY_HA_PAIR = "verify_ha_pair"
    SET_REMOTE_GEO_ACCESS = "set_remote_geo_access"
    SET_GEO_PARTNERS = "set_geo_partners"
    REBOOT_MASTER = "reboot_master"
    RESUBMIT_GEO_PARTNERS = "resubmit_geo_partners"
    ADD_CLUSTER = "add_cluster"
    UPDATE_STANDBY = "update_standby"
    UPDATE_ACTIVE = "update_active"
    UPDATE_REMAINING = "update_remaining"
    UPDATE_STANDALONE = "update_standalone"
    SET_PARTNER_SECRET = "set_partner_secret"  # noqa: S105 - what is done, not a secret
    VERIFY_UPDATED_PAIR = "verify_updated_pair"


class Situation(NamedTuple):
    """What the words about a step depend on beside its action."""

    site: Site
    section: Section
    """The section that the site's group follows, or that a change of firmware does."""
    crosses: bool = False
    """Whether the site's units gain the Partner Shared Secret, or lose it."""


class Case(NamedTuple):
    """What is said of a step in some situations only."""

    applies: Callable[[Situation], bool]
    text: str


class Row(NamedTuple):
    """An action: where it belongs, and what is said of it."""

    phase: Phase
    label: str
    """In a table of steps."""
    sentence: str
    """In a sentence, before the site's name."""
    short: str
    """The same where there is little room."""
    unit: TargetUnit | None
    """Of a pair: on which unit it is done; None: on the one that is left, a role that differs from pair to pair."""
    why: str
    section: Section | None = None
    """The section that describes it; None: the one of its situation."""
    other_reasons: tuple[Case, ...] = ()
    notes: tuple[Case, ...] = ()
    """How the document is read where it is unclear."""

    def unit_at(self, site: Site) -> TargetUnit | None:
        """Return on which unit of a site it is done; None as for ``unit``."""
        return self.unit if site.ha_pair or self.phase is not Phase.GEO else "standalone"

    def why_in(self, situation: Situation) -> str:
        """Say in one short sentence why a step is there."""
        return next((case.text for case in self.other_reasons if case.applies(situation)), self.why)

    def note_in(self, situation: Situation) -> str | None:
        """Say how the document is read for a step, if it leaves a question open."""
        return " ".join(case.text for case in self.notes if case.applies(situation)) or None


def _is_pair(situation: Situation) -> bool:
    return situation.site.ha_pair is not None


def _master_takes_over_again(situation: Situation) -> bool:
    return situation.site.ha_pair is not None and situation.site.ha_pair.preferred_host == "master"


def _master_is_listed_second(situation: Situation) -> bool:
    master, *slaves = (address_order(unit.shown_address) for unit in situation.site.units)
    return any(master > slave for slave in slaves)


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
                _master_is_listed_second,
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
                lambda step: step.section == "5.3" and not _is_pair(step),
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
            Case(_is_pair, "Partner links belong to a unit: without this, the site drops out at its next failover."),
        ),
        notes=(
            Case(
                _master_takes_over_again,
                "'The new active LoadMaster' is the slave, and under Prefer Master only until the master has booted: "
                "the submission has to reach the slave before then.",
            ),
            Case(
                lambda step: step.section == "5.4" and not _is_pair(step),
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
                _master_takes_over_again,
                "Section 7 leaves the end to the preferred host: under Prefer Master the master is active again, "
                "whichever unit was updated last.",
            ),
            Case(
                lambda step: not _master_takes_over_again(step),
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
}

HA_ACTIONS = frozenset(action for action, row in ACTIONS.items() if row.phase is Phase.HA)
FIRMWARE_ACTIONS = frozenset(action for action, row in ACTIONS.items() if row.phase is Phase.FIRMWARE)
UPDATE_ACTIONS = FIRMWARE_ACTIONS - {Action.SET_PARTNER_SECRET, Action.VERIFY_UPDATED_PAIR}
