"""``geoplan compare``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"
RECORDED = TOPOLOGIES / "section-5.4.lists.txt"


def test_compare_with_the_documents_example(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", EXAMPLE, RECORDED, "--ordered")

    assert outcome == (0, f"{RECORDED}: the lists of 4 sites match the plan\n", "")


def test_compare_with_the_other_master_says_why_in_one_sentence(geoplan: Geoplan) -> None:
    swapped = EXAMPLE.read_text().replace(
        "master: 172.24.1.8, slave: 172.24.1.7", "master: 172.24.1.7, slave: 172.24.1.8"
    )
    outcome = geoplan("compare", "-", RECORDED, "--ordered", stdin=swapped)

    assert outcome.code == 1
    assert outcome.stdout == (
        "HA Pair 2: the recorded Remote GEO LoadMaster Access names 172.24.1.8, which the topology has as the slave, "
        "in place of the master 172.24.1.7: either the master is 172.24.1.8, or the record is wrong\n"
    )


def test_compare_as_json(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", TOPOLOGIES / "section-5.3.yaml", RECORDED, "--format", "json")

    report = json.loads(outcome.stdout)
    assert outcome.code == 1
    assert report["format"] == "geoplan/differences/1"
    assert {"site", "subject", "message", "missing", "extra"} == set(report["differences"][0])


def test_compare_with_something_else_exits_2(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", EXAMPLE, EXAMPLE)

    assert outcome.code == 2
    assert f"{EXAMPLE}:2:1: error: GEO601 " in outcome.stderr


def test_compare_reads_the_record_from_standard_input(geoplan: Geoplan) -> None:
    assert geoplan("compare", EXAMPLE, "-", stdin=RECORDED.read_text()).code == 0


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_endless_record_is_refused(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", EXAMPLE, "/dev/zero")

    assert outcome.code == 2
    assert "it is a device, and no regular file" in outcome.stderr


def test_compare_reads_standard_input_once(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", "-", "-")

    assert outcome.code == 2
    assert "cannot both be standard input" in outcome.stderr
