"""``geoplan status`` against the lab over real sockets."""

from __future__ import annotations

import re
import select
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands.looks import kinds, report_of, send, status, units_of
from tests.code import HEAVY, loaded_by
from tests.conftest import Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, A2, M1, M2, NEW_FIRMWARE, OLD_FIRMWARE, PASSWORD, S1, S2, Site

__all__ = ["make_site"]


def fail_over(site: Site, pair: str = "HA Pair 1") -> None:
    before = site.lab.state()["pairs"][pair]["active"]
    site.lab.fail_over(pair)
    for _ in range(500):
        if site.lab.state()["pairs"][pair]["active"] not in (None, before):
            return
        select.select([], [], [], 0.02)
    raise AssertionError("never came true")


@pytest.mark.parametrize("firmware", [OLD_FIRMWARE, NEW_FIRMWARE])
def test_pushed_topology_is_well_and_its_failover_is_said(geoplan: Geoplan, make_site: MakeSite, firmware: str) -> None:
    site = make_site("5.4", firmware=firmware)
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    before = status(geoplan, site)
    fail_over(site)
    after = status(geoplan, site)

    assert before.code == 0, before
    assert before.stdout.endswith(": 4 sites, 6 units: all is well\n")
    assert after.code == 1
    assert re.search(rf"^{M1} +master +standby +503 +{firmware}.* +ok +master +4/4 +4/4$", after.stdout, re.MULTILINE)
    assert re.search(rf"^{S1} +slave +active +200 +{firmware}.* +ok +master +4/4 +4/4$", after.stdout, re.MULTILINE)
    assert f"! HA Pair 1: Failed over: the slave {S1} is active at present" in after.stdout
    assert after.stdout.endswith("1 finding\n")


def test_failover_without_a_preferred_host_is_a_note(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1", preferred_host="none")
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    fail_over(site)
    shown = status(geoplan, site)

    assert shown.code == 0, shown
    assert "- HA Pair 1: Failed over" in shown.stdout
    assert shown.stdout.endswith("all is well\n")


def test_fresh_units_are_left_to_diff_and_push(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site()
    report = report_of(geoplan, site)

    assert kinds(report) == ["geo_differs"]
    assert report["findings"][0]["commands"] == [
        f"geoplan {command} {site.topology} --endpoints {site.endpoints}" for command in ("diff", "push")
    ]


@pytest.mark.usefixtures("quick_pauses")
def test_units_that_are_down_or_refuse_are_part_of_the_picture(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site()
    site.lab.power_off(S1)
    site.lab.power_off(A1)
    site.lab.inject(f"refuse,unit={S2},command=health")
    monkeypatch.setenv("GEOPLAN_PASSWORD_172_24_1_10", "not the password")
    shown = status(geoplan, site)
    report = report_of(geoplan, site)

    assert shown.code == 1
    assert "Traceback" not in shown.stdout + shown.stderr
    assert PASSWORD not in shown.stdout + shown.stderr
    assert "not the password" not in shown.stdout + shown.stderr
    assert {"unit_down", "health_not_seen", "unauthorized"} <= set(kinds(report))
    states = {address: unit["state"] for address, unit in units_of(report).items()}
    assert states == {M1: "active", S1: "down", M2: "active", S2: "standby", A1: "down", A2: "unknown"}
    assert units_of(report)[A2]["failure"]["cause"] == "unauthorized"
    assert units_of(report)[S1]["health"] == "refused"


@pytest.mark.parametrize("answer", [None, b"407 Proxy Authentication Required", b"403 Forbidden"])
def test_unit_behind_a_proxy_that_lets_nothing_through_is_not_called_down(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch, answer: bytes | None
) -> None:
    site = make_site()
    site.lab.inject(f"refuse,unit={S2},command=health")
    with refusing_proxy(answer) as url:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, url)
        report = report_of(geoplan, site, "--use-proxies")

    states = {address: unit["state"] for address, unit in units_of(report).items()}
    assert states == {M1: "active", S1: "standby", M2: "active", S2: "unknown", A1: "unknown", A2: "unknown"}
    assert {unit["failure"]["cause"] for unit in units_of(report).values()} == {"proxy"}
    assert not {"unit_down", "pair_down"} & set(kinds(report))
    assert all("see that it runs" not in finding["hint"] for finding in report["findings"])


@contextmanager
def refusing_proxy(answer: bytes | None) -> Iterator[str]:
    """Be a proxy that answers so whatever it is asked, or one that is dead."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if answer is not None:
            listening.listen()
            threading.Thread(target=answering, args=(listening, answer), daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def answering(listening: socket.socket, answer: bytes) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")


def test_refused_credentials_reach_one_site_once(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("5.3")
    monkeypatch.setenv("GEOPLAN_PASSWORD", "not the password")
    tried: list[str] = []
    simulation = site.lab._lab.simulation
    handle = simulation.handle

    def noted(address: str, request: Any) -> Any:
        tried.append(address)
        return handle(address, request)

    monkeypatch.setattr(simulation, "handle", noted)
    assert set(kinds(report_of(geoplan, site))) == {"unauthorized"}
    assert sorted(tried) in ([A1], [M1, S1]), "the other site is not asked with the same credentials"


def test_status_changes_nothing_but_that_units_have_been_polled(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    before = site.units
    status(geoplan, site)
    after = site.units

    shown = [(before[address].pop("ha_status"), after[address].pop("ha_status")) for address in (M1, S1)]
    assert after == before
    assert shown == [("Master Unconnected", "Master (Active)"), ("Slave Unconnected", "Slave (Standby)")]


def test_pair_that_lacks_its_second_submission(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", "--reboot", "never")
    report = report_of(geoplan, site)

    assert kinds(report) == ["red_partner"]
    assert report["findings"][0]["units"] == [S1]
    assert "--reboot 'always=HA Pair 1'" in report["findings"][0]["commands"][0]


def test_geo_off_and_ssh_off(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    for command in ("disablegeo", "set?param=sshaccess&value=no"):
        send(site, A1, command)

    assert {"geo_off", "ssh_off"} <= set(kinds(report_of(geoplan, site)))


def test_firmware_that_differs_within_a_pair(geoplan: Geoplan, make_site: MakeSite) -> None:
    pair = {"master": {"address": M1, "firmware": OLD_FIRMWARE}, "slave": {"address": S1, "firmware": NEW_FIRMWARE}}
    site = make_site("5.1", settings={"sites": [{"name": "HA Pair 1", "ha_pair": pair}]})

    assert {"firmware_differs", "partner_secret"} <= set(kinds(report_of(geoplan, site)))


@pytest.mark.usefixtures("quick_pauses")
def test_platform_without_ha_parameters(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    site.lab.inject(f"error,unit={M1},command=getawshaparams")
    site.lab.inject(f"error,unit={M1},command=getcloudhaparams")
    report = report_of(geoplan, site)

    assert units_of(report)[M1]["ha"] is None
    assert "ha_not_told" in kinds(report)


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
def test_json_goes_through_jq(make_site: MakeSite) -> None:
    site = make_site()
    fail_over(site)
    command = f"{sys.executable} -m geoplan status {site.topology} --endpoints {site.endpoints} --format json"
    select_active = "jq -r '.sites[] | [.name, .active, .failed_over] | @tsv'"
    printed = subprocess.run(["bash", "-c", f"{command} | {select_active}"], capture_output=True, text=True, check=True)

    assert printed.stdout.splitlines()[:2] == [f"HA Pair 1\t{S1}\ttrue", f"HA Pair 2\t{M2}\tfalse"]


def test_json_keys_stay(geoplan: Geoplan, make_site: MakeSite) -> None:
    report = report_of(geoplan, make_site("5.1"))

    assert list(report) == ["format", "topology", "checksum", "at", "well", "sites_left_out", "sites", "findings"]
    assert report["format"] == "geoplan/status/2"
    assert list(report["sites"][0]) == ["name", "kind", "group", "active", "failed_over", "units"]
    unit = report["sites"][0]["units"][0]
    assert list(unit)[:7] == ["address", "role", "state", "since", "health", "firmware", "ha"]
    assert list(unit)[7:] == ["geo_enabled", "ssh_access", "partners", "clusters", "failure", "unread"]
    assert unit["ha"] == {
        "mode": "master",
        "partner": S1,
        "health_check_port": 8444,
        "preferred_host": "master",
        "all_interfaces": None,
        "differs": [],
        "not_compared": [],
    }
    assert unit["partners"] is None
    assert unit["clusters"] == {"in_place": 0, "planned": 1}
    assert list(report["findings"][0]) == ["kind", "sites", "units", "message", "hint", "commands", "severity"]


def test_output_goes_to_a_file(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.1")
    target = tmp_path / "status.txt"
    shown = status(geoplan, site, "-o", target)

    assert (shown.code, shown.stdout) == (1, "")
    assert "HA Pair 1" in target.read_text()


def test_both_helps_tell_the_two_statuses_apart(geoplan: Geoplan) -> None:
    assert "geoplan push TOPOLOGY --status" in geoplan("status", "--help").stdout
    assert "live units: geoplan status" in " ".join(geoplan("push", "--help").stdout.split())


def test_help_imports_nothing_heavy() -> None:
    assert not loaded_by("status", "--help") & HEAVY


def test_unit_that_answers_at_two_addresses_is_noticed(geoplan: Geoplan, make_site: MakeSite) -> None:
    """A name leads to the unit of another address: the two URLs differ, and what answers does not."""
    site = make_site("5.3")
    master, slave = (site.lab.endpoints.units[address] for address in (M1, S1))
    written = site.endpoints.read_text().replace(slave.api, master.api.replace("127.0.0.1", "localhost"))
    site.endpoints.write_text(written.replace(slave.fingerprint, master.fingerprint))

    found = {finding["kind"]: finding for finding in report_of(geoplan, site)["findings"]}
    pushed = geoplan("push", site.topology, "--endpoints", site.endpoints, "--dry-run")

    assert found["one_certificate"]["units"] == [M1, S1]
    assert f"{M1} and {S1} present one certificate" in pushed.stdout + pushed.stderr
