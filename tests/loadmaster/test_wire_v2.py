"""APIv2: JSON that is not quite JSON, and what stands beside its envelope."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.loadmaster import Secret, UserPassword, decode
from geoplan.loadmaster.wire import Command, Reply, UnusableError
from geoplan.loadmaster.wire_v2 import WireV2

IDENTITY = UserPassword("bal", Secret("x"))


def read(body: bytes | str, status: int = 200) -> object:
    return WireV2().read(Reply(status, body.encode() if isinstance(body, str) else body), file=False)


@pytest.mark.parametrize(
    ("control", "shown"), [("\n", " "), ("\t", " "), ("\x01", "\\u0001"), ("\x1b", "\\u001b"), ("\x7f", "\\u007f")]
)
def test_control_characters_in_names_are_read_and_shown_as_their_codes(control: str, shown: str) -> None:
    answer = WireV2().read(Reply(200, f'{{"code":200,"name":"HA{control}Pair"}}'.encode()), file=False)
    assert decode.text(answer, "name") == f"HA{shown}Pair"


def test_object_beside_the_envelope_keeps_its_own_status() -> None:
    body = '{"Status":"Up","IPAddress":"10.0.0.1","Name":"A","Type":"remoteLM","code":200,"status":"ok"}'
    (cluster,) = decode.clusters(WireV2().read(Reply(200, body.encode()), file=False))
    assert cluster.status == "Up"


@pytest.mark.parametrize("body", [{"Code": 200, "Message": "ok"}, {"CODE": "200", "status": "ok"}])
def test_envelope_is_known_in_other_capitals(body: dict[str, object]) -> None:
    answer = WireV2().read(Reply(200, json.dumps(body).encode()), file=False)
    assert (answer.code, answer.content) == (200, {})


def test_keys_that_differ_in_case_alone_hide_no_value() -> None:
    answer = WireV2().read(Reply(200, b'{"code":200,"AwsHA":{"hamode":3,"HaMode":"master"}}'), file=False)
    assert decode.find(answer.content, "hamode") == [[3, "master"]]


@pytest.mark.parametrize("content", [{}, {"message": "Not Found"}, {"error": "no"}, {"status": "ok"}])
@pytest.mark.parametrize("status", [400, 404, 405, 422])
def test_failure_without_code_or_status_is_no_word_of_the_unit(content: dict[str, str], status: int) -> None:
    """A gateway before the unit answers such: what it refused was not refused by the unit."""
    with pytest.raises(UnusableError):
        read(json.dumps(content), status)


@given(st.lists(st.ip_addresses().map(str), max_size=5))
def test_settings_go_under_both_names(addresses: list[str]) -> None:
    command = Command("set", {"param": "geopartners", "value": tuple(addresses)})
    written = json.loads(WireV2().request(command, IDENTITY).body)
    assert written["val"] == written["value"] == ",".join(addresses)
    other = json.loads(WireV2().request(Command("get", {"param": "geopartners"}), IDENTITY).body)
    assert "val" not in other
