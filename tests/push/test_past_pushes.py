"""What earlier pushes, and one that is running, say to a new one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from geoplan.live.polling import SystemClock
from geoplan.plan.change import make_change
from geoplan.plan.model import Phase, Plan
from geoplan.plan.planner import make_plan
from geoplan.push.history import History
from geoplan.push.journal import Journal
from geoplan.push.options import Options
from geoplan.push.past_pushes import as_plain, as_text, check_resume
from geoplan.push.records import FORMAT, make
from geoplan.push.store import Store
from geoplan.topology.api import apis_of
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from tests.conftest import TOPOLOGIES
from tests.push.observations import plan_of
from tests.push.support import real_store

PLAN = plan_of()
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def begun(plan: Plan = PLAN, checksum: str | None = None) -> History:
    fields = {"who": "ann@desk", "checksum": checksum or plan.checksum, "options": {}, "units": {}}
    begin = make("begin", NOW, format=FORMAT, plan=plan.model_dump(mode="json"), **fields)
    return History(Path("journal"), (begin,))


def test_nothing_unfinished_stands_against_nothing() -> None:
    assert check_resume(PLAN, None, resume=False, running=None).problems == ()


def test_an_unfinished_push_asks_for_resume() -> None:
    found = check_resume(PLAN, begun(), resume=False, running=None)
    (problem,) = found.problems
    assert "the push that ann@desk began" in str(problem)
    assert "--resume" in str(problem)
    assert found.may_resume
    assert check_resume(PLAN, begun(), resume=True, running=None).problems == ()


def test_an_unfinished_push_on_a_file_of_another_name_is_told_with_that_name() -> None:
    renamed = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml").model_copy(update={"name": "renamed"}))
    (problem,) = check_resume(renamed, begun(), resume=False, running=None).problems
    assert "the push on 'two-pairs-two-standalones' that ann@desk began" in str(problem)
    assert check_resume(renamed, begun(), resume=True, running=None).problems == ()


def test_nothing_to_resume_and_another_plan_are_problems() -> None:
    (problem,) = check_resume(PLAN, None, resume=True, running=None).problems
    assert "no unfinished push to resume" in str(problem)
    (problem,) = check_resume(PLAN, begun(checksum="sha256:other"), resume=True, running=None).problems
    assert "sha256:other" in str(problem)


def test_a_push_of_another_phase_is_told_with_the_option_that_resumes_it() -> None:
    both = make_plan(load_topology(TOPOLOGIES / "section-5.4.yaml"), list(Phase))

    (problem,) = check_resume(PLAN, begun(both), resume=True, running=None).problems
    assert "the unfinished push is one of --phase all, and this one of --phase geo" in str(problem)
    assert "resume it with --phase all" in str(problem)
    assert check_resume(both, begun(both), resume=True, running=None).problems == ()


def test_who_leaves_is_no_other_group() -> None:
    sites = [{"name": "A", "standalone": "10.0.0.1"}, {"name": "B", "standalone": "10.0.0.2"}]
    old, new = (Topology.model_validate({"name": "t", "sites": each}) for each in (sites, sites[:1]))
    change = make_change(new, make_plan(old, (Phase.GEO,)))
    assert change.scope == "all sites"
    (problem,) = check_resume(make_plan(new, (Phase.GEO,)), begun(change), resume=True, running=None).problems
    assert "group" not in str(problem)


def test_a_file_that_was_edited_is_told_with_what_ends_the_push() -> None:
    def command(*words: str) -> str:
        return " ".join(["geoplan", words[0], "my.yaml", *words[1:]])

    found = check_resume(PLAN, begun(checksum="sha256:other"), resume=True, running=None, command=command)
    (problem,) = found.problems
    assert "geoplan push my.yaml --abandon" in problem.commands


def test_a_change_that_has_nothing_to_do_is_another_plan_than_the_unfinished_one() -> None:
    topology = load_topology(TOPOLOGIES / "section-5.4.yaml")
    nothing = make_change(topology, make_plan(topology, (Phase.GEO,)))
    assert nothing.phases() == ()
    (problem,) = check_resume(nothing, begun(), resume=True, running=None).problems
    assert nothing.checksum in str(problem)


def test_a_running_push_is_not_called_unfinished() -> None:
    (problem,) = check_resume(PLAN, begun(), resume=False, running="another push is running").problems
    assert "another push is running" in str(problem)


# -- to people ---------------------------------------------------------------------------------------------------------


def rich(folder: Path, *, end: str | None = None) -> Store:
    """Return what is kept of a push that changed something of each kind, and the seed of a unit."""
    store = real_store(folder, PLAN)
    pair, alone, master, slave = "HA Pair 1", "Standalone LoadMaster 1", "172.24.1.5", "172.24.1.6"
    half_made = {"address": "172.24.1.9", "name": alone, "type": "default", "latitude": 53.35, "longitude": -6.26}
    before: list[tuple[str, str, str, object]] = [
        ("set_remote_geo_access", "remote_geo_access", pair, []),
        ("set_geo_partners", "geo_partners", pair, ["10.9.9.1", "10.9.9.2"]),
        ("add_cluster", "cluster", pair, None),
        ("add_cluster", "cluster", alone, half_made),
        ("set_master_ha_parameters", "ha_parameters", pair, {"mode": "single", "health_check_port": 8444}),
    ]
    with Journal.begin(folder, PLAN, Options(), SystemClock()) as journal:
        journal.write("backup", unit=master, file=f"backups/{master}.backup", sha256="0" * 64)
        for action, what, site, value in before:
            change = {"step": f"{site}/{action}", "site": site, "unit": master, "action": action, "what": what}
            journal.write("changing", **change, before=value, after=None)
        journal.write("step", id="ha-pair-1/set-geo-partners", site=pair, state="done", unit=master)
        journal.write("rebooting", step="r", site=pair, unit=master)
        journal.write("resubmitted", step="s", site=pair, unit=slave)
        if end:
            journal.write("end", outcome=end)
    return store


def test_the_last_push_is_told_with_all_that_it_changed_and_what_goes_on(tmp_path: Path) -> None:
    past = rich(tmp_path).past()
    apis = apis_of(load_topology(TOPOLOGIES / "section-5.4.yaml"))
    text = as_text(past, PLAN, apis=apis)
    for told in (
        "ended      ",
        "remote_geo_access was empty",
        "geo_partners was 10.9.9.1, 10.9.9.2",
        "cluster was not there",
        "cluster was 'Standalone LoadMaster 1' (172.24.1.9) of type default",
        "ha_parameters was mode single, partner unset, health check port 8444",
        "172.24.1.5  HA Pair 1: rebooted",
        "partners submitted again",
        "pairs that are not finished: HA Pair 1",
        "https://172.24.1.5",
        "to go on with it:",
        "to abandon it:",
    ):
        assert told in text, told


def test_a_push_that_is_running_or_has_ended_asks_for_nothing(tmp_path: Path) -> None:
    running = as_text(rich(tmp_path / "one").past(), PLAN, "ann pushes")
    ended = as_text(rich(tmp_path / "two", end="done").past(), PLAN)
    assert "running    ann pushes" in running
    assert ": done\n" in ended
    for text in (running, ended):
        assert "to go on with it" not in text


def test_units_that_nobody_pushed_to_have_no_push(tmp_path: Path) -> None:
    past = real_store(tmp_path, PLAN).past()
    assert as_text(past, PLAN) == "no push on these units yet\n"
    plain = as_plain(past, PLAN)
    assert (plain["outcome"], plain["finished"]) == (None, True)


def test_programs_are_told_the_same(tmp_path: Path) -> None:
    plain = as_plain(rich(tmp_path).past(), PLAN)
    assert plain["finished"] is False
    assert plain["pairs_to_finish"] == ["HA Pair 1"]
    assert len(plain["changes"]) == 7  # type: ignore[arg-type]
