"""``geoplan drill`` against the lab over real sockets."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from geoplan.push.journal import read
from tests.conftest import Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import M1, PASSWORD, PATIENCE_SECONDS, S1, Site, red_in_any_state

__all__ = ["make_site"]

PAIR = "HA Pair 1"


def push(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", *options)


def drill(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("drill", site.topology, "--site", PAIR, "--endpoints", site.endpoints, "--yes", *options)


def pushed(geoplan: Geoplan, make_site: MakeSite, section: str = "5.3", **options: object) -> Site:
    """Serve units to which the plan was pushed, with every master active."""
    site = make_site(section, **options)
    ended = push(geoplan, site)
    assert ended.code == 0, ended
    site.settle()
    for name, pair in on_network(site, lambda network: {**network.pairs}).items():
        if active(site, name) != pair.master.address:
            site.lab.fail_over(name)
    site.settle()
    return site


def on_network(site: Site, ask: Any) -> Any:
    return site.lab.operate(lambda units: ask(units.network))


def fail_over(site: Site) -> None:
    before = active(site)
    site.lab.fail_over(PAIR)
    site.settle()
    assert active(site) != before


def active(site: Site, pair: str = PAIR) -> str:
    found: str = on_network(site, lambda network: network.pairs[pair].active.address)
    return found


def report_in(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


# -- a drill that shows that all is well -------------------------------------------------------------------------------


@pytest.mark.parametrize(("preferred_host", "now_on"), [("master", M1), ("none", S1)])
def test_drill_proves_that_the_site_stays_and_leaves_the_pair_where_it_goes_by_itself(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, preferred_host: str, now_on: str
) -> None:
    site = pushed(geoplan, make_site, "5.4", preferred_host=preferred_host)
    before, lists = site.reboots, site.all_that_counts()
    ended = drill(geoplan, site, "-o", tmp_path / "drill.json")
    assert ended.code == 0, ended
    assert PASSWORD not in ended.stdout + ended.stderr + (tmp_path / "drill.json").read_text()
    site.settle()
    assert {unit for unit in before if site.reboots[unit] != before[unit]} == {M1}
    of_lists = ("remote_geo_access", "geo_partners", "submitted_geo_partners")
    for unit, held in site.all_that_counts().items():
        assert {name: held[name] for name in of_lists} == {name: lists[unit][name] for name in of_lists}
    report = report_in(tmp_path / "drill.json")
    (failover,) = report["failovers"]
    assert (report["is_proven"], report["active"], active(site)) == (True, now_on, now_on)
    assert (failover["rebooted"], failover["took_over"]) == (M1, S1)
    assert [link["state"] for link in failover["links"]] == ["green"] * 3
    assert failover["active"]["seconds"] < failover["back"]["seconds"] <= failover["whole"]["seconds"]


def test_times_are_those_of_the_lab_but_for_the_interval_that_the_report_states(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = pushed(geoplan, make_site)
    log: list[tuple[float, str, str]] = []

    def follow(units: Any) -> None:
        network = units.network
        pair, noted = network.pairs[PAIR], units._on_change

        def note() -> None:
            now = network.clock.now()
            log.append((now, "active", pair.active.address if pair.active and pair.active.is_up else ""))
            log.append((now, "up", str(pair.master.is_up)))
            noted()

        network._on_change = note

    site.lab.operate(follow)
    assert drill(geoplan, site, "-o", tmp_path / "drill.json").code == 0
    went = next(moment for moment, what, value in log if (what, value) == ("up", "False"))
    took_over = next(moment for moment, what, value in log if (what, value) == ("active", S1))
    back = next(moment for moment, what, value in log if moment > went and (what, value) == ("up", "True"))
    report = report_in(tmp_path / "drill.json")
    (failover,) = report["failovers"]
    interval = report["at_most_late"]
    assert interval >= report["looked_every"]
    active, again = failover["active"]["seconds"], failover["back"]["seconds"]
    assert active >= took_over - went  # counted from the request, before the lab saw it go
    assert again >= back - went
    assert abs((again - active) - (back - took_over)) <= interval


def test_drill_that_does_not_fit_into_its_window_is_refused(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    before = site.reboots
    soon = (datetime.now().astimezone() + timedelta(seconds=1)).isoformat()
    refused = drill(geoplan, site, "--until", soon)
    assert refused.code == 4, refused
    assert "does not fit until" in refused.stderr
    assert site.reboots == before


def test_going_back_is_a_second_reboot_that_only_back_brings(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = pushed(geoplan, make_site, preferred_host="none")
    before = site.reboots
    ended = drill(geoplan, site, "--back", "-o", tmp_path / "drill.md")
    assert ended.code == 0, ended
    assert active(site) == M1
    assert {unit: site.reboots[unit] - before[unit] for unit in (M1, S1)} == {M1: 1, S1: 1}
    text = (tmp_path / "drill.md").read_text()
    assert f"## {M1} rebooted, {S1} took over" in text
    assert f"## {S1} rebooted, {M1} took over" in text


def test_back_where_the_slave_is_active_already_only_goes_back(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site, preferred_host="none")
    assert drill(geoplan, site).code == 0
    before = site.reboots
    refused = drill(geoplan, site)
    assert (refused.code, site.reboots) == (4, before)
    assert "there is no failover to drill" in refused.stderr
    (back,) = commands_in(refused.stderr)
    ended = typed(geoplan, back)
    assert ended.code == 0, ended
    assert ({unit: site.reboots[unit] - before[unit] for unit in (M1, S1)}, active(site)) == ({M1: 0, S1: 1}, M1)


def test_what_it_proves_is_a_sight_that_later_pushes_know(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    nothing_known(site)
    assert site.store.past().ledger.sights(S1) == frozenset()
    assert drill(geoplan, site).code == 0
    ledger = site.store.past().ledger
    assert ledger.sights(S1) == {"172.24.1.9"}
    assert (ledger.owes(S1), ledger.due(S1)) == (frozenset(), frozenset())
    assert "nothing to do" in push(geoplan, site).stdout


def test_a_push_that_is_taken_back_is_no_drill(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    assert drill(geoplan, site).code == 0
    shown = geoplan("push", site.topology, "--endpoints", site.endpoints, "--undo", "--dry-run")
    assert "changed no list" not in shown.stdout
    assert f"drill of  {PAIR}" in geoplan("push", "--history").stdout


@pytest.mark.parametrize(("given", "start"), [("json", "{"), ("markdown", "# Failover drill of HA Pair 1")])
def test_report_on_standard_output_has_it_for_itself(
    geoplan: Geoplan, make_site: MakeSite, given: str, start: str
) -> None:
    site = pushed(geoplan, make_site)
    ended = drill(geoplan, site, "--format", given)
    assert ended.code == 0, ended
    assert ended.stdout.startswith(start)
    assert "preflight: all units are ready" in ended.stderr


# -- something that is not as it should be -----------------------------------------------------------------------------


def never_submitted(site: Site) -> None:
    on_network(site, lambda network: network.partners.forget(network.unit(S1)))


def nothing_known(site: Site) -> None:
    for journal in site.journals():
        journal.unlink()


def loses_its_links_in_turn(site: Site) -> None:
    """Let the slave lose its links once its master goes down: before that nobody can see it."""

    def arm(units: Any) -> None:
        network, noted = units.network, units._on_change
        is_done: list[bool] = []

        def note() -> None:
            if not is_done and not network.unit(M1).is_up:
                is_done.append(True)
                network.partners.forget(network.unit(S1))
            noted()

        network._on_change = note

    site.lab.operate(arm)


def commands_in(*texts: str) -> list[str]:
    """Return the commands that are printed, each once, in their order."""
    found = [line for text in texts for line in re.findall(r"\bgeoplan (?:drill|push) .*", text)]
    return list(dict.fromkeys(found))


def typed(geoplan: Geoplan, command: str) -> Outcome:
    """Type a command that was printed."""
    words = shlex.split(command)[1:]
    return geoplan(*words, *(() if {"--status", "--abandon"} & set(words) else ("--yes",)))


@pytest.mark.parametrize("preferred_host", ["master", "none"])
def test_what_a_failed_drill_prints_mends_the_links_and_goes_back(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, preferred_host: str
) -> None:
    site = pushed(geoplan, make_site, preferred_host=preferred_host)
    loses_its_links_in_turn(site)
    ended = drill(geoplan, site, "-o", tmp_path / "drill.json")
    assert ended.code == 1, ended
    assert "DROPPED OUT" in ended.stdout
    report = report_in(tmp_path / "drill.json")
    assert [link["state"] for link in report["failovers"][0]["links"]] == ["red"]
    assert site.store.past().ledger.sights(S1) == frozenset()
    printed = commands_in(ended.stdout.partition("verifying: reading everything back")[2])
    assert [command.split()[1] for command in printed] == ["push"] + ["drill"] * (preferred_host == "none")
    for command in printed:
        site.settle()
        assert typed(geoplan, command).code == 0, command
    site.settle()
    assert (active(site), red_in_any_state(site.lab)) == (M1, set())


@pytest.mark.parametrize(("preferred_host", "is_known"), [("master", True), ("master", False), ("none", False)])
def test_red_slave_is_refused_with_the_one_command_that_mends_it(
    geoplan: Geoplan, make_site: MakeSite, preferred_host: str, is_known: bool
) -> None:
    site = pushed(geoplan, make_site, preferred_host=preferred_host)
    never_submitted(site)
    if not is_known:
        nothing_known(site)
    before, journals = site.reboots, site.journals()
    ended = drill(geoplan, site)
    assert (ended.code, site.reboots, site.journals()) == (4, before, journals), ended
    assert f"{S1}: it is red on 172.24.1.9" in ended.stderr
    (command,) = commands_in(ended.stderr)
    assert typed(geoplan, command).code == 0
    site.settle()
    if active(site) != M1:
        fail_over(site)
    assert drill(geoplan, site).code == 0


def test_slave_of_which_nothing_tells_is_refused_until_a_push_has_submitted_on_it(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed_untold(geoplan, make_site)
    nothing_known(site)
    before = site.reboots
    ended = drill(geoplan, site)
    assert (ended.code, site.reboots) == (4, before), ended
    assert f"{S1}: nothing shows that it has links with 172.24.1.9" in ended.stderr
    (command,) = commands_in(ended.stderr)
    typed(geoplan, command)
    site.settle()
    ended = drill(geoplan, site)
    assert (ended.code, "the slave took over, 0 of 1 partner site seen linked" in ended.stdout) == (1, True), ended


def pushed_untold(geoplan: Geoplan, make_site: MakeSite) -> Site:
    site = make_site("5.3", variants=["partners-unknown"])
    push(geoplan, site)
    site.settle()
    return site


def test_pair_that_is_cut_off_on_its_slave_goes_back_and_that_ends_it(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site, preferred_host="none")
    fail_over(site)
    never_submitted(site)
    refused = drill(geoplan, site)
    assert refused.code == 4, refused
    back = next(command for command in commands_in(refused.stderr) if command.startswith("geoplan drill"))
    before = site.reboots
    ended = typed(geoplan, back)
    assert (ended.code, active(site)) == (1, M1), ended  # the slave is still to submit
    assert {unit: site.reboots[unit] - before[unit] for unit in (M1, S1)} == {M1: 0, S1: 1}
    assert on_network(site, lambda network: all(green for _, green in network.partners.status_of(network.unit(M1))))


def test_back_to_a_master_that_is_red_itself_is_refused(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site, preferred_host="none")
    fail_over(site)
    on_network(site, lambda network: network.partners.forget(network.unit(M1)))
    before = site.reboots
    ended = drill(geoplan, site, "--back")
    assert (ended.code, site.reboots) == (4, before), ended
    assert f"{M1}: it is red on 172.24.1.9" in ended.stderr


def test_slave_that_does_not_answer_is_refused_before_anything(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    site.lab.power_off(S1)
    before, journals = site.reboots, site.journals()
    ended = drill(geoplan, site)
    assert ended.code == 4, ended
    assert S1 in ended.stderr
    assert (site.reboots, site.journals()) == (before, journals)


def test_lists_that_differ_are_refused(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    ended = drill(geoplan, site)
    assert (ended.code, set(site.reboots.values())) == (4, {0}), ended
    assert "push first" in ended.stderr


def test_debt_is_refused_until_a_push_has_paid_it(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    assert push(geoplan, site, "--reboot", "never").code == 1
    before = site.reboots
    ended = drill(geoplan, site)
    assert (ended.code, site.reboots) == (4, before), ended
    assert "its slave still owes links" in ended.stderr
    assert push(geoplan, site).code == 0
    site.settle()
    assert drill(geoplan, site).code == 0


def test_unfinished_push_and_a_drill_stand_in_each_others_way(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    number = site.lab.inject(f"refuse,unit={M1},command=set")
    assert push(geoplan, site).code == 3
    ended = drill(geoplan, site)
    assert (ended.code, set(site.reboots.values())) == (4, {0}), ended
    assert "what is unfinished is a push" in ended.stderr
    site.lab.lift(number)
    assert push(geoplan, site, "--resume").code == 0


def test_units_that_are_locked_are_refused(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    before = site.reboots
    with site.store.locked("another"):
        ended = drill(geoplan, site)
    assert (ended.code, site.reboots) == (4, before), ended
    assert "another" in ended.stderr


def test_fourth_reboot_in_five_minutes_is_refused(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    for _ in range(2):
        assert drill(geoplan, site).code == 0
        site.settle()
    before = site.reboots
    ended = drill(geoplan, site)
    assert (ended.code, site.reboots) == (4, before), ended
    assert "one more reboot, and it makes itself passive" in ended.stderr


def test_master_that_does_not_come_back_stops_it_and_it_is_resumed(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = pushed(geoplan, make_site)
    number = site.lab.inject(f"no-return,unit={M1}")
    ended = drill(geoplan, site, "-o", tmp_path / "first.json")
    assert ended.code == 3, ended
    assert f"geoplan drill {site.topology} --site '{PAIR}' --resume" in ended.stderr
    status = geoplan("push", site.topology, "--endpoints", site.endpoints, "--status").stdout
    assert f"to go on with it:  geoplan drill {site.topology} --site '{PAIR}' --resume" in status
    first = report_in(tmp_path / "first.json")
    assert (first["failovers"][0]["back"], first["active"]) == (None, S1)
    assert first["verdict"].endswith("the drill did not come to its end")
    for name in ("status", "diff"):
        noted = geoplan(name, site.topology, "--endpoints", site.endpoints)
        how = f"geoplan drill {site.topology} --site '{PAIR}' --resume --endpoints {site.endpoints}"
        assert f"note: a failover drill is unfinished; go on with: {how}" in noted.stderr
        assert "geoplan push" not in noted.stderr
    refused = push(geoplan, site)
    assert refused.code == 4
    assert f"a failover drill of '{PAIR}'" in refused.stderr
    site.lab.lift(number)
    site.settle()
    before = site.reboots
    ended = drill(geoplan, site, "--resume", "-o", tmp_path / "second.json")
    assert (ended.code, site.reboots) == (0, before), ended
    assert report_in(tmp_path / "second.json")["is_proven"]
    assert push(geoplan, site).code == 0


def test_what_a_drill_prints_that_was_stopped_brings_it_to_its_end_and_back(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site, preferred_host="none")
    number = site.lab.inject(f"no-return,unit={M1}")
    ended = drill(geoplan, site)
    assert ended.code == 3, ended
    site.lab.lift(number)
    site.settle()
    printed = commands_in(ended.stderr)
    assert ["--resume" in command for command in printed] == [True, False]
    assert [typed(geoplan, command).code for command in printed] == [0, 0]
    assert active(site) == M1


# -- cut half-way ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_cut_after_the_reboot_it_goes_on_and_reboots_nothing_twice(
    geoplan: Geoplan, make_site: MakeSite, number: signal.Signals
) -> None:
    site = pushed(geoplan, make_site, preferred_host="none")
    before = site.reboots
    command = ["drill", str(site.topology), "--site", PAIR, "--endpoints", str(site.endpoints), "--yes"]
    running = subprocess.Popen(
        [sys.executable, "-m", "geoplan", *command], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout
    while "is the active unit" not in (line := running.stdout.readline()):
        assert line
    running.send_signal(number)
    running.communicate()
    if number is signal.SIGKILL:
        assert not read(site.journals()[-1]).is_finished
        ended = geoplan(*command, "--resume")
        assert ended.code == 0, ended
    else:  # what is begun is brought to its end
        assert running.returncode == 0
    site.settle()
    assert ({unit: site.reboots[unit] - before[unit] for unit in (M1, S1)}, active(site)) == ({M1: 1, S1: 0}, S1)
    assert read(site.journals()[-1]).is_finished


SLOW: dict[str, Any] = {"boot": 6.0, "settings": {"boot": 6.0}}
"""Units whose boots are so far apart that their times tell one from another."""


def begun(site: Site) -> subprocess.Popen[str]:
    command = ["drill", str(site.topology), "--site", PAIR, "--endpoints", str(site.endpoints), "--yes"]
    return subprocess.Popen(
        [sys.executable, "-m", "geoplan", *command], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def read_until(running: subprocess.Popen[str], text: str) -> None:
    assert running.stdout
    while text not in (line := running.stdout.readline()):
        assert line


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_come_to(site: Site, what: str) -> bool:
    return any(each.what == what for each in read(site.journals()[-1]).timed)


@pytest.mark.parametrize("when", ["rebooting", "active", "green"])
def test_report_of_a_resumed_drill_says_of_everything_what_was_seen_and_when(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, when: str
) -> None:
    site = pushed(geoplan, make_site, "5.4", **SLOW)
    before = site.reboots
    running = begun(site)
    if when == "rebooting":
        wait_for(lambda: site.reboots[M1] > before[M1])
    else:
        wait_for(lambda: has_come_to(site, "active" if when == "active" else "seen_green"))
    running.kill()
    running.communicate()
    site.settle()
    assert active(site) == M1
    ended = drill(geoplan, site, "--resume", "-o", tmp_path / "drill.json")
    report = report_in(tmp_path / "drill.json")
    (failover,) = report["failovers"]
    text = ended.stdout + ended.stderr
    lost = [link["site"] for link in failover["links"] if link["state"] != "green"]

    assert [set(each) for each in report["interruptions"]] == [{"since", "until"}]
    assert failover["back"] is not None
    assert failover["back"]["seconds"] is None
    assert failover["whole"] is not None
    assert ("nobody saw the slave active" in text) is (failover["active"] is None)
    assert report["is_proven"] is (failover["active"] is not None and not lost)
    assert (ended.code == 0) is report["is_proven"]
    if failover["active"] is None:
        assert report["verdict"].endswith(f"nobody saw {S1} active; the drill was interrupted")
    elif lost:
        assert "was seen active, and is not any more: this drill was interrupted meanwhile" in text
    assert {link["state"] for link in failover["links"]} <= {"green", "not seen"}
    again = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes")
    assert again.code in (0, 1), again


@pytest.mark.parametrize("when", ["rebooting", "active"])
def test_ctrl_c_ends_a_drill_at_once_where_nobody_answers_any_more(
    geoplan: Geoplan, make_site: MakeSite, when: str
) -> None:
    site = pushed(geoplan, make_site, **SLOW)
    before = site.reboots
    running = begun(site)
    wait_for(lambda: site.reboots[M1] > before[M1] if when == "rebooting" else has_come_to(site, "active"))
    for unit in (M1, S1, "172.24.1.9"):
        site.lab.power_off(unit)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 3, said
    assert "ended as asked for, since neither unit of the pair answers any more" in said
    assert "to go back: " in said
    (resume,) = [command for command in commands_in(said) if "--resume" in command]
    for unit in (M1, S1, "172.24.1.9"):
        site.lab.power_on(unit)
    site.settle()
    before = site.reboots
    ended = typed(geoplan, resume)
    assert ended.code in (0, 1), ended
    assert site.reboots == before
    assert read(site.journals()[-1]).is_finished


# -- nothing at all ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--back",)])
def test_dry_run_shows_the_reboots_and_sends_none(
    geoplan: Geoplan, make_site: MakeSite, options: tuple[str, ...]
) -> None:
    site = pushed(geoplan, make_site, preferred_host="none")
    before, journals = site.all_that_counts(), site.journals()
    ended = drill(geoplan, site, "--dry-run", *options)
    assert ended.code == 0, ended
    assert (site.all_that_counts(), site.journals()) == (before, journals)
    assert ended.stdout.count('"cmd": "reboot"') == 1 + len(options)
    assert "after the reboot" not in ended.stdout
    assert "nothing was changed: this was a dry run" in ended.stdout


@pytest.mark.parametrize(("preferred_host", "options"), [("master", ()), ("none", ()), ("none", ("--back",))])
def test_dry_run_drills_simulated_units_that_hold_the_same(
    geoplan: Geoplan, make_site: MakeSite, preferred_host: str, options: tuple[str, ...]
) -> None:
    site = pushed(geoplan, make_site, preferred_host=preferred_host)
    before = site.all_that_counts()
    ended = drill(geoplan, site, "--dry-run", *options)
    on_twin = ended.stdout.partition("on simulated units that hold the same")[2]
    assert (ended.code, site.all_that_counts()) == (0, before), ended
    assert on_twin.count(" rebooted, ") == 1 + len(options)
    assert re.search(rf"{S1} is active +\d", on_twin)
    assert re.search(rf"{M1} answers again +\d", on_twin)
    assert f"'{PAIR}' stayed in GEO: 1 partner site saw it, and it saw that" in on_twin
    assert "this proves nothing of the live units" in on_twin


@pytest.mark.parametrize("spoil", [never_submitted, nothing_known])
def test_dry_run_is_refused_for_what_a_drill_is_refused_for(
    geoplan: Geoplan, make_site: MakeSite, spoil: Callable[[Site], None]
) -> None:
    site = pushed(geoplan, make_site)
    spoil(site)
    on_paper, really = drill(geoplan, site, "--dry-run"), drill(geoplan, site)
    assert on_paper.code == really.code
    assert [line for line in on_paper.stderr.splitlines() if S1 in line and "hint" not in line] == [
        line for line in really.stderr.splitlines() if S1 in line and "hint" not in line
    ]
    assert spoil is nothing_known or (on_paper.code, S1 in on_paper.stderr) == (4, True)


def test_what_cannot_be_drilled_is_said_at_once(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.3")
    for words, message in (
        (("--site", "Standalone LoadMaster 1"), "is no HA pair"),
        (("--site", "Nowhere"), "has no site 'Nowhere'"),
        (("--site", PAIR, "--back"), "goes back by itself"),
        (("--site", PAIR, "--dry-run", "-o", str(tmp_path / "x.md")), "--dry-run measures nothing"),
    ):
        ended = geoplan("drill", site.topology, "--endpoints", site.endpoints, *words)
        assert (ended.code, message in ended.stderr) == (2, True), ended


def test_without_a_terminal_and_without_yes_nothing_is_rebooted(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    before = site.reboots
    ended = geoplan("drill", site.topology, "--site", PAIR, "--endpoints", site.endpoints)
    assert (ended.code, site.reboots) == (4, before), ended
