"""Changes from one topology to the next: the result is that of a fresh push, and nothing of who stays is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.lab.device.geo import Cluster
from geoplan.lab.device.unit import HaParameters
from geoplan.lab.variants import Variant
from geoplan.live.findings import NoteKind
from geoplan.push.journal import histories
from geoplan.push.options import RebootMode
from geoplan.push.rollback import going_back
from geoplan.topology.model import Topology
from geoplan.twin.loop import run_simulated
from tests.simulation.changes import ChangingWorld, seed_taken_away, simulate_change, topology

A, B, C, D = "A:10.0.0.1:10.0.0.2", "B:10.0.0.3", "C:10.0.0.5:10.0.0.6", "D:10.0.0.7"
TWO = topology("two", f"{A} {B}")
FOUR = topology("four", f"{A} {B} {C} {D}")


def run(scene: Any) -> None:
    run_simulated(scene)


def test_sites_join_an_empty_group_without_fqdns(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(TWO)
        before = world.reboots()
        world.keep({"A", "B"}, ["A", "B"])
        plan = world.plan_of_change(TWO, FOUR)
        result = await world.push(plan)
        assert result.is_complete
        assert before == {"10.0.0.1": 1}
        assert world.reboots() == {"10.0.0.1": 2, "10.0.0.5": 1}
        world.check_is(plan)
        back = [change.what for unit in going_back(histories(tmp_path)[-1]) for change in unit.changes]
        for cluster in ("'A' (10.0.0.1)", "'B' (10.0.0.3)", "'C' (10.0.0.5)", "'D' (10.0.0.7)"):
            assert f"delete the cluster {cluster}, which was not there" in back

    run(scene())


def test_a_site_is_seeded_by_hand_where_the_group_has_fqdns(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(TWO)
        world.network.geo.put_fqdn(world.active("A"), "www.example.com")
        world.keep({"A", "B", "www.example.com"}, ["A", "B"])
        plan = world.plan_of_change(TWO, FOUR)
        world.by_hand(lambda: world.restore_by_hand("C", "A"), 200.0)
        world.by_hand(lambda: world.restore_by_hand("D", "A"), 500.0)
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        assert all("www.example.com" in world.names_on(world.active(site)) for site in "ABCD")

    run(scene())


def test_a_site_is_seeded_by_the_api_and_looked_at_afterwards(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path, variants=[Variant.RESTORE_BRINGS_LISTS])
        await world.push_new(TWO)
        world.network.geo.put_fqdn(world.active("A"), "www.example.com")
        world.keep({"A", "B", "www.example.com"}, ["A", "B"])
        plan = world.plan_of_change(TWO, FOUR)
        assert (await world.push(plan, seed_by_api=True)).is_complete
        assert [address for address, command in world.sent if command == "restore"] == ["10.0.0.5", "10.0.0.7"]
        world.check_is(plan)

    run(scene())


def test_a_site_that_is_not_empty_does_not_join(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(TWO)
        world.network.geo.put_fqdn(world.active("D"), "old.example.com")
        sent = len(world.sent)
        with pytest.raises(PushRefusedError) as refused:
            await world.change(TWO, FOUR)
        (problem,) = refused.value.problems
        assert problem.startswith("10.0.0.7: it joins and is not empty: clusters none; FQDNs old.example.com")
        assert "on 10.0.0.7 by hand" in problem
        assert "delete old.example.com. at Global Balancing > Manage FQDNs" in problem
        assert len(world.sent) == sent

    run(scene())


def test_old_is_a_claim(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(TWO)
        sent = len(world.sent)
        with pytest.raises(PushRefusedError) as refused:
            await world.change(topology("claim", f"{A} {B} {D}"), FOUR)
        assert "10.0.0.3: GEO LoadMaster Partners is neither OLD's nor on the way to the plan's: it lacks 10.0.0.7" in (
            str(refused.value.problems)
        )
        assert "it lacks the cluster 'D'" in str(refused.value.problems)
        assert len(world.sent) == sent

    run(scene())


@pytest.mark.parametrize("seconds", [5.0, 20.0, 60.0, 100.0, 150.0])
def test_a_join_that_is_killed_goes_on(tmp_path: Path, seconds: float) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(TWO)
        world.keep({"A", "B"}, ["A", "B"])
        plan = world.plan_of_change(TWO, FOUR)
        assert (await world.change_to_the_end(plan, [seconds, seconds / 2])).is_complete
        world.check_is(plan)

    run(scene())


def test_a_cluster_is_renamed_and_placed(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(FOUR)
        before = world.reboots()
        place = {"cluster": {"location": {"latitude": 53.35, "longitude": -6.26}}}
        new = topology("new", f"{A.replace('A', 'Dublin')} {B} {C} {D}", B=place, Dublin=place)
        plan = world.plan_of_change(FOUR, new)
        assert (await world.push(plan)).is_complete
        assert "'Dublin' renamed from 'A' and placed and read back" in [e.message for e in world.heard.events]
        assert world.reboots() == before
        assert {c.name for _, c in world.network.geo.clusters(world.active("D"))} == {"Dublin", "B", "C", "D"}
        back = [change.what for unit in going_back(histories(tmp_path)[-1]) for change in unit.changes]
        assert "call the cluster 'Dublin' (10.0.0.1) 'A' again, latitude 0.0, longitude 0.0" in back

    run(scene())


def test_sites_leave_without_a_reboot(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(FOUR)
        before = world.reboots()
        world.keep({"A", "B"}, ["A", "B"])
        plan = world.plan_of_change(FOUR, TWO)
        result = await world.push(plan)
        assert result.is_complete, result.report.differences
        assert world.reboots() == before
        world.check_is(plan)

    run(scene())


@pytest.mark.parametrize(
    ("new", "entry", "told"),
    [
        pytest.param(TWO, "10.0.0.7", "10.0.0.7, of 'D'", id="leaves"),
        pytest.param(TWO, "10.0.0.6", "10.0.0.6, of 'C'", id="the slave of a pair leaves"),
        pytest.param(topology("moved", f"{A} {B} {C} D:10.0.0.77"), "10.0.0.7", "10.0.0.7, of 'D", id="moves"),
        pytest.param(TWO, "10.0.0.3", None, id="stays"),
    ],
)
def test_an_fqdn_that_answers_with_an_address_that_leaves_is_told(
    tmp_path: Path, new: Topology, entry: str, told: str | None
) -> None:
    async def scene() -> None:
        world = ChangingWorld(topology("lab", f"{A} {B} {C} {D} E:10.0.0.77"), tmp_path)
        await world.push_new(FOUR)
        geo, unit = world.network.geo, world.active("A")
        geo.put_fqdn(unit, "www.example.com")
        geo.put_map(unit, next(geo.fqdns(unit)), entry, "")
        world.make_masters_active()
        result = await world.change(FOUR, new, seed_by_api=True)
        assert result.is_complete
        notes = [note.message for note in result.verdict.notes if note.kind is NoteKind.FQDN_NAMES_GONE]
        assert len(notes) == (told is not None)
        assert all(f"the FQDN www.example.com. answers with {told}" in note for note in notes), notes

    run(scene())


def test_no_drawn_change_loses_anything_of_who_stays(seeds: range, tmp_path: Path) -> None:
    few = seeds[: max(1, len(seeds) // 5)]  # each is several pushes
    broken = {seed: found for seed in few if (found := run_simulated(simulate_change(seed, tmp_path / str(seed))))}
    assert not broken, "replay one with: python -m pytest tests/simulation/test_changes.py --seed N"


@pytest.mark.parametrize("seed", [3, 14, 59, 71, 103, 201, 379, 477])
def test_a_change_that_once_went_wrong_does_not_do_so_again(tmp_path: Path, seed: int) -> None:
    assert run_simulated(simulate_change(seed, tmp_path)) == []


# -- the rows of the table ---------------------------------------------------------------------------------------------

SPLIT = topology("split", f"{A} {B} {C} {D}", {"x": ["A", "B"], "y": ["C", "D"]})
MOVED = topology("moved", f"{A} {B} {C} {D}", {"x": ["A", "B", "C"], "y": ["D"]})
MERGED_BEHIND_NAT = topology(
    "merged", f"{A} {B} {C} {D}", D={"standalone": {"address": "10.0.0.7", "nat_address": "203.0.113.7"}}
)
READDRESSED = topology("readdressed", f"{A} B:10.0.0.33 {C} {D}")


@pytest.mark.parametrize(
    ("lab", "old", "new", "reboots"),
    [
        pytest.param(FOUR, TWO, FOUR, 2, id="a site joins"),
        pytest.param(FOUR, FOUR, TWO, 0, id="a site leaves"),
        pytest.param(topology("lab", f"{A} {B} B2:10.0.0.33 {C} {D}"), FOUR, READDRESSED, 2, id="another address"),
        pytest.param(FOUR, FOUR, SPLIT, 0, id="a group splits"),
        pytest.param(FOUR, SPLIT, MOVED, 2, id="a site moves"),
        pytest.param(FOUR, SPLIT, FOUR, 2, id="two merge"),
        pytest.param(MERGED_BEHIND_NAT, SPLIT, MERGED_BEHIND_NAT, 2, id="two merge, and one is behind NAT"),
        pytest.param(MERGED_BEHIND_NAT, MOVED, MERGED_BEHIND_NAT, 2, id="a site alone joins, and is behind NAT"),
    ],
)
def test_a_change_ends_as_a_fresh_push_of_the_new_topology(
    tmp_path: Path, lab: Topology, old: Topology, new: Topology, reboots: int
) -> None:
    async def scene() -> None:
        world = ChangingWorld(lab, tmp_path)
        await world.push_new(old)
        before = sum(world.reboots().values())
        plan = world.plan_of_change(old, new)
        result = await world.push(plan)
        assert result.is_complete, result.report.differences
        world.check_is(plan)
        assert sum(world.reboots().values()) - before == reboots

    run(scene())


def test_a_site_that_moves_without_its_own_cluster_stops_with_the_way_on(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(SPLIT)
        plan, geo = world.plan_of_change(SPLIT, MOVED), world.network.geo
        geo.remove_cluster(world.active("D"), "10.0.0.5")
        with pytest.raises(PushStoppedError) as stopped:
            await world.push(plan)
        assert "nothing has proved that deletions do not travel" in str(stopped.value)
        assert "add the cluster 'C' (10.0.0.5) by hand" in str(stopped.value)
        assert world.names_on(world.active("C")) == {"D"}
        geo.put_cluster(world.active("C"), Cluster("10.0.0.5", "C", "remoteLM"))
        geo.put_cluster(world.active("D"), Cluster("10.0.0.5", "C", "remoteLM"))
        assert (await world.push(plan, resume=True)).is_complete
        world.check_is(plan)

    run(scene())


MERGED = f"{A} {B} {C} {D}"


@pytest.mark.parametrize("groups", [{"x": ["A", "B"], "y": ["C", "D"]}, {"x": ["A", "B", "C"], "y": ["D"]}])
def test_a_group_without_fqdns_is_merged_into_one_with_them(tmp_path: Path, groups: dict[str, list[str]]) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        old = topology("old", MERGED, groups)
        await world.push_new(old)
        world.network.geo.put_fqdn(world.active("A"), "www.example.com")
        world.make_masters_active()
        world.keep({*groups["x"], "www.example.com"}, groups["x"])
        plan = world.plan_of_change(old, topology("new", MERGED, {"x": ["A", "B", "C", "D"]}))
        assert (await world.push(plan, seed_by_api=True)).is_complete
        world.check_is(plan)
        assert all("www.example.com" in world.names_on(world.active(site)) for site in "ABCD")

    run(scene())


@pytest.mark.parametrize("groups", [{"x": ["A", "B", "C"], "y": ["D"]}, {"x": ["A", "B"], "y": ["C", "D"]}])
def test_fqdns_of_the_group_that_does_not_go_on_are_kept_by_its_name(
    tmp_path: Path, groups: dict[str, list[str]]
) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        old = topology("old", MERGED, groups)
        await world.push_new(old)
        world.network.geo.put_fqdn(world.active("D"), "www.example.com")
        world.make_masters_active()
        sent = len(world.sent)
        with pytest.raises(PushRefusedError) as refused:
            await world.change(old, topology("new", MERGED, {"x": ["A", "B", "C", "D"]}), seed_by_api=True)
        assert "call the merged group 'y' under groups:" in str(refused.value.problems)
        assert len(world.sent) == sent
        world.keep({*groups["y"], "www.example.com"}, groups["y"])
        plan = world.plan_of_change(old, topology("new", MERGED, {"y": ["A", "B", "C", "D"]}))
        assert (await world.push(plan, seed_by_api=True)).is_complete
        world.check_is(plan)

    run(scene())


def test_a_dead_standalone_is_replaced_at_another_address(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(topology("lab", f"{A} {B} B2:10.0.0.33 {C} {D}"), tmp_path)
        await world.push_new(FOUR)
        world.simulation.power_off("10.0.0.3")
        world.keep({"A", "C", "D"}, ["A", "C", "D"])
        plan = world.plan_of_change(FOUR, READDRESSED)
        result = await world.push(plan)
        assert (result.is_complete, result.left_alone) == (True, ("B (old)",)), result.report.differences
        assert world.broken == []
        for site in "ACD":
            names = world.names_on(world.active(site))
            assert names == {"A", "B", "C", "D"}, names
        assert world.network.geo.find_cluster(world.active("A"), "10.0.0.3") is None
        left = [note for note in world.heard.events if note.details.get("kind") == "left_alone"]
        assert any("'B (old)' (10.0.0.3) was left alone" in event.message for event in left)

    run(scene())


def test_a_dead_standalone_is_replaced_where_it_was(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(FOUR)
        before = world.reboots()
        world.network.lose_configuration(world.network.unit("10.0.0.3"))
        world.keep({"A", "B", "C", "D"}, ["A", "C", "D"])
        plan = world.plan_of_change(FOUR, FOUR, replaced=("10.0.0.3",))
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        notes = [e.message for e in world.heard.events if e.details.get("kind") == "link_not_proven"]
        assert [note.partition(":")[0] for note in notes] == [
            f"links of the slave {slave} to 10.0.0.3" for slave in ("10.0.0.2", "10.0.0.6")
        ]
        assert world.reboots() == before

    run(scene())


def test_a_dead_slave_is_replaced_where_it_was(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(FOUR)
        before = sum(world.reboots().values())
        slave = world.network.unit("10.0.0.6")
        ha = slave.ha
        world.network.lose_configuration(slave)
        world.network.set_ha(slave, HaParameters())
        world.keep({"A", "B", "C", "D"}, ["A", "B", "D"])
        world.by_hand(lambda: world.network.set_ha(slave, ha), 100.0)
        plan = world.plan_of_change(FOUR, FOUR, replaced=("10.0.0.6",))
        assert (await world.push(plan)).is_complete
        world.check_is(plan)
        assert sum(world.reboots().values()) - before == 1

    run(scene())


@pytest.mark.parametrize("new", ["C:10.0.0.5:10.0.0.66", "C:10.0.0.66:10.0.0.6"], ids=["slave", "master"])
def test_a_change_of_an_address_that_was_pushed_reboots_nothing_when_it_is_pushed_again(
    tmp_path: Path, new: str
) -> None:
    async def scene() -> None:
        changed = topology("changed", f"{A} {B} {new} {D}")
        world = ChangingWorld(changed, tmp_path)
        await world.push_new(changed)
        plan = world.plan_of_change(FOUR, changed)
        assert (await world.push(plan)).is_complete
        before = world.reboots()
        result = await world.push(plan)
        assert world.reboots() == before
        assert result.is_complete

    run(scene())


def test_a_replaced_unit_is_not_taken_for_new_twice_unless_somebody_says_so(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(FOUR)
        slave = world.network.unit("10.0.0.6")
        ha = slave.ha
        world.network.lose_configuration(slave)
        world.network.set_ha(slave, HaParameters())
        world.by_hand(lambda: world.network.set_ha(slave, ha), 100.0)
        plan = world.plan_of_change(FOUR, FOUR, replaced=("10.0.0.6",))
        assert (await world.push(plan)).is_complete
        before = world.reboots()
        with pytest.raises(PushRefusedError) as refused:
            await world.push(plan)
        (problem,) = refused.value.problems
        assert "10.0.0.6 was taken for a new box by an earlier push, which came to its end" in problem
        assert "--reboot always=C" in problem
        assert world.reboots() == before
        assert (await world.push(plan, reboot_sites=("C",))).is_complete
        assert world.reboots() == {**before, "10.0.0.5": before["10.0.0.5"] + 1}

    run(scene())


def test_a_new_master_that_takes_over_with_nothing_stops_the_push(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(FOUR)
        master, network = world.network.unit("10.0.0.5"), world.network
        world.simulation.fail_over("C")
        ha = master.ha
        network.lose_configuration(master)
        network.set_ha(master, HaParameters())

        def takes_over() -> None:
            network.set_ha(master, ha)
            for unit in (master, network.unit("10.0.0.6")):
                network.lose_configuration(unit)

        world.by_hand(takes_over, 100.0)
        world.keep({"A", "B", "C", "D"}, ["A", "B", "D"])
        before = len(world.sent)
        with pytest.raises(PushStoppedError, match="it does not hold what it held before"):
            await world.change(FOUR, FOUR, replaced=("10.0.0.5",))
        assert len(world.sent) == before
        assert world.broken == []

    run(scene())


def test_a_seed_that_is_not_there_any_more_links_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        world = await seed_taken_away(tmp_path)
        assert not [link for link in world.network.partners if world.network.unit("10.0.0.7") in link]
        assert world.broken == []

    run(scene())


def test_a_reboot_is_not_saved_because_the_slaves_list_has_the_partners_by_replication(tmp_path: Path) -> None:
    async def scene() -> None:
        world = ChangingWorld(FOUR, tmp_path)
        await world.push_new(TWO)
        plan = world.plan_of_change(TWO, FOUR)
        await world.push(plan, reboot=RebootMode.NEVER)
        assert world.network.unit("10.0.0.2").geo_partners == world.network.unit("10.0.0.1").geo_partners
        assert world.red_in_any_state()  # the list is there, and the slave has submitted nothing
        world.make_masters_active()
        assert (await world.push(plan)).is_complete
        world.check_is(plan)

    run(scene())
