"""Folders that commands write: what geoplan did not write there itself is never replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from geoplan.cli import COMMANDS, cli
from geoplan.cli.folders import LIST
from geoplan.cli.options import OutputFile
from tests.conftest import TOPOLOGIES, Geoplan

FLEET = TOPOLOGIES / "fleet.yaml"
WRITERS = [(("runbook",), "index.md"), (("runbook",), "shop.md"), (("export", "ansible"), "README.md")]
WRITERS += [(("export", "ansible"), "roles/geoplan/defaults/main.yml"), (("export", "ansible"), "push.yaml")]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("words", "name"), WRITERS)
def test_what_somebody_else_wrote_is_never_replaced(
    words: tuple[str, ...], name: str, tmp_path: Path, geoplan: Geoplan
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")

    refused = geoplan(*words, FLEET, "-o", f"{tmp_path}/")

    assert refused.code == 2
    assert f"{name} was not written there by geoplan" in refused.stderr
    assert files(tmp_path) == {name: b"mine"}


@pytest.mark.parametrize(("words", "name"), WRITERS)
def test_what_was_changed_since_is_not_replaced_and_what_was_not_is_written_anew(
    words: tuple[str, ...], name: str, tmp_path: Path, geoplan: Geoplan
) -> None:
    for _ in range(2):
        assert geoplan(*words, FLEET, "-o", f"{tmp_path}/").code == 0
    (tmp_path / name).write_text("changed")
    before = files(tmp_path)

    refused = geoplan(*words, FLEET, "-o", f"{tmp_path}/")

    assert refused.code == 2
    assert "changed since" in refused.stderr
    assert files(tmp_path) == before
    (tmp_path / name).unlink()
    assert geoplan(*words, FLEET, "-o", f"{tmp_path}/").code == 0


@pytest.mark.skipif(os.name != "posix", reason="links need a permission elsewhere")
@pytest.mark.parametrize(("words", "name"), [*WRITERS, (("export", "ansible"), "roles"), (("runbook",), LIST)])
def test_nothing_is_written_through_a_link(words: tuple[str, ...], name: str, tmp_path: Path, geoplan: Geoplan) -> None:
    folder, victim = tmp_path / "x", tmp_path / "victim"
    assert geoplan(*words, FLEET, "-o", f"{folder}/").code == 0
    (folder / name).rename(victim)
    (folder / name).symlink_to(victim)
    before = files(tmp_path)

    refused = geoplan(*words, FLEET, "-o", f"{folder}/")

    assert refused.code == 2
    assert files(tmp_path) == before


def test_a_run_that_was_cut_off_can_be_done_again(
    tmp_path: Path, geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("geoplan.cli.runbook_folder.text_of_runbook", no_room)
        assert geoplan("runbook", FLEET, "-o", f"{tmp_path}/").code
    (tmp_path / "shop.md").write_text("half of it")

    assert geoplan("runbook", FLEET, "-o", f"{tmp_path}/").code == 0


def test_what_an_earlier_run_left_is_told_and_stays(tmp_path: Path, geoplan: Geoplan) -> None:
    sites = "sites: [{name: A, standalone: 10.0.0.1}, {name: B, standalone: 10.0.0.2}]\n"
    (tmp_path / "t.yaml").write_text(f"{sites}groups: {{x: [A], gone: [B]}}\n")
    first = geoplan("runbook", tmp_path / "t.yaml", "-o", f"{tmp_path}/out/")
    assert "2 runbooks and an index" in first.stderr
    assert "still there" not in first.stderr
    (tmp_path / "t.yaml").write_text("sites: [{name: A, standalone: 10.0.0.1}]\ngroups: {x: [A]}\n")

    for _ in range(2):
        later = geoplan("runbook", tmp_path / "t.yaml", "-o", f"{tmp_path}/out/")
        assert later.code == 0, later.stderr
        assert "1 runbook and an index" in later.stderr
        assert "1 file of an earlier run is still there: gone.md" in later.stderr
    assert {"x.md", "gone.md", "index.md", LIST} == files(tmp_path / "out").keys()


def named(part: str | tuple[str, ...]) -> str:
    return part if isinstance(part, str) else " ".join(part)


def command_of(path: tuple[str, ...]) -> click.Command:
    command = cli.get_command(click.Context(cli), path[0])
    assert command is not None
    return command.commands[path[1]] if isinstance(command, click.Group) else command


def paths() -> Iterator[tuple[str, ...]]:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        yield from ((name, each) for each in command.commands) if isinstance(command, click.Group) else [(name,)]


FILES = [
    (path, param.opts[0])
    for path in paths()
    for param in command_of(path).params
    if isinstance(param.type, OutputFile) and not param.type.may_be_folder
]
"""The commands that write one file, each with its option."""


@pytest.mark.parametrize(("path", "option"), FILES, ids=named)
def test_a_name_with_a_slash_at_its_end_is_no_file(
    path: tuple[str, ...], option: str, tmp_path: Path, geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [each for each in command_of(path).params if isinstance(each, click.Argument)]
    given = ["192.0.2.1" if each.name == "addresses" else FLEET for each in arguments]
    needed = {"upgrade": ["--to", "7.2.60.1"], "drill": ["--site", "Shop Dublin"]}.get(path[0], [])

    refused = geoplan(*path, *given, *needed, option, "folder/x.md/")

    assert refused.code == 2
    assert "names a folder, and one file is written" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_record_is_no_folder_either(tmp_path: Path, geoplan: Geoplan) -> None:
    refused = geoplan("push", FLEET, "--lab", "--yes", "--record", f"{tmp_path}/ticket.md/")
    assert refused.code == 2
    assert list(tmp_path.iterdir()) == []
