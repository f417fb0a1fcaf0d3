"""The actions, and what a row of their table says: where an action belongs, and the words about it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

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
    REMOVE_GEO_PARTNERS = "remove_geo_partners"
    REMOVE_REMOTE_GEO_ACCESS = "remove_remote_geo_access"
    VERIFY_UNLINKED = "verify_unlinked"
    PROBE_UNLINKED = "probe_unlinked"
    DELETE_CLUSTER = "delete_cluster"
    DELETE_OTHER_CLUSTERS = "delete_other_clusters"
    JOIN_HA_PAIR = "join_ha_pair"
    SEED_GEO_CONFIGURATION = "seed_geo_configuration"
    RESUBMIT_ON_ACTIVE = "resubmit_on_active"
    MODIFY_CLUSTER = "modify_cluster"
    SET_HA_PARTNER = "set_ha_partner"
    SET_PREFERRED_HOST = "set_preferred_host"
    SET_ALL_INTERFACES = "set_all_interfaces"
    SET_HEALTH_CHECK_PORT = "set_health_check_port"
    MOVE_HEALTH_CHECK = "move_health_check"
    DEREGISTER_TARGETS = "deregister_targets"
    REGISTER_TARGETS = "register_targets"
    FAIL_OVER = "fail_over"
    SET_PREFERRED_HOST_ASIDE = "set_preferred_host_aside"
    UPDATE_STANDBY = "update_standby"
    UPDATE_ACTIVE = "update_active"
    UPDATE_REMAINING = "update_remaining"
    UPDATE_STANDALONE = "update_standalone"
    SET_PARTNER_SECRET = "set_partner_secret"  # noqa: S105 - what is done, not a secret
    VERIFY_UPDATED_PAIR = "verify_updated_pair"
    RESTORE_PREFERRED_HOST = "restore_preferred_host"
    ROTATE_PARTNER_SECRET = "rotate_partner_secret"  # noqa: S105 - what is done, not a secret


class Phase(StrEnum):
    """A part of the work that is done as one: working pairs first, then GEO upon them.

    New firmware is its own work, and so is the Partner Shared Secret.
    """

    HA = "ha"
    GEO = "geo"
    FIRMWARE = "firmware"
    SECRET = "secret"  # noqa: S105 - a part of the work, and none


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
        return self.unit if site.ha_pair or self.phase not in (Phase.GEO, Phase.SECRET) else "standalone"

    def why_in(self, situation: Situation) -> str:
        """Say in one short sentence why a step is there."""
        return next((case.text for case in self.other_reasons if case.applies(situation)), self.why)

    def note_in(self, situation: Situation) -> str | None:
        """Say how the document is read for a step, if it leaves a question open."""
        return " ".join(case.text for case in self.notes if case.applies(situation)) or None


# -- when a case applies -----------------------------------------------------------------------------------------------


def is_pair(situation: Situation) -> bool:
    """Return whether a step is of a pair."""
    return situation.site.ha_pair is not None


def master_takes_over_again(situation: Situation) -> bool:
    """Return whether a step is of a pair under *Prefer Master*."""
    return situation.site.ha_pair is not None and situation.site.ha_pair.preferred_host == "master"


def master_is_listed_second(situation: Situation) -> bool:
    """Return whether lists show the master of a step's site behind its slave."""
    master, *slaves = (address_order(unit.shown_address) for unit in situation.site.units)
    return any(master > slave for slave in slaves)
