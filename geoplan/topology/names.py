"""Names: how they compare, and the site or group that somebody means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError
from geoplan.topology.slugs import slugs_of
from geoplan.wording import folded, shorten, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geoplan.topology.model import Site, Topology

ROLE_WORDS = {  # newer firmware says first and second, and many say primary and secondary
    "first": "master",
    "primary": "master",
    "second": "slave",
    "secondary": "slave",
}
SHORTEST = 3  # letters of a word that is taken for the beginning of another
LIKENESS = 0.6  # of 1; below it a suggestion is more often wrong than right


def nearest(word: str, known: Iterable[str], *, likeness: float = LIKENESS) -> str | None:
    """Return the known word that a mistyped or shortened one most likely means."""
    import difflib  # noqa: PLC0415 - only a file with faults needs it

    by_folded = {folded(name): name for name in known}
    close = difflib.get_close_matches(folded(word), by_folded, n=1, cutoff=likeness)
    longer = [name for name in by_folded if len(word) >= SHORTEST and name.startswith(folded(word))]
    if close:
        return by_folded[close[0]]
    return by_folded[longer[0]] if len(longer) == 1 else None


def site_named(topology: Topology, name: str, *, otherwise: str | None = None, place: str | None = None) -> Site:
    """Return the site of that name in any case, or of that slug.

    Raises :class:`geoplan.GeoplanError` where there is none, with the nearest name and the names there are as its hint,
    or ``otherwise`` in place of these. ``place`` is where somebody would look for it, if not in the topology by name.
    """
    found = _named(name, (site.name for site in topology.sites))
    if found is None:
        raise _unknown("site", name, [site.name for site in topology.sites], place or topology.name, otherwise)
    return next(site for site in topology.sites if site.name == found)


def group_named(topology: Topology, name: str, *, place: str | None = None) -> str:
    """Return how a topology writes the group of that name, in any case, or of that slug.

    Raises :class:`geoplan.GeoplanError` where there is none, as :func:`site_named` does.
    """
    place = place or topology.name
    if topology.groups is None:
        message = f"{place} has no group '{shorten(name)}': this file writes no groups"
        raise GeoplanError(message, hint="name no group: all its sites form one")
    found = _named(name, topology.groups)
    if found is None:
        raise _unknown("group", name, list(topology.groups), place, None)
    return found


def _named(name: str, known: Iterable[str]) -> str | None:
    slugs = slugs_of(known)
    found = next((each for each in slugs if folded(each) == folded(name)), None)
    return found or next((each for each, slug in slugs.items() if slug == name.lower()), None)


def _unknown(noun: str, name: str, known: Sequence[str], place: str, otherwise: str | None) -> GeoplanError:
    slugs = slugs_of(known)
    near = nearest(name, slugs) or nearest(name, slugs.values())
    names = otherwise or f"the {noun}s are: {some_of(known)}"
    return GeoplanError(
        f"{place} has no {noun} '{shorten(name)}'", hint=f"did you mean '{near}'? {_capital(names)}" if near else names
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
