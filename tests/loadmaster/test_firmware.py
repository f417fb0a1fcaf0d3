"""Firmware over the client: an image streamed over TLS, an upload that is cut, the way back, the preferred host."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from geoplan.errors import UnclearOutcomeError, UnitRefusedError, UnitUnreachableError, UnusableFileError
from geoplan.loadmaster import LoadMaster
from geoplan.loadmaster.connection import Timeouts
from geoplan.loadmaster.firmware import FirmwareImage, ImageUpload
from geoplan.loadmaster.http import ShownRequest
from tests.loadmaster.support import PASSWORD, UNIT, accesses, lab, run

NAME = "LoadMaster-7.2.60.1.22951.RELEASE.bin"
Act = Callable[[LoadMaster, Any], Awaitable[None]]


def image(folder: Path, size: int = 5 * 2**20, name: str = NAME) -> FirmwareImage:
    path = folder / name
    with path.open("wb") as file:
        file.truncate(size)
    return FirmwareImage.at(path)


def on_unit(act: Act, **options: Any) -> None:
    async def go() -> None:
        async with lab() as running, LoadMaster(accesses(running)[UNIT], **options) as unit:
            await act(unit, running)

    run(go())


async def version_after_boot(unit: LoadMaster) -> str:
    before = await unit.firmware()
    await unit.reboot()
    async with asyncio.timeout(20):
        while True:
            try:
                if (version := await unit.firmware()) != before:
                    return version
            except UnitUnreachableError:
                await asyncio.sleep(0.01)


def test_image_is_the_body_of_one_request_in_apiv1(tmp_path: Path) -> None:
    shown: list[ShownRequest] = []

    async def act(unit: LoadMaster, _running: Any) -> None:
        await unit.install_firmware(image(tmp_path))

    on_unit(act, observer=shown.append)
    (sent,) = [request for request in shown if request.changes]
    assert (sent.method, sent.url.rpartition("/access/")[2], sent.body) == ("POST", "installpatch", "(a file)")
    assert PASSWORD not in str(sent)
    assert Timeouts().of_request(ImageUpload(image(tmp_path, 512 * 2**20)), file=False) == 500 + 2048


def test_unit_runs_the_image_after_its_boot_and_goes_back(tmp_path: Path) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        before = await unit.firmware()
        await unit.install_firmware(image(tmp_path))
        assert await unit.firmware() == before
        assert await version_after_boot(unit) == "7.2.60.1.22951.RELEASE"
        assert await unit.previous_firmware() == before
        await unit.restore_firmware()
        assert await version_after_boot(unit) == before

    on_unit(act)


def test_dry_run_sends_nothing_of_an_image(tmp_path: Path) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        taken = image(tmp_path)
        taken.path.unlink()  # nobody reads it
        await unit.install_firmware(taken)
        assert not running.simulation.network._upgrades

    on_unit(act, dry_run=True)


def test_image_that_does_not_go_in_whole_is_never_taken_for_installed(tmp_path: Path) -> None:
    """The file became shorter than it was: what is left of the request is never sent."""

    async def act(unit: LoadMaster, running: Any) -> None:
        taken = image(tmp_path)
        with taken.path.open("wb") as file:
            file.truncate(2**20)
        with pytest.raises(UnitUnreachableError, match="the upload was cut after 1,048,576 of 5,242,880 bytes"):
            await unit.install_firmware(taken)
        assert not running.simulation.network._upgrades

    on_unit(act)


def test_answer_that_is_lost_leaves_open_whether_the_unit_has_it(tmp_path: Path) -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        running.inject(f"reset,unit={UNIT},command=installpatch,applied=yes")
        with pytest.raises(UnclearOutcomeError):
            await unit.install_firmware(image(tmp_path))
        assert running.simulation.network._upgrades

    on_unit(act)


def test_image_without_a_version_in_its_name_is_refused_by_the_lab(tmp_path: Path) -> None:
    async def act(unit: LoadMaster, _running: Any) -> None:
        with pytest.raises(UnitRefusedError, match="installpatch"):
            await unit.install_firmware(image(tmp_path, name="firmware.bin"))

    on_unit(act)


@pytest.mark.parametrize("make", ["missing", "empty", "pipe", "folder"])
def test_image_that_cannot_be_sent_is_an_error_of_the_file(tmp_path: Path, make: str) -> None:
    path = tmp_path / NAME
    if make == "empty":
        path.write_bytes(b"")
    elif make == "pipe":
        os.mkfifo(path)
    elif make == "folder":
        path.mkdir()
    with pytest.raises(UnusableFileError, match="the image"):
        FirmwareImage.at(path)


def test_preferred_host_alone_is_changed() -> None:
    async def act(unit: LoadMaster, running: Any) -> None:
        before = await unit.ha_parameters()
        assert before is not None
        assert before.prefers_master is True
        assert before.partner is not None
        await unit.set_preferred_host(before.partner, prefers_master=False)
        device = running.simulation.network.unit(UNIT)
        assert not device.ha.prefer_master
        now = await unit.ha_parameters()
        assert now is not None
        assert (now.partner, now.health_check_port, now.mode) == (before.partner, before.health_check_port, before.mode)

    on_unit(act)


def test_large_image_is_never_held(tmp_path: Path) -> None:
    size = 96 * 2**20

    async def act(unit: LoadMaster, _running: Any) -> None:
        await unit.firmware()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await unit.install_firmware(image(tmp_path, size))
        assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024 < size / 4

    on_unit(act)
