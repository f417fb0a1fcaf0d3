"""Which sites a way back of the Partner Shared Secret leaves alone: the one rule of that, from journals alone.

A unit may have what is taken back from the moment it is about to be sent it, and until its site has provably what it
had before, or a push of the secret on it has come to its end. A site without such a unit has nothing to go back from.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.links import SAME_SECRETS, GivenSecrets
from geoplan.push import secret_records as secrets
from geoplan.push.history import COMPLETED
from geoplan.push.secret_progress import holders_of, left_different, sites_that_differ

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geoplan.plan.model import Plan, SiteSettings
    from geoplan.push.history import History


def left_alone(
    plan: Plan, rotations: Iterable[History], own: History | None, *, undoes: str | None = None
) -> frozenset[str]:
    """Return the sites that a way back sends nothing; they may be down.

    ``rotations`` are all pushes of the secret, the oldest first, ``own`` is this one where it has begun, or the one
    that ``undoes`` names. Where nothing is left to take back, a whole push of the secret is: on all sites of the plan.
    """
    if plan.secret is None or not plan.secret.goes_back:
        return frozenset()
    if own is not None and (recorded := recorded_alone(own)) is not None:
        return recorded
    begun = own if own and own.rotation and own.rotation.goes_back else None
    earlier = [each for each in rotations if begun is None or each.path != begun.path]
    given, undone = not_taken_back(earlier), undoes or (begun.begin.undoes if begun else None)
    if any(each.name == undone and each.outcome in COMPLETED for each in earlier):
        return frozenset()  # all of it goes back
    if not (given or undone):
        return frozenset()
    needed = given.union(*left_different(earlier))
    return frozenset(site.name for site in plan.sites if not needed & _units(site))


def recorded_alone(history: History) -> frozenset[str] | None:
    """Return the sites that a way back which has begun sends nothing, or None where it does not say."""
    found = (record.sites for record in history.records if isinstance(record, secrets.SecretsLeftAlone))
    return next((frozenset(sites) for sites in found), None)


def not_taken_back(rotations: Sequence[History]) -> frozenset[str]:
    """Return the units that may have a secret of a push that never came to its end, by their canonical addresses."""
    left: frozenset[str] = frozenset()
    for history in rotations:
        sites, given = history.plan.sites, _may_have(history)
        own = frozenset[str]().union(*map(_units, sites))
        if history.outcome in COMPLETED:
            left -= own
        elif history.rotation and not history.rotation.goes_back:
            left |= given
        elif given:  # what it was to set back and has not is still to be
            differing = sites_that_differ(history)
            back = [_units(site) for site in sites if site.name not in differing and _units(site) <= _has(history)]
            left = (left | (left & own or own)).difference(*back)
    return left


def given_secrets(rotations: Sequence[History]) -> GivenSecrets:
    """Return what pushes of the secret have left that did not come to their end, the oldest first."""
    given = not_taken_back(rotations)
    if not given:
        return SAME_SECRETS
    last = rotations[-1]
    alike = (unit for site in last.plan.sites for unit in holders_of(last, site.name).having)
    return GivenSecrets(given, frozenset(map(canonical, alike)) & given)


def given_before(own: History, rotations: Sequence[History]) -> frozenset[str]:
    """Return the sites of a push of which a unit may have the secret of one before it that never came to its end."""
    given = not_taken_back([each for each in rotations if each.path != own.path and each.number < own.number])
    return frozenset(site.name for site in own.plan.sites if given & _units(site))


def _may_have(history: History) -> frozenset[str]:
    """Return the units that were given a secret, or may have been."""
    given: Counter[str] = Counter()
    for record in history.records:
        if isinstance(record, secrets.SettingSecret):
            given[canonical(record.unit)] += 1
        elif isinstance(record, secrets.SecretNotSet):
            given[canonical(record.unit)] -= 1
    return frozenset(+given)


def _has(history: History) -> frozenset[str]:
    return frozenset(canonical(each.unit) for each in history.records if isinstance(each, secrets.SecretSet))


def _units(site: SiteSettings) -> frozenset[str]:
    return frozenset(canonical(unit.address) for unit in site.units)
