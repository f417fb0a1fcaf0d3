"""What is found about live units, told once: diff, status and the checks before a push are views of it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from geoplan.wording import shell_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from geoplan.live.model import Observation

    Command = Callable[..., str]
    Since = Mapping[str, datetime]


class FindingKind(StrEnum):
    """What a finding is about."""

    BOTH_ACTIVE = "both_active"
    NONE_ACTIVE = "none_active"
    PAIR_DOWN = "pair_down"
    UNIT_DOWN = "unit_down"
    FAILED_OVER = "failed_over"
    UNCONNECTED = "unconnected"
    HEALTH_UNCLEAR = "health_unclear"
    CONTRADICTORY = "contradictory"
    """Health check and API do not agree on who is active."""
    HEALTH_NOT_SEEN = "health_not_seen"
    """The health check is silent from here, and the API tells who is active."""
    NO_HA = "no_ha"
    SAME_MODE = "same_mode"
    MODES_SWAPPED = "modes_swapped"
    NO_PARTNER = "no_partner"
    PARTNER_MISMATCH = "partner_mismatch"
    PORTS_DIFFER = "ports_differ"
    PREFERRED_HOST_DIFFERS = "preferred_host_differs"
    ALL_INTERFACES_DIFFER = "all_interfaces_differ"
    HA_NOT_TOLD = "ha_not_told"
    PARTNER_NOT_COMPARED = "partner_not_compared"
    """A unit gives its HA partner by a name that does not stand for the pair's other unit, as far as is known."""
    LOGIN_SETTING = "login_setting"
    """A setting of a unit's logins closes APIv2, so that it is asked in APIv1."""
    FIRMWARE_DIFFERS = "firmware_differs"
    PARTNER_SECRET = "partner_secret"  # noqa: S105 - the name of a finding
    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    UNREADABLE = "unreadable"
    ONE_CERTIFICATE = "one_certificate"
    """Several units present the same certificate, so that one may answer at the addresses of all."""
    GEO_OFF = "geo_off"
    SSH_OFF = "ssh_off"
    RED_PARTNER = "red_partner"
    LINKS_NOT_TOLD = "links_not_told"
    """Units do not tell of all their partners whether they are green."""
    GEO_DIFFERS = "geo_differs"
    GEO_MERGE = "geo_merge"
    """Units about to become partners have different GEO configurations."""
    TOO_MANY_CLUSTERS = "too_many_clusters"
    CLUSTER_DISABLED = "cluster_disabled"
    CLUSTER_CHECKED = "cluster_checked"
    """A Remote LM cluster has a checker of its own."""
    CLUSTER_REWRITTEN = "cluster_rewritten"
    """A unit has rewritten the name of a cluster."""
    UNKNOWN_CLUSTER = "unknown_cluster"
    """A Remote LM cluster of a site that is in no topology."""
    SITE_GONE = "site_gone"
    """A site was pushed together with units at hand, and is in their topology no more."""
    LEAVER_BACK = "leaver_back"
    """A site left while it did not answer, and something answers at its address again."""
    NOT_ASKED = "not_asked"
    """An address that units name, and that nobody has confirmed: nothing was sent to it."""
    UNUSABLE_ADDRESS = "unusable_address"
    """What a unit names is no address that a unit can have."""
    TOO_MANY_NAMED = "too_many_named"
    """Units name more addresses than belong to any GEO system."""
    ROLES_UNCLEAR = "roles_unclear"
    """Which unit of a pair is its master is not told, or told in two ways."""
    NAT_UNCLEAR = "nat_unclear"
    """Nobody names a unit by its own address, and whether another one stands for it is not shown."""
    ONE_SIDED = "one_sided"
    """Units of one group name units of another as partners, and are not named by them."""
    NAME_CHANGED = "name_changed"
    """The name of a cluster cannot be the name of a site, or is another one's already."""
    OUTSIDE_ACCESS = "outside_access"
    """An access list names a unit that is no partner: it is kept as one from outside."""
    UNITS_DIFFER = "units_differ"
    """A site of a file has other units than it has by the units' own word."""
    SITE_NOT_FOUND = "site_not_found"
    """A site of a file that live units were merged into is not among them."""
    LEFT_OUT = "left_out"
    """A value that units tell breaks a rule for topologies, so that it is not written."""


OF_STATES = frozenset(
    {
        FindingKind.BOTH_ACTIVE,
        FindingKind.NONE_ACTIVE,
        FindingKind.PAIR_DOWN,
        FindingKind.UNIT_DOWN,
        FindingKind.UNCONNECTED,
        FindingKind.HEALTH_UNCLEAR,
        FindingKind.CONTRADICTORY,
    }
)
"""Why a pair does not have one active unit and its standby."""
NOTED = frozenset({FindingKind.PARTNER_NOT_COMPARED, FindingKind.LOGIN_SETTING, FindingKind.HEALTH_NOT_SEEN})
"""What is no fault and is said all the same, wherever units are compared."""
NOT_READ = frozenset({FindingKind.UNREACHABLE, FindingKind.UNAUTHORIZED, FindingKind.UNREADABLE})


class Severity(StrEnum):
    """How much a finding matters."""

    BLOCKING = "blocking"
    """A push is refused until it is put right."""
    MENDING = "worth mending"
    KNOWING = "worth knowing"
    """It may stay as it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth saying: what it is, what that means and what to do or type next."""

    kind: FindingKind
    sites: tuple[str, ...]
    units: tuple[str, ...]
    """The addresses of the units that it is about."""
    message: str
    hint: str = ""
    commands: tuple[str, ...] = ()
    """What the hint says to type, each ready for a shell."""
    _: KW_ONLY
    severity: Severity

    @property
    def blocks_push(self) -> bool:
        """Whether a push is refused because of it."""
        return self.severity is Severity.BLOCKING

    @property
    def explained(self) -> str:
        """All that it says, in words: see :func:`explained`."""
        return explained(self.message, self.hint, self.commands)


def about(  # noqa: PLR0913 - what a finding can have
    kind: FindingKind,
    units: Sequence[Observation],
    message: str,
    hint: str = "",
    commands: tuple[str, ...] = (),
    *,
    severity: Severity,
) -> Finding:
    """Return a finding about some units; nothing is blocking, or not, by default."""
    sites = tuple(dict.fromkeys(unit.site for unit in units))
    message = message[:1].upper() + message[1:]
    return Finding(kind, sites, tuple(unit.address for unit in units), message, hint, commands, severity=severity)


def explained(message: str, hint: str, commands: Sequence[str]) -> str:
    """Return a message with its hint, and below them what that says to type, each command on a line of its own."""
    if not commands:
        return f"{message} ({hint})" if hint else message
    return "\n      ".join((f"{message}; {hint}", *commands))


def titled(unit: Observation) -> str:
    """Name a unit with its role: ``the master 172.24.1.5``; a standalone by its address alone."""
    return unit.address if unit.role == "standalone" else f"the {unit.role} {unit.address}"


def generic_command(name: str, *words: str) -> str:
    """Return a command of geoplan for whoever does not know the topology's file."""
    return shell_command("geoplan", name, "TOPOLOGY", *words)
