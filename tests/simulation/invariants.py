"""What a push never does, checked at every request that it sends."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from geoplan.addresses import canonical
from geoplan.lab.api.request import ApiRequest
from tests.simulation.transport import Sent, Watcher, subject_of

if TYPE_CHECKING:
    from geoplan.lab.device.pair import Pair
    from geoplan.lab.device.unit import Unit
    from geoplan.plan.model import SiteSettings
    from tests.simulation.world import World

LOOK_AGE = 10.0
"""Seconds after which a look no longer stands *immediately* before a request."""

MOST_CALLS, PACE_SECONDS, ROUNDING = 20, 3.0, 1e-6
"""A unit drops whoever sends more than 30 calls in 3 seconds, all clients together."""

MODES = frozenset({"awshamode", "setcloudhamode", "azurehamode"})
PARAMETERS = frozenset({"awshaparam", "setcloudhaparam", "azurehaparam"})
HA_READS = frozenset({"getawshaparams", "getcloudhaparams"})
CLUSTERS = frozenset({"addcluster", "modcluster", "clustchangeloc"})
SUBMISSION, ACCESS = "set:geopartners", "set:geoclients"
GZIP = b"\x1f\x8b"  # a backup
READS = ("get", "getall", "list", "show", "is", "backup")
LISTS = ("geoclients", "geopartners")
HA_WORDS = ("Active", "Standby", "Passive", "HA not configured")

_ADDRESS = re.compile(rb"\d+\.\d+\.\d+\.\d+")
_STAT = re.compile(rb'stat="(\d+)"')
_MODE_WORDS = {"first": "master", "second": "slave", "1": "master", "2": "slave"}


class Watch(Watcher):
    """Sees what a push sends and is answered, and how units really are when it arrives."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.broken: list[str] = []
        self.handed: dict[tuple[str, str], dict[str, float]] = {}
        """The addresses that a hand has added to a site's list, and when."""
        self.is_edited = False
        """Whether a hand has removed an address from a list."""
        self.removed_by_hand: list[tuple[str, float]] = []
        """Where and when that was."""
        self.taken: Counter[tuple[str, str]] = Counter()
        """How many lists each unit took while it was active, by unit and list."""
        self._looks: dict[str, tuple[float, float]] = {}
        self._attempted: dict[str, float] = {}
        self._alive: dict[str, tuple[float, int]] = {}
        self._looked_right: dict[str, bool] = {}
        """Whether a pair was healthy, and known to be, when its reboot was sent last."""
        self._probed: dict[str, float] = {}
        """When the cluster of each site that leaves was deleted there first."""
        self._journals = _Journals(world.folder)
        self.begin_push()

    def begin_push(self) -> None:
        """Forget what an earlier push was told: another process does not know it."""
        self._looks.clear()
        self._told: set[str] = set()
        self._answered_health: dict[str, tuple[float, int]] = {}
        self._answered_status: dict[str, tuple[float, str]] = {}
        """What each unit's API said last of its place in its pair, and when."""
        self._calls: dict[str, deque[float]] = {}
        """When each unit was sent its last calls."""
        self._read: dict[tuple[str, str], float] = {}
        self._held: dict[tuple[str, str], frozenset[bytes]] = {}
        self._refusals: dict[tuple[str, str], float] = {}
        self._refused: set[tuple[str, str]] = set()
        self._refused_changes: dict[str, float] = {}
        """When each unit has refused a change last."""
        self._written: dict[tuple[str, str], float] = {}
        self._pair_written: dict[str, float] = {}

    # -- what is sent ------------------------------------------------------------------------------------------------

    def left(self, sent: Sent) -> None:
        if not sent.is_health:
            self._require_pace(sent)
        if sent.is_health or sent.call is None or _is_read(sent.call):
            return
        subject, unit = sent.subject, self._world.network.unit(sent.address)
        pair = self._world.network.pair_of(unit)
        is_final = subject in ("reboot", SUBMISSION) or sent.call.command in MODES
        if pair:
            self._require_look_after_refusal(sent)
        if pair and is_final:
            self._require_look(sent, pair)
        if subject == "reboot" and pair:
            self._require_healthy_look(sent, pair)
            self._require_told(pair)
        if subject in (SUBMISSION, ACCESS):
            self._require_read(sent.address, subject.partition(":")[2])
        self._require_record(sent)
        if subject in (SUBMISSION, ACCESS):
            self._written[sent.address, subject.partition(":")[2]] = sent.began
            self._pair_written[unit.site] = sent.began

    def ended(self, sent: Sent, response: httpx.Response | None) -> None:
        now = self._world.clock.now()
        if sent.is_health:
            self._looks[sent.address] = (sent.began, now)
            self._answered_health[sent.address] = (now, response.status_code if response else 0)
            self._note_refusal(sent.address)
            return
        if sent.call is None:
            return
        if sent.call.command in HA_READS or sent.subject == "get:hastatus":
            self._looks[f"{sent.address} by its API"] = (sent.began, now)
            self._answered_status.pop(sent.address, None)  # what it said before is no word of this look
        if response is None:
            return
        body = response.stream._stream if isinstance(response.stream, httpx.ByteStream) else b""
        code = _code(body, response.status_code)
        if code is None:
            return
        subject = sent.subject
        if 200 <= code < 300:
            self._told.add(sent.address)
            if sent.subject == "get:hastatus":
                word = next((word for word in HA_WORDS if word.encode() in body), "")
                self._answered_status[sent.address] = (now, word)
            if subject.startswith("get:geo"):
                key = sent.address, subject.removeprefix("get:")
                self._read[key] = sent.began
                self._held[key] = frozenset(_ADDRESS.findall(body))
                self._refused.discard(key)
                self._refusals.pop(key, None)
        elif 400 <= code < 500 and code != 401:
            if not _is_read(sent.call):
                self._refused_changes[sent.address] = now
            self._refusals[sent.address, subject.removeprefix("get:")] = now
            self._note_refusal(sent.address)

    def _note_refusal(self, address: str) -> None:
        """See that a unit has refused explicitly: by its API, while its health check answers 503 in the same look."""
        answered, status = self._answered_health.get(address, (0.0, 0))
        for key, moment in self._refusals.items():
            if key[0] == address and status == 503 and abs(moment - answered) <= LOOK_AGE:
                self._told.add(address)
                self._refused.add(key)

    def _require_pace(self, sent: Sent) -> None:
        calls = self._calls.setdefault(sent.address, deque())
        calls.append(sent.began)
        while calls[0] <= sent.began - PACE_SECONDS + ROUNDING:
            calls.popleft()
        if len(calls) > MOST_CALLS:
            self.say(f"{sent.address} was sent {len(calls)} calls in {PACE_SECONDS:g} s")

    def _require_look(self, sent: Sent, pair: Pair) -> None:
        """One look at both units, one attempt."""
        is_mode = sent.call is not None and sent.call.command in MODES
        since = max(self._attempted.get(unit.address, -1.0) for unit in pair.units)
        for unit in pair.units:
            looks = [self._looks.get(unit.address, (-1.0, -1.0))]
            if is_mode:  # what units in single mode answer to a health check says nothing
                looks.append(self._looks.get(f"{unit.address} by its API", (-1.0, -1.0)))
            if not any(began >= since and began >= 0 and sent.began - ended <= LOOK_AGE for began, ended in looks):
                self.say(f"{sent.address} was sent '{sent.subject}' without a look at {unit.address} just before it")
        self._attempted[sent.address] = sent.began
        for unit in pair.units:
            self._looks.pop(unit.address, None)
            self._looks.pop(f"{unit.address} by its API", None)

    def _require_look_after_refusal(self, sent: Sent) -> None:
        """A change that was refused is not sent again, however it is spelled, before another look at the unit."""
        refused = self._refused_changes.pop(sent.address, None)
        looks = [self._looks.get(who, (-1.0, -1.0)) for who in (sent.address, f"{sent.address} by its API")]
        if refused is not None and not any(began >= refused for began, _ in looks):
            self.say(f"{sent.address} was sent '{sent.subject}' after a refusal, without another look at it")

    def _require_healthy_look(self, sent: Sent, pair: Pair) -> None:
        """See that by the last look the master is active and the slave its standby; note whether that was so.

        Health check and API are two witnesses: one is enough, and neither may say otherwise.
        """
        seen = [self._answered_health.get(unit.address, (0.0, 0))[1] for unit in pair.units]
        told = [self._status_of(unit.address, sent.began) for unit in pair.units]
        roles = list(zip((200, 503), ("Active", "Standby"), seen, told, strict=True))
        is_known = [code == status or word == said for code, word, status, said in roles]
        contradicts = [
            (status in (200, 503) and status != code) or said not in ("", word) for code, word, status, said in roles
        ]
        if not all(is_known) or any(contradicts):
            self.say(f"{sent.address} was sent a reboot, and the last look at its pair said {seen}, {told}")
        self._looked_right[sent.address] = all(is_known) and all(
            word == said or (status == code and sent.began - moment <= LOOK_AGE)
            for (code, word, _, said), unit in zip(roles, pair.units, strict=True)
            for moment, status in [self._alive.get(unit.address, (-LOOK_AGE, 0))]
        )

    def _status_of(self, address: str, now: float) -> str:
        """Return what a unit's API said of its place in its pair just before now; nothing where it did not."""
        moment, word = self._answered_status.get(address, (-LOOK_AGE, ""))
        return word if now - moment <= LOOK_AGE else ""

    def _require_told(self, pair: Pair) -> None:
        """See that both units have told, and that the slave holds both lists as far as it tells them."""
        master, slave = pair.master.address, pair.slave.address
        if slave not in self._told:
            self.say(f"{master} is to be rebooted, and {slave} never gave an authenticated answer in this push")
        site = self._world.plan.site(pair.master.site)
        wanted = {"geoclients": site.remote_geo_access, "geopartners": site.geo_partners}
        for name, addresses in wanted.items():
            if (master, name) not in self._read:
                self.say(f"{master} is to be rebooted, and its {name} was not read in this push")
            if {(slave, name), (slave, "version")} & self._refused:  # by its version a unit is asked for its format
                written = self._pair_written.get(site.name)
                if written is not None and self._world.clock.now() - written < self._world.sync_seconds:
                    self.say(f"{master} is to be rebooted before its lists have had the time of a replication")
            elif {address.encode() for address in addresses} - self._held.get((slave, name), frozenset()):
                self.say(f"{master} is to be rebooted, and {slave} was not seen with its new {name}")

    def _require_read(self, address: str, name: str) -> None:
        read, written = self._read.get((address, name), -1.0), self._written.get((address, name), -1.0)
        if read < 0 or read < written:
            self.say(f"{name} was written on {address}, and not read there just before")

    def _require_record(self, sent: Sent) -> None:
        """See that what is sent stands on disk, with what was there before."""
        assert sent.call
        if sent.call.command == "reboot":
            if not self._journals.last(sent.address, "rebooting"):
                self.say(f"{sent.address} was sent a reboot that no journal records")
            return
        record = self._journals.last(sent.address, "changing", "resubmitting")
        if record is None:
            self.say(f"{sent.address} was sent '{sent.subject}', which no journal records")
        elif "before" not in record:
            self.say(f"{sent.address} was sent '{sent.subject}', and no journal records what was there before")
        elif sent.subject in (SUBMISSION, ACCESS):
            held = self._held.get((sent.address, sent.subject.partition(":")[2]), frozenset[bytes]())
            recorded = {str(address).encode() for address in record["before"] or ()}
            if recorded != held:
                self.say(f"{sent.address}: its journal records {record['before']} before the change, and it had {held}")

    # -- what arrives ------------------------------------------------------------------------------------------------

    def health_answered(self, address: str, status: int) -> None:
        """See that a unit itself, and nobody in between, answers its health check."""
        self._alive[address] = (self._world.clock.now(), status)

    def arrived(self, address: str, call: ApiRequest) -> None:
        """See a command arrive, just before the unit carries it out."""
        if _is_read(call):
            return
        unit = self._world.network.unit(address)
        pair = self._world.network.pair_of(unit)
        if call.command == "delcluster" and self._world.plan.change:
            self._deletion_arrived(unit, call)
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
        assert plan.change
        cluster = network.geo.find_cluster(unit, call.address("ip"))
        if cluster is None:
            return
        at = {each.address: site.name for site in plan.change.old_sites for each in site.units}
        owner = at.get(cluster.address) or next(
            (c.site for c in plan.change.old_clusters if c.name == cluster.name), ""
        )
        part = plan.change.part_of(unit.site)
        is_probe = part is not None and owner in part.sites
        leaver = part or plan.change.part_of(owner)
        is_taken_back = self._world.options.undoes and owner not in {each.site for each in plan.clusters}
        if leaver is None and is_taken_back:  # what a push has added for all goes for all
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
        if pair is None or unit is not pair.master:
            self.say(f"{unit.address} was rebooted, and is no master")
            return
        is_healthy = pair.active is unit and pair.standby is not None
        if not is_healthy and not self._looked_right.get(unit.address):  # its partner may have died since the look
            self.say(f"{unit.address} was rebooted while its partner was not healthy")

    def _mode_arrived(self, unit: Unit, pair: Pair | None, call: ApiRequest) -> None:
        word = str(call.parameters.get("hamode")).lower()
        mode = _MODE_WORDS.get(word, word)
        if mode == "single" and unit.is_up and self._world.simulation._serves_health(unit):
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

    def say(self, what: str) -> None:
        """Note that an invariant is broken; each way once."""
        if what not in self.broken:
            self.broken.append(what)


class _Journals:
    """The records about units in all journals of a folder, read as they grow."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._records: list[Mapping[str, Any]] = []

    def last(self, unit: str, *events: str) -> Mapping[str, Any] | None:
        """Return the last record of some events about a unit."""
        self._records += self._new()
        return next((r for r in reversed(self._records) if r["event"] in events and r.get("unit") == unit), None)

    def _new(self) -> Iterator[Mapping[str, Any]]:
        for path in sorted(self._folder.rglob("*.jsonl")):
            offset = self._offsets.get(path, 0)
            if path.stat().st_size <= offset:
                continue
            content = path.read_bytes()
            whole = content[offset : content.rfind(b"\n") + 1]
            self._offsets[path] = offset + len(whole)
            for line in whole.splitlines():
                if any(event in line[:200] for event in (b'"changing"', b'"resubmitting"', b'"rebooting"')):
                    yield json.loads(line)


def _is_read(call: ApiRequest) -> bool:
    return call.command.startswith(READS)


def _code(body: bytes, status: int) -> int | None:
    """Return the code of an answer in the API's own format, or nothing where it is none."""
    body = body.strip(b"\0 \r\n")
    head = body[:80]
    if head.startswith(b'{"code": 200'):
        return 200
    if head.startswith(b"{"):
        try:
            return int(json.loads(body).get("code", status))
        except (ValueError, TypeError, AttributeError):
            return None
    if head.startswith((b"<?xml", b"<Response")):
        found = _STAT.search(body[:200])
        return int(found.group(1)) if found else None
    return status if status == 200 and head.startswith(GZIP) else None
