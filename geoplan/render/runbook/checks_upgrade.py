"""What a change of firmware adds to the checks (section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.render.runbook import wui
from geoplan.render.runbook.context import BUSY, OK
from geoplan.render.runbook.firmware import (
    change_of,
    gains_secret,
    loses_secret,
    no_way_back,
    present_versions,
    to_version,
    units_named,
)
from geoplan.render.runbook.model import Check
from geoplan.render.runbook.phase_checks import PhaseChecks, ports_of_pairs
from geoplan.render.runbook.prose import Name, Prose, Value, count, listing, prose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.render.runbook.context import RunbookContext


def _units_are_ready(bearings: RunbookContext) -> Iterator[Check]:
    to = to_version(bearings)
    yield Check(
        "window",
        prose("It is a maintenance window, and everybody expects disruption"),
        (
            prose(
                "Every unit that is updated reboots once. A pair then serves on one unit; a standalone's site is down."
            ),
            prose("Once begun, a pair is finished: two versions are never left paired (section 7)."),
        ),
    )
    if bearings.pairs:
        yield from _pairs_are_sound(bearings)
    yield Check(
        "present-firmware",
        prose("Every unit runs what the table of units below says"),
        (prose("The home screen of each unit shows it. If one runs something else, make this runbook anew."),),
    )
    yield Check(
        "files",
        prose("The update file of {} is at hand, and its XML verification file", to),
        (
            prose(
                "The vendor's release notes allow the way from {} to {} without a release in between.",
                present_versions(bearings),
                to,
            ),
            prose("Firmware {} and later asks for the verification file unless it is told otherwise.", Value("7.2.50")),
        ),
    )
    if gains_secret(bearings):
        yield _secret_is_chosen(bearings)
    if loses_secret(bearings):
        yield _secret_is_lost(bearings)
    cut_off = change_of(bearings).cut_off
    if cut_off:
        words = "WARNING: it is decided when {} will follow"
        yield Check(
            "cut-off",
            prose(words, listing([Name(site) for site in dict.fromkeys(unit.site for unit in cut_off)])),
            (
                prose(
                    "They are partners of these sites and stand on the other side of the {}, as far as is known: {}. "
                    "All links between them and the sites of this runbook are refused until they have followed.",
                    wui.SHARED_SECRET,
                    units_named(cut_off),
                ),
            ),
        )


def _pairs_are_sound(bearings: RunbookContext) -> Iterator[Check]:
    words = "Both units of every pair are up: one is active, the other its standby"
    lines = [prose("On the health check one answers {} and the other {}; see the table of units.", OK, BUSY)]
    returning = [pair.site for pair in bearings.pairs.values() if pair.master_returns]
    staying = [pair.site for pair in bearings.pairs.values() if not pair.master_returns]
    if returning:
        line = "{}: {}, so the master is the active one. If the slave is, find out why the master does not take over."
        lines.append(prose(line, listing(returning), wui.PREFERRED_CHOICE["master"]))
    if staying:
        line = "{}: {}, so either unit may be active. If it is the slave, the master is the standby and comes first."
        lines.append(prose(line, listing(staying), wui.PREFERRED_CHOICE["none"]))
    yield Check("pairs-up", prose(words), tuple(lines))


def _secret_is_chosen(bearings: RunbookContext) -> Check:
    change = change_of(bearings)
    every = len(change.crossing) == len(change.units)
    whose = prose("none of the units does yet" if every else "these do not yet: {}", units_named(change.crossing))
    return Check(
        "shared-secret",
        prose("The {} is chosen, 8 to 127 characters, the same for all units", wui.SHARED_SECRET),
        (
            prose(
                "{} asks for it; {}. It is set on each right after its update. HA and partner links stay refused "
                "until both sides have it.",
                to_version(bearings),
                whose,
            ),
            prose("Units that have one already keep it: choose that one. It cannot be read back from a unit."),
            prose("Keep it where you keep passwords. It stands neither in this runbook nor in the topology."),
        ),
    )


def _secret_is_lost(bearings: RunbookContext) -> Check:
    return Check(
        "shared-secret-lost",
        prose("WARNING: everybody knows that {} has no {}", to_version(bearings), wui.SHARED_SECRET),
        (
            prose(
                "These units have it now and lose it: {}. HA and partner links between one that has it and one that "
                "has not are refused, so until the last unit has followed, partners are red.",
                units_named(change_of(bearings).crossing),
            ),
            prose("From then on links are not protected by it. A later release asks for it anew, on every unit."),
        ),
    )


def _ports(bearings: RunbookContext) -> Iterator[Prose]:
    yield prose("HTTPS to the web interface of every unit, from where you sit.")
    yield from ports_of_pairs(bearings)


def _way_back(bearings: RunbookContext) -> Iterator[Check]:
    lost = no_way_back(bearings)
    if lost:
        yield Check(
            "no-way-back",
            prose("WARNING: it is accepted that there is no way back for {}", prose(count(len(lost), "unit"))),
            (
                prose(
                    "They come from below {}: {}. A unit that goes below it again becomes inaccessible and cannot be "
                    "recovered (section 7).",
                    Value("7.2.36"),
                    units_named(lost),
                ),
            ),
        )


def _verify(bearings: RunbookContext) -> Iterator[Check]:
    change = change_of(bearings)
    yield Check(
        "version",
        prose("Every unit runs {}", to_version(bearings)),
        tuple(
            prose("{}: {}", Name(site), listing([Value(unit.address) for unit in change.of_site(site)]))
            for site in change.sites
        ),
    )
    if bearings.pairs:
        yield Check(
            "pairs-whole",
            prose("Of every pair one unit is active, the other its standby"),
            tuple(
                prose("{}: {} and {}", pair.site, pair.master_health, pair.slave_health)
                for pair in bearings.pairs.values()
            ),
        )
    yield from _partners(bearings)


def _partners(bearings: RunbookContext) -> Iterator[Check]:
    cut_off = {unit.site for unit in change_of(bearings).cut_off}
    partnered = [site for site in bearings.sites if site.geo_partners]
    if not partnered:
        return
    lines = [
        prose("On the active unit of each site: {}, {}.", wui.REMOTE_ACCESS.path, wui.PARTNERS_STATUS),
        *(prose("{}: {}.", Name(site.name), prose(count(len(site.geo_partners), "partner"))) for site in partnered),
    ]
    if cut_off:
        sites = listing([Name(site.name) for site in bearings.plan.sites if site.name in cut_off])
        lines.append(prose("Red until they follow: {}.", sites))
    title = "Every partner is green, but for those left behind" if cut_off else "Every partner is green"
    yield Check("partners-green", prose(title), tuple(lines))
    lines = [prose("{}, on the active unit of any site.", wui.MANAGE_CLUSTERS.path)]
    yield Check("clusters-up", prose("Every cluster is up that was up before"), tuple(lines))


CHECKS = PhaseChecks(units_are_ready=_units_are_ready, ports=_ports, way_back=_way_back, verify=_verify)
