"""What a pair's states mean together: failed over, both active, none active, down, unconnected (sections 4, 6.2, 8)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from geoplan.live.activity import Way
from geoplan.live.findings.kinds import Finding, FindingKind, Severity, about, titled
from geoplan.live.findings.pairs import SINGLE
from geoplan.live.model import Cause, State, how_to_reach
from geoplan.vendor import HA_PARAMETERS, SYNC_PORT
from geoplan.wording import http_status, join_words, local_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geoplan.live.activity import Look
    from geoplan.live.findings.kinds import Command, Since
    from geoplan.live.model import Observation
    from geoplan.plan.model import SiteSettings


class UnitState(StrEnum):
    """What a unit is at the moment, from its health check and from whether its API answers."""

    ACTIVE = "active"
    STANDBY = "standby"
    ALONE = "alone"
    """A standalone that is up, or a unit of a pair in HA mode single."""
    UNCONNECTED = "unconnected"
    """It is up, and nothing answers its health check."""
    DOWN = "down"
    UNKNOWN = "unknown"


_BY_HEALTH = {State.ACTIVE: UnitState.ACTIVE, State.STANDBY: UnitState.STANDBY}


def unit_state(unit: Observation) -> UnitState:
    """Say what a unit is, by its health check and its API, which tells as well whether a silent unit is up."""
    if unit.state in _BY_HEALTH:
        return _BY_HEALTH[unit.state]
    if unit.failure is not None:
        is_silent = unit.failure.cause is Cause.UNREACHABLE and unit.state in (State.DOWN, None)
        return UnitState.DOWN if is_silent else UnitState.UNKNOWN
    if unit.role == "standalone" or has_mode(unit, SINGLE):
        return UnitState.ALONE
    return UnitState.UNCONNECTED if unit.state is State.DOWN else UnitState.UNKNOWN


def has_mode(unit: Observation, mode: str) -> bool:
    """Return whether a unit says that this is its HA mode."""
    return unit.ha is not None and unit.ha.mode == mode


@dataclass(frozen=True)
class Pair:
    """A pair as its findings see it."""

    site: SiteSettings
    master: Observation
    slave: Observation
    port: int
    """The topology's health check port."""
    since: Since
    command: Command

    @property
    def units(self) -> tuple[Observation, Observation]:
        """Both units, the topology's master first."""
        return self.master, self.slave

    @property
    def addresses(self) -> tuple[str, ...]:
        """Both addresses."""
        return tuple(unit.address for unit in self.units)

    @property
    def is_swapped(self) -> bool:
        """Whether the units have each other's HA mode."""
        return has_mode(self.master, "slave") and has_mode(self.slave, "master")

    @property
    def prefers_master(self) -> bool:
        """Whether the master takes over again once it is up, as the units say or, where they do not, the topology."""
        said = self.master.ha.prefers_master if self.master.ha else None
        return self.site.preferred_host != "none" if said is None else said

    def other(self, unit: Observation) -> Observation:
        """Return the other unit."""
        return self.slave if unit is self.master else self.master

    def finding(
        self,
        kind: FindingKind,
        message: str,
        hint: str = "",
        *units: Observation,
        commands: tuple[str, ...] = (),
        severity: Severity,
    ) -> Finding:
        """Return a finding about this pair, or about some of its units."""
        return about(kind, units or self.units, message, hint, commands, severity=severity)


def state_findings(pair: Pair) -> Iterator[Finding]:
    """Say what the states of both units mean."""
    states = {unit.address: unit_state(unit) for unit in pair.units}
    if set(states.values()) == {UnitState.DOWN}:
        yield pair.finding(
            FindingKind.PAIR_DOWN,
            f"both units are down: neither {' nor '.join(pair.addresses)} answers, by health check or API",
            how_to_reach(
                "the site serves nobody: see that its units run, and that they can be reached from here", *pair.units
            ),
            severity=Severity.BLOCKING,
        )
        return
    for unit in pair.units:
        yield from _unit_findings(pair, unit, states[unit.address])
    yield from _way_findings(pair)
    yield from _activity_findings(pair, states)


def _way_findings(pair: Pair) -> Iterator[Finding]:
    """Say where health check and API do not agree, and where the API alone tells who is active."""
    looks = [(unit, unit.look) for unit in pair.units if unit.look]
    if disagreeing := [(unit, look) for unit, look in looks if look.state is State.CONTRADICTORY]:
        shown = join_words(
            f"{titled(unit)} is {look.health} by its health check ({unit.health}), and its API says '{look.told}'"
            for unit, look in disagreeing
        )
        yield pair.finding(
            FindingKind.CONTRADICTORY,
            f"who is active is told in two ways that do not agree: {shown}",
            f"a failover under way looks like this for a moment: look again; if it stays, see that port {pair.port} of "
            "each unit is answered by itself, and what the unit shows at the top of its web interface; until they "
            "agree no push reboots, submits or changes a mode there",
            *(unit for unit, _ in disagreeing),
            severity=Severity.BLOCKING,
        )
    for health, closed in _by_api_alone(looks).items():
        is_refusing = health == "refused"
        yield pair.finding(
            FindingKind.HEALTH_NOT_SEEN,
            f"the health check on port {pair.port} of {join_words(map(titled, closed))} does not answer from here "
            f"({health}); who is active is told by {'their APIs' if len(closed) > 1 else 'its API'} alone",
            "the port may be open to the load balancer alone; see there that its health checks succeed"
            + (f", and Health Check Port under {HA_PARAMETERS}: something refuses connections" if is_refusing else ""),
            *closed,
            severity=Severity.KNOWING,
        )


def _by_api_alone(looks: list[tuple[Observation, Look]]) -> dict[str, list[Observation]]:
    """Return the units whose health check is silent while their API tells, by how it is silent."""
    found: dict[str, list[Observation]] = {}
    for unit, look in looks:
        if look.way is Way.API and look.health is State.DOWN:
            found.setdefault(unit.health or "no answer", []).append(unit)
    return found


def _unit_findings(pair: Pair, unit: Observation, state: UnitState) -> Iterator[Finding]:
    match state:
        case UnitState.DOWN:
            other = pair.other(unit)
            alone = " Its pair has no standby." if unit_state(other) is UnitState.ACTIVE else ""
            yield pair.finding(
                FindingKind.UNIT_DOWN,
                f"{titled(unit)} is down: neither its health check ({unit.health}) nor its API answers.{alone}",
                how_to_reach("see that it runs, and that it can be reached from here", unit),
                unit,
                severity=Severity.BLOCKING,
            )
        case UnitState.UNCONNECTED if _port(unit) in (None, pair.port):
            yield _unconnected(pair, unit)
        case UnitState.UNKNOWN if unit.state is State.CONTRADICTORY:
            pass
        case _ if _answers_otherwise(unit):
            yield pair.finding(
                FindingKind.HEALTH_UNCLEAR,
                f"the health check of {titled(unit)} answers neither 200 nor 503, but {http_status(unit.health or '')}",
                f"see what answers on port {pair.port} of {unit.address}: "
                "a virtual service must not stand there (section 6.2.1)",
                unit,
                severity=Severity.BLOCKING,
            )
        case _:
            pass


def _answers_otherwise(unit: Observation) -> bool:
    """Return whether a health check answers neither as the active unit's nor as a standby's."""
    health = unit.look.health if unit.look else None
    if health in (State.ACTIVE, State.STANDBY) or (health is State.DOWN and unit.failure is None):
        return False
    return unit.failure is None or unit.health not in ("refused", "timeout", "unreachable")


def _unconnected(pair: Pair, unit: Observation) -> Finding:
    """Infer what the API does not say: a unit whose health check nobody can poll shows itself unconnected."""
    shown = f"{unit.ha.mode.capitalize()} Unconnected" if unit.ha and unit.ha.mode else "Unconnected"
    return pair.finding(
        FindingKind.UNCONNECTED,
        f"nothing answers on the health check port {pair.port} of {titled(unit)} ({unit.health}), though its API does: "
        f"a load balancer that gets no answer there either never polls it, and the unit shows {shown} (section 8)",
        f"check Health Check Port under {HA_PARAMETERS} on {unit.address}, and that port {pair.port} is open to it, "
        "from here too; once anything polls it, a look of geoplan's included, it shows Active or Standby. Or the port "
        "is open to the load balancer alone: then nothing tells from here which unit is active",
        unit,
        severity=Severity.BLOCKING,
    )


def _activity_findings(pair: Pair, states: dict[str, UnitState]) -> Iterator[Finding]:
    active = [unit for unit in pair.units if states[unit.address] is UnitState.ACTIVE]
    standby = [unit for unit in pair.units if states[unit.address] is UnitState.STANDBY]
    if len(active) == len(pair.units):
        yield pair.finding(
            FindingKind.BOTH_ACTIVE,
            f"both units are active: {join_words(pair.addresses)} both answer 200, both get traffic, and neither "
            "takes over what is changed on the other",
            "they do not find each other: set right what differs in their HA parameters, see that the health check "
            f"port {pair.port} and TCP port {SYNC_PORT} are open between them (section 6), and that both have the same "
            "Partner Shared Secret where their firmware has one; it cannot be read",
            severity=Severity.BLOCKING,
        )
    elif not active and standby:
        yield _none_active(pair, states, standby)
    elif active == [pair.slave] and not pair.is_swapped and not any(has_mode(unit, SINGLE) for unit in pair.units):
        yield from _failed_over(pair, states[pair.master.address])


def _none_active(pair: Pair, states: dict[str, UnitState], standby: list[Observation]) -> Finding:
    if len(standby) == len(pair.units):
        what = f"neither unit is active: {join_words(pair.addresses)} both answer 503, as standby"
    else:
        other = pair.other(standby[0])
        what = (
            f"no unit is seen active: {titled(standby[0])} is standby, and {titled(other)} is {states[other.address]}"
        )
    return pair.finding(
        FindingKind.NONE_ACTIVE,
        f"{what}. A load balancer that gets the same answers sends traffic to nobody",
        "a failover under way looks like this for a moment: look again; if it stays, see that the units have "
        f"different HA modes and each other as partner, and reboot {pair.master.address}",
        severity=Severity.BLOCKING,
    )


def _failed_over(pair: Pair, master: UnitState) -> Iterator[Finding]:
    moment = pair.since.get(pair.slave.address)
    present = f"since {local_time(moment)}" if moment else "at present"
    taken = f"failed over: the slave {pair.slave.address} is active {present}"
    hint, severity = "", Severity.MENDING
    commands: tuple[str, ...] = ()
    if master is UnitState.DOWN:
        back = (
            "It goes back by itself once the master is up (Prefer Master)"
            if pair.prefers_master
            else "It stays with the slave, also once the master is up (No Preferred Host)"
        )
        what = f"the master is down. {back}"
    elif master is UnitState.STANDBY and pair.prefers_master:
        what = (
            f"the master {pair.master.address} is its standby. Under Prefer Master that is unusual: a master "
            "that is up takes over by itself, so either it has only just come back, or somebody switched over by hand"
        )
        hint = f"it goes back at the master's next boot, or at once when {pair.slave.address} is rebooted; to see it:"
        commands = (pair.command("status", "--watch"),)
    elif master is UnitState.STANDBY:
        what = (
            f"the master {pair.master.address} is its standby. It stays so (No Preferred Host): the master "
            "takes over when the slave goes down"
        )
        severity = Severity.KNOWING
    else:
        what = f"whether the master {pair.master.address} stands by cannot be told"
    yield pair.finding(FindingKind.FAILED_OVER, f"{taken}; {what}", hint, commands=commands, severity=severity)


def _port(unit: Observation) -> int | None:
    return unit.ha.health_check_port if unit.ha else None
