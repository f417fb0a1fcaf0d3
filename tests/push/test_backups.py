"""How long backups are kept, and what is never removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.live.polling import SystemClock
from geoplan.plan.model import Plan
from geoplan.plan.planner import make_plan
from geoplan.push.backups import prune
from geoplan.push.options import Options
from geoplan.push.store import Store, addresses_of, unit_keys
from geoplan.topology.loader import load_topology
from tests.conftest import TOPOLOGIES, Geoplan
from tests.push.conftest import MakeSite, make_site
from tests.push.support import A1, M1, S1

__all__ = ["make_site"]

PLAN = make_plan(load_topology(TOPOLOGIES / "section-5.3.yaml"))
UNITS = addresses_of(PLAN)


def store_of(folder: Path, *addresses: str) -> Store:
    return Store(folder / "state", unit_keys(addresses or UNITS), folder / "locks")


def push(store: Store, outcome: str | None = "done", *, owes: bool = False, plan: Plan = PLAN) -> dict[str, Path]:
    """Write down a push of all units; return its backups, by the units. Without an outcome it is unfinished."""
    with store.begin(plan, Options(), SystemClock()) as journal:
        folder = store.backups / journal.path.stem
        folder.mkdir(parents=True)
        files = {unit: folder / f"{unit}.backup" for unit in addresses_of(plan)}
        for unit, file in files.items():
            file.write_bytes(b"a backup")
            journal.write("backup", unit=unit, file=str(file), sha256="0" * 64)
        if owes:
            step = next(step for step in plan.steps if step.site == "HA Pair 1" and "partners" in step.id)
            change = {"site": "HA Pair 1", "action": step.action.value, "unit": M1, "what": "geo_partners"}
            journal.write("changing", step=step.id, **change, before=[], after=[A1])
        if outcome:
            journal.write("end", outcome=outcome)
    return files


def removed(store: Store, keep: int) -> list[str]:
    return prune(store, store.past().ledger, keep)


def kept(*pushes: dict[str, Path]) -> list[bool]:
    """Return of each push whether its backups are there: all or none of them."""
    found = [{file.exists() for file in files.values()} for files in pushes]
    assert all(len(each) == 1 for each in found), found
    return [each == {True} for each in found]


def test_backups_of_the_last_pushes_are_kept(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    pushes = [push(store) for _ in range(5)]
    assert removed(store, 5) == []
    assert kept(*pushes) == [True] * 5
    assert removed(store, 2) == []
    assert kept(*pushes) == [False, False, False, True, True]
    assert not pushes[0][M1].parent.exists()


def test_pushes_are_counted_for_each_unit(tmp_path: Path) -> None:
    first = push(store_of(tmp_path))
    second = push(store_of(tmp_path))
    removed(store_of(tmp_path, A1), 1)
    assert [first[unit].exists() for unit in (M1, S1, A1)] == [True, True, False], "other units are no concern of A1's"
    assert kept(second) == [True]


def test_what_may_still_be_wanted_is_never_removed(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    oldest = push(store)
    done = push(store)
    refused = [push(store, "refused") for _ in range(3)]
    removed(store, 1)
    assert kept(oldest, done, *refused) == [False, True, False, False, True], "the last that came to its end stays"
    unfinished = push(store, None)
    newer = [push(store, "refused") for _ in range(3)]
    removed(store, 1)
    assert kept(done, unfinished, *newer) == [True, True, False, False, True]


def test_nothing_of_a_pair_that_owes_is_removed(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    first = push(store, "abandoned", owes=True)
    later = [push(store) for _ in range(3)]
    assert store.past().ledger.owes(S1)
    removed(store, 1)
    assert [first[unit].exists() for unit in (M1, S1, A1)] == [True, True, False]
    assert [files[S1].exists() for files in later] == [True] * 3


@pytest.mark.parametrize("stop", [OSError(13, "Permission denied"), KeyboardInterrupt()], ids=["refused", "killed"])
@pytest.mark.parametrize("after", range(8))
def test_a_stop_in_the_middle_loses_nothing_that_is_wanted_and_is_made_up_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException, after: int
) -> None:
    store = store_of(tmp_path)
    pushes = [push(store) for _ in range(3)]
    unfinished = push(store, None)
    left, unlink = [after], Path.unlink

    def failing(path: Path, missing_ok: bool = False) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise stop
        unlink(path, missing_ok)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", failing)
        try:
            told = removed(store, 1)
        except KeyboardInterrupt:
            told = []
    assert all("Permission denied" in each for each in told)
    assert all(file.exists() for files in (pushes[2], unfinished) for file in files.values())
    assert removed(store, 1) == []
    assert kept(*pushes, unfinished) == [False, False, True, True]


def test_only_what_a_push_put_there_is_removed(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    mine = tmp_path / "precious.backup"
    mine.write_text("not a backup of a push")
    with store.begin(PLAN, Options(), SystemClock()) as journal:
        folder = store.backups / journal.path.stem
        folder.mkdir(parents=True)
        (folder / f"{S1}.backup").symlink_to(mine)
        for unit, file in ((M1, mine), (S1, folder / f"{S1}.backup"), (A1, Path("backups") / "x.backup")):
            journal.write("backup", unit=unit, file=str(file), sha256="0" * 64)
        journal.write("end", outcome="done")
    for _ in range(2):
        push(store)
    assert removed(store, 1) == []
    assert mine.exists()
    assert (folder / f"{S1}.backup").is_symlink()


def test_push_keeps_the_backups_of_as_many_pushes_as_it_is_told(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    options = ("--yes", "--endpoints", site.endpoints, "--keep-backups", "1", "--reboot", "always")
    for _ in range(2):
        ended = geoplan("push", site.topology, *options)
        assert ended.code == 0, ended
    units = [file.name for file in site.store.backups.rglob("*.backup")]
    assert sorted(units) == sorted(f"{unit}.backup" for unit in UNITS)
    (folder,) = site.store.backups.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in site.store.backups.rglob("*.backup"))


@pytest.mark.parametrize("what", ["a link", "of all"])
def test_backups_go_to_no_folder_that_somebody_else_decides_on(
    geoplan: Geoplan, make_site: MakeSite, tmp_path: Path, what: str
) -> None:
    site = make_site()
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    folder = tmp_path / "backups"
    if what == "a link":
        folder.symlink_to(target)
    else:
        folder.mkdir()
        folder.chmod(0o777)
    before = site.all_that_counts()
    done = geoplan("push", site.topology, "--endpoints", site.endpoints, "--yes", "--backup-dir", folder)
    assert done.code == 2
    assert str(folder) in done.stderr
    assert target.stat().st_mode & 0o777 == 0o755
    assert not list(target.iterdir())
    assert not list(folder.iterdir())
    assert site.all_that_counts() == before
