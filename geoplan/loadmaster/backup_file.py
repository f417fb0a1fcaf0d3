"""What can be a backup of a unit, and what cannot: a file that is cut or a page is found when it is taken.

The vendor does not say in which format a backup is, so that whatever is not known to be wrong is taken. A packed file
says itself whether it is whole.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_UNPACKED = 256 * 2**20
"""Bytes: no unit's configuration is nearly as large, so more is something else."""
_AT_ONCE = 2**20
_GZIP_WINDOW = zlib.MAX_WBITS | 16  # zlib's way to say that the data has gzip's head and checksum


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


_PACKED: dict[bytes, tuple[str, Callable[[], _Unpacker]]] = {
    b"\x1f\x8b": ("gzip", lambda: zlib.decompressobj(_GZIP_WINDOW)),
    b"BZh": ("bzip2", bz2.BZ2Decompressor),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMADecompressor),
}
_ZIP = b"PK\x03\x04"


def backup_fault(content: bytes) -> str | None:
    """Say why a file cannot be a backup, in words that go on from *its backup*; or None where it can."""
    head = content[:1024].strip(b"\x00\t\n\r \xef\xbb\xbf").lower()
    if not head and not content[1024:].strip(b"\x00"):
        return "is empty"
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<response")) or b"<html" in head:
        return "is a page or an answer, and no file"
    if content.startswith(_ZIP):
        return None if _is_whole_zip(content) else "is cut off or damaged: it is no whole zip file"
    for mark, (name, unpacker) in _PACKED.items():
        if content.startswith(mark):
            return _packed_fault(content, name, unpacker())
    return None


def _is_whole_zip(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(each.file_size for each in archive.infolist()) <= MOST_UNPACKED and archive.testzip() is None
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError, zlib.error):
        return False


def _packed_fault(content: bytes, name: str, unpacker: _Unpacker) -> str | None:
    size, data = 0, content
    try:
        while not unpacker.eof:
            unpacked = unpacker.decompress(data, _AT_ONCE)
            size += len(unpacked)
            if size > MOST_UNPACKED:
                return f"unpacks to more than {MOST_UNPACKED // 2**20} MiB, which no configuration does"
            data = getattr(unpacker, "unconsumed_tail", b"")
            if not unpacked and not data:
                break
    except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError):
        return f"is damaged: it is no readable {name} file"
    return None if unpacker.eof else f"is cut off: it is no whole {name} file"
