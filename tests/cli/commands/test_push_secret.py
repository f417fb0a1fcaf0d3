"""``geoplan push --secret`` against the lab over real sockets: set, resumed, refused, back, and shown nowhere."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from geoplan.push import secret_records as secrets
from geoplan.push.journal import read
from geoplan.push.records import Resumed
from tests.conftest import ROOT, TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, A2, M1, M2, S1, S2, SYNC, Site

__all__ = ["make_site"]

NEW, OLD = "Zq7~new-Secret{of}Partners!", "the-Old_one.of$Partners"
OTHER = "Yet-another#One-of=Partners"


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOPLAN_SECRET", NEW)
    monkeypatch.setenv("GEOPLAN_OLD_SECRET", OLD)


def words(site: Site, *options: str | Path) -> list[str | Path]:
    return ["push", site.topology, "--endpoints", site.endpoints, "--secret", "--yes", *options]


def rotate(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan(*words(site, "--accept-links-down", *options))


def pushed(
    geoplan: Geoplan, make_site: MakeSite, section: str = "5.3", variants: Sequence[str] = (), **settings: Any
) -> Site:
    site = make_site(section, settings=settings, variants=variants)
    for unit in network(site).units.values():
        unit.secret = OLD
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes")
    assert ended.code == 0, ended
    site.settle()
    return site


def network(site: Site) -> Any:
    return site.lab._lab.simulation.network


def held(site: Site) -> dict[str, str]:
    return {address: unit.secret for address, unit in network(site).units.items()}


def records(site: Site, kind: type[Any]) -> list[Any]:
    return [each for each in read(site.journals()[-1]).records if isinstance(each, kind)]


def traces(folder: Path, *texts: str) -> list[str]:
    """Return what holds any of the secrets in what was written, in any spelling that is as long."""
    found = [str(path) for path in folder.rglob("*") if path.is_file() and _holds(path.read_bytes())]
    return [*found, *(text for text in texts if _holds(text.encode()))]


def _holds(content: bytes) -> bool:
    return any(part.encode() in content for secret in (NEW, OLD, OTHER) for part in (secret, secret[4:], secret[:-6]))


def killed_between_the_two_units(site: Site, *options: str) -> None:
    """Kill a process once the standby of the first pair has taken what its active unit has not."""
    site.lab.inject(f"slow,unit={M1},command=setlmcommsecret,occurrence=1,applied=no,seconds=60")
    before = held(site)[S1]
    command = [sys.executable, "-m", "geoplan", *map(str, words(site, *options))]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdout=subprocess.DEVNULL) as running:
        while held(site)[S1] == before and running.poll() is None:
            pass
        running.send_signal(signal.SIGKILL)
        running.wait()


def stopped_at(geoplan: Geoplan, site: Site, unit: str, *options: str) -> Outcome:
    fault = site.lab.inject(f"refuse,unit={unit},command=setlmcommsecret")
    ended = rotate(geoplan, site, *options)
    assert ended.code == 3, ended
    site.lab.lift(fault)
    return ended


def printed(outcome: Outcome) -> list[list[str]]:
    """Return the words of the commands of the secret that were printed, without what leads to the lab."""
    lines = f"{outcome.stdout}\n{outcome.stderr}".splitlines()
    found = [line[line.index("geoplan push ") :] for line in lines if "geoplan push " in line and "--secret" in line]
    return [[word for word in shlex.split(each)[3:] if word[0] != "/" and word != "--endpoints"] for each in found]


def test_a_group_is_rotated_pair_by_pair_and_all_links_are_green_again(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = pushed(geoplan, make_site)
    before = site.reboots
    shown = [rotate(geoplan, site, "--dry-run"), rotate(geoplan, site)]
    assert "would set the Partner Shared Secret that it is given on 3 units" in shown[0].stdout
    assert [each.code for each in shown] == [0, 0], shown
    assert shown[0].stdout.count('"secret": "********"') == 3
    assert set(held(site).values()) == {NEW}
    assert "all links that were green are" in shown[1].stdout
    assert f"each pair is then watched for {SYNC:g} s" in shown[1].stdout
    assert [each.unit for each in records(site, secrets.SecretSet)] == [S1, M1, A1]
    assert site.reboots == before
    shown.append(geoplan("push", site.topology, "--endpoints", site.endpoints, "--status"))
    assert f"{S1}  HA Pair 1: Partner Shared Secret set" in shown[-1].stdout
    shown.append(geoplan("push", "--history"))
    assert "--secret" in shown[-1].stdout
    shown.append(geoplan("push", site.topology, "--endpoints", site.endpoints, "--undo", "--only-preflight"))
    assert "takes back push 1" in shown[-1].stdout  # this one is passed over
    assert traces(tmp_path, *(text for each in shown for text in (each.stdout, each.stderr))) == []
    assert traces(site.journals()[-1].parent.parent) == []


def test_kill_between_the_two_units_and_the_resume_mends_that_pair_first(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = pushed(geoplan, make_site, "5.4")
    killed_between_the_two_units(site, "--accept-links-down")
    assert (held(site)[S1], held(site)[M1]) == (NEW, OLD)
    told = geoplan("push", site.topology, "--endpoints", site.endpoints, "--status").stdout
    assert "'HA Pair 1': its units may differ" in told
    assert "may have it, or not" in told  # of the one that was asked last, whichever the kill met
    assert printed(Outcome(0, told, "")) == [["--secret", "--resume"], ["--secret", "--back"]]
    refused = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes")
    assert refused.code == 4, refused
    assert "--secret --resume" in refused.stderr
    assert "--secret --back" in refused.stderr
    monkeypatch.setenv("GEOPLAN_SECRET", OTHER)  # another one than before does no harm
    site.lab.lift_all()
    ended = rotate(geoplan, site, "--resume")
    assert ended.code == 0, ended
    assert set(held(site).values()) == {OTHER}
    written = read(site.journals()[-1]).records
    (went_on,) = [number for number, each in enumerate(written) if isinstance(each, Resumed)]
    resumed = [each.unit for each in written[went_on:] if isinstance(each, secrets.SettingSecret)]
    assert resumed[:2] == [S1, M1]
    assert sorted(resumed) == sorted(held(site))
    assert "they may have differed" in ended.stdout
    assert traces(tmp_path, ended.stdout, ended.stderr) == []


def test_active_unit_that_does_not_take_it_stops_and_says_each_way(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    fault = site.lab.inject(f"refuse,unit={M1},command=setlmcommsecret")
    ended = rotate(geoplan, site)
    assert ended.code == 3, ended
    assert "its units may differ" in ended.stderr
    assert "--secret --resume" in ended.stderr
    assert "--secret --back" in ended.stderr
    site.lab.lift(fault)
    back = geoplan(*words(site, "--back"))
    assert back.code == 0, back
    assert set(held(site).values()) == {OLD}
    status = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes")
    assert status.code == 0, status


def test_unit_that_is_dead_elsewhere_keeps_no_pair_split_and_no_way_back(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site, "5.4")
    fault = site.lab.inject(f"refuse,unit={M1},command=setlmcommsecret")
    assert rotate(geoplan, site).code == 3
    assert (held(site)[S1], held(site)[M1]) == (NEW, OLD)
    site.lab.lift(fault)
    site.lab.power_off(A2)
    asked = [rotate(geoplan, site, "--resume", option) for option in ("--only-preflight", "--dry-run")]
    assert [each.code for each in asked] == [4, 3], asked
    assert all(f"  {A2}: " in each.stderr for each in asked), asked
    assert (held(site)[S1], held(site)[M1]) == (NEW, OLD)
    on = rotate(geoplan, site, "--resume")
    assert on.code == 3, on
    assert (held(site)[S1], held(site)[M1]) == (NEW, NEW)
    assert f"  {A2}: " in on.stderr
    assert "'HA Pair 1': all of it has the new Partner Shared Secret" in on.stderr
    assert "--secret --resume" in on.stderr
    assert "--secret --back" in on.stderr
    back = geoplan(*words(site, "--back"))
    assert back.code == 1, back  # the links to the dead unit are red
    assert set(held(site).values()) == {OLD}
    assert {each.unit for each in records(site, secrets.SettingSecret)} == {S1, M1}
    assert "'HA Pair 2' is left alone" in back.stdout


@pytest.mark.parametrize(
    ("options", "without", "says"),
    [
        ((), "", "--accept-links-down"),
        (("--accept-links-down",), "GEOPLAN_OLD_SECRET", "--no-way-back"),
        (("--accept-links-down", "--until", "2020-01-01T00:00+00:00"), "", "does not fit"),
    ],
)
def test_what_has_to_be_said_is_asked_for_before_anything_is_changed(  # noqa: PLR0913, PLR0917
    options: tuple[str, ...],
    without: str,
    says: str,
    geoplan: Geoplan,
    make_site: MakeSite,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = pushed(geoplan, make_site)
    if without:
        monkeypatch.delenv(without)
    refused = geoplan(*words(site, *options))
    assert refused.code == 4, refused
    assert says in refused.stderr
    assert set(held(site).values()) == {OLD}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--from", "live"), "--secret has a plan of its own"),
        (("--upgrade-to", "7.2.60.1"), "two pieces of work"),
        (("--phase", "geo"), "--secret has a plan of its own"),
        (("--back", "--no-way-back"), "--secret --back"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str, ...], says: str, geoplan: Geoplan) -> None:
    ended = geoplan("push", TOPOLOGIES / "section-5.3.yaml", "--secret", *options)
    assert ended.code == 2, ended
    assert says in ended.stderr


def test_secret_that_no_unit_takes_asks_no_unit(geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOPLAN_SECRET", "it's not one of them")
    ended = geoplan("push", TOPOLOGIES / "section-5.3.yaml", "--secret", "--lab", "--yes")
    assert ended.code == 2, ended
    assert "not one of them" not in ended.stderr + ended.stdout
    monkeypatch.delenv("GEOPLAN_SECRET")
    ended = geoplan("push", TOPOLOGIES / "section-5.3.yaml", "--secret", "--lab", "--yes")
    assert ended.code == 2, ended
    assert "GEOPLAN_SECRET" in ended.stderr


def test_lab_is_rotated_without_a_window(geoplan: Geoplan) -> None:
    ended = geoplan("push", TOPOLOGIES / "section-5.3.yaml", "--secret", "--lab", "--yes", "--format", "json")
    assert ended.code == 0, ended
    assert traces(Path("/nonexistent"), ended.stdout, ended.stderr) == []


def test_way_back_that_was_killed_between_the_two_units_goes_on_by_what_is_printed(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site, "5.4")
    stopped_at(geoplan, site, A1)
    killed_between_the_two_units(site, "--back")
    assert (held(site)[S1], held(site)[M1]) == (OLD, NEW)
    site.lab.lift_all()
    for options in (("--resume",), ("--back",), ()):
        refused = geoplan(*words(site, *options))
        assert refused.code == 4, (options, refused)
        assert printed(refused) == [["--secret", "--back", "--resume"]], (options, refused)
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--resume", "--yes").code == 2
    ended = geoplan(*words(site, "--back", "--resume"))
    assert ended.code == 0, ended
    assert set(held(site).values()) == {OLD}
    written = read(site.journals()[-1]).records
    (went_on,) = [number for number, each in enumerate(written) if isinstance(each, Resumed)]
    assert [each.unit for each in written[went_on:] if isinstance(each, secrets.SettingSecret)][:2] == [S1, M1]
    undone = geoplan("push", site.topology, "--endpoints", site.endpoints, "--undo", "--yes", "--only-preflight")
    assert "takes back push 1" in undone.stdout, undone  # a way back is no push that took lists back


GROUPS = {
    "clinic": ["HA Pair 1", "Standalone LoadMaster 1"],
    "laboratory": ["HA Pair 2", "Standalone LoadMaster 2"],
}
CLINIC, LABORATORY = {M1, S1, A1}, {M2, S2, A2}
OF_CLINIC = ["--group", "clinic"]


COMMANDS = [
    ("push", "--yes"),
    ("push", "--yes", "--phase", "geo"),
    ("push", "--yes", "--group", "laboratory", "--group", "clinic"),
    ("push", "--yes", "--secret"),
    ("push", "--yes", "--secret", "--back"),
    ("push", "--yes", "--secret", "--resume"),
    ("push", "--yes", "--resume"),
    ("push", "--status"),
    ("push", "--status", "--secret"),
    ("diff",),
    ("status",),
    ("drill", "--yes", "--site", "HA Pair 1"),
]


def test_commands_that_are_printed_name_the_groups_of_the_unfinished_push(
    rotated_in_part: Site, geoplan: Geoplan
) -> None:
    site = rotated_in_part
    ways = ["--secret", "--resume"], ["--secret", "--back"]
    for name, *options in COMMANDS:
        ended = geoplan(name, site.topology, "--endpoints", site.endpoints, *options)
        found = printed(ended)
        assert found, ended
        assert all(each in [[*OF_CLINIC, *way] for way in ways] for each in found), ended
    assert {address: held(site)[address] for address in LABORATORY} == dict.fromkeys(LABORATORY, OLD)


@pytest.fixture
def rotated_in_part(geoplan: Geoplan, make_site: MakeSite) -> Site:
    """Serve two groups, of one of which the secret is set on the pair, and not on the standalone."""
    site = pushed(geoplan, make_site, "5.4", groups=GROUPS)
    ended = stopped_at(geoplan, site, A1, "--group", "clinic")
    assert printed(ended) == [[*OF_CLINIC, "--secret", "--resume"], [*OF_CLINIC, "--secret", "--back"]]
    return site


def test_way_back_is_only_of_the_groups_that_were_rotated(rotated_in_part: Site, geoplan: Geoplan) -> None:
    site = rotated_in_part
    for options in ((), ("--group", "laboratory")):
        refused = geoplan(*words(site, "--back", "--accept-links-down", *options))
        assert refused.code == 4, refused
    ended = geoplan(*words(site, "--back", *OF_CLINIC))
    assert ended.code == 0, ended
    assert ended.stdout.startswith("push of the secret before, the way back, to ")
    assert set(held(site).values()) == {OLD}
    refused = geoplan(*words(site, "--back", "--accept-links-down", *OF_CLINIC))
    assert refused.code == 4, refused  # it was taken back
    assert "to take back" in refused.stderr


def test_way_back_after_the_end_needs_a_window_as_the_rotation_did(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site, "5.4", groups=GROUPS)
    refused = geoplan(*words(site, "--back", "--accept-links-down", "--group", "laboratory"))
    assert refused.code == 4, refused  # nothing was rotated
    assert "to take back" in refused.stderr
    assert rotate(geoplan, site, *OF_CLINIC).code == 0
    assert {address for address, secret in held(site).items() if secret == NEW} == CLINIC
    for options, says in (((), "--group clinic"), (("--group", "laboratory"), "to take back"), (OF_CLINIC, "--window")):
        refused = geoplan(*words(site, "--back", *options))
        assert refused.code == 4, (options, refused)
        assert says in refused.stderr
    assert {address for address, secret in held(site).items() if secret == NEW} == CLINIC
    ended = geoplan(*words(site, "--back", "--accept-links-down", *OF_CLINIC))
    assert ended.code == 0, ended
    assert set(held(site).values()) == {OLD}


def told_live(geoplan: Geoplan, site: Site, command: str) -> str:
    ended = geoplan(command, site.topology, "--endpoints", site.endpoints)
    return f"{ended.stdout}\n{ended.stderr}"


def test_red_links_of_a_setting_that_came_not_to_its_end_are_mended_by_no_other_push(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site)
    stopped_at(geoplan, site, A1)
    plain = ["push", site.topology, "--endpoints", site.endpoints, "--yes"]
    for command in ("diff", "status"):
        told = told_live(geoplan, site, command)
        assert ["--secret", "--resume"] in printed(Outcome(0, told, "")), told
        assert "ubmit" not in told, "to submit partners again mends nothing"
    abandoned = geoplan(*plain, "--abandon")
    assert printed(Outcome(0, abandoned.stdout, "")) == [["--secret"]], abandoned
    for command in ("diff", "status"):
        told = told_live(geoplan, site, command)
        assert printed(Outcome(0, told, ""))[0] == ["--secret"], told
        assert "ubmit" not in told
    pushed_anew = geoplan(*plain)
    assert pushed_anew.code == 1, pushed_anew
    assert ["--secret"] in printed(pushed_anew)
    assert "ubmit" not in pushed_anew.stdout
    assert rotate(geoplan, site).code == 0
    site.settle()
    assert geoplan("diff", site.topology, "--endpoints", site.endpoints).code == 0


def test_site_that_a_push_before_gave_the_secret_is_not_told_as_not_begun(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site, "5.4")
    about = ["push", site.topology, "--endpoints", site.endpoints]
    stopped_at(geoplan, site, A2)
    assert geoplan(*about, "--abandon", "--yes").code == 0
    stopped = stopped_at(geoplan, site, S2)
    for told in (geoplan(*about, "--status").stdout, stopped.stderr):
        assert "not begun by this push, given a new one by a push before" in told
        assert not [line for line in told.splitlines() if "not begun:" in line and "LoadMaster 1" in line]


def test_who_has_which_secret_is_told_to_programs(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site, "5.4")
    stopped_at(geoplan, site, M2)
    told = json.loads(
        geoplan("push", site.topology, "--endpoints", site.endpoints, "--status", "--format", "json").stdout
    )
    assert told["secrets"]["HA Pair 1"] == {
        "begun": True,
        "given_before": False,
        "having": [M1, S1],
        "unclear": [],
        "before": [],
    }
    assert told["secrets"]["HA Pair 2"]["begun"]
    assert M2 in (*told["secrets"]["HA Pair 2"]["unclear"], *told["secrets"]["HA Pair 2"]["before"])
    assert told["secrets"]["HA Pair 2"]["having"] in ([], [S2])
    assert told["secrets"]["Standalone LoadMaster 1"] == {
        "begun": False,
        "given_before": False,
        "having": [],
        "unclear": [],
        "before": [A1],
    }


def file_with(folder: Path, name: str, secret: str, mode: int = 0o600) -> Path:
    path = folder / name
    path.write_text(f"{secret}\n")
    path.chmod(mode)
    return path


def test_secrets_come_from_files_that_only_their_owner_reads(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = pushed(geoplan, make_site)
    monkeypatch.delenv("GEOPLAN_SECRET")
    monkeypatch.delenv("GEOPLAN_OLD_SECRET")
    folder = tmp_path.with_name(f"{tmp_path.name}-given")
    folder.mkdir()
    old = file_with(folder, "old", OLD)
    refused = rotate(geoplan, site, "--secret-file", file_with(folder, "open", NEW, 0o644), "--old-secret-file", old)
    assert refused.code == 2, refused
    assert set(held(site).values()) == {OLD}
    new = file_with(folder, "new", NEW)
    ended = rotate(geoplan, site, "--secret-file", new, "--old-secret-file", old)
    assert ended.code == 0, ended
    assert set(held(site).values()) == {NEW}
    back = rotate(geoplan, site, "--back", "--old-secret-file", old)
    assert back.code == 0, back
    assert set(held(site).values()) == {OLD}
    printed_texts = [text for each in (refused, ended, back) for text in (each.stdout, each.stderr)]
    assert traces(tmp_path, *printed_texts) == []
    begun = [each.begin.flags for each in map(read, site.journals())]
    assert not [word for flags in begun for word in flags if str(folder) in word], "no journal names these files"


class Terminal:
    """A process whose terminal is typed on, each answer once it is asked for."""

    def __init__(self, command: list[str]) -> None:
        self._ours, theirs = pty.openpty()
        self.shown = b""
        self._running = subprocess.Popen(
            command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def type(self, asked: bytes, answer: str) -> None:
        begin = len(self.shown)
        while asked not in self.shown[begin:]:
            if not self._read():
                raise AssertionError(self.shown.decode())
        os.write(self._ours, answer.encode() + b"\n")

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._ours)
        return self._running.wait(timeout=60)

    def _read(self) -> bytes:
        try:
            part = os.read(self._ours, 65536)
        except OSError:  # Linux says so where the other side is closed
            part = b""
        self.shown += part
        return part


def test_secrets_are_typed_twice_and_the_old_one_once_and_never_shown(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = pushed(geoplan, make_site)
    monkeypatch.delenv("GEOPLAN_SECRET")
    monkeypatch.delenv("GEOPLAN_OLD_SECRET")
    terminal = Terminal([sys.executable, "-m", "geoplan", *map(str, words(site, "--accept-links-down"))])
    terminal.type(b"ew Partner Shared Secret:", NEW)
    terminal.type(b"epeat for confirmation:", "another one")
    terminal.type(b"ew Partner Shared Secret:", NEW)
    terminal.type(b"epeat for confirmation:", NEW)
    terminal.type(b"that units have now:", OLD)
    assert terminal.end() == 0, terminal.shown.decode()
    assert set(held(site).values()) == {NEW}
    assert traces(tmp_path, terminal.shown.decode()) == []


def test_pairs_that_go_on_with_different_secrets_are_rotated_and_mended_just_so(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site, variants=["secrets-keep-ha"])
    stopped = stopped_at(geoplan, site, M1)
    assert (held(site)[S1], held(site)[M1]) == (NEW, OLD)
    assert f"{M1} serves" in stopped.stderr
    ended = rotate(geoplan, site, "--resume")
    assert ended.code == 0, ended
    assert set(held(site).values()) == {NEW}
