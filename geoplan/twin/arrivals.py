"""What a push never does, checked as each request arrives at a unit: by how the units really are then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.addresses import canonical
from geoplan.lab.device.network import MAX_REBOOTS, REBOOT_WINDOW_SECONDS
from geoplan.live.findings.clusters import addresses_of
from geoplan.plan.drill import goes_back
from geoplan.twin.transport import subject_of
from geoplan.twin.watch import ACCESS, LISTS, MODES, PARAMETERS, SUBMISSION, RequestWatch, is_read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.lab.api.request import ApiRequest
    from geoplan.lab.device.geo import Cluster
    from geoplan.lab.device.pair import Pair
    from geoplan.lab.device.unit import Unit
    from geoplan.plan.model import SiteSettings

_MODE_WORDS = {"first": "master", "second": "slave", "1": "master", "2": "slave"}


class Watch(RequestWatch):
    """Sees what a push sends and is answered, and how units really are when it arrives."""

    def health_answered(self, address: str, status: int) -> None:
        """See that a unit itself, and nobody in between, answers its health check."""
        self._alive[address] = (self._world.clock.now(), status)

    def arrived(self, address: str, call: ApiRequest) -> None:
        """See a command arrive, just before the unit carries it out."""
        if is_read(call):
            return
        unit = self._world.network.unit(address)
        pair = self._world.network.pair_of(unit)
        for forbids in self.forbids:
            if why := forbids(unit, call.command):
                self.say(f"{address} was sent '{call.command}', although {why}")
        if call.command == "delcluster" and self._world.plan.change:
            self._deletion_arrived(unit, call)
        elif call.command == "addcluster" and self._world.plan.change:
            self._addition_arrived(unit, call)
        elif call.command.startswith("del") or call.command in ("disablegeo", "restore"):
            self.say(f"{address} was sent '{call.command}': nothing is ever deleted")
        elif call.command == "reboot":
            self._reboot_arrived(unit, pair)
        elif call.command in MODES:
            self._mode_arrived(unit, pair, call)
        elif call.command in PARAMETERS:
            self._parameters_arrived(unit, pair, call)
        elif subject_of(call) in (SUBMISSION, ACCESS):
            self._list_arrived(unit, call)

    def _deletion_arrived(self, unit: Unit, call: ApiRequest) -> None:
        """See that nothing is deleted before both sides were seen unlinked, and but for a probe before one has held."""
        plan, network = self._world.plan, self._world.network
        if plan.change is None:
            return
        cluster = network.geo.find_cluster(unit, call.address("ip"))
        if cluster is None:
            return
        at = {each.address: site.name for site in plan.change.old_sites for each in site.units}
        owner = at.get(cluster.address) or next(
            (c.site for c in plan.change.old_clusters if c.name == cluster.name), ""
        )
        if self._is_left(unit, cluster, owner):
            return
        part = plan.change.part_of(unit.site)
        is_probe = part is not None and owner in part.sites
        leaver = part or plan.change.part_of(owner)
        is_taken_back = self._world.options.undoes and owner not in {each.site for each in plan.clusters}
        if is_taken_back and (leaver is None or not leaver.stay):  # what a push has added for all goes for all
            return
        if leaver is None or (part is None and owner not in leaver.sites):
            self.say(f"{unit.address} was told to delete '{cluster.name}', which stays")
            return
        for one, other in ((leaver.sites, leaver.others), (leaver.others, leaver.sites)):
            for name in one:
                if not (part is None and name in self._silent_leavers()) and not (
                    name in self._silent_leavers() and name not in leaver.stay
                ):
                    self._require_seen_without(unit, plan.site(name), other)
        now = self._world.clock.now()
        if is_probe:
            self._probed.setdefault(owner, now)
        for site in leaver.sites if part else (owner,):
            probed = self._probed.get(site)
            if (
                not is_probe
                and site not in self._silent_leavers()
                and (probed is None or now - probed < 2 * self._world.sync_seconds)
            ):
                self.say(f"{unit.address} was told to delete '{cluster.name}', and no probe has held at '{site}'")

    def _addition_arrived(self, unit: Unit, call: ApiRequest) -> None:
        """Take for a probe what a site that leaves adds of its own, which none of those that stay has."""
        plan, geo = self._world.plan, self._world.network.geo
        part = plan.change.part_of(unit.site) if plan.change else None
        address = call.address("ip")
        own = {each.address for name in (part.sites if part else ()) for each in plan.site(name).units}
        others = [each for each in self._world.network.units.values() if part and each.site in part.stay]
        if address in own and not any(geo.find_cluster(each, address) for each in others):
            self._probed.setdefault(unit.site, self._world.clock.now())

    def _is_left(self, unit: Unit, cluster: Cluster, owner: str) -> bool:
        """Return whether a cluster is where its site's was before, and the planned one is there beside it."""
        plan = self._world.plan
        planned = next((each for each in plan.clusters if each.site == owner), None)
        if planned is None or canonical(cluster.address) in addresses_of(plan, planned):
            return False
        return self._world.network.geo.find_cluster(unit, planned.address) is not None

    def _silent_leavers(self) -> set[str]:
        plan, units = self._world.plan, self._world.network.units
        leaving = plan.change.leaving if plan.change else ()
        sites = [site for site in plan.sites if site.name in leaving]
        return {s.name for s in sites if not all(units[unit.address].is_up for unit in s.units)}

    def _require_seen_without(self, unit: Unit, site: SiteSettings, others: Iterable[str]) -> None:
        """See that both lists of every unit of a site were read in this push, and named none of the others."""
        named = {
            address.encode()
            for name in others
            for each in self._world.plan.site(name).units
            for address in (each.address, each.nat_address)
            if address
        }
        for planned in site.units:
            for name in LISTS:
                key = planned.address, name
                written = self._pair_written.get(site.name, -1.0)
                if {key, (planned.address, "version")} & self._refused:
                    if self._world.clock.now() - written < 2 * self._world.sync_seconds:
                        self.say(f"{unit.address}: a deletion before {planned.address} had the time of a replication")
                elif self._read.get(key, -1.0) < written or key not in self._held:
                    self.say(
                        f"{unit.address}: a deletion, and {name} of {planned.address} was not seen since it changed"
                    )
                elif self._held[key] & named:
                    self.say(f"{unit.address}: a deletion, and {name} of {planned.address} still names the other side")

    def _reboot_arrived(self, unit: Unit, pair: Pair | None) -> None:
        if pair is None or (unit is not pair.master and not goes_back(self._world.plan)):
            self.say(f"{unit.address} was rebooted, and is no master")
            return
        now = self._world.clock.now()
        if sum(now - moment < REBOOT_WINDOW_SECONDS for moment in self._reboots[unit.address]) >= MAX_REBOOTS:
            self.say(f"{unit.address} was rebooted more often than {MAX_REBOOTS} times in {REBOOT_WINDOW_SECONDS:g} s")
        self._reboots[unit.address].append(now)
        is_healthy = pair.active is unit and pair.standby is not None
        if not is_healthy and not self._looked_right.get(unit.address):  # its partner may have died since the look
            self.say(f"{unit.address} was rebooted while its partner was not healthy")

    def _mode_arrived(self, unit: Unit, pair: Pair | None, call: ApiRequest) -> None:
        word = str(call.parameters.get("hamode")).lower()
        mode = _MODE_WORDS.get(word, word)
        if mode == "single" and unit.is_up and self._world.simulation.serves_health(unit):
            self.say(f"{unit.address} was set to single mode, and answers its health check")
        if pair and pair.is_formed and mode != unit.ha.mode:
            self.say(f"{unit.address} was set to {mode} mode, and its pair works")

    def _parameters_arrived(self, unit: Unit, pair: Pair | None, call: ApiRequest) -> None:
        if pair is None or not pair.is_formed:
            return
        present = {
            "partner": unit.ha.partner,
            "hcp": str(unit.ha.health_check_port),
            "haprefered": str(int(unit.ha.prefer_master)),
            "hcai": str(int(unit.ha.all_interfaces)),
        }
        words = {"true": "1", "false": "0", "yes": "1", "no": "0"}
        for name, before in present.items():
            if name in call.parameters:
                after = str(call.parameters[name]).lower()
                if words.get(after, after) != before:
                    self.say(f"{unit.address}: {name} was changed from {before} to {after}, and its pair works")

    def _list_arrived(self, unit: Unit, call: ApiRequest) -> None:
        name = str(call.parameters.get("param")).lower()
        new = {canonical(address) for address in call.addresses("value")}
        self.taken[unit.address, name] += self._world.network.is_active(unit)
        held = unit.geo_partners if name == "geopartners" else unit.remote_geo_access
        if name == "geoclients" and self._world.plan.change:
            gone = set(map(canonical, held)) - new
            if early := gone & set(map(canonical, unit.geo_partners)):
                self.say(f"{unit.address}: {sorted(early)} lost access while it was a partner")
        read = self._read.get((unit.address, name), -1.0)
        for address, moment in self.handed.get((unit.site, name), {}).items():
            is_lost = address in held and canonical(address) not in new
            if is_lost and moment < read and not self._world.removes_unknown:
                self.say(f"{unit.address}: {address}, which somebody had added to {name}, was removed unasked")
