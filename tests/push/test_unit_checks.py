"""What blocks an update of firmware, and the setting of the Partner Shared Secret, by what units say."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import UnitError
from geoplan.live.fleet import Fleet
from geoplan.live.model import Cause, Failure, Observations, State
from geoplan.live.polling import Timings
from geoplan.loadmaster.firmware import FirmwareImage
from geoplan.plan.model import Plan
from geoplan.plan.secret import make_rotation
from geoplan.plan.upgrade import make_upgrade
from geoplan.push import secret_checks, update_checks
from geoplan.push.options import Options
from geoplan.push.secret_checks import check_secret
from geoplan.push.store import Store
from geoplan.push.update_checks import check_update
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES
from tests.push.instant import instant_fleet
from tests.push.observations import changed, in_place
from tests.push.support import A1, M1, M2, NOON, S1, SettableClock, real_store

TOPOLOGY = load_topology(TOPOLOGIES / "section-5.4.yaml")
UNITS = [unit.address for site in TOPOLOGY.sites for unit in site.units]
RUNNING, TO = "7.2.59.4.22642.RELEASE", "7.2.60.1"
UPDATE = make_upgrade(TOPOLOGY, TO, dict.fromkeys(UNITS, RUNNING), holds_roles=True)
SECRET, BACK = make_rotation(TOPOLOGY), make_rotation(TOPOLOGY, goes_back=True)
FINE = in_place(UPDATE)
WITH_SECRET = changed(FINE, *FINE.units, firmware="7.2.60.1.23000.RELEASE")
IMAGE = FirmwareImage(Path(f"LM-{TO}.patch"), 400_000_000)
DEAD = Failure(Cause.UNREACHABLE, "no route")
WILLING = Options(has_way_back=True, accepts_links_down=True)


def fleet_of(plan: Plan, units: Any = None) -> Fleet:
    """Return units that are asked nothing, unless they are given, at noon."""
    return Fleet(plan, units or instant_fleet(plan).units, SettableClock(), Timings(120, 120))


def checked(check: Any, plan: Plan, facts: Observations, options: Options, store: Store) -> list[str]:
    """Return what blocks it."""
    found = asyncio.run(check(fleet_of(plan), facts, options, store.past(), None))
    return [str(problem) for problem in found.problems]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return real_store(tmp_path, UPDATE)


# -- firmware ----------------------------------------------------------------------------------------------------------


def updated(store: Store, facts: Observations = FINE, plan: Plan = UPDATE, **options: Any) -> list[str]:
    return checked(check_update, plan, facts, Options(**{"image": IMAGE, **options}), store)


def test_an_update_of_units_at_work_is_ready(store: Store) -> None:
    assert updated(store) == []
    assert updated(store, until=NOON + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("address", "fields", "part"),
    [
        (A1, {"failure": DEAD}, "172.24.1.9: no route"),
        (A1, {"firmware": None}, "172.24.1.9: it does not tell its version"),
        (S1, {"firmware": "7.2.58.1"}, "172.24.1.6: it runs 7.2.58.1, and a moment ago it ran 7.2.59.4"),
        (M1, {"state": State.STANDBY}, "HA Pair 1: its master has to be active and the other unit its standby, but"),
        (M1, {"partner_status": {M2: False}}, "172.24.1.5: it sees these active partners red: 172.24.1.8"),
        (S1, {"geo_partners": (M1,)}, "172.24.1.5: the pair does not synchronise"),
        (M1, {"ha": None}, "172.24.1.5: it does not tell Switch to Preferred Server, which has to be set aside"),
    ],
)
def test_an_update_is_blocked_by(address: str, fields: dict[str, Any], part: str, store: Store) -> None:
    (problem,) = updated(store, changed(FINE, address, **fields))
    assert part in problem


def test_pair_on_its_slave_is_ready_where_its_master_has_no_preference(store: Store) -> None:
    """An update that was given up may have left it so."""
    ha = {address: replace(FINE.units[address].ha, prefers_master=False) for address in (M1, S1)}  # type: ignore[type-var]
    moved = changed(changed(FINE, M1, state=State.STANDBY, ha=ha[M1]), S1, state=State.ACTIVE, ha=ha[S1])
    assert updated(store, moved) == []


def test_image_says_the_version_by_its_name(store: Store) -> None:
    for fine in (f"LM-{TO}.bin", f"LM-{TO}.22951.RELEASE.bin", f"v{TO}", f"LM_{TO}_{TO}.bin", f"{TO}."):
        assert updated(store, image=replace(IMAGE, path=Path(fine))) == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("firmware.bin", "does not say 7.2.60.1"),
        ("LM-7.2.59.patch", "says 7.2.59, and not 7.2.60.1 "),
        ("LM-7.2.60.10.bin", "says 7.2.60.10, and not 7.2.60.1 "),
        ("LM-17.2.60.1.bin", "says 17.2.60.1, and not 7.2.60.1 "),
        ("7.2.60.1-7.2.59.4.bin", "says 7.2.59.4, and not 7.2.60.1 alone"),
        ("LM-7.2.59.4-7.2.60.10.bin", "says 7.2.59.4 and 7.2.60.10, and not 7.2.60.1 "),
    ],
)
def test_image_whose_name_says_another_version_is_refused(name: str, part: str, store: Store) -> None:
    (problem,) = updated(store, image=replace(IMAGE, path=Path(name)))
    assert f"the name of the image, {name}, {part}" in problem


def test_image_that_no_firmware_fits_into_is_refused(store: Store) -> None:
    assert updated(store, image=replace(IMAGE, size=update_checks.SMALLEST_IMAGE)) == []
    (problem,) = updated(store, image=replace(IMAGE, size=3))
    assert "has 3 bytes, which no firmware fits into" in problem


def test_an_update_that_does_not_fit_into_its_window_is_not_begun(store: Store) -> None:
    (problem,) = updated(store, until=NOON + timedelta(minutes=3))
    assert "with its way back, which does not fit until" in problem


def test_an_update_that_brings_the_secret_is_done_by_hand(store: Store) -> None:
    before = make_upgrade(TOPOLOGY, TO, dict.fromkeys(UNITS, "7.2.54.0"), holds_roles=True)
    found = updated(store, changed(FINE, *UNITS, firmware="7.2.54.0"), before)
    assert "this update brings or takes the Partner Shared Secret" in found[0]
    assert "do it by hand, by the runbook of geoplan upgrade" in found[0]


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (TO, None),
        ("7.2.58.1", "it goes back to 7.2.58.1, and not to 7.2.60.1"),
        (UnitError("172.24.1.5", "it is no command here"), "it does not tell to which version it goes back"),
    ],
)
def test_way_back_is_to_what_units_name(
    answer: str | UnitError, part: str | None, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asked:
        async def previous_firmware(self) -> str:
            if isinstance(answer, UnitError):
                raise answer
            return answer

    fleet = fleet_of(UPDATE, dict.fromkeys(UNITS, Asked()))
    found = asyncio.run(check_update(fleet, FINE, Options(restores_firmware=True), store.past(), None))
    assert [part in str(problem) for problem in found.problems if part] == ([True] * len(UNITS) if part else [])
    assert found.is_clear == (part is None)


def test_what_an_update_costs_is_said_before_it_begins() -> None:
    told = " ".join(update_checks.what_to_know(UPDATE, Options(image=IMAGE)))
    assert "no partner takes over from 172.24.1.9, 172.24.1.10" in told
    assert "2 pairs under Prefer Master" in told
    assert "not confirmed on a real unit: that installpatch" in told
    back = " ".join(update_checks.what_to_know(UPDATE, Options(restores_firmware=True)))
    assert "that restorepatch goes back to the version" in back


# -- the secret --------------------------------------------------------------------------------------------------------


def rotated(store: Store, facts: Observations = WITH_SECRET, options: Options = WILLING) -> list[str]:
    return checked(check_secret, SECRET, facts, options, store)


def test_a_secret_for_units_at_work_is_ready(store: Store) -> None:
    assert rotated(store) == []
    assert rotated(store, options=replace(WILLING, until=NOON + timedelta(days=1))) == []


@pytest.mark.parametrize(
    ("address", "fields", "part"),
    [
        (A1, {"failure": DEAD}, "172.24.1.9: no route"),
        (A1, {"firmware": None}, "172.24.1.9: it does not tell its version, so whether it has a Partner Shared Secret"),
        (A1, {"firmware": "7.2.50.0"}, "172.24.1.9: its firmware 7.2.50.0 has no Partner Shared Secret"),
        (M1, {"state": State.STANDBY}, "HA Pair 1: one unit has to be active and the other its standby, but"),
        (S1, {"geo_partners": (M1,)}, "is not that of 172.24.1.5: the pair does not synchronise"),
    ],
)
def test_a_secret_is_blocked_by(address: str, fields: dict[str, Any], part: str, store: Store) -> None:
    (problem,) = rotated(store, changed(WITH_SECRET, address, **fields))
    assert part in problem


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (replace(WILLING, accepts_links_down=False), "push in a window, with --window, or say --accept-links-down"),
        (replace(WILLING, has_way_back=False), "or say --no-way-back"),
        (replace(WILLING, until=NOON + timedelta(seconds=3)), "choose a later --until, or another window"),
    ],
)
def test_a_secret_asks_for_a_word_first(options: Options, part: str, store: Store) -> None:
    (problem,) = rotated(store, options=options)
    assert part in problem


def test_what_a_secret_costs_is_said_before_it_begins() -> None:
    told = list(secret_checks.what_to_know(SECRET, changed(WITH_SECRET, M1, partner_status={M2: False}), 120))
    assert any("what HA does while the two units of a pair differ" in line for line in told)
    assert any("each pair is then watched for 120 s" in line for line in told)
    assert "these see active partners red already, by another secret or for another reason: 172.24.1.5" in told
