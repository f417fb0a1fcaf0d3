"""What is given is given: an empty value is wrong usage, in every option and argument of every command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from geoplan.cli import COMMANDS, cli
from geoplan.push.state_dir import STATE_DIR_VARIABLE
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = str(TOPOLOGIES / "section-5.4.yaml")


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield from within((name,), command)


def within(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(click.Context(command)):
        found = command.get_command(click.Context(command), name)
        assert found is not None
        yield from within((*path, name), found)


WITH_OPTIONS = [
    (path, option)
    for path, command in commands()
    for param in command.params
    for option in param.opts
    if isinstance(param, click.Option) and not param.is_flag
]
WITH_ARGUMENTS = [
    (path, place)
    for path, command in commands()
    for place in range(sum(isinstance(param, click.Argument) for param in command.params))
]


NEEDED = {("upgrade",): {"--to": "7.2.60.1"}, ("export", "ansible"): {"--output": "nowhere"}}
"""What some commands do not go without, by their options."""


def needed(path: tuple[str, ...], given: str = "") -> list[str]:
    given = {"-o": "--output"}.get(given, given)
    return [word for option in NEEDED.get(path, {}).items() if option[0] != given for word in option]


def named(part: str | tuple[str, ...]) -> str:
    return part if isinstance(part, str) else " ".join(part)


@pytest.mark.parametrize(("path", "option"), WITH_OPTIONS, ids=named)
def test_empty_value_of_an_option_is_wrong_usage(geoplan: Geoplan, path: tuple[str, ...], option: str) -> None:
    more = needed(path, option)
    arguments = {"facts": [], "import": ["192.0.2.7"], "init": [], "probe": ["192.0.2.7"], "schema": ["plan"]}.get(
        path[0], [EXAMPLE]
    )
    ended = geoplan(*path, *arguments, option, "", *more)
    assert (ended.code, ended.stdout) == (2, "")
    assert option in ended.stderr


@pytest.mark.parametrize(("path", "place"), WITH_ARGUMENTS)
def test_empty_argument_is_wrong_usage(geoplan: Geoplan, path: tuple[str, ...], place: int) -> None:
    given = [EXAMPLE] * 2 if path == ("compare",) else [EXAMPLE]
    given[place] = ""
    ended = geoplan(*path, *given, *needed(path))
    assert (ended.code, ended.stdout) == (2, "")
    assert "Invalid value" in ended.stderr


@pytest.mark.parametrize("command", ["push", "diff", "status"])
def test_unset_variable_never_leads_to_production(geoplan: Geoplan, command: str) -> None:
    ended = geoplan(command, EXAMPLE, "--endpoints=")
    assert ended.code == 2
    assert "'--endpoints': it is empty" in ended.stderr


def test_empty_variable_that_names_a_place_is_wrong_usage(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(STATE_DIR_VARIABLE, "")
    ended = geoplan("push", EXAMPLE, "--status")
    assert ended.code == 2
    assert STATE_DIR_VARIABLE in ended.stderr
    assert geoplan("push", EXAMPLE, "--status", "--state-dir", tmp_path).code == 0


def test_a_second_value_never_replaces_the_first(geoplan: Geoplan) -> None:
    ended = geoplan("diff", EXAMPLE, "--endpoints", "lab.yaml", "--endpoints", "other.yaml")
    assert ended.code == 2
    assert "--endpoints" in ended.stderr
    assert "it is given twice" in ended.stderr


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_without_arguments_ends_without_a_traceback(geoplan: Geoplan, command: str) -> None:
    ended = geoplan(command)
    assert ended.code == (0 if command == "facts" else 2)
    assert "Traceback" not in ended.stderr
