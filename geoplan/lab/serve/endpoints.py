"""Where the simulated units answer, and the file that tells ``geoplan push``, ``diff`` and ``status``."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from geoplan.lab.errors import LabError
from geoplan.lab.serve.certificates import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATIENCE_SECONDS = 2  # for another lab's control endpoint


@dataclass(frozen=True, slots=True)
class UnitEndpoint:
    """Where one unit answers."""

    api: str
    """The URL before ``/access`` and ``/accessv2``."""
    health: str
    """The URL of the health check; a standalone refuses it unless switched on."""
    fingerprint: str
    """``sha256:`` and 64 hexadecimal digits of its certificate."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """All units by their own addresses, and the control endpoint."""

    units: Mapping[str, UnitEndpoint] = field(default_factory=dict)
    control: str = ""
    """Its URL; empty only where a file names none."""

    @classmethod
    def from_yaml(cls, text: str) -> Endpoints:
        """Read the content of an endpoints file that a lab has written. Raises :class:`ValueError` for any other."""
        try:
            written: Any = yaml.safe_load(text)
            units = {address: UnitEndpoint(**unit) for address, unit in (written.pop("units") or {}).items()}
            read = cls(units, **written)
        except (yaml.YAMLError, AttributeError, KeyError, TypeError, RecursionError):
            raise ValueError("this is no endpoints file of a lab") from None
        if not isinstance(read.control, str):
            raise ValueError("its control endpoint is no URL")  # noqa: TRY004 - it is the file that is wrong
        return read

    def to_yaml(self) -> str:
        """Return the content of the endpoints file."""
        return yaml.safe_dump(asdict(self), sort_keys=False, allow_unicode=True, width=1000)


@contextmanager
def endpoints_file(path: Path, endpoints: Endpoints) -> Iterator[None]:
    """Keep the file there; it goes at the end, unless another lab has written its own in its place."""
    content = endpoints.to_yaml()
    try:
        _write(path, content)
    except FileExistsError:
        raise LabError(f"{path} has meanwhile been written by another", hint="choose another FILE") from None
    except OSError as error:
        raise LabError(f"cannot write {path}: {error.strerror or error}", hint="choose another FILE") from None
    try:
        yield
    finally:
        with suppress(OSError, UnicodeDecodeError):
            if path.read_text(encoding="utf-8") == content:
                path.unlink()


def make_room(path: Path) -> None:
    """Remove the endpoints file of a lab that has ended; anything else of that name is not the lab's to remove."""
    try:
        control = _read(path).control
        if control and _still_answers(control):
            raise LabError(
                f"{path} belongs to another lab, which still answers at {control}",
                hint="choose another FILE, or stop that lab first",
            )
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise LabError(f"cannot replace {path}: {error.strerror or error}", hint="choose another FILE") from None


def _read(path: Path) -> Endpoints:
    try:
        if stat.S_ISREG(path.lstat().st_mode):
            return Endpoints.from_yaml(path.read_text(encoding="utf-8"))
    except ValueError:
        pass
    raise LabError(f"{path} exists and is no endpoints file", hint="choose another FILE, or remove it yourself")


def _still_answers(control: str) -> bool:
    """Return whether a lab answers there; silence counts as one, since a lab may be suspended."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        if urlsplit(control)[:2] != ("http", f"{LOOPBACK}:{urlsplit(control).port}"):
            return False
        with opener.open(f"{control}/state", timeout=PATIENCE_SECONDS) as answer:
            state = json.loads(answer.read())
    except TimeoutError:
        return True
    except (OSError, HTTPException, ValueError):
        return False
    return isinstance(state, dict) and "units" in state


def _write(path: Path, content: str) -> None:
    """Write a new file as a whole: whoever waits for it never reads half of it. What is there already stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        try:
            path.hardlink_to(name)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            Path(name).replace(path)
    finally:
        with suppress(OSError):
            Path(name).unlink()
