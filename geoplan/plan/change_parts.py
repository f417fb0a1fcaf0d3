"""What becomes of each group before: the part that goes on as it, and those that leave it; and who joins whom."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from geoplan.plan.lists import pairs_of, standalones_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from geoplan.plan.model import SiteSettings
    from geoplan.topology.model import Group, Site


class PartBefore(NamedTuple):
    """Sites of one group before that stay linked with each other, and lose whatever link they have with the others."""

    group: str
    goes_to: str | None
    """The group that they are in now; None where they leave for good."""
    sites: tuple[SiteSettings, ...]
    goes_on: bool = False
    """Whether it goes on as the group, with its GEO configuration; only the first part of a group can."""


class GroupAfter(NamedTuple):
    """A group, the sites that were one before in its order, and those that join them."""

    group: Group
    core: tuple[Site, ...]
    joining: tuple[Site, ...]

    reference: str
    """The site whose GEO configuration the others take over, and where its clusters are entered."""


class _Block(NamedTuple):
    """The sites of one group before that are in one group now."""

    before: str
    now: str
    sites: tuple[SiteSettings, ...]

    @property
    def rank(self) -> tuple[bool, int]:
        """What makes one block go on rather than another: the group's name, then its size."""
        return self.before == self.now, len(self.sites)


class Parts(NamedTuple):
    """How the groups before are taken apart, and who is the core of each group now."""

    before: tuple[tuple[PartBefore, ...], ...]
    """Each group before in its parts."""
    cores: Mapping[str, Collection[str]]
    """The sites that were one before, by the name of the group that they are in now."""


def parts_of(before: Iterable[SiteSettings], now: Mapping[str, str], groups: Collection[str]) -> Parts:
    """Take the groups before apart; ``now`` is the group that each site is in, and ``groups`` those that there are.

    What goes on as a group keeps its links, and so does what leaves one to be a group of its own. Every site that
    joins others leaves alone, and so does every one that leaves for good: it takes over another GEO configuration, or
    none, and what is deleted on it must reach nobody.
    """
    found: defaultdict[str, defaultdict[str, list[SiteSettings]]] = defaultdict(lambda: defaultdict(list))
    for site in before:
        found[site.group][now[site.name]].append(site)
    blocks = {
        group: [_Block(group, to, tuple(sites)) for to, sites in by_group.items()] for group, by_group in found.items()
    }
    cores = _cores(blocks, groups)
    return Parts(
        before=tuple(tuple(_parts(own, cores, groups)) for own in blocks.values()),
        cores={group: [site.name for site in block.sites] for group, block in cores.items()},
    )


def _cores(blocks: Mapping[str, Sequence[_Block]], groups: Collection[str]) -> dict[str, _Block]:
    """Return the block that each group now is made around: one that its group before would go on as, if there is any.

    Such a block still has its clusters, and nobody has to be seeded with what is gone.
    """
    best = {id(max(own, key=lambda block: (block.now in groups, *block.rank))) for own in blocks.values()}
    by_group: defaultdict[str, list[_Block]] = defaultdict(list)
    for own in blocks.values():
        for block in own:
            if block.now in groups:
                by_group[block.now].append(block)
    return {group: max(own, key=lambda block: (id(block) in best, *block.rank)) for group, own in by_group.items()}


def _parts(blocks: Sequence[_Block], cores: Mapping[str, _Block], groups: Collection[str]) -> Iterator[PartBefore]:
    """Yield the parts of one group before, first the one that goes on as it."""
    whole = [block for block in blocks if cores.get(block.now) is block]
    stays = max(whole, key=lambda block: block.rank, default=None)
    if stays:
        yield PartBefore(stays.before, stays.now, stays.sites, goes_on=True)
    for block in blocks:
        if block is stays:
            continue
        goes_to = block.now if block.now in groups else None
        for sites in [block.sites] if block in whole else [(site,) for site in block.sites]:
            yield PartBefore(block.before, goes_to, sites)


def groups_after(
    groups: Iterable[Group], cores: Mapping[str, Collection[str]], emptied: Collection[str]
) -> Iterator[GroupAfter]:
    """Yield each group with the sites that were one before, and those that join them."""
    for group in groups:
        core = frozenset(cores.get(group.name, ()))
        in_order = (*pairs_of(group), *standalones_of(group))
        first = min(in_order, key=lambda site: (site.name not in core, site.name in emptied))
        yield GroupAfter(
            group=group,
            core=tuple(site for site in in_order if site.name in core),
            joining=tuple(site for site in in_order if site.name not in core),
            reference=first.name,
        )
