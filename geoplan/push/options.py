"""What the operator asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from geoplan.concurrency import DEFAULT_JOBS
from geoplan.vendor import MAX_CLUSTERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from geoplan.loadmaster.credentials import Secret
    from geoplan.loadmaster.firmware import FirmwareImage
    from geoplan.plan.described import KnownUnit


class RebootMode(StrEnum):
    """Which pairs to reboot."""

    CHANGED = "changed"
    ALWAYS = "always"
    NEVER = "never"


class Origin(NamedTuple):
    """How a push was typed, for whoever reads its journal; nothing is decided by it."""

    file: str | None = None
    """The topology's file; None for standard input."""
    flags: tuple[str, ...] = ()
    """The options as they were given, with their values only where these are no secrets and name no file of them."""


UNTOLD = Origin()


@dataclass(frozen=True, slots=True)
class Options:
    """What a push is to do, and how far it may go."""

    jobs: int = DEFAULT_JOBS
    reboot: RebootMode = RebootMode.CHANGED
    reboot_sites: tuple[str, ...] = ()
    """Pairs to reboot whether or not their partners changed."""
    parallel_groups: bool = False
    remove_unknown: bool = False
    accept_geo_merge: bool = False
    seed_by_api: bool = False
    """Whether this run restores GEO Configuration on units that join, where that is needed, and not a person."""
    accept_fqdn_loss: bool = False
    """Whether clusters that FQDNs use, or may use, can be deleted."""
    image: FirmwareImage | None = None
    """Of an update, the file that units are given; None for the way back, and for every other push."""
    restores_firmware: bool = False
    """Whether an update is the way back: units return to the firmware that they ran before."""
    asks_after_first: bool = False
    """Whether an update stops and asks once its first unit runs the new version."""
    pause_seconds: float = 0.0
    """How long an update waits between sites, at least."""
    secret: Secret | None = None
    """The Partner Shared Secret that is set. It is in no record, and shown nowhere."""
    has_way_back: bool = False
    """Whether the secret before it is at hand, or its operator does without."""
    accepts_links_down: bool = False
    """Whether links may be down while it is set: in a window, or since its operator says so."""
    until: datetime | None = None
    """Nothing is begun whose end, and whose way back, comes later."""
    max_clusters: int = MAX_CLUSTERS
    """How many clusters a group may have, as the topology says."""
    backup_folder: Path | None = None
    """Where backups go, if not where pushes keep what must outlive them."""
    keep_backups: int | None = None
    """Of how many pushes of each unit backups are kept; None keeps all."""
    origin: Origin = UNTOLD
    resume: bool = False
    only_preflight: bool = False
    known: Mapping[str, KnownUnit] = field(default_factory=dict)
    """Where units answer, by their canonical addresses: who takes the push back may have no file that says so."""
    undoes: str | None = None
    """The push that is taken back, by the name of its journal: if it is unfinished, this one takes its place."""

    def resumed_with(self, earlier: Options) -> Options:
        """Return these options with what the operator had already said when the push began."""
        return replace(
            self,
            reboot=earlier.reboot if self.reboot is RebootMode.CHANGED else self.reboot,
            reboot_sites=tuple(dict.fromkeys((*earlier.reboot_sites, *self.reboot_sites))),
            parallel_groups=self.parallel_groups or earlier.parallel_groups,
            remove_unknown=self.remove_unknown or earlier.remove_unknown,
            accept_geo_merge=self.accept_geo_merge or earlier.accept_geo_merge,
            accept_fqdn_loss=self.accept_fqdn_loss or earlier.accept_fqdn_loss,
            restores_firmware=self.restores_firmware or earlier.restores_firmware,
            asks_after_first=self.asks_after_first and earlier.asks_after_first,
            pause_seconds=self.pause_seconds or earlier.pause_seconds,
        )
