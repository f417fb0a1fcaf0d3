"""What concerns single units or all sites together: reachability, GEO, SSH, partner links, lists and clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings import Kind, Mend
from geoplan.live.findings.clusters import addresses_of, oddities
from geoplan.live.findings.geo_merge import merge_problems
from geoplan.live.findings.kinds import Finding, FindingKind, Severity, about, titled
from geoplan.live.findings.mending import WaysToMend
from geoplan.live.findings.states import UnitState, unit_state
from geoplan.live.model import CHECK_CREDENTIALS, HA_SUBJECT, SUBJECTS, Cause
from geoplan.plan.model import Action
from geoplan.vendor import PARTNERS_STATUS, REQUIRE_BASIC, SESSION_MANAGEMENT, has_partner_secret, parse_version
from geoplan.wording import count, join_words, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from geoplan.live.findings import Difference, Report
    from geoplan.live.findings.kinds import Command
    from geoplan.live.model import Failure, Observation, Observations
    from geoplan.plan.model import Plan

_CAUSES = {
    Cause.UNREACHABLE: (
        FindingKind.UNREACHABLE,
        "see that its API can be reached from here and is enabled; nothing of it but its health check is known",
    ),
    Cause.PROXY: (FindingKind.UNREACHABLE, "see that the proxy is up and lets the unit's URL through"),
    Cause.UNAUTHORIZED: (FindingKind.UNAUTHORIZED, CHECK_CREDENTIALS),
    Cause.NOT_ASKED: (FindingKind.UNAUTHORIZED, CHECK_CREDENTIALS),
    Cause.UNREADABLE: (FindingKind.UNREADABLE, "see that its API is enabled and that the URL is the right one"),
    Cause.REFUSED: (
        FindingKind.UNREADABLE,
        "see that its user may do this, and that the unit is the one that the topology names",
    ),
}
_SHOWN = {
    "firmware": "its version",
    "boot_time": "when it was booted",
    "ha_status": "who is active",
    "ha": "HA parameters",
    "geo_enabled": "whether GEO is on",
    "ssh_access": "whether remote SSH access is on",
    "remote_geo_access": "Remote GEO LoadMaster Access",
    "geo_partners": "GEO LoadMaster Partners",
    "partner_status": "GEO partners' status",
    "clusters": "clusters",
    "fqdns": "FQDNs",
    "fqdn_maps": "which clusters its FQDNs use",
}


def _named(units: Sequence[Observation]) -> str:
    return join_words(unit.address for unit in units)


def reachability(facts: Observations) -> Iterator[Finding]:
    """Say which units could not be read, or tell only a part; what is the same on many units is said once."""
    units = tuple(facts.units.values())
    by_failure: dict[Failure, list[Observation]] = {}
    for unit in units:
        if unit.failure and unit_state(unit) is not UnitState.DOWN:
            by_failure.setdefault(unit.failure, []).append(unit)
        elif unit.failure and unit.role == "standalone":
            hint = "see that it runs, and that it can be reached from here"
            message = f"{unit.address} is down: {unit.failure.message}"
            yield about(FindingKind.UNIT_DOWN, [unit], message, unit.failure.hint or hint, severity=Severity.BLOCKING)
    for failure, failed in by_failure.items():
        kind, hint = _CAUSES[failure.cause]
        silent = [unit for unit in failed if unit.refuses_reads]
        others = [unit for unit in failed if not unit.refuses_reads]
        if silent:
            standby = "whether a standby answers reads is up to its firmware; its health check does"
            yield about(kind, silent, _failed(silent, failure), standby, severity=Severity.KNOWING)
        if others:
            yield about(kind, others, _failed(others, failure), failure.hint or hint, severity=Severity.BLOCKING)
    yield from _unread(units)
    if closed := [unit for unit in units if unit.wants_basic]:
        message = f"{_named(closed)} {'refuses' if len(closed) == 1 else 'refuse'} APIv2, so APIv1 is used there"
        hint = (
            f"APIv2 needs {SESSION_MANAGEMENT} on and {REQUIRE_BASIC} off; to leave them as they are, write "
            "api_version: 1 at the unit in the topology"
        )
        yield about(FindingKind.LOGIN_SETTING, closed, message, hint, severity=Severity.KNOWING)


def _quoted(name: str) -> str:
    return f"'{name}'"


def _failed(units: Sequence[Observation], failure: Failure) -> str:
    if failure.cause is Cause.NOT_ASKED:
        return f"{count(len(units), 'unit')} {failure.message}"
    return f"{'each of ' if len(units) > 1 else ''}{_named(units)}: {failure.message}"


def _unread(units: Sequence[Observation]) -> Iterator[Finding]:
    answering = [unit for unit in units if unit.failure is None]
    paired = [unit for unit in answering if unit.role != "standalone" and "ha" not in unit.refused]
    paired = [unit for unit in paired if "ha" not in unit.unanswered]
    if untold := [unit for unit in paired if unit.ha is None or "ha" in unit.unread]:
        what = "does not tell its HA parameters" if len(untold) == 1 else "do not tell their HA parameters"
        hint = "not every platform does: compare mode, partner and health check port by eye under HA Parameters"
        yield about(FindingKind.HA_NOT_TOLD, untold, f"{_named(untold)} {what}", hint, severity=Severity.KNOWING)
    if silent := [unit for unit in answering if unit.partner_status and None in unit.partner_status.values()]:
        what = "does not tell of all its partners" if len(silent) == 1 else "do not tell of all their partners"
        message = f"{_named(silent)} {what} whether they are green: what is not told is not green"
        hint = f"look at {PARTNERS_STATUS} in the web interface of each unit"
        yield about(FindingKind.LINKS_NOT_TOLD, silent, message, hint, severity=Severity.KNOWING)
    for unit in answering:
        if unit.unanswered:
            asked = join_words(_SHOWN[name] for name in unit.unanswered)
            message = f"{unit.address} is up, and gave no answer in time to: {asked}"
            hint = "look again; a unit drops whoever sends too many calls, all clients together"
            yield about(FindingKind.UNREADABLE, [unit], message, hint, severity=Severity.BLOCKING)
        unread = [name for name in unit.unread if name not in ("ha", "fqdn_maps")]  # of these others have more to say
        for names, how in ((unread, " in a known way"), (unit.refused, "")):
            if names:
                message = f"{unit.address} does not tell{how}: {join_words(_SHOWN[name] for name in names)}"
                # A standby may refuse; and who does not tell colours may have links nevertheless.
                is_vital = names is unread and names != ["partner_status"]
                severity = Severity.BLOCKING if is_vital else Severity.KNOWING
                hint = "report the unit's firmware and its answers"
                yield about(FindingKind.UNREADABLE, [unit], message, hint, severity=severity)


def certificates(facts: Observations) -> Iterator[Finding]:
    """Say which units present one certificate: a wildcard's is on many, but one unit may also answer for several."""
    by_certificate: dict[str, list[Observation]] = {}
    for unit in facts.units.values():
        if unit.certificate:
            by_certificate.setdefault(unit.certificate, []).append(unit)
    for units in by_certificate.values():
        if len(units) > 1:
            message = f"{_named(units)} present one certificate: one unit may answer at all of these addresses"
            hint = "see where the URL of each leads, unless you have put one certificate on these units yourself"
            yield about(FindingKind.ONE_CERTIFICATE, units, message, hint, severity=Severity.KNOWING)


def services(plan: Plan, facts: Observations) -> Iterator[Finding]:
    """Say where GEO or SSH is off, and which units refuse each other as partners."""
    units = tuple(facts.units.values())
    if off := [unit for unit in units if unit.geo_enabled is False]:
        hint = "enable it under Global Balancing"
        yield about(FindingKind.GEO_OFF, off, f"GEO is off on {_named(off)}", hint, severity=Severity.BLOCKING)
    if closed := [unit for unit in units if unit.ssh_access is False]:
        hint = "turn on Allow Remote SSH Access under Certificates & Security > Remote Access: partners talk over it"
        message = f"remote SSH access is not allowed on {_named(closed)}"
        yield about(FindingKind.SSH_OFF, closed, message, hint, severity=Severity.BLOCKING)
    for group in plan.groups:
        known = [unit for name in group.sites for unit in facts.of_site(name) if unit.firmware]
        having = [unit for unit in known if has_partner_secret(parse_version(unit.firmware or ""))]
        lacking = [unit for unit in known if unit not in having]
        if having and lacking:
            message = (
                f"units of {plan.group_label(group.name)} refuse each other: the firmware of {_named(having)} has the "
                f"Partner Shared Secret, that of {_named(lacking)} has not"
            )
            hint = "bring all units of the group to firmware on the same side of it"
            yield about(FindingKind.PARTNER_SECRET, known, message, hint, severity=Severity.BLOCKING)


def links(facts: Observations, report: Report, command: Command) -> Iterator[Finding]:
    """Say which partners are red, by what mends that; one whose health check does not answer is told as that."""
    red = [found for found in report.differences if found.kind is Kind.RED]
    seen = {found.partner: facts.unit(found.partner) for found in red if found.partner}
    by_mend: dict[Mend, dict[str, Observation]] = {}
    for found in red:
        unit = seen.get(found.partner or "")
        if unit and unit_state(unit) in (UnitState.ACTIVE, UnitState.STANDBY, UnitState.ALONE):
            by_mend.setdefault(found.mends, {})[unit.address] = unit
    if slaves := [*by_mend.get(Mend.REBOOT, {}).values()]:
        is_one = len(slaves) == 1
        shown = join_words(f"{unit.address}, the slave" + ("" if is_one else f" of '{unit.site}'") for unit in slaves)
        words = [word for unit in slaves for word in ("--reboot", f"always={unit.site}")]
        message = (
            f"red as GEO partner though up: {shown}; a slave that never submitted its partners makes its site drop "
            "out of GEO while it is active"
        )
        hint = (
            f"finish {'the pair, which reboots its master' if is_one else 'these pairs, which reboots their masters'}:"
        )
        yield _red(slaves, message, hint, command("push", *words))
    if apart := [*by_mend.get(Mend.ROTATION, {}).values()]:
        message = "red as GEO partner though up, since not all units were given the same Partner Shared Secret: "
        hint = "a push of it has not come to its end; no other push mends that:"
        yield _red(apart, message + join_words(map(titled, apart)), hint, command("push", "--secret"))
    if others := [*by_mend.get(Mend.SUBMISSION, {}).values()]:
        hint = (
            "see that port 22 is open between partners; a push submits GEO LoadMaster Partners again, and reboots none:"
        )
        yield _red(others, "red as GEO partner though up: " + join_words(map(titled, others)), hint, command("push"))
    for unit in by_mend.get(Mend.BY_HAND, {}).values():
        found = next(each for each in red if each.partner == unit.address and each.mends is Mend.BY_HAND)
        yield _red([unit], found.message, found.hint)
    if unasked := [found for found in red if found.partner and seen[found.partner] is None]:
        seeing = dict.fromkeys(found.unit for found in unasked)
        reporters = [unit for address in seeing if (unit := facts.unit(address or ""))]
        partners = some_of(list(dict.fromkeys(found.partner for found in unasked if found.partner)))
        message = f"red as GEO partner, and not asked: {partners}, on {_named(reporters)}"
        yield _red(reporters, message, unasked[0].hint)
    if strangers := list(dict.fromkeys(value for found in red if found.partner is None for value in found.values)):
        seeing = dict.fromkeys(found.unit for found in red if found.partner is None)
        reporters = [unit for address in seeing if (unit := facts.unit(address or ""))]
        message = f"red as GEO partner, and not in the topology: {some_of(strangers)}, on {_named(reporters)}"
        yield _red(reporters, message, "compare:", command("diff"))


def _red(units: Sequence[Observation], message: str, hint: str, *commands: str) -> Finding:
    if not (commands := tuple(command for command in commands if command)):
        hint = hint.removesuffix(":")
    return about(FindingKind.RED_PARTNER, units, message, hint, commands, severity=Severity.MENDING)


def lists_and_clusters(
    plan: Plan, report: Report, forming: Collection[str], recent: Collection[str], command: Command
) -> Iterator[Finding]:
    """Say where lists or clusters are not as planned, once for all; what a push does not mend blocks it."""
    kinds = (Kind.MISSING, Kind.EXTRA, Kind.DIFFERENT)
    ways = WaysToMend.of(plan, report, forming, recent)

    def is_told_by_itself(found: Difference) -> bool:
        return found.mends is Mend.BY_HAND and found.unit == ways.active[found.site]

    told = [found for found in report.differences if found.kind in kinds and found.subject != HA_SUBJECT]
    differing = [found for found in told if not is_told_by_itself(found)]
    if not differing:
        return
    sites = tuple(dict.fromkeys(found.site for found in differing))
    units = tuple(dict.fromkeys(found.unit for found in differing if found.unit))
    where = "" if len(sites) == 1 else f" at {join_words(map(_quoted, sites))}"
    message = f"Lists or clusters are not as planned{where}: {count(len(differing), 'difference')}"
    commands = (command("diff"), command("push"))
    blocks = any(not ways.mends(found) or _is_unknown(found) for found in differing)
    severity = Severity.BLOCKING if blocks else Severity.MENDING
    hint = "see what differs, and set it right:"
    yield Finding(FindingKind.GEO_DIFFERS, sites, units, message, hint, commands, severity=severity)


def _is_unknown(found: Difference) -> bool:
    """Return whether a push would remove an address, which it does with --remove-unknown alone."""
    return found.kind is Kind.EXTRA and found.mends is Mend.STEP and found.subject in SUBJECTS


def clusters(plan: Plan, facts: Observations, max_clusters: int, command: Command) -> Iterator[Finding]:
    """Say what is odd about clusters that are there, and where there would be too many, or two configurations."""
    by_what: dict[tuple[FindingKind, str, str], list[Observation]] = {}
    for site in plan.sites:
        unit = None if plan.change and site.name in plan.change.leaving else facts.active(site.name)
        if unit is not None:
            for kind, _name, message, hint in oddities(plan, site.group, unit.clusters or ()):
                by_what.setdefault((kind, message, hint), []).append(unit)
    for (kind, message, hint), units in by_what.items():
        yield about(kind, units, f"{_named(units)}: {message}", hint, severity=Severity.MENDING)
    for group, message in too_many(plan, facts, max_clusters):
        hint = "remove clusters that nobody needs"
        sites = tuple(site.name for site in facts.asked(plan) if site.group == group)
        yield Finding(FindingKind.TOO_MANY_CLUSTERS, sites, (), message, hint, severity=Severity.BLOCKING)
    for merge in merge_problems(plan, facts, command):
        message, ways = merge.message[:1].upper() + merge.message[1:], (merge.hint, merge.commands)
        yield Finding(FindingKind.GEO_MERGE, merge.sites, merge.units, message, *ways, severity=Severity.BLOCKING)


def too_many(plan: Plan, facts: Observations, max_clusters: int) -> Iterator[tuple[str, str]]:
    """Yield the groups that would have more clusters than units hold, each with how many."""
    gaining = {plan.site(step.site).group for step in plan.steps if step.action is Action.ADD_CLUSTER}
    for group in plan.groups:
        planned = plan.clusters_of(group.name)
        union: dict[str, None] = {}
        for name in group.sites:
            unit = facts.active(name)
            if unit is not None and unit.clusters is not None:
                union |= {canonical(live.address): None for live in unit.clusters}
        missing = [cluster for cluster in planned if not addresses_of(plan, cluster) & union.keys()]
        if group.name in gaining and len(union) + len(missing) > max_clusters:
            would_be = count(len(union) + len(missing), "cluster")
            shares = f"{len(union)} present, {len(missing)} to add"
            yield group.name, f"there would be {would_be} ({shares}), and the limit is {max_clusters}"
