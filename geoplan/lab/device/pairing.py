"""Whether two units form an HA pair, from their parameters alone, and what each shows of it (sections 4, 6.2, 8)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from geoplan.lab.device.parameters import canonical, is_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.lab.device.unit import Unit


@dataclass(frozen=True, slots=True)
class Pairing:
    """What keeps two units from forming a pair, in words; empty if they can."""

    reasons: tuple[str, ...] = ()

    @property
    def is_possible(self) -> bool:
        """Whether they form a pair as soon as both are up."""
        return not self.reasons


def pairing_of(one: Unit, other: Unit) -> Pairing:
    """Compare the HA parameters, the firmware and the secrets of two units."""
    secret = ha_secret_fault(one, other)
    faults = chain(_mode_faults(one, other), _partner_faults(one, other), _port_faults(one, other))
    return Pairing((*faults, secret) if secret else tuple(faults))


def have_same_mode(one: Unit, other: Unit) -> bool:
    """Return whether both are master or both slave, which HA cannot take (section 4)."""
    return one.ha.mode != "single" and one.ha.mode == other.ha.mode


def reaches(unit: Unit, partner: Unit) -> bool:
    """Return whether a unit's poll finds its partner, as far as parameters go; the partner need not poll it back."""
    return (
        "single" not in (unit.ha.mode, partner.ha.mode)
        and not have_same_mode(unit, partner)
        and _names(unit, partner)
        and unit.ha.health_check_port == partner.ha.health_check_port != 0
        and ha_secret_fault(unit, partner) is None
    )


def ha_secret_fault(one: Unit, other: Unit) -> str | None:
    """Return why the Partner Shared Secret keeps two units from being a pair, or None."""
    goes_on = one.pairs_with_other_secrets and None not in (one.secret, other.secret)
    return None if goes_on else secret_fault(one, other)


def secret_fault(one: Unit, other: Unit) -> str | None:
    """Return why the Partner Shared Secret keeps two units apart, or None (Updating the LoadMaster Software)."""
    having = [unit for unit in (one, other) if unit.firmware.has_partner_secret]
    if not having:
        return None
    if len(having) == 1:
        without = other if having == [one] else one
        return (
            f"the firmware of {having[0].address}, {having[0].firmware.text}, has a Partner Shared Secret,"
            f" and that of {without.address}, {without.firmware.text}, has none"
        )
    if lacking := [unit.address for unit in having if unit.secret is None]:
        return f"no Partner Shared Secret is set on {' and '.join(lacking)}"
    return None if one.secret == other.secret else "the Partner Shared Secrets differ"


def ha_status(unit: Unit, partner: Unit, *, is_active: bool) -> str | None:
    """Return what a unit shows of its HA state (section 8), or None for one that is single or not up.

    ``MASTER`` until the parameters of both units are entered, ``Master Unconnected`` until something has polled its
    health check port, then ``Master (Active)`` or ``Master (Standby)``.
    """
    if unit.ha.mode == "single" or not unit.is_up:
        return None
    mode = unit.ha.mode.capitalize()
    if unit.is_polled:
        return f"{mode} ({'Active' if is_active else 'Standby'})"
    return f"{mode} Unconnected" if unit.ha.is_complete and partner.ha.is_complete else mode.upper()


def _mode_faults(one: Unit, other: Unit) -> Iterator[str]:
    if have_same_mode(one, other):
        yield f"both units are in mode {one.ha.mode}"
    for unit in (one, other):
        if unit.ha.mode == "single":
            yield f"{unit.address} is in mode single"


def _partner_faults(one: Unit, other: Unit) -> Iterator[str]:
    for unit, partner in ((one, other), (other, one)):
        if not unit.ha.partner:
            yield f"{unit.address} has no partner"
        elif not _names(unit, partner):
            yield f"{unit.address} has the partner {unit.ha.partner}, not {partner.address}"


def _port_faults(one: Unit, other: Unit) -> Iterator[str]:
    ports = [(unit.address, unit.ha.health_check_port) for unit in (one, other)]
    yield from (f"{address} has no health check port" for address, port in ports if not port)
    (address, port), (other_address, other_port) = ports
    if port and other_port and port != other_port:
        yield f"the health check ports differ: {port} on {address}, {other_port} on {other_address}"


def _names(unit: Unit, partner: Unit) -> bool:
    """Return whether a unit's partner is that one, by its own address, its NATed one, or the name of its host."""
    named = unit.ha.partner
    if not named or named.lower() == str(partner.own["hostname"]).lower():
        return bool(named)
    addresses = {canonical(address) for address in (partner.address, partner.nat_address) if address}
    return is_address(named) and canonical(named) in addresses
