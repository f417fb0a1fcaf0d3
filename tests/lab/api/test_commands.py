"""Commands, parameters, answers and failures, in both formats, byte for byte where the reference quotes bytes."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.lab.api.commands import COMMANDS
from geoplan.lab.device.parameters import PARAMETERS
from geoplan.lab.http import Request
from geoplan.lab.simulation import DEFAULT_RATE_LIMIT
from tests.lab.support import (
    A1,
    BASIC,
    FORM,
    M1,
    MOMENT,
    S1,
    Rehearsal,
    body,
    health,
    read_v2,
    settle,
    simulate,
    standalone,
    status,
    topology,
    v1,
    v2,
)

DECLARATION = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
SHARED = "what-partners-share"
DONE = '<Response stat="200" code="ok"><Success>Command completed ok</Success></Response>\n'


@pytest.fixture
def lab() -> Rehearsal:
    return simulate()


# -- the two formats -------------------------------------------------------------------------------------------------


def test_v1_answers_a_parameter_in_xml(lab: Rehearsal) -> None:
    answer = body(v1(lab, M1, "get", param="sshaccess"))
    success = "<Success><Data><sshaccess>yes</sshaccess></Data></Success>"
    assert answer == f'{DECLARATION}<Response stat="200" code="ok">{success}</Response>\n'


def test_v2_answers_a_parameter_in_json(lab: Rehearsal) -> None:
    assert read_v2(lab, M1, "get", param="sshaccess") == {"code": 200, "sshaccess": True, "status": "ok"}


def test_lists_have_each_format_s_own_dialect_and_both_agree(lab: Rehearsal) -> None:
    assert (
        body(v1(lab, M1, "set", method="POST", param="GeoPartners", value="172.24.1.7, 172.24.1.8"))
        == DECLARATION + DONE
    )
    assert "<geopartners>172.24.1.7,172.24.1.8</geopartners>" in body(v1(lab, M1, "get", param="geopartners"))
    assert read_v2(lab, M1, "get", param="geopartners")["geopartners"] == ["172.24.1.7", "172.24.1.8"]
    v2(lab, M1, "set", param="geopartners", value=["172.24.1.9"])
    assert "<geopartners>172.24.1.9</geopartners>" in body(v1(lab, M1, "get", param="geopartners"))


@pytest.mark.parametrize("written", ["172.24.1.7,172.24.1.8", "172.24.1.7 172.24.1.8", " 172.24.1.7,  172.24.1.8 "])
def test_lists_are_taken_with_commas_or_spaces(lab: Rehearsal, written: str) -> None:
    v1(lab, M1, "set", param="geoclients", value=written)
    assert lab.network.unit(M1).remote_geo_access == ("172.24.1.7", "172.24.1.8")


def test_an_empty_list_is_a_list(lab: Rehearsal) -> None:
    assert status(v1(lab, M1, "set", param="geopartners", value="")) == 200
    assert "<geopartners></geopartners>" in body(v1(lab, M1, "get", param="geopartners"))
    assert lab.network.unit(M1).submitted == ()


def test_getall_has_every_parameter_that_is_set_in_the_shape_of_get(lab: Rehearsal) -> None:
    everything = read_v2(lab, M1, "getall")
    assert not {"geoclients", "geopartners", "apiport", "searchlist"} & set(everything), "they are unset"
    assert everything["version"] == "7.2.59.4.22338.RELEASE"
    for name, value in everything.items():
        if name not in ("code", "status"):
            assert read_v2(lab, M1, "get", param=name)[name] == value


def test_getall_of_v1_repeats_the_element_of_a_list(lab: Rehearsal) -> None:
    assert "geopartners" not in body(v1(lab, M1, "getall"))
    v1(lab, M1, "set", param="geopartners", value="172.24.1.7,172.24.1.8")
    repeated = "<geopartners>172.24.1.7</geopartners><geopartners>172.24.1.8</geopartners>"
    assert repeated in body(v1(lab, M1, "getall"))
    assert read_v2(lab, M1, "getall")["geopartners"] == ["172.24.1.7", "172.24.1.8"]


def test_commands_and_names_are_taken_in_any_case(lab: Rehearsal) -> None:
    request = Request("GET", "/access/GET", "Param=GeoClients", BASIC)
    assert "<GeoClients></GeoClients>" in body(lab.handle(M1, request))


# -- who am I --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        (BASIC, "param=version", 200),
        ({}, "param=version&apikey=the-key", 200),
        ({}, "param=version", 401),
        ({}, "param=version&apiuser=bal&apipass=correct+horse", 401),
        (BASIC, "param=version&apikey=wrong", 401),
        ({"authorization": "Basic " + base64.b64encode(b"bal:wrong").decode()}, "param=version", 401),
        ({"authorization": "Basic ?!"}, "param=version", 401),
        ({"authorization": "Bearer the-key"}, "param=version", 401),
    ],
)
def test_v1_takes_basic_or_an_api_key(lab: Rehearsal, headers: dict[str, str], query: str, expected: int) -> None:
    outcome = lab.handle(M1, Request("GET", "/access/get", query, headers))
    assert status(outcome) == expected
    assert f'stat="{expected}"' in body(outcome)


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        ({"apikey": "the-key"}, 200),
        ({"apiuser": "bal", "apipass": "correct horse"}, 200),
        ({"apikey": "wrong", "apiuser": "bal", "apipass": "correct horse"}, 401),
        ({"apiuser": "bal", "apipass": "wrong"}, 401),
        ({"apiuser": "bal"}, 401),
        ({"nobody": "at all"}, 401),
    ],
)
def test_v2_takes_a_key_or_a_user_and_the_key_wins(lab: Rehearsal, identity: dict[str, str], expected: int) -> None:
    outcome = v2(lab, M1, "get", identity=identity, param="version")
    assert status(outcome) == json.loads(body(outcome))["code"] == expected


def test_a_disabled_api_shows_the_login_page_until_it_is_enabled(lab: Rehearsal) -> None:
    v1(lab, M1, "set", param="enableapi", value="no")
    for outcome in (v1(lab, M1, "get", param="version"), v2(lab, M1, "get", param="version")):
        assert outcome.response
        assert outcome.response.content_type == "text/html"
        assert status(outcome) == 200
    unreadable = lab.handle(M1, Request("POST", "/accessv2", body=b"{"))
    assert unreadable.response
    assert unreadable.response.content_type == "text/html"
    assert status(v1(lab, M1, "set", headers={}, param="enableapi", value="yes")) == 401
    v1(lab, M1, "set", param="enableapi", value="yes")
    assert read_v2(lab, M1, "get", param="enableapi")["enableapi"] is True


# -- failures --------------------------------------------------------------------------------------------------------


def test_no_cluster_at_all_is_a_404_quoted_byte_for_byte(lab: Rehearsal) -> None:
    quoted = '<Response stat="404" code="fail"><Error>No geo data found</Error></Response>\n'
    assert body(v1(lab, M1, "listclusters")) == DECLARATION + quoted
    assert body(v1(lab, M1, "listfqdns")) == DECLARATION + quoted
    assert read_v2(lab, M1, "listclusters") == {"code": 404, "message": "No geo data found", "status": "fail"}


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("set", {"param": "geopartners", "value": "172.24.1.7,nonsense"}),
        ("set", {"param": "geosshport", "value": "65536"}),
        ("set", {"param": "geosshport", "value": "ssh"}),
        ("set", {"param": "sshaccess", "value": "maybe"}),
        ("set", {"param": "version", "value": "8"}),
        ("set", {"param": "nonsense", "value": "1"}),
        ("get", {"param": "nonsense"}),
        ("addcluster", {"ip": "172.24.1", "name": "x"}),
        ("addcluster", {"ip": "172.24.1.5", "name": " "}),
        ("addcluster", {"ip": "172.24.1.5", "name": "a\x07b"}),
        ("showcluster", {"id": "first"}),
        ("clustchangeloc", {"ip": "172.24.1.5", "latsecs": "324001", "longsecs": "0"}),
        ("awshaparam", {"hcp": "0"}),
        ("awshamode", {"hamode": "third"}),
        ("setlmcommsecret", {"secret": "7-chars"}),
        ("setlmcommsecret", {"secret": "x" * 128}),
        ("setlmcommsecret", {"secret": "with a blank"}),
        ("setlmcommsecret", {"secret": "don't-do-this"}),
        ("setlmcommsecret", {"secret": "schlüssel"}),
        ("set", {"param": "enableapi", "value": "1"}),
        ("azurehamode", {"hamode": "master"}),
    ],
)
def test_bad_values_and_unknown_things_are_422_in_both(
    lab: Rehearsal, command: str, parameters: dict[str, Any]
) -> None:
    assert status(v1(lab, M1, command, **parameters)) == 422
    answer = read_v2(lab, M1, command, **parameters)
    assert (answer["code"], answer["status"]) == (422, "fail")
    assert answer["message"]


@pytest.mark.parametrize(
    ("param", "value"), [("geopartners", "999.1.1.1"), ("GeoSSHPort", "0"), ("sshaccess", "maybe")]
)
def test_a_bad_value_is_refused_under_the_name_of_its_parameter(param: str, value: str) -> None:
    lab = simulate()
    assert f"Invalid value for {param.lower()}<" in body(v1(lab, M1, "set", param=param, value=value))
    assert read_v2(lab, M1, "set", param=param, value=value)["message"] == f"Invalid value for {param.lower()}"


@pytest.mark.parametrize(
    ("command", "parameters", "lacking"),
    [
        ("set", {"param": "geopartners"}, "value"),
        ("get", {}, "param"),
        ("showcluster", {}, "ip"),
        ("addcluster", {"ip": A1}, "name"),
        ("awshamode", {}, "hamode"),
    ],
)
def test_a_missing_parameter_is_a_400_that_names_it(
    lab: Rehearsal, command: str, parameters: dict[str, Any], lacking: str
) -> None:
    outcome = v1(lab, M1, command, **parameters)
    quoted = f'<Response stat="400" code="fail"><Error>{lacking}: String Value missing</Error></Response>\n'
    assert (status(outcome), body(outcome)) == (400, DECLARATION + quoted)
    answer = read_v2(lab, M1, command, **parameters)
    assert answer == {"code": 400, "message": f"{lacking}: String Value missing", "status": "fail"}


@pytest.mark.parametrize("command", ["nonsense", "locdataupdate", "set.nonsense"])
def test_an_unknown_command_is_a_405(lab: Rehearsal, command: str) -> None:
    outcome = v1(lab, M1, command)
    assert status(outcome) == 405
    assert body(outcome) == f'{DECLARATION}<Response stat="405" code="fail"><Error>Unknown command</Error></Response>\n'
    assert read_v2(lab, M1, command) == {"code": 405, "message": "Unknown command", "status": "fail"}


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        ("showcluster", {"ip": "172.24.1.5"}),
        ("showcluster", {"id": 1}),
        ("modcluster", {"ip": "172.24.1.5", "type": "remoteLM"}),
        ("delcluster", {"ip": "172.24.1.5"}),
        ("showfqdn", {"fqdn": "www.example.com"}),
        ("delfqdn", {"fqdn": "www.example.com"}),
    ],
)
def test_what_is_not_there_is_a_404(lab: Rehearsal, command: str, parameters: dict[str, Any]) -> None:
    assert status(v1(lab, M1, command, **parameters)) == 404
    assert read_v2(lab, M1, command, **parameters)["message"] == "No geo data found"


@pytest.mark.parametrize("spelling", ["value", "val"])
def test_set_takes_its_value_in_both_spellings(lab: Rehearsal, spelling: str) -> None:
    given: dict[str, Any] = {"param": "geopartners", spelling: A1}
    v1(lab, M1, "set", **given)
    assert lab.network.unit(M1).geo_partners == (A1,)
    assert read_v2(lab, M1, "set", **{"param": "geopartners", spelling: ""})["status"] == "ok"
    assert lab.network.unit(M1).geo_partners == ()


def test_without_session_management_v2_wants_a_login_that_it_has_not_and_v1_works(lab: Rehearsal) -> None:
    assert read_v2(lab, M1, "set", param="sessioncontrol", value=False)["status"] == "ok"
    outcome = v2(lab, M1, "get", param="version")
    assert outcome.response
    assert status(outcome) == 401
    assert outcome.response.headers["WWW-Authenticate"].startswith("Basic ")
    assert status(v1(lab, M1, "get", param="version")) == 200
    v1(lab, M1, "set", param="sessioncontrol", value="yes")
    assert read_v2(lab, M1, "get", param="version")["code"] == 200


def test_a_secret_may_hold_every_visible_character_of_ascii_but_one(lab: Rehearsal) -> None:
    every = 'Aa0!"#$%&()*+,-./:;<=>?[\\~]^_@`{|}'
    assert status(v1(lab, M1, "setlmcommsecret", method="POST", secret=every)) == 200
    assert read_v2(lab, M1, "setlmcommsecret", secret=every)["code"] == 200
    assert lab.network.unit(M1).secret == every
    settle(lab)
    assert lab.network.unit(S1).secret != every, "nothing synchronises it"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"param": "version"}', b'{"cmd": 1}', b"\xff", b"[" * 100_000])
def test_v2_without_a_command_in_an_object_is_a_400(lab: Rehearsal, content: bytes) -> None:
    assert status(lab.handle(M1, Request("POST", "/accessv2", body=content))) == 400


@given(
    command=st.text(max_size=30),
    parameters=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4),
    content=st.binary(),
)
def test_no_request_makes_a_unit_fail(command: str, parameters: dict[str, Any], content: bytes) -> None:
    lab = simulate(topology(standalone(1)))
    outcome = v1(lab, "10.1.1.1", command, **{f"x{name}": value for name, value in parameters.items()})
    assert body(outcome)
    if outcome.response and outcome.response.content_type == "text/xml":  # a backup is none
        ElementTree.fromstring(outcome.response.body)  # noqa: S314 - the lab's own
    outcome = lab.handle("10.1.1.1", Request("POST", "/accessv2", body=content))
    assert json.loads(body(outcome))["code"] in (400, 401)


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.just(A1)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
)
CLUSTER_NAMES = ("ip", "name", "type", "checker", "checkerport", "enable", "latsecs", "longsecs")
OTHER_NAMES = ("param", "value", "hamode", "partner", "hcp", "hcai", "fqdn", "secret")
names = st.sampled_from(CLUSTER_NAMES) | st.sampled_from(OTHER_NAMES)
params = st.sampled_from([*PARAMETERS, "nonsense"])


@given(calls=st.lists(st.tuples(st.sampled_from(sorted(COMMANDS)), st.dictionaries(names, values), params), max_size=5))
def test_no_parameters_make_a_command_fail(calls: list[tuple[str, dict[str, Any], str]]) -> None:
    lab = simulate(topology(standalone(1)))
    for command, parameters, param in calls:
        content = {"param": param, **parameters, "cmd": command, "apiuser": "bal", "apipass": "correct horse"}
        outcome = lab.handle("10.1.1.1", Request("POST", "/accessv2", body=json.dumps(content).encode()))
        if outcome.response and outcome.response.content_type == "application/json":
            expected = (405,) if command == "installpatch" else (200, 400, 401, 404, 422)  # which APIv2 has not
            assert json.loads(body(outcome))["code"] in expected
        for read in ("getall", "listclusters", "listfqdns", "getawshaparams"):
            written = v1(lab, "10.1.1.1", read)
            if written.response and written.response.content_type == "text/xml":
                ElementTree.fromstring(written.response.body)  # noqa: S314 - the lab's own


def test_identities_of_any_characters_are_only_wrong(lab: Rehearsal) -> None:
    assert status(v2(lab, M1, "get", identity={"apikey": "\ud800"}, param="version")) == 401


@pytest.mark.parametrize("value", [None, 0, False, 5, {}, [None], [["172.24.1.9"]]])
def test_what_is_no_list_of_addresses_clears_none(lab: Rehearsal, value: object) -> None:
    v2(lab, M1, "set", param="geoclients", value="172.24.1.9")
    assert status(v2(lab, M1, "set", param="geoclients", value=value)) == 422
    assert lab.network.unit(M1).remote_geo_access == ("172.24.1.9",)


def test_a_standby_answers_reads_and_its_own_business_and_refuses_the_rest(lab: Rehearsal) -> None:
    writes: list[tuple[str, dict[str, Any]]] = [
        ("set", {"param": "geopartners", "value": "172.24.1.7"}),
        ("addcluster", {"ip": "172.24.1.5", "name": "x"}),
        ("addfqdn", {"fqdn": "www.example.com"}),
        ("enablegeo", {}),
    ]
    for command, parameters in writes:
        assert status(v1(lab, S1, command, **parameters)) == 422
    assert status(v1(lab, S1, "get", param="geopartners")) == 200
    assert status(v1(lab, S1, "getgeopartnerstatus")) == 200
    assert status(v1(lab, S1, "setlmcommsecret", secret=SHARED)) == 200
    assert status(v1(lab, S1, "awshaparam", haprefered="0")) == 200
    assert status(v1(lab, S1, "backup")) == 200
    assert status(v1(lab, S1, "reboot")) == 200
    settle(lab, 1)
    assert not lab.accepts(S1)


# -- clusters --------------------------------------------------------------------------------------------------------


def test_a_cluster_from_its_making_to_its_end(lab: Rehearsal) -> None:
    added = body(v1(lab, A1, "addcluster", ip="172.24.1.9", name="Côte & Ciel <9> €"))
    assert re.search(r"<Success>\S+ 172\.24\.1\.9\b", added)
    assert "<cluster><Index>1</Index>" in body(v1(lab, A1, "listclusters")), "it has no Status yet"
    changed = body(v1(lab, A1, "modcluster", ip="172.24.1.9", type="remotelm"))
    assert "<Type>remoteLM</Type>" in changed
    located = body(v1(lab, A1, "clustchangeloc", ip="172.24.1.9", latsecs="156039", longsecs="-22563"))
    assert "<Success>Cluster location updated</Success>" in located
    element = ElementTree.fromstring(body(v1(lab, A1, "listclusters"))).find("Success/Data/cluster")  # noqa: S314
    assert element is not None
    assert [(child.tag, child.text) for child in element] == [
        ("Status", "Up"),
        ("Index", "1"),
        ("Name", "Côte & Ciel <9> €"),
        ("ClusterVSAddress", None),
        ("IPAddress", "172.24.1.9"),
        ("Checker", "none"),
        ("CheckerPort", "0"),
        ("Type", "remoteLM"),
        ("Enable", "Y"),
        ("LocationLatitude", "43.34416667"),
        ("LocationLongitude", "-6.26750000"),
    ]
    shown: dict[str, Any] = read_v2(lab, A1, "showcluster", ip="172.24.1.9")["cluster"][0]
    assert (shown["Enable"], shown["Index"], shown["LocationLongitude"]) == (True, 1, -6.2675)
    assert "<Success>Cluster deleted</Success>" in body(v1(lab, A1, "delcluster", ip="172.24.1.9"))
    assert status(v1(lab, A1, "listclusters")) == 404


def test_a_cluster_is_known_by_its_index_as_well(lab: Rehearsal) -> None:
    for number, name in ((1, "one"), (2, "two")):
        v1(lab, A1, "addcluster", ip=f"192.0.2.{number}", name=name)
    assert read_v2(lab, A1, "showcluster", id=2)["cluster"][0]["Name"] == "two"
    assert "<Type>remoteLM</Type>" in body(v1(lab, A1, "modcluster", id="2", type="remoteLM"))
    assert [cluster["Type"] for cluster in read_v2(lab, A1, "listclusters")["cluster"]] == ["default", "remoteLM"]
    assert read_v2(lab, A1, "showcluster", ip="192.0.2.1", id=2)["cluster"][0]["Name"] == "one"


def test_a_place_takes_one_cluster_and_a_unit_eighteen() -> None:
    lab = simulate(topology(standalone(1)))
    for number in range(18):
        assert status(v1(lab, "10.1.1.1", "addcluster", ip=f"192.0.2.{number}", name=f"{number}")) == 200
    assert status(v1(lab, "10.1.1.1", "addcluster", ip="192.0.2.1", name="again")) == 422
    assert status(v1(lab, "10.1.1.1", "addcluster", ip="192.0.2.99", name="more")) == 422


def test_parameters_of_geo_are_told(lab: Rehearsal) -> None:
    told = {"CheckInterval": 120, "ConnTimeout": 20, "RetryAttempts": 2}
    assert read_v2(lab, M1, "listparams") == {"code": 200, "status": "ok", **told}
    shown = body(v1(lab, M1, "listparams"))
    assert "<Data>" + "".join(f"<{name}>{value}</{name}>" for name, value in told.items()) + "</Data>" in shown


def test_fqdns_are_listed(lab: Rehearsal) -> None:
    v1(lab, A1, "addfqdn", fqdn="www.example.com")
    listed = body(v1(lab, A1, "listfqdns"))
    assert "<FullyQualifiedDomainName>www.example.com.</FullyQualifiedDomainName>" in listed
    assert "<Index>" not in listed
    assert status(v1(lab, A1, "addfqdn", fqdn="WWW.example.com.")) == 422, "it is there"
    for name in ("www.Example.com", "www.example.com."):
        assert status(v1(lab, A1, "showfqdn", fqdn=name)) == 200
    assert "<Success>Deleted FQDN www.example.com.</Success>" in body(v1(lab, A1, "delfqdn", fqdn="www.example.com"))
    assert status(v1(lab, A1, "showfqdn", fqdn="www.example.com")) == 404
    assert status(v1(lab, A1, "listfqdns")) == 404


def test_a_map_of_an_fqdn_names_its_cluster(lab: Rehearsal) -> None:
    v1(lab, A1, "addcluster", ip="192.0.2.1", name="Here")
    v1(lab, A1, "addfqdn", fqdn="www.example.com")
    assert status(v1(lab, A1, "addmap", fqdn="www.example.org", ip="198.51.100.7")) == 404, "no such FQDN"
    assert status(v1(lab, A1, "addmap", fqdn="www.example.com", ip="198.51.100.7", clust="There")) == 422
    assert status(v1(lab, A1, "addmap", fqdn="www.example.com", ip="198.51.100.7")) == 200
    assert status(v1(lab, A1, "addmap", fqdn="www.example.com.", ip="198.51.100.8", clust="192.0.2.1")) == 200
    v1(lab, A1, "modcluster", ip="192.0.2.1", name="Anew")
    told = body(v1(lab, A1, "listfqdns"))
    assert told.count("<Map>") == 2
    assert "<Cluster></Cluster>" in told
    shown = read_v2(lab, A1, "showfqdn", fqdn="www.example.com")["fqdn"][0]["Map"]
    assert [(each["IPAddress"], each["Cluster"]) for each in shown] == [
        ("198.51.100.7", ""), ("198.51.100.8", "Anew"),
    ]  # fmt: skip


def test_the_partner_status_has_one_entry_for_each_address(lab: Rehearsal) -> None:
    v1(lab, A1, "set", param="geopartners", value="172.24.1.10,192.0.2.1")
    answer = body(v1(lab, A1, "getgeopartnerstatus"))
    assert "<GeoPartners><Partner><IPAddress>172.24.1.10</IPAddress><Status>red</Status></Partner>" in answer
    outside = read_v2(lab, A1, "getgeopartnerstatus")["GeoPartners"]["Partner"][1]
    assert outside == {"IPAddress": "192.0.2.1", "Status": "Unknown"}


# -- the unit itself -------------------------------------------------------------------------------------------------


def test_a_reboot_answers_and_then_the_unit_is_gone(lab: Rehearsal) -> None:
    assert body(v1(lab, M1, "reboot")) == DECLARATION + DONE
    assert lab.accepts(M1)
    v1(lab, M1, "reboot")
    settle(lab, 0.1)
    assert not lab.accepts(M1)
    assert v1(lab, M1, "get", param="version").ending == "refused"
    assert health(lab, M1) is None
    settle(lab)
    assert lab.state()["units"][M1]["reboots"] == 1


def test_health_is_200_on_the_active_503_on_the_standby_and_refused_by_standalones(lab: Rehearsal) -> None:
    assert (health(lab, M1), health(lab, S1), health(lab, A1)) == (200, 503, None)
    v1(lab, M1, "reboot")
    settle(lab, 0.6)
    assert (health(lab, M1), health(lab, S1)) == (None, 200)
    assert health(simulate(standalone_health=True), A1) == 200


def test_a_backup_is_a_file_in_v1_and_base64_in_v2_without_secrets(lab: Rehearsal) -> None:
    outcome = v1(lab, M1, "backup")
    assert outcome.response
    assert outcome.response.content_type == "application/octet-stream"
    assert base64.b64decode(read_v2(lab, M1, "backup")["data"]) == outcome.response.body
    secret = lab.network.unit(M1).secret
    assert secret
    assert secret not in body(outcome)
    assert "correct horse" not in body(outcome)


def test_ha_parameters_are_each_unit_s_own(lab: Rehearsal) -> None:
    v1(lab, M1, "awshaparam", haprefered="0", hcai="1", hcp="8445")
    answer = body(v1(lab, M1, "getawshaparams"))
    for element in (
        "<HaPrefered>0</HaPrefered><Partner>172.24.1.6</Partner><Port>8445</Port>",
        "<HealthCheckAllInterfaces>yes</HealthCheckAllInterfaces></AwsHA>",
    ):
        assert element in answer
    assert "HealthCheckAllInterfaces" not in body(v1(lab, S1, "getawshaparams"))
    v1(lab, M1, "reboot")
    settle(lab)
    assert lab.network.is_active(lab.network.unit(S1)), "No Preferred Host holds from now on"


def test_ha_parameters_are_told_as_the_vendor_s_sample_tells_them() -> None:
    answer = body(v1(simulate(firmware="7.2.57.0"), M1, "getawshaparams"))
    assert (
        "<AwsHA><HaMode>master</HaMode><HaPrefered>1</HaPrefered><Partner>172.24.1.6</Partner><Port>8444</Port></AwsHA>"
        in answer
    )


@pytest.mark.parametrize("firmware", ["7.2.48.6", "7.2.59.4"])
def test_the_commands_of_every_cloud_tell_the_same_and_those_of_another_nothing(firmware: str) -> None:
    lab = simulate(firmware=firmware)
    told = body(v1(lab, M1, "getawshaparams"))
    assert body(v1(lab, M1, "getCloudHaParams")) == told
    assert f'{DECLARATION}<Response stat="200" code="ok"><Success><Data></Data></Success></Response>\n' == body(
        v1(lab, M1, "getazurehaparams")
    )


def test_hamode_says_that_a_unit_is_one_of_a_cloud_pair_and_not_which(lab: Rehearsal) -> None:
    told = {address: body(v1(lab, address, "get", param="hamode")) for address in (M1, S1, A1)}
    assert ["<hamode>3</hamode>" in told[M1], "<hamode>3</hamode>" in told[S1]] == [True, True]
    assert "<hamode>0</hamode>" in told[A1]


def told(lab: Rehearsal, address: str, parameter: str) -> Any:
    return read_v2(lab, address, "get", param=parameter)[parameter]


def test_hastatus_follows_a_pair_through_its_failover(lab: Rehearsal) -> None:
    def states() -> list[str]:
        return [told(lab, address, "hastatus") for address in (M1, S1) if lab.accepts(address)]

    assert states() == ["Active", "Standby"]
    assert "<hastatus>Standby</hastatus>" in body(v1(lab, S1, "get", param="hastatus"))
    v1(lab, M1, "reboot")
    settle(lab, 1)
    assert states() == ["Active"]
    settle(lab)
    assert states() == ["Active", "Standby"]


def test_hastatus_tells_what_is_no_pair_yet() -> None:
    lab = simulate(unpaired=True)
    assert {told(lab, address, "hastatus") for address in (M1, S1, A1)} == {"HA not configured"}
    v1(lab, M1, "awshamode", hamode="master")
    assert told(lab, M1, "hastatus") == "Passive"
    v1(lab, M1, "awshaparam", partner=S1, hcp="8444")
    assert told(lab, M1, "hastatus") == "Active"


def test_activetime_is_when_a_unit_became_active_and_0_on_a_standby(lab: Rehearsal) -> None:
    assert told(lab, M1, "activetime") == told(lab, M1, "boottime")
    assert told(lab, S1, "activetime") == 0
    lab.clock.advance(1000)
    lab.fail_over("HA Pair 1")
    settle(lab)
    assert told(lab, M1, "activetime") == 0
    assert told(lab, S1, "activetime") == int(lab.network.epoch + 1000.5), "after failover_seconds"
    v1(lab, A1, "reboot")
    settle(lab)
    assert told(lab, A1, "activetime") == told(lab, A1, "boottime")


def test_the_boot_time_stays_while_a_unit_is_up_and_is_another_after_each_boot(lab: Rehearsal) -> None:
    def booted(address: str) -> int:
        moment: int = told(lab, address, "boottime")
        return moment

    before = booted(M1)
    lab.clock.advance(1000)
    assert booted(M1) == before
    assert before < lab.network.epoch, "it was up long before the lab"
    v1(lab, M1, "reboot")
    settle(lab)
    after = booted(M1)
    assert lab.network.epoch + 1000 < after <= lab.network.epoch + lab.clock.now()
    v1(lab, M1, "reboot")
    settle(lab)
    assert booted(M1) > after
    assert booted(S1) == before


def test_secrets_are_never_read_back(lab: Rehearsal) -> None:
    v1(lab, M1, "setlmcommsecret", secret=SHARED)
    for outcome in (v1(lab, M1, "getall"), v1(lab, M1, "backup")):
        assert SHARED not in body(outcome)
    assert SHARED not in json.dumps(lab.state())


# -- what a firmware has ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("firmware", "json_status", "secret_status", "cloud_status"),
    [
        ("7.2.36.0", 404, 405, 405),
        ("7.2.48.6", 404, 405, 200),
        ("7.2.52.0", 200, 405, 200),
        ("7.2.54.10", 200, 200, 200),
        ("7.2.55.0", 200, 405, 200),
        ("7.2.59.4", 200, 200, 200),
    ],
)
def test_the_firmware_decides_what_exists(
    firmware: str, json_status: int, secret_status: int, cloud_status: int
) -> None:
    lab = simulate(firmware=firmware)
    assert status(v2(lab, M1, "get", param="version")) == json_status
    assert status(v1(lab, M1, "setlmcommsecret", secret=SHARED)) == secret_status
    assert status(v1(lab, M1, "getcloudhaparams")) == cloud_status
    for mode in ("first", "master"):
        assert status(v1(lab, M1, "awshamode", hamode=mode)) == 200
    assert "<AwsHA><HaMode>master</HaMode>" in body(v1(lab, M1, "getawshaparams"))
    known = body(v1(lab, M1, "listapi"))
    assert ("<commands>setlmcommsecret</commands>" in known) == (secret_status == 200)
    if json_status == 200:
        assert "listapi" in read_v2(lab, M1, "listapi")["commands"]


def test_each_unit_has_the_topology_s_firmware_unless_told_otherwise() -> None:
    of = topology({"name": "Old", "standalone": {"address": "10.0.0.1", "firmware": "7.2.48.6"}})
    assert "<version>7.2.48.6.22338.RELEASE</version>" in body(v1(simulate(of), "10.0.0.1", "get", param="version"))
    newer = simulate(of, firmware="7.2.54.12.22642.RELEASE")
    assert "<version>7.2.54.12.22642.RELEASE</version>" in body(v1(newer, "10.0.0.1", "get", param="version"))


# -- limits of the transport -----------------------------------------------------------------------------------------


def test_a_url_of_1024_characters_is_taken_and_a_longer_one_reset(lab: Rehearsal) -> None:
    room = 1024 - len("/access/get?param=version&x=")
    assert status(v1(lab, M1, "get", param="version", x="y" * room)) == 200
    assert v1(lab, M1, "get", param="version", x="y" * (room + 1)).ending == "reset"


def test_a_list_beyond_the_limit_of_a_url_is_taken_in_a_form(lab: Rehearsal) -> None:
    many = ",".join(f"10.0.{n // 250}.{n % 250}" for n in range(200))
    assert v1(lab, M1, "set", param="geoclients", value=many).ending == "reset"
    assert status(v1(lab, M1, "set", method="POST", param="geoclients", value=many)) == 200
    assert len(lab.network.unit(M1).remote_geo_access) == 200


def test_requests_beyond_the_rate_end_the_connection() -> None:
    lab = simulate(rate_limit=2)
    endings = [v1(lab, M1, "get", param="version").ending for _ in range(3)]
    assert endings == ["answered", "answered", "closed"]
    assert v2(lab, M1, "get", param="version").ending == "closed", "all interfaces together"
    assert v1(lab, S1, "get", param="version").ending == "answered"
    lab.clock.advance(3 - MOMENT)
    assert v1(lab, M1, "get", param="version").ending == "closed"
    lab.clock.advance(MOMENT)
    assert v1(lab, M1, "get", param="version").ending == "answered"


def test_a_unit_takes_30_calls_in_3_seconds_unless_told_otherwise() -> None:
    lab = simulate(rate_limit=DEFAULT_RATE_LIMIT)
    endings = [v1(lab, M1, "get", param="version").ending for _ in range(31)]
    assert endings == ["answered"] * 30 + ["closed"]


def test_no_rate_is_any_rate() -> None:
    lab = simulate(rate_limit=0)
    assert {v1(lab, M1, "get", param="version").ending for _ in range(100)} == {"answered"}


def test_other_paths_are_the_web_interface(lab: Rehearsal) -> None:
    outcome = lab.handle(M1, Request("GET", "/progs/status/logout", headers=FORM))
    assert b"<html>" in (outcome.response.body if outcome.response else b"")


# -- the log ---------------------------------------------------------------------------------------------------------


def test_the_log_says_the_command_and_masks_whatever_may_be_secret(lab: Rehearsal) -> None:
    lines = [
        v1(lab, M1, "set", param="geopartners", value="172.24.1.7").log,
        v1(lab, M1, "get", headers={}, param="version", apikey="the-key").log,
        v1(lab, M1, "setlmcommsecret", secret=SHARED).log,
        v1(lab, M1, "set", param="my-password", value=SHARED).log,
        v1(lab, M1, "get", param="version", apiuser="bal", apipass="correct horse").log,
        v2(lab, M1, "setlmcommsecret", secret=SHARED).log,
        v2(lab, M1, "get", param="version\nfaked line").log,
    ]
    assert lines[0] == "v1 GET set param=geopartners value=172.24.1.7 -> 200"
    for line in lines:
        assert SHARED not in line
        assert "correct horse" not in line
        assert "the-key" not in line
        assert "\n" not in line
