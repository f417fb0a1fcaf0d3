"""One HA parameter of a unit in a pair, set over the API: nothing but it and the partner is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geoplan.loadmaster import LoadMaster
from geoplan.loadmaster.http import ShownRequest
from geoplan.loadmaster.model import HaFacts, HaRequest
from tests.loadmaster.support import UNIT, accesses, lab, run

PARTNER = "172.24.1.6"
CHANGES = [
    (HaRequest(PARTNER, health_check_port=9000), {"hcp": 9000}),
    (HaRequest(PARTNER, prefers_master=False), {"haprefered": 0}),
    (HaRequest(PARTNER, all_interfaces=True), {"hcai": 1}),
    (HaRequest("172.24.1.66"), {}),
]


@pytest.mark.parametrize("fault", [None, "truncate"])
@pytest.mark.parametrize("firmware", ["7.2.48.4", "7.2.60.1"])
@pytest.mark.parametrize(("request_", "given"), CHANGES)
def test_one_ha_parameter_goes_with_the_partner_alone(
    request_: HaRequest, given: dict[str, int], firmware: str, fault: str | None
) -> None:
    shown: list[ShownRequest] = []

    async def act() -> None:
        async with (
            lab(firmware=firmware) as running,
            LoadMaster(accesses(running)[UNIT], observer=shown.append) as unit,
        ):
            before = await unit.ha_parameters()
            assert before is not None
            if fault:
                running.inject(f"{fault},command=awshaparam,occurrence=1")
            await unit.change_ha_parameters(request_)
            now = await unit.ha_parameters()
            assert now is not None
            assert now == request_.applied_to(replace(before, all_interfaces=now.all_interfaces))

    run(act())
    sent = [each for each in shown if each.command == "awshaparam"]
    assert sent
    for each in sent:
        text = f"{each.url} {each.body}"
        assert [name for name in ("hcp", "haprefered", "hcai") if name in text] == [*given]


def test_what_is_asked_for_counts_as_held_only_if_all_of_it_is() -> None:
    held = HaRequest(PARTNER, health_check_port=9000)
    found = held.applied_to(HaFacts())
    assert held.is_fulfilled_by(found)
    assert not held.is_fulfilled_by(replace(found, health_check_port=8444))
    assert not held.is_fulfilled_by(replace(found, partner="172.24.1.9"))
