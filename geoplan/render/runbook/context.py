"""Where everything is while a plan is carried out: units, their states, and the steps that others refer to."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from geoplan.plan.actions import LOOKS
from geoplan.plan.cut_links import cut_by_lists_alone
from geoplan.plan.firmware_change import becomes_inaccessible
from geoplan.plan.groups import grouped
from geoplan.plan.model import UPDATE_ACTIONS, Action, Phase
from geoplan.render.delta import deltas_of
from geoplan.render.runbook.ec2 import stems_of
from geoplan.render.runbook.prose import Name, StepNumber, Url, Value
from geoplan.topology.api import health_url_of
from geoplan.vendor import parse_version
from geoplan.wording import shell_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from geoplan.plan.firmware_change import FirmwareChange, UnitFirmware
    from geoplan.plan.model import Plan, PlannedGroup, SiteSettings, Step
    from geoplan.plan.pairs import HaPairSettings, HealthCheckTiming, LoadBalancer
    from geoplan.render.delta import SiteDelta
    from geoplan.topology.api import UnitApi

OK = Value("200")  # what the active unit answers the health check (section 4)
BUSY = Value("503")  # what the standby answers

_TRANSPORT = {"TLS": "TCP", "TCP_UDP": "TCP and UDP"}


class Pair(NamedTuple):
    """An HA pair with what each of its units answers the health check on, and where each is logged in to."""

    site: Name
    master: Value
    slave: Value
    master_health: Url
    slave_health: Url
    master_wui: Url
    """The web interface, where the API is too."""
    slave_wui: Url
    master_returns: bool
    """Whether the master takes over again once it is back (Prefer Master)."""
    reached_at: tuple[Value, Value]
    """Where the other sites reach the master and the slave."""

    @property
    def behind_nat(self) -> bool:
        """Whether a unit is reached at another address than its own."""
        return self.reached_at != (self.master, self.slave)


class RunbookContext:
    """A plan, looked at from any of its steps; ``apis`` says where the units of its topology are logged in to."""

    def __init__(self, plan: Plan, apis: Mapping[str, UnitApi]) -> None:
        self.plan = plan
        self._apis = apis

    @cached_property
    def _numbers(self) -> dict[tuple[str, Action], int]:
        return {(step.site, step.action): step.number for step in self.plan.steps}

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        """Every HA pair that the plan touches, by its site's name."""
        return {
            site.name: _pair(site, self.plan.health_check_port_of(site.name), self.wui_of)
            for site in self.sites
            if site.kind == "ha_pair"
        }

    def preferring(self, host: str) -> list[Name]:
        """Return the pairs of which the ``master`` takes over again once it is back, or those with ``none``."""
        return [pair.site for pair in self.pairs.values() if pair.master_returns == (host == "master")]

    @cached_property
    def health_check_ports(self) -> dict[Value, list[Name]]:
        """The pairs by the port on which they answer the health check."""
        ports: dict[Value, list[Name]] = {}
        for site in self.pairs:
            ports.setdefault(Value(str(self.plan.health_check_port_of(site))), []).append(Name(site))
        return ports

    def drill_command(self, *, back: bool) -> Value:
        """Return the command that drills a pair, with words for the names of the file and the site."""
        return Value(shell_command("geoplan", "drill", "TOPOLOGY", "--site", "NAME", *(["--back"] if back else [])))

    def wui_of(self, address: str) -> Url:
        """Return where the web interface of a unit is, which is where its API is."""
        return Url(self._apis[address].url)

    @cached_property
    def wui_ports(self) -> dict[Value, list[Name]]:
        """The sites by the port of their units' web interfaces; a site with two of them is named under both."""
        ports: dict[Value, list[Name]] = {}
        for site in self.sites:
            for port in dict.fromkeys(self._apis[unit.address].port for unit in site.units):
                ports.setdefault(Value(str(port)), []).append(Name(site.name))
        return ports

    def number(self, site: str, action: Action) -> StepNumber:
        """Return the number of the step that does something to a site."""
        return StepNumber(self._numbers[site, action])

    def number_of(self, site: str, action: Action) -> StepNumber | None:
        """Return the number of the step that does something to a site, or None where none does."""
        number = self._numbers.get((site, action))
        return StepNumber(number) if number else None

    @cached_property
    def deltas(self) -> tuple[SiteDelta, ...]:
        """What becomes of each site that a change touches."""
        return deltas_of(self.plan)

    @cached_property
    def leaving(self) -> frozenset[str]:
        """The sites that leave for good."""
        return frozenset(self.plan.change.leaving) if self.plan.change else frozenset()

    @cached_property
    def cut_by_lists_alone(self) -> dict[str, tuple[str, ...]]:
        """The pairs that lose partners which the last submission of their standby still names, with these."""
        return cut_by_lists_alone(self.plan)

    @cached_property
    def looks(self) -> tuple[Step, ...]:
        """The steps that wait for replication, to see that nothing is linked."""
        return tuple(step for step in self.plan.steps if step.action in LOOKS)

    def with_new_unit(self, site: str) -> bool:
        """Return whether a site goes on with a new unit, so that it is no working pair at first."""
        delta = self._deltas_by_site.get(site)
        return delta is not None and bool(delta.units.added or delta.replaced)

    def reference_of(self, site: str) -> str:
        """Return the site whose GEO configuration one takes over; only a site that is seeded is asked."""
        change = self.plan.change
        joined = change.joined_by(site) if change else None
        if joined:
            return joined.reference
        seeded = {step.site for step in self.plan.steps if step.action is Action.SEED_GEO_CONFIGURATION}
        others = self.plan.sites_of(self.plan.site(site).group)
        return min(others, key=lambda other: (other.name in seeded, other.kind != "ha_pair")).name

    def unlinked_from(self, site: str) -> tuple[str, ...]:
        """Return the addresses at which the others of its group before are reached, whom a leaving site must not name.

        Those that stay and those that leave with others are all among them.
        """
        change = self.plan.change
        part = change.part_of(site) if change else None
        if change is None or part is None:
            return ()
        return tuple(address for name in part.others for address in shown_units(change.old_site(name)))

    def shown_units(self, sites: Iterable[str]) -> tuple[str, ...]:
        """Return where the units of sites were reached before the change."""
        change = self.plan.change
        return tuple(address for name in sites if change for address in shown_units(change.old_site(name)))

    def first_after_reboots(self, group: str) -> int:
        """Return the number of the first step of a group that needs every rebooted pair whole again, or 0."""
        return self._first_after_reboots[group]

    @cached_property
    def _first_after_reboots(self) -> dict[str, int]:
        of_pairs = (Action.REBOOT_MASTER, Action.RESUBMIT_GEO_PARTNERS)
        first: dict[str, int] = {}
        for step in self.plan.steps:
            group = self.group_of(step)
            if step.action in of_pairs and step.on.unit != "standalone":
                first[group] = 0  # not yet: this one may be the last
            elif not first.get(group):
                first[group] = step.number
        return first

    def has(self, phase: Phase) -> bool:
        """Return whether the plan has steps of a phase."""
        return phase in self.phases

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The parts of the work that the plan has steps of."""
        return self.plan.phases()

    @cached_property
    def sites(self) -> tuple[SiteSettings, ...]:
        """The sites that the plan touches: without GEO the pairs alone, or those that get new firmware."""
        if self.plan.firmware:
            updated = set(self.plan.firmware.sites)
            return tuple(site for site in self.plan.sites if site.name in updated)
        return tuple(site for site in self.plan.sites if self.phases != (Phase.HA,) or site.kind == "ha_pair")

    @cached_property
    def ha_pairs(self) -> dict[str, HaPairSettings]:
        """What the plan knows of pairs beyond their units, by their site's name: parameters, health check, AWS."""
        return {pair.site: pair for pair in self.plan.ha_pairs if pair.site in self.pairs}

    @cached_property
    def balanced(self) -> dict[str, LoadBalancer]:
        """The load balancers of pairs, by their site's name."""
        return {site: pair.load_balancer for site, pair in self.ha_pairs.items() if pair.load_balancer}

    @cached_property
    def health_checks(self) -> dict[HealthCheckTiming, list[Name]]:
        """Each health check that the plan knows, with the pairs that have it."""
        sites: dict[HealthCheckTiming, list[Name]] = {}
        for site, settings in self.ha_pairs.items():
            sites.setdefault(settings.health_check, []).append(Name(site))
        return sites

    @property
    def seconds_of_checks(self) -> int:
        """How long the load balancers' health checks make all steps take."""
        return sum(map(self.plan.health_check_seconds, self.plan.steps))

    def traffic_of(self, site: str) -> tuple[tuple[str, Value], ...]:
        """Return what a load balancer sends to a pair as a firewall calls it: each transport with its port, once."""
        groups = self.balanced[site].target_groups
        traffic = dict.fromkeys((_TRANSPORT.get(group.protocol, group.protocol), group.port) for group in groups)
        return tuple((transport, Value(str(port))) for transport, port in traffic)

    def sites_of(self, group: str) -> tuple[SiteSettings, ...]:
        """Return the sites of a group that the plan touches."""
        return self._sites_by_group.get(group, ())

    @cached_property
    def _sites_by_group(self) -> dict[str, tuple[SiteSettings, ...]]:
        return grouped(self.sites)

    def delta_of(self, site: str) -> SiteDelta:
        """Return what becomes of a site; raises :class:`KeyError` where a change does not touch it."""
        return self._deltas_by_site[site]

    @cached_property
    def _deltas_by_site(self) -> dict[str, SiteDelta]:
        return {delta.site: delta for delta in self.deltas}

    @cached_property
    def joined_groups(self) -> tuple[PlannedGroup, ...]:
        """The groups whose sites are partners of one another."""
        return tuple(group for group in self.plan.groups if len(group.sites) > 1)

    @cached_property
    def names_in_aws(self) -> dict[str, str]:
        """What the names of a pair's load balancer and target groups begin with, by its site's name."""
        return stems_of(self.pairs)

    def number_of_verification(self, site: str) -> StepNumber | None:
        """Return the number of the step that shows that a site is a working pair, where the plan forms it."""
        number = self._numbers.get((site, Action.VERIFY_HA_PAIR))
        return StepNumber(number) if number else None

    def group_of(self, step: Step) -> str:
        """Return the name of the group that a step belongs to."""
        return self.plan.site(step.site).group

    @cached_property
    def rebooted(self) -> tuple[str, ...]:
        """The pairs whose master is rebooted, in that order."""
        return tuple(step.site for step in self.plan.steps if step.action is Action.REBOOT_MASTER)

    def rebooted_last(self, step: Step) -> Pair | None:
        """Return the pair of any group whose master has been rebooted last before a step, or None."""
        earlier = bisect_left(self._reboots, step.number)
        return self.pairs[self.rebooted[earlier - 1]] if earlier else None

    @cached_property
    def _reboots(self) -> tuple[int, ...]:
        return tuple(step.number for step in self.plan.steps if step.action is Action.REBOOT_MASTER)

    def rebooted_before(self, step: Step, group: str) -> tuple[Pair, ...]:
        """Return the pairs of a group whose master has been rebooted before a step."""
        sites = (site.name for site in self._rebooted_by_group.get(group, ()))
        return tuple(self.pairs[site] for site in sites if self._is_rebooted_before(site, step))

    @cached_property
    def _rebooted_by_group(self) -> dict[str, tuple[SiteSettings, ...]]:
        return grouped(map(self.plan.site, self.rebooted))

    def _is_rebooted_before(self, site: str, step: Step) -> bool:
        number = self._numbers.get((site, Action.REBOOT_MASTER))
        return number is not None and number < step.number

    def slave_is_active(self, pair: Pair, step: Step) -> bool:
        """Return whether the slave is expected to be active when a step begins: a failover that nothing turns back."""
        return not pair.master_returns and self._is_rebooted_before(pair.site, step)

    def login(self, step: Step) -> Url:
        """Return the web interface of the unit on which a step is done: of a standby the slave's, as a rule."""
        pair = self.pairs.get(step.on.site)
        if pair is None:
            return self.wui_of(self.plan.site(step.on.site).units[0].address)
        on_slave = step.on.unit in {"slave", "standby", "new_active"}
        on_slave = on_slave or (step.on.unit == "active" and self.slave_is_active(pair, step))
        return pair.slave_wui if on_slave else pair.master_wui

    @property
    def change(self) -> FirmwareChange:
        """The change of firmware that the plan makes; only plans that make one are asked."""
        if self.plan.firmware is None:
            raise ValueError(f"the plan {self.plan.checksum} changes no firmware")
        return self.plan.firmware

    @cached_property
    def left_behind(self) -> list[Name]:
        """The sites that are not updated and are refused by those that are, until they follow."""
        return [Name(site) for site in dict.fromkeys(unit.site for unit in self.change.cut_off)]

    @property
    def new_version(self) -> Value:
        """The version to which units are brought."""
        return Value(self.change.to)

    @cached_property
    def present_versions(self) -> tuple[Value, ...]:
        """What the units that are updated run before, each version once."""
        due = [unit for unit in self.change.units if self.change.is_due(unit)]
        found = dict.fromkeys(unit.present for unit in due if unit.present) or {self.change.to: None}
        return tuple(Value(version) for version in sorted(found, key=parse_version))

    @cached_property
    def updates(self) -> tuple[Step, ...]:
        """The steps that update a unit, each with a reboot."""
        return tuple(step for step in self.plan.steps if step.action in UPDATE_ACTIONS)

    def gains_secret(self, site: str | None = None) -> bool:
        """Return whether new firmware brings the Partner Shared Secret to a unit, of a site or of any."""
        return self.change.has_secret and self._crosses(site)

    def loses_secret(self, site: str | None = None) -> bool:
        """Return whether new firmware takes the Partner Shared Secret from a unit, of a site or of any."""
        return not self.change.has_secret and self._crosses(site)

    def _crosses(self, site: str | None) -> bool:
        return self.change.crosses_at(site) if site else bool(self.change.crossing)

    @cached_property
    def no_way_back(self) -> tuple[UnitFirmware, ...]:
        """The units that cannot go back to what they run now, because they pass 7.2.36 upwards (section 7)."""
        to = parse_version(self.change.to)
        known = (unit for unit in self.change.units if unit.present)
        return tuple(unit for unit in known if becomes_inaccessible(to, parse_version(unit.present or "")))


def shown_units(site: SiteSettings | None) -> tuple[str, ...]:
    """Return where the other sites reach a site's units."""
    return tuple(unit.nat_address or unit.address for unit in site.units) if site else ()


def _pair(site: SiteSettings, port: int, wui_of: Callable[[str], Url]) -> Pair:
    master, slave = (unit.address for unit in site.units)
    return Pair(
        site=Name(site.name),
        master=Value(master),
        slave=Value(slave),
        master_health=health_url(master, port),
        slave_health=health_url(slave, port),
        master_wui=wui_of(master),
        slave_wui=wui_of(slave),
        master_returns=site.preferred_host != "none",
        reached_at=(Value(site.units[0].nat_address or master), Value(site.units[1].nat_address or slave)),
    )


def health_url(address: str, port: int) -> Url:
    """Return where a unit answers the load balancer's health check: path / over HTTP (section 6.1)."""
    return Url(f"{health_url_of(address, port)}/")


def asking(wui: Url, parameter: str) -> Value:
    """Return a command that asks a unit for a parameter over its API, and for the password of its user ``bal``."""
    return Value(shell_command("curl", "-k", "-u", "bal", f"{wui}/access/get?param={parameter}"))
