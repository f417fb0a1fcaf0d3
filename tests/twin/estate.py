"""A lab as planned that is asked and changed over real sockets alone: its units over TLS, its accidents over HTTP."""

from __future__ import annotations

import base64
import re
import select
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import NamedTuple
from urllib.parse import quote, urlencode

from geoplan.lab.device.unit import Credentials
from geoplan.lab.lab import BackgroundLab
from geoplan.plan.model import Plan
from geoplan.topology.model import Topology
from geoplan.twin.failures import PROBE, Failure, FailureKind

PASSWORD = "a passphrase of the estate"  # noqa: S105 - of a lab
BOOT, FAILOVER, SYNC = 0.3, 0.05, 0.05
PATIENCE_SECONDS = 15.0
POLL_SECONDS = 0.05


class Seen(NamedTuple):
    """What the units themselves say at one moment."""

    active: dict[str, str]
    """The active unit of each site that has one, by its health check, or of a standalone by its API."""
    green: frozenset[frozenset[str]]
    """Each two sites whose active units both show each other green."""
    red: frozenset[frozenset[str]]
    """Each two whose active units both show each other red."""


class Estate:
    """The units of a topology over their sockets."""

    def __init__(self, lab: BackgroundLab, plan: Plan) -> None:
        self._lab = lab
        self._plan = plan
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._credentials = base64.b64encode(f"bal:{PASSWORD}".encode()).decode()

    # -- as planned --------------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Carry the plan's lists out: on every active unit, then on each slave in its turn, then once more."""
        for site in self._plan.sites:
            self._submit(site.name, "geoclients", site.remote_geo_access)
            self._submit(site.name, "geopartners", site.geo_partners)
        for site in self._plan.sites:
            for _ in site.units if site.kind == "ha_pair" else ():
                self.fail_over(site.name)
                self._submit(site.name, "geopartners", site.geo_partners)
        for site in self._plan.sites:
            self._submit(site.name, "geopartners", site.geo_partners)
        expected = {frozenset(two) for two in combinations((site.name for site in self._plan.sites), 2)}
        assert self.until(lambda seen: seen.green == expected).green == expected

    def fail_over(self, site: str) -> None:
        """Let a pair fail over, and wait until its other unit is active and answers as that."""
        before = self._active(site)
        self.control(f"sites/{quote(site)}/fail-over")
        self.until(lambda seen: seen.active.get(site) not in (None, before))

    def submit_on(self, unit: str) -> None:
        """Submit its partners on a unit while it is active, as a person is told to: its pair fails over first."""
        site = next(site for site in self._plan.sites if unit in (each.address for each in site.units))
        if self._active(site.name) != unit:
            self.fail_over(site.name)
        self._submit(site.name, "geopartners", site.geo_partners)

    def _submit(self, site: str, name: str, addresses: tuple[str, ...]) -> None:
        unit = self.until(lambda seen: site in seen.active).active[site]
        if addresses:
            self._ask(unit, f"set?{urlencode({'param': name, 'value': ','.join(addresses)})}")

    # -- what happens ------------------------------------------------------------------------------------------------

    def begin(self, failure: Failure) -> None:
        """Let something fail."""
        (site, *_) = failure.sites
        match failure.kind:
            case FailureKind.FAILOVER:
                self.control(f"sites/{quote(site)}/fail-over")
            case FailureKind.NETWORK_CUT:
                for one in failure.sites:
                    for other in failure.others:
                        self.control(f"sites/{quote(one)}/cut", other)
            case FailureKind.REPLICATION_BROKEN:
                self.control(f"sites/{quote(site)}/break-replication")
                self.change(site, f"{site.lower().replace(' ', '-')}.{PROBE}")
            case FailureKind.NEVER_SUBMITTED:
                self.control(f"units/{failure.units[0]}/forget-partners")
            case _:
                for unit in failure.units:
                    self.control(f"units/{unit}/power-off")

    def change(self, site: str, fqdn: str) -> None:
        """Add an FQDN on a site's active unit: what has to reach all others."""
        self._ask(self.until(lambda seen: site in seen.active).active[site], f"addfqdn?fqdn={fqdn}")

    def repair(self, failure: Failure) -> None:
        """Repair it, as far as there is something to repair."""
        match failure.kind:
            case FailureKind.NETWORK_CUT:
                for site in failure.sites:
                    self.control(f"sites/{quote(site)}/mend")
            case FailureKind.REPLICATION_BROKEN:
                self.control(f"sites/{quote(failure.sites[0])}/mend-replication")
            case FailureKind.UNIT_OFF | FailureKind.SITE_OFF | FailureKind.REGION_OFF:
                for unit in failure.units:
                    self.control(f"units/{unit}/power-on")
            case _:
                pass

    def control(self, path: str, body: str = "") -> None:
        """Send a request to the lab's control endpoint."""
        assert self._lab.endpoints.control
        asked = urllib.request.Request(f"{self._lab.endpoints.control}/{path}", body.encode(), method="POST")  # noqa: S310
        urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS).close()  # noqa: S310 - the lab's

    # -- what is seen ------------------------------------------------------------------------------------------------

    def until(self, holds: Callable[[Seen], bool]) -> Seen:
        """Look at the units until something holds of them; the last look, if it never does in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        seen = self.look()
        while not holds(seen) and time.monotonic() < deadline:
            select.select([], [], [], POLL_SECONDS)
            seen = self.look()
        return seen

    def without(self, fqdn: str, seen: Seen) -> set[str]:
        """Return the sites whose active unit does not have an FQDN."""
        return {site for site, unit in seen.active.items() if fqdn not in self._fqdns(unit)}

    def standbys_behind(self, seen: Seen) -> set[str]:
        """Return the standbys that are up and have other FQDNs than their active unit."""
        pairs = [site for site in self._plan.sites if site.kind == "ha_pair" and site.name in seen.active]
        found = set()
        for site in pairs:
            active = seen.active[site.name]
            (standby,) = (unit.address for unit in site.units if unit.address != active)
            if self._ask(standby, "get?param=version") and self._fqdns(standby) != self._fqdns(active):
                found.add(standby)
        return found

    def _fqdns(self, unit: str) -> frozenset[str]:
        named = re.findall(r"<FullyQualifiedDomainName>(.*?)</FullyQualifiedDomainName>", self._ask(unit, "listfqdns"))
        return frozenset(name.rstrip(".") for name in named)

    def look(self) -> Seen:
        """Ask every unit who it is, and every active one for the colours of its partners."""
        active = {site.name: unit for site in self._plan.sites if (unit := self._active(site.name))}
        colours = {site: self._colours(unit) for site, unit in active.items()}
        green, red = set(), set()
        for one, other in combinations(active, 2):
            said = {colours[one].get(self._known_as(active[other])), colours[other].get(self._known_as(active[one]))}
            if said == {"green"}:
                green.add(frozenset((one, other)))
            if said == {"red"}:
                red.add(frozenset((one, other)))
        return Seen(active, frozenset(green), frozenset(red))

    def _known_as(self, address: str) -> str:
        units = (unit for site in self._plan.sites for unit in site.units)
        return next(unit.nat_address or unit.address for unit in units if unit.address == address)

    def _active(self, name: str) -> str | None:
        site = self._plan.site(name)
        if site.kind == "standalone":
            address = site.units[0].address
            return address if self._ask(address, "get?param=version") else None
        return next((unit.address for unit in site.units if self._is_active(unit.address)), None)

    def _is_active(self, address: str) -> bool:
        health = self._lab.endpoints.units[address].health
        assert health
        try:
            with urllib.request.urlopen(health, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - the lab's
                return bool(answer.status == 200)
        except OSError:  # refused by a unit that is down, or 503
            return False

    def _colours(self, address: str) -> dict[str, str]:
        answer = self._ask(address, "getgeopartnerstatus")
        return {
            ip: colour.lower()
            for ip, colour in re.findall(r"<IPAddress>(.*?)</IPAddress>.*?<Status>(.*?)</Status>", answer)
        }

    def _ask(self, address: str, request: str) -> str:
        """Return what a unit answers over TLS, and nothing where it is down."""
        url = f"{self._lab.endpoints.units[address].api}/access/{request}"
        asked = urllib.request.Request(url, headers={"Authorization": f"Basic {self._credentials}"})  # noqa: S310
        try:
            with urllib.request.urlopen(asked, context=self._context, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
                return str(answer.read().decode("iso-8859-1"))
        except OSError:
            return ""


@contextmanager
def estate(topology: Topology, plan: Plan) -> Iterator[Estate]:
    """Serve a topology as planned as long as the block lasts."""
    options = {"boot_seconds": BOOT, "failover_seconds": FAILOVER, "sync_seconds": SYNC, "rate_limit": 0}
    with BackgroundLab(topology, credentials=Credentials("bal", PASSWORD), **options) as lab:
        made = Estate(lab, plan)
        made.set_up()
        yield made
