"""What a push says at its end, in simulated time: proven, not told, red by nature; and what it does not begin with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import PushRefusedError
from geoplan.lab.api import server
from geoplan.lab.api.commands import COMMANDS
from geoplan.lab.api.request import Answer, Command
from geoplan.live.findings import Mend, NoteKind
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push import journal
from geoplan.push.ledger import Ledger
from geoplan.push.options import Options, RebootMode
from geoplan.push.run import PushResult
from geoplan.topology.model import Topology
from geoplan.twin.loop import run_simulated
from geoplan.twin.script import Script
from tests.simulation.standbys import refuse_on_standbys, show_standbys_red
from tests.simulation.world import BOOT, SYNC, World

M1, S1, M2, S2, C, D = "10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2", "10.0.3.1", "10.0.4.1"
PAIR_A, PAIR_B = ("A", (M1, S1)), ("B", (M2, S2))


def topology(*sites: tuple[str, tuple[str, ...]]) -> Topology:
    def document(name: str, units: tuple[str, ...]) -> dict[str, Any]:
        if len(units) == 1:
            return {"name": name, "standalone": units[0]}
        return {"name": name, "ha_pair": {"master": units[0], "slave": units[1]}}

    timing = {"boot_seconds": BOOT, "sync_seconds": SYNC}
    return Topology.model_validate({"name": "t", "sites": [document(*site) for site in sites], "timing": timing})


def world(folder: Path, *sites: tuple[str, tuple[str, ...]]) -> World:
    return World(Script(topology(*sites), "7.2.59.4", Options()), 1, folder)


async def push(made: World, **options: Any) -> PushResult:
    made.options = Options(**options)
    return await made._push(resume=False, kill_after=None)


def simulate(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    run_simulated(told())


def statuses(green: bool, only: int | None = None) -> Callable[..., Answer]:
    """Return what answers with so many partners, all in one colour, whatever is true."""

    def answer(call: Any, _: object) -> Answer:
        told = [
            {"IPAddress": address, "Status": "green" if green else "red"}
            for address, _green in call.network.partners.status_of(call.unit)
        ]
        return Answer(data={"GeoPartners": {"Partner": told[:only]}})

    return answer


SHAPES: dict[str, Callable[..., Answer]] = {
    "names": lambda _call, _: Answer(data={"GeoPartners": {"Partner": [{"Name": "lb-b", "State": "2"}]}}),
    "nothing": lambda _call, _: Answer(data={"GeoPartners": ""}),
    "only the first": statuses(green=True, only=1),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_colours_that_are_not_told_prove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    command = Command("getgeopartnerstatus", SHAPES[shape])
    monkeypatch.setattr(server, "COMMANDS", {**COMMANDS, "getgeopartnerstatus": command})

    async def story() -> None:
        made = world(tmp_path, PAIR_A, PAIR_B)
        for slave in (S1, S2):  # as a secret that differs would have it
            made.simulation.inject(f"ignore,unit={slave},command=set:geopartners")
        result = await push(made)
        assert not result.is_complete
        assert not result.report.is_all_green
        assert {S1, S2} <= set(result.report.unproven)

    simulate(story)


def test_standbys_that_are_red_by_nature_are_proven_by_what_they_saw_and_stay_so(tmp_path: Path) -> None:
    async def story() -> None:
        made = world(tmp_path, PAIR_A, PAIR_B, ("C", (C,)))
        show_standbys_red(made)
        first = await push(made)
        assert first.is_complete
        assert [note.kind for note in first.report.notes] == [NoteKind.STANDBY_RED, NoteKind.STANDBY_RED]
        await asyncio.sleep(300)
        again = await push(made)
        assert again.is_complete
        assert (again.journal, again.verdict.reboots) == (None, ())

    simulate(story)
    ledger = Ledger()
    for history in journal.histories(tmp_path):
        ledger.read(history)
    sights = ledger.all_sights()
    assert sights[S1] >= {M2, C}
    assert sights[S2] >= {M1, C}


def test_a_slave_that_ignored_its_submission_was_seen_by_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        made = world(tmp_path, PAIR_A, PAIR_B, ("C", (C,)))
        show_standbys_red(made)
        made.simulation.inject(f"ignore,unit={S1},command=set:geopartners")
        result = await push(made)
        assert not result.is_complete
        assert result.report.pairs_to_finish == ("A",)

    simulate(story)


def test_a_standby_without_its_list_keeps_a_push_from_beginning(tmp_path: Path) -> None:
    async def story() -> None:
        made = world(tmp_path, PAIR_A, ("C", (C,)))
        assert (await push(made)).is_complete
        await asyncio.sleep(900)
        slave = made.simulation.network.unit(S1)
        slave.configuration = slave.configuration.with_settings({"geopartners": ()})
        with pytest.raises(PushRefusedError) as refused:
            await push(made)
        assert "on the standby" in refused.value.problems[0]

    simulate(story)


@pytest.mark.parametrize(
    "commands",
    [
        (b'"backup"',),
        (b'"isgeoenabled"',),
        (b"sshaccess",),
        (b'"listclusters"',),
        (b'"backup"', b'"isgeoenabled"', b"geoclients", b"geopartners", b"sshaccess"),
        (b'"backup"', b'"isgeoenabled"', b"geoclients", b"geopartners", b"sshaccess", b"haparams", b"listclusters"),
    ],
)
def test_what_a_standby_refuses_stops_no_push(tmp_path: Path, commands: tuple[bytes, ...]) -> None:
    async def story() -> None:
        made = world(tmp_path, PAIR_A, ("C", (C,)))
        refuse_on_standbys(made, *commands)
        assert (await push(made)).is_complete

    simulate(story)
    (history,) = journal.histories(tmp_path)
    kinds = {record.kind for record in history.records if record.event == "note"}
    assert (NoteKind.NOT_BACKED_UP in kinds) == (b'"backup"' in commands)
    assert {M1, C} <= set(history.backed_up)


def test_a_standalone_whose_submission_was_left_out_is_no_pair_to_be_finished(tmp_path: Path) -> None:
    async def story() -> None:
        made = world(tmp_path, PAIR_A, ("C", (C,)))
        ended = await push(made, reboot=RebootMode.NEVER)
        assert ended.unfinished_pairs == ("A",)

    simulate(story)


def test_an_active_unit_that_gives_no_backup_stops_the_push(tmp_path: Path) -> None:
    async def story() -> None:
        made = world(tmp_path, PAIR_A, ("C", (C,)))
        made.simulation.inject(f"html,unit={M1},command=backup")
        with pytest.raises(PushRefusedError):
            await push(made)

    simulate(story)


def test_a_site_that_becomes_the_only_one_empties_its_partners_in_a_step(tmp_path: Path) -> None:
    async def story() -> None:
        made = world(tmp_path / "one", PAIR_A, ("C", (C,)))
        assert (await push(made)).is_complete
        await asyncio.sleep(100)
        made.script.topology = topology(PAIR_A)
        made.plan, made.folder = make_plan(made.script.topology, [Phase.GEO]), tmp_path / "other"
        with pytest.raises(PushRefusedError) as refused:
            await push(made)
        assert "--remove-unknown" in refused.value.problems[0]
        result = await push(made, remove_unknown=True)
        # The cluster of the site that left is for a person.
        assert [(found.values, found.mends) for found in result.report.differences] == [(("C",), Mend.BY_HAND)]
        assert made.simulation.network.unit(M1).geo_partners == ()

    simulate(story)
    changes = [
        (record.what, record.before, record.after)
        for record in journal.histories(tmp_path / "other")[0].records
        if record.event == "changing"
    ]
    assert changes == [("geo_partners", (C,), ()), ("remote_geo_access", (M1, C), (M1,))]


def test_red_links_with_all_lists_in_place_are_submitted_again_and_nothing_is_rebooted(tmp_path: Path) -> None:
    async def story() -> None:
        made = world(tmp_path, ("C", (C,)), ("D", (D,)))
        assert (await push(made)).is_complete
        network = made.simulation.network
        network.partners.forget(network.unit(C))
        result = await push(made)
        assert result.verdict.resubmits == ("C", "D")
        assert result.is_complete
        assert result.journal is not None
        assert not any(unit.reboots for unit in network.units.values())

    simulate(story)


def test_a_cluster_that_is_named_like_a_sentence_changes_no_verdict(tmp_path: Path) -> None:
    async def story() -> None:
        made = world(tmp_path, ("C", (C,)), ("D", (D,)))
        assert (await push(made)).report.is_all_green
        async with made.connected_fleet() as fleet:
            for unit in (C, D):
                await fleet.unit(unit).add_remote_lm_cluster("does not tell which partners it sees", "10.9.9.9")
        result = await push(made)
        assert result.report.is_configured
        assert result.report.is_all_green
        assert {found.mends for found in result.report.differences} == {Mend.BY_HAND}

    simulate(story)
