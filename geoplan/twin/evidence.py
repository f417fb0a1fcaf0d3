"""What a watch goes by: the journals on disk, and what an answer of a unit says."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_STAT = re.compile(rb'stat="(\d+)"')
_GZIP = b"\x1f\x8b"  # a backup
_EVENTS = (b'"changing"', b'"resubmitting"', b'"rebooting"')
_OK = 200
_LISTS = {"set_geo_partners": "geopartners", "set_remote_geo_access": "geoclients"}


class Journals:
    """The records about units in all journals of a folder, read as they grow; the folder may become another one."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._records: list[Mapping[str, Any]] = []

    def last(self, unit: str, *events: str) -> Mapping[str, Any] | None:
        """Return the last record of some events about a unit."""
        self._records += self._new()
        return next((r for r in reversed(self._records) if r["event"] in events and r.get("unit") == unit), None)

    def _new(self) -> Iterator[Mapping[str, Any]]:
        for path in sorted(self._folder().rglob("*.jsonl")):
            offset = self._offsets.get(path, 0)
            if path.stat().st_size <= offset:
                continue
            content = path.read_bytes()
            whole = content[offset : content.rfind(b"\n") + 1]
            self._offsets[path] = offset + len(whole)
            for line in whole.splitlines():
                if any(event in line[:200] for event in _EVENTS):
                    yield json.loads(line)


def entered_lists(folder: Path) -> Counter[tuple[str, str]]:
    """Return how often all journals of a folder call a list entered, by unit and list."""
    found: Counter[tuple[str, str]] = Counter()
    for path in folder.rglob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            if b'"changed"' in line[:200]:
                record = json.loads(line)
                if name := _LISTS.get(record["action"]):
                    found[record["unit"], name] += 1
    return found


def code_of(body: bytes, status: int) -> int | None:
    """Return the code of an answer in the API's own format, or nothing where it is none."""
    body = body.strip(b"\0 \r\n")
    head = body[:80]
    if head.startswith(b'{"code": 200'):
        return 200
    if head.startswith(b"{"):
        try:
            return int(json.loads(body).get("code", status))
        except (ValueError, TypeError, AttributeError):
            return None
    if head.startswith((b"<?xml", b"<Response")):
        found = _STAT.search(body[:200])
        return int(found.group(1)) if found else None
    return status if status == _OK and head.startswith(_GZIP) else None
