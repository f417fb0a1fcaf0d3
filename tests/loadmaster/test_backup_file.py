"""Which files can be a unit's backup."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.loadmaster.backup_file import MOST_UNPACKED, backup_fault
from geoplan.loadmaster.wire import Reply, UnusableError, WireFormat
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.loadmaster.wire_v2 import WireV2

CONFIGURATION = os.urandom(3000)


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("configuration", content)
    return file.getvalue()


PACKED = {
    "gzip": gzip.compress(CONFIGURATION),
    "bzip2": bz2.compress(CONFIGURATION),
    "xz": lzma.compress(CONFIGURATION),
    "zip": zipped(CONFIGURATION),
}


@pytest.mark.parametrize("kind", PACKED)
@given(part=st.floats(0.01, 0.99))
def test_packed_file_is_taken_whole_and_refused_wherever_it_is_cut(kind: str, part: float) -> None:
    whole = PACKED[kind]
    assert backup_fault(whole) is None
    cut = whole[: max(8, int(len(whole) * part))]
    assert "cut off" in (backup_fault(cut) or "")


@pytest.mark.parametrize("kind", PACKED)
def test_damaged_file_is_refused(kind: str) -> None:
    damaged = bytearray(PACKED[kind])
    middle = len(damaged) // 2
    damaged[middle : middle + 40] = bytes(byte ^ 0xFF for byte in damaged[middle : middle + 40])
    assert backup_fault(bytes(damaged))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\r\n \0", "empty"),
        (bytes(5000), "empty"),
        (b"\n<!DOCTYPE html><title>Login</title>", "a page"),
        (b"\xef\xbb\xbf<HTML>", "a page"),
        (b'<?xml version="1.0"?><Response stat="200"/>', "a page or an answer"),
    ],
)
def test_what_is_no_file_at_all_is_refused(content: bytes, words: str) -> None:
    assert words in (backup_fault(content) or "")


def test_formats_that_nobody_here_knows_are_taken() -> None:
    assert backup_fault(b"Salted__" + CONFIGURATION) is None
    assert backup_fault(b"LM\x00backup of 7.2.59.4\n") is None


def test_file_that_unpacks_to_no_end_is_refused() -> None:
    assert "MiB" in (backup_fault(gzip.compress(bytes(MOST_UNPACKED + 1), 1)) or "")


@pytest.mark.parametrize("wire", [WireV1(), WireV2()], ids=["APIv1", "APIv2"])
@pytest.mark.parametrize("content", [b"", b"<html>", PACKED["gzip"][:-9]], ids=["empty", "page", "cut"])
def test_no_format_of_the_api_takes_one_that_is_unusable(wire: WireFormat, content: bytes) -> None:
    def answer(file: bytes) -> Reply:
        as_json = {"code": 200, "message": "ok", "status": "ok", "data": base64.b64encode(file).decode()}
        return Reply(200, json.dumps(as_json).encode() if isinstance(wire, WireV2) else file)

    assert wire.read(answer(PACKED["gzip"]), file=True).file == PACKED["gzip"]
    with pytest.raises(UnusableError):
        wire.read(answer(content), file=True)
