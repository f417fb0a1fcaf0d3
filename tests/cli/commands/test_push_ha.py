"""``geoplan push --phase ha|all`` against the lab over real sockets: units by themselves become pairs, then GEO."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.support import (
    NEW_FIRMWARE,
    OLD_FIRMWARE,
    PASSWORD,
    SYNC,
    Site,
    as_operator,
    red_in_any_state,
    serve,
)

M1, S1, M2, S2, A1 = "10.10.1.5", "10.10.2.5", "10.20.1.5", "10.20.2.5", "10.30.0.5"

MakeUnpaired = Callable[..., Site]


@pytest.fixture
def make_unpaired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeUnpaired]:
    """Serve the example in AWS with the units of its pairs by themselves, until the test ends."""
    as_operator(monkeypatch, tmp_path / "state")
    document = yaml.safe_load((TOPOLOGIES / "aws-dublin-ohio.yaml").read_text())
    document["timing"] = {"boot_seconds": 1.0, "sync_seconds": SYNC}
    topology = tmp_path / "aws.yaml"
    topology.write_text(yaml.safe_dump(document, sort_keys=False))

    with ExitStack() as running:

        def make(**options: Any) -> Site:
            return serve(running, topology, **{"unpaired": True, **options})

        yield make


def push(geoplan: Geoplan, site: Site, *options: str) -> Outcome:
    return geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", *options)


def pairs(site: Site) -> dict[str, Any]:
    found: Any = site.lab.state()["pairs"]
    return dict(found)


def assert_formed(site: Site) -> None:
    assert all(pair["unpaired_because"] == [] for pair in pairs(site).values())
    assert not any(pair["ever_same_mode"] for pair in pairs(site).values())


@pytest.mark.parametrize(("firmware", "jobs"), [(OLD_FIRMWARE, "16"), (NEW_FIRMWARE, "1")])
def test_units_by_themselves_end_as_pairs_with_every_link_green(
    geoplan: Geoplan, make_unpaired: MakeUnpaired, firmware: str, jobs: str
) -> None:
    site = make_unpaired(firmware=firmware)
    ended = push(geoplan, site, "--jobs", jobs)

    assert ended.code == 0, ended.stdout + ended.stderr
    assert "pairs to form of single units: Dublin, Ohio" in ended.stdout
    assert "done and verified: all partner links are green" in ended.stdout
    assert_formed(site)
    assert red_in_any_state(site.lab) == set()
    assert geoplan("diff", site.topology, "--endpoints", site.endpoints).code == 0


def test_ha_phase_alone_forms_the_pairs_and_leaves_geo(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired()
    ended = push(geoplan, site, "--phase", "ha")

    assert_formed(site)
    assert sum(site.reboots.values()) == 0
    assert all(unit["geo_partners"] == [] and unit["clusters"] == [] for unit in site.units.values())
    assert ended.code == 0, ended.stdout + ended.stderr


def test_second_push_finds_nothing_to_do(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired()
    assert push(geoplan, site).code == 0
    site.settle()
    before = site.all_that_counts()
    ended = push(geoplan, site)

    assert ended.code == 0, ended.stdout + ended.stderr
    assert "nothing to do: everything is in place, nothing was rebooted" in ended.stdout
    assert site.all_that_counts() == before


def test_geo_alone_is_refused_while_there_are_no_pairs(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired()
    ended = push(geoplan, site, "--phase", "geo")

    assert ended.code == 4, ended
    assert "are in HA mode single" in ended.stderr


@pytest.mark.parametrize("command", ["awshamode", "awshaparam"])
def test_a_unit_that_answers_and_does_not_apply_stops_the_step(
    geoplan: Geoplan, make_unpaired: MakeUnpaired, command: str
) -> None:
    site = make_unpaired(firmware=OLD_FIRMWARE)
    faults = [site.lab.inject(f"ignore,unit={M2},command={command},occurrence={occurrence}") for occurrence in (1, 2)]
    ended = push(geoplan, site)

    assert ended.code == 3, ended
    assert f"on {M2}" in ended.stderr
    assert "it was not applied" in ended.stderr
    for number in faults:
        site.lab.lift(number)
    resumed = push(geoplan, site, "--resume")
    assert resumed.code == 0, resumed
    assert_formed(site)
    assert red_in_any_state(site.lab) == set()


@pytest.mark.parametrize(
    ("command", "fault"), [("awshamode", "reset"), ("awshaparam", "error"), ("getawshaparams", "truncate")]
)
def test_every_fault_ends_in_success_or_in_a_stop_that_a_resume_completes(
    geoplan: Geoplan, make_unpaired: MakeUnpaired, command: str, fault: str
) -> None:
    site = make_unpaired(firmware=OLD_FIRMWARE)
    number = site.lab.inject(f"{fault},unit={S1},command={command}")
    ended = push(geoplan, site)
    site.lab.lift(number)
    if ended.code == 4:
        ended = push(geoplan, site)
    elif ended.code == 3:
        ended = push(geoplan, site, "--resume")

    assert ended.code == 0, ended.stdout + ended.stderr
    assert_formed(site)
    assert red_in_any_state(site.lab) == set()


def test_modes_the_wrong_way_round_are_refused_on_both_units(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired()
    assert push(geoplan, site, "--phase", "ha").code == 0
    text = site.topology.read_text()
    swapped = text.replace(M1, "0.0.0.1").replace(S1, M1).replace("0.0.0.1", S1)
    site.topology.write_text(swapped)
    ended = push(geoplan, site, "--phase", "ha")

    assert ended.code == 4, ended
    assert f"{S1}: its HA mode is slave, where master is planned" in ended.stderr
    assert f"{M1}: its HA mode is master, where slave is planned" in ended.stderr
    assert not any(pair["ever_same_mode"] for pair in pairs(site).values())


@pytest.mark.usefixtures("quick_pauses")
def test_both_units_down_to_one_report_before_anything_is_changed(
    geoplan: Geoplan, make_unpaired: MakeUnpaired
) -> None:
    site = make_unpaired()
    site.lab.power_off(S1)
    before = site.all_that_counts()
    ended = push(geoplan, site)

    assert ended.code == 4, ended
    assert S1 in ended.stderr
    assert site.all_that_counts() == before


def test_dry_run_shows_the_requests_of_both_phases_in_order(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired(firmware=OLD_FIRMWARE)
    before = site.all_that_counts()
    ended = push(geoplan, site, "--dry-run")

    assert ended.code == 0, ended.stdout + ended.stderr
    requests = [line.strip() for line in ended.stdout.splitlines() if line.startswith("    ")]
    of_ha = [request for request in requests if "awsha" in request]
    assert sum("awshamode" in request for request in of_ha) == sum("awshaparam" in request for request in of_ha) == 4
    modes = [request.rpartition("hamode=")[2] for request in of_ha if "awshamode" in request]
    assert sorted(modes) == ["master", "master", "slave", "slave"]
    assert modes[0] == "master"
    assert PASSWORD not in ended.stdout
    assert site.all_that_counts() == before
    assert all(pair["unpaired_because"] for pair in pairs(site).values())


def test_status_and_events_tell_what_was_there_before(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired()
    ended = push(geoplan, site, "--phase", "ha", "--format", "json")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    by_hand = [event for event in events if event.get("state") == "by hand"]
    shown = geoplan("push", site.topology, "--endpoints", site.endpoints, "--status", "--phase", "ha")

    assert [event["action"] for event in by_hand] == ["create_load_balancer"] * 2
    assert "ha_parameters was mode single, partner unset, health check port unset" in shown.stdout
    assert "set AWS HA Mode back to Non HA Mode" in shown.stdout


def test_diff_offers_a_push_of_its_own_phase(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired(unpaired=False)
    assert push(geoplan, site, "--phase", "geo", "--reboot", "never").code == 1
    found = geoplan("diff", site.topology, "--endpoints", site.endpoints, "--phase", "geo")

    assert found.code == 1, found
    assert f"geoplan push {site.topology} --phase geo" in found.stdout


def test_diff_names_a_parameter_that_was_changed_by_hand(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired()
    assert push(geoplan, site).code == 0
    unit = site.lab._lab.simulation.network.unit(S2)
    unit.ha = replace(unit.ha, all_interfaces=False)
    found = geoplan("diff", site.topology, "--endpoints", site.endpoints)

    assert found.code == 1
    assert f"{S2} (slave): its Health Check on All Interfaces is off, where on is planned" in found.stdout
    left = push(geoplan, site)
    assert left.code == 1
    assert "a push leaves it as it is on a pair at work" in left.stdout
    assert not unit.ha.all_interfaces
    assert max(site.reboots.values()) == 1


def test_a_slave_that_takes_no_partner_is_left_in_single_mode(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired(firmware=OLD_FIRMWARE)
    site.lab.inject(f"ignore,unit={S1},command=awshaparam")
    ended = push(geoplan, site)

    assert ended.code == 3, ended.stdout + ended.stderr
    assert site.units[S1]["ha_mode"] == "single"
    assert not any(pair["ever_same_mode"] for pair in pairs(site).values())


def stop_between_the_units(geoplan: Geoplan, site: Site, *options: str) -> None:
    """Let a push end with Dublin's master in its mode and the slave by itself."""
    number = site.lab.inject(f"ignore,unit={S1},command=awshamode")
    assert push(geoplan, site, *options).code == 3
    site.lab.lift(number)
    assert [site.units[address]["ha_mode"] for address in (M1, S1)] == ["master", "single"]


def test_dry_run_completes_a_pair_that_is_half_formed(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired()
    stop_between_the_units(geoplan, site)
    geoplan("push", site.topology, "--endpoints", site.endpoints, "--abandon", "--yes")
    ended = push(geoplan, site, "--dry-run")

    assert ended.code == 0, ended.stdout + ended.stderr
    assert "nothing was changed: this was a dry run" in ended.stdout
    assert site.units[S1]["ha_mode"] == "single"


def test_resume_goes_on_with_the_phase_that_was_begun(geoplan: Geoplan, make_unpaired: MakeUnpaired) -> None:
    site = make_unpaired()
    stop_between_the_units(geoplan, site, "--phase", "ha")
    other = push(geoplan, site, "--phase", "all", "--resume")

    assert other.code == 4
    assert "the unfinished push is one of --phase ha, and this one of --phase all" in other.stderr
    refused = push(geoplan, site)
    assert f"go on from it with: geoplan push {site.topology} --resume --endpoints" in refused.stderr
    resumed = push(geoplan, site, "--resume")
    assert resumed.code == 0, resumed.stdout + resumed.stderr
    assert "every pair has one active unit and its standby" in resumed.stdout
    assert_formed(site)
    assert all(unit["geo_partners"] == [] for unit in site.units.values())
