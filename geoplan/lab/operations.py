"""What an operator can do to a lab: each verb once, for programs, for the control endpoint and for the help."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from geoplan.lab.device.unit import Firmware
from geoplan.lab.errors import LabError, NotInLabError, NotReadableError
from geoplan.lab.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geoplan.lab.device.network import Network
    from geoplan.lab.device.pair import Pair
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.unit_faults import UnitFaults

Result = TypeVar("Result")


class Operations(ABC):
    """The verbs. All raise :class:`LabError` for a unit, pair or fault that is not there."""

    @abstractmethod
    def operate(self, action: Callable[[UnitFaults], Result]) -> Result:
        """Do something to the units, where they run; return its result."""

    def state(self) -> dict[str, Any]:
        """Return everything there is to know, without secrets, as JSON would hold it."""
        return self.operate(
            lambda units: {
                **_describe(units.network),
                "faults": [{"number": number, "fault": str(fault)} for number, fault in units.faults],
            }
        )

    def inject(self, fault: Fault | str) -> int:
        """Set a fault, given as such or as ``--fault`` takes it; return the number that lifts it.

        Raises :class:`LabError` for a fault that could never happen, such as one of an unknown unit or command.
        """
        wanted = Fault.parse(fault) if isinstance(fault, str) else fault
        return self.operate(lambda units: units.inject(wanted))

    def lift(self, number: int) -> None:
        """Take a fault away by its number: who does not return boots now, who refuses accepts again."""
        self.operate(lambda units: units.lift(number))

    def lift_all(self) -> None:
        """Take all faults away."""

        def lift(units: UnitFaults) -> None:
            for number, _ in list(units.faults):
                units.lift(number)

        self.operate(lift)

    def fail_over(self, site: str) -> None:
        """Hand over from a pair's active unit to its standby. Raises :class:`LabError` where there is none."""
        self.operate(lambda units: units.network.fail_over(site))

    def cut(self, site: str, other: str) -> None:
        """Cut the network between two sites, which keeps their GEO partners apart; their APIs answer as before."""
        self.operate(lambda units: units.network.cut(site, other))

    def mend(self, site: str) -> None:
        """Mend the network between a site and all others."""
        self.operate(lambda units: units.network.mend(site))

    def break_replication(self, site: str) -> None:
        """Let nothing more reach the standby of a pair."""
        self.operate(lambda units: units.network.set_replication(site, works=False))

    def mend_replication(self, site: str) -> None:
        """Let the replication of a pair work again."""
        self.operate(lambda units: units.network.set_replication(site, works=True))

    def forget_partners(self, address: str) -> None:
        """Take a unit's memory of submitted partners, as of a slave on which nobody submitted them."""
        self.operate(lambda units: units.network.forget_partners(units.network.unit(address)))

    def power_off(self, address: str) -> None:
        """Cut a unit's power."""
        self.operate(lambda units: units.network.power_off(units.network.unit(address)))

    def power_on(self, address: str) -> None:
        """Give a unit power again; it then boots."""
        self.operate(lambda units: units.network.power_on(units.network.unit(address)))

    def reboot(self, address: str) -> None:
        """Reboot a unit at once, with the faults that are set for its reboot."""
        self.operate(lambda units: units.reboot(units.network.unit(address)))

    def upgrade(self, address: str, version: str) -> None:
        """Reboot a unit into another firmware, newer or older.

        It keeps its configuration, and comes without a secret into a firmware that brings the Partner Shared Secret.
        Raises :class:`LabError` for a text that is no version, and for a unit that is not up.
        """

        def upgrade(units: UnitFaults) -> None:
            unit, firmware = units.network.unit(address), Firmware(version)
            if not unit.is_up:
                raise LabError(f"{unit.address} is not up", hint="give it power, and upgrade it once it has booted")
            units.network.upgrade(unit, firmware)
            units.reboot(unit)

        self.operate(upgrade)

    def lose_configuration(self, address: str) -> None:
        """Take a unit's configuration and its memory of submitted partners."""
        self.operate(lambda units: units.network.lose_configuration(units.network.unit(address)))


class Done(NamedTuple):
    """What the control endpoint answers once something is done."""

    content: Mapping[str, Any]
    status: int = 200
    said: str = ""
    """What the log tells beside the request."""


@dataclass(frozen=True, slots=True)
class Verb:
    """A request to the control endpoint, and what it does."""

    method: str
    path: str
    """With NUMBER, NAME or ADDRESS for the fault, site or unit that it is about."""
    help: str
    do: Callable[[Operations, str, str], Done]
    """Do it, given what the path names and the text that was sent."""
    example: str = ""
    """A text to send; without one, nothing that is sent is read."""


def _inject(lab: Operations, _path: str, text: str) -> Done:
    fault = _read_fault(text)
    try:
        number = lab.inject(fault)
    except NotInLabError as error:  # what is wrong is the fault, not the path that it was sent to
        raise LabError(str(error), hint=error.hint) from None
    return Done({"number": number, "fault": str(fault)}, 201, f"fault {number}: {fault}")


def _read_fault(text: str) -> Fault:
    if not text.startswith("{"):
        return Fault.parse(text)
    try:
        written: Any = json.loads(text)
        json.dumps(written, ensure_ascii=False, allow_nan=False).encode()  # so it can be told again, and logged
    except (ValueError, RecursionError):
        raise NotReadableError("the fault is no JSON", hint='send {"kind": "reset", …} or reset,…') from None
    return Fault.from_mapping(written)


def _lift(lab: Operations, number: str, _text: str) -> Done:
    lab.lift(int(number))
    return Done({"faults": lab.state()["faults"]})


def _lift_all(lab: Operations, _path: str, _text: str) -> Done:
    lab.lift_all()
    return Done({"faults": lab.state()["faults"]})


def _to_site(name: str, words: str, do: Callable[..., None], example: str = "") -> Verb:
    def act(lab: Operations, site: str, text: str) -> Done:
        do(lab, site, *([text] if example else []))
        return Done({"site": site})

    return Verb("POST", f"/sites/NAME/{name}", words, act, example)


def _to_unit(name: str, words: str, do: Callable[..., None], example: str = "") -> Verb:
    def act(lab: Operations, address: str, text: str) -> Done:
        do(lab, address, *([text] if example else []))
        return Done({"unit": address, "power": lab.operate(lambda units: units.network.unit(address).power)})

    return Verb("POST", f"{OF_UNIT}{name}", words, act, example)


OF_UNIT = "/units/ADDRESS/"
VERBS = (
    Verb("GET", "/state", "show the whole state", lambda lab, _path, _text: Done(lab.state())),
    Verb("POST", "/faults", "inject a fault, as text or JSON", _inject, "reset,command=reboot,occurrence=1"),
    Verb("DELETE", "/faults", "lift all faults", _lift_all),
    Verb("DELETE", "/faults/NUMBER", "lift one fault", _lift),
    _to_site("fail-over", "let the active unit step down", Operations.fail_over),
    _to_site("cut", "cut the network to another site", Operations.cut, "HA Pair 2"),
    _to_site("mend", "mend the network to all sites", Operations.mend),
    _to_site("break-replication", "let nothing more reach the standby", Operations.break_replication),
    _to_site("mend-replication", "let replication work again", Operations.mend_replication),
    _to_unit("power-off", "cut its power", Operations.power_off),
    _to_unit("power-on", "boot it", Operations.power_on),
    _to_unit("reboot", "reboot it", Operations.reboot),
    _to_unit("forget-partners", "forget what was submitted on it", Operations.forget_partners),
    _to_unit("lose-configuration", "empty it", Operations.lose_configuration),
    _to_unit("upgrade", "reboot it into that firmware", Operations.upgrade, "7.2.59.4"),
)


def _describe(network: Network) -> dict[str, Any]:
    """Return time, units, pairs and links."""
    return {
        "seconds": round(network.clock.now(), 3),
        "timings": {
            "boot_seconds": network.timings.boot_seconds,
            "failover_seconds": network.timings.failover_seconds,
            "sync_seconds": network.timings.sync_seconds,
        },
        "units": {address: _describe_unit(network, unit) for address, unit in network.units.items()},
        "pairs": {site: _describe_pair(pair) for site, pair in network.pairs.items()},
        "links": sorted(sorted(unit.address for unit in link) for link in network.partners),
    }


def _describe_unit(network: Network, unit: Unit) -> dict[str, Any]:
    return {
        "site": unit.site,
        "role": unit.role,
        "nat_address": unit.nat_address,
        "firmware": unit.firmware.text,
        "power": unit.power.value,
        "active": network.is_active(unit),
        "ha_mode": unit.ha.mode,
        "ha_status": network.ha_status(unit),
        "ha": {
            "partner": unit.ha.partner or None,
            "health_check_port": unit.ha.health_check_port or None,
            "preferred_host": "master" if unit.ha.prefer_master else "none",
            "all_interfaces": unit.ha.all_interfaces,
        },
        "pacified": unit.pacified,
        "reboots": len(unit.reboots),
        "has_secret": unit.secret is not None,
        "remote_geo_access": list(unit.remote_geo_access),
        "geo_partners": list(unit.geo_partners),
        "submitted_geo_partners": None if unit.submitted is None else list(unit.submitted),
        "partner_status": {address: "green" if green else "red" for address, green in network.partners.status_of(unit)},
        "clusters": [
            {"address": address, "name": cluster.name, "type": cluster.type}
            for address, cluster in network.geo.clusters(unit)
        ],
        "fqdns": [fqdn.name for fqdn in network.geo.fqdns(unit)],
        "maps": [
            {"fqdn": fqdn.name, "address": each.address, "cluster": each.cluster}
            for fqdn in network.geo.fqdns(unit)
            for each in fqdn.maps
        ],
    }


def _describe_pair(pair: Pair) -> dict[str, Any]:
    return {
        "master": pair.master.address,
        "slave": pair.slave.address,
        "active": pair.active.address if pair.active else None,
        "preferred_host": "master" if pair.prefers_master else "none",
        "formed": pair.is_formed,
        "unpaired_because": list(pair.unpaired_because),
        "ever_same_mode": pair.ever_same_mode,
    }
