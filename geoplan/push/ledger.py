"""What units owe and what they have proven, over all pushes that named them.

A slave owes a link to a partner from the moment at which that partner may have been added to its site's list. The debt
is *due* until the pair was rebooted, the partners were submitted on the slave and both units were seen healthy after
it; from then on it is *unproven* until the slave, while active, showed that partner green. Neither the end of a push,
nor ``--reboot never``, nor ``--abandon`` pays anything.

A *sight* is that proof, kept: the partners that a slave showed green while it was active, after a submission of its
own. It holds until the link may be another one: the partner was added again on either side, its list was found without
it, or a unit of the pair got new HA parameters.

Everything goes by addresses: slaves by their own, partners as the lists have them. So a site may be called otherwise
in another file, and a partner that leaves takes its debt along.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from geoplan.addresses import canonical
from geoplan.errors import UnusableFileError
from geoplan.live.findings import NoteKind
from geoplan.live.links import SAME_SECRETS, KnownLinks
from geoplan.plan.model import Action
from geoplan.push import firmware_records as updates
from geoplan.push import records as models
from geoplan.push.history import MOVE_AWAY
from geoplan.push.values import Sight

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from geoplan.plan.model import SiteSettings
    from geoplan.push.history import History
    from geoplan.push.records import AnyRecord, Begin

NONE: frozenset[str] = frozenset()
AT_WORK = (Action.SET_PREFERRED_HOST, Action.SET_ALL_INTERFACES, Action.SET_HEALTH_CHECK_PORT)
"""Changes of a pair's HA parameters that leave its units, and their links, as they are: nothing is formed by them."""
_CHANGES = (
    models.Changing,
    models.Changed,
    models.Rebooting,
    models.Resubmitting,
    models.Resubmitted,
    models.Healthy,
)


class _Unit(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    address: str
    role: str
    nat_address: str | None = None


class _Site(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    name: str
    units: tuple[_Unit, ...]
    geo_partners: tuple[str, ...]

    @property
    def slave(self) -> str | None:
        return next((canonical(unit.address) for unit in self.units if unit.role == "slave"), None)

    @property
    def known_as(self) -> frozenset[str]:
        """How other sites' lists name its units."""
        return _set(unit.nat_address or unit.address for unit in self.units)


class _Outline(BaseModel):
    """What a ledger needs of a plan, whatever else newer versions write into it."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    sites: tuple[_Site, ...]


@dataclass(slots=True)
class _Account:
    """What stands for one unit."""

    due: set[str] = field(default_factory=set)
    unproven: set[str] = field(default_factory=set)
    unproven_before_reboot: set[str] = field(default_factory=set)
    sights: set[str] = field(default_factory=set)
    sent: frozenset[str] | None = None
    """The partners that were sent to it last, if any were: nothing says that it took them."""
    submitted: set[str] = field(default_factory=set)
    """What it took while it was active, since its pair's last reboot."""
    before_reboot: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    """What was due and submitted before the last reboot, which may turn out never to have been sent."""
    is_green_standby: bool = False
    """Whether others saw it green while it was the standby, and no submission has proven its links anew since."""
    red: frozenset[str] = NONE
    """The partners that it showed red after its last submission, when it last told."""
    is_formed: bool = False
    """Whether a push has begun to form its pair."""
    changed_at: datetime | None = None


class Ledger:
    """Debts, sights and reboots; it grows by whole journals, and by the records of the push that is running.

    ``keys`` are the units that count, by canonical addresses: what a journal says of another unit that has the same
    address, of a lab or of none, is passed over. Without them all count.
    """

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        self._keys = keys
        self._accounts: dict[str, _Account] = {}
        self._reboots: dict[str, list[datetime]] = {}
        self._sites: dict[str, _Site] = {}
        self._slaves_known_as: dict[str, str] = {}
        self._unknown: frozenset[str] = NONE
        self._renewed: set[str] = set()
        self.secrets = SAME_SECRETS
        """What a setting of the Partner Shared Secret before this push has left."""

    # -- what stands in it -------------------------------------------------------------------------------------------

    def owes(self, slave: str) -> frozenset[str]:
        """Return the partners to which a slave's links are still to be made, or to be seen green."""
        account = self._of(slave)
        return frozenset(account.due | account.unproven)

    def due(self, slave: str) -> frozenset[str]:
        """Return the partners for which a slave's pair is still to be rebooted, and they to be submitted on it."""
        return frozenset(self._of(slave).due)

    def unproven(self, slave: str) -> frozenset[str]:
        """Return the partners that were submitted on a slave in its turn, and were not seen green since."""
        return frozenset(self._of(slave).unproven)

    def seen_red(self, slave: str) -> frozenset[str]:
        """Return the partners that were submitted on a slave and that it showed red, while it showed others green."""
        account = self._of(slave)
        return frozenset(account.unproven & account.red)

    def is_due(self, slave: str, partners: Iterable[str]) -> bool:
        """Return whether a reboot of a slave's pair is due for any of these partners."""
        return not _set(partners).isdisjoint(self._of(slave).due)

    def owes_reboot(self, pair: SiteSettings) -> bool:
        """Return whether a pair's reboot is due for any of its planned partners, by this push or an earlier one."""
        return any(self.is_due(unit.address, pair.geo_partners) for unit in pair.units if unit.role == "slave")

    def is_proven_since_renewed(self, pair: SiteSettings, units: Iterable[str]) -> bool:
        """Return whether a push took these units of a pair for new boxes, and the pair has shown all its links since.

        That is: its slave, the one that nobody can ask, owes none, and has shown some.
        """
        slaves = [unit.address for unit in pair.units if unit.role == "slave"]
        is_proven = all(self.sights(slave) and not self.owes(slave) for slave in slaves)
        return is_proven and _set(units) <= self._renewed

    def sights(self, slave: str) -> frozenset[str]:
        """Return the partners that a slave was seen to have green links to, as far as that still holds."""
        return frozenset(self._of(slave).sights)

    def all_sights(self) -> dict[str, frozenset[str]]:
        """Return the sights of every unit that has any, by its canonical address."""
        return {unit: frozenset(account.sights) for unit, account in self._accounts.items() if account.sights}

    def known_links(self) -> KnownLinks:
        """Return all that is known of links, for a comparison of units with a plan."""
        accounts = self._accounts
        owed = {unit: debts for unit in accounts if (debts := self.owes(unit))}
        unseen = {unit: frozenset(left) for unit, each in accounts.items() if (left := each.unproven - each.red)}
        green_standbys = frozenset(unit for unit, account in accounts.items() if account.is_green_standby)
        return KnownLinks(self.all_sights(), owed, unseen, green_standbys, self.secrets)

    def changed_at(self, unit: str) -> datetime | None:
        """Return when a push last changed something on a unit's site, rebooted or submitted there, if one ever did."""
        return self._of(unit).changed_at

    def was_formed(self, pair: SiteSettings) -> bool:
        """Return whether a push has changed HA parameters of a pair's units, or may have."""
        return any(self._of(unit.address).is_formed for unit in pair.units)

    def reboots_of(self, unit: str) -> tuple[datetime, ...]:
        """Return when pushes rebooted a unit, by the clock of this machine at the time."""
        return tuple(sorted(self._reboots.get(canonical(unit), ())))

    def _of(self, unit: str) -> _Account:
        return self._accounts.get(canonical(unit)) or _Account()

    # -- how it grows ------------------------------------------------------------------------------------------------

    def read(self, history: History) -> None:
        """Take a whole journal; those that were begun before it have to be in the ledger by then.

        Raises :class:`UnusableFileError` where its plan cannot be read.
        """
        try:
            for record in history.records:
                self.take(record)
        except ValidationError:
            message = f"{history.path}: the journal has no usable plan"
            raise UnusableFileError(message, hint=MOVE_AWAY) from None

    def take(self, record: AnyRecord) -> None:
        """Take the next record of the journal that is being read or written."""
        if isinstance(record, _CHANGES):
            for unit in self._units(record.site):
                self._account(unit).changed_at = record.at
        match record:
            case models.Begin() | models.Renewed() | models.Unsubmitted():
                self._begin(record)
            case models.Changing(what="geo_partners"):
                before = record.before if isinstance(record.before, tuple) else None
                after = record.after if isinstance(record.after, tuple) else ()
                self._partners_added(record.site, before, after)
                self._set_sent(record.unit, after)
            case models.Changing(what="ha_parameters") if record.action not in AT_WORK:
                for unit in self._units(record.site):
                    self._account(unit).sights.clear()
                    self._account(unit).is_formed = True
            case models.Changed(
                action=Action.SET_GEO_PARTNERS | Action.REMOVE_GEO_PARTNERS | Action.RESUBMIT_GEO_PARTNERS
            ):
                self._partners_left(record.site, record.unit)
            case models.Resubmitting():
                if record.before is not None:
                    self._partners_added(record.site, record.before, record.after)
                self._set_sent(record.unit, record.after)
            case models.Green() | models.GreenStandby() | models.Note(kind=NoteKind.STAYS_RED):
                if record.unit is not None and self._counts(record.unit):
                    self._seen(record, self._account(record.unit))
            case _:
                self._take_of_pair(record)

    @staticmethod
    def _seen(record: models.Green | models.GreenStandby | models.Note, account: _Account) -> None:
        if isinstance(record, models.GreenStandby):
            account.is_green_standby = True
            return
        if isinstance(record, models.Note):
            account.red = account.sent or NONE
            return
        account.sights |= _set(record.partners)
        if account.submitted:  # its pair had its turn since: where it is red from now on, another turn mends nothing
            account.is_green_standby = False
        account.red = _set(record.red)
        account.unproven -= _set(record.partners)

    def _seen_red(self, record: models.Timed) -> None:
        """Take that a drill saw a link red while its unit was active: whatever proved it before does so no more."""
        if record.partner is None or not self._counts(record.unit):
            return
        for site in self._sites.values():
            if canonical(record.partner) in _set(unit.address for unit in site.units):
                self._account(record.unit).sights -= site.known_as

    def _rebooting(self, record: models.Rebooting | updates.Booting) -> None:
        """Take a reboot: its pair owes links until partners are submitted again.

        A drill and an update make none, and owe none.
        """
        if self._counts(record.unit):
            self._reboots.setdefault(canonical(record.unit), []).append(record.at)
        if isinstance(record, updates.Booting):
            return
        if account := self._slave_of(record.site):
            account.before_reboot = (set(account.due), set(account.submitted))
            account.unproven_before_reboot = set(account.unproven)
            if record.is_drill:
                return
            account.due |= _set(self._sites[record.site].geo_partners)
            account.unproven -= account.due
            account.submitted.clear()

    def _take_of_pair(self, record: AnyRecord) -> None:
        match record:
            case models.Rebooting() | updates.Booting():
                self._rebooting(record)
            case models.Timed(what=Sight.RED):
                self._seen_red(record)
            case models.RebootNotSent():
                if self._counts(record.unit) and (reboots := self._reboots.get(canonical(record.unit))):
                    reboots.pop()
                if account := self._slave_of(record.site):
                    account.due, account.submitted = account.before_reboot
                    account.unproven = account.unproven_before_reboot
            case models.TooLate():
                if account := self._slave_of(record.site):
                    account.submitted.clear()
            case models.Resubmitted():
                self._resubmitted(record.site)
            case models.Healthy():
                if account := self._slave_of(record.site):
                    paid = account.due & account.submitted
                    account.due -= paid
                    account.unproven |= paid - account.sights

    def _resubmitted(self, name: str) -> None:
        if account := self._slave_of(name):
            account.submitted |= account.sent or NONE
        site = self._sites.get(name)
        for slave in map(self._slaves_known_as.get, _set(site.geo_partners) if site else ()):
            if site and slave in self._accounts:
                self._accounts[slave].red -= site.known_as  # since its turn nobody has seen it red

    def _renew(self, units: Iterable[str]) -> None:
        """Void what was known of the boxes that stood where these are, and of links to them.

        A slave of another pair has submitted its partners to the box before: of the new one it has to be seen. In the
        pair itself nobody has submitted: its reboot is due.
        """
        new = _set(unit for unit in units if self._counts(unit))
        self._renewed |= new
        boxes = (unit for site in self._sites.values() for unit in site.units)
        known_as = _set(unit.nat_address or unit.address for unit in boxes if canonical(unit.address) in new)
        for address, account in self._accounts.items():
            if address in new:
                self._accounts[address] = _Account(changed_at=account.changed_at)
            else:
                account.sights -= known_as
        for site in self._sites.values():
            if slave := self._slave_of(site.name):
                partners, is_new = _set(site.geo_partners), not new.isdisjoint(self._units(site.name))
                slave.due |= partners if is_new else NONE
                slave.unproven = (slave.unproven | (partners & known_as)) - slave.due

    def _begin(self, record: models.Begin | models.Renewed | models.Unsubmitted) -> None:
        if isinstance(record, models.Begin):
            self._open(record)
        elif isinstance(record, models.Renewed):
            self._renew(record.units)
        elif account := self._slave_of(record.site):
            account.due |= _set(record.partners)

    def _open(self, begin: Begin) -> None:
        outline, own = _Outline.model_validate(begin.plan), self._keys or {}
        units = {} if self._keys is None else {canonical(address): key for address, key in begin.units.items()}
        self._unknown = frozenset(unit for unit, key in units.items() if own.get(unit) != key)
        self._sites = {site.name: site for site in outline.sites}
        slaves = (unit for site in outline.sites for unit in site.units if unit.role == "slave")
        self._slaves_known_as = {
            canonical(each.nat_address or each.address): canonical(each.address) for each in slaves
        }

    def _partners_added(self, site: str, before: Iterable[str] | None, after: Iterable[str]) -> None:
        """Take what a list may have got; where it is not told what was there, that is all of it."""
        added = _set(after) - (NONE if before is None else _set(before))
        for unit in self._units(site):
            self._account(unit).sights -= added
        if account := self._slave_of(site):
            account.due |= added
            account.unproven -= added
            account.submitted -= added  # what it took before does not count for these
        own = self._sites[site].known_as if site in self._sites else NONE
        for address in added:
            slave = self._slaves_known_as.get(address)
            if slave is not None and self._counts(slave):
                self._account(slave).sights -= own

    def _partners_left(self, site: str, unit: str) -> None:
        """Take what a list was seen to hold: who is not on it any more takes along what was owed and seen."""
        held = self._account(unit).sent if self._counts(unit) else None
        if held is None:
            return
        for own in self._units(site):
            account = self._account(own)
            account.due &= held
            account.unproven &= held
            account.sights &= held

    def _set_sent(self, unit: str, addresses: Iterable[str]) -> None:
        if self._counts(unit):
            self._account(unit).sent = _set(addresses)
            self._account(unit).red = NONE  # what it showed before says nothing of this submission

    def _units(self, site: str) -> tuple[str, ...]:
        units = self._sites[site].units if site in self._sites else ()
        return tuple(address for unit in units if self._counts(address := canonical(unit.address)))

    def _slave_of(self, site: str) -> _Account | None:
        slave = self._sites[site].slave if site in self._sites else None
        return self._account(slave) if slave is not None and self._counts(slave) else None

    def _counts(self, unit: str) -> bool:
        return canonical(unit) not in self._unknown

    def _account(self, unit: str) -> _Account:
        return self._accounts.setdefault(canonical(unit), _Account())


def _set(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(map(canonical, addresses))
