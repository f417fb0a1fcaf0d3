"""What is wrong with a pair's own settings: modes, partners, ports, preferred host, firmware (4, 6.2, 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.status.model import Finding, FindingKind, Severity
from geoplan.status.unit_state import SINGLE, Wanted
from geoplan.status.wording import MENU, listed, titled
from geoplan.vendor import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.model import HaFacts, Observation
    from geoplan.plan.model import Plan
    from geoplan.status.pair_states import Pair


def setting_findings(plan: Plan, pair: Pair) -> Iterator[Finding]:
    """Compare the HA parameters of both units with each other and with the topology, and their firmware."""
    yield from _mode_findings(pair)
    told = [(unit, unit.ha) for unit in pair.units if unit.ha is not None and unit.ha.mode != SINGLE]
    wanted = {unit.address: Wanted.of(plan, pair.site, unit) for unit, _ in told}
    for unit, ha in told:
        yield from _partner_findings(pair, unit, ha, wanted[unit.address])
    yield from _port_findings(pair, told)
    yield from _preferred_findings(pair, told)
    yield from _interface_findings(pair, told, next(iter(wanted.values()), None))
    yield from _firmware_findings(pair)


def _mode_findings(pair: Pair) -> Iterator[Finding]:
    modes = {unit.address: unit.ha.mode for unit in pair.units if unit.ha and unit.ha.mode}
    single = [unit for unit in pair.units if modes.get(unit.address) == SINGLE]
    set_up = pair.command("push", "--phase", "ha")
    if len(single) == len(pair.units):
        message = f"no HA is set up: {listed(pair.addresses)} are in HA mode single, and each serves for itself"
        yield pair.finding(FindingKind.NO_HA, message, "set HA up:", commands=(set_up,))
    elif single:
        other = pair.other(single[0])
        message = (
            f"{titled(single[0])} is in HA mode single: it forms no pair with {other.address}, "
            f"whose mode is {modes.get(other.address, 'not told')}"
        )
        correct = ""
        if modes.get(other.address, other.role) != other.role:  # which a push never changes
            correct = f"set {other.role.capitalize()} HA Mode under {MENU} on {other.address}, then "
        yield pair.finding(FindingKind.NO_HA, message, f"{correct}set HA up:", single[0], commands=(set_up,))
    elif len(modes) == len(pair.units) and len(set(modes.values())) == 1:
        mode = modes[pair.master.address]
        wrong = next(unit for unit in pair.units if unit.role != mode)
        yield pair.finding(
            FindingKind.SAME_MODE,
            f"both units, {listed(pair.addresses)}, are in HA mode {mode}: HA needs different modes (section 4)",
            f"set {wrong.role.capitalize()} HA Mode under {MENU} on {wrong.address} by hand: "
            "a push changes no mode that a unit has already",
        )
    elif wrong_units := [unit for unit in pair.units if modes.get(unit.address, unit.role) != unit.role]:
        shown = listed(f"{unit.address} is {modes[unit.address]}, not {unit.role}" for unit in wrong_units)
        yield pair.finding(
            FindingKind.MODES_SWAPPED,
            f"its HA modes are not those of the topology: {shown}",
            "swap master and slave in the topology if the units are right: its lists and clusters name the master",
            *wrong_units,
        )


def _partner_findings(pair: Pair, unit: Observation, ha: HaFacts, wanted: Wanted) -> Iterator[Finding]:
    correct = f"enter {wanted.partner} as Partner Name/IP under {MENU} on {unit.address}"
    if ha.partner is None:
        return
    if not ha.partner:
        message = f"{titled(unit)} has no HA partner set; the pair's other unit is {wanted.partner}"
        yield pair.finding(FindingKind.NO_PARTNER, message, correct, unit)
    elif not wanted.is_partner(ha.partner):
        message = f"the HA partner of {titled(unit)} is {ha.partner}, and the pair's other unit is {wanted.partner}"
        yield pair.finding(FindingKind.PARTNER_MISMATCH, message, correct, unit)


def _port_findings(pair: Pair, told: list[tuple[Observation, HaFacts]]) -> Iterator[Finding]:
    ports = {unit.address: ha.health_check_port for unit, ha in told}
    wrong = [unit for unit, ha in told if ha.health_check_port not in (None, pair.port)]
    if not wrong:
        return
    shown = listed(f"{port or 'none'} on {address}" for address, port in ports.items())
    correct = f"set Health Check Port {pair.port} under {MENU} on {listed(unit.address for unit in wrong)}"
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
            f"set it under {MENU} on {unit.address}, or write preferred_host: "
            f"{'master' if ha.prefers_master else 'none'} into the topology",
            unit,
            severity=Severity.PROBLEM if unit.role == "master" else Severity.NOTE,
        )


def _interface_findings(
    pair: Pair, told: list[tuple[Observation, HaFacts]], wanted: Wanted | None
) -> Iterator[Finding]:
    everywhere = {unit.address: bool(ha.all_interfaces) for unit, ha in told}
    planned = wanted.all_interfaces if wanted else None
    if len(set(everywhere.values())) < len(pair.units) and planned in (None, *everywhere.values()):
        return
    shown = listed(f"{address} has it {'on' if is_on else 'off'}" for address, is_on in everywhere.items())
    expected = "" if planned is None else f", and the topology has it {'on' if planned else 'off'}"
    yield pair.finding(
        FindingKind.ALL_INTERFACES_DIFFER,
        f"Health Check on All Interfaces is not as it should be: {shown}{expected}",
        f"set both units alike under {MENU}: a unit that answers on eth0 alone may miss the load balancer's checks",
    )


def _firmware_findings(pair: Pair) -> Iterator[Finding]:
    known = {unit.address: unit.firmware for unit in pair.units if unit.firmware}
    if len({parse_version(firmware) for firmware in known.values()}) > 1:
        shown = listed(f"{firmware} on {address}" for address, firmware in known.items())
        yield pair.finding(
            FindingKind.FIRMWARE_DIFFERS,
            f"its units run different firmware, {shown}: no state to leave a pair in (section 7)",
            "bring both to the same version, the standby first, then the active one",
        )
