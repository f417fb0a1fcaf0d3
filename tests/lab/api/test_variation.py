"""What each variant makes of a unit's answers, beside what a lab as usual answers."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from geoplan.lab.http import Outcome, Request
from geoplan.lab.variants import Variant
from tests.lab.support import (
    A1,
    A2,
    BASIC,
    FORM,
    M1,
    S1,
    Rehearsal,
    body,
    health,
    read_v2,
    settle,
    simulate,
    status,
    v1,
    v2,
)

ONE, OTHER = "Standalone LoadMaster 1", "Standalone LoadMaster 2"
NAME = "Köln & Söhne am großen Fluß"
LIST = f"{M1},{A2}"


def bytes_of(outcome: Outcome) -> bytes:
    assert outcome.response
    return outcome.response.body


def shown(lab: Rehearsal, address: str, parameter: str) -> Any:
    return read_v2(lab, address, "get", param=parameter).get(parameter)


def in_data(outcome: Outcome) -> str:
    return re.sub(r"(?s).*<Data>(.*)</Data>.*", r"\1", body(outcome))


def set_by(lab: Rehearsal) -> list[str]:
    given: list[dict[str, Any]] = [{"param": "geopartners", spelling: A2} for spelling in ("value", "val")]
    return [read_v2(lab, A1, "set", **each).get("message", "") for each in given]


def modes_taken(lab: Rehearsal) -> list[str]:
    words = ("master", "slave", "first", "second", "single")
    return [word for word in words if status(v1(lab, M1, "awshamode", hamode=word)) == 200]


def set_on_standby(lab: Rehearsal) -> tuple[int, Any]:
    """Return how a standby answers a change, and what its active unit has of it."""
    answered = status(v1(lab, S1, "set", param="geosshport", value="2022"))
    settle(lab)
    return answered, shown(lab, M1, "geosshport")


def clusters_by(lab: Rehearsal) -> list[tuple[int, int]]:
    v1(lab, A1, "addcluster", ip=A1, name="x")
    return [
        (status(v1(lab, A1, command, ip=A1)), status(v2(lab, A1, command, id=1)))
        for command in ("showcluster", "modcluster")
    ]


def keys_taken(lab: Rehearsal) -> list[int]:
    form = Request("POST", "/access/get", "", FORM, b"param=version&apikey=the-key")
    query = Request("GET", "/access/get", "param=version&apikey=the-key")
    return [status(lab.handle(M1, request)) for request in (form, query)]


def name_of(lab: Rehearsal) -> str:
    v2(lab, A1, "addcluster", ip=A1, name=NAME)
    told: str = read_v2(lab, A1, "listclusters")["cluster"][0]["Name"]
    return told


def url_taken(lab: Rehearsal) -> list[str]:
    return [v1(lab, M1, "get", param="version", x="y" * length).ending for length in (900, 1900, 2100)]


def list_told(lab: Rehearsal) -> tuple[str, Any]:
    v1(lab, A1, "set", param="geopartners", value=LIST)
    return in_data(v1(lab, A1, "get", param="geopartners")), shown(lab, A1, "geopartners")


def partner_told(lab: Rehearsal) -> tuple[str, Any]:
    v1(lab, A1, "set", param="geopartners", value=A2)
    status = read_v2(lab, A1, "getgeopartnerstatus")["GeoPartners"]["Partner"]
    return in_data(v1(lab, A1, "getgeopartnerstatus")), status[0]


def link(lab: Rehearsal, *addresses: str) -> None:
    for parameter in ("geoclients", "geopartners"):
        for address in addresses:
            others = ",".join(other for other in addresses if other != address)
            v1(lab, address, "set", param=parameter, value=others)
    for address in addresses:
        v1(lab, address, "set", param="geopartners", value=",".join(a for a in addresses if a != address))


def standby_seen(lab: Rehearsal) -> list[str]:
    """Return how a standalone sees a pair's units, of which the second is the standby, both linked with it."""
    link(lab, A1, M1)
    lab.fail_over("HA Pair 1")
    settle(lab)
    v1(lab, S1, "set", param="geopartners", value=A1)
    v1(lab, S1, "set", param="geoclients", value=A1)
    v1(lab, A1, "set", param="geoclients", value=f"{M1},{S1}")
    v1(lab, S1, "set", param="geopartners", value=A1)
    v1(lab, A1, "set", param="geopartners", value=f"{M1},{S1}")
    return [each["Status"] for each in read_v2(lab, A1, "getgeopartnerstatus")["GeoPartners"]["Partner"]]


def link_without_access(lab: Rehearsal) -> list[str]:
    link(lab, A1, A2)
    v1(lab, A1, "set", param="geoclients", value="")
    seen = [read_v2(lab, A1, "getgeopartnerstatus")["GeoPartners"]["Partner"][0]["Status"]]
    v1(lab, A2, "set", param="geopartners", value="")
    v1(lab, A2, "set", param="geopartners", value=A1)
    return [*seen, read_v2(lab, A1, "getgeopartnerstatus")["GeoPartners"]["Partner"][0]["Status"]]


def link_after_a_cut(lab: Rehearsal) -> list[str]:
    link(lab, A1, A2)
    lab.cut(ONE, OTHER)
    lab.mend(ONE)
    seen = [read_v2(lab, A1, "getgeopartnerstatus")["GeoPartners"]["Partner"][0]["Status"]]
    v1(lab, A2, "set", param="geopartners", value=A1)
    return [*seen, read_v2(lab, A1, "getgeopartnerstatus")["GeoPartners"]["Partner"][0]["Status"]]


def pair_with_two_secrets(lab: Rehearsal) -> list[bool]:
    pair = lab.network.pair_of(lab.network.unit(S1))
    assert pair is not None
    before = pair.is_formed
    v1(lab, S1, "setlmcommsecret", secret="another-of-partners")  # noqa: S106 - of a lab
    return [before, pair.is_formed]


def ha_told(lab: Rehearsal) -> str:
    return in_data(v1(lab, S1, "getawshaparams"))


def ha_commands(lab: Rehearsal) -> list[str]:
    """Return what each family tells of HA first, or with which code it refuses."""
    told = []
    for command in ("getawshaparams", "getCloudHaParams", "getazurehaparams"):
        outcome = v1(lab, M1, command)
        told.append(in_data(outcome).partition(">")[0].strip("<") if status(outcome) == 200 else str(status(outcome)))
    return told


def in_getall(lab: Rehearsal, parameter: str) -> tuple[int, bool]:
    return status(v2(lab, M1, "get", param=parameter)), parameter in read_v2(lab, M1, "getall")


def maps_of_a_deleted_cluster(lab: Rehearsal) -> list[str]:
    for number, name in ((1, "Here"), (2, "Elsewhere")):
        v1(lab, A1, "addcluster", ip=f"192.0.2.{number}", name=name)
    v1(lab, A1, "addfqdn", fqdn="www.example.com")
    for number, cluster in ((7, "Elsewhere"), (8, "Here")):
        v1(lab, A1, "addmap", fqdn="www.example.com", ip=f"198.51.100.{number}", clust=cluster)
    v1(lab, A1, "delcluster", ip="192.0.2.1")
    return [each["Cluster"] for each in read_v2(lab, A1, "showfqdn", fqdn="www.example.com")["fqdn"][0]["Map"]]


def list_after_a_restore(lab: Rehearsal) -> list[str]:
    v1(lab, A1, "set", param="geoclients", value="192.0.2.1")
    v1(lab, A1, "addcluster", ip="192.0.2.7", name="Kept")
    kept = read_v2(lab, A1, "backup")["data"]
    v1(lab, A1, "set", param="geoclients", value="192.0.2.2")
    v1(lab, A1, "delcluster", ip="192.0.2.7")
    read_v2(lab, A1, "restore", type=4, data=kept)
    names = [cluster["Name"] for cluster in read_v2(lab, A1, "listclusters")["cluster"]]
    return [*names, read_v2(lab, A1, "get", param="geoclients")["geoclients"][0]]


def fqdn_told(lab: Rehearsal) -> str:
    v1(lab, A1, "addfqdn", fqdn="www.example.com")
    told: str = read_v2(lab, A1, "listfqdns")["fqdn"][0]["FullyQualifiedDomainName"]
    return told


def reads_of_a_standby(lab: Rehearsal) -> list[int]:
    reads = ("getall", "listclusters", "getawshaparams", "isgeoenabled", "backup")
    return [status(v1(lab, S1, read)) for read in reads] + [status(v1(lab, S1, "awshaparam", haprefered=1))]


def nothing_listed(lab: Rehearsal) -> list[tuple[int, int]]:
    return [(status(v1(lab, A1, read)), status(v2(lab, A1, read))) for read in ("listclusters", "listfqdns")]


def failure_of_v2(lab: Rehearsal) -> tuple[int, int]:
    outcome = v2(lab, M1, "nonsense")
    return status(outcome), json.loads(body(outcome))["code"]


def formats(lab: Rehearsal) -> tuple[int, int, bool, bool]:
    """Return how both formats answer, whether v2 wants Basic, and whether it names Session Management."""
    answer = v2(lab, M1, "get", param="version")
    assert answer.response
    wants_basic = answer.response.headers.get("WWW-Authenticate", "").startswith("Basic")
    return (
        status(v1(lab, M1, "get", param="version")),
        status(answer),
        wants_basic,
        b"Session Management" in bytes_of(answer),
    )


def v1_name(lab: Rehearsal) -> bytes:
    v2(lab, A1, "addcluster", ip=A1, name="Köln & Co €")
    found = re.search(rb"<Name>(.*)</Name>", bytes_of(v1(lab, A1, "listclusters")))
    assert found
    return found[1]


def edges(lab: Rehearsal) -> list[tuple[bytes, bytes]]:
    answers = [bytes_of(each(lab, M1, "get", param="version")) for each in (v1, v2)]
    return [(answer[:2], answer[-3:]) for answer in answers]


def v2_name(lab: Rehearsal) -> bytes:
    v2(lab, A1, "addcluster", ip=A1, name="Köln €")
    found = re.search(rb'"Name": "(.*?)"', bytes_of(v2(lab, A1, "listclusters")))
    assert found
    return found[1]


def control_characters(lab: Rehearsal) -> bool:
    answer = bytes_of(v2(lab, M1, "get", param="version"))
    return any(byte < 0x20 for byte in answer.rstrip(b"\n"))


USUAL_LIST = (f"<geopartners>{LIST}</geopartners>", [M1, A2])
USUAL_PARTNER = (
    f"<GeoPartners><Partner><IPAddress>{A2}</IPAddress><Status>red</Status></Partner></GeoPartners>",
    {"IPAddress": A2, "Status": "red"},
)
USUAL_HA = f"<AwsHA><HaMode>slave</HaMode><HaPrefered>1</HaPrefered><Partner>{M1}</Partner><Port>8444</Port></AwsHA>"
USUAL_EDGES = [(b"<?", b"e>\n"), (b'{"', b'"}\n')]
USUAL_FORMATS = (200, 200, False, False)
USUAL_READS = [200, 404, 200, 200, 200, 200]


def partner(inside: str, told: Any) -> tuple[str, Any]:
    return f"<GeoPartners><Partner>{inside}</Partner></GeoPartners>", told


def by_fields(**fields: str) -> tuple[str, Any]:
    return partner("".join(f"<{name}>{value}</{name}>" for name, value in fields.items()), fields)


Look = Callable[[Rehearsal], Any]
BOOTED = 1_767_139_200
LOOKS: dict[Variant, tuple[Look, Any, Any]] = {
    Variant.CLUSTERS_BY_ID: (clusters_by, [(200, 200)] * 2, [(400, 200)] * 2),
    Variant.CLUSTERS_BY_IP: (clusters_by, [(200, 200)] * 2, [(200, 400)] * 2),
    Variant.HA_FIRST: (
        modes_taken, ["master", "slave", "first", "second", "single"], ["first", "second", "single"]
    ),
    Variant.HA_MASTER: (
        modes_taken, ["master", "slave", "first", "second", "single"], ["master", "slave", "single"]
    ),
    Variant.SET_VALUE: (
        set_by, ["Command completed ok"] * 2, ["Command completed ok", "value: String Value missing"]
    ),
    Variant.SET_VAL: (set_by, ["Command completed ok"] * 2, ["val: String Value missing", "Command completed ok"]),
    Variant.KEY_IN_QUERY: (keys_taken, [200, 200], [401, 200]),
    Variant.NAMES_NORMALISED: (name_of, NAME, "Köln_&_Söhne_am_groß"),
    Variant.URL_2000: (url_taken, ["answered", "reset", "reset"], ["answered", "answered", "reset"]),
    Variant.LISTS_COMMAS: (list_told, USUAL_LIST, (USUAL_LIST[0], LIST)),
    Variant.LISTS_BLANKS: (list_told, USUAL_LIST, (f"<geopartners>{M1} {A2}</geopartners>", f"{M1} {A2}")),
    Variant.LISTS_BOTH: (list_told, USUAL_LIST, (f"<geopartners>{M1}, {A2}</geopartners>", f"{M1}, {A2}")),
    Variant.LISTS_REPEATED: (
        list_told, USUAL_LIST, (f"<geopartners>{M1}</geopartners><geopartners>{A2}</geopartners>", [M1, A2])
    ),
    Variant.LISTS_NESTED: (
        list_told,
        USUAL_LIST,
        (
            "".join(f"<geopartners><IPAddress>{address}</IPAddress></geopartners>" for address in (M1, A2)),
            [{"IPAddress": M1}, {"IPAddress": A2}],
        ),
    ),
    Variant.PARTNERS_WITH_PORT: (partner_told, USUAL_PARTNER, by_fields(IPAddress=f"{A2}:22", Status="red")),
    Variant.PARTNERS_AS_LINES: (partner_told, USUAL_PARTNER, partner(f"{A2}: red", f"{A2}: red")),
    Variant.PARTNERS_BY_NAME: (partner_told, USUAL_PARTNER, by_fields(Name="lb-172-24-1-10", Status="red")),
    Variant.PARTNERS_UNKNOWN: (partner_told, USUAL_PARTNER, by_fields(IPAddress=A2, Status="Unknown")),
    Variant.PARTNERS_CONNECTED: (partner_told, USUAL_PARTNER, by_fields(IPAddress=A2, Status="Not connected")),
    Variant.STANDBYS_RED: (standby_seen, ["green", "green"], ["red", "green"]),
    Variant.HA_TOLD_FIRST: (ha_told, USUAL_HA, USUAL_HA.replace("slave", "Second")),
    Variant.HA_PARTNER_BY_NAME: (ha_told, USUAL_HA, USUAL_HA.replace(M1, "lb-172-24-1-5")),
    Variant.HAMODE_0: (lambda lab: shown(lab, M1, "hamode"), 3, 0),
    Variant.AZURE: (
        lambda lab: (*ha_commands(lab), set_on_standby(lab)),
        ("AwsHA", "AwsHA", "", (422, 22)),
        ("", "AzureHA", "AzureHA", (200, 2022)),
    ),
    Variant.CLOUD_HA_ONLY: (ha_commands, ["AwsHA", "AwsHA", ""], ["405", "AwsHA", "405"]),
    Variant.NO_GETALL: (lambda lab: status(v1(lab, M1, "getall")), 200, 405),
    Variant.NO_BOOTTIME: (lambda lab: in_getall(lab, "boottime"), (200, True), (422, False)),
    Variant.BOOTTIME_DATE: (lambda lab: shown(lab, M1, "boottime"), BOOTED, "Wed Dec 31 00:00:00 2025"),
    Variant.NO_HASTATUS: (
        lambda lab: [in_getall(lab, name) for name in ("hastatus", "activetime")], [(200, True)] * 2, [(422, False)] * 2
    ),
    Variant.NO_CLUSTERS_200: (nothing_listed, [(404, 404)] * 2, [(200, 200)] * 2),
    Variant.FQDNS_WITHOUT_DOT: (fqdn_told, "www.example.com.", "www.example.com"),
    Variant.UNKNOWN_404: (lambda lab: status(v1(lab, M1, "nonsense")), 405, 404),
    Variant.STANDBYS_403: (reads_of_a_standby, USUAL_READS, [403] * 5 + [200]),
    Variant.STANDBYS_401: (reads_of_a_standby, USUAL_READS, [401] * 5 + [200]),
    Variant.FAILURES_200: (failure_of_v2, (405, 405), (200, 405)),
    Variant.V2_WANTS_BASIC: (formats, USUAL_FORMATS, (200, 401, True, False)),
    Variant.V2_WANTS_SESSIONS: (formats, USUAL_FORMATS, (200, 422, False, True)),
    Variant.UTF_8: (v1_name, b"K\xf6ln &amp; Co &#8364;", b"K\xc3\xb6ln &amp; Co &#8364;"),
    Variant.BLANK_LINES: (edges, USUAL_EDGES, [(b"\r\n", b"\n \n")] * 2),
    Variant.NUL_BYTES: (edges, USUAL_EDGES, [(b"\0\0", b"\n\0\0")] * 2),
    Variant.BARE_AMPERSAND: (v1_name, b"K\xf6ln &amp; Co &#8364;", b"K\xf6ln & Co &#8364;"),
    Variant.JSON_CONTROL_CHARACTERS: (control_characters, False, True),
    Variant.JSON_LATIN_1: (v2_name, rb"K\u00f6ln \u20ac", b"K\xf6ln \\u20ac"),
    Variant.HEALTH_CLOSED: (lambda lab: [health(lab, M1), health(lab, S1)], [200, 503], [None, None]),
    Variant.MAPS_GO: (maps_of_a_deleted_cluster, ["Elsewhere", "Here"], ["Elsewhere"]),
    Variant.RESTORE_BRINGS_LISTS: (list_after_a_restore, ["Kept", "192.0.2.2"], ["Kept", "192.0.2.1"]),
    Variant.LINKS_IGNORE_ACCESS: (link_without_access, ["red", "red"], ["green", "red"]),
    Variant.SECRETS_KEEP_HA: (pair_with_two_secrets, [True, False], [True, True]),
    Variant.CUTS_END_LINKS: (link_after_a_cut, ["green", "green"], ["red", "green"]),
}  # fmt: skip


def test_every_variant_is_looked_at() -> None:
    assert set(LOOKS) == set(Variant)


@pytest.mark.parametrize("variant", list(Variant))
def test_a_lab_as_usual_takes_the_side_of_the_ledger(variant: Variant) -> None:
    look, usual, _ = LOOKS[variant]
    assert look(simulate()) == usual


@pytest.mark.parametrize("variant", list(Variant))
def test_a_variant_takes_the_other_side(variant: Variant) -> None:
    look, _, other = LOOKS[variant]
    assert look(simulate(variants=[variant])) == other


def test_variants_go_together() -> None:
    lab = simulate(variants=["utf-8", "blank-lines", "bare-ampersand"])
    answer = v1_name(lab), bytes_of(v1(lab, A1, "listclusters"))[:2]
    assert answer == (b"K\xc3\xb6ln & Co &#8364;", b"\r\n")


@pytest.mark.parametrize("variant", list(Variant))
def test_a_variant_leaves_the_login_page_and_files_alone(variant: Variant) -> None:
    lab = simulate(variants=[variant])
    page = lab.handle(M1, Request("GET", "/progs/status", "", BASIC))
    assert bytes_of(page).startswith(b"<!DOCTYPE html>")
    assert gzip.decompress(bytes_of(v1(lab, M1, "backup"))).startswith(b"GEOPLAN LAB BACKUP\n")


@pytest.mark.parametrize("variant", list(Variant))
def test_a_failure_keeps_its_code_in_every_variant(variant: Variant) -> None:
    lab = simulate(variants=[variant])
    assert 'stat="422"' in body(v1(lab, M1, "set", param="geopartners", value="nonsense"))
