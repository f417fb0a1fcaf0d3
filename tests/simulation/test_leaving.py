"""Sites that leave a group, in simulated time: nothing of those that stay is lost, whatever happens meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.lab.device.geo import Cluster
from geoplan.lab.variants import Variant
from geoplan.live.findings import NoteKind
from geoplan.live.fleet import Fleet
from geoplan.plan.model import Action, Phase
from geoplan.plan.planner import make_plan
from geoplan.push import journal
from geoplan.push.actions import ACTIONS
from geoplan.push.dry_run import DryRunClock, DryRunState, dry_run_units
from geoplan.push.guard import GuardError
from geoplan.push.options import Options, RebootMode
from geoplan.push.outcome import Outcome, StepState
from geoplan.push.rollback import going_back
from geoplan.push.run import PushResult, run_push
from geoplan.twin import shapes
from geoplan.twin.loop import run_simulated
from geoplan.twin.transport import Sent
from tests.push.support import real_store
from tests.simulation import changes
from tests.simulation.leaves import A1, A4, LISTS, M1, M3, S1, S3, STAYING, Kill, Leave, leave, topology
from tests.simulation.world import SYNC

CHANGES = 12
"""The changing requests of two sites that leave two others."""


def play(make: Callable[[], Leave], act: Callable[[Leave], Awaitable[None]], *fqdns: str) -> None:
    async def go() -> None:
        begun = make()
        await begun.begin(fqdns)
        await act(begun)

    run_simulated(go())


async def finished(begun: Leave, *, resume: bool = False) -> None:
    """See that the push comes to its end, and everything with it."""
    ended = await begun.push(resume=resume)
    assert isinstance(ended, PushResult), ended
    assert ended.is_complete, ended.report.differences
    await begun.settle()
    assert begun.faults() == []


def noted(begun: Leave, kind: NoteKind) -> list[object]:
    """Return the sites of which the end of the push says something."""
    return [event.details["site"] for event in begun.world.heard.events if event.details.get("kind") == kind]


@pytest.mark.parametrize("clean", [False, True])
@pytest.mark.parametrize("of_topology", [{}, {"nat": True}, {"preferred": "none"}], ids=["plain", "nat", "no host"])
def test_sites_leave_without_a_reboot_and_nothing_of_those_that_stay_is_lost(
    tmp_path: Path, clean: bool, of_topology: dict[str, Any]
) -> None:
    async def act(begun: Leave) -> None:
        await finished(begun)
        assert begun.names(M3) == begun.names(S3) == (set() if clean else {"A", "B", "D"})
        assert begun.names(A4) == (set() if clean else {"A", "B", "C"})
        assert noted(begun, NoteKind.STILL_ANSWERS) == ["C", "D"]
        told = [event.message for event in begun.world.heard.events if "still answers DNS" in event.message]
        assert ["if a load balancer is in front of it" in message for message in told] == [True, False]

    play(lambda: leave(tmp_path, clean=clean, **of_topology), act)


@pytest.mark.parametrize("is_taken", [False, True], ids=["not taken", "taken"])
@pytest.mark.parametrize("at", range(1, CHANGES + 1))
def test_a_leave_that_is_killed_at_any_change_is_resumed(tmp_path: Path, at: int, is_taken: bool) -> None:
    async def act(begun: Leave) -> None:
        assert await begun.push(kill=Kill(at, is_taken)) is None
        await finished(begun, resume=True)

    play(lambda: leave(tmp_path), act)


def test_a_leave_is_killed_at_all_its_changes(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        assert isinstance(await begun.push(kill=Kill(CHANGES + 1, is_taken=False)), PushResult)

    play(lambda: leave(tmp_path), act)


def test_a_standby_that_refuses_reads_gets_its_time_before_anything_is_deleted(tmp_path: Path) -> None:
    def make() -> Leave:
        begun = leave(tmp_path)
        begun.world.shapes.append(shapes.refusing("both lists", shapes.Refusal.EXPLICIT))
        return begun

    play(make, finished)


@pytest.mark.parametrize("silent", [(A4,), (M3, S3), (S3,), (M3, S3, A4)], ids=["alone", "pair", "slave", "both"])
def test_a_leaver_that_does_not_answer_is_left_alone_and_named(tmp_path: Path, silent: tuple[str, ...]) -> None:
    async def act(begun: Leave) -> None:
        for address in silent:
            begun.world.simulation.power_off(address)
        ended = await begun.push()
        assert isinstance(ended, PushResult), ended
        assert ended.is_complete, "of who was left alone nothing is claimed"
        assert set(ended.left_alone) == {"D" if address == A4 else "C" for address in silent}
        await begun.settle()
        assert begun.lost == begun.world.broken == []
        assert [begun.names(address) for address in STAYING] == [{"A", "B"}] * 3
        assert set(noted(begun, NoteKind.LEFT_ALONE)) == {"D" if address == A4 else "C" for address in silent}

    play(lambda: leave(tmp_path), act)


@pytest.mark.parametrize("is_silent", [False, True])
@pytest.mark.parametrize(
    "found", [{"name": "SomebodyElse"}, {"name": "D-by-hand", "type": "remoteLM"}, {"type": "localLM"}]
)
def test_a_cluster_that_is_not_the_leavers_own_is_not_deleted(
    tmp_path: Path, found: dict[str, Any], is_silent: bool
) -> None:
    async def act(begun: Leave) -> None:
        network = begun.world.network
        network.geo.put_cluster(network.unit(M1), replace(Cluster(A4, "D", "remoteLM"), **found))
        if is_silent:
            begun.world.simulation.power_off(A4)
        await begun.settle()
        ended = await begun.push()
        assert isinstance(ended, PushRefusedError)
        (problem,) = (each for each in ended.problems if f": the cluster at {A4} would be deleted" in each)
        assert M1 in problem.partition(":")[0]  # told once for all that share it
        assert "is not OLD's" in problem
        await begun.settle()
        name = found.get("name", "D")
        assert [begun.names(address) for address in STAYING] == [{"A", "B", "C", name}] * 3

    play(lambda: leave(tmp_path), act)


def test_a_cluster_that_becomes_somebody_elses_meanwhile_is_not_deleted(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        network = begun.world.network

        async def rename(sent: Sent) -> None:
            if sent.subject == "delcluster" and sent.address == A4:
                network.geo.put_cluster(network.unit(M1), Cluster(A4, "SomebodyElse", "remoteLM"))

        begun.world.ways.append(rename)
        ended = await begun.push()
        assert isinstance(ended, PushStoppedError)
        assert "is not the one to delete: it is called 'SomebodyElse', and was 'D' before" in str(ended)
        assert "SomebodyElse" in begun.names(M1)

    play(lambda: leave(tmp_path), act)


@pytest.mark.parametrize("silent", [M1, S1])
def test_a_unit_that_stays_and_does_not_answer_keeps_all_from_leaving(tmp_path: Path, silent: str) -> None:
    async def act(begun: Leave) -> None:
        begun.world.simulation.power_off(silent)
        await begun.settle()
        assert isinstance(await begun.push(), PushRefusedError)
        assert begun.names(M3) == {"A", "B", "C", "D"}

    play(lambda: leave(tmp_path), act)


@pytest.mark.parametrize("at", ["verify-unlinked", "probe-unlinked", "delete-cluster"])
def test_a_unit_that_stays_and_goes_down_meanwhile_stops_what_deletes(tmp_path: Path, at: str) -> None:
    async def act(begun: Leave) -> None:
        went: list[str] = []

        async def go_down(_sent: Sent) -> None:
            started = [event.step.id for event in begun.world.heard.events if event.step]
            if f"c/{at}" in started and not went:
                went.append(at)
                begun.world.simulation.power_off(S1)

        begun.world.ways.append(go_down)
        assert isinstance(ended := await begun.push(), PushStoppedError), ended
        assert begun.lost == begun.world.broken == []
        begun.world.lift()
        await begun.world.time.sleep(60)
        await finished(begun, resume=True)

    play(lambda: leave(tmp_path), act)


def test_a_deletion_that_travels_over_a_live_link_stops_at_the_probe(tmp_path: Path) -> None:
    """Two standbys submit nothing anew: where access lists cut no link, theirs comes alive once both are active."""

    async def act(begun: Leave) -> None:
        assert await begun.push(kill=Kill(LISTS + 1, is_taken=False)) is None
        for site in ("A", "C"):
            begun.world.simulation.fail_over(site)
        await begun.settle()
        assert isinstance(ended := await begun.push(resume=True), PushStoppedError), ended
        assert "a link is alive" in str(ended)
        assert active_names(begun) == {"A", "B", "D"}, "the probe is all that is lost"
        assert isinstance(ended := await begun.push(resume=True), PushStoppedError), "nothing was mended"
        assert active_names(begun) == {"A", "B", "D"}
        assert begun.lost == begun.world.broken == []
        await mend(begun)
        await finished(begun, resume=True)

    play(lambda: leave(tmp_path, variants=(Variant.LINKS_IGNORE_ACCESS,), preferred="none"), act)


def test_what_a_standby_has_not_cut_is_told_with_what_cuts_it(tmp_path: Path) -> None:
    lab = changes.topology("lab", f"A:{M1}:{S1} B:{A1} C:{M3}:{S3}")
    new = changes.topology("new", f"A:{M1}:{S1} B:{A1}")

    async def go() -> None:
        world = changes.ChangingWorld(lab, tmp_path, variants=(Variant.LINKS_IGNORE_ACCESS,))
        await world.push_new(lab)
        world.make_masters_active()
        before = world.reboots()
        assert (await world.change(lab, new)).is_complete
        assert world.reboots() == before
        notes = [event for event in world.heard.events if event.details.get("kind") == NoteKind.LINK_NOT_PROVEN]
        assert [(note.details["site"], note.unit) for note in notes] == [("A", S1), ("C", S3)]
        assert f"links of the slave {S1} to {M3}, {S3}: not proven to be cut" in notes[0].message
        assert "--reboot always=A" in notes[0].message
        assert "by hand" in notes[1].message
        network = world.network
        one, other = network.unit(S1), network.unit(S3)
        assert frozenset((one, other)) in set(network.partners), "it was never cut"
        await world.push(make_plan(new, (Phase.GEO,)), reboot_sites=("A",))
        assert frozenset((one, other)) not in set(network.partners), "what the note names has cut it"

    run_simulated(go())


def test_no_cluster_is_cleaned_up_between_units_of_which_no_probe_has_shown_anything(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        went: list[str] = []

        async def fail_over(_sent: Sent) -> None:
            started = [event.step.id for event in begun.world.heard.events if event.step]
            if "c/delete-other-clusters" in started and not went:
                went.extend("AC")
                for site in went:
                    begun.world.simulation.fail_over(site)

        begun.world.ways.append(fail_over)
        assert isinstance(ended := await begun.push(), PushStoppedError), ended
        assert begun.lost == begun.world.broken == []
        assert active_names(begun) == {"A", "B", "D"}

    variants = (Variant.LINKS_IGNORE_ACCESS,)
    play(lambda: leave(tmp_path, variants=variants, preferred="none", clean=True), act)


def test_a_cluster_that_somebody_deleted_before_the_probe_proves_nothing(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        geo, unit = begun.world.network.geo, begun.world.network.unit(A4)

        async def delete(_sent: Sent) -> None:
            started = [event.step.id for event in begun.world.heard.events if event.step]
            if "c/probe-unlinked" in started and geo.find_cluster(unit, A4):
                geo.remove_cluster(unit, A4)

        begun.world.ways.append(delete)
        assert isinstance(ended := await begun.push(), PushStoppedError), ended
        assert (begun.names(M1), begun.lost) == ({"A", "B", "D"}, [])
        assert "add the cluster 'D' (10.1.4.1) by hand there" in str(ended)
        begun.world.ways.pop()
        begun.world.abandon()
        refused = await begun.push()
        assert isinstance(refused, PushRefusedError), refused
        assert "it leaves and lacks the cluster 'D' (10.1.4.1)" in str(refused.problems)
        geo.put_cluster(unit, Cluster(A4, "D", "remoteLM"))
        await finished(begun)

    play(lambda: leave(tmp_path), act)


def active_names(begun: Leave) -> set[str]:
    """Return the clusters of the active unit of the pair that stays."""
    active = begun.world.active_unit("A")
    assert active
    return begun.names(active.address)


async def mend(begun: Leave) -> None:
    """Do what the stop says: partners submitted on both units that are active now, and the cluster added again."""
    network, active = begun.world.network, [begun.world.active_unit(site) for site in "AC"]
    for unit in filter(None, active):
        network.set_parameter(unit, "geopartners", unit.geo_partners)
    network.geo.put_cluster(network.unit(active[0].address if active[0] else ""), Cluster(M3, "C", "remoteLM"))
    await begun.settle()


@pytest.mark.parametrize("variants", [(), (Variant.MAPS_GO,)], ids=["maps stay", "maps go"])
def test_cluster_that_an_fqdn_uses_is_deleted_only_on_request(tmp_path: Path, variants: tuple[Variant, ...]) -> None:
    async def act(begun: Leave) -> None:
        geo, master = begun.world.network.geo, begun.world.network.unit(M1)
        geo.put_map(master, next(geo.fqdns(master)), "198.51.100.7", "C")
        await begun.settle()
        assert isinstance(refused := await begun.push(), PushRefusedError), refused
        assert "www.example.com" in refused.problems[0]
        assert begun.names(M1) == {"A", "B", "C", "D"}
        begun.world.options = Options(accept_fqdn_loss=True)
        await finished(begun)
        assert [fqdn.name for fqdn in geo.fqdns(master)] == ["www.example.com"]

    play(lambda: leave(tmp_path, variants=variants), act, "www.example.com")


def test_fqdns_that_use_no_cluster_that_leaves_are_no_obstacle(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        geo, master = begun.world.network.geo, begun.world.network.unit(M1)
        geo.put_map(master, next(geo.fqdns(master)), "198.51.100.7", "A")
        await begun.settle()
        await finished(begun)

    play(lambda: leave(tmp_path), act, "www.example.com")


def test_fqdns_whose_maps_cannot_be_read_need_a_word_of_the_operator(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        begun.world.simulation.inject(f"html,unit={M1},command=showfqdn")
        assert isinstance(refused := await begun.push(), PushRefusedError), refused
        assert "which clusters its FQDNs use" in refused.problems[0]
        begun.world.options = Options(accept_fqdn_loss=True)
        await finished(begun)

    play(lambda: leave(tmp_path), act, "www.example.com")


def test_a_probe_is_looked_at_for_the_time_of_a_replication(tmp_path: Path) -> None:
    deletions: list[tuple[str, float]] = []

    async def act(begun: Leave) -> None:
        async def note(sent: Sent) -> None:
            if sent.subject == "delcluster":
                deletions.append((sent.address, sent.began))

        begun.world.ways.append(note)
        await finished(begun)

    play(lambda: leave(tmp_path), act)
    assert [address for address, _ in deletions] == [M3, M1, A4, M1]
    assert all(deletions[n + 1][1] - deletions[n][1] >= 2 * SYNC for n in (0, 2))


@pytest.mark.parametrize("fqdns", [(), ("www.example.com",)], ids=["no FQDN", "an FQDN"])
def test_a_group_that_splits_shares_nothing_afterwards(tmp_path: Path, fqdns: tuple[str, ...]) -> None:
    async def act(begun: Leave) -> None:
        ended = await begun.push()
        assert isinstance(ended, PushResult), ended
        await begun.settle()
        assert begun.world.broken == []
        assert begun.reboots == 0
        assert [begun.names(address) for address in STAYING] == [{"A", "B"}] * 3
        left = {"A", "B"} if fqdns else set()  # an FQDN may use them
        assert [begun.names(address) for address in (M3, S3, A4)] == [{"C", "D"} | left] * 3
        assert ended.is_complete is not bool(fqdns)

    def make() -> Leave:
        begun = leave(tmp_path)
        begun.new = topology(groups={"x": ["A", "B"], "y": ["C", "D"]})
        return begun

    play(make, act, *fqdns)


@pytest.mark.parametrize("action", [Action.VERIFY_UNLINKED, Action.PROBE_UNLINKED])
def test_the_guard_stops_a_deletion_that_nothing_has_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    async def nothing(_context: object, _step: object) -> Outcome:
        return Outcome(StepState.DONE, None, "")

    async def act(begun: Leave) -> None:
        monkeypatch.setitem(ACTIONS, action, nothing)
        monkeypatch.setattr(sys.modules["geoplan.push.actions.delete_cluster"], "_is_proved", lambda *_given: True)
        assert isinstance(ended := await begun.push(), GuardError), ended
        assert begun.names(M1) == {"A", "B", "C", "D"}

    play(lambda: leave(tmp_path), act)


@pytest.mark.parametrize("command", ["delcluster", "listclusters", "listfqdns", "set:geoclients", "set:geopartners"])
@pytest.mark.parametrize("fault", ["reset", "error"])
@pytest.mark.parametrize("applied", ["yes", "no"])
def test_a_fault_at_any_command_ends_well_or_in_a_stop_that_is_resumed(
    tmp_path: Path, command: str, fault: str, applied: str
) -> None:
    async def act(begun: Leave) -> None:
        for address, occurrence in ((M1, 1), (M3, 1), (A4, 2)):
            begun.world.simulation.inject(
                f"{fault},unit={address},command={command},occurrence={occurrence},applied={applied}"
            )
        ended = await begun.push()
        if not isinstance(ended, PushResult):
            assert isinstance(ended, PushStoppedError | PushRefusedError), ended
            begun.world.lift()
            await begun.settle()
            await finished(begun, resume=isinstance(ended, PushStoppedError))
        await begun.settle()
        assert begun.faults() == []

    play(lambda: leave(tmp_path), act)


def test_a_pair_keeps_what_it_owes_to_those_that_stay_and_is_not_rebooted_for_it(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        owed = real_store(tmp_path, begun.world.plan)
        assert owed.past().ledger.due(S1) == {A1, M3, S3, A4}
        begun.world.options = Options()
        ended = await begun.push()
        assert isinstance(ended, PushResult), ended
        assert not ended.is_complete, "nothing proves the links of the slave"
        assert begun.reboots == 0
        assert owed.past().ledger.due(S1) == {A1}
        assert begun.world.broken == begun.lost == []

    def make() -> Leave:
        begun = leave(tmp_path)
        begun.world.options = Options(reboot=RebootMode.NEVER)
        return begun

    play(make, act)


def test_the_way_back_adds_each_deleted_cluster_again_where_it_was(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        await finished(begun)
        units = {unit.unit: unit.changes for unit in going_back(journal.histories(tmp_path)[-1])}
        for address in (M1, M3):
            added = [change.what for change in units[address] if "cluster" in change.what]
            assert [what.split("'")[1] for what in added] == (["D", "C"] if address == M1 else ["C"])
            assert all(what.startswith("add the cluster") and "of type remoteLM" in what for what in added)
        assert len(units[A4]) == 3

    play(lambda: leave(tmp_path), act)


def test_a_dry_run_of_a_leave_changes_nothing_and_shows_all_of_it(tmp_path: Path) -> None:
    async def act(begun: Leave) -> None:
        world, clock = begun.world, DryRunClock()
        before = {address: begun.names(address) for address in world.network.units}
        changes = world.watch.taken.copy()
        async with world.connected_fleet(dry_run=True) as fleet:
            paper = DryRunState(world.plan, clock, world.timings)
            units = dry_run_units(fleet.units, paper)
            dry = Fleet(world.plan, units, clock, world.timings)
            ended = await run_push(dry, Options(), real_store(tmp_path / "paper", world.plan), world.heard)
        assert ended.is_complete
        assert {step.id for step in world.plan.steps} == ended.progress.outcomes.keys()
        assert before == {address: begun.names(address) for address in world.network.units}
        assert world.watch.taken == changes

    play(lambda: leave(tmp_path, clean=True), act)
