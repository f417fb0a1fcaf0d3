"""What the checks before a push note of units, and what of the ledger a unit denies."""

from __future__ import annotations

from typing import Any

import pytest

from geoplan.live.findings.notes import denied_facts
from geoplan.live.model import Cause, Failure, Observation
from geoplan.vendor import FACTS
from tests.conftest import Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.status.made import A1, M1, changed, well, with_ha

__all__ = ["make_site"]


def unit(address: str = M1, **fields: Any) -> Observation:
    return changed(well(), address, **fields).units[address]


def test_unit_as_the_ledger_has_it_denies_nothing() -> None:
    assert {address: denied for address, one in well().units.items() if (denied := denied_facts(one))} == {}


@pytest.mark.parametrize(
    ("fields", "fact"),
    [
        ({"boot_time": "some time ago"}, "BOOT_TIME"),
        ({"unread": ("partner_status",), "partner_status": None}, "PARTNER_STATUS"),
        ({"partner_status": {A1: None}}, "PARTNER_STATUS"),
        ({"wants_basic": True}, "API_FORMATS"),
    ],
)
def test_what_a_unit_answers_otherwise_is_named_by_its_fact(fields: dict[str, Any], fact: str) -> None:
    assert denied_facts(unit(**fields)) == (fact,)
    assert fact in {each.name for each in FACTS}


def test_role_that_a_unit_tells_in_no_known_word_is_named_by_its_fact() -> None:
    assert denied_facts(with_ha(well(), M1, mode=None).units[M1]) == ("HA_MODE_WORD",)


def test_unit_that_could_not_be_read_denies_nothing() -> None:
    assert denied_facts(unit(wants_basic=True, failure=Failure(Cause.UNREACHABLE, "no answer"))) == ()


@pytest.mark.parametrize(
    ("variants", "facts"),
    [
        ([], None),
        (["v2-wants-basic"], "API_FORMATS"),
        (["partners-unknown"], None),  # nobody is a partner yet, so no unit has told of one
        (["v2-wants-sessions", "boottime-date"], "API_FORMATS"),  # a date is a moment too
    ],
)
def test_preflight_says_in_one_line_what_units_answer_otherwise(
    geoplan: Geoplan, make_site: MakeSite, variants: list[str], facts: str | None
) -> None:
    site = make_site("5.1", variants=variants)
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--only-preflight")
    lines = [line for line in (ended.stdout + ended.stderr).splitlines() if "takes for true" in line]
    assert len(lines) == (facts is not None), ended
    for line in lines:
        assert f"({facts})" in line
        assert "geoplan probe" in line
