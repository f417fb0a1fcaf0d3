"""Files read and written safely."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from geoplan.errors import UnusableFileError
from geoplan.files import make_private, read_bounded, write_atomically, write_private


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


def test_private_file_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = make_private(tmp_path / "a" / "b")
    write_private(folder / "file", b"secret")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, folder / "file")]
    assert modes == [0o700, 0o700, 0o600]
    with pytest.raises(FileExistsError):
        write_private(folder / "file", b"other")
