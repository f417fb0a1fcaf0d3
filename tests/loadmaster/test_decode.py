"""Reading tolerantly: every plausible form of a value in both formats, and nothing but our errors for the rest."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any
from xml.sax.saxutils import escape

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.loadmaster import ClusterType, GeoCluster, decode
from geoplan.loadmaster.credentials import Secret, UserPassword
from geoplan.loadmaster.partner_status import partner_status
from geoplan.loadmaster.wire import Answer, Command, Reply, UnusableError, WireFormat, clean
from geoplan.loadmaster.wire_v1 import WireV1
from geoplan.loadmaster.wire_v2 import WireV2
from geoplan.wording import is_control
from tests.loadmaster.support import form_of

DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
FORMATS: list[WireFormat] = [WireV1(), WireV2()]

READERS: list[Callable[[Answer], Any]] = [
    lambda answer: decode.text(answer, "version"),
    lambda answer: decode.flag(answer, "sshaccess"),
    lambda answer: decode.addresses(answer, "geopartners"),
    decode.file,
    decode.geo_enabled,
    decode.clusters,
    decode.fqdns,
    decode.fqdn_maps,
    lambda answer: decode.fqdn_map(answer, "x"),
    partner_status,
    decode.ha_parameters,
]

addresses = st.lists(st.ip_addresses().map(str), max_size=8, unique=True)


def xml(data: str) -> Answer:
    text = f'{DECLARATION}<Response stat="200" code="ok"><Success><Data>{data}</Data></Success></Response>'
    return WireV1().read(Reply(200, text.encode("iso-8859-1", "xmlcharrefreplace")), file=False)


def js(**content: Any) -> Answer:
    return WireV2().read(Reply(200, json.dumps({"code": 200, "status": "ok", **content}).encode()), file=False)


def cased(data: st.DataObject, text: str) -> str:
    return "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in text)


@given(addresses, st.data())
def test_lists_are_read_in_every_form(listed: list[str], data: st.DataObject) -> None:
    separator = data.draw(st.sampled_from([",", " ", ", ", " , ", "\n", ";", ",,"]))
    name = cased(data, "geopartners")
    forms = [
        xml(f"<{name}>{separator.join(listed)}</{name}>"),
        xml(f'<{name} type="list">{separator.join(listed)}</{name}>') if listed else xml(f"<{name}/>"),
        xml("".join(f"<{name}>{address}</{name}>" for address in listed) or f"<{name}/>"),
        js(**{name: separator.join(listed)}),
        js(**{name: listed}),
        js(**{name: [separator.join(listed)]}),
        js(Data={name: listed}),
    ]
    for answer in forms:
        assert decode.addresses(answer, "geopartners") == tuple(listed)


@pytest.mark.parametrize("nothing", ["", "unset", "none", "-", None, []])
def test_an_empty_list_has_many_spellings(nothing: Any) -> None:
    assert decode.addresses(js(geopartners=nothing), "geopartners") == ()
    assert decode.addresses(js(), "geopartners") == ()
    assert decode.addresses(xml(""), "geopartners") == ()


def test_a_list_names_no_address_twice_and_keeps_what_is_none() -> None:
    assert decode.addresses(js(geoclients="2001:DB8::5 2001:db8:0::5,lb.example"), "geoclients") == (
        "2001:DB8::5",
        "lb.example",
    )


@pytest.mark.parametrize("answer", [js(other="1.2.3.4"), js(geopartners="1.2.3.4 <b>"), xml("<other>x</other>")])
def test_a_list_that_is_not_there_or_holds_markup_is_not_taken_for_empty(answer: Answer) -> None:
    with pytest.raises(UnusableError):
        decode.addresses(answer, "geopartners")


@given(st.data(), st.booleans())
def test_truth_values_are_read_in_every_form(data: st.DataObject, value: bool) -> None:
    words = decode.TRUE_WORDS if value else decode.FALSE_WORDS - {"none"}
    word = cased(data, data.draw(st.sampled_from(sorted(words))))
    forms = [xml(f"<SSHaccess> {word} </SSHaccess>"), js(sshaccess=word), js(sshaccess=value), js(sshaccess=int(value))]
    assert {decode.flag(answer, "sshaccess") for answer in forms} == {value}


@pytest.mark.parametrize("answer", [js(), js(sshaccess="perhaps"), js(sshaccess=2), xml("<sshaccess/>")])
def test_neither_yes_nor_no_is_no_guess(answer: Answer) -> None:
    with pytest.raises(UnusableError):
        decode.flag(answer, "sshaccess")


@pytest.mark.parametrize(
    ("answer", "enabled"),
    [
        (xml("GEO is enabled"), True),
        (xml("GEO is disabled"), False),
        (xml("GEO is not enabled"), False),
        (js(message="GEO is enabled"), True),
        (js(data="GEO is Disabled"), False),
        (js(geo=True), True),
        (js(isgeoenabled="no"), False),
    ],
)
def test_geo_says_in_a_sentence_or_a_value_whether_it_is_on(answer: Answer, enabled: bool) -> None:
    assert decode.geo_enabled(answer) is enabled


ELEMENTS = {
    "Status": "Up", "Index": 1, "Name": "Dublin", "ClusterVSAddress": "10.0.0.1", "IPAddress": "10.0.0.1",
    "Checker": "none", "CheckerPort": 0, "Type": "remoteLM", "Enable": "Y",
    "LocationLatitude": "43.34416667", "LocationLongitude": "-6.26750000",
}  # fmt: skip


@given(st.sets(st.sampled_from(sorted(set(ELEMENTS) - {"IPAddress"}))), st.integers(1, 4), st.data())
def test_clusters_are_read_whatever_is_missing(missing: set[str], number: int, data: st.DataObject) -> None:
    kept = {name: value for name, value in ELEMENTS.items() if name not in missing}
    many = [{**kept, "IPAddress": f"10.0.0.{index}"} for index in range(1, number + 1)]
    elements = ["".join(f"<{name}>{value}</{name}>" for name, value in one.items()) for one in many]
    wrapped: list[Answer] = [
        xml("".join(f"<cluster>{each}</cluster>" for each in elements)),
        xml("<clusters>" + "".join(f"<Cluster>{each}</Cluster>" for each in elements) + "</clusters>"),
        js(cluster=many),
        js(**{cased(data, "clusters"): many}),
        js(Data={"cluster": many}),
        js(cluster=many[0] if number == 1 else many),
    ]
    for answer in wrapped:
        found = decode.clusters(answer)
        assert [cluster.address for cluster in found] == [one["IPAddress"] for one in many]
        for cluster in found:
            assert cluster.name == ("" if "Name" in missing else "Dublin")
            assert cluster.type is (ClusterType.UNKNOWN if "Type" in missing else ClusterType.REMOTE_LM)
            assert cluster.latitude == (None if "LocationLatitude" in missing else 43.34416667)
            assert cluster.enabled is (None if "Enable" in missing else True)


@pytest.mark.parametrize("written", ["remoteLM", "REMOTELM", "Remote LM", "remote_lm"])
def test_a_type_is_known_in_any_spelling(written: str) -> None:
    expected = (GeoCluster("10.0.0.1", "", ClusterType.REMOTE_LM),)
    assert decode.clusters(js(cluster={"IPAddress": "10.0.0.1", "Type": written})) == expected


@pytest.mark.parametrize(
    "answer", [js(cluster={"Name": "x"}), js(cluster=["x"]), js(other="x"), xml("<cluster><Name>x</Name></cluster>")]
)
def test_a_cluster_without_an_address_is_not_passed_over(answer: Answer) -> None:
    with pytest.raises(UnusableError):
        decode.clusters(answer)


@pytest.mark.parametrize("answer", [js(), js(cluster=[]), xml(""), xml("No geo data found")])
def test_no_cluster_is_no_cluster(answer: Answer) -> None:
    assert decode.clusters(answer) == ()
    assert decode.fqdns(answer) == ()


@pytest.mark.parametrize(
    ("reason", "nothing"),
    [("No geo data found", True), ("No FQDN defined", True), ("Unknown command", False), ("Command not found", False)],
)
def test_only_a_refusal_that_says_so_means_an_empty_list(reason: str, nothing: bool) -> None:
    assert decode.says_nothing_there(reason) is nothing


@pytest.mark.parametrize(
    "answer",
    [
        xml("<fqdn><Status>Up</Status><FullyQualifiedDomainName>a.example</FullyQualifiedDomainName></fqdn>"),
        js(fqdn=[{"FullyQualifiedDomainName": "a.example"}]),
        js(fqdn={"name": "a.example"}),
        js(fqdns=["a.example"]),
        js(FQDN="a.example"),
    ],
)
def test_fqdns_are_read_in_every_form(answer: Answer) -> None:
    assert decode.fqdns(answer) == ("a.example",)


NO_MAP = js(fqdn={"name": "a.example"})
MAPS = js(
    fqdn={"name": "a.example", "Map": [{"IPAddress": "192.0.2.1", "Cluster": "Here"}, {"ip": "::1", "cluster": ""}]}
)


@pytest.mark.parametrize(
    "answer",
    [
        MAPS,
        js(FullyQualifiedDomainName="a.example.", Map=[
            {"Address": "192.0.2.1", "Cluster": "Here"}, {"IPAddress": "::1", "Cluster": ""}]),
        js(fqdns=[{"name": "b.example"}, {"name": "a.example.", "maps": [
            {"IPAddress": "192.0.2.1", "Cluster": "Here"}, {"IPAddress": "::1", "Cluster": None}]}]),
        xml("<fqdn><FullyQualifiedDomainName>A.example.</FullyQualifiedDomainName>"
            "<Map><IPAddress>192.0.2.1</IPAddress><Cluster>Here</Cluster></Map>"
            "<Map><IPAddress>::1</IPAddress><Cluster></Cluster></Map></fqdn>"),
    ],
)  # fmt: skip
def test_maps_of_an_fqdn_are_read_in_every_form(answer: Answer) -> None:
    found = decode.fqdn_map(answer, "a.example")
    assert [(each.address, each.cluster) for each in found.maps] == [("192.0.2.1", "Here"), ("::1", "")]


@pytest.mark.parametrize(
    "entry", [{"IPAddress": "192.0.2.1"}, {"Cluster": "Here"}, {"IPAddress": "x", "Cluster": "Here"}, "192.0.2.1",
              {"IPAddress": "192.0.2.1", "Cluster": {"Id": 1}}]
)  # fmt: skip
def test_a_map_that_does_not_tell_its_cluster_is_not_passed_over(entry: object) -> None:
    with pytest.raises(UnusableError, match="does not tell"):
        decode.fqdn_map(js(fqdn={"name": "a.example", "Map": [entry]}), "a.example")


def test_a_map_of_which_it_is_not_told_whose_it_is_is_not_passed_over() -> None:
    answer = js(fqdns=[{"fqdn": "a.example", "Map": [{"IPAddress": "192.0.2.1", "Cluster": "Here"}]}])
    with pytest.raises(UnusableError, match="of which FQDN"):
        decode.fqdn_map(answer, "a.example")


@pytest.mark.parametrize("answer", [js(), js(fqdn={"name": "b.example"}), xml("No geo data found")])
def test_an_fqdn_that_is_not_in_the_answer_has_not_no_maps(answer: Answer) -> None:
    assert decode.fqdn_map(NO_MAP, "A.example.").maps == ()
    with pytest.raises(UnusableError, match="not in it"):
        decode.fqdn_map(answer, "a.example")


@pytest.mark.parametrize(
    ("word", "mode"),
    [("master", "master"), ("First", "master"), ("slave", "slave"), ("second", "slave"), ("single", "single"),
     ("1", None), ("2", None), ("odd", None), ("Master (Active)", "master"),
     ("0", None), ("", None), ("none", None), ("unset", None), ("3", None)],
)  # fmt: skip
def test_roles_are_read_in_old_and_new_words_and_nothing_but_single_is_single(word: str, mode: str | None) -> None:
    assert decode.ha_parameters(js(AwsHA={"HaMode": word, "Port": 8444})).mode == mode
    answer = xml(f"<AwsHA><HaMode>{word}</HaMode><Port>8444</Port></AwsHA>")
    assert decode.ha_parameters(answer).mode == mode


@pytest.mark.parametrize("answer", [js(AwsHA={"HaPrefered": 1}), xml("<AwsHA><HaPrefered>1</HaPrefered></AwsHA>")])
def test_ha_parameters_that_are_missing_are_not_told(answer: Answer) -> None:
    found = decode.ha_parameters(answer)
    assert (found.partner, found.health_check_port, found.mode) == (None, None, None)


@pytest.mark.parametrize(
    "told", ["1767225600", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00", "Thu Jan  1 00:00:00 2026"]
)
def test_moments_are_read_in_likely_spellings(told: str) -> None:
    assert decode.moment(told) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("told", ["", "yesterday", "1e999", "nan", "9" * 400])
def test_what_is_no_moment_is_none(told: str) -> None:
    assert decode.moment(told) is None


def test_ha_parameters_tell_unset_from_not_told() -> None:
    unset = xml(
        "<AwsHA><Partner>unset</Partner><Port>unset</Port><HealthCheckAllInterfaces>unset</HealthCheckAllInterfaces></AwsHA>"
    )
    parameters = decode.ha_parameters(unset)
    assert (parameters.partner, parameters.health_check_port, parameters.prefers_master) == ("", 0, None)
    assert parameters.all_interfaces is False


# -- hostile answers -------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.ip_addresses().map(str),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["cluster", "IPAddress", "Name", "Type", "fqdn", "geopartners", "Partner", "data", "", "hamode"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
names = st.sampled_from(
    ["cluster", "IPAddress", "geopartners", "sshaccess", "fqdn", "Partner", "Port", "hamode", "version"]
)
trees: st.SearchStrategy[str] = st.recursive(
    st.text(max_size=12).map(lambda text: escape("".join(c for c in text if c.isprintable()))),
    lambda inner: st.builds(
        lambda name, parts: f"<{name}>{''.join(parts)}</{name}>", names, st.lists(inner, max_size=3)
    ),
    max_leaves=10,
)


def survives(wire: WireFormat, body: bytes, status: int = 200) -> None:
    """Read hostile bytes with everything; only our own error may come of it, and no text that breaks a terminal."""
    for file in (False, True):
        try:
            answer = wire.read(Reply(status, body), file=file)
        except UnusableError:
            continue
        reasons = [clean(answer.message)]
        for read in READERS:
            try:
                value = read(answer)
            except UnusableError as error:
                reasons.append(str(error))
                continue
            assert value is not None
            if isinstance(value, tuple):
                assert all(repr(each).isprintable() for each in value)
        assert all(reason.isprintable() for reason in reasons)


@given(
    st.dictionaries(st.sampled_from(["cluster", "geopartners", "sshaccess", "data", "code", "message"]), json_values)
)
def test_no_json_brings_anything_down(content: dict[str, Any]) -> None:
    survives(WireV2(), json.dumps({"code": 200, **content}).encode())


@given(trees)
def test_no_xml_brings_anything_down(data: str) -> None:
    text = f'{DECLARATION}<Response stat="200" code="ok"><Success><Data>{data}</Data></Success></Response>'
    survives(WireV1(), text.encode("iso-8859-1", "xmlcharrefreplace"))


@given(st.binary(max_size=200), st.sampled_from([200, 302, 401, 404, 429, 500]), st.sampled_from(FORMATS))
def test_no_bytes_bring_anything_down(body: bytes, status: int, wire: WireFormat) -> None:
    survives(wire, body, status)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[" * 100_000,
        b'{"code":' + b"9" * 10_000 + b"}",
        b'{"code":200,"a":' + b'{"a":' * 60 + b"1" + b"}" * 61,
        b'{"code":true}',
        b'{"code":"\xd9\xa3\xd9\xa3\xd9\xa3"}',
        b'{"code":200,"message":"\\ud800\\u001b[2J","geopartners":"\\ud800"}',
        b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><Response stat="200">&c;</Response>',
        b'<?xml version="1.0"?><!DOCTYPE r SYSTEM "file:///etc/passwd"><Response stat="200"/>',
        b'<?xml version="1.0" encoding="nonsense"?><Response/>',
        b'<?xml version="1.0" encoding="utf-16"?><Response/>',
        b'<Response stat="200" code="ok"><Success>' + b"<a>" * 5000 + b"</a>" * 5000 + b"</Success></Response>",
        b'<Response stat="\xc2\xb2\xc2\xb2\xc2\xb2" code="ok"><Success/></Response>',
        b'<Response stat="200" code="ok"><Success><Data/></Success><Success>x</Success></Response>',
        b"<html><body>login</body></html>",
    ],
)
@pytest.mark.parametrize("wire", FORMATS, ids=["v1", "v2"])
def test_known_attacks_fail(wire: WireFormat, body: bytes) -> None:
    survives(wire, body)


@pytest.mark.parametrize("declared", ['<!ENTITY a "b">', ""])
def test_an_answer_that_declares_anything_is_refused(declared: str) -> None:
    body = f'<?xml version="1.0"?><!DOCTYPE r [{declared}]><Response stat="200" code="ok"><Success/></Response>'
    with pytest.raises(UnusableError):
        WireV1().read(Reply(200, body.encode()), file=False)


def test_iso_8859_1_is_read_as_declared() -> None:
    assert decode.text(xml("<name>Zürich</name>"), "name") == "Zürich"


@given(addresses)
def test_lists_are_written_with_commas_alone(listed: list[str]) -> None:
    identity, command = (
        UserPassword("bal", Secret("x")),
        Command("set", {"param": "geopartners", "value": tuple(listed)}),
    )
    older, newer = (wire.request(command, identity) for wire in FORMATS)
    assert older.method == "POST"
    assert form_of(httpx.Request("POST", "https://unit", content=older.body))["value"] == ",".join(listed)
    assert json.loads(newer.body)["value"] == ",".join(listed)
    assert all(str(ip_address(address)) == address for address in listed)


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\x00\x07\x1b\x7f\x9b\n\r\u2028\u202e\u2066")), max_size=20
).map(lambda text: f"\x1b[2J{text}\u202e")


@given(HOSTILE)
def test_nothing_of_a_units_steers_a_terminal_or_ends_a_line(text: str) -> None:
    cluster = {"Name": text, "ipAddress": "10.0.0.1", "Type": text, "Status": text, "Checker": text}
    answers = [
        js(cluster=[cluster], version=text, fqdn=[{"FullyQualifiedDomainName": text}], message=text),
        js(PartnerStatus=[{"Address": "10.0.0.1", "Status": text}], HaMode=text, partner=text, message=text),
        xml(f"<version>{escape(''.join(c for c in text if c.isprintable() or c in RISKY_IN_XML))}</version>"),
        WireV2().read(Reply(200, json.dumps({"code": 400, "message": text}).encode()), file=False),
    ]
    for answer in answers:
        said = clean(answer.message)
        for reader in READERS:
            try:
                said += repr_of(reader(answer))
            except UnusableError as error:
                said += str(error)
        assert not any(map(is_control, said)), said


RISKY_IN_XML = "\u202a\u202e\u2066\u2069\x85\x9b"


def repr_of(found: object) -> str:
    """Return every text in what was read, as it is."""
    if isinstance(found, str):
        return found
    if isinstance(found, dict):
        return "".join(map(repr_of, (*found.keys(), *found.values())))
    if isinstance(found, tuple | list):
        return "".join(map(repr_of, found))
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        return repr_of([getattr(found, field.name) for field in dataclasses.fields(found)])
    return ""


@pytest.mark.parametrize("answer", [xml("<version>7.2\u202e9</version>"), js(version="7.2\u202e9")])
def test_what_steers_is_shown_and_not_lost(answer: Answer) -> None:
    assert decode.text(answer, "version") == "7.2\\u202e9"
