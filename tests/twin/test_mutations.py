"""A safeguard of a push that is taken out is found by a case of a rehearsal, which is clean while it is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geoplan.lab.variants import Variant
from geoplan.plan.model import Phase
from geoplan.twin.campaign import cases_of
from geoplan.twin.cases import PLAIN, Plays, play, play_planned
from geoplan.twin.incidents import Case
from tests.simulation import leaves
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
    "HA parameters of a pair at work are set again": ("ha", ON_ITS_OWN),
    "what nobody tells is green": ("geo", "standbys:red"),
    "what was seen green while a slave was active is no proof": ("geo", "standbys:red"),
    "partners are submitted in a reboot's window without a read": ("geo", "standbys:refuse"),
    "a unit is sent as many calls as come up": ("geo", ON_ITS_OWN),
    "a standby without a backup refuses the push": ("geo", "standbys:refuse"),
    "no probe precedes a deletion": ("sites leave", ON_ITS_OWN),
    "a probe is not waited for": ("sites leave", ON_ITS_OWN),
    "the lists of standbys are not read before a deletion": ("sites leave", "A:replicates-never"),
    "a cluster is deleted where a site leaves before all lists were read": ("sites leave", ON_ITS_OWN),
}
"""For each safeguard that a rehearsal misses when it is taken out: what is rehearsed, and the case that shows it."""


def plays_of(name: str) -> Plays:
    geo, forming = section("5.3"), section("5.3", *Phase)
    return {
        "geo": lambda: geo,
        "ha": lambda: forming,
        "newer words": lambda: replace(forming, variants=(Variant.HA_FIRST,)),
        "numbers": lambda: replace(geo, variants=(Variant.CLUSTERS_BY_ID,)),
        "sites leave": lambda: change(quick(leaves.topology()), quick(leaves.topology("AB")), clean=True),
    }[name]()


def case_of(name: str, plays: Plays) -> Case:
    if name == ON_ITS_OWN:
        return PLAIN
    planned = play_planned(plays)
    return next(case for cases in cases_of(plays, planned, range(0)).values() for case in cases if case.name == name)


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_safeguard_that_is_taken_out_is_found(name: str) -> None:
    (mutation,) = [each for each in MUTATIONS if each.name == name]
    setup, found_by = FOUND_BY[name]
    plays = plays_of(setup)
    case = case_of(found_by, plays)
    assert mutation.take_out is not None

    assert play(plays, case).broken == ()
    with pytest.MonkeyPatch.context() as patch:
        mutation.take_out(patch)
        assert play(plays, case).broken
