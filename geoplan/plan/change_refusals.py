"""What no safe plan leads to: every reason at once, before anything is planned."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from geoplan.addresses import canonical, is_address
from geoplan.errors import ChangeRefusedError
from geoplan.wording import folded, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from geoplan.plan.change_graph import Work
    from geoplan.plan.change_parts import GroupAfter
    from geoplan.plan.model import Plan, SiteSettings

_KINDS = {"ha_pair": "an HA pair", "standalone": "a standalone"}
_UNITS = {"ha_pair": 2, "standalone": 1}
IN_TWO = "make it in two changes"


class Matched(NamedTuple):
    """The sites of the older plan, told apart by what became of them; all under the names they have now."""

    before: dict[str, SiteSettings]
    """What was planned for each site before."""
    leaving: tuple[SiteSettings, ...]
    now: dict[str, str]
    """The name now of each site before."""
    problems: tuple[str, ...]


def require_sound(old: Plan) -> None:
    """Check that a plan that was read can have been planned. Raises :class:`ChangeRefusedError`."""
    names = Counter(site.name for site in old.sites)
    units = Counter(canonical(unit.address) for site in old.sites for unit in site.units)
    shown = [
        address for site in old.sites for unit in site.units for address in _written(unit.address, unit.nat_address)
    ]
    problems = [f"it has the site '{name}' {number} times" for name, number in names.items() if number > 1]
    problems += [f"it has the unit {address} {number} times" for address, number in units.items() if number > 1]
    problems += [f"'{address}' is no address" for address in shown if not is_address(address)]
    problems += [
        f"'{site.name}' is {_KINDS[site.kind]} of {len(site.units)} units"
        for site in old.sites
        if len(site.units) != _UNITS[site.kind]
    ]
    problems += [f"the cluster '{each.name}' is of no site of it" for each in old.clusters if each.site not in names]
    if problems:
        raise ChangeRefusedError(
            f"the older plan '{old.topology}' is none that geoplan makes:",
            problems,
            hint="give the topology that it was made of",
        )


def _written(*addresses: str | None) -> Iterator[str]:
    yield from (address for address in addresses if address)


def require_possible(after: Mapping[str, SiteSettings], matched: Matched, replaced: Collection[str]) -> None:
    """Check that sites are what they were, and that replaced units can be. Raises :class:`ChangeRefusedError`."""
    problems = list(matched.problems)
    for name, site in matched.before.items():
        if name in after and site.kind != after[name].kind:
            problems.append(f"'{name}' was {_KINDS[site.kind]} and is {_KINDS[after[name].kind]} now")
    problems += _taken_over(after, matched)
    wrong = list(_wrongly_replaced(after, matched, replaced))
    if wrong and not problems:
        units = some_of([unit.address for site in after.values() for unit in site.units])
        _refuse(wrong, f"--replaced takes units that were there before and are there now; there are now {units}")
    _refuse(
        [*problems, *wrong],
        "make it in steps: let the site leave first, form or split the pair by hand, then let it join",
    )


def _wrongly_replaced(after: Mapping[str, SiteSettings], matched: Matched, replaced: Collection[str]) -> Iterator[str]:
    now, before = (
        {canonical(unit.address): site.name for site in sites for unit in site.units}
        for sites in (after.values(), matched.before.values())
    )
    for address in replaced:
        key = canonical(address)
        if key not in now:
            yield f"no site has the unit {address} that is to be replaced"
        elif key not in before:
            yield f"{address} of '{now[key]}' was not there before, so it is new in any case: leave --replaced out"


def _taken_over(after: Mapping[str, SiteSettings], matched: Matched) -> Iterator[str]:
    """Yield each address that leads to another site's unit now: no list and no cluster would tell the two apart."""
    owners = {address: site.name for site in after.values() for address in shown_addresses(site)}
    for name, site in matched.before.items():
        for address in sorted(shown_addresses(site)):
            owner = owners.get(address)
            if owner is not None and owner != name:
                yield f"{address} led to '{name}' and leads to '{owner}' now: {IN_TWO}, first the one that leaves it"


def require_safe(work: Work) -> None:
    """Check that no GEO configuration is lost, and that what is deleted reaches everybody whom it has to reach.

    Raises :class:`ChangeRefusedError` with every reason.
    """
    problems: list[str] = []
    for whole in work.before:
        problems += [
            f"'{site.name}' has a new unit and leaves its group '{part.group}': {IN_TWO}, first the unit"
            for part in whole
            if not part.goes_on
            for site in part.sites
            if site.name in work.renewed
        ]
        problems += [
            f"'{site.name}' is reached at another address while others leave its group: {IN_TWO}, first the address"
            for part in whole
            if whole[1:] and part.sites[1:]
            for site in part.sites
            if _is_reached_elsewhere(site, work.settings[site.name])
        ]
    problems += [
        f"'{change.site}' has a new unit, and other HA parameters: {IN_TWO}, first the unit"
        for change in work.ha_changes
        if change.site in work.renewed
    ]
    problems += _without_configuration(work.after, work.old_settings, work.emptied)
    problems += _swapped_names(work)
    _refuse(problems, "nothing was changed; plan the first of the changes alone, and the next one --from there")


def _is_reached_elsewhere(old: SiteSettings, new: SiteSettings) -> bool:
    """Return whether a unit that goes on is reached at another address: until all lists have it, it has no link."""
    before, now = ({canonical(unit.address): unit.nat_address for unit in site.units} for site in (old, new))
    return any(now[address] != nat for address, nat in before.items() if address in now)


def _without_configuration(
    groups: Iterable[GroupAfter], old_settings: Mapping[str, SiteSettings], emptied: Collection[str]
) -> Iterator[str]:
    """Yield the groups whose GEO configuration nobody would have any more."""
    for after in groups:
        new = {site.name for site in after.group.sites if site.name not in old_settings}
        lost = sorted(name for name in new if f"{name} (old)" in old_settings)
        if after.core and all(site.name in emptied for site in after.core):
            names = ", ".join(f"'{site.name}'" for site in after.core)
            yield f"every unit of {names} is new, so nobody has the GEO configuration any more: restore a backup first"
        elif not after.core and lost:
            names = ", ".join(f"'{name}'" for name in lost)
            yield f"every unit of {names} is at another address, and nobody keeps the GEO configuration for them"


def _swapped_names(work: Work) -> Iterator[str]:
    """Yield the clusters each of which is to have another one's name: none of these names is free first."""
    for group in work.after:
        core = {site.name for site in group.core} - work.without_cluster
        holders = {folded(work.old_clusters[site].name): site for site in sorted(core) if site in work.old_clusters}
        gives = {site: holders.get(folded(work.clusters[site].name)) for site in sorted(core)}
        left = set(gives)
        for site in gives:
            ring: list[str] = []
            other: str | None = site
            while other is not None and other in left:
                left.discard(other)
                ring.append(other)
                other = gives[other]
            if other in ring[:-1]:
                names = ", ".join(f"'{name}'" for name in ring[ring.index(other) :])
                yield f"the clusters of {names} swap their names: {IN_TWO}, first to a name that none of them has"


def _refuse(problems: Sequence[str], hint: str) -> None:
    if problems:
        raise ChangeRefusedError(
            "the change is refused, and nothing is planned:", list(dict.fromkeys(problems)), hint=hint
        )


def shown_addresses(site: SiteSettings) -> frozenset[str]:
    """Return where the other sites reach a site's units."""
    return frozenset(canonical(unit.nat_address or unit.address) for unit in site.units)
