"""``geoplan plan --live`` and the push that it approves, over real sockets."""

from __future__ import annotations

import json
import shlex
import ssl
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, M1, PASSWORD, Site

__all__ = ["make_site"]

EXAMPLE = TOPOLOGIES / "section-5.3.yaml"


def approve(geoplan: Geoplan, site: Site, *options: str) -> Path:
    output = site.topology.parent / "approved.json"
    ended = geoplan("plan", site.topology, "--live", "--endpoints", site.endpoints, "-o", output, *options)
    assert ended.code == 0, ended
    return output


def push(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", *options)


def by_hand(site: Site, address: str, command: str, **parameters: str) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    content = {"cmd": command, "apiuser": "bal", "apipass": PASSWORD, **parameters}
    url = site.lab.endpoints.units[address].api + "/accessv2"
    request = urllib.request.Request(url, json.dumps(content).encode())  # noqa: S310 - a lab's
    with urllib.request.urlopen(request, context=context) as answer:  # noqa: S310
        assert json.load(answer)["code"] == 200


def test_approval_changes_nothing_and_what_it_approves_is_pushed(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    before = site.all_that_counts()
    approved = approve(geoplan, site)
    assert site.all_that_counts() == before
    assert site.journals() == []
    content = json.loads(approved.read_text())
    assert content["reboots"] == ["HA Pair 1"]
    assert PASSWORD not in approved.read_text()
    assert push(geoplan, site, "--plan", approved, "--only-preflight").code == 0
    assert push(geoplan, site, "--plan", approved).code == 0
    again = push(geoplan, site, "--plan", approved)
    assert (again.code, "nothing to do" in again.stdout) == (0, True)


def test_push_by_the_command_that_the_approval_names(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    output = site.topology.parent / "approved.json"
    ended = geoplan(
        *("plan", site.topology, "--live", "--endpoints", site.endpoints, "-o", output),
        *("--reboot", "always=HA Pair 1", "--accept-geo-merge"),
    )
    command = ended.stderr.splitlines()[-1].removeprefix("push with: geoplan ")
    assert geoplan(*shlex.split(command), "--yes").code == 0


def test_list_that_was_changed_by_hand_is_told(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    approved = approve(geoplan, site)
    checksum = json.loads(approved.read_text())["checksum"]
    by_hand(site, A1, "set", param="geopartners", value=M1)
    before = site.all_that_counts()
    refused = push(geoplan, site, "--plan", approved)
    assert refused.code == 4
    assert f"{A1}: GEO LoadMaster Partners: approved with none, now {M1}" in refused.stderr
    refused = push(geoplan, site, "--checksum", checksum)
    assert refused.code == 4
    assert f"{checksum} is neither the plan's checksum" in refused.stderr
    assert site.all_that_counts() == before
    assert site.journals() == []


def test_cluster_that_appeared_is_told(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    approved = approve(geoplan, site, "--accept-geo-merge")
    by_hand(site, M1, "addcluster", ip="10.9.9.9", name="Elsewhere")
    refused = push(geoplan, site, "--plan", approved, "--accept-geo-merge")
    assert refused.code == 4
    assert f"{M1}: clusters: approved with none, now 'Elsewhere' (10.9.9.9, default" in refused.stderr


def test_flag_that_was_not_approved_is_refused_with_the_command_that_was(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    approved = approve(geoplan, site, "--remove-unknown")
    refused = push(geoplan, site, "--plan", approved, "--reboot", "always")
    assert refused.code == 4
    assert "given --reboot always, approved --remove-unknown" in refused.stderr
    fitting = (
        f"geoplan push {site.topology} --phase geo --remove-unknown --plan {approved} --endpoints {site.endpoints}"
    )
    assert fitting in refused.stderr
    assert push(geoplan, site, "--plan", approved).code == 4
    assert geoplan(*shlex.split(fitting)[1:], "--yes").code == 0


def test_checksum_of_an_approval_approves_it_and_covers_its_flags(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    checksum = json.loads(approve(geoplan, site, "--reboot", "always").read_text())["checksum"]
    assert push(geoplan, site, "--checksum", checksum).code == 4
    assert push(geoplan, site, "--checksum", checksum, "--reboot", "always", "--parallel-groups").code == 4
    assert push(geoplan, site, "--checksum", checksum, "--reboot", "always").code == 0


@pytest.mark.parametrize(
    "flags",
    [
        ["--reboot", "always"],
        ["--reboot", "never"],
        ["--reboot", "always=HA Pair 1"],
        ["--remove-unknown"],
        ["--accept-geo-merge"],
        ["--parallel-groups"],
    ],
    ids=" ".join,
)
def test_plan_alone_approves_no_flag_that_changes_what_is_done(
    geoplan: Geoplan, tmp_path: Path, flags: list[str]
) -> None:
    plan = tmp_path / "plan.json"
    assert geoplan("plan", EXAMPLE, "-o", plan).code == 0
    checksum = json.loads(plan.read_text())["checksum"]
    for reviewed in (["--plan", str(plan)], ["--checksum", checksum]):
        refused = geoplan("push", EXAMPLE, "--lab", "--yes", *reviewed, *flags)
        assert refused.code == 4
        assert shlex.join(flags) in refused.stderr
        assert f"geoplan plan {EXAMPLE} --phase geo --live {shlex.join(flags)} -o approved.json" in refused.stderr
    assert geoplan("push", EXAMPLE, "--lab", "--yes", "--only-preflight", "--plan", plan).code == 0
    assert geoplan("push", EXAMPLE, "--lab", "--yes", "--only-preflight", "--checksum", checksum).code == 0


@pytest.mark.parametrize("checksum", ["abc", "sha256:", "sha256:" + "g" * 64, "SHA256:" + "0" * 64, "0" * 64])
def test_malformed_checksum_is_wrong_usage(geoplan: Geoplan, checksum: str) -> None:
    ended = geoplan("push", EXAMPLE, "--lab", "--yes", "--checksum", checksum)
    assert ended.code == 2
    assert "write sha256: and 64 hexadecimal digits" in ended.stderr


@pytest.mark.parametrize("content", ["", "{}", "[]", "1", '{"format": "geoplan/approval/1"}', "[" * 100000])
def test_file_that_is_neither_plan_nor_approval_is_unusable(geoplan: Geoplan, tmp_path: Path, content: str) -> None:
    path = tmp_path / "approved.json"
    path.write_text(content)
    ended = geoplan("push", EXAMPLE, "--lab", "--yes", "--plan", path)
    assert ended.code == 2
    assert f"{path} is not a usable plan or approval" in ended.stderr


def test_fault_of_a_plan_is_named_with_its_place(geoplan: Geoplan, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert geoplan("plan", EXAMPLE, "-o", path).code == 0
    plan = json.loads(path.read_text())
    del plan["sites"][1]["name"]
    for content, said in (
        (json.dumps(plan), "sites.1.name is missing"),
        (json.dumps({**plan, "topology": 1}), "; and 1 more fault"),
        ('{"format":\n x', "line 2, column 2 is not JSON"),
    ):
        path.write_text(content)
        assert said in geoplan("push", EXAMPLE, "--lab", "--yes", "--plan", path).stderr


def test_resumed_push_goes_on_with_what_was_approved(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    approved = approve(geoplan, site)
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site, "--plan", approved).code == 3
    wrong = push(geoplan, site, "--plan", approved, "--resume")
    assert (wrong.code, "leave the approval out" in wrong.stderr) == (2, True)
    assert push(geoplan, site, "--resume").code == 0


def test_nothing_is_approved_that_a_push_would_refuse(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.3")
    by_hand(site, M1, "disablegeo")
    output = tmp_path / "approved.json"
    ended = geoplan("plan", site.topology, "--live", "--endpoints", site.endpoints, "-o", output)
    assert ended.code == 4
    assert f"GEO is off on {M1}" in ended.stderr
    assert not output.exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--reboot", "always"],
        ["--parallel-groups"],
        ["--remove-unknown"],
        ["--accept-geo-merge"],
        ["--endpoints", "lab.yaml"],
        ["--insecure"],
        ["--state-dir", "state"],
        ["--live", "--format", "text"],
        ["--live", "-o", "approved.yaml"],
    ],
    ids=" ".join,
)
def test_options_of_a_push_belong_to_live(geoplan: Geoplan, options: list[str]) -> None:
    ended = geoplan("plan", EXAMPLE, *options)
    assert (ended.code, ended.stdout) == (2, "")
    assert "--live" in ended.stderr
