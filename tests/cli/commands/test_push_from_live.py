"""``--from live`` over TLS: a change that starts from what the units of a lab hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from geoplan import Plan
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A2, M1, M2, S2, Site, part, red_in_any_state

__all__ = ["make_site"]

TWO = ("HA Pair 1", "Standalone LoadMaster 1")
WITHIN = ("--follow", "--within", "172.24.1.0/24")


def push(geoplan: Geoplan, site: Site, topology: Path, *options: str | Path) -> Outcome:
    return geoplan("push", topology, "--endpoints", site.endpoints, "--yes", *options)


def planned(geoplan: Geoplan, site: Site, topology: Path, *options: str | Path) -> Plan:
    units = ("--endpoints", site.endpoints) if "live" in options else ()
    ended = geoplan("plan", topology, *options, *units, "--format", "json")
    assert ended.code == 0, ended
    return Plan.model_validate_json(ended.stdout)


def pushed_pair(geoplan: Geoplan, make_site: MakeSite) -> tuple[Site, Path, Path]:
    site = make_site("5.4")
    two, four = part(site, "two", *TWO), part(site, "four")
    assert push(geoplan, site, two).code == 0
    site.settle()
    return site, two, four


def steps(plan: Plan) -> list[tuple[str, str]]:
    return [(step.id, step.on.unit) for step in plan.steps]


def test_a_rehearsal_begins_with_what_the_units_hold_and_changes_nothing(geoplan: Geoplan, make_site: MakeSite) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    before = site.reboots
    case = ("--case", "standbys:refuse-backup", "--format", "json")
    by_live = geoplan("rehearse", four, "--from", "live", "--endpoints", site.endpoints, *case)

    assert by_live.code == 0, by_live
    assert by_live.stdout == geoplan("rehearse", four, "--from", two, *case).stdout
    assert site.reboots == before
    assert geoplan("diff", two, "--endpoints", site.endpoints).code == 0


def test_sites_join_and_leave_again_from_what_the_units_hold(geoplan: Geoplan, make_site: MakeSite) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    by_file, by_live = (planned(geoplan, site, four, "--from", old) for old in (str(two), "live"))
    assert steps(by_live) == steps(by_file)
    before = site.reboots
    ended = push(geoplan, site, four, "--from", "live")
    assert (ended.code, "done and verified" in ended.stdout) == (0, True), ended
    site.settle()
    assert red_in_any_state(site.lab) == set()
    assert {address: site.reboots[address] - before[address] for address in (M1, M2)} == {M1: 1, M2: 1}
    assert geoplan("diff", four, "--endpoints", site.endpoints).code == 0

    before = site.reboots
    assert steps(planned(geoplan, site, two, "--from", "live", *WITHIN)) == steps(
        planned(geoplan, site, two, "--from", str(four))
    )
    ended = push(geoplan, site, two, "--from", "live", *WITHIN)
    assert (ended.code, "done and verified" in ended.stdout) == (0, True), ended
    assert "leaves: HA Pair 2, Standalone LoadMaster 2" in ended.stdout
    site.settle()
    assert site.reboots == before
    assert red_in_any_state(site.lab) == set()
    gone = {M2, S2, A2}
    for address, unit in site.units.items():
        assert (address in gone) or not gone & {*unit["remote_geo_access"], *unit["geo_partners"]}
        assert (address not in gone) or unit["geo_partners"] == []
    again = push(geoplan, site, two, "--from", "live")
    assert (again.code, "nothing to do" in again.stdout) == (0, True), again


def test_who_leaves_is_not_asked_unless_that_is_allowed(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.4")
    two, four = part(site, "two", *TWO), part(site, "four")
    assert push(geoplan, site, four).code == 0
    site.settle()
    before = site.all_that_counts()
    for command in ("push", "plan", "runbook", "diagram"):
        refused = geoplan(command, two, "--from", "live", "--endpoints", site.endpoints)
        assert (refused.code, refused.stdout) == (4, ""), refused
        assert f"  {A2} (GEO partner of {M1}" in refused.stderr
        assert re.search(rf"geoplan {command} .*--from live --follow .*--within {re.escape(A2)}/32", refused.stderr)
    insecure = geoplan("plan", two, "--from", "live", "--endpoints", site.endpoints, "--insecure")
    assert insecure.code == 4
    assert "with --insecure nothing is sent to addresses that units name" in insecure.stderr
    both = geoplan("plan", two, "--from", "live", "--endpoints", site.endpoints, "--insecure", *WITHIN)
    assert both.code == 2
    assert site.all_that_counts() == before


def test_runbook_and_diagram_start_from_live_units(geoplan: Geoplan, make_site: MakeSite) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    for command in ("runbook", "diagram"):
        live, file = (
            geoplan(command, four, "--from", old, *more)
            for old, more in (("live", ("--endpoints", site.endpoints)), (two, ()))
        )
        assert live.code == 0, live
        assert "HA Pair 2" in live.stdout
        assert live.stdout.count("\n") == file.stdout.count("\n")


def test_a_stopped_change_goes_on_from_its_journal(geoplan: Geoplan, make_site: MakeSite) -> None:
    site, two, four = pushed_pair(geoplan, make_site)
    assert push(geoplan, site, four, "--from", "live").code == 0
    site.settle()
    site.lab.inject(f"ignore,unit={A2},command=set:geopartners,occurrence=1")
    stopped = push(geoplan, site, two, "--from", "live", *WITHIN)
    assert stopped.code == 3, stopped
    words = f"geoplan push {two} --from live --follow --within 172.24.1.0/24 --resume --endpoints {site.endpoints}"
    assert words in stopped.stderr
    anew = push(geoplan, site, two, "--from", "live", *WITHIN)
    assert anew.code == 4, anew
    assert "--from live: the push that " in anew.stderr
    assert "go on with it: " + words in anew.stderr
    assert f"or end it as it is: geoplan push {two} --abandon --endpoints {site.endpoints}" in anew.stderr
    status = geoplan("push", two, "--endpoints", site.endpoints, "--from", "live", "--status")
    assert f"geoplan push {two} --from live --resume" in status.stdout
    insecure = push(geoplan, site, two, "--from", "live", "--resume", "--insecure")
    assert (insecure.code, "leave --insecure out" in insecure.stderr) == (4, True), insecure
    ended = push(geoplan, site, two, "--from", "live", "--resume")
    assert (ended.code, "done and verified" in ended.stdout) == (0, True), ended
    site.settle()
    assert red_in_any_state(site.lab) == set()


def test_units_that_do_not_fit_each_other_start_no_change(geoplan: Geoplan, make_site: MakeSite) -> None:
    site, _, four = pushed_pair(geoplan, make_site)
    network = site.lab._lab.simulation.network
    site.lab._call(lambda: network.geo.remove_cluster(network.unit(M1), "172.24.1.9"))
    refused = push(geoplan, site, four, "--from", "live")
    assert refused.code == 4, refused
    assert "cluster 'Standalone LoadMaster 1' (172.24.1.9) is missing" in refused.stderr
    assert "geoplan import 172.24.1.5" in refused.stderr
    assert f"geoplan push {four} --from live.yaml" in refused.stderr


def test_a_change_from_live_is_approved_with_what_was_found(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site, _, four = pushed_pair(geoplan, make_site)
    approved = tmp_path / "approved.json"
    live = geoplan("plan", four, "--from", "live", "--live", "-o", approved, "--endpoints", site.endpoints)
    assert live.code == 0, live
    assert f"--from live --plan {approved}" in live.stderr
    ended = push(geoplan, site, four, "--from", "live", "--plan", approved)
    assert ended.code == 0, ended


@pytest.mark.parametrize(
    ("command", "options", "said"),
    [
        ("plan", ["--follow"], "--follow and --within matter only with --from live"),
        ("plan", ["--from", "live", "--follow"], "--follow and --within belong together"),
        ("runbook", ["--insecure"], "connection options matter only where units are asked"),
        ("diagram", ["--insecure"], "connection options matter only where units are asked"),
    ],
)
def test_options_that_do_not_go_together(geoplan: Geoplan, command: str, options: list[str], said: str) -> None:
    ended = geoplan(command, TOPOLOGIES / "section-5.2.yaml", *options)
    assert (ended.code, said in ended.stderr) == (2, True), ended


def test_a_unit_that_left_while_it_was_dead_is_told_of_once_it_is_back(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.4")
    three = part(site, "three", *TWO, "HA Pair 2")
    four, reach = part(site, "four"), ("--endpoints", site.endpoints)
    assert push(geoplan, site, four).code == 0
    site.settle()
    site.lab.power_off(A2)
    left = push(geoplan, site, three, "--from", four)
    assert "was left alone" in left.stdout, left
    for command in ("diff", "status"):
        silent = geoplan(command, three, *reach)
        assert (silent.code, A2 in silent.stdout) == (0, False), silent

    site.lab.power_on(A2)
    site.settle()
    for command in ("diff", "status"):
        told = geoplan(command, three, *reach)
        assert told.code == 1, told
        assert f"something answers at {A2} again" in told.stdout
    (old,) = re.findall(rf"geoplan push {three} --from (\S+)", told.stdout)
    assert push(geoplan, site, three, "--from", old).code == 0
    assert site.units[A2]["geo_partners"] == []
    assert geoplan("diff", three, *reach).code == 0
