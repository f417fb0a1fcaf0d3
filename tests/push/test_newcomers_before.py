"""What sites had that joined, as the journal of the push has it: an undo gives that back, and takes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.live.polling import SystemClock
from geoplan.plan.change import make_change
from geoplan.plan.model import Plan
from geoplan.plan.planner import make_plan
from geoplan.push.journal import Journal
from geoplan.push.options import Options
from geoplan.push.undoing import Undoing, undoing
from tests.simulation.leaves import A4, M1, topology

JOIN = make_change(topology("ABD"), make_plan(topology("AB")))


def of_join(folder: Path, found: dict[str, object], *, plan: Plan = JOIN, address: str = M1) -> Undoing:
    """Return what takes a join of D back that was killed once it had entered a cluster there."""
    with Journal.begin(folder, plan, Options(), SystemClock()) as journal:
        journal.write("found", lacking=[], **found)
        seed = {"site": "D", "unit": A4, "what": "cluster", "action": "seed_geo_configuration", "before": None}
        journal.write("changing", step="s", **seed, after={"address": address, "name": "N", "type": "Remote LM"})
        return undoing(journal.history)


def keeps(found: Undoing) -> tuple[str, ...]:
    assert found.plan.change
    (part,) = (part for part in found.plan.change.parts if part.sites == ("D",))
    return part.keeps


EMPTY: dict[str, object] = {"remote_geo_access": (), "geo_partners": ()}


@pytest.mark.parametrize("stood", [(), ("B",), ("A", "D")])
def test_clusters_that_stood_there_stay(tmp_path: Path, stood: tuple[str, ...]) -> None:
    found = of_join(tmp_path, {"held": {"D": EMPTY}, "joining": {"D": stood}})
    assert keeps(found) == stood
    assert found.left == ()
    assert Plan.model_validate_json(found.plan.model_dump_json()) == found.plan


def test_what_an_older_journal_does_not_have_is_named_and_stays(tmp_path: Path) -> None:
    found = of_join(tmp_path, {"held": {"D": EMPTY}})
    assert keeps(found) == ("B", "D")  # A's is the one that the push has entered
    (left,) = found.left
    assert "what 'D' had before is not in this journal" in left
    assert "'B', 'D'" in left


@pytest.mark.parametrize("access", [(), (A4,)])
def test_the_access_list_becomes_what_it_was(tmp_path: Path, access: tuple[str, ...]) -> None:
    held = {"D": {"remote_geo_access": access, "geo_partners": ()}}
    found = of_join(tmp_path, {"held": held, "joining": {"D": ()}})
    assert (found.plan.site("D").remote_geo_access, found.plan.site("D").geo_partners) == (access, ())


def test_partners_that_stood_on_its_list_are_named_and_not_entered_again(tmp_path: Path) -> None:
    held = {"D": {"remote_geo_access": (), "geo_partners": (M1,)}}
    found = of_join(tmp_path, {"held": held, "joining": {"D": ()}})
    assert found.plan.site("D").geo_partners == ()
    assert any(f"the lists of 'D' had {M1} already" in line for line in found.left)


def test_a_cluster_that_no_plan_knows_is_named_where_it_was_entered(tmp_path: Path) -> None:
    found = of_join(tmp_path, {"held": {"D": EMPTY}, "joining": {"D": ()}}, address="198.51.100.9")
    assert any("the cluster 'N' stays on 'D'" in line for line in found.left)
