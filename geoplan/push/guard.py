"""What a push never does, asserted at every request that changes a unit, in the running program.

Each unit of a running push is behind a :class:`geoplan.push.guarded_unit.GuardedUnit`. It notes what the unit was asked
and what it told, and holds every change against that: a change that comes without the look, the reading or the record
that has to precede it is never sent. The steps see to all of that by themselves, so a :class:`GuardError` is a fault of
geoplan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geoplan.addresses import canonical, same_addresses
from geoplan.errors import PushStoppedError
from geoplan.live.activity import Look, may_be_at_work, said, states_of
from geoplan.live.findings.pairs import has_no_pair
from geoplan.live.fleet import only_active
from geoplan.live.model import HA_SUBJECT, SUBJECTS, HaFacts, State
from geoplan.push import records as models
from geoplan.push.deletions import Lists, deletion_fault
from geoplan.push.ha_requests import HaSight, ha_request_fault

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from geoplan.live.polling import Clock, Timings
    from geoplan.live.unit import Unit
    from geoplan.loadmaster.model import HaRequest, HaStatus
    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.journal import Journal

READS = {"remote_geo_access", "geo_partners", "clusters", "fqdns", "ha_parameters"}


class GuardError(PushStoppedError):
    """A request that a push never sends was about to be sent: a fault of geoplan, which stops at once."""

    def __init__(self, unit: str, request: str, why: str) -> None:
        super().__init__(
            f"geoplan stopped itself before it sent '{request}' to {unit}: {why}. This is a fault of geoplan; "
            "please report it with the push's journal"
        )


@dataclass
class _Seen:
    """What the push knows of one unit by its own reading."""

    health: State | None = None
    """What its health check said at the last look; None once a request has relied on it."""
    looked_at: float = 0.0
    told: HaStatus | None = None
    """What its API said of its place in its pair at the last look."""
    asked_at: float | None = None
    """When its API was asked that; None once a request has relied on it."""
    has_told: bool = False
    """Whether it has given an authenticated answer, or explicitly refused a read while it was the standby."""
    read: dict[str, Any] = field(default_factory=dict)
    """What was read of it since it was written last."""
    refused_since: float | None = None
    """Since when it refuses reads as a standby, and its pair's lists were not written."""


class Guard:
    """Knows what was seen of each unit, and which requests that allows; ``forms`` are the pairs that the push forms."""

    def __init__(
        self, plan: Plan, journal: Journal, clock: Clock, timings: Timings, forms: Collection[str] = ()
    ) -> None:
        self._forms = frozenset(forms)
        self._plan = plan
        self._journal = journal
        self._clock = clock
        self._timings = timings
        self._site_of = {unit.address: site for site in plan.sites for unit in site.units}
        self._seen = {address: _Seen() for address in self._site_of}

    # -- what is seen ------------------------------------------------------------------------------------------------

    def note_state(self, address: str, state: State) -> None:
        """Note what a health check said."""
        seen = self._seen[address]
        seen.health, seen.looked_at = state, self._clock.now()

    def note_status(self, address: str, told: HaStatus | None) -> None:
        """Note what a unit's API said of its place in its pair, or that it was asked and has not told yet."""
        seen = self._seen[address]
        seen.told, seen.asked_at = told, self._clock.now()

    def note_answer(self, address: str, question: str, answer: object) -> None:
        """Note what a unit answered."""
        seen = self._seen[address]
        seen.has_told = True
        if question in READS:
            seen.read[question] = answer

    def note_refusal(self, unit: Unit) -> None:
        """Note that a unit refused a read: from a standby whose certificate is believed, that is an answer.

        That it is one its health check has to say: its API is what refuses.
        """
        seen = self._seen[unit.address]
        if unit.is_trusted and seen.health is State.STANDBY:
            seen.has_told = True
            seen.refused_since = self._clock.now() if seen.refused_since is None else seen.refused_since

    # -- what it allows ----------------------------------------------------------------------------------------------

    def before_reboot(self, address: str) -> None:
        """Allow a reboot of an active unit whose partner stands by and has told what it holds."""
        site, looks = self._looked(address, "reboot")
        partner = self._partner(site, address)
        if states_of(looks) != {address: State.ACTIVE, partner: State.STANDBY}:
            raise GuardError(address, "reboot", f"{said(looks)} at the last look")
        for each in (address, partner):
            if not self._seen[each].has_told:
                raise GuardError(address, "reboot", f"{each} has told nothing in this push")
        if not {"remote_geo_access", "geo_partners"} <= self._seen[address].read.keys():
            raise GuardError(address, "reboot", "its lists were not read")
        self._recorded(address, "reboot", {"rebooting"})
        self._spend(site)

    def before_mode(self, address: str, mode: str) -> None:
        """Allow an HA mode on a unit of two that do not work as a pair."""
        what = f"HA mode {mode}"
        site, looks = self._looked(address, what)
        self._not_at_work(address, what, looks)
        if mode == "single" and (looks[address].state is not State.DOWN or not self._has_no_pair(address)):
            raise GuardError(address, what, "it may be in a pair")
        for each in looks:
            if not self._seen[each].has_told:
                raise GuardError(address, what, f"{each} has told nothing in this push")
        self._recorded(address, what, {"changing"}, HA_SUBJECT)
        self._spend(site)

    def before_ha_parameters(self, address: str) -> None:
        """Allow HA parameters on a unit of two that do not work as a pair."""
        site, looks = self._looked(address, "HA parameters")
        self._not_at_work(address, "HA parameters", looks)
        if "ha_parameters" not in self._seen[address].read:
            raise GuardError(address, "HA parameters", "they were not read before")
        self._recorded(address, "HA parameters", {"changing"}, HA_SUBJECT)
        self._spend(site)

    def before_ha_change(self, address: str, request: HaRequest) -> None:
        """Allow one HA parameter of a pair at work in the step that changes it, as it was read there just before."""
        what = "HA parameter"
        site, looks = self._looked(address, what)
        self._recorded(address, what, {"changing"}, HA_SUBJECT)
        records = (each for each in reversed(self._journal.history.records) if isinstance(each, models.Changing))
        action = next(each.action for each in records if canonical(each.unit) == canonical(address))
        held = {unit.address: self._seen[unit.address].read.get("ha_parameters") for unit in site.units}
        sight = HaSight(site.name, states_of(looks), held)
        if fault := ha_request_fault(self._plan, action, address, request, sight):
            raise GuardError(address, what, f"{fault}; {said(looks)} at the last look")
        self._spend(site)

    def before_list(self, address: str, subject: str, *, is_submission: bool) -> None:
        """Allow a list on the active unit, as it was read there just before and is written down."""
        what = "resubmission" if is_submission else subject
        site = self._seen_active(address, what)
        seen = self._seen[address]
        if subject not in seen.read:
            raise GuardError(address, what, f"its {subject} was not read before")
        events = {"resubmitting"} if is_submission else {"changing"}
        before = self._recorded(address, what, events, None if is_submission else subject)
        if before is None or not same_addresses(before, seen.read[subject]):
            raise GuardError(address, what, "the journal does not have what was read there")
        self._spend(site)

    def before_cluster(self, address: str) -> None:
        """Allow a change of a cluster on an active unit whose clusters were read and whose change is written down."""
        site = self._seen_active(address, "cluster")
        if "clusters" not in self._seen[address].read:
            raise GuardError(address, "cluster", "its clusters were not read before")
        self._recorded(address, "cluster", {"changing"}, "cluster")
        self._spend(site)

    def before_restore(self, address: str) -> None:
        """Allow a restore on an active unit that is backed up, was read, and whose restore is written down."""
        site, seen = self._seen_active(address, "restore"), self._seen[address]
        if not {"clusters", "fqdns", "remote_geo_access", "geo_partners"} <= seen.read.keys():
            raise GuardError(address, "restore", "what it would lose was not read before")
        if address not in self._journal.history.backed_up:
            raise GuardError(address, "restore", "it is not backed up")
        self._recorded(address, "restore", {"seeding"})
        self._spend(site)

    def before_delete(self, address: str, cluster: str) -> None:
        """Allow a deletion once nothing links who leaves with who stays, and a probe has shown that none travels."""
        site = self._seen_active(address, "deletion")
        if "clusters" not in self._seen[address].read:
            raise GuardError(address, "deletion", "its clusters were not read before")
        sights = {unit: self._lists_of(unit) for unit in self._seen}
        if fault := deletion_fault(self._plan, self._journal.history, address, cluster, sights):
            raise GuardError(address, "deletion", fault)
        self._spend(site)

    def _lists_of(self, address: str) -> Lists:
        """Return what both lists of a unit were seen to hold, or whether it has refused that for long enough."""
        seen = self._seen[address]
        held = tuple(seen.read.get(subject) for subject in SUBJECTS)
        since = seen.refused_since
        has_refused = since is not None and self._clock.now() - since >= self._timings.replication_seconds
        return Lists(held, has_refused=has_refused)

    def written(self, address: str, question: str) -> None:
        """Note that a unit was written, so that it has to be read again before it is written again."""
        for unit in self._site_of[address].units if question in SUBJECTS else ():
            self._seen[unit.address].refused_since = None
        self._seen[address].read.pop(question, None)

    def _looked(self, address: str, what: str) -> tuple[SiteSettings, dict[str, Look]]:
        """Return what the last look at a unit's pair said. Raises :class:`GuardError` where it is none, half or old."""
        site = self._site_of[address]
        if site.kind != "ha_pair":
            return site, {}
        at_most = 2 * (self._timings.health_timeout + self._timings.poll_seconds)
        looks: dict[str, Look] = {}
        for unit in site.units:
            seen = self._seen[unit.address]
            if seen.health is None:
                raise GuardError(address, what, f"{unit.address} was not looked at since the last such request")
            if seen.asked_at is None:
                raise GuardError(address, what, f"the API of {unit.address} was not asked who is active")
            if self._clock.now() - min(seen.looked_at, seen.asked_at) > at_most:
                raise GuardError(address, what, f"{unit.address} was looked at too long ago")
            looks[unit.address] = Look(seen.health, seen.told)
        return site, looks

    def _seen_active(self, address: str, what: str) -> SiteSettings:
        """Return a unit's site. Raises :class:`GuardError` unless the last look showed the unit alone active."""
        site, looks = self._looked(address, what)
        if site.kind == "ha_pair" and only_active(states_of(looks)) != address:
            raise GuardError(address, what, f"{said(looks)} at the last look")
        return site

    def _has_no_pair(self, address: str) -> bool:
        found = self._seen[address].read.get("ha_parameters")
        return isinstance(found, HaFacts) and has_no_pair(found)

    def _not_at_work(self, address: str, what: str, looks: Mapping[str, Look]) -> None:
        if self._site_of[address].name not in self._forms:
            raise GuardError(address, what, "its pair is none that this push forms")
        if may_be_at_work(looks.values()):
            raise GuardError(address, what, "its pair is at work")

    def _recorded(self, address: str, what: str, events: set[str], subject: str | None = None) -> Sequence[str] | None:
        """Return what the journal's last record about a unit says was there before.

        Raises :class:`GuardError` where that record is not one of the request that is about to be sent.
        """
        for record in reversed(self._journal.history.records):
            if not isinstance(
                record, models.Changing | models.Resubmitting | models.Rebooting | models.Seeding | models.Changed
            ):
                continue
            if canonical(record.unit) != canonical(address):
                continue
            if record.event not in events or (isinstance(record, models.Changing) and record.what != subject):
                break
            before = getattr(record, "before", None)
            return before if isinstance(before, tuple) else None
        raise GuardError(address, what, "the journal does not have it")

    def _partner(self, site: SiteSettings, address: str) -> str:
        return next((unit.address for unit in site.units if unit.address != address), "")

    def _spend(self, site: SiteSettings) -> None:
        """Let no second request rely on the same look."""
        for unit in site.units:
            seen = self._seen[unit.address]
            seen.health = seen.told = seen.asked_at = None
