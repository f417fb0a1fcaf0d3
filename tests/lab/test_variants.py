"""The table of variants: each denies one fact of the ledger, and no two of one fact go together."""

from __future__ import annotations

from itertools import combinations

import pytest

from geoplan.lab.errors import LabError
from geoplan.lab.variants import Variant, as_variants
from geoplan.vendor import FACTS
from tests.lab.support import simulate


def test_every_variant_denies_a_fact_that_is_not_confirmed() -> None:
    unconfirmed = {fact.name for fact in FACTS if not fact.confirmed}
    assert {variant.fact for variant in Variant} <= unconfirmed


def test_every_variant_says_what_units_do_in_words_of_its_own() -> None:
    said = [variant.description for variant in Variant]
    assert all(said)
    assert len(set(said)) == len(said)


def test_two_variants_go_together_unless_they_are_of_one_fact() -> None:
    for one, other in combinations(Variant, 2):
        if one.fact != other.fact:
            assert as_variants([one, str(other)]) == {one, other}
            continue
        with pytest.raises(LabError, match=f"{one} and {other} contradict each other"):
            as_variants([one, other])


def test_a_variant_given_twice_is_one() -> None:
    assert as_variants(["azure", "azure"]) == {Variant.AZURE}


def test_an_unknown_variant_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(LabError, match="there is no variant 'nonsense'") as refused:
        simulate(variants=["nonsense"])
    assert refused.value.hint
    assert all(variant in refused.value.hint for variant in Variant)
