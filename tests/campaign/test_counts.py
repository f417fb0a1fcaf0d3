"""The documents tell how many kills and faults there are, and a sample is a fair part of them."""

from __future__ import annotations

from tests.campaign.conftest import PARTS, sample
from tests.campaign.support import CHANGES, HA_CHANGES, HA_COMMANDS, READS, faults
from tests.conftest import ROOT


def test_document_has_the_counts_of_the_campaign() -> None:
    kills = 2 * (sum(CHANGES.values()) + HA_CHANGES + len(READS))
    document = " ".join((ROOT / "tests" / "README.md").read_text().split())
    assert f"{kills} kills" in document
    assert f"{len(list(faults((*CHANGES, *READS, *HA_COMMANDS))))} faults" in document


def test_parts_of_the_campaign_are_all_of_it_with_something_of_each_kind_in_each() -> None:
    kinds = [f"test_{kind}[" for kind in ("kill", "fault")]
    incidents = {f"{kind}{command}-{number}]" for kind in kinds for command in "abcdefgh" for number in range(16)}
    parts = [sample(incidents, part) for part in range(1, PARTS + 1)]

    assert sorted(name for part in parts for name in part) == sorted(incidents)
    for part in parts:
        assert {len([name for name in part if name.startswith(kind)]) for kind in kinds} == {16}
        assert len({name[-4:] for name in part}) > 8
