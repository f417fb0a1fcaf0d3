"""What belongs to the groups of a plan, found once for all of them: there may be a thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class OfGroup(Protocol):
    """What belongs to one group: a site, a cluster."""

    @property
    def group(self) -> str:
        """Its name."""


Member = TypeVar("Member", bound=OfGroup)


def grouped(members: Iterable[Member]) -> dict[str, tuple[Member, ...]]:
    """Return the members of each group by its name, in their order; a group without any is not among them."""
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(member.group, []).append(member)
    return {group: tuple(of_group) for group, of_group in found.items()}
