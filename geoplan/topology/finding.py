"""What can be wrong with a topology file: a code and all that is said of it, a place where it is so, and a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from geoplan.diagnostics import Severity

if TYPE_CHECKING:
    from geoplan.topology.partial import PartialTopology
    from geoplan.yaml12 import Loc

ERROR, WARNING = Severity.ERROR, Severity.WARNING

DOCUMENT = "LoadMaster HA for AWS"
YAML = "YAML 1.2.2"
FORMAT = "geoplan's topology format (geoplan schema topology)"
GEO = "GEO Feature Description"
UPDATING = "Updating the LoadMaster Software"
BALANCING = "Elastic Load Balancing, Network Load Balancers"


class Code(NamedTuple):
    """What a code means, why it matters, and where that comes from."""

    severity: Severity
    title: str
    why: str
    source: str


class Finding(NamedTuple):
    """One place where something is wrong; ``at_key`` shows the key there and not the value."""

    loc: Loc
    message: str
    hint: str
    at_key: bool = False

    @property
    def where(self) -> str:
        """The way to the value as people write it: ``sites[0].ha_pair.master``."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.loc).removeprefix(".")


Find = Callable[["PartialTopology"], Iterator[Finding]]


class Rule(NamedTuple):
    """A rule for topologies: its code, and what finds the places where it is broken."""

    code: str
    meaning: Code
    find: Find


def rule(
    code: str, title: str, *, why: str, source: str = FORMAT, severity: Severity = ERROR
) -> Callable[[Find], Rule]:
    """Make a rule of the function that finds where it is broken; the rest is what ``geoplan check --explain`` says."""
    return lambda find: Rule(code, Code(severity, title, why, source), find)
