"""A push on paper: what is read is real, what is changed is only noted, and time passes at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.live.findings.newcomers import seeded_sites
from geoplan.live.model import ClusterType, GeoCluster, HaFacts, State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from geoplan.live.polling import Timings
    from geoplan.live.unit import Unit
    from geoplan.loadmaster.clusters import Look
    from geoplan.loadmaster.credentials import Secret
    from geoplan.loadmaster.firmware import FirmwareImage
    from geoplan.loadmaster.health import HealthAnswer
    from geoplan.loadmaster.model import HaMode, HaRequest, HaSettings, HaStatus, UnitSettings
    from geoplan.plan.model import Plan, SiteSettings


class DryRunClock:
    """A time that passes as soon as somebody waits for it."""

    def __init__(self) -> None:
        self._now = 0.0
        self._began = datetime.now(UTC)

    def now(self) -> float:
        """Return the seconds that have been waited."""
        return self._now

    def wall(self) -> datetime:
        """Return the date and time that it would be then."""
        return self._began + timedelta(seconds=self._now)

    async def sleep(self, seconds: float) -> None:
        """Let that time have passed."""
        self._now += seconds
        await asyncio.sleep(0)


class DryRunState:
    """What the units would hold by now, as far as the push has changed it."""

    def __init__(self, plan: Plan, clock: DryRunClock, timings: Timings) -> None:
        self.plan = plan
        self._clock = clock
        self._boot_seconds = timings.boot_seconds
        self.lists: dict[tuple[str, str], tuple[str, ...]] = {}
        self.clusters: dict[str, tuple[GeoCluster, ...]] = {}
        """The clusters of sites, by their names."""
        self.ha: dict[str, HaFacts] = {}
        """The HA parameters of units that were given any."""
        self.changed_ha: dict[str, HaFacts] = {}
        """The HA parameters of units one of whose is another by now; they were formed before."""
        self.ha_before: dict[str, HaFacts] = {}
        """The HA parameters that units were seen to have."""
        self._rebooted: dict[str, tuple[float, str]] = {}
        self.installed: dict[str, str] = {}
        """The versions that units would run from their next boot on."""
        self.firmware: dict[str, str] = {}
        """The versions that units would run by now."""
        self._seeded = frozenset(seeded_sites(plan))
        self._linked_anew: set[str] = set()
        """The groups, of now and of before, whose links a step has made anew."""

    def noted_clusters(self, site: SiteSettings) -> tuple[GeoCluster, ...] | None:
        """Return the clusters that are noted of a site, or None where it has what it tells."""
        own = self.clusters.get(site.name)
        if site.name not in self._seeded or self._is_apart(site):
            return own
        shared = (self.clusters.get(each.name) for each in self._sharing(site) if each.name not in self._seeded)
        return next((clusters for clusters in shared if clusters is not None), own)

    def note_clusters(self, site: SiteSettings, clusters: tuple[GeoCluster, ...]) -> None:
        """Note the clusters of a site, and of all that it is linked with."""
        self.clusters |= dict.fromkeys((each.name for each in self._sharing(site)), clusters)

    def note_links(self, site: SiteSettings) -> None:
        """Note that a step on a site makes links of its group anew."""
        self._linked_anew |= self._groups(site)

    def has_links_as_told(self, site: SiteSettings) -> bool:
        """Return whether no step has made links of a site's group anew, so that its units still tell them."""
        return self._linked_anew.isdisjoint(self._groups(site))

    def _groups(self, site: SiteSettings) -> set[str]:
        old = self.plan.change.old_site(site.name) if self.plan.change else None
        return {site.group, *([old.group] if old else [])}

    def _sharing(self, site: SiteSettings) -> list[SiteSettings]:
        """Return the sites that a site is linked with by now, and that one."""
        if self._is_apart(site):
            return [site]
        group = self._group(site)
        return [each for each in self.plan.sites if self._group(each) == group and not self._is_apart(each)]

    def _group(self, site: SiteSettings) -> tuple[bool, str]:
        """Return which group a site is in by now: that of before until its partners are others."""
        old = self.plan.change.old_site(site.name) if self.plan.change else None
        is_as_before = old is not None and (site.name, "partners") not in self.lists
        return is_as_before, old.group if old and is_as_before else site.group

    def _is_apart(self, site: SiteSettings) -> bool:
        """Return whether a site joins its group and is not linked with it yet."""
        return site.name in self._seeded and (site.name, "partners") not in self.lists

    def is_formed(self, site: SiteSettings) -> bool:
        """Return whether a site became a pair on paper: a unit was given HA parameters, and both have a mode by now.

        The other unit may have had its own before: a pair is half formed where a push ended between the two.
        """
        known = {**self.ha_before, **self.ha}
        modes = {known.get(unit.address, HaFacts()).mode for unit in site.units}
        return any(unit.address in self.ha for unit in site.units) and not modes & {None, "single"}

    def note_image(self, address: str) -> None:
        """Note that a unit runs the plan's version from its next boot on."""
        if self.plan.firmware:
            self.installed[address] = self.plan.firmware.to

    def reboot(self, site: SiteSettings, address: str) -> None:
        """Note that a unit reboots now, of a pair or not."""
        if address in self.installed:
            self.firmware[address] = self.installed.pop(address)
        self._rebooted[site.name] = self._clock.now(), address
        self.note_links(site)

    def is_changed(self, site: SiteSettings) -> bool:
        """Return whether who is active in a pair goes by what is noted, and not by its units any more."""
        return site.name in self._rebooted or self.is_formed(site)

    def state(self, site: SiteSettings, address: str, before: State) -> State:
        """Return who a unit of a pair would be by now."""
        if site.name not in self._rebooted:
            if not self.is_formed(site):
                return before
            is_master = canonical(site.units[0].address) == canonical(address)
            return State.ACTIVE if is_master else State.STANDBY
        began, rebooted = self._rebooted[site.name]
        is_back = self._clock.now() - began >= self._boot_seconds
        if is_back and site.preferred_host != "none":
            is_master = canonical(site.units[0].address) == canonical(address)
            return State.ACTIVE if is_master else State.STANDBY
        if canonical(rebooted) == canonical(address):
            return State.STANDBY if is_back else State.DOWN
        return State.ACTIVE


class DryRunUnit:
    """One unit whose changes are shown and noted; fulfils :class:`geoplan.live.unit.Unit`.

    ``unit`` has to be one that shows its changes and does not make them.
    """

    def __init__(self, unit: Unit, paper: DryRunState, site: SiteSettings) -> None:
        self._unit = unit
        self._paper = paper
        self._site = site
        self.address = unit.address
        self.is_trusted = unit.is_trusted
        # What no push changes is as the unit tells it; its boot time too, for reboots are only noted.
        self.boot_time = unit.boot_time
        self.change_time = unit.change_time
        self.geo_enabled = unit.geo_enabled
        self.remote_ssh_access = unit.remote_ssh_access
        self.fqdns = unit.fqdns
        self.fqdn_maps = unit.fqdn_maps
        self.host_name = unit.host_name
        self.virtual_services = unit.virtual_services
        self.previous_firmware = unit.previous_firmware

    @property
    def wants_basic(self) -> bool:
        """Whether it was seen to refuse APIv2 for a setting of its logins."""
        return self._unit.wants_basic

    @property
    def certificate(self) -> str | None:
        """The fingerprint of the certificate that the unit presents."""
        return self._unit.certificate

    async def state(self) -> State:
        """Return who it would be by now."""
        return self._paper.state(self._site, self.address, await self._unit.state())

    async def health(self) -> HealthAnswer | None:
        """Return what its health check answers, and who it would be by now."""
        found = await self._unit.health()
        return found and replace(found, state=self._paper.state(self._site, self.address, found.state))

    async def ha_status(self, *, once: bool = False) -> HaStatus | None:
        """Return what its API says of its place in its pair; nothing once that would be another on paper."""
        return None if self._paper.is_changed(self._site) else await self._unit.ha_status(once=once)

    async def settings(self) -> UnitSettings | None:
        """Return what one call tells, without what may be another on paper: that is asked for by itself."""
        found = await self._unit.settings()
        if found is None:
            return None
        told = None if self._paper.is_changed(self._site) else found.ha_status
        return replace(found, remote_geo_access=None, geo_partners=None, ha_status=told)

    async def ha_parameters(self) -> HaFacts | None:
        """Return its HA parameters as they would be."""
        if noted := self._paper.ha.get(self.address) or self._paper.changed_ha.get(self.address):
            return noted
        if found := await self._unit.ha_parameters():
            self._paper.ha_before[self.address] = found
        return found

    async def firmware(self) -> str:
        """Return the version that it would run by now."""
        return self._paper.firmware.get(self.address) or await self._unit.firmware()

    async def remote_geo_access(self) -> tuple[str, ...]:
        """Return the list as it would be."""
        noted = self._paper.lists.get((self._site.name, "access"))
        return await self._unit.remote_geo_access() if noted is None else noted

    async def geo_partners(self) -> tuple[str, ...]:
        """Return the list as it would be."""
        noted = self._paper.lists.get((self._site.name, "partners"))
        return await self._unit.geo_partners() if noted is None else noted

    async def partner_status(self) -> Mapping[str, bool | None]:
        """Return what it tells, and once a step has made links anew every partner as green: on paper steps succeed.

        Before that a dry run finds what a real one would: a red slave, or that nobody tells.
        """
        if self._paper.has_links_as_told(self._site):
            return await self._unit.partner_status()
        return dict.fromkeys(self._site.geo_partners, True)

    async def clusters(self) -> tuple[GeoCluster, ...]:
        """Return the clusters as they would be; partners share them."""
        noted = self._paper.noted_clusters(self._site)
        return await self._unit.clusters() if noted is None else noted

    async def backup(self) -> bytes:
        """Return nothing: on paper there is nothing to lose."""
        return b""

    async def set_remote_geo_access(self, addresses: Sequence[str]) -> None:
        """Show the change and note the list."""
        await self._unit.set_remote_geo_access(addresses)
        self._paper.lists[self._site.name, "access"] = tuple(addresses)

    async def set_geo_partners(self, addresses: Sequence[str]) -> None:
        """Show the change and note the list."""
        await self._unit.set_geo_partners(addresses)
        self._paper.lists[self._site.name, "partners"] = tuple(addresses)
        self._paper.note_links(self._site)

    async def resubmit_geo_partners(self, addresses: Sequence[str]) -> None:
        """Show the submission."""
        await self._unit.resubmit_geo_partners(addresses)
        self._paper.note_links(self._site)

    async def add_remote_lm_cluster(
        self, name: str, address: str, *, also_as: Collection[str] = (), look: Look = None
    ) -> None:
        """Show the change and note the cluster."""
        known = await self.clusters()
        await self._unit.add_remote_lm_cluster(name, address, also_as=also_as, look=look)
        others = tuple(cluster for cluster in known if canonical(cluster.address) != canonical(address))
        self._paper.note_clusters(self._site, (*others, GeoCluster(address, name, ClusterType.REMOTE_LM)))

    async def add_cluster_like(self, cluster: GeoCluster, *, look: Look = None) -> None:
        """Show the change and note the cluster."""
        known = await self.clusters()
        await self._unit.add_cluster_like(cluster, look=look)
        others = tuple(each for each in known if canonical(each.address) != canonical(cluster.address))
        self._paper.note_clusters(self._site, (*others, cluster))

    async def rename_cluster(self, address: str, name: str, *, look: Look = None) -> None:
        """Show the change and note the name."""
        known = await self.clusters()
        await self._unit.rename_cluster(address, name, look=look)
        self._paper.note_clusters(
            self._site,
            tuple(
                replace(each, name=name) if canonical(each.address) == canonical(address) else each for each in known
            ),
        )

    async def restore_geo(self, content: bytes) -> None:
        """Show the restore; what it would bring is not known on paper."""
        await self._unit.restore_geo(content)

    async def delete_cluster(self, address: str) -> None:
        """Show the change and note that the cluster is gone, here and on its partners."""
        known = await self.clusters()
        await self._unit.delete_cluster(address)
        left = tuple(cluster for cluster in known if canonical(cluster.address) != canonical(address))
        self._paper.note_clusters(self._site, left)

    async def set_cluster_location(self, address: str, latitude: float, longitude: float, *, look: Look = None) -> None:
        """Show the change and note the place."""
        known = await self.clusters()
        await self._unit.set_cluster_location(address, latitude, longitude, look=look)
        placed = tuple(
            replace(cluster, latitude=latitude, longitude=longitude)
            if canonical(cluster.address) == canonical(address)
            else cluster
            for cluster in known
        )
        self._paper.note_clusters(self._site, placed)

    async def set_ha_mode(self, mode: HaMode) -> None:
        """Show the change and note the mode."""
        known = await self.ha_parameters() or HaFacts()
        await self._unit.set_ha_mode(mode)
        self._paper.ha[self.address] = replace(known, mode=mode)

    async def set_ha_parameters(self, parameters: HaSettings) -> None:
        """Show the change and note the parameters."""
        known = await self.ha_parameters() or HaFacts()
        await self._unit.set_ha_parameters(parameters)
        self._paper.ha[self.address] = replace(
            known,
            partner=parameters.partner,
            health_check_port=parameters.health_check_port,
            prefers_master=parameters.preferred_host == "master",
            all_interfaces=parameters.all_interfaces,
        )

    async def change_ha_parameters(self, request: HaRequest) -> None:
        """Show the change and note it."""
        known = await self.ha_parameters() or HaFacts()
        await self._unit.change_ha_parameters(request)
        self._paper.changed_ha[self.address] = request.applied_to(known)

    async def install_firmware(self, image: FirmwareImage) -> None:
        """Show the installation and note the version."""
        await self._unit.install_firmware(image)
        self._paper.note_image(self.address)

    async def restore_firmware(self) -> None:
        """Show the way back and note the version."""
        await self._unit.restore_firmware()
        self._paper.note_image(self.address)

    async def set_preferred_host(self, partner: str, *, prefers_master: bool) -> None:
        """Show the change and note it."""
        known = await self.ha_parameters() or HaFacts()
        await self._unit.set_preferred_host(partner, prefers_master=prefers_master)
        self._paper.changed_ha[self.address] = replace(known, prefers_master=prefers_master)

    async def set_partner_secret(self, secret: Secret) -> None:
        """Show the setting; units tell no secret, so that only the links are to be noted."""
        await self._unit.set_partner_secret(secret)
        self._paper.note_links(self._site)

    async def reboot(self) -> None:
        """Show the reboot and note it."""
        await self._unit.reboot()
        self._paper.reboot(self._site, self.address)


def dry_run_units(units: Mapping[str, Unit], paper: DryRunState) -> dict[str, DryRunUnit]:
    """Put every unit of a plan on paper."""
    return {
        planned.address: DryRunUnit(units[planned.address], paper, site)
        for site in paper.plan.sites
        for planned in site.units
    }
