"""What is wrong with a pair's own settings: modes, partners, ports, preferred host, firmware (4, 6.2, 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical, is_address
from geoplan.live.findings.kinds import Finding, FindingKind, Severity, titled
from geoplan.live.findings.pairs import ALL_INTERFACES, PREFERRED_SERVER, SINGLE, drifts, is_by_name, untold
from geoplan.plan.pairs import HaParameters
from geoplan.vendor import HA_PARAMETERS, parse_version
from geoplan.wording import join_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.findings.states import Pair
    from geoplan.live.model import HaFacts, Observation
    from geoplan.plan.model import Plan, PlannedUnit, SiteSettings
    from geoplan.plan.pairs import HaPairSettings


def setting_findings(plan: Plan, pair: Pair) -> Iterator[Finding]:
    """Compare the HA parameters of both units with each other and with the topology, and their firmware."""
    yield from _mode_findings(pair)
    told = [(unit, unit.ha) for unit in pair.units if unit.ha is not None and unit.ha.mode != SINGLE]
    for unit, ha in told:
        yield from _partner_findings(pair, unit, ha, wanted_of(plan, pair.site, unit, ha))
    yield from _port_findings(pair, told)
    yield from _preferred_findings(pair, told)
    yield from _interface_findings(pair, told, _described(plan, pair.site.name))
    yield from _firmware_findings(pair)


def _mode_findings(pair: Pair) -> Iterator[Finding]:
    modes = {unit.address: unit.ha.mode for unit in pair.units if unit.ha and unit.ha.mode}
    single = [unit for unit in pair.units if modes.get(unit.address) == SINGLE]
    set_up = pair.command("push", "--phase", "ha")
    if len(single) == len(pair.units):
        message = f"no HA is set up: {join_words(pair.addresses)} are in HA mode single, and each serves for itself"
        yield pair.finding(FindingKind.NO_HA, message, "set HA up:", commands=(set_up,), severity=Severity.BLOCKING)
    elif single:
        other = pair.other(single[0])
        message = (
            f"{titled(single[0])} is in HA mode single: it forms no pair with {other.address}, "
            f"whose mode is {modes.get(other.address, 'not told')}"
        )
        correct = ""
        if modes.get(other.address, other.role) != other.role:  # which a push never changes
            correct = f"set {other.role.capitalize()} HA Mode under {HA_PARAMETERS} on {other.address}, then "
        yield pair.finding(
            FindingKind.NO_HA,
            message,
            f"{correct}set HA up:",
            single[0],
            commands=(set_up,),
            severity=Severity.BLOCKING,
        )
    elif len(modes) == len(pair.units) and len(set(modes.values())) == 1:
        mode = modes[pair.master.address]
        wrong = next(unit for unit in pair.units if unit.role != mode)
        yield pair.finding(
            FindingKind.SAME_MODE,
            f"both units, {join_words(pair.addresses)}, are in HA mode {mode}: HA needs different modes (section 4)",
            f"set {wrong.role.capitalize()} HA Mode under {HA_PARAMETERS} on {wrong.address} by hand: "
            "a push changes no mode that a unit has already",
            severity=Severity.BLOCKING,
        )
    elif wrong_units := [unit for unit in pair.units if modes.get(unit.address, unit.role) != unit.role]:
        shown = join_words(f"{unit.address} is {modes[unit.address]}, not {unit.role}" for unit in wrong_units)
        yield pair.finding(
            FindingKind.MODES_SWAPPED,
            f"its HA modes are not those of the topology: {shown}",
            "put the roles in the file as the units hold them, if these are right: lists and clusters name the master; "
            "or swap the HA modes on both units by hand in a maintenance window",
            *wrong_units,
            severity=Severity.BLOCKING,
        )


def _partner_findings(pair: Pair, unit: Observation, ha: HaFacts, wanted: HaParameters) -> Iterator[Finding]:
    other = pair.other(unit).address
    if is_by_name(ha):
        yield from _name_findings(pair, unit, ha, other)
        return
    correct = f"enter {other} as Partner Name/IP under {HA_PARAMETERS} on {unit.address}"
    if ha.partner == "":
        message = f"{titled(unit)} has no HA partner set; the pair's other unit is {other}"
        yield pair.finding(FindingKind.NO_PARTNER, message, correct, unit, severity=Severity.MENDING)
    elif ha.partner is not None and canonical(ha.partner) != canonical(wanted.partner):
        message = f"the HA partner of {titled(unit)} is {ha.partner}, and the pair's other unit is {other}"
        yield pair.finding(FindingKind.PARTNER_MISMATCH, message, correct, unit, severity=Severity.BLOCKING)


def _name_findings(pair: Pair, unit: Observation, ha: HaFacts, other: str) -> Iterator[Finding]:
    """Say that a partner given by a name cannot be compared; units may know names that this machine does not."""
    if is_partner_comparable(pair.site, unit, ha):
        return
    found = f"stands for {join_words(ha.partner_addresses)} here" if ha.partner_addresses else "is not known here"
    yield pair.finding(
        FindingKind.PARTNER_NOT_COMPARED,
        f"the HA partner of {titled(unit)} cannot be compared with {other}: its name '{ha.partner}' {found}",
        f"see that the unit finds {other} by that name; or enter {other} under {HA_PARAMETERS} on {unit.address}",
        unit,
        severity=Severity.KNOWING,
    )


def is_partner_comparable(site: SiteSettings, unit: Observation, found: HaFacts) -> bool:
    """Return whether a unit's partner is an address, or a name that stands for the pair's other unit here."""
    planned = next(each for each in site.units if canonical(each.address) != canonical(unit.address))
    own = {canonical(known) for known in (planned.address, planned.nat_address) if known}
    return not is_by_name(found) or bool(own & set(map(canonical, found.partner_addresses)))


def _port_findings(pair: Pair, told: list[tuple[Observation, HaFacts]]) -> Iterator[Finding]:
    ports = {unit.address: ha.health_check_port for unit, ha in told}
    wrong = [unit for unit, ha in told if ha.health_check_port not in (None, pair.port)]
    if not wrong:
        return
    shown = join_words(f"{port or 'none'} on {address}" for address, port in ports.items())
    correct = f"set Health Check Port {pair.port} under {HA_PARAMETERS} on {join_words(unit.address for unit in wrong)}"
    if len(set(ports.values())) > 1:
        message = f"the health check ports differ: {shown}; HA needs the same on both (section 6.2)"
    else:
        message = f"the health check port is not the topology's: {shown}"
        correct += ", or correct the topology if the units are right: "
        correct += "health_check_port, or this pair's health_check: {port: …}"
    yield pair.finding(
        FindingKind.PORTS_DIFFER,
        f"{message}, and the topology has {pair.port}, where the load balancer and geoplan ask",
        correct,
        *wrong,
        severity=Severity.MENDING,
    )


def _preferred_findings(pair: Pair, told: list[tuple[Observation, HaFacts]]) -> Iterator[Finding]:
    """Hold Switch to Preferred Server against the topology; the document sets it on the master alone (section 6.2)."""
    wants_master = pair.site.preferred_host != "none"
    for unit, ha in told:
        if ha.prefers_master is None or ha.prefers_master == wants_master:
            continue
        is_set, wanted = (
            ("Prefer Master", "No Preferred Host") if ha.prefers_master else ("No Preferred Host", "Prefer Master")
        )
        yield pair.finding(
            FindingKind.PREFERRED_HOST_DIFFERS,
            f"{titled(unit)} is set to {is_set}, and the topology has {wanted}",
            f"set it under {HA_PARAMETERS} on {unit.address}, or write preferred_host: "
            f"{'master' if ha.prefers_master else 'none'} into the topology",
            unit,
            severity=Severity.BLOCKING if unit.role == "master" else Severity.KNOWING,
        )


def _interface_findings(
    pair: Pair, told: list[tuple[Observation, HaFacts]], wanted: HaPairSettings | None
) -> Iterator[Finding]:
    if not told:
        return
    everywhere = {unit.address: bool(ha.all_interfaces) for unit, ha in told}
    planned = wanted.master.all_interfaces if wanted else None
    if len(set(everywhere.values())) < len(pair.units) and planned in (None, *everywhere.values()):
        return
    shown = join_words(f"{address} has it {'on' if is_on else 'off'}" for address, is_on in everywhere.items())
    expected = "" if planned is None else f", and the topology has it {'on' if planned else 'off'}"
    yield pair.finding(
        FindingKind.ALL_INTERFACES_DIFFER,
        f"Health Check on All Interfaces is not as it should be: {shown}{expected}",
        f"set both units alike under {HA_PARAMETERS}: a unit that answers on eth0 alone may miss the load balancer's "
        "checks",
        severity=Severity.MENDING,
    )


def _firmware_findings(pair: Pair) -> Iterator[Finding]:
    known = {unit.address: unit.firmware for unit in pair.units if unit.firmware}
    if len({parse_version(firmware) for firmware in known.values()}) > 1:
        shown = join_words(f"{firmware} on {address}" for address, firmware in known.items())
        yield pair.finding(
            FindingKind.FIRMWARE_DIFFERS,
            f"its units run different firmware, {shown}: no state to leave a pair in (section 7)",
            "bring both to the same version, the standby first, then the active one",
            severity=Severity.BLOCKING,
        )


def wanted_of(plan: Plan, site: SiteSettings, unit: Observation, found: HaFacts) -> HaParameters:
    """Return what a unit of a pair should have by the topology, and what it has where that does not say.

    A partner given by a name is not looked up.
    """
    other = next(each for each in site.units if canonical(each.address) != canonical(unit.address))
    described = _described(plan, site.name)
    return HaParameters(
        address=unit.address,
        mode="master" if unit.role == "master" else "slave",
        preferred_host=site.preferred_host or "master",
        partner=(found.partner or "") if _is_partner(found.partner or "", other) else other.address,
        health_check_port=plan.health_check_port_of(site.name),
        all_interfaces=described.master.all_interfaces if described else bool(found.all_interfaces),
    )


def _described(plan: Plan, site: str) -> HaPairSettings | None:
    return next((pair for pair in plan.ha_pairs if pair.site == site), None)


def _is_partner(name: str, other: PlannedUnit) -> bool:
    own = {canonical(known) for known in (other.address, other.nat_address) if known}
    return not is_address(name) or canonical(name) in own


_SHORT = {
    "HA mode": "mode",
    "partner": "partner",
    "health check port": "port",
    PREFERRED_SERVER: "preferred",
    ALL_INTERFACES: "interfaces",
}


def differing(plan: Plan, site: SiteSettings, unit: Observation) -> tuple[str, ...]:
    """Name what of a unit's HA parameters is not as the topology has it; in mode single nothing else counts."""
    if unit.ha is None:
        return ()
    if unit.ha.mode == SINGLE:
        return (SINGLE,)
    return tuple(_SHORT[drift.name] for drift in drifts(unit.ha, wanted_of(plan, site, unit, unit.ha)))


def not_compared(site: SiteSettings, unit: Observation) -> tuple[str, ...]:
    """Name what of a unit's HA parameters cannot be compared with the topology: it is as planned or not, nobody knows.

    That is what it does not tell, and a partner by a name that does not stand for the other unit here.
    """
    if unit.ha is None or unit.ha.mode == SINGLE:
        return ()
    partner = () if is_partner_comparable(site, unit, unit.ha) else ("partner",)
    return (*partner, *(_SHORT[name] for name in untold(unit.ha)))
