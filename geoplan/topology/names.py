"""Names: how they compare, the slugs made of them, and the site that somebody means."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError
from geoplan.wording import folded

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def slugs_of(names: Iterable[str]) -> dict[str, str]:
    """Give each name a slug of its letters and digits; one that is empty or taken gets ``-2``, ``-3`` and so on."""
    slugs: dict[str, str] = {}
    taken = {""}
    next_number: defaultdict[str, int] = defaultdict(lambda: 2)
    for name in names:
        plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", name).lower()).strip("-")
        slug = plain
        while slug in taken:
            slug = f"{plain}-{next_number[plain]}"
            next_number[plain] += 1
        taken.add(slug)
        slugs[name] = slug
    return slugs


def site_named(topology: Topology, name: str, *, otherwise: str | None = None) -> Site:
    """Return the site of that name in any case, or of that slug.

    Raises :class:`geoplan.GeoplanError` where there is none, with the nearest name as its hint, or ``otherwise``.
    """
    slugs = slugs_of(site.name for site in topology.sites)
    found = next((site for site in topology.sites if folded(site.name) == folded(name)), None)
    found = found or next((site for site in topology.sites if slugs[site.name] == name.lower()), None)
    if found is None:
        near = nearest(name, slugs) or nearest(name, slugs.values())
        hint = f"did you mean '{near}'?" if near else otherwise or f"the sites are: {', '.join(slugs)}"
        raise GeoplanError(f"{topology.name} has no site '{name}'", hint=hint)
    return found
