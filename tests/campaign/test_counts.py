"""The README tells how many kills and faults there are."""

from __future__ import annotations

from tests.campaign.support import CHANGES, READS
from tests.campaign.test_faults import HA_COMMANDS, faults
from tests.campaign.test_kills import HA_CHANGES
from tests.conftest import ROOT


def test_readme_has_the_counts_of_the_campaign() -> None:
    kills = 2 * (sum(CHANGES.values()) + HA_CHANGES + len(READS))
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"{kills} kills" in readme
    assert f"{len(list(faults((*CHANGES, *READS, *HA_COMMANDS))))} faults" in readme
