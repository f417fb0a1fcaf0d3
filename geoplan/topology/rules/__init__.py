"""What a topology of the right shape can still have wrong: a module for each concept, a function for each rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.diagnostics import Diagnostic, ShownLine, without_secrets
from geoplan.errors import InvalidInputError
from geoplan.topology.finding import ERROR, Rule
from geoplan.topology.partial import partial_topology
from geoplan.topology.rules import addresses, aws, sites, units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.topology.finding import Finding
    from geoplan.topology.model import Topology
    from geoplan.topology.partial import PartialTopology

RULES: dict[str, Rule] = {
    each.code: each
    for each in sorted(
        each for module in (addresses, aws, sites, units) for each in vars(module).values() if isinstance(each, Rule)
    )
}


def broken_rules(topology: PartialTopology) -> Iterator[tuple[str, Finding]]:
    """Yield every finding of every rule, with its code."""
    for each in RULES.values():
        for finding in each.find(topology):
            yield each.code, finding


def require_well_formed(topology: Topology) -> None:
    """Raise :class:`geoplan.InvalidInputError` with every broken rule of a topology, warnings aside.

    What the loader has read is not looked at again; a topology that a program has built, or altered in a copy, is.
    """
    if topology.is_well_formed:
        return
    found = broken_rules(partial_topology(topology.model_dump(exclude_unset=True, exclude_none=True)))
    errors = [
        Diagnostic(
            topology.name,
            code,
            ERROR,
            without_secrets(finding.message),
            without_secrets(finding.hint),
            where=ShownLine(finding.where).masked,
        )
        for code, finding in found
        if RULES[code].meaning.severity is ERROR
    ]
    if errors:
        raise InvalidInputError(f"the topology '{topology.name}' breaks the rules: {errors[0].message}", errors)
