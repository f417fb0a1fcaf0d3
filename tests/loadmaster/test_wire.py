"""The bytes of answers, whatever units put around and into them: the same text comes out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.loadmaster import decode
from geoplan.loadmaster.wire import Reply, UnusableError, WireFormat, decoded, trimmed
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.loadmaster.wire_v2 import WireV2
from tests.loadmaster.answering import Heard, Said, answering, xml

AROUND = [b"", b"\n\n", b"\r\n \t", b"\0", b"\0\0\n", b"\n\0 "]
FORMATS: list[WireFormat] = [WireV1(), WireV2()]


def bodies(name: str, encoding: str) -> list[bytes]:
    """Return one answer with a name in it in both formats, each as bytes of an encoding."""
    document = f'<?xml version="1.0" encoding="ISO-8859-1"?><Response stat="200" code="ok"><Success><Data><Name>{name}'
    document += "</Name></Data></Success></Response>"
    return [document.encode(encoding), json.dumps({"code": 200, "Name": name}, ensure_ascii=False).encode(encoding)]


def names_in(written: list[bytes]) -> set[str]:
    return {
        decode.text(wire.read(Reply(200, body), file=False), "name")
        for wire, body in zip(FORMATS, written, strict=True)
    }


@pytest.mark.parametrize("name", ["Köln", "Zürich", "São Paulo", "Ærø 1"])
@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_name_beyond_ascii_is_the_same_in_either_encoding(name: str, encoding: str) -> None:
    assert names_in(bodies(name, encoding)) == {name}


@given(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1))
def test_every_name_survives_in_utf_8(name: str) -> None:
    assert names_in(bodies(name, "utf-8")) == {name}


def test_two_names_in_two_encodings_in_one_answer_are_both_read() -> None:
    mixed = "Köln ".encode() + "Köln".encode("iso-8859-1")
    assert decoded(mixed) == "Köln Köln"


@given(st.sampled_from(AROUND), st.booleans(), st.sampled_from(AROUND), st.sampled_from(AROUND))
def test_what_stands_around_a_document_is_no_part_of_it(
    before: bytes, has_mark: bool, between: bytes, after: bytes
) -> None:
    head = before + (b"\xef\xbb\xbf" if has_mark else b"") + between
    assert names_in([head + body + after for body in bodies("Köln", "utf-8")]) == {"Köln"}
    assert trimmed(head + b"x" + after) == b"x"


@given(st.binary(max_size=60))
def test_any_bytes_are_some_text(body: bytes) -> None:
    assert isinstance(decoded(body), str)
    assert decoded(body).encode("utf-8", "strict") is not None


@pytest.mark.parametrize("wire", FORMATS, ids=["v1", "v2"])
@pytest.mark.parametrize("part", [1, 30, 60, 90])
def test_document_that_was_cut_is_none(wire: WireFormat, part: int) -> None:
    """Nothing that is mended in a document makes one of a part of it."""
    whole = bodies("Köln & Söhne &", "iso-8859-1")[FORMATS.index(wire)]
    with pytest.raises(UnusableError):
        wire.read(Reply(200, whole[: len(whole) * part // 100] + b"\0\n"), file=False)


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_cluster_beyond_ascii_is_the_same_over_the_wire(encoding: str) -> None:
    cluster = "<cluster><IPAddress>10.0.0.1</IPAddress><Name>Köln</Name><Type>remoteLM</Type></cluster>"

    def answer(heard: Heard) -> Said:
        said = xml(cluster.encode(encoding) if heard.command == "listclusters" else "<version>7.2.48</version>")
        return Said(b"\n" + said.body + b"\0")

    async def act() -> Any:
        async with answering(answer) as unit, unit.client(api_version=1) as client:
            return await client.clusters()

    (found,) = asyncio.run(act())
    assert found.name == "Köln"
