"""Firmware over the lab's API: an image whose name says the version, the way back, and when either counts."""

from __future__ import annotations

import pytest

from geoplan.lab.http import Outcome, Request
from tests.lab.support import BASIC, M1, S1, Rehearsal, body, settle, simulate, standalone, status, topology, v1, v2

IMAGE = "LoadMaster-7.2.60.1.22951.RELEASE.bin"


@pytest.fixture
def lab() -> Rehearsal:
    return simulate()


def install(lab: Rehearsal, address: str, name: str = IMAGE, size: int = 400 * 2**20) -> Outcome:
    headers = {**BASIC, "content-disposition": f'attachment; filename="{name}"'}
    return lab.handle(address, Request("POST", "/access/installpatch", "", headers, image_bytes=size))


def version(lab: Rehearsal, address: str = S1) -> str:
    return body(v1(lab, address, "get", param="version"))


def test_image_counts_from_the_next_boot_on(lab: Rehearsal) -> None:
    before = version(lab)
    assert status(install(lab, S1)) == 200
    assert version(lab) == before
    assert status(v1(lab, S1, "reboot")) == 200
    settle(lab)
    assert "7.2.60.1.22951.RELEASE" in version(lab)
    assert "7.2.60.1" not in version(lab, M1)


def test_unit_tells_what_it_ran_before_and_goes_back_to_it_at_a_boot(lab: Rehearsal) -> None:
    assert status(v1(lab, S1, "getpreviousversion")) == 422
    assert status(v1(lab, S1, "restorepatch")) == 422
    before = version(lab)
    install(lab, S1)
    v1(lab, S1, "reboot")
    settle(lab)
    told = body(v1(lab, S1, "getpreviousversion")).partition("<PreviousVersion>")[2].partition("<")[0]
    assert f">{told}<" in before
    assert status(v1(lab, S1, "restorepatch")) == 200
    assert "7.2.60.1" in version(lab)
    v1(lab, S1, "reboot")
    settle(lab)
    assert version(lab) == before


@pytest.mark.parametrize(("name", "size"), [("firmware.bin", 1), ("7.2.9999999999.1.bin", 1), ("", 1), (IMAGE, 0)])
def test_what_is_no_image_is_refused_and_changes_nothing(lab: Rehearsal, name: str, size: int) -> None:
    before = version(lab)
    assert status(install(lab, S1, name, size)) == 422
    v1(lab, S1, "reboot")
    settle(lab)
    assert version(lab) == before


def test_apiv2_has_no_installpatch(lab: Rehearsal) -> None:
    assert status(v2(lab, S1, "installpatch")) == 405


def test_installation_that_is_only_answered_leaves_the_version(lab: Rehearsal) -> None:
    lab.inject(f"ignore,unit={S1},command=installpatch")
    before = version(lab)
    assert status(install(lab, S1)) == 200
    v1(lab, S1, "reboot")
    settle(lab)
    assert version(lab) == before


def test_standalone_takes_an_image_too() -> None:
    lab = simulate(topology(standalone(1)))
    assert status(install(lab, "10.1.1.1")) == 200
