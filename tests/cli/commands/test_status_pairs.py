"""``geoplan status`` on pairs that are none: the lab's units follow their own HA parameters."""

from __future__ import annotations

import re
import select
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.commands.looks import kinds, report_of, send, status, units_of
from tests.conftest import Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import M1, NEW_FIRMWARE, OLD_FIRMWARE, S1, Site

__all__ = ["make_site"]

FORMATS = pytest.mark.parametrize("firmware", [OLD_FIRMWARE, NEW_FIRMWARE])


def until(geoplan: Geoplan, site: Site, is_seen: Callable[[Any], bool]) -> Any:
    """Look until the lab's own time has brought it about."""
    for _ in range(200):
        report = report_of(geoplan, site)
        if is_seen(report):
            return report
        select.select([], [], [], 0.02)
    raise AssertionError("never came true")


def pair_kinds(report: Any) -> set[str]:
    return set(kinds(report)) - {"geo_differs", "red_partner"}


def states(report: Any) -> dict[str, str]:
    return {address: unit["state"] for address, unit in units_of(report).items()}


def of_kind(report: Any, kind: str) -> Any:
    (finding,) = [finding for finding in report["findings"] if finding["kind"] == kind]
    return finding


@FORMATS
def test_units_without_ha(geoplan: Geoplan, make_site: MakeSite, firmware: str) -> None:
    site = make_site("5.1", unpaired=True, firmware=firmware)
    report = report_of(geoplan, site)

    assert pair_kinds(report) == {"no_ha"}
    assert states(report) == {M1: "alone", S1: "alone"}
    assert {unit["ha"]["mode"] for unit in units_of(report).values()} == {"single"}
    assert of_kind(report, "no_ha")["commands"] == [
        f"geoplan push {site.topology} --phase ha --endpoints {site.endpoints}"
    ]
    assert "  single  " in status(geoplan, site).stdout


@FORMATS
@pytest.mark.parametrize(("address", "mode"), [(S1, "master"), (M1, "slave")])
def test_same_mode_twice_makes_both_active(
    geoplan: Geoplan, make_site: MakeSite, firmware: str, address: str, mode: str
) -> None:
    site = make_site("5.1", firmware=firmware)
    send(site, address, f"awshamode?hamode={mode}")
    report = until(geoplan, site, lambda report: "both_active" in kinds(report))

    assert pair_kinds(report) == {"both_active", "same_mode"}
    assert states(report) == {M1: "active", S1: "active"}
    assert units_of(report)[address]["ha"]["differs"] == ["mode"]


def test_modes_swapped(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    send(site, M1, "awshamode?hamode=slave")
    send(site, S1, "awshamode?hamode=master")
    report = until(geoplan, site, lambda report: "standby" in states(report).values())

    assert pair_kinds(report) == {"modes_swapped"}


def test_partner_of_the_master_that_is_another(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    send(site, M1, "awshaparam?partner=10.9.9.9")
    report = report_of(geoplan, site)

    assert pair_kinds(report) == {"partner_mismatch"}
    assert of_kind(report, "partner_mismatch")["units"] == [M1]


@FORMATS
def test_slave_that_polls_another_takes_over_beside_the_master(
    geoplan: Geoplan, make_site: MakeSite, firmware: str
) -> None:
    site = make_site("5.1", firmware=firmware)
    send(site, S1, "awshaparam?partner=10.9.9.9")
    report = until(geoplan, site, lambda report: "both_active" in kinds(report))

    assert pair_kinds(report) == {"both_active", "partner_mismatch"}


@FORMATS
def test_ports_that_differ(geoplan: Geoplan, make_site: MakeSite, firmware: str) -> None:
    site = make_site("5.1", firmware=firmware)
    send(site, S1, "awshaparam?hcp=9000")
    report = report_of(geoplan, site)

    assert pair_kinds(report) == {"ports_differ", "health_not_seen"}
    assert f"8444 on {M1} and 9000 on {S1}" in of_kind(report, "ports_differ")["message"]
    assert states(report)[S1] == "standby", "its API says so"


def test_pair_kept_apart_by_its_secrets_is_both_active_and_nothing_else(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1", firmware=NEW_FIRMWARE)
    send(site, S1, "setlmcommsecret?secret=another-secret")
    report = until(geoplan, site, lambda report: "both_active" in kinds(report))

    assert pair_kinds(report) == {"both_active"}


def test_upgrade_of_one_unit(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1", firmware="7.2.59.4")
    site.lab.upgrade(S1, "7.2.60.0")
    report = until(geoplan, site, lambda report: "firmware_differs" in kinds(report))

    assert re.search(rf"7\.2\.60\.0\S* on {S1}", of_kind(report, "firmware_differs")["message"])


def test_preferred_host_and_interfaces(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    send(site, M1, "awshaparam?haprefered=0&hcai=1")
    report = report_of(geoplan, site)

    assert pair_kinds(report) == {"preferred_host_differs", "all_interfaces_differ"}
    assert units_of(report)[M1]["ha"]["differs"] == ["preferred"]
