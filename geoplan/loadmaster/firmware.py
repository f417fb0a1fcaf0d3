"""New firmware over the API: an image as it is read from its file, the way back, and the preferred host meanwhile."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.errors import UnclearOutcomeError, UnitUnreachableError, UnusableAnswerError, UnusableFileError
from geoplan.files import display_name, open_regular
from geoplan.loadmaster import decode
from geoplan.loadmaster.wire import Command, UnusableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from geoplan.loadmaster.ha import HaCommands
    from geoplan.loadmaster.model import HaFacts
    from geoplan.loadmaster.session import Session
    from geoplan.loadmaster.wire import Parameter

PART_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class FirmwareImage:
    """A firmware image in a file. It is never held in memory."""

    path: Path
    size: int
    """In bytes."""

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.path.name

    @classmethod
    def at(cls, path: str | Path) -> FirmwareImage:
        """Look at an image. Raises :class:`UnusableFileError` where it is no file, unreadable or empty."""
        try:
            with open_regular(path) as file:
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            shown = display_name(str(path))
            raise UnusableFileError(f"cannot read the image {shown}: {error.strerror or error}") from None
        if not size:
            raise UnusableFileError(f"the image {display_name(str(path))} is empty")
        return cls(Path(path), size)


class ImageUpload:
    """An image on its way to one unit."""

    def __init__(self, image: FirmwareImage) -> None:
        self.name = image.name
        self.size = image.size
        self.sent = 0
        """How many bytes were taken to be sent so far."""
        self._path = image.path

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the file, and never more or less than its size: else the next request would begin in its midst."""
        with open_regular(self._path) as file:
            while self.sent < self.size:
                part = file.read(min(PART_BYTES, self.size - self.sent))
                if not part:
                    raise OSError("the image became shorter while it was sent")
                self.sent += len(part)
                yield part

    @property
    def is_complete(self) -> bool:
        """Whether all of it was taken, so that the unit may have it."""
        return self.sent >= self.size


class FirmwareCommands(ABC):
    """What a client of one unit can do about its firmware."""

    address: str
    _session: Session

    async def install_firmware(self, image: FirmwareImage) -> None:
        """Send an image once; the unit runs it from its next boot on.

        Raises :class:`UnclearOutcomeError` where the unit may have it: only the version after a boot tells. Where it
        cannot have all of it, that is :class:`UnitUnreachableError`, and it installs nothing.
        """
        upload = ImageUpload(image)
        command = Command("installpatch", changes=True, image=upload)
        try:
            await self._session.change(command, once=True, only_v1=True)
        except UnclearOutcomeError as error:
            if upload.is_complete:
                raise
            cut = f"the upload was cut after {upload.sent:,} of {upload.size:,} bytes"
            raise UnitUnreachableError(self.address, cut, request_sent=True, hint=error.hint) from None

    async def restore_firmware(self) -> None:
        """Have the unit go back, once, to the firmware before; it runs that from its next boot on."""
        await self._session.change(Command("restorepatch", changes=True), once=True)

    async def previous_firmware(self) -> str:
        """Return the version that it ran before, and that it can go back to."""
        answer = await self._session.read(Command("getpreviousversion"))
        try:
            return decode.text(answer, "previousversion")
        except UnusableError as error:
            raise UnusableAnswerError(self.address, f"its answer is not understood: {error}") from None

    async def set_preferred_host(self, partner: str, *, prefers_master: bool) -> None:
        """Set whether the master takes over again, and nothing else: the partner is the one that it told just before.

        The vendor's client sends no HA parameter without the partner or the port.
        """

        async def is_set() -> bool:
            found = await self.ha_parameters()
            return found is not None and found.prefers_master is prefers_master

        family = await self._known_ha_commands()
        given: dict[str, Parameter] = {"partner": partner, "haprefered": int(prefers_master)}
        await self._session.change(Command(family.set_parameters, given, changes=True), is_applied=is_set)

    @abstractmethod
    async def ha_parameters(self) -> HaFacts | None:
        """Return the HA parameters of a cloud unit."""

    @abstractmethod
    async def _known_ha_commands(self) -> HaCommands:
        """Return the commands with which its firmware names HA."""
