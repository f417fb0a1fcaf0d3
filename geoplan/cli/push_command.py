"""What a push command was given: its options in groups that belong together, and whether they fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from geoplan.cli.options import FiniteSeconds, InputFile, options_together, variant_option
from geoplan.cli.push_options import GivenFlags, keep_backups_option, state_dir_option
from geoplan.concurrency import DEFAULT_AT_ONCE, DEFAULT_JOBS

if TYPE_CHECKING:
    from geoplan.cli.connection import ConnectionOptions
    from geoplan.cli.options import ChangeOptions, Part
    from geoplan.cli.push_freeze import FreezeOptions


@dataclass(frozen=True)
class SeedOptions:
    """Who gives sites that join their GEO configuration; each field is named as its option, as in all classes here."""

    seed_by_api: bool = False
    accept_seed_by_api: bool = False


seed_options = options_together(
    "seed",
    SeedOptions,
    click.option(
        "--seed-by-api",
        is_flag=True,
        help="With --from: restore GEO Configuration on sites that join over the API, after a question of its own.",
    ),
    click.option(
        "--accept-seed-by-api", is_flag=True, help="Answer the question of --seed-by-api, which --yes does not answer."
    ),
)


@dataclass(frozen=True)
class HaChangeOptions:
    """Of which pairs at work HA parameters may be changed."""

    accept_ha_change: tuple[str, ...] = ()


ha_change_options = options_together(
    "ha_change",
    HaChangeOptions,
    click.option(
        "--accept-ha-change",
        metavar="PAIR",
        multiple=True,
        help="Confirm by its name that HA parameters of this pair at work change; --yes does not (repeatable).",
    ),
)


@dataclass(frozen=True)
class UpdateOptions:
    """Which firmware units are brought to, and how a push goes about that."""

    upgrade_to: str | None = None
    image: str | None = None
    back: bool = False
    no_canary: bool = False
    pause: float = 0.0


update_options = options_together(
    "update",
    UpdateOptions,
    click.option(
        "--upgrade-to",
        metavar="VERSION",
        help="Bring all units to this firmware, up or down: of each pair the standby first (section 7).",
    ),
    click.option("--image", metavar="FILE", type=InputFile(), help="With --upgrade-to: the image of that version."),
    click.option(
        "--back",
        is_flag=True,
        help="With --upgrade-to: go back to what units ran before; with --secret: to the one before.",
    ),
    click.option("--no-canary", is_flag=True, help="With --upgrade-to: do not stop and ask after the first unit."),
    click.option(
        "--pause",
        metavar="SECONDS",
        type=FiniteSeconds(0),
        default=0.0,
        help="With --upgrade-to and --secret: wait so long between sites, at least.",
    ),
)


@dataclass(frozen=True)
class SecretOptions:
    """What is said of the Partner Shared Secret; never what it is."""

    secret: bool = False
    secret_file: str | None = None
    old_secret_file: str | None = None
    no_way_back: bool = False
    accept_links_down: bool = False


secret_options = options_together(
    "secret",
    SecretOptions,
    click.option(
        "--secret",
        is_flag=True,
        help="Set the Partner Shared Secret on every unit, from GEOPLAN_SECRET, a file or a prompt.",
    ),
    click.option(
        "--secret-file",
        metavar="FILE",
        type=InputFile(),
        help="With --secret: a file with it that only its owner can read.",
    ),
    click.option(
        "--old-secret-file",
        metavar="FILE",
        type=InputFile(),
        help="With --secret: the same of the one that units have now.  [default: GEOPLAN_OLD_SECRET, or a prompt]",
    ),
    click.option("--no-way-back", is_flag=True, help="With --secret: the one that units have now is not at hand."),
    click.option(
        "--accept-links-down",
        is_flag=True,
        help="With --secret: let links be red until all units have it, without a --window.",
    ),
)


@dataclass(frozen=True)
class WindowOptions:
    """When a push has to be over."""

    until: str | None = None
    window: str | None = None


window_options = options_together(
    "window",
    WindowOptions,
    click.option(
        "--until",
        metavar="TIME",
        help="Reboot nothing whose end, and whose way back, comes later: 04:00, or 2026-11-28T04:00+01:00.",
    ),
    click.option(
        "--window",
        metavar="'Sat 22:00-04:00 Europe/Dublin'",
        help="Push only in this window, every week, and as with --until its end.",
    ),
)


@dataclass(frozen=True)
class RunOptions:
    """How a push goes about it."""

    yes: bool = False
    dry_run: bool = False
    only_preflight: bool = False
    jobs: int | None = None


run_options = options_together(
    "run",
    RunOptions,
    click.option("--yes", "-y", is_flag=True, help="Do not ask before anything is changed, or a push abandoned."),
    click.option(
        "--dry-run", is_flag=True, help="Show the requests that would change a unit, in order; change nothing."
    ),
    click.option("--only-preflight", is_flag=True, help="Only check that a push could begin."),
    click.option(
        "--jobs",
        type=click.IntRange(1),
        help="How many steps to do, and units to ask, at once.  [default: 8; 32 with --parallel-groups]",
    ),
)


@dataclass(frozen=True)
class JournalOptions:
    """What is asked of the pushes that were."""

    resume: bool = False
    status: bool = False
    history: bool = False
    abandon: bool = False
    undo: str | None = None

    @property
    def only_tells(self) -> bool:
        """Whether it is about one push that was, and begins none."""
        return self.status or self.abandon


journal_options = options_together(
    "journals",
    JournalOptions,
    click.option("--resume", is_flag=True, help="Go on with the push that was stopped or interrupted."),
    click.option(
        "--status",
        is_flag=True,
        help="Show what the last push did, and how to undo it by hand. For live units: geoplan status.",
    ),
    click.option(
        "--history", is_flag=True, help="List all pushes, the newest first; with TOPOLOGY, those on its units."
    ),
    click.option("--abandon", is_flag=True, help="Abandon the unfinished push; its changes are not undone."),
    click.option(
        "--undo",
        is_flag=False,
        flag_value="last",
        metavar="[PUSH]",
        help="Take back the lists and clusters of the last push, or of PUSH, a number of --history.",
    ),
)


@dataclass(frozen=True)
class ReviewOptions:
    """What a push is held against before it begins."""

    plan_file: str | None = None
    checksum: str | None = None


review_options = options_together(
    "reviewed",
    ReviewOptions,
    click.option(
        "--plan",
        "plan_file",
        metavar="FILE",
        type=InputFile(),
        help="Push only if FILE still fits: a reviewed plan, or an approval of plan --live.",
    ),
    click.option(
        "--checksum", metavar="sha256:…", help="Push only what has this checksum: a plan's, or an approval's."
    ),
)


@dataclass(frozen=True)
class PlaceOptions:
    """Where what outlives a push is kept."""

    backup_dir: str | None = None
    keep_backups: int = 10
    state_dir: str | None = None
    record: str | None = None


place_options = options_together(
    "places",
    PlaceOptions,
    click.option(
        "--backup-dir",
        metavar="DIR",
        type=click.Path(file_okay=False),
        help="Where backups go.  [default: backups, in the folder of the journals]",
    ),
    keep_backups_option,
    state_dir_option,
    click.option(
        "--record", metavar="FILE.md", help="Write what was done into FILE for the change ticket, however it ends."
    ),
)


@dataclass(frozen=True)
class LabOptions:
    """Whether a push goes to an embedded lab, and to which."""

    lab: bool = False
    variants: tuple[str, ...] = ()


lab_options = options_together(
    "lab", LabOptions, click.option("--lab", is_flag=True, help="Push to an embedded lab: a rehearsal."), variant_option
)


@dataclass(frozen=True)
class PushCommand:
    """All that ``geoplan push`` was given; ``path`` is the topology's file."""

    path: str | None
    part: Part
    phase: str | None
    change: ChangeOptions
    seed: SeedOptions
    ha_change: HaChangeOptions
    update: UpdateOptions
    secret: SecretOptions
    window: WindowOptions
    run: RunOptions
    journals: JournalOptions
    freezing: FreezeOptions
    reviewed: ReviewOptions
    flags: GivenFlags
    places: PlaceOptions
    output_format: str
    lab: LabOptions
    reach: ConnectionOptions

    @property
    def jobs(self) -> int:
        """How many steps to do at once; of groups that reboot side by side most only wait."""
        return self.run.jobs or (DEFAULT_AT_ONCE if self.flags.parallel_groups else DEFAULT_JOBS)

    @property
    def changes_units(self) -> bool:
        """Whether it is a push that outlives the command, and no look, and no rehearsal in an embedded lab."""
        only_looks = self.run.dry_run or self.run.only_preflight or self.journals.only_tells
        return not (only_looks or self.lab.lab)

    def require_usable(self) -> str:
        """Return the topology's file. Raises :class:`click.UsageError` for options that do not fit each other."""
        if self.path is None:
            raise click.UsageError("Missing argument 'TOPOLOGY'. Only --history goes without it.")
        if self.places.record is not None and (self.run.dry_run or self.run.only_preflight or self.journals.only_tells):
            raise click.UsageError("--record is of a push that changes units: leave it out of what only looks")
        self._require_usable_lab()
        self._require_usable_undo()
        self._require_usable_secret()
        self._require_usable_update()
        if (self.secret.secret or self.update.upgrade_to is not None) and self.flags != GivenFlags():
            raise click.UsageError(
                "--reboot, --parallel-groups, --remove-unknown, --accept-geo-merge and --accept-fqdn-loss are of "
                "lists and clusters: leave them out of --upgrade-to and --secret, which have an order of their own"
            )
        if self.seed != SeedOptions() and self.change.old is None:
            raise click.UsageError("--seed-by-api matters only with --from")
        if self.ha_change != HaChangeOptions() and self.change.old is None and self.journals.undo is None:
            raise click.UsageError("--accept-ha-change matters only with --from and --undo")
        if self.seed.accept_seed_by_api and not self.seed.seed_by_api:
            raise click.UsageError("--accept-seed-by-api answers a question that only --seed-by-api asks")
        self.change.require_usable(self.phase)
        return self.path

    def _require_usable_lab(self) -> None:
        journals = self.journals
        if self.lab.variants and not self.lab.lab:
            raise click.UsageError("--variant is of units of the lab: give --lab with it")
        if not self.lab.lab:
            return
        if self.reach.endpoints is not None or journals.resume or self.run.dry_run or journals.only_tells:
            raise click.UsageError("--lab stands alone: its units are gone when the push ends")
        if self.change.old is not None:
            raise click.UsageError(
                "--lab begins with fresh units, and --from with those of OLD: run geoplan lab with a topology of all "
                "units, push OLD to it, and then this one, each with its --endpoints file"
            )

    def _require_usable_update(self) -> None:
        update, journals = self.update, self.journals
        if update.upgrade_to is None:
            if update != UpdateOptions() and not self.secret.secret:
                raise click.UsageError("--image, --no-canary: with --upgrade-to; --back, --pause: also with --secret")
            return
        if update.back and (update.image is not None or self.lab.lab):
            raise click.UsageError("--back goes back to what units ran before: leave --image and --lab out")
        needs_image = not (update.back or journals.only_tells or self.run.only_preflight)
        if needs_image and update.image is None:
            raise click.UsageError("--upgrade-to needs the image of that version, with --image; or --back")
        if self.phase or self.change.old is not None or journals.undo is not None:
            raise click.UsageError("--upgrade-to has a plan of its own: leave --phase, --from and --undo out")

    def _require_usable_secret(self) -> None:
        own, update, journals = self.secret, self.update, self.journals
        if not own.secret:
            if own != SecretOptions():
                raise click.UsageError(
                    "--secret-file, --old-secret-file, --no-way-back and --accept-links-down matter only with --secret"
                )
            return
        if update.upgrade_to is not None or update.image is not None or update.no_canary:
            raise click.UsageError("--secret and --upgrade-to are two pieces of work: do one after the other")
        if self.phase or self.change.old is not None or journals.undo is not None:
            raise click.UsageError("--secret has a plan of its own: leave --phase, --from and --undo out")
        if update.back and (own.secret_file is not None or own.no_way_back or self.lab.lab):
            raise click.UsageError(
                "--secret --back sets the one that units had before, of GEOPLAN_OLD_SECRET or --old-secret-file: leave "
                "--secret-file, --no-way-back and --lab out"
            )

    def _require_usable_undo(self) -> None:
        has_plan = self.lab.lab or self.journals.only_tells or self.phase or self.change.old is not None
        if self.journals.undo is not None and has_plan:
            raise click.UsageError(
                "--undo has a plan of its own: leave --lab, --phase, --from, --status and --abandon out"
            )
