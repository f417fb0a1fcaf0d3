"""Every safeguard of a push that is taken out is found by a case of a rehearsal, which is clean while it is there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from geoplan.lab.variants import Variant
from geoplan.plan.model import Phase
from geoplan.plan.planner import make_plan
from geoplan.push.options import Options
from geoplan.topology.loader import load_topology
from geoplan.topology.model import Topology
from geoplan.twin.campaign import cases_of
from geoplan.twin.cases import PLAIN, Plays, play, play_planned
from geoplan.twin.incidents import Case
from tests.conftest import TOPOLOGIES
from tests.simulation import changes, leaves
from tests.simulation.mutations import MUTATIONS
from tests.twin.plays import change, quick, section

PAIR, LONE = "HA Pair 1", "Standalone LoadMaster 1"
ON_ITS_OWN = "planned"

FOUND_BY: dict[str, tuple[str, str]] = {
    "a mode that was refused in one word is sent in the other at once": ("newer words", ON_ITS_OWN),
    "a cluster that was refused by its address is sent by its number at once": ("numbers", "8:reset"),
    "a reboot that was refused is sent again blindly": ("geo", f"{PAIR}:reboot-refused-slave-dies"),
    "a mode that was refused is sent again blindly": ("ha", f"{PAIR}:reboot-refused-slave-dies"),
    "a slave that is unreachable counts as a silent standby": ("geo", f"{PAIR}:closed-timeout"),
    "a slave that takes no credentials counts as a silent standby": ("geo", f"{PAIR}:closed-401"),
    "a mode that nobody tells is single": ("ha", "modes:untold"),
    "single is sent back to a unit that answers its health check": ("all interfaces", "modes:deaf"),
    "HA parameters of a pair at work are set again": ("ha", ON_ITS_OWN),
    "the wait for a replication has no floor": ("geo", "times:too-short"),
    "what nobody tells is green": ("geo", "standbys:red"),
    "an end is complete without a proof": ("geo", "colours:html-ignored"),
    "what was left out is forgotten": ("geo", "reboots:left-out"),
    "what was abandoned is forgotten": ("geo", "reboots:abandoned"),
    "what was seen green while a slave was active is no proof": ("geo", "standbys:red"),
    "reboots are counted by the push's own journal alone": ("geo", f"{PAIR}:early-returns"),
    "the unit that took a list is not looked at again": ("geo", f"{PAIR}:partners-late"),
    "partners are submitted in a reboot's window without a read": ("geo", "standbys:refuse"),
    "partners are submitted although somebody has added one": ("geo", f"{LONE}:hand-adds-last"),
    "goes by hastatus although the health check contradicts it": ("geo", f"{PAIR}:health-of-slave-200"),
    "goes by the health check although hastatus contradicts it": ("geo", f"{PAIR}:slave-says-active"),
    "a unit that says that it is in no pair counts as its standby": ("geo", f"{PAIR}:slave-says-ha-not-configured"),
    "the API is not asked who is active before a reboot": ("geo", f"{PAIR}:slave-says-active"),
    "a unit is sent as many calls as come up": ("geo", ON_ITS_OWN),
    "the answer to a reboot is waited for": ("geo", "reboots:answered-late"),
    "the standby is not verified": ("geo", f"{PAIR}:again-empty-standby"),
    "a standby without a backup refuses the push": ("geo", "standbys:refuse"),
    "the unfinished push is the last one by the clock": ("geo", "again:clock-back"),
    "a difference that no step mends lets the push begin": ("geo", f"{PAIR}:again-stale-cluster"),
    "no probe precedes a deletion": ("sites leave", ON_ITS_OWN),
    "a probe that travels is not seen": ("sites leave", ON_ITS_OWN),
    "a probe is not waited for": ("sites leave", ON_ITS_OWN),
    "access is taken before the partners are": ("sites leave", ON_ITS_OWN),
    "the lists of standbys are not read before a deletion": ("sites leave", "A:replicates-never"),
    "a cluster is deleted where a site leaves before all lists were read": ("sites leave", ON_ITS_OWN),
    "a seed is not compared again before it is linked": ("sites join", "D:seed-deleted"),
    "a cluster gets its type under the look that was for its adding": ("geo", ON_ITS_OWN),
    "the lists of slaves are taken for their submissions": ("sites join", ON_ITS_OWN),
    "sites that join are seeded after the lists": ("sites join", "D:emptied"),
    "sites that join a group with FQDNs are seeded after the lists": ("sites join", "C:emptied"),
    "red links with all lists in place are nothing to do": ("geo", "again:links-lost"),
}
"""For each safeguard of the safety tests: what is rehearsed, and the case that shows that it is taken out."""


def plays_of(name: str) -> Plays:
    forming = section("5.3", *Phase)
    match name:
        case "geo":
            return section("5.3")
        case "ha":
            return forming
        case "all interfaces":
            return all_interfaces()
        case "newer words":
            return replace(forming, variants=(Variant.HA_FIRST,))
        case "numbers":
            return replace(section("5.3"), variants=(Variant.CLUSTERS_BY_ID,))
        case "sites join":
            return change(changes.TWO, changes.FOUR)
        case _:
            return change(quick(leaves.topology()), quick(leaves.topology("AB")), clean=True)


def all_interfaces() -> Plays:
    """Return the forming of pairs whose units answer the health check on all interfaces."""
    document = quick(load_topology(TOPOLOGIES / "section-5.3.yaml")).model_dump(exclude_none=True)
    for site in document["sites"]:
        if "ha_pair" in site:
            site["ha_pair"]["health_check"] = {"all_interfaces": True}
    topology = Topology.model_validate(document)
    return Plays(make_plan(topology, list(Phase)), topology, Options())


@cache
def cases_by_name(setup: str) -> dict[str, Case]:
    """Return all cases of what is rehearsed, with its safeguards in place."""
    plays = plays_of(setup)
    found = cases_of(plays, play_planned(plays), range(0))
    return {PLAIN.name: PLAIN} | {case.name: case for cases in found.values() for case in cases}


def test_every_safeguard_of_the_safety_tests_is_among_them() -> None:
    assert set(FOUND_BY) == {mutation.name for mutation in MUTATIONS}


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_safeguard_that_is_taken_out_is_found(name: str) -> None:
    (mutation,) = [each for each in MUTATIONS if each.name == name]
    setup, found_by = FOUND_BY[name]
    case = cases_by_name(setup)[found_by]
    assert mutation.take_out is not None

    assert play(plays_of(setup), case).broken == ()
    with pytest.MonkeyPatch.context() as patch:
        mutation.take_out(patch)
        assert play(plays_of(setup), case).broken  # the plan is made without it, too
