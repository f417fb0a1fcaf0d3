"""``geoplan push --upgrade-to`` against the lab over real sockets: in order, resumed, refused, and back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from geoplan.push import firmware_records as updates
from geoplan.push.journal import read
from tests.conftest import ROOT, TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, A2, M1, M2, PASSWORD, S1, S2, Site

__all__ = ["make_site"]

OLD, NEW = "7.2.59.4", "7.2.60.1"
IMAGE = f"LM-{NEW}.22951.RELEASE.bin"
A_LIMIT = 120 * 2**20


def image(folder: Path, size: int = 2**20) -> Path:
    path = folder / IMAGE
    with path.open("wb") as file:
        file.truncate(size)
    return path


def words(site: Site, *options: str | Path, to: str = NEW) -> list[str | Path]:
    return ["push", site.topology, "--endpoints", site.endpoints, "--upgrade-to", to, "--yes", *options]


def update(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan(*words(site, "--image", image(site.topology.parent), "--no-canary", *options))


def versions(site: Site) -> dict[str, str]:
    return {address: ".".join(unit["firmware"].split(".")[:4]) for address, unit in site.units.items()}


def pushed(geoplan: Geoplan, make_site: MakeSite, section: str = "5.3", **options: Any) -> Site:
    """Serve units to which the plan was pushed."""
    site = make_site(section, firmware=OLD, **options)
    ended = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes")
    assert ended.code == 0, ended
    site.settle()
    return site


def records(site: Site, kind: type[Any]) -> list[Any]:
    return [each for each in read(site.journals()[-1]).records if isinstance(each, kind)]


def test_units_are_updated_in_the_order_of_section_7_and_nothing_else_changes(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site, "5.4")
    before, lists = site.reboots, site.all_that_counts()
    ended = update(geoplan, site)
    assert ended.code == 0, ended
    assert f"done and verified: all units run {NEW}, and nothing else has changed" in ended.stdout
    assert ended.stdout.count("nothing else changed") == 6
    assert set(versions(site).values()) == {NEW}
    assert [each.unit for each in records(site, updates.Updated)] == [S1, M1, S2, M2, A1, A2]
    assert {unit: site.reboots[unit] - before[unit] for unit in before} == dict.fromkeys(before, 1)
    for unit, held in site.all_that_counts().items():
        assert {**held, "reboots": 0} == {**lists[unit], "reboots": 0}
    assert all(unit["ha"]["preferred_host"] == "master" for unit in (site.units[M1], site.units[S1]))
    assert PASSWORD not in ended.stdout + ended.stderr + site.journals()[-1].read_text()
    told = geoplan("push", site.topology, "--endpoints", site.endpoints, "--status")
    assert f"firmware {NEW} given, was {OLD}" in told.stdout
    assert geoplan("push", "--history").code == 0
    undoing = geoplan("push", site.topology, "--endpoints", site.endpoints, "--undo", "--only-preflight")
    assert "takes back push 1" in undoing.stdout, undoing  # the update is passed over


def test_nothing_to_do_where_all_units_run_it(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3", firmware=NEW)
    ended = update(geoplan, site)
    assert (ended.code, site.journals()) == (0, [])
    assert f"nothing to do: all units run {NEW} already" in ended.stdout


def test_after_a_kill_no_unit_that_shows_the_version_is_touched_again(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path
) -> None:
    site = pushed(geoplan, make_site)
    taken = image(tmp_path)
    command = [sys.executable, "-m", "geoplan", *map(str, words(site, "--image", taken, "--no-canary"))]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "update standby" in line and "done" in line:
                running.send_signal(signal.SIGKILL)
                break
        running.wait()
    assert versions(site) == {S1: NEW, M1: OLD, A1: OLD}
    reboots = site.reboots
    status = geoplan("push", site.topology, "--endpoints", site.endpoints, "--status")

    assert f"--upgrade-to {NEW} --image {taken} --resume" in status.stdout
    assert f"'HA Pair 1': on two versions, or perhaps: {M1} runs {OLD}" in status.stdout
    assert f"{S1} runs {NEW}; No Preferred Host is set meanwhile" in status.stdout
    assert "who serves:        geoplan status " in status.stdout
    assert "--abandon" in status.stdout
    assert f"--upgrade-to {OLD}.22338.RELEASE --back" in status.stdout
    again = geoplan(*words(site, "--image", taken, "--no-canary"))
    assert again.code == 4, again
    assert f"an update to {NEW} is unfinished, and units run another version than it began with; go on" in again.stderr
    assert "--abandon\n" not in again.stderr
    site.settle()
    ended = geoplan(*words(site, "--image", taken, "--no-canary", "--resume"))
    assert ended.code == 0, ended
    assert set(versions(site).values()) == {NEW}
    assert site.reboots[S1] == reboots[S1]
    assert len([each for each in records(site, updates.Installing) if each.unit == S1]) == 1


def test_push_that_is_unfinished_is_told_how_it_goes_on(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    fault = site.lab.inject(f"no-return,unit={S1}")
    ended = update(geoplan, site)
    assert ended.code == 3, ended
    assert f"perhaps on two versions: {M1} runs 7.2.59.4" in ended.stderr
    assert f"{S1} does not answer, so what it runs is not known; {M1} serves" in ended.stderr
    assert "--resume" in ended.stderr
    assert f"--upgrade-to {OLD}" in ended.stderr
    assert "--back" in ended.stderr
    for other in ([], ["--resume"]):
        refused = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", *other)
        assert refused.code in (2, 4), refused
        assert "an update" in refused.stderr
    site.lab.lift(fault)
    site.settle()
    ended = update(geoplan, site, "--resume")
    assert ended.code == 0, ended
    assert set(versions(site).values()) == {NEW}


def test_answered_and_not_installed_is_a_stop_with_the_old_version_everywhere(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site)
    site.lab.inject(f"ignore,unit={S1},command=installpatch,occurrence=1")
    ended = update(geoplan, site)
    assert ended.code == 3, ended
    assert "after its boot" in ended.stderr
    assert set(versions(site).values()) == {OLD}


def test_unit_that_answers_an_error_to_its_firmware_is_not_rebooted_for_that(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site)
    before = site.reboots
    site.lab.inject(f"error,unit={S1},command=installpatch,occurrence=1")
    ended = update(geoplan, site)
    assert ended.code == 3, ended
    assert "it answered HTTP 500 to its firmware, and was not rebooted; it runs 7.2.59.4" in ended.stderr
    assert site.reboots == before
    assert len(records(site, updates.Installing)) == len(records(site, updates.NotInstalled)) == 1
    status = geoplan("push", site.topology, "--endpoints", site.endpoints, "--status")
    assert "firmware 7.2.60.1 given" not in status.stdout
    ended = update(geoplan, site, "--resume")
    assert ended.code == 0, ended
    assert len(records(site, updates.Installing)) == 1 + len(versions(site))
    assert {unit: count - before[unit] for unit, count in site.reboots.items()} == dict.fromkeys(before, 1)


def test_resume_takes_over_that_nobody_is_asked_after_the_first_unit(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    site.lab.inject(f"ignore,unit={S1},command=installpatch,occurrence=1")
    assert update(geoplan, site, "--pause", "0.5").code == 3
    site.settle()
    ended = geoplan(*words(site, "--image", image(site.topology.parent), "--resume"))
    assert ended.code == 0, ended
    begun = read(site.journals()[-1]).begin.options
    assert (begun.asks_after_first, begun.pause_seconds) == (False, 0.5)


def test_resume_that_could_not_ask_after_the_first_unit_is_refused_before_it_begins(
    geoplan: Geoplan, make_site: MakeSite
) -> None:
    site = pushed(geoplan, make_site)
    taken = image(site.topology.parent)
    site.lab.inject(f"ignore,unit={S1},command=installpatch,occurrence=1")
    with pytest.MonkeyPatch.context() as patched:
        terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
        patched.setattr("geoplan.cli.update_session.sys", terminal)
        assert geoplan(*words(site, "--image", taken)).code == 3
    site.settle()
    before = site.all_that_counts()
    refused = geoplan(*words(site, "--image", taken, "--resume"))
    assert refused.code == 4, refused
    assert "give --no-canary" in refused.stderr
    assert site.all_that_counts() == before
    assert geoplan(*words(site, "--image", taken, "--resume", "--no-canary")).code == 0


def test_other_version_after_the_boot_is_said_to_be_installed(geoplan: Geoplan, make_site: MakeSite) -> None:
    """The lab installs the first version that a name says, whatever the file holds."""
    site = pushed(geoplan, make_site)
    taken = image(site.topology.parent).rename(site.topology.parent / f"build 7.2.58 of {NEW}.bin")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("geoplan.push.update_checks.versions_in", lambda _name: [NEW])
        ended = geoplan(*words(site, "--image", taken, "--no-canary"))
    assert ended.code == 3, ended
    assert "another one was installed, it ran 7.2.59.4" in ended.stderr


def test_way_back_is_a_command_of_its_own(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    refused = geoplan(*words(site, "--back", "--no-canary", to="7.2.59.3"))
    assert refused.code == 4, refused
    assert "to which version it goes back" in refused.stderr
    assert update(geoplan, site).code == 0
    site.settle()
    ended = geoplan(*words(site, "--back", "--no-canary", to=OLD))
    assert ended.code == 0, ended
    assert set(versions(site).values()) == {OLD}


def preferred(site: Site) -> list[str]:
    return [site.units[unit]["ha"]["preferred_host"] for unit in (M1, S1)]


@pytest.mark.parametrize("way", ["back", "on"])
def test_update_that_is_given_up_says_what_sets_the_preferred_host_again(
    geoplan: Geoplan, make_site: MakeSite, way: str
) -> None:
    """Nothing was installed, and the pair is on No Preferred Host: either way there is nothing to do but that."""
    site = pushed(geoplan, make_site)
    fault = site.lab.inject(f"ignore,unit={S1},command=installpatch,occurrence=1")
    assert update(geoplan, site).code == 3
    site.lab.lift(fault)
    given_up = geoplan("push", site.topology, "--endpoints", site.endpoints, "--abandon", "--yes")
    assert given_up.code == 0
    assert "'HA Pair 1' is on No Preferred Host since an update" in given_up.stdout
    assert preferred(site) == ["none", "none"]
    refused = geoplan("push", site.topology, "--endpoints", site.endpoints, "--only-preflight")
    undo = geoplan("push", site.topology, "--endpoints", site.endpoints, "--undo", "--only-preflight")
    status = geoplan("push", site.topology, "--endpoints", site.endpoints, "--status")
    assert (refused.code, undo.code) == (4, 4)
    for told in (given_up.stdout, refused.stderr, undo.stderr, status.stdout):
        (back,) = {line.strip() for line in told.splitlines() if f"--upgrade-to {OLD}" in line}
        assert back.startswith("geoplan push ")
        assert f" --upgrade-to {OLD}.22338.RELEASE --back" in back
        assert "--undo" not in back
    site.settle()
    ended = geoplan(*words(site, "--back", to=OLD)) if way == "back" else update(geoplan, site)
    assert ended.code == 0, ended
    assert preferred(site) == ["master", "master"]
    status = geoplan("push", site.topology, "--endpoints", site.endpoints, "--status")
    assert "No Preferred Host since" not in status.stdout
    assert geoplan("push", site.topology, "--endpoints", site.endpoints, "--only-preflight").code == 0


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_until_that_is_too_near_is_refused(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    soon = (datetime.now().astimezone() + timedelta(seconds=3)).isoformat()
    refused = update(geoplan, site, "--until", soon)
    assert refused.code == 4, refused
    assert "does not fit until" in refused.stderr
    assert set(versions(site).values()) == {OLD}


def test_unit_that_is_down_is_named_before_anything_is_planned(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    down = next(reversed(site.units))
    site.lab.power_off(down)
    refused = update(geoplan, site)
    assert refused.code == 4, refused
    assert "not every unit says what it runs, and nothing was changed" in refused.stderr
    assert f"  {down}: " in refused.stderr
    assert "see that the API of every unit answers, then give the command again" in refused.stderr
    assert "--live" not in refused.stderr


def test_image_of_another_version_is_refused(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = pushed(geoplan, make_site)
    ended = geoplan(*words(site, "--image", image(tmp_path), "--no-canary", to="7.2.60.2"))
    assert ended.code == 4, ended
    assert f"says {NEW}.22951, and not 7.2.60.2" in ended.stderr


def test_first_unit_is_asked_about_and_nobody_can_be_asked(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    ended = geoplan(*words(site, "--image", image(site.topology.parent)))
    assert ended.code == 4, ended
    assert "--no-canary" in ended.stderr
    assert set(versions(site).values()) == {OLD}


@pytest.mark.parametrize(
    "options",
    [
        ["--image", "x"],
        ["--upgrade-to", NEW],
        ["--upgrade-to", NEW, "--back", "--lab"],
        ["--no-canary"],
        ["--back"],
        *(["--upgrade-to", NEW, "--image", "x", "--pause", seconds] for seconds in ("nan", "inf", "-1")),
        ["--upgrade-to", NEW, "--image", "x", "--window", "Fri 22:00-22:00"],
        *(["--upgrade-to", NEW, "--image", "x", *words] for words in (["--reboot", "never"], ["--remove-unknown"])),
        ["--secret", "--parallel-groups"],
    ],
)
def test_options_that_do_not_fit_are_wrong_usage(geoplan: Geoplan, make_site: MakeSite, options: list[str]) -> None:
    site = make_site("5.3")
    (site.topology.parent / "x").write_bytes(b"x")
    given = [str(site.topology.parent / "x") if word == "x" else word for word in options]
    ended = geoplan("push", site.topology, *given)
    assert ended.code == 2, ended


def test_dry_run_sends_nothing_and_shows_the_order(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = pushed(geoplan, make_site)
    before = site.all_that_counts()
    ended = update(geoplan, site, "--dry-run")
    assert ended.code == 0, ended
    sent = [line.split()[-4:] for line in ended.stdout.splitlines() if "installpatch" in line]
    assert len(sent) >= 3, ended.stdout
    assert site.all_that_counts() == before
    assert set(versions(site).values()) == {OLD}


def test_image_of_400_mb_takes_no_memory(make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.1", firmware=OLD)
    taken = image(tmp_path, 400 * 2**20)
    report = tmp_path / "peak"
    program = (  # its own peak: what resource tells begins with that of the process that started it
        "import sys; from geoplan.cli import run; code = run(sys.argv[2:]); "
        "(peak,) = [line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')]; "
        "open(sys.argv[1], 'w').write(peak); sys.exit(code)"
    )
    command = [sys.executable, "-c", program, str(report), *map(str, words(site, "--image", taken, "--no-canary"))]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended
    assert int(report.read_text()) * 1024 < A_LIMIT
    assert set(versions(site).values()) == {NEW}


def test_example_of_two_regions_is_updated_in_its_lab_in_order_and_only_versions_change(
    geoplan: Geoplan, tmp_path: Path
) -> None:
    options = ["--upgrade-to", NEW, "--image", str(image(tmp_path)), "--no-canary", "--lab", "--yes"]
    ended = geoplan("push", TOPOLOGIES / "aws-dublin-ohio.yaml", *options, "--format", "json")
    assert ended.code == 0, ended
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    given = [each["unit"] for each in events if each["event"] == "step_ended" and "it runs" in each["message"]]
    assert given == ["10.10.2.5", "10.10.1.5", "10.20.2.5", "10.20.1.5", "10.30.0.5"]
    (compared,) = [each["compared"] for each in events if "compared" in each]
    assert sorted(row["unit"] for row in compared) == sorted(given)
    assert not [row for row in compared if row["changed"]]
    assert all(row["before"].startswith(OLD) and row["after"].startswith(NEW) for row in compared)
