"""What a push never does, checked at every request that it sends."""

from __future__ import annotations

import re
from collections import Counter, deque
from typing import TYPE_CHECKING, Protocol

import httpx

from geoplan.twin.evidence import Journals, code_of
from geoplan.twin.transport import Sent, Watcher

if TYPE_CHECKING:
    from pathlib import Path

    from geoplan.lab.api.request import ApiRequest
    from geoplan.lab.clock import SimulatedClock
    from geoplan.lab.device.network import Network
    from geoplan.lab.device.pair import Pair
    from geoplan.lab.device.unit import Unit
    from geoplan.lab.simulation import Simulation
    from geoplan.plan.model import Plan
    from geoplan.push.options import Options

LOOK_AGE = 10.0
"""Seconds after which a look no longer stands *immediately* before a request."""

MOST_CALLS, PACE_SECONDS, ROUNDING = 20, 3.0, 1e-6
"""A unit drops whoever sends more than 30 calls in 3 seconds, all clients together."""

MODES = frozenset({"awshamode", "setcloudhamode", "azurehamode"})
PARAMETERS = frozenset({"awshaparam", "setcloudhaparam", "azurehaparam"})
HA_READS = frozenset({"getawshaparams", "getcloudhaparams"})
CLUSTERS = frozenset({"addcluster", "modcluster", "clustchangeloc"})
SUBMISSION, ACCESS = "set:geopartners", "set:geoclients"
READS = ("get", "getall", "list", "show", "is", "backup")
OK = range(200, 300)
REFUSED = frozenset(range(400, 500)) - {401}
STANDBY = 503
LISTS = ("geoclients", "geopartners")
HA_WORDS = ("Active", "Standby", "Passive", "HA not configured")

_ADDRESS = re.compile(rb"\d+\.\d+\.\d+\.\d+")


class Watched(Protocol):
    """What a watch has to know of the push and of its units."""

    plan: Plan
    options: Options
    simulation: Simulation
    sync_seconds: float
    folder: Path
    """Where the push keeps its journals."""
    removes_unknown: bool
    """Whether any push so far was asked to remove addresses that it does not know."""

    @property
    def network(self) -> Network:
        """All units as they really are."""

    @property
    def clock(self) -> SimulatedClock:
        """The only time that there is."""


class RequestWatch(Watcher):
    """Sees what a push sends and is answered; ``broken`` says in words which promise it has not kept."""

    def __init__(self, world: Watched) -> None:
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
        self._journals = Journals(lambda: world.folder)
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
        """See a request leave, and that it may."""
        if not sent.is_health:
            self._require_pace(sent)
        if sent.is_health or sent.call is None or is_read(sent.call):
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
            self._require_told(unit, pair.partner_of(unit))
        if subject in (SUBMISSION, ACCESS):
            self._require_read(sent.address, subject.partition(":")[2])
        self._require_record(sent)
        if subject in (SUBMISSION, ACCESS):
            self._written[sent.address, subject.partition(":")[2]] = sent.began
            self._pair_written[unit.site] = sent.began

    def ended(self, sent: Sent, response: httpx.Response | None) -> None:
        """Note what the push has been told by an answer, or by its absence."""
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
        body = b"".join(response.stream) if isinstance(response.stream, httpx.ByteStream) else b""
        code = code_of(body, response.status_code)
        if code is None:
            return
        subject = sent.subject
        if code in OK:
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
        elif code in REFUSED:
            if not is_read(sent.call):
                self._refused_changes[sent.address] = now
            self._refusals[sent.address, subject.removeprefix("get:")] = now
            self._note_refusal(sent.address)

    def _note_refusal(self, address: str) -> None:
        """See that a unit has refused explicitly: by its API, while its health check answers 503 in the same look."""
        answered, status = self._answered_health.get(address, (0.0, 0))
        for key, moment in self._refusals.items():
            if key[0] == address and status == STANDBY and abs(moment - answered) <= LOOK_AGE:
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
        """See that a refused change is sent again, however it is spelled, only after another look at the unit."""
        refused = self._refused_changes.pop(sent.address, None)
        looks = [self._looks.get(who, (-1.0, -1.0)) for who in (sent.address, f"{sent.address} by its API")]
        if refused is not None and not any(began >= refused for began, _ in looks):
            self.say(f"{sent.address} was sent '{sent.subject}' after a refusal, without another look at it")

    def _require_healthy_look(self, sent: Sent, pair: Pair) -> None:
        """See that by the last look the unit is active and the other its standby; note whether that was so.

        Health check and API are two witnesses: one is enough, and neither may say otherwise.
        """
        unit = self._world.network.unit(sent.address)
        units = (unit, pair.partner_of(unit))
        seen = [self._answered_health.get(unit.address, (0.0, 0))[1] for unit in units]
        told = [self._status_of(unit.address, sent.began) for unit in units]
        roles = list(zip((200, 503), ("Active", "Standby"), seen, told, strict=True))
        is_known = [code == status or word == said for code, word, status, said in roles]
        contradicts = [
            (status in (200, 503) and status != code) or said not in ("", word) for code, word, status, said in roles
        ]
        if not all(is_known) or any(contradicts):
            self.say(f"{sent.address} was sent a reboot, and the last look at its pair said {seen}, {told}")
        self._looked_right[sent.address] = all(is_known) and all(
            word == said or (status == code and sent.began - moment <= LOOK_AGE)
            for (code, word, _, said), unit in zip(roles, units, strict=True)
            for moment, status in [self._alive.get(unit.address, (-LOOK_AGE, 0))]
        )

    def _status_of(self, address: str, now: float) -> str:
        """Return what a unit's API said of its place in its pair just before now; nothing where it did not."""
        moment, word = self._answered_status.get(address, (-LOOK_AGE, ""))
        return word if now - moment <= LOOK_AGE else ""

    def _require_told(self, rebooted: Unit, other: Unit) -> None:
        """See that both units have told, and that the other one holds both lists as far as it tells them."""
        master, slave = rebooted.address, other.address
        if slave not in self._told:
            self.say(f"{master} is to be rebooted, and {slave} never gave an authenticated answer in this push")
        site = self._world.plan.site(rebooted.site)
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
        if sent.call is None:
            return
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

    def say(self, what: str) -> None:
        """Note that an invariant is broken; each way once."""
        if what not in self.broken:
            self.broken.append(what)


def is_read(call: ApiRequest) -> bool:
    """Return whether a command changes nothing."""
    return call.command.startswith(READS)
