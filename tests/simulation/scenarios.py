"""Single situations in which a push once did harm, or said what was not so.

Each takes a folder of its own and returns what was wrong: nothing, where the push does what it should. They are played
by ``test_incidents``, and by ``test_mutations`` with a mend taken out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from geoplan.cli import push_journal
from geoplan.errors import GeoplanError, PushRefusedError, PushStoppedError
from geoplan.lab.device.geo import Cluster
from geoplan.lab.device.unit import Unit
from geoplan.lab.variants import Variant
from geoplan.live.findings.compare import Report, verify
from geoplan.live.model import State
from geoplan.live.polling import Timings
from geoplan.live.survey import observe_for_preflight, observe_for_verify
from geoplan.plan.model import Action, Phase
from geoplan.plan.planner import make_plan
from geoplan.push import journal
from geoplan.push.events import EventKind
from geoplan.push.options import Options, RebootMode
from geoplan.push.records import AnyRecord, Changed, Changing
from geoplan.push.run import PushResult, run_push
from geoplan.push.store import Store, addresses_of, unit_keys
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from geoplan.twin import shapes
from geoplan.twin.behaviour import STRANGER, Behaviour
from geoplan.twin.between import LOSSES, THENS, ClosedApi, LostRequest, Middlebox
from geoplan.twin.people import Hand
from geoplan.twin.rehearsal import Heard
from geoplan.twin.script import Script
from geoplan.twin.transport import LabTransport, Sent
from geoplan.twin.units import (
    Colours,
    HaTold,
    OtherParameter,
    RedStandbys,
    RefusingStandbys,
    Replication,
    TakingStandbys,
)
from tests.conftest import TOPOLOGIES
from tests.push.support import real_store
from tests.simulation import changes, leaves
from tests.simulation.world import BOOT, SYNC, World

Scenario = Callable[[Path], Awaitable[list[str]]]

FIRMWARE = "7.2.59.4"
M1, S1, A1 = "172.24.1.5", "172.24.1.6", "172.24.1.9"  # of section 5.3
PAIR, LONE = "HA Pair 1", "Standalone LoadMaster 1"
PARTNERS, ACCESS = "geopartners", "geoclients"


def sites(*kinds: str, all_interfaces: bool = False) -> Topology:
    """Return a topology of pairs (p) and standalones (s), called A, B, C."""
    made = []
    for number, kind in enumerate(kinds, start=1):
        pair: dict[str, object] = {"master": f"10.0.{number}.1", "slave": f"10.0.{number}.2"}
        if all_interfaces:
            pair["health_check"] = {"all_interfaces": True}
        site = {"ha_pair": pair} if kind == "p" else {"standalone": f"10.0.{number}.1"}
        made.append({"name": "ABCDEFGH"[number - 1], **site})
    return Topology.model_validate({"sites": made, "timing": {"boot_seconds": BOOT, "sync_seconds": SYNC}})


def section(number: str = "5.3") -> Topology:
    """Return the topology of a section's example."""
    return load_topology(TOPOLOGIES / f"section-{number}.yaml")


def world(folder: Path, topology: Topology | None = None, *going_on: Behaviour, **more: Any) -> World:
    """Return a world in which something goes on."""
    script = Script(topology or section(), FIRMWARE, more.pop("options", Options()), behaviours=list(going_on), **more)
    return World(script, 1, folder)


async def push(made: World, options: Options | None = None, *, resume: bool = False) -> PushResult | GeoplanError:
    """Push once; return how it ended."""
    made.options = options or Options()
    try:
        return await made._push(resume=resume, kill_after=None)
    except GeoplanError as error:
        return error


def retarget(made: World, topology: Topology) -> None:
    """Let the same units be seen through another topology."""
    made.script.topology = topology
    made.former.append(made.plan)
    made.plan = make_plan(topology, [Phase.GEO])


async def compared(made: World) -> Report:
    """Compare the units with the plan, as ``diff`` does."""
    async with made.connected_fleet() as fleet:
        return verify(made.plan, await observe_for_verify(fleet))


def wrong(*claims: tuple[bool, str]) -> list[str]:
    """Return what is wrong of some claims."""
    return [what for is_wrong, what in claims if is_wrong]


def reboots(made: World, address: str) -> int:
    """Return how often a unit was rebooted."""
    return len(made.network.unit(address).reboots)


def records(folder: Path) -> Iterator[AnyRecord]:
    """Yield all records of all journals."""
    for history in journal.histories(folder):
        yield from history.records


# -- one look, one attempt ---------------------------------------------------------------------------------------------


async def lost_request(folder: Path, lost: LostRequest, *, most: int = 1, unpaired: bool = False) -> list[str]:
    """Let requests be lost, with what happens meanwhile; then everything is well again, and the push is resumed."""
    made = world(folder, section(), lost, unpaired=unpaired)
    found = await made.run()
    return [*found, *wrong((reboots(made, M1) > most, f"{M1} was rebooted {reboots(made, M1)} times"))]


async def other_words(folder: Path, variant: Variant, *, unpaired: bool = False) -> list[str]:
    """Units take a change in one spelling alone; the other follows another look, and the push ends well."""
    made = world(folder, sites("p", "s"), unpaired=unpaired, variants=(variant,), verifies_ha=unpaired)
    ended = await push(made)
    pair = made.network.pair("A")
    claims = wrong((not isinstance(ended, PushResult), f"it ended with {ended}"), (not pair.is_formed, "it is no pair"))
    return [*made.broken, *claims]


async def unit_that_answers_its_reboot_late(folder: Path) -> list[str]:
    """The window for the submission is as long as a boot, and here so is the wait for the reboot's answer."""
    made = world(folder, section(), LostRequest(M1, "reboot", "applied"))
    made.network.timings = replace(made.network.timings, boot_seconds=0.75 * BOOT)
    found = await made.run()
    return [*found, *wrong((reboots(made, M1) > 1, f"{M1} was rebooted {reboots(made, M1)} times"))]


# -- explicit refusals alone are a silent standby ----------------------------------------------------------------------


async def closed_slave(folder: Path, how: Any) -> list[str]:
    """The slave's API is closed from when the lists are entered, and its pair does not replicate."""
    made = world(folder, section(), ClosedApi(S1, how), Replication(PAIR, never=True))
    ended = await push(made)
    claims = wrong(
        (isinstance(ended, PushResult), "it came to its end"),
        (reboots(made, M1) > 0, f"{M1} was rebooted, and {S1} has {made.network.unit(S1).geo_partners}"),
    )
    made.lift()
    await asyncio.sleep(60)
    return [*claims, *made.broken, *await finished(made, folder)]


async def finished(made: World, folder: Path) -> list[str]:
    """Resume what is unfinished; return what is wrong with the end."""
    is_unfinished = any(history.records and not history.is_finished for history in journal.histories(folder))
    ended = await push(made, resume=is_unfinished)
    if not isinstance(ended, PushResult):
        return [f"it does not go on: {ended} {getattr(ended, 'problems', '')}"]
    made.check_claim(ended)
    return [*made.broken, *wrong((not ended.is_complete, f"the end is not complete: {ended.report.differences}"))]


async def refusing_standby(folder: Path, what: str) -> list[str]:
    """A standby that refuses reads, and says so, keeps no push from its end."""
    made = world(folder, section(), RefusingStandbys(what))
    found = await made.run()
    return [*found, *wrong((made.runs != 1, f"it took {made.runs} pushes"), (reboots(made, M1) != 1, "its reboots"))]


async def standby_that_replicates_after_the_estimate(folder: Path) -> list[str]:
    """The topology's ``timing`` says 0 s, and the pair takes 5: what waits for safety does not go by estimates."""
    topology = section()
    written = topology.model_dump(exclude_unset=True, exclude_none=True)
    hurried = Topology.model_validate({**written, "timing": {"boot_seconds": BOOT, "sync_seconds": 0}})
    made = world(folder, topology, RefusingStandbys("both lists"))
    made.timings = Timings.of(make_plan(hurried).estimates)
    ended = await push(made)
    return [*made.broken, *wrong((not isinstance(ended, PushResult), f"it ended so: {ended}"))]


async def dead_slave_behind_a_middlebox(folder: Path) -> list[str]:
    """Something in between answers 503 for a slave that has no power."""
    made = world(folder, section(), Middlebox(PAIR))

    def once_the_lists_are_there(_sent: Sent) -> None:
        if made.network.unit(M1).geo_partners and not made.is_lifted:
            made.simulation.power_off(S1)

    made.ways.append(_way(once_the_lists_are_there, "get:geopartners", M1))
    ended = await push(made)
    claims = wrong((isinstance(ended, PushResult), "it came to its end"), (reboots(made, M1) > 0, f"{M1} was rebooted"))
    made.lift()
    await asyncio.sleep(60)
    return [*claims, *made.broken, *await finished(made, folder)]


# -- HA ----------------------------------------------------------------------------------------------------------------


async def working_pair(folder: Path, mode: str, number: str | None) -> list[str]:
    """A pair at work, however its units tell their HA mode, is no pair to be formed."""
    made = world(folder, sites("p", "s"), HaTold(mode, number), verifies_ha=True)
    found = await made.run()
    pair = made.network.pair("A")
    claims = wrong((not pair.is_formed, f"it is no pair: {pair.unpaired_because}"), (made.runs != 1, "more pushes"))
    return [*found, *claims]


async def other_parameter(folder: Path, unit: str) -> list[str]:
    """A parameter of a pair at work differs from the plan: it is named, and nothing is sent."""
    made = world(folder, sites("p", "s"), OtherParameter(unit, "all_interfaces"), verifies_ha=True)
    ended = await push(made)
    named = isinstance(ended, PushResult) and "Interfaces" in str((ended.report, ended.verdict))
    named = named or "Interfaces" in f"{ended} {getattr(ended, 'problems', '')}"
    is_left = made.network.unit(unit).ha.all_interfaces
    return [*made.broken, *wrong((not is_left, "it was changed"), (not named, f"it is not named: {ended}"))]


async def parameter_that_a_unit_does_not_take(folder: Path) -> list[str]:
    """A unit that got its mode and answers its health check is not sent back to single mode."""
    made = world(folder, sites("p", "s", all_interfaces=True), unpaired=True)
    made.shapes.append(shapes.deaf_to("hcai"))
    ended = await push(made)
    return [*made.broken, *wrong((isinstance(ended, PushResult), "it came to its end"))]


# -- green is what was seen green --------------------------------------------------------------------------------------


async def untold_colours(folder: Path, told_as: str) -> list[str]:
    """No slave applies its submission, and units tell their partners' status in a shape that tells too little."""
    made = world(folder, sites("p", "p"), Colours(told_as))
    for address in ("10.0.1.2", "10.0.2.2"):
        made.simulation.inject(f"ignore,unit={address},command=set:geopartners")
    ended = await push(made)
    is_complete = isinstance(ended, PushResult) and ended.is_complete
    red = sorted(made.red_in_any_state())
    return [*made.broken, *wrong((is_complete, f"it says that it is complete, and red are {red}"))]


async def standbys_red_by_nature(folder: Path) -> list[str]:
    """What was seen green while a slave was active is the proof: nothing more is rebooted, and nothing is missing."""
    made = world(folder, sites("p", "p", "s"), RedStandbys())
    found = await made.run()
    is_complete = made.last is not None and made.last.is_complete
    return [*found, *wrong((not is_complete, "it is not complete"), (made.runs != 1, f"it took {made.runs} pushes"))]


async def slave_api_that_leads_to_the_master(folder: Path) -> list[str]:
    """The API of the slave's entry is the master's, typed twice; health checks go where they should."""
    made = world(folder, sites("p", "s"))
    made.simulation.inject("html,command=getawshaparams")
    made.simulation.inject("html,command=getcloudhaparams")

    class Twice(LabTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            own = self._address
            if request.url.scheme == "https" and own == "10.0.1.2":
                self._address = "10.0.1.1"
            try:
                return await super().handle_async_request(request)
            finally:
                self._address = own

    made._transport = lambda address: Twice(made.simulation, address, made._latency)  # type: ignore[method-assign]
    ended = await push(made)
    if isinstance(ended, PushResult):
        made.check_claim(ended)
    return made.broken


# -- what is owed stays owed -------------------------------------------------------------------------------------------


async def no_reboots_at_first(folder: Path, *, tells_colours: bool) -> list[str]:
    """Push without reboots, once more so, and then an ordinary push."""
    hidden = () if tells_colours else (Colours("html"),)
    made = world(folder, sites("p", "p"), *hidden, options=Options(reboot=RebootMode.NEVER))
    first = await push(made, Options(reboot=RebootMode.NEVER))
    await asyncio.sleep(100)
    second = await push(made, Options(reboot=RebootMode.NEVER))
    claims = wrong(
        (isinstance(first, PushResult) and first.is_complete, "the first one says that it is complete"),
        (isinstance(second, PushResult) and second.is_complete, "the second one says that it is complete"),
    )
    return [*claims, *await ordinary(made)]


async def abandoned_before_its_reboots(folder: Path, *, tells_colours: bool) -> list[str]:
    """Kill a push once all lists are entered, abandon it, and push again."""
    hidden = () if tells_colours else (Colours("html"),)
    made = world(folder, sites("p", "p"), *hidden)
    with suppress(TimeoutError):
        await made._push(resume=False, kill_after=4.0)
    pairs = ("10.0.1.1", "10.0.2.1")
    assert all(made.network.unit(address).geo_partners and not reboots(made, address) for address in pairs)
    made.abandon()
    return await ordinary(made)


async def ordinary(made: World) -> list[str]:
    """Push as one ordinarily does; return what is wrong with its end."""
    ended = await push(made)
    if not isinstance(ended, PushResult):
        return [f"it ended so: {ended}"]
    made.check_claim(ended)
    red = sorted(made.red_in_any_state())
    return [*made.broken, *wrong((bool(red), f"red after a failover: {red}"))]


async def abandoned_after_the_clock_was_set_back(folder: Path) -> list[str]:
    """A push that is unfinished by its journal can be abandoned, whatever the names of journals say of their time."""
    made = world(folder, sites("p", "s"))
    assert isinstance(await push(made), PushResult)
    made.network.set_parameter(made.network.unit("10.0.2.1"), ACCESS, ())
    await asyncio.sleep(100)
    made.time.set_back = 3600.0
    made.simulation.inject("timeout,unit=10.0.2.1,command=set:geoclients,occurrence=1")
    with suppress(TimeoutError):
        await made._push(resume=False, kill_after=5.0)
    assert made.is_unfinished
    push_journal.abandon(Store(folder, unit_keys(addresses_of(made.plan))), made.plan, "text", yes=True)
    ended = await push(made)
    return [*made.broken, *wrong((not isinstance(ended, PushResult), f"it ended so: {ended}"))]


async def fourth_reboot_by_two_pushes(folder: Path) -> list[str]:
    """More than 3 reboots in 5 minutes pacify a unit, whichever pushes sent them."""
    made = world(folder, section())
    for occurrence in (1, 2, 3, 4):
        made.simulation.inject(f"early-return,unit={M1},occurrence={occurrence}")

    async def killed(seconds: float) -> None:
        try:
            await made._push(resume=False, kill_after=seconds)
        except (TimeoutError, GeoplanError):
            made.abandon()

    while reboots(made, M1) < 2:
        await killed(15.0)
    await asyncio.sleep(2 * BOOT)  # a pair that is booting is refused for that
    ended = await push(made, Options(reboot=RebootMode.ALWAYS))
    count = reboots(made, M1)
    return [*made.broken, *wrong((made.network.unit(M1).pacified, f"it was rebooted {count} times, and: {ended}"))]


# -- what is written was read, and is where it belongs -----------------------------------------------------------------


async def write_on_a_standby_that_takes_it(folder: Path, subject: str) -> list[str]:
    """A failover between look and write: the standby takes the list, shows it, and it reaches nobody."""
    made = world(folder, section(), TakingStandbys(), LostRequest(M1, subject, "late", 1, "failover"))
    found = await made.run()
    action = Action.SET_GEO_PARTNERS if subject.endswith(PARTNERS) else Action.SET_REMOTE_GEO_ACCESS
    done = [record for record in records(folder) if isinstance(record, Changed) and record.unit == M1]
    count = sum(record.action is action for record in done)
    taken = made.watch.taken[M1, subject.removeprefix("set:")]
    return [*found, *wrong((count > taken, f"{count} changes of {subject} are called done, and {taken} took place"))]


async def address_added(folder: Path, site: str, subject: str, address: str) -> list[str]:
    """Somebody adds a partner while the master is away, just before the push submits there: it is not lost."""
    made = world(folder, section())
    edits = iter([Hand(site, "geopartners", adds=True, at=0.0)])

    def add(_sent: Sent) -> None:
        if reboots(made, M1) and made.network.is_active(made.network.unit(address)):
            for edit in edits:
                edit.edit(made)

    made.ways.append(_way(add, subject, address))
    ended = await push(made)
    assert made.watch.handed, f"nobody came to add anything: {ended}"
    await asyncio.sleep(60)
    unit = made.active_unit(site)
    is_lost = unit is not None and STRANGER not in unit.geo_partners
    return [*made.broken, *wrong((is_lost, f"{STRANGER} is lost on {site}"))]


async def red_link_of_a_standalone(folder: Path) -> list[str]:
    """A standalone has forgotten its submission, and all lists are in place."""
    made = world(folder, section())
    assert isinstance(await push(made), PushResult)
    await asyncio.sleep(100)
    made.network.partners.forget(made.network.unit(A1))
    return await submissions_alone(made, 1)


async def links_lost(folder: Path, *kinds: str) -> list[str]:
    """Every link is gone, and all lists are in place: submissions alone mend that, where units are up and active."""
    made = world(folder, sites(*kinds))
    assert isinstance(await push(made), PushResult)
    await asyncio.sleep(100)
    for unit in made.network.units.values():
        if unit.role != "slave":
            made.network.partners.forget(unit)
    return await submissions_alone(made, sum(kind == "p" for kind in kinds))


async def submissions_alone(made: World, planned: int) -> list[str]:
    """Push where links are red; return what is wrong with that."""
    ended = await push(made)
    red = sorted(made.red_in_any_state())
    count = sum(len(unit.reboots) for unit in made.network.units.values())
    claims = wrong(
        (bool(red), f"red are {red}"), (count > planned, "it rebooted"), (not isinstance(ended, PushResult), "")
    )
    return [*made.broken, *claims]


# -- every difference has a step, or blocks the push -------------------------------------------------------------------


async def site_that_is_left_alone(folder: Path, *, tells_colours: bool) -> list[str]:
    """A site becomes the only one of its group: that its partners are emptied is a change like any other."""
    made = world(folder, sites("p", "s"), *(() if tells_colours else (Colours("html"),)))
    await push(made)
    await asyncio.sleep(100)
    earlier = len(list(records(folder)))
    retarget(made, sites("p"))
    ended = await push(made, Options(remove_unknown=True))
    new = list(records(folder))[earlier:]
    changes = [record for record in new if isinstance(record, Changing) and record.what == "geo_partners"]
    left = made.network.unit("10.0.1.1").geo_partners
    claims = wrong(
        (not isinstance(ended, PushResult), f"it ended so: {ended}"),
        (bool(left), f"the partners are {left}"),
        (not changes, "no record of the change"),
    )
    return [*made.broken, *claims]


async def standby_that_differs(folder: Path, change: Callable[[Unit], None]) -> list[str]:
    """A standby holds something else than the plan: neither a comparison nor a push says that all is in place."""
    made = world(folder, sites("p", "s"))
    await push(made)
    await asyncio.sleep(100)
    change(made.network.unit("10.0.1.2"))
    report = await compared(made)
    return wrong((report.is_in_place, "everything is as planned"))


def without_partners(unit: Unit) -> None:
    """Take a unit's partners."""
    unit.configuration = unit.configuration.with_settings({PARTNERS: ()})


def with_a_stranger(unit: Unit) -> None:
    """Give a unit an address more."""
    unit.configuration = unit.configuration.with_settings({ACCESS: (*unit.remote_geo_access, STRANGER)})


def without_clusters(unit: Unit) -> None:
    """Take a unit's clusters."""
    unit.configuration = unit.configuration.with_geo({})


async def cluster_that_does_not_follow(folder: Path) -> list[str]:
    """A cluster carries the slave's address while the master is active: no step mends that, so the push is refused."""
    made = world(folder, sites("p", "s"))
    await push(made)
    await asyncio.sleep(100)

    def stale(cluster: Cluster, asked: Unit) -> str:
        return "10.0.1.2" if cluster.name == "A" else cluster.address

    made.network.geo.address_of = stale  # type: ignore[method-assign]
    made.network.set_parameter(made.network.unit("10.0.2.1"), ACCESS, ())  # so that there is something to push
    ended = await push(made)
    return [*made.broken, *wrong((not isinstance(ended, PushRefusedError), f"it ended so: {ended}"))]


async def closed_health_checks(folder: Path, *, tells: bool = True) -> list[str]:
    """Health checks are open to the load balancer alone: the units' APIs tell who is active, and the push says so.

    Where they do not tell either, the push is refused before it changes anything.
    """
    made = world(folder, section())
    made.simulation.inject("timeout,command=health")
    if not tells:
        made.shapes.append(shapes.ha_status_told(None))
    ended = await push(made)
    if not tells:
        return [*made.broken, *wrong((not isinstance(ended, PushRefusedError), f"it ended so: {ended}"))]
    said = [event.message for event in made.heard.events if event.kind is EventKind.STEP_ENDED and event.step]
    by_api = [message for message in said if "told by API alone" in message]
    return [
        *made.broken,
        *wrong(
            (isinstance(ended, Exception) or not ended.is_complete, f"it ended so: {ended}"),
            (len(by_api) != 1, f"it does not say by what it went: {said}"),
        ),
    ]


async def contradictory(folder: Path, *, unit: str, told: str) -> list[str]:
    """A unit's API contradicts its health check just when its pair's turn comes: nothing is rebooted or submitted."""
    made = world(folder, section())
    pair = made.network.pair(PAIR)

    def begin(_sent: Sent) -> None:
        if not made.shapes and pair.active is pair.master and pair.master.geo_partners:
            made.shapes.append(shapes.ha_status_told(told, unit))

    made.ways.append(_way(begin, "get:geopartners", S1))
    ended = await push(made)
    return [
        *made.broken,
        *wrong(
            (reboots(made, M1) > 0, f"{M1} was rebooted"),
            (not isinstance(ended, PushStoppedError), f"it ended so: {ended}"),
        ),
    ]


async def contradictory_health(folder: Path, *, unit: str, status: int) -> list[str]:
    """Something in between answers a unit's health check otherwise than its API: nothing is rebooted."""
    made = world(folder, section())

    async def way(sent: Sent) -> httpx.Response | None:
        is_meant = sent.is_health and sent.address == unit and made.has_partners(M1)
        return httpx.Response(status, content=b"somebody else", request=sent.http) if is_meant else None

    made.ways.append(way)
    ended = await push(made)
    return [
        *made.broken,
        *wrong(
            (reboots(made, M1) > 0, f"{M1} was rebooted"),
            (not isinstance(ended, PushStoppedError), f"it ended so: {ended}"),
        ),
    ]


async def other_health_check_port(folder: Path) -> list[str]:
    """The topology has another health check port than the units: theirs is asked where it is silent."""
    made = world(folder, section())
    for address in (M1, S1):
        unit = made.network.unit(address)
        made.network.set_ha(unit, replace(unit.ha, health_check_port=8445))
    made.shapes.append(shapes.ha_status_told(None))

    async def at_its_own_port(sent: Sent) -> httpx.Response | None:
        if not sent.is_health or sent.http.url.port != 8445:
            return None
        is_active = made.network.is_active(made.network.unit(sent.address))
        return httpx.Response(200 if is_active else 503, content=b"", request=sent.http)

    made.ways.append(at_its_own_port)
    async with made.connected_fleet() as fleet:
        facts = await observe_for_preflight(fleet)
    found = {address: (facts.units[address].state, facts.units[address].health) for address in (M1, S1)}
    wanted = {M1: (State.ACTIVE, "200"), S1: (State.STANDBY, "503")}
    return [*made.broken, *wrong((found != wanted, f"found was {found}"))]


# -- at scale ----------------------------------------------------------------------------------------------------------


async def many_groups(folder: Path, jobs: int) -> list[str]:
    """All lists are entered before the first pair is done: a pair that waits for its turn to reboot holds no slot."""
    made_of, groups = [], {}
    for number in range(16):
        master, slave = f"10.1.{number}.1", f"10.1.{number}.2"
        made_of += [
            {"name": f"P{number}", "ha_pair": {"master": master, "slave": slave}},
            {"name": f"S{number}", "standalone": f"10.2.{number}.1"},
        ]
        groups[f"g{number}"] = [f"P{number}", f"S{number}"]
    timing = {"boot_seconds": BOOT, "sync_seconds": SYNC}
    made = world(folder, Topology.model_validate({"sites": made_of, "groups": groups, "timing": timing}))
    heard = Heard()
    async with made.connected_fleet() as fleet:
        await run_push(fleet, Options(jobs=jobs), real_store(folder, made.plan), heard)
    ended = [event for event in heard.events if event.kind is EventKind.STEP_ENDED and event.step]
    lists = {Action.SET_GEO_PARTNERS, Action.SET_REMOTE_GEO_ACCESS}
    last = max(event.seconds for event in ended if event.step and event.step.action in lists)
    return wrong((last > BOOT, f"the last list was entered after {last:.0f} s"))


def _way(do: Callable[[Sent], None], subject: str, address: str) -> Callable[[Sent], Awaitable[httpx.Response | None]]:
    """Return a way that does something when a request comes by."""

    async def way(sent: Sent) -> httpx.Response | None:
        if sent.address == address and sent.subject == subject:
            do(sent)
        return None

    return way


def _lost() -> Iterator[tuple[str, Scenario]]:
    unsent, sent = LOSSES[:2], LOSSES[2:4]
    for then in THENS[1:]:
        for how in unsent:
            for times in (2, 4):
                name = f"reboot {how} {times} times, {then}"
                yield name, partial(lost_request, lost=LostRequest(M1, "reboot", how, times, then), most=2)
    for how in (*unsent, *sent):
        yield f"submission {how}", partial(lost_request, lost=LostRequest(S1, "set:geopartners", how), most=2)
        yield f"mode {how}", partial(lost_request, lost=LostRequest(M1, "awshamode", how, 2), unpaired=True)
    yield "reboot whose answer is lost", partial(lost_request, lost=LostRequest(M1, "reboot", "lost"))


SCENARIOS: dict[str, Scenario] = {
    **dict(_lost()),
    "modes in newer words": partial(other_words, variant=Variant.HA_FIRST, unpaired=True),
    "modes in older words": partial(other_words, variant=Variant.HA_MASTER, unpaired=True),
    "clusters by their number": partial(other_words, variant=Variant.CLUSTERS_BY_ID),
    "clusters by their address": partial(other_words, variant=Variant.CLUSTERS_BY_IP),
    "reboot answered late": unit_that_answers_its_reboot_late,
    **{f"closed slave: {how}": partial(closed_slave, how=how) for how in ("refused", "timeout", "certificate", "401")},
    **{f"standby refuses {what}": partial(refusing_standby, what=what) for what in shapes.READS_OF_STANDBYS},
    "slow standby that refuses reads": standby_that_replicates_after_the_estimate,
    "dead slave behind a middlebox": dead_slave_behind_a_middlebox,
    **{
        f"working pair: HaMode {mode}, hamode {number!r}": partial(working_pair, mode=mode, number=number)
        for mode in shapes.HA_MODES
        for number in shapes.HA_NUMBERS
    },
    "other parameter on the master": partial(other_parameter, unit="10.0.1.1"),
    "other parameter on the slave": partial(other_parameter, unit="10.0.1.2"),
    "parameter that a unit does not take": parameter_that_a_unit_does_not_take,
    **{f"colours: {told}": partial(untold_colours, told_as=told) for told in shapes.COLOURS},
    "standbys red by nature": standbys_red_by_nature,
    "slave's API leads to the master": slave_api_that_leads_to_the_master,
    "no reboots at first": partial(no_reboots_at_first, tells_colours=True),
    "no reboots at first, colours untold": partial(no_reboots_at_first, tells_colours=False),
    "abandoned before its reboots": partial(abandoned_before_its_reboots, tells_colours=True),
    "abandoned before its reboots, colours untold": partial(abandoned_before_its_reboots, tells_colours=False),
    "abandoned after the clock was set back": abandoned_after_the_clock_was_set_back,
    "fourth reboot by two pushes": fourth_reboot_by_two_pushes,
    "access list on a standby": partial(write_on_a_standby_that_takes_it, subject="set:geoclients"),
    "partners on a standby": partial(write_on_a_standby_that_takes_it, subject="set:geopartners"),
    "address added on the standalone": partial(address_added, site=LONE, subject="get:geopartners", address=A1),
    "address added on the slave": partial(address_added, site=PAIR, subject="health", address=S1),
    "red link of a standalone": red_link_of_a_standalone,
    "links of standalones lost": lambda folder: links_lost(folder, "s", "s", "s"),
    "links of masters lost": lambda folder: links_lost(folder, "p", "p"),
    "site left alone": partial(site_that_is_left_alone, tells_colours=True),
    "site left alone, colours untold": partial(site_that_is_left_alone, tells_colours=False),
    "standby without partners": partial(standby_that_differs, change=without_partners),
    "standby with a stranger": partial(standby_that_differs, change=with_a_stranger),
    "standby without clusters": partial(standby_that_differs, change=without_clusters),
    "cluster that does not follow": cluster_that_does_not_follow,
    "closed health checks": closed_health_checks,
    "closed health checks, and firmware that does not tell": partial(closed_health_checks, tells=False),
    **{
        f"{name} says '{told}' over its API": partial(contradictory, unit=unit, told=told)
        for name, unit, told in (
            ("active master", M1, "Standby"),
            ("standby slave", S1, "Active"),
            ("standby slave", S1, "HA not configured"),
        )
    },
    "health check of the slave answers 200, and its API 'Standby'": partial(contradictory_health, unit=S1, status=200),
    "health check of the master answers 503, and its API 'Active'": partial(contradictory_health, unit=M1, status=503),
    "other health check port": other_health_check_port,
    "many groups, 8 jobs": partial(many_groups, jobs=8),
    "sites leave": leaves.sites_leave,
    "sites leave, and a standby does not follow": leaves.sites_leave_standby_that_does_not_follow,
    "sites leave over a live link": leaves.sites_leave_over_a_live_link,
    "seed that somebody takes away": changes.seed_that_somebody_takes_away,
    "sites join": changes.sites_join,
    "sites join a group with FQDNs": partial(changes.sites_join, fqdns=True),
}
"""Every situation by its name."""
