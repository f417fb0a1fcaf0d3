"""What concerns single units or all sites together: reachability, GEO, SSH, partner links, lists and clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geoplan import vendor
from geoplan.addresses import canonical
from geoplan.live.findings.compare import Kind, verify
from geoplan.live.links import NO_SIGHTS
from geoplan.live.model import CHECK_CREDENTIALS, Cause, State
from geoplan.status.model import Finding, FindingKind, Severity, UnitState
from geoplan.status.unit_state import unit_at, unit_state
from geoplan.status.wording import listed, sentence, titled
from geoplan.vendor import has_partner_secret, parse_version
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.live.links import Sights
    from geoplan.live.model import Failure, Observation, Observations
    from geoplan.plan.model import Plan
    from geoplan.status.wording import Command

_CAUSES = {
    Cause.UNREACHABLE: (
        FindingKind.UNREACHABLE,
        "see that its API can be reached from here and is enabled; nothing of it but its health check is known",
    ),
    Cause.UNAUTHORIZED: (FindingKind.UNAUTHORIZED, CHECK_CREDENTIALS),
    Cause.UNREADABLE: (FindingKind.UNREADABLE, "see that its API is enabled and that the URL is the right one"),
    Cause.REFUSED: (FindingKind.UNREADABLE, "see that its user may do this"),
}
_SHOWN = {
    "ha": "HA parameters",
    "geo_enabled": "whether GEO is on",
    "ssh_access": "whether remote SSH access is on",
    "remote_geo_access": vendor.REMOTE_GEO_ACCESS,
    "geo_partners": vendor.GEO_PARTNERS,
    "partner_status": "GEO partners' status",
    "clusters": "clusters",
}
_UP = (UnitState.ACTIVE, UnitState.STANDBY, UnitState.ALONE, UnitState.UNCONNECTED)


@dataclass(frozen=True)
class Fleet:
    """All units as the findings see them."""

    plan: Plan
    facts: Observations
    command: Command
    sights: Sights = field(default_factory=lambda: NO_SIGHTS)
    """What units saw green while they were active, as journals of pushes hold it."""

    @property
    def units(self) -> tuple[Observation, ...]:
        """All units, in the plan's order."""
        return tuple(self.facts.units.values())


def fleet_findings(fleet: Fleet) -> Iterator[Finding]:
    """Say what is wrong beyond the single pair; what is the same on many units is said once."""
    yield from _standalones_down(fleet)
    yield from _failures(fleet)
    yield from _unread(fleet)
    yield from _secrets(fleet)
    off = [unit for unit in fleet.units if unit.geo_enabled is False]
    if off:
        yield _about(FindingKind.GEO_OFF, off, f"GEO is off on {_named(off)}", "enable it under Global Balancing")
    closed = [unit for unit in fleet.units if unit.ssh_access is False]
    if closed:
        hint = "turn on Allow Remote SSH Access under Certificates & Security > Remote Access: partners talk over it"
        yield _about(FindingKind.SSH_OFF, closed, f"remote SSH access is not allowed on {_named(closed)}", hint)
    yield from _red_partners(fleet)
    yield from _geo_differences(fleet)


def _about(  # noqa: PLR0913, PLR0917 - what a finding can have
    kind: FindingKind,
    units: Sequence[Observation],
    message: str,
    hint: str = "",
    commands: tuple[str, ...] = (),
    severity: Severity = Severity.PROBLEM,
) -> Finding:
    """Return a finding about some units."""
    sites = tuple(dict.fromkeys(unit.site for unit in units))
    return Finding(kind, sites, tuple(unit.address for unit in units), sentence(message), hint, commands, severity)


def _named(units: Sequence[Observation]) -> str:
    return listed(unit.address for unit in units)


def _quoted(name: str) -> str:
    return f"'{name}'"


def _standalones_down(fleet: Fleet) -> Iterator[Finding]:
    for unit in fleet.units:
        if unit.role == "standalone" and unit.failure and unit_state(unit) is UnitState.DOWN:
            hint = "see that it runs, and that it can be reached from here"
            yield _about(FindingKind.UNIT_DOWN, [unit], f"{unit.address} is down: {unit.failure.message}", hint)


def _failures(fleet: Fleet) -> Iterator[Finding]:
    by_failure: dict[Failure, list[Observation]] = {}
    for unit in fleet.units:
        if unit.failure and unit_state(unit) is not UnitState.DOWN:
            by_failure.setdefault(unit.failure, []).append(unit)
    for failure, units in by_failure.items():
        kind, hint = _CAUSES[failure.cause]
        hint = failure.hint or hint
        is_silent_standby = all(unit.refuses_reads for unit in units)
        if is_silent_standby:
            hint = "whether a standby answers reads is up to its firmware; its health check does"
        severity = Severity.NOTE if is_silent_standby else Severity.PROBLEM
        each = "each of " if len(units) > 1 else ""
        yield _about(kind, units, f"{each}{_named(units)}: {failure.message}", hint, severity=severity)


def _unread(fleet: Fleet) -> Iterator[Finding]:
    untold = [
        unit
        for unit in fleet.units
        if unit.role != "standalone" and unit.failure is None and (unit.ha is None or "ha" in unit.unread)
    ]
    if untold:
        what = "does not tell its HA parameters" if len(untold) == 1 else "do not tell their HA parameters"
        hint = "not every platform does: compare mode, partner and health check port by eye under HA Parameters"
        yield _about(FindingKind.HA_NOT_TOLD, untold, f"{_named(untold)} {what}", hint, severity=Severity.NOTE)
    for unit in fleet.units:
        names = [name for name in (*unit.unread, *unit.refused) if name != "ha"]
        if names and unit.failure is None:
            vital = unit.state is not State.STANDBY and names != ["partner_status"]
            how = "" if unit.refused else " in a known way"
            message = f"{unit.address} does not tell{how}: {listed(_SHOWN[name] for name in names)}"
            hint = "report the unit's firmware and its answers"
            severity = Severity.PROBLEM if vital else Severity.NOTE
            yield _about(FindingKind.UNREADABLE, [unit], message, hint, severity=severity)


def _secrets(fleet: Fleet) -> Iterator[Finding]:
    for group in fleet.plan.groups:
        units = [unit for name in group.sites for unit in fleet.facts.of_site(name) if unit.firmware]
        having = [unit for unit in units if has_partner_secret(parse_version(unit.firmware or ""))]
        lacking = [unit for unit in units if unit not in having]
        if having and lacking:
            message = (
                f"units of group '{group.name}' refuse each other: the firmware of {_named(having)} has the Partner "
                f"Shared Secret, that of {_named(lacking)} has not"
            )
            hint = "bring all units of the group to firmware on the same side of it"
            yield _about(FindingKind.PARTNER_SECRET, units, message, hint)


def _red_partners(fleet: Fleet) -> Iterator[Finding]:
    """Name the partners that are red and up: a link belongs to a unit, which has to have submitted its partners."""
    seen_by: dict[str, list[Observation]] = {}
    for unit in fleet.units:
        if unit.role == "standalone" or unit.state is State.ACTIVE:
            for address, is_green in (unit.partner_status or {}).items():
                if is_green is False and not _is_red_as_standby(fleet, unit, address):
                    seen_by.setdefault(address, []).append(unit)
    red = {address: unit_at(fleet.plan, fleet.facts, address) for address in seen_by}
    known = {unit.address: unit for unit in red.values() if unit is not None}
    up = [unit for unit in known.values() if unit_state(unit) in _UP]
    slaves = [unit for unit in up if unit.role == "slave" and unit.state is not State.ACTIVE]
    others = [unit for unit in up if unit not in slaves]
    if slaves:
        is_one = len(slaves) == 1
        of_pairs = listed(f"{unit.address}, the slave of {_quoted(unit.site)}" for unit in slaves)
        shown = f"{slaves[0].address}, the slave" if is_one else of_pairs
        words = [word for unit in slaves for word in ("--reboot", f"always={unit.site}")]
        yield _about(
            FindingKind.RED_PARTNER,
            slaves,
            f"red as GEO partner though up: {shown}; a slave that never submitted its partners makes its site drop "
            "out of GEO while it is active",
            f"finish {'the pair, which reboots its master' if is_one else 'these pairs, which reboots their masters'}:",
            (fleet.command("push", *words),),
        )
    if others:
        hint = (
            f"see that port {vendor.SSH_PORT} is open between partners; a push submits {vendor.GEO_PARTNERS} again, "
            "and reboots none:"
        )
        shown = "red as GEO partner though up: " + listed(titled(unit) for unit in others)
        yield _about(FindingKind.RED_PARTNER, others, shown, hint, (fleet.command("push"),))
    strangers = [address for address, unit in red.items() if unit is None]
    if strangers:
        reporters = list({unit.address: unit for address in strangers for unit in seen_by[address]}.values())
        message = f"red as GEO partner, and not in the topology: {listed(strangers)}, on {_named(reporters)}"
        yield _about(FindingKind.RED_PARTNER, reporters, message, "compare:", (fleet.command("diff"),))


def _is_red_as_standby(fleet: Fleet, unit: Observation, address: str) -> bool:
    """Return whether a partner is red only because it is the standby: while it was active it saw this unit green."""
    partner = unit_at(fleet.plan, fleet.facts, address)
    if partner is None or partner.state is not State.STANDBY:
        return False
    seen = fleet.sights.get(canonical(partner.address), frozenset())
    planned = next(each for each in fleet.plan.site(unit.site).units if each.address == unit.address)
    return any(canonical(known) in seen for known in (planned.address, planned.nat_address) if known)


def _geo_differences(fleet: Fleet) -> Iterator[Finding]:
    counts: dict[str, int] = {}
    kinds = (Kind.MISSING, Kind.EXTRA, Kind.DIFFERENT)
    differing = [found for found in verify(fleet.plan, fleet.facts).differences if found.kind in kinds]
    for difference in differing:
        counts[difference.site] = counts.get(difference.site, 0) + 1
    if not counts:
        return
    units = tuple(dict.fromkeys(found.unit for found in differing if found.unit))
    where = "" if len(counts) == 1 else f" at {listed(_quoted(name) for name in counts)}"
    total = sum(counts.values())
    message = f"Lists or clusters are not as planned{where}: {count(total, 'difference')}"
    commands = (fleet.command("diff"), fleet.command("push"))
    yield Finding(
        FindingKind.GEO_DIFFERS, tuple(counts), units, message, "see what differs, and set it right:", commands
    )
