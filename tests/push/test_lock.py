"""One push at a time on a unit: in one process and in several, whatever the push is called."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.push.lock import holder_of, only_push, try_to_lock
from geoplan.push.state_dir import make_own
from geoplan.push.store import unit_keys

A, B, C = "10.0.0.1", "10.0.0.2", "10.0.0.10"
HOLDING = """
import sys
from pathlib import Path
from geoplan.push.lock import only_push
from geoplan.push.store import unit_keys
with only_push(Path(sys.argv[1]), unit_keys(sys.argv[2:]), "another", "ann@desk"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path, *addresses: str) -> Iterator[subprocess.Popen[str]]:
    """Hold units in another process while the block lasts."""
    command = [sys.executable, "-c", HOLDING, str(folder), *addresses]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.communicate()


def test_two_pushes_in_one_process_keep_each_other_out_and_units_come_free_at_the_end(tmp_path: Path) -> None:
    with only_push(tmp_path, unit_keys([A, B]), "one", "ann@desk"):
        with pytest.raises(PushRefusedError) as refused, only_push(tmp_path, unit_keys([B, C]), "two", "bob@desk"):
            pass
        with only_push(tmp_path, unit_keys([C]), "three", "bob@desk"):
            pass
    assert str(refused.value).startswith(f"another push is running on {B}: 'one', process {os.getpid()} of ann@desk")
    with only_push(tmp_path, unit_keys([B, C]), "two", "bob@desk"):
        pass


def test_a_push_in_another_process_is_named_with_the_first_unit_that_it_holds(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path, C, B) as process:
        with try_to_lock(tmp_path, unit_keys([C, A, B]), "two", "bob@desk") as refusal:
            assert f"another push is running on {B}: 'another', process {process.pid} of ann@desk" in str(refusal)
        with try_to_lock(tmp_path, unit_keys([A]), "two", "bob@desk") as refusal:
            assert refusal is None  # what was refused holds nothing
        assert f"process {process.pid}" in str(holder_of(tmp_path, unit_keys([B])))
        assert holder_of(tmp_path, unit_keys([A])) is None
    assert holder_of(tmp_path, unit_keys([B])) is None


def test_a_process_that_is_killed_holds_nothing_and_is_not_named_again(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path, A, B) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with only_push(tmp_path, unit_keys([A]), "two", "bob@desk"):
            with try_to_lock(tmp_path, unit_keys([A, B]), "three", "eve@desk") as refusal:
                assert "'two'" in str(refusal)
            assert holder_of(tmp_path, unit_keys([B])) is None


def test_looking_at_a_held_unit_frees_nothing(tmp_path: Path) -> None:
    with only_push(tmp_path, unit_keys([A]), "one", "ann@desk"):
        assert holder_of(tmp_path, unit_keys([A]))
        result = subprocess.run(
            [sys.executable, "-c", HOLDING, str(tmp_path), A], input="", text=True, capture_output=True, check=False
        )
        assert f"another push is running on {A}" in result.stderr


def test_units_of_a_lab_are_others_than_those_at_their_addresses(tmp_path: Path) -> None:
    with only_push(tmp_path, unit_keys([A]), "one", "a"), only_push(tmp_path, unit_keys([A], "1f"), "one", "a"):
        pass


def test_files_that_are_open_do_not_grow_with_the_units(tmp_path: Path) -> None:
    def count() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    many = unit_keys(f"10.1.{number // 250}.{number % 250}" for number in range(2000))
    before = count()
    with only_push(tmp_path, many, "one", "a"):
        assert count() == before + 1
    assert count() == before


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_is_not_called_another_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_given: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    held = only_push(tmp_path, unit_keys([A]), "one", "a")
    with pytest.raises(UnusableFileError, match="no locks on its file system") as raised, held:
        pass
    assert "XDG_STATE_HOME" in str(raised.value.hint)


def test_a_folder_that_is_a_link_or_another_user_s_is_refused_and_what_leads_to_it_may_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "home")
    assert make_own(tmp_path / "linked" / "state").stat().st_mode & 0o777 == 0o700
    (tmp_path / "state").symlink_to(tmp_path / "home" / "state")
    with pytest.raises(UnusableFileError, match="is a symbolic link"):
        make_own(tmp_path / "state")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UnusableFileError, match="is a symbolic link"):
        make_own(tmp_path / "dangling")
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(UnusableFileError, match="belongs to another user"):
        make_own(tmp_path / "home" / "state")
