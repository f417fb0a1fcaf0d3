"""``geoplan status --format prometheus``: a file, a port of loopback, and what they show of a lab's units."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.commands.looks import send, status, until
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, M1, PASSWORD, S1, Site
from tests.status.metrics import check_metrics, labels_of, value

__all__ = ["make_site"]

PATIENCE = 60.0  # seconds, so that a failing test ends
EVERY = "0.5"
PAIR = "HA Pair 1"


@contextmanager
def watching(site: Site, *options: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Run a watch while the block lasts; it ends well, and shows no secret."""
    command = [sys.executable, "-m", "geoplan", "status", "--watch", EVERY, *map(str, options), str(site.topology)]
    with subprocess.Popen(
        [*command, "--endpoints", str(site.endpoints)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            printed, told = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0, told
    assert printed == ""
    assert PASSWORD not in told


def address_of(process: subprocess.Popen[str]) -> str:
    """Return where the metrics are served, as the watch says."""
    assert process.stderr
    for line in process.stderr:
        if found := re.match(r"The metrics: (http://127\.0\.0\.1:\d+/metrics)$", line):
            return found[1]
    raise AssertionError("it does not say where")


def scraped(url: str, **headers: str) -> str:
    """Return the metrics as Prometheus gets them, once there are some."""
    found = ""

    def is_there() -> bool:
        nonlocal found
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:  # noqa: S310 - loopback
                assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
                found = answer.read().decode()
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            return False
        return True

    until(is_there)
    return found


def look_that_began_after(read: Callable[[], str]) -> str:
    """Return the metrics of the second look from now on: the first one may have begun before."""
    for _ in range(2):
        until(_is_other_than(value(read(), "geoplan_look_timestamp_seconds"), read))
    return read()


def _is_other_than(moment: float | None, read: Callable[[], str]) -> Callable[[], bool]:
    return lambda: value(read(), "geoplan_look_timestamp_seconds") != moment


def test_failed_over_pair_shows_within_an_interval(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.3"), tmp_path / "geoplan.prom"
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    site.settle()
    with watching(site, "-o", file, "--listen", "0") as process:
        url = address_of(process)
        before = scraped(url)
        site.lab.fail_over(PAIR)
        until(lambda: site.lab.state()["pairs"][PAIR]["active"] == S1)
        of_file = look_that_began_after(file.read_text)
        of_port = look_that_began_after(lambda: scraped(url))

    assert check_metrics(before) == check_metrics(of_file) == check_metrics(of_port) == ""
    assert value(before, "geoplan_site_failed_over", site=PAIR) == 0
    assert value(before, "geoplan_unit_up", unit=M1) == value(before, "geoplan_unit_up", unit=S1) == 1
    assert value(before, "geoplan_unit_links_green", unit=M1) == value(before, "geoplan_unit_links_planned", unit=M1)
    for after in (of_file, of_port):
        assert value(after, "geoplan_site_failed_over", site=PAIR) == 1
        assert value(after, "geoplan_site_active_units", site=PAIR) == 1
        assert value(after, "geoplan_unit_state", unit=S1, state="active") == 1
        assert value(after, "geoplan_findings", kind="failed_over") == 1
        assert value(after, "geoplan_unit_state_age_seconds", unit=S1) is not None


def test_red_link_shows_within_an_interval(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.3"), tmp_path / "geoplan.prom"
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes").code == 0
    site.settle()
    with watching(site, "-o", file):
        until(file.exists)
        before = file.read_text()
        send(site, A1, "set?param=geopartners&value=")
        after = look_that_began_after(file.read_text)

    assert value(before, "geoplan_findings", kind="red_partner") is None
    assert value(after, "geoplan_findings", kind="red_partner") == 1
    green, planned = (value(after, f"geoplan_unit_links_{name}", unit=M1) for name in ("green", "planned"))
    assert green is not None
    assert planned is not None
    assert green < planned
    assert check_metrics(after) == ""


def test_drift_is_looked_for_at_an_interval_of_its_own(make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.1"), tmp_path / "geoplan.prom"
    with watching(site, "-o", file, "--diff-every", "3600"):
        until(lambda: file.exists() and value(file.read_text(), "geoplan_diff_timestamp_seconds"))
        first = file.read_text()
        later = look_that_began_after(file.read_text)

    compared = value(first, "geoplan_diff_timestamp_seconds")
    assert compared == value(later, "geoplan_diff_timestamp_seconds")
    assert (value(later, "geoplan_look_timestamp_seconds") or 0) > (compared or 0)
    assert (value(later, "geoplan_diff_differences", site=PAIR, kind="missing") or 0) > 0
    assert value(later, "geoplan_diff_findings", kind="geo_differs") == 1
    assert labels_of(later, "geoplan_findings", "kind") == ["geo_differs"]  # no unit has dropped a call too many
    assert check_metrics(later) == ""


def test_units_that_a_push_has_in_between_are_not_compared(make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.1"), tmp_path / "geoplan.prom"
    with site.store.only_push("another"), watching(site, "-o", file, "--diff-every", "3600"):
        until(file.exists)
        during = look_that_began_after(file.read_text)
    with watching(site, "-o", file, "--diff-every", "3600"):
        until(lambda: value(file.read_text(), "geoplan_diff_timestamp_seconds"))

    assert value(during, "geoplan_push_running") == 1
    assert value(during, "geoplan_diff_timestamp_seconds") is None


def test_metrics_are_served_to_loopback_alone(make_site: MakeSite) -> None:
    site = make_site("5.1")
    with watching(site, "--format", "prometheus", "--listen", "localhost:0") as process:
        url = address_of(process)
        assert value(scraped(f"{url}?collect=all"), "geoplan_unit_up", unit=M1) == 1
        for headers, code in (({"Host": "evil.example"}, 400), ({"Origin": "https://evil.example"}, 403)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                scraped(url, **headers)
            assert refused.value.code == code
        with pytest.raises(urllib.error.HTTPError) as missing:
            scraped(url.removesuffix("metrics"))
        assert missing.value.code == 404
        with pytest.raises(urllib.error.HTTPError) as no_events:
            scraped(url.replace("metrics", "events"))
        assert no_events.value.code == 404


@pytest.mark.parametrize("options", [(), ("-o", "-")])
def test_without_a_watch_they_are_printed_once(geoplan: Geoplan, make_site: MakeSite, options: tuple[str, ...]) -> None:
    site = make_site("5.1")
    shown = status(geoplan, site, "--format", "prometheus", *options)

    assert shown.code == 1
    assert value(shown.stdout, "geoplan_push_running") == 0
    assert value(shown.stdout, "geoplan_unit_up", unit=M1) == 1
    assert check_metrics(shown.stdout) == ""


def test_file_that_ends_so_gets_them(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site, file = make_site("5.1"), tmp_path / "geoplan.prom"
    status(geoplan, site, "-o", file)

    assert value(file.read_text(), "geoplan_unit_up", unit=M1) == 1
    assert [each.name for each in tmp_path.glob("*.prom*")] == ["geoplan.prom"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--format", "prometheus", "--watch"], "where the metrics go"),
        (["--format", "prometheus", "--watch", "-o", "-"], "where the metrics go"),
        (["--format", "prometheus", "--problems"], "which tells of all units"),
        (["--format", "prometheus", "--listen", "9100"], "for --watch"),
        (["--watch", "--listen", "9100"], "add --format prometheus"),
        (["--watch", "--format", "prometheus", "--listen", "0.0.0.0:9100"], "not on loopback"),
        (["--watch", "--format", "prometheus", "--listen", "[::1]:9100"], "not on loopback"),
        (["--watch", "--format", "prometheus", "--listen", "65536"], "no port"),
        (["--watch", "--format", "prometheus", "--listen", "127.0.0.1:"], "no port"),
        (["--watch", "--diff-every", "60"], "--diff-every needs"),
        (["--diff-every", "60", "--format", "prometheus"], "for --watch"),
        (["--watch", "--diff-every", "1", "--format", "prometheus", "--listen", "1"], "not in the range"),
        (["--watch", "--format", "json", "-o", "x.prom"], "ends in .prom"),
    ],
)
def test_what_does_not_go_together(geoplan: Geoplan, options: list[str], why: str) -> None:
    refused = geoplan("status", TOPOLOGIES / "section-5.1.yaml", *options)

    assert refused.code == 2
    assert why in re.sub(r"\s+", " ", refused.stderr)


def test_port_that_is_taken(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    with watching(site, "--format", "prometheus", "--listen", "0") as process:
        port = address_of(process).split(":")[2].removesuffix("/metrics")
        refused = status(geoplan, site, "--watch", "--format", "prometheus", "--listen", port)

    assert refused.code != 0
    assert f"cannot take port {port} of 127.0.0.1" in refused.stderr


def test_file_that_cannot_be_written(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.1")
    refused = status(geoplan, site, "--watch", "-o", tmp_path / "missing" / "geoplan.prom")

    assert refused.code != 0
    assert "cannot write" in refused.stderr
