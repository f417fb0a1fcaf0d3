"""How all units of a topology stand at one moment, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from geoplan.live.findings.kinds import Severity

UNDER_WAY, LEFT = "under way", "left"

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from geoplan.live.findings import Report
    from geoplan.live.findings.kinds import Finding
    from geoplan.live.findings.states import UnitState
    from geoplan.live.model import Failure, HaFacts
    from geoplan.plan.model import Kind as SiteKind
    from geoplan.plan.model import Role
    from geoplan.status.links import SiteLinks


@dataclass(frozen=True, slots=True)
class Count:
    """How many of those that the plan has are as they should be; None where the unit does not tell."""

    good: int | None
    planned: int


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """One unit at a glance; what it does not tell is nothing."""

    address: str
    role: Role
    state: UnitState
    since: datetime | None = None
    """When it was seen to come into this state; None where it was so from the first look on."""
    health: str | None = None
    """What its health check answered: a status code, ``refused``, ``timeout``, ``unreachable`` or ``cut off``."""
    firmware: str | None = None
    ha: HaFacts | None = None
    ha_differs: tuple[str, ...] = ()
    """What of its HA parameters is not as it should be: ``mode``, ``partner``, ``port``, ``preferred``, …"""
    ha_not_compared: tuple[str, ...] = ()
    """What of them is not told, or told by a name that stands for nothing here: neither right nor wrong."""
    geo_enabled: bool | None = None
    ssh_access: bool | None = None
    partners: Count | None = None
    """Of its planned GEO partners, those that it sees green."""
    clusters: Count | None = None
    """Of its group's planned clusters, those that it has."""
    failure: Failure | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """A pair or a standalone."""

    name: str
    kind: SiteKind
    group: str
    active: str | None
    """The address of the unit that takes settings; None where that is not exactly one."""
    failed_over: bool
    units: tuple[UnitStatus, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """All sites of a plan, in its order, and everything worth saying about them."""

    topology: str
    checksum: str
    at: datetime
    sites: tuple[SiteStatus, ...]
    findings: tuple[Finding, ...]
    groups: tuple[str, ...] = ()
    """The names of the groups that the sites are in, in the topology's order."""
    sites_left_out: int = 0
    """The sites that were looked at and are not here, since nothing is wrong with them."""
    units_left_out: int = 0
    """Their units."""

    @property
    def problems(self) -> Status:
        """The same with what is wrong alone: the findings that are no mere notes, and the sites that they are about."""
        findings = tuple(finding for finding in self.findings if finding.severity is not Severity.KNOWING)
        troubled = {name for finding in findings for name in finding.sites}
        left_out = [site for site in self.sites if site.name not in troubled]
        return replace(
            self,
            sites=tuple(site for site in self.sites if site.name in troubled),
            findings=findings,
            sites_left_out=self.sites_left_out + len(left_out),
            units_left_out=self.units_left_out + sum(len(site.units) for site in left_out),
        )

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done."""
        return all(finding.severity is Severity.KNOWING for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Drift:
    """What a comparison with the plan has found, as of one moment."""

    report: Report
    findings: tuple[Finding, ...]
    at: datetime
    besides: tuple[Finding, ...] = ()
    """Those that the look just before it did not have: they last until the next comparison."""


@dataclass(frozen=True, slots=True)
class PushStep:
    """A step of a push that runs."""

    number: int
    name: str
    state: str
    """``under way``, ``left``, or how it has ended."""


@dataclass(frozen=True, slots=True)
class RunningPush:
    """A push, drill or upgrade that runs on this machine."""

    called: str
    """Of what, by whom and since when."""
    steps: tuple[PushStep, ...] = ()
    """Empty before its first change, while it checks."""

    @property
    def done(self) -> int:
        """How many steps have ended."""
        return sum(step.state not in (UNDER_WAY, LEFT) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a watch knows after a look."""

    status: Status
    drift: Drift | None = None
    """The last comparison with the plan; None where there was none."""
    is_pushed: bool | None = None
    """Whether a push of these units ran during the look; None where it is not known."""
    push: RunningPush | None = None
    """The one that ran at its end, for a page."""
    links: tuple[SiteLinks, ...] = ()
    """What active units say of each two sites, for a page."""
    states: Mapping[str, UnitState] = field(default_factory=dict)
    """The state of each unit that was asked, those of sites that are left out among them, for a page."""
