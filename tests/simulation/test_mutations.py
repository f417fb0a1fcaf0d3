"""Behind each mend stands a situation that breaks without it: ``python -m tests.simulation.mutations`` prints them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.drill_mutations import DRILL_MUTATIONS
from tests.simulation.ha_mutations import HA_MUTATIONS
from tests.simulation.mutations import MUTATIONS, Mutation, replay


@pytest.mark.parametrize("mutation", [*MUTATIONS, *DRILL_MUTATIONS, *HA_MUTATIONS], ids=lambda mutation: mutation.name)
def test_what_a_mend_prevents_is_shown_without_it(mutation: Mutation, tmp_path: Path) -> None:
    played = replay(mutation, tmp_path)
    assert played.with_mend == []
    assert played.without, "nothing broke without the mend"
    assert played.is_caught, "the table does not say what takes the mend out"
