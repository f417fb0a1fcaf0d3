"""How far a journal says that the Partner Shared Secret has come: who has it, and whose secrets may differ."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical
from geoplan.push import records as models
from geoplan.push import secret_records as secrets
from geoplan.vendor import SHARED_SECRET
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.push.history import History
    from geoplan.push.records import AnyRecord

OF_SITES = (
    secrets.SettingSecret,
    secrets.SecretNotSet,
    secrets.SecretSet,
    secrets.SecretsMayDiffer,
    secrets.SecretInForce,
)


class SiteSecrets:
    """One site by its records; units are named as they are there.

    A process that goes on may have been given another secret than the one before it: what a unit was given counts
    with what its partner was given in the same run, and with nothing else.
    """

    def __init__(self, units: Iterable[str]) -> None:
        self.units = frozenset(map(canonical, units))
        self.given: list[str] = []
        """The units that were given it in this run, since its units were the same last, in their order."""
        self.order: tuple[str, ...] = ()
        """The units that may have been given it since then, in any run, in their order."""
        self.is_in_force = False
        """Whether this run has given it to all of them, and seen the site whole."""
        self.has_all = False
        """Whether this run has given it to all of them."""
        self._unclear: Counter[str] = Counter()
        self._left_open = False
        self._order_before: tuple[str, ...] = ()

    @property
    def may_differ(self) -> bool:
        """Whether some units may have been given it, and others not."""
        return self._left_open or bool(self.given) or any(self._unclear.values())

    @property
    def needs_mending(self) -> bool:
        """Whether its units have to be set again before any other site: they may differ, or were never seen whole."""
        return self.may_differ or (self.has_all and not self.is_in_force)

    @property
    def is_first_request(self) -> bool:
        """Whether what was recorded last begins with the site: no unit of it may have been given it before that."""
        return not self._left_open and not self.given and sum(self._unclear.values()) <= 1

    def add(self, record: AnyRecord) -> None:
        """Take the next record of the site, or of another process that goes on."""
        match record:
            case models.Resumed():
                self._left_open = self.needs_mending
                self.given.clear()
                self._unclear.clear()
                self.is_in_force = self.has_all = False
            case secrets.SecretsMayDiffer():
                self._left_open, self.order = True, tuple(record.units)
            case secrets.SettingSecret():
                self._unclear[canonical(record.unit)] += 1
                self._order_before = self.order
                self.order = tuple(dict.fromkeys((*self.order, record.unit)))
            case secrets.SecretNotSet():
                self._unclear[canonical(record.unit)] -= 1
                self.order = self._order_before if self.may_differ else ()
            case secrets.SecretSet():
                self._take(record.unit)
            case secrets.SecretInForce():
                self.is_in_force = True
            case _:
                return

    def _take(self, unit: str) -> None:
        self._unclear.pop(canonical(unit), None)
        self.given = [*dict.fromkeys((*self.given, unit))]
        if self.units <= set(map(canonical, self.given)):
            self.has_all, self._left_open, self.order = True, False, ()
            self.given.clear()
            self._unclear.clear()


def secrets_of(history: History, site: str) -> SiteSecrets:
    """Return how far a site has come. Raises :class:`KeyError` where the push's plan has no such site."""
    found = SiteSecrets(unit.address for unit in history.plan.site(site).units)
    for record in history.records:
        if isinstance(record, models.Resumed) or (isinstance(record, OF_SITES) and record.site == site):
            found.add(record)
    return found


class Holders(NamedTuple):
    """Which units of a site have what a push sets, by its journal."""

    having: tuple[str, ...]
    unclear: tuple[str, ...]
    """Those that may have it, or not."""
    before: tuple[str, ...]
    """Those that were not given it: they have what they had."""


def holders_of(history: History, name: str) -> Holders:
    """Return which units of a site have what a push sets. Raises :class:`KeyError` where its plan has no such site."""
    found, own = secrets_of(history, name), tuple(unit.address for unit in history.plan.site(name).units)
    if not found.may_differ:
        return Holders(own, (), ()) if found.has_all else Holders((), (), own)
    unclear = tuple(each for each in found.order if each not in found.given)
    return Holders(tuple(found.given), unclear, tuple(each for each in own if each not in found.order))


def who_has_which(history: History, name: str) -> str:
    """Say of a site that was begun who may have which secret."""
    found = secrets_of(history, name)
    named = "the old" if history.rotation and history.rotation.goes_back else "the new"
    if not found.may_differ:
        return f"all of it has {named} {SHARED_SECRET}" if found.has_all else "its units have the same"
    holders = holders_of(history, name)
    words = [(holders.having, f"has {named} {SHARED_SECRET}"), (holders.unclear, "may have it, or not")]
    words.append((holders.before, "has the one before"))
    return f"its units may differ: {', '.join(f'{join_words(units)} {has}' for units, has in words if units)}"


def sites_that_differ(history: History) -> dict[str, SiteSecrets]:
    """Return the sites of a push whose units may have different secrets, by their names."""
    begun = dict.fromkeys(record.site for record in history.records if isinstance(record, OF_SITES))
    found = {site: secrets_of(history, site) for site in begun}
    return {site: secrets for site, secrets in found.items() if secrets.needs_mending}


def has_begun(history: History, sites: Iterable[str]) -> bool:
    """Return whether any unit of some sites may have been given the secret by a push."""
    wanted = frozenset(sites)
    return any(isinstance(record, secrets.SettingSecret) and record.site in wanted for record in history.records)


def given_to(history: History) -> tuple[str, ...]:
    """Return the units that said, in this push, that they have it; in their order."""
    found = (record.unit for record in history.records if isinstance(record, secrets.SecretSet))
    return tuple(dict.fromkeys(found))


def left_different(histories: Iterable[History]) -> dict[frozenset[str], tuple[str, ...]]:
    """Return the pairs whose units may have different secrets by all pushes, the oldest first, in the order of setting.

    By their canonical addresses. A push that was given up leaves them so; one that came after it may have mended them.
    """
    left: dict[frozenset[str], tuple[str, ...]] = {}
    for history in histories:
        if history.rotation is None:
            continue
        for site in history.plan.sites:
            found = secrets_of(history, site.name)
            if found.needs_mending:
                left[found.units] = found.order
            elif any(isinstance(each, secrets.SecretSet) and each.site == site.name for each in history.records):
                left.pop(found.units, None)
    return left
