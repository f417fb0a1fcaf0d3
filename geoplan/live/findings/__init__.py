"""What a comparison of live units with the plan finds: differences, each with what mends it, notes and links."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from geoplan.live.links import Colour

if TYPE_CHECKING:
    from collections.abc import Collection

    from geoplan.live.links import Link


class NoteKind(StrEnum):
    """What a note is about: programs go by this and never by its words."""

    OTHER = "other"
    TOOK_OVER = "took_over"
    """The other unit of a pair took over between a look and a write, which is done again where it belongs."""
    SUBMITTED_ON_MASTER = "submitted_on_master"
    SUBMITTED_AGAIN = "submitted_again"
    """Partners were submitted again where a link was red."""
    NOT_SUBMITTED = "not_submitted"
    UNITS_DOWN = "units_down"
    """Units of the group did not answer while partners were submitted."""
    TRIED_AGAIN = "tried_again"
    STARTED_AGAIN = "started_again"
    """A pair's reboot was to no effect."""
    REBOOT_NOT_SENT = "reboot_not_sent"
    ANSWER_LOST = "answer_lost"
    COLOURS_NOT_TOLD = "colours_not_told"
    """A unit does not say of every planned partner whether it sees it."""
    LINK_NOT_PROVEN = "link_not_proven"
    """Nobody says, and nobody was seen to say, that a unit's links are there."""
    STANDBY_RED = "standby_red"
    """A standby shows red to units that it saw green itself while it was active."""
    STAYS_RED = "stays_red"
    """Partners were submitted, and all that are up stay red."""
    STANDBY_REFUSES = "standby_refuses"
    """A standby explicitly refuses reads: what it holds is not known."""
    NOT_BACKED_UP = "not_backed_up"
    """A standby gives no backup."""
    UNKNOWN_CLUSTER = "unknown_cluster"
    """A cluster that the plan does not mention, and a push leaves alone."""
    LEFT_ALONE = "left_alone"
    """A unit of a site that leaves does not answer: it is told what is to be done on it once it is back."""
    STILL_ANSWERS = "still_answers"
    """A site has left, and goes on answering DNS with the GEO configuration that it had."""
    FQDN_NAMES_GONE = "fqdn_names_gone"
    """An FQDN answers with an address that a change takes out of its group."""
    NAME_REWRITTEN = "name_rewritten"
    """A unit wrote the name of a cluster in another way than it was sent."""
    BY_HAND = "by_hand"
    """Something that a person does or has done, elsewhere."""
    SEEDED = "seeded"
    """A unit took over the GEO configuration of its group."""
    HA_NOT_TOLD = "ha_not_told"
    """A unit's platform does not tell its HA parameters."""
    ANSWERS_OTHERWISE = "answers_otherwise"
    """Units answer in another way than the ledger of facts has it."""
    FINDING = "finding"
    """Something is worth mending, and a push does not do that."""
    TOO_LATE = "too_late"
    """Something is not begun any more, since its end or its way back would come after the window."""
    LEFT_AS_IT_IS = "left_as_it_is"
    """Something differs that a push does not change on a pair at work."""


class Kind(StrEnum):
    """How something differs from the plan."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"
    RED = "red"
    UNREADABLE = "unreadable"


class Mend(StrEnum):
    """What mends a difference."""

    STEP = "step"
    """A step of the plan enters it."""
    REPLICATION = "replication"
    """It comes from another unit by itself, once that one has it: to a standby, or from partner to partner."""
    SUBMISSION = "submission"
    """The partners submitted again on the active units that it is about; it needs no reboot."""
    REBOOT = "reboot"
    """The reboot of a master, after which the slave submits its partners itself."""
    ROTATION = "rotation"
    """The Partner Shared Secret, once all units have the same: a push of that, and no other one."""
    BY_HAND = "by hand"
    """Something that no push does; it is a finding, and blocks none."""
    LEFT = "left as it is"
    """Nothing: a push leaves it alone on a pair at work."""
    NOTHING = "nothing"
    """Nothing of a push, and a push would not come to its end with it: it blocks every one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference at one site; ``values`` are the addresses, names or sites that it is about."""

    site: str
    unit: str | None
    kind: Kind
    subject: str
    message: str
    values: tuple[str, ...] = ()
    mends: Mend = Mend.NOTHING
    hint: str = ""
    """What to do by hand, where no push mends it."""
    partner: str | None = None
    """Of a red link, the partner's own address; None for one that the plan does not have."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is no difference and worth knowing."""

    site: str
    message: str
    kind: NoteKind = NoteKind.OTHER

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class SiteReport:
    """What one site has, compared with the plan."""

    site: str
    unit: str | None
    """Its active unit, which was asked."""
    differences: tuple[Difference, ...]
    notes: tuple[Note, ...]
    links: tuple[Link, ...] = ()
    """Of its active unit one for each planned partner; of its standby those with other sites' standbys."""
    unproven: tuple[str, ...] = ()
    """Its units that would have to show links that nothing proves, each while it is active."""


@dataclass(frozen=True, slots=True)
class Report:
    """Every site of a plan, in its order."""

    topology: str
    checksum: str
    sites: tuple[SiteReport, ...]

    def without(self, sites: Collection[str]) -> Report:
        """Return it as one of all sites but some."""
        return replace(self, sites=tuple(each for each in self.sites if each.site not in sites))

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences, site by site."""
        return tuple(difference for site in self.sites for difference in site.differences)

    @property
    def notes(self) -> tuple[Note, ...]:
        """All notes, site by site."""
        return tuple(note for site in self.sites for note in site.notes)

    @property
    def links(self) -> tuple[Link, ...]:
        """All links, site by site."""
        return tuple(link for site in self.sites for link in site.links)

    @property
    def is_in_place(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def undone(self) -> tuple[Difference, ...]:
        """What a step is to mend, or what comes by replication after one; and units that tell nothing.

        After the last step of a push these are what it did not reach: it has stopped before its end.
        """
        by_push = (Mend.STEP, Mend.REPLICATION)
        return tuple(each for each in self.differences if each.mends in by_push or each.kind is Kind.UNREADABLE)

    @property
    def is_configured(self) -> bool:
        """Whether there is nothing that a step is to mend; what else differs are findings."""
        return not self.undone

    @property
    def left_as_it_is(self) -> tuple[Difference, ...]:
        """What a push deliberately does not change."""
        return tuple(each for each in self.differences if each.mends is Mend.LEFT)

    @property
    def is_all_green(self) -> bool:
        """Whether there are links, and each unit that was asked says of each planned partner that it is green."""
        asked = [link for link in self.links if link.is_asked]
        return bool(asked) and all(link.colour is Colour.GREEN for link in asked)

    @property
    def not_told(self) -> tuple[str, ...]:
        """The units that were asked and do not tell of every planned partner whether they see it."""
        told_not = (link.unit for link in self.links if link.is_asked and link.colour is Colour.NOT_TOLD)
        return tuple(dict.fromkeys(told_not))

    @property
    def unproven(self) -> tuple[str, ...]:
        """The units that would have to show links that nothing proves, each while it is active.

        Links that are red without a reason are differences, and not among them.
        """
        return tuple(unit for site in self.sites for unit in site.unproven)

    @property
    def is_proven(self) -> bool:
        """Whether every planned link is proven, and none is red without a reason."""
        return all(link.is_proven for link in self.links)

    @property
    def pairs_to_finish(self) -> tuple[str, ...]:
        """The pairs whose slave is the standby and red elsewhere: it seems never to have submitted its partners.

        They stand in the plan's order.
        """
        return self._named_by(Mend.REBOOT)

    @property
    def sites_to_resubmit(self) -> tuple[str, ...]:
        """The sites on whose active unit partners should be submitted again, in the plan's order."""
        return self._named_by(Mend.SUBMISSION)

    @property
    def sites_with_other_secrets(self) -> tuple[str, ...]:
        """The sites between which links are red since a setting of the secret has not come to its end."""
        return self._named_by(Mend.ROTATION)

    def _named_by(self, mend: Mend) -> tuple[str, ...]:
        red = [found for found in self.differences if found.kind is Kind.RED and found.mends is mend]
        named = {value for found in red for value in found.values}
        return tuple(site.site for site in self.sites if site.site in named)
