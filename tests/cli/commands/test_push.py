"""``geoplan push`` and ``geoplan diff`` against the lab over real sockets."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.code import HEAVY, loaded_by
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, A2, M1, M2, NEW_FIRMWARE, OLD_FIRMWARE, PASSWORD, S1, S2, Site, red_in_any_state

__all__ = ["make_site"]


def push(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", *options)


def diff(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("diff", site.topology, "--endpoints", site.endpoints, *options)


def assert_finished(site: Site) -> None:
    """See that the units hold the plan, and stay together through every failover."""
    site.settle()
    assert red_in_any_state(site.lab) == set()
    clusters = {frozenset(cluster["name"] for cluster in unit["clusters"]) for unit in site.units.values()}
    assert len(clusters) == 1
    assert all(cluster["type"] == "remoteLM" for unit in site.units.values() for cluster in unit["clusters"])


# -- a push from nothing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", ["5.1", "5.2", "5.3", "5.4"])
def test_push_ends_verified_with_every_link_green(geoplan: Geoplan, make_site: MakeSite, section: str) -> None:
    site = make_site(section)
    ended = push(geoplan, site)
    assert ended.code == 0, ended
    assert "done and verified" in ended.stdout
    assert_finished(site)
    assert diff(geoplan, site).code == 0


@pytest.mark.parametrize(  # each pair of them; the simulation draws all together
    ("firmware", "preferred_host", "jobs"),
    [(OLD_FIRMWARE, "master", 1), (OLD_FIRMWARE, "none", 16), (NEW_FIRMWARE, "master", 16), (NEW_FIRMWARE, "none", 1)],
)
def test_push_works_in_both_formats_with_and_without_a_preferred_host(
    geoplan: Geoplan, make_site: MakeSite, firmware: str, preferred_host: str, jobs: int
) -> None:
    site = make_site("5.4", firmware=firmware, preferred_host=preferred_host)
    ended = push(geoplan, site, "--jobs", str(jobs))
    assert ended.code == 0, ended
    assert_finished(site)
    assert {address: count for address, count in site.reboots.items() if count} == {M1: 1, M2: 1}


def test_push_to_an_embedded_lab_needs_nothing_else(geoplan: Geoplan) -> None:
    ended = geoplan("push", TOPOLOGIES / "section-5.1.yaml", "--lab", "--yes")
    assert ended.code == 0, ended
    assert "done and verified" in ended.stdout


@pytest.mark.parametrize(
    ("firmware", "variants"),
    [
        (
            OLD_FIRMWARE,
            ["lists-repeated", "utf-8", "bare-ampersand", "clusters-by-id", "partners-as-lines", "no-getall"],
        ),
        (NEW_FIRMWARE, ["lists-both", "set-val", "nul-bytes", "json-latin-1", "partners-connected", "failures-200"]),
    ],
    ids=["APIv1", "APIv2"],
)
def test_push_over_tls_to_units_of_several_variants(
    geoplan: Geoplan, make_site: MakeSite, firmware: str, variants: list[str]
) -> None:
    site = make_site("5.4", firmware=firmware, variants=variants)
    ended = push(geoplan, site)
    assert ended.code == 0, ended
    assert_finished(site)


def test_variants_are_of_the_lab_alone_and_must_exist(geoplan: Geoplan) -> None:
    ended = geoplan("push", TOPOLOGIES / "section-5.1.yaml", "--variant", "azure")
    assert (ended.code, "--variant is of units of the lab: give --lab with it" in ended.stderr) == (2, True)
    ended = geoplan("push", TOPOLOGIES / "section-5.1.yaml", "--lab", "--yes", "--variant", "nonsense")
    assert ended.code == 2, ended
    assert "there is no variant 'nonsense'" in ended.stderr
    assert "clusters-by-id" in ended.stderr


def test_push_keeps_what_it_knows_in_the_users_own_folders_where_nothing_else_is_said(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GEOPLAN_STATE_DIR")
    site = make_site("5.1")
    ended = push(geoplan, site)
    assert ended.code == 0, ended
    assert len(list(Path(os.environ["XDG_STATE_HOME"]).rglob("*.jsonl"))) == 1
    assert "nothing to do" in push(geoplan, site).stdout


# -- a push on what is there already -----------------------------------------------------------------------------------


def test_second_push_finds_nothing_to_do_and_reboots_nothing(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site()
    assert push(geoplan, site).code == 0
    site.settle()
    before = site.all_that_counts()
    ended = push(geoplan, site)
    assert ended.code == 0
    assert "nothing to do: everything is in place, nothing was rebooted" in ended.stdout
    assert site.all_that_counts() == before


def test_deleted_cluster_is_named_by_diff_and_restored_without_a_reboot(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site()
    assert push(geoplan, site).code == 0
    reboots = site.reboots
    _command(site, M1, "delcluster", ip=A1)
    found = diff(geoplan, site)
    assert found.code == 1
    assert f"cluster 'Standalone LoadMaster 1' ({A1}) is missing" in found.stdout
    ended = push(geoplan, site)
    assert ended.code == 0, ended
    assert "'Standalone LoadMaster 1' defined and read back" in ended.stdout
    assert site.reboots == reboots
    assert_finished(site)


def test_failover_is_no_difference(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site(preferred_host="none")
    assert push(geoplan, site).code == 0
    _until_active(site, "HA Pair 1", "HA Pair 2")  # with no preferred host the slaves stay active
    found = diff(geoplan, site, "--format", "json")
    assert found.code == 0, found
    assert json.loads(found.stdout)["in_place"] is True


def test_unfinished_cluster_is_completed(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site()
    _command(site, M1, "addcluster", ip=M1, name="HA Pair 1")
    ended = push(geoplan, site, "--accept-geo-merge")
    assert ended.code == 0, ended
    assert "'HA Pair 1' completed and read back" in ended.stdout


# -- which reboots -----------------------------------------------------------------------------------------------------


def test_push_without_reboots_names_the_pairs_and_finishes_them_later(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site()
    ended = push(geoplan, site, "--reboot", "never")
    assert ended.code == 1
    assert set(site.reboots.values()) == {0}
    assert "'HA Pair 1' is not finished" in ended.stdout
    assert "4 sites in 1 group, 18 steps, 24 differences\n" in ended.stdout
    again = push(geoplan, site, "--reboot", "always=HA Pair 1", "--reboot", "always=HA Pair 2")
    assert again.code == 0, again
    assert "18 steps, 0 differences, 6 red partner links\n" in again.stdout
    assert_finished(site)


def test_reboots_that_were_left_out_stay_owed_until_a_push_does_them(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site()
    for _ in range(2):
        left_out = push(geoplan, site, "--reboot", "never")
        assert left_out.code == 1
        assert "'HA Pair 1' is not finished" in left_out.stdout
        assert set(site.reboots.values()) == {0}
    status = json.loads(push(geoplan, site, "--status", "--format", "json").stdout)
    assert status["pairs_to_finish"] == ["HA Pair 1", "HA Pair 2"]
    assert status["debts"][S1]["due"] == sorted([M2, S2, A1, A2])
    ended = push(geoplan, site)
    assert ended.code == 0, ended
    assert "masters to reboot, one after the other: HA Pair 1, HA Pair 2" in ended.stdout
    assert_finished(site)
    assert json.loads(push(geoplan, site, "--status", "--format", "json").stdout)["pairs_to_finish"] == []


def test_red_slave_that_owes_nothing_known_is_reported_and_reboots_nothing(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site()
    push(geoplan, site, "--reboot", "never", "--state-dir", tmp_path / "elsewhere")
    ended = push(geoplan, site)
    assert ended.code == 1
    assert set(site.reboots.values()) == {0}
    assert "--reboot 'always=HA Pair 1'" in ended.stdout
    assert "is red though it is up" in ended.stdout


def test_always_reboots_a_pair_in_which_nothing_changed(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    assert push(geoplan, site).code == 0
    assert push(geoplan, site, "--reboot", "always").code == 0
    assert site.reboots[M1] == 2


# -- refused: nothing changed ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick_pauses")
def test_everything_wrong_stands_in_one_report_and_nothing_is_changed(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(preferred_host="none")
    site.lab.power_off(A1)
    site.lab.fail_over("HA Pair 1")
    _until_active(site, "HA Pair 1")
    monkeypatch.setenv("GEOPLAN_PASSWORD_172_24_1_10", "not the password")
    before = site.all_that_counts()
    ended = push(geoplan, site)
    assert ended.code == 4
    for part in (A1, "172.24.1.10: it does not accept the credentials", "'HA Pair 1'", "its slave is active"):
        assert part.strip("'") in ended.stderr
    assert site.all_that_counts() == before
    assert site.journals() == []


def test_certificate_that_is_not_believed_leads_to_trust_and_refused_credentials_to_credentials(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("5.3")
    pinned = yaml.safe_load(site.endpoints.read_text())
    pinned["units"][M1]["fingerprint"] = "sha256:" + 64 * "0"
    del pinned["units"][S1]["fingerprint"]
    site.endpoints.write_text(yaml.safe_dump(pinned))
    monkeypatch.setenv("GEOPLAN_PASSWORD_172_24_1_9", "not the password")
    ended = push(geoplan, site)
    lines = ended.stderr.splitlines()
    told = {address: next(line for line in lines if f": {address}: " in line) for address in (M1, S1, A1)}
    assert "its certificate is not the pinned one" in told[M1]
    assert "compare the fingerprint on the unit and run geoplan trust again" in told[M1]
    assert "pin its fingerprint with geoplan trust" in told[S1]
    assert "--credentials, GEOPLAN_USER and GEOPLAN_PASSWORD" in told[A1]
    for address in (M1, S1):
        assert "GEOPLAN_PASSWORD" not in told[address]


def test_state_folder_that_cannot_be_used_is_named_with_what_to_do(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site("5.1")
    (tmp_path / "file").write_text("")
    before = site.all_that_counts()
    ended = push(geoplan, site, "--state-dir", tmp_path / "file" / "state")
    assert ended.code == 2
    assert f"cannot keep the push's journal in {tmp_path / 'file' / 'state'}" in ended.stderr
    assert "--state-dir" in ended.stderr
    assert "standard output" not in ended.stderr
    assert site.all_that_counts() == before


def test_lock_and_journal_that_cannot_be_opened_are_named(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("5.1")
    really_open = os.open
    told = {"units.lock": "cannot keep the locks of units in", ".jsonl": "cannot keep the push's journal in"}
    for name, message in told.items():

        def refuse(path: Any, *how: Any, ending: str = name, **more: Any) -> int:
            if str(path).endswith(ending):
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return really_open(path, *how, **more)

        monkeypatch.setattr(os, "open", refuse)
        ended = push(geoplan, site)
        assert ended.code == 2
        assert message in ended.stderr


def test_push_without_room_for_its_backups_leaves_nothing_unfinished(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site("5.1")
    (tmp_path / "file").write_text("")
    ended = push(geoplan, site, "--backup-dir", tmp_path / "file" / "backups")
    assert ended.code == 2
    assert "cannot write a backup into" in ended.stderr
    assert "nothing was changed" in ended.stderr
    assert push(geoplan, site).code == 0


def test_running_and_unfinished_pushes_stand_in_the_same_report(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site).code == 3
    (journal,) = site.journals()
    _command(site, A1, "set", param="sshaccess", value="no")
    site.settle()
    before, written = site.all_that_counts(), journal.read_text()
    for options in ((), ("--only-preflight",)):
        refused = push(geoplan, site, *options)
        assert refused.code == 4
        assert "is unfinished: see --resume" in refused.stderr
        assert f"Remote SSH access is not allowed on {A1}" in refused.stderr
        assert "2 problems found" in refused.stderr
        assert f"geoplan push {site.topology} --resume --endpoints {site.endpoints}" in refused.stderr
    with site.store.only_push("another name"):
        refused = push(geoplan, site)
        status = push(geoplan, site, "--status").stdout
    assert refused.code == 4
    assert f"another push is running on {M1}: 'another name', process {os.getpid()}" in refused.stderr
    assert "is unfinished" not in refused.stderr
    assert f"Remote SSH access is not allowed on {A1}" in refused.stderr
    assert f"running    another push is running on {M1}" in status
    assert site.all_that_counts() == before
    assert journal.read_text() == written


@pytest.mark.parametrize(
    ("options", "password"),
    [([], "not the password"), (["--only-preflight"], PASSWORD), (["--dry-run"], PASSWORD), (["--resume"], PASSWORD)],
)
def test_push_that_changes_nothing_leaves_nothing_of_a_push_behind(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch, options: list[str], password: str
) -> None:
    site = make_site("5.1")
    monkeypatch.setenv("GEOPLAN_PASSWORD", password)
    ended = push(geoplan, site, *options)
    assert ended.code in (0, 4), ended
    left = {path.relative_to(site.state).parts[0] for path in site.state.rglob("*")}
    assert left <= {"locks"}


@pytest.mark.parametrize(
    "words",
    [["check"], ["plan"], ["runbook"], ["diagram"], ["diff"], ["status"], ["push", "--dry-run"], ["push", "--yes"]],
    ids=" ".join,
)
def test_where_no_groups_are_written_none_is_named(geoplan: Geoplan, make_site: MakeSite, words: list[str]) -> None:
    site = make_site("5.3")
    first, *options = words
    lab = ["--endpoints", site.endpoints] if first in ("diff", "status", "push") else []
    ended = geoplan(first, site.topology, *lab, *options)
    assert ended.stdout + ended.stderr
    assert not re.search(r"\bdefault\b", ended.stdout + ended.stderr)


def test_second_push_of_the_same_units_stops_whatever_its_name_and_its_state_folder(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site()
    (tmp_path / "dc2").mkdir()
    renamed = yaml.safe_load(site.topology.read_text()) | {"name": "another"}
    (tmp_path / "dc2" / "another.yaml").write_text(yaml.safe_dump(renamed))
    elsewhere = tmp_path / "elsewhere"
    command = [sys.executable, "-m", "geoplan", "push", str(site.topology), "--endpoints", str(site.endpoints), "--yes"]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        assert first.stdout
        said = iter(first.stdout.readline, "")
        assert any("entered and read back" in line for line in said)
        first.send_signal(signal.SIGSTOP)  # so that it is still running, however slow the machine
        second = geoplan(
            "push", tmp_path / "dc2" / "another.yaml", "--endpoints", site.endpoints, "--yes", "--state-dir", elsewhere
        )
        first.send_signal(signal.SIGCONT)
        _, stderr = first.communicate()
    assert second.code == 4, second
    assert f"another push is running on {M1}: 'two-pairs-two-standalones', process {first.pid}" in second.stderr
    assert "nothing was changed" in second.stderr
    assert not list(elsewhere.rglob("*.jsonl"))
    assert first.returncode == 0, stderr
    assert_finished(site)


def test_nothing_to_resume_stands_in_the_same_report(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    _command(site, M1, "disablegeo")
    refused = push(geoplan, site, "--resume")
    assert refused.code == 4
    assert "no unfinished push to resume" in refused.stderr
    assert "GEO is off on" in refused.stderr


def test_address_that_the_plan_does_not_have_needs_a_word(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    _command(site, M1, "set", param="geoclients", value="10.9.9.9")
    ended = push(geoplan, site)
    assert ended.code == 4
    assert "--remove-unknown" in ended.stderr
    assert push(geoplan, site, "--remove-unknown").code == 0


def test_different_geo_configurations_need_a_word(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    _command(site, M1, "addcluster", ip="10.9.9.9", name="Elsewhere")
    ended = push(geoplan, site)
    assert ended.code == 4
    assert "--accept-geo-merge" in ended.stderr
    assert "'Elsewhere'" in ended.stderr
    assert push(geoplan, site, "--accept-geo-merge").code == 0


def test_disabled_geo_and_ssh_are_found(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    _command(site, M1, "disablegeo")
    _command(site, "172.24.1.9", "set", param="sshaccess", value="no")
    ended = push(geoplan, site, "--only-preflight")
    assert ended.code == 4
    assert f"GEO is off on {M1}" in ended.stderr
    assert "Remote SSH access is not allowed on" in ended.stderr


def test_another_plan_than_the_reviewed_one_is_refused(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.3")
    other = tmp_path / "plan.json"
    other.write_text(geoplan("plan", TOPOLOGIES / "section-5.2.yaml", "--format", "json").stdout)
    assert push(geoplan, site, "--plan", other).code == 4
    assert push(geoplan, site, "--checksum", "sha256:" + "0" * 64).code == 4
    other.write_text(geoplan("plan", site.topology, "--format", "json").stdout)
    assert push(geoplan, site, "--plan", other, "--only-preflight").code == 0


# -- what goes wrong on the way ----------------------------------------------------------------------------------------


def test_cluster_that_is_not_applied_is_told_with_what_the_unit_said_about_it(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.1")
    site.lab.inject("ignore,command=addcluster,occurrence=1")
    ended = push(geoplan, site)
    assert ended.code == 3
    assert "No geo data found), and read back the cluster 'HA Pair 1' is missing" in ended.stderr


def test_unit_that_answers_200_and_does_not_apply_fails_at_read_back(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    ended = push(geoplan, site)
    assert ended.code == 3
    assert "was answered as done, but read back GEO LoadMaster Partners holds nothing" in ended.stderr
    assert "in place" in ended.stderr
    assert "--resume" in ended.stderr
    assert site.reboots[M1] == 0
    refused = push(geoplan, site)
    assert refused.code == 4
    assert "--resume" in refused.stderr
    resumed = push(geoplan, site, "--resume")
    assert resumed.code == 0, resumed
    assert_finished(site)


def test_submission_that_is_not_applied_is_said_at_its_step_with_what_finishes_it(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.3")
    number = site.lab.inject(f"ignore,unit={S1},command=set:geopartners")
    ended = push(geoplan, site)
    assert ended.code == 1
    assert "every partner stays red there" in ended.stdout
    assert f"note: {S1}: its partners were submitted and read back" in ended.stdout
    *_, command, last = ended.stdout.splitlines()
    assert last == "done, with findings"
    assert command == f"  geoplan push {site.topology} --reboot 'always=HA Pair 1' --endpoints {site.endpoints}"
    assert "nothing was changed: the lists and clusters are in place, with findings" in push(geoplan, site).stdout
    assert site.reboots[M1] == 1
    site.lab.lift(number)
    assert push(geoplan, site, "--reboot", "always=HA Pair 1").code == 0
    assert_finished(site)


def test_early_master_makes_the_pair_start_again(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject(f"early-return,unit={M1},occurrence=1")
    ended = push(geoplan, site)
    assert ended.code == 0, ended
    assert "the master took over before the partners were submitted" in ended.stdout
    assert site.reboots[M1] == 2
    assert_finished(site)


def test_master_that_does_not_return_stops_the_push_and_is_not_rebooted_again(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.3")
    number = site.lab.inject(f"no-return,unit={M1}")
    ended = push(geoplan, site)
    assert ended.code == 3
    assert "not healthy" in ended.stderr
    site.lab.lift(number)
    _until_active(site, "HA Pair 1", role="master")
    resumed = push(geoplan, site, "--resume")
    assert resumed.code == 0, resumed
    assert site.reboots[M1] == 1
    assert_finished(site)


# -- output ------------------------------------------------------------------------------------------------------------


def test_json_is_one_event_a_line_and_dry_run_changes_nothing(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    before = site.all_that_counts()
    shown = push(geoplan, site, "--dry-run")
    assert shown.code == 0, shown
    assert '"cmd": "reboot"' in shown.stdout
    assert PASSWORD not in shown.stdout
    assert site.all_that_counts() == before
    assert site.journals() == []
    ended = push(geoplan, site, "--format", "json")
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [event["event"] for event in events[:3]] == ["destination", "preflight", "differences"]
    assert events[-1].pop("seconds") >= events[-2]["seconds"] > 0
    assert events[-1] == {
        "event": "ended",
        "message": "done and verified: all partner links are green",
        "exit_code": 0,
    }


def test_no_secret_is_printed_or_written(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject(f"error,unit={A1},command=addcluster,occurrence=1")
    printed = [
        push(geoplan, site),
        push(geoplan, site, "--resume"),
        diff(geoplan, site),
        push(geoplan, site, "--status"),
    ]
    written = [path.read_text() for path in site.state.rglob("*") if path.is_file() and path.suffix != ".backup"]
    for text in [*written, *(ended.stdout + ended.stderr for ended in printed)]:
        assert PASSWORD not in text


def test_backups_are_for_their_owner_alone(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.3")
    assert push(geoplan, site, "--backup-dir", tmp_path / "kept").code == 0
    (folder,) = (tmp_path / "kept").iterdir()
    files = sorted(folder.iterdir())
    assert len(files) == 3
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


def test_dry_run_shows_what_resume_would_do_and_writes_no_backup(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site("5.3")
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site).code == 3
    (journal,) = site.journals()
    before = journal.read_text()
    shown = push(geoplan, site, "--dry-run", "--resume", "--backup-dir", tmp_path / "none")
    assert shown.code == 0, shown
    assert shown.stdout.count('"param": "geoclients"') == 0
    assert shown.stdout.count('"cmd": "reboot"') == 1
    assert journal.read_text() == before
    assert not (tmp_path / "none").exists()


def test_dry_run_names_every_step_in_the_plan_s_order(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    shown = push(geoplan, site, "--dry-run", "--reboot", "never").stdout
    assert [line.split("/9")[0] for line in shown.splitlines() if "/9  " in line] == [str(n) for n in range(1, 10)]


def test_waits_are_said_in_a_pipe(geoplan: Geoplan, make_site: MakeSite) -> None:
    printed = push(geoplan, make_site("5.3")).stdout.splitlines()
    reboot, submission, back = (
        next(number for number, line in enumerate(printed) if part in line)
        for part in (
            "reboot master of",
            "resubmit on HA Pair 1",
            "waiting until the master is back (172.24.1.5), at most",
        )
    )
    assert reboot < submission < back


def test_the_exact_commands_carry_every_option_that_leads_to_the_same_units(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = make_site("5.3")
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    state = tmp_path / "my state"
    stopped = push(geoplan, site, "--state-dir", state, "--use-proxies")
    assert stopped.code == 3
    base = f"geoplan push {site.topology} --state-dir '{state}'"
    assert f"go on with: {base} --resume --endpoints {site.endpoints} --use-proxies" in stopped.stderr
    assert f"{base} --status --endpoints {site.endpoints} --use-proxies" in stopped.stderr


def test_status_tells_the_way_back_with_the_values_of_before(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    _command(site, A1, "set", param="geoclients", value="10.9.9.9,10.9.9.8")
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners,occurrence=1")
    stopped = push(geoplan, site, "--remove-unknown")
    assert stopped.code == 3
    assert f"geoplan push {site.topology} --status --endpoints {site.endpoints}" in stopped.stderr
    shown = push(geoplan, site, "--status").stdout
    _, _, way = shown.partition("to go back by hand")
    assert "10.9.9.9 10.9.9.8" in way
    assert "Certificates & Security > Remote Access" in way
    assert f"{A1}.backup" in way
    api = site.lab.endpoints.units[M1].api
    assert f"  log in at:\n    {M1}  {api}\n" in way, "where the endpoints file has it"
    units = json.loads(push(geoplan, site, "--status", "--format", "json").stdout)["going_back"]
    assert {unit["unit"] for unit in units} == {M1, A1}


def test_status_and_abandon_speak_json_before_during_and_after_a_push(geoplan: Geoplan, make_site: MakeSite) -> None:
    def told(*options: str) -> dict[str, Any]:
        ended = push(geoplan, site, *options, "--format", "json")
        assert ended.code == 0, ended
        status: dict[str, Any] = json.loads(ended.stdout)
        return status

    site = make_site("5.3")
    for asked in ("--status", "--abandon"):
        assert told(asked) == {
            "format": "geoplan/push-status/1",
            "outcome": None,
            "finished": True,
            "running": None,
            "pairs_to_finish": [],
            "debts": {},
        }
    site.lab.inject(f"ignore,unit={A1},command=set:geopartners")
    assert push(geoplan, site, "--jobs", "1").code == 3  # one after the other: the pair's partners before A1's
    stopped = told("--status")
    assert (stopped["outcome"], stopped["finished"], stopped["running"]) == ("stopped", False, None)
    assert stopped["pairs_to_finish"] == ["HA Pair 1"]
    with site.store.only_push("another name"):
        assert "another push is running on" in told("--status")["running"]
    abandoned = told("--abandon")
    assert (abandoned["outcome"], abandoned["finished"]) == ("abandoned", True)
    assert told("--status") == abandoned


def test_abandoned_push_names_the_pairs_that_are_not_finished_and_lets_another_begin(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = make_site("5.3")
    fault = site.lab.inject(f"ignore,unit={M1},command=reboot")
    assert push(geoplan, site).code == 3
    site.lab.lift(fault)
    assert push(geoplan, site).code == 4
    ended = push(geoplan, site, "--abandon")
    assert ended.code == 0
    assert "the next push reboots the masters of these pairs, which are not finished: HA Pair 1" in ended.stdout
    assert push(geoplan, site, "--abandon").stdout == "there is no unfinished push\n"
    assert push(geoplan, site).code == 0
    assert_finished(site)


def test_status_shows_what_was_there_before(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.1")
    assert "no push" in push(geoplan, site, "--status").stdout
    assert push(geoplan, site).code == 0
    shown = push(geoplan, site, "--status").stdout
    assert "remote_geo_access was empty" in shown
    assert ": done" in shown


def _command(site: Site, address: str, command: str, **parameters: str) -> None:
    """Send one unit a command by hand."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    content = {"cmd": command, "apiuser": "bal", "apipass": PASSWORD, **parameters}
    url = site.lab.endpoints.units[address].api + "/accessv2"
    request = urllib.request.Request(url, json.dumps(content).encode())  # noqa: S310 - a lab's
    with urllib.request.urlopen(request, context=context) as answer:  # noqa: S310
        assert json.load(answer)["code"] == 200


def _until_active(site: Site, *pairs: str, role: str = "slave") -> None:
    """Wait for the lab's own time to bring a unit up as active."""
    import select

    for _ in range(500):
        states = site.lab.state()["pairs"]
        assert isinstance(states, dict)
        if all(states[pair]["active"] == states[pair][role] for pair in pairs):
            return
        select.select([], [], [], 0.02)
    raise AssertionError("never came true")


@pytest.mark.parametrize("command", ["push", "diff"])
def test_help_imports_nothing_heavy(command: str) -> None:
    assert not loaded_by(command, "--help") & HEAVY
