"""Files read and written safely."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from geoplan.errors import UnusableFileError
from geoplan.files import OtherFileError, descriptor_of, make_private, read_bounded, write_atomically, write_private

POSIX = pytest.mark.skipif(os.name != "posix", reason="such files are POSIX's")


def test_no_more_is_read_than_what_shows_that_a_file_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_bounded(file, 5) == b"12345"
    assert read_bounded(file, 3) == b"1234"


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, "a\0b"):
        with pytest.raises(UnusableFileError, match="cannot read"):
            read_bounded(path, 1)


def test_a_check_sees_the_very_file_that_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12")
    sizes: list[int] = []
    read_bounded(file, 1, check=lambda status: sizes.append(status.st_size))
    assert sizes == [2]


def test_file_is_replaced_behind_its_link_and_keeps_its_permissions(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to(file)
    write_atomically(link, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [file, link]


def test_file_that_is_there_stays_where_none_may_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_atomically(file, b"first", may_replace=False)
    with pytest.raises(FileExistsError):
        write_atomically(file, b"second", may_replace=False)
    assert file.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("now", [b"read and more", b"", None])
def test_file_that_is_not_as_it_was_read_stays(tmp_path: Path, now: bytes | None) -> None:
    file = tmp_path / "file"
    if now is not None:
        file.write_bytes(now)
    with pytest.raises(OtherFileError):
        write_atomically(file, b"new", instead_of=b"read")
    assert (file.read_bytes() if file.exists() else None) == now
    file.write_bytes(b"read")
    write_atomically(file, b"new", instead_of=b"read")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_link_to_nothing_is_something_that_is_there(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(FileExistsError):
        write_atomically(link, b"new", may_replace=False)
    assert not target.exists()


def test_private_file_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = make_private(tmp_path / "a" / "b")
    write_private(folder / "file", b"secret")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, folder / "file")]
    assert modes == [0o700, 0o700, 0o600]
    with pytest.raises(FileExistsError):
        write_private(folder / "file", b"other")


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


NO_FILES: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a socket": lambda path: a_socket(Path(path.name)),  # whose name has to be short
    "a folder": Path.mkdir,
}


@POSIX
@pytest.mark.parametrize("is_stdin_allowed", [False, True])
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_regular_file_is_refused_by_its_kind_and_never_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, is_stdin_allowed: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    NO_FILES[kind](tmp_path / "it")
    (tmp_path / "link").symlink_to(tmp_path / "it")
    for path in (tmp_path / "it", tmp_path / "link"):
        with pytest.raises(UnusableFileError, match="cannot read") as caught:
            read_bounded(path, 5, is_stdin_allowed=is_stdin_allowed)
        if kind not in ("a socket", "a folder"):  # which the system itself refuses
            assert f"it is {kind}, and no regular file" in str(caught.value)
            assert ("- for standard input" in (caught.value.hint or "")) is is_stdin_allowed


@POSIX
def test_what_a_shell_hands_over_is_read_to_its_end_and_no_further_than_the_limit(tmp_path: Path) -> None:
    def handed_over(content: bytes, limit: int) -> bytes:
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(f"/dev/fd/{reading}")
        try:
            return read_bounded(tmp_path / "link", limit, is_stdin_allowed=True, check=lambda _: pytest.fail("a pipe"))
        finally:
            os.close(reading)

    assert handed_over(b"12345", 5) == b"12345"
    assert handed_over(b"12345", 3) == b"1234"


@POSIX
@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_standard_input_is_known_by_all_its_names(path: str) -> None:
    if Path(path).parent.exists():
        assert descriptor_of(path) == 0


def test_file_is_no_descriptor_for_its_name_alone(tmp_path: Path) -> None:
    (tmp_path / "fd").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("0", "fd/0", "loop", "none"):
        assert descriptor_of(tmp_path / name) is None


@POSIX
def test_output_goes_into_a_pipe_that_is_there_or_is_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    ours, theirs = os.pipe()
    write_atomically(tmp_path / "pipe", b"named")
    write_atomically(Path(f"/dev/fd/{theirs}"), b"open")
    assert (os.read(reading, 9), os.read(ours, 9)) == (b"named", b"open")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
    for handle in (reading, ours, theirs):
        os.close(handle)


def test_name_as_long_as_names_can_be_is_written(tmp_path: Path) -> None:
    file = tmp_path / ("n" * 255)
    write_atomically(file, b"x")
    assert file.read_bytes() == b"x"
