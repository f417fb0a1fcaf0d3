"""``geoplan trust``: fetched, shown, confirmed, written; a changed certificate is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from geoplan.lab.lab import BackgroundLab
from geoplan.loadmaster import load_endpoints
from tests.conftest import TOPOLOGIES, Geoplan

TOPOLOGY = TOPOLOGIES / "section-5.3.yaml"
ADDRESSES = ["172.24.1.5", "172.24.1.6", "172.24.1.9"]
OTHER_PIN = "sha256:" + "0" * 64


@pytest.fixture
def lab() -> Iterator[BackgroundLab]:
    from geoplan.topology.loader import load_topology

    with BackgroundLab(load_topology(TOPOLOGY)) as running:
        yield running


@pytest.fixture
def endpoints(lab: BackgroundLab, tmp_path: Path) -> Path:
    """Where the lab answers, without fingerprints."""
    lines = lab.endpoints.to_yaml().splitlines(keepends=True)
    path = tmp_path / "lab.yaml"
    path.write_text("".join(line for line in lines if "fingerprint" not in line))
    return path


def pins(path: Path) -> list[str | None]:
    return [load_endpoints(path).unit(address).fingerprint for address in ADDRESSES]


def true_pins(lab: BackgroundLab) -> list[str]:
    return [lab.endpoints.units[address].fingerprint for address in ADDRESSES]


def test_confirmed_fingerprints_are_written_and_known_the_next_time(
    geoplan: Geoplan, lab: BackgroundLab, endpoints: Path, tmp_path: Path
) -> None:
    output = tmp_path / "pins.yaml"
    first = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "-o", output, stdin="y\n")
    assert first.code == 0
    assert all(pin in first.stderr for pin in true_pins(lab))
    assert "Does every fingerprint match the one that the unit itself shows?" in first.stderr
    assert pins(output) == true_pins(lab)
    assert load_endpoints(output).control == lab.endpoints.control
    again = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "-o", output)
    assert (again.code, "Does every" in again.stderr) == (0, False)


@pytest.mark.parametrize("answer", ["n\n", "", "\n"])
def test_without_a_yes_nothing_is_written(geoplan: Geoplan, endpoints: Path, tmp_path: Path, answer: str) -> None:
    output = tmp_path / "pins.yaml"
    outcome = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "-o", output, stdin=answer)
    assert (outcome.code, output.exists(), outcome.stdout) == (1, False, "")
    assert "nothing was written" in outcome.stderr


def test_without_a_file_the_pins_go_to_standard_output(geoplan: Geoplan, lab: BackgroundLab, endpoints: Path) -> None:
    outcome = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "--yes")
    assert outcome.code == 0
    assert all(f"fingerprint: {pin}" in outcome.stdout for pin in true_pins(lab))


@pytest.mark.parametrize("where", ["endpoints", "output"])
def test_a_changed_certificate_is_shown_with_the_known_one_and_refused(
    geoplan: Geoplan, lab: BackgroundLab, endpoints: Path, tmp_path: Path, where: str
) -> None:
    output = tmp_path / "pins.yaml"
    changed = endpoints if where == "endpoints" else output
    known = changed.read_text() if where == "endpoints" else f"units:\n  {ADDRESSES[0]}:\n"
    entry = f"  {ADDRESSES[0]}:\n"
    changed.write_text(known.replace(entry, f"{entry}    fingerprint: {OTHER_PIN}\n"))
    before = output.read_text() if output.exists() else None
    outcome = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "-o", output, "--yes")
    assert outcome.code == 1
    assert f"known      {OTHER_PIN}\n    presented  {true_pins(lab)[0]}" in outcome.stderr
    assert f"the certificate of {ADDRESSES[0]} does not match the known fingerprint" in outcome.stderr
    assert str(changed) in outcome.stderr
    assert (output.read_text() if output.exists() else None) == before


def test_a_unit_that_does_not_answer_is_named_and_the_others_written(
    geoplan: Geoplan, lab: BackgroundLab, endpoints: Path, tmp_path: Path
) -> None:
    lab.power_off(ADDRESSES[2])
    output = tmp_path / "pins.yaml"
    outcome = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "-o", output, "--yes")
    assert outcome.code == 1
    assert "connection refused" in outcome.stderr
    assert pins(output) == [*true_pins(lab)[:2], None]


def test_json_reports_every_unit(geoplan: Geoplan, lab: BackgroundLab, endpoints: Path, tmp_path: Path) -> None:
    output = tmp_path / "pins.yaml"
    outcome = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "-o", output, "--yes", "--format", "json")
    report = json.loads(outcome.stdout)
    assert (report["format"], report["accepted"]) == ("geoplan/trust/1", True)
    assert [unit["fingerprint"] for unit in report["units"]] == true_pins(lab)
    assert {unit["state"] for unit in report["units"]} == {"new"}
    assert pins(output) == true_pins(lab)


def test_unusable_files_are_usage_errors(geoplan: Geoplan, tmp_path: Path) -> None:
    missing = geoplan("trust", TOPOLOGY, "--endpoints", tmp_path / "missing.yaml")
    assert (missing.code, "cannot read" in missing.stderr) == (2, True)
    broken = tmp_path / "broken.yaml"
    broken.write_text("units: [")
    assert geoplan("trust", TOPOLOGY, "-o", broken).code == 2


def test_one_certificate_at_two_addresses_is_told(
    geoplan: Geoplan, lab: BackgroundLab, endpoints: Path, tmp_path: Path
) -> None:
    first, second = (lab.endpoints.units[address].api for address in ADDRESSES[:2])
    endpoints.write_text(endpoints.read_text().replace(second, first.replace("127.0.0.1", "localhost")))
    outcome = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "--yes", "--format", "json")
    assert outcome.code == 0
    assert f"warning: {ADDRESSES[0]} and {ADDRESSES[1]} present one certificate" in outcome.stderr
    assert json.loads(outcome.stdout)["one_certificate"] == [ADDRESSES[:2]]


def test_two_units_with_one_url_are_refused(geoplan: Geoplan, lab: BackgroundLab, endpoints: Path) -> None:
    first, second = (lab.endpoints.units[address].api for address in ADDRESSES[:2])
    endpoints.write_text(endpoints.read_text().replace(second, first))
    outcome = geoplan("trust", TOPOLOGY, "--endpoints", endpoints, "--yes")
    assert outcome.code == 2
    assert f"{ADDRESSES[0]} and {ADDRESSES[1]} have one API" in outcome.stderr
