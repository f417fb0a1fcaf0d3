"""A marker in the folder of all pushes freezes them, whatever is in it, until somebody takes it away."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from geoplan.errors import PushRefusedError, UnusableFileError
from geoplan.push import freeze
from geoplan.push.journal import who
from tests.push.support import NOON


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.mark.parametrize("reason", [None, "nobody pushes tonight", "é \udcff \x1b[31m\n"])
def test_what_was_frozen_is_read_again(state: Path, reason: str | None) -> None:
    assert freeze.frozen(state) is None

    frozen = freeze.freeze(state, NOON, reason)

    assert freeze.frozen(state) == frozen
    assert frozen.freeze is not None
    assert (frozen.freeze.who, frozen.freeze.at, frozen.freeze.reason) == (who(), NOON, reason)
    assert str(frozen).startswith(f"pushes are frozen by {who()} since 202")
    assert not {"\n", "\x1b"} & set(str(frozen))


def test_marker_is_private(state: Path) -> None:
    freeze.freeze(state, NOON)

    assert stat.S_IMODE(freeze.marker(state).stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_who_froze_first_stays(state: Path) -> None:
    freeze.freeze(state, NOON, "mine")

    with pytest.raises(PushRefusedError, match="mine; that stays as it is"):
        freeze.freeze(state, NOON, "and mine")

    assert "mine" in str(freeze.frozen(state))
    assert "and mine" not in str(freeze.frozen(state))


def test_thawed_pushes_may_begin(state: Path) -> None:
    frozen = freeze.freeze(state, NOON)
    with pytest.raises(PushRefusedError, match="nothing was changed") as refused:
        freeze.require_thawed(state)
    assert f"geoplan push --thaw --state-dir {state}" in str(refused.value.hint)

    assert freeze.thaw(state) == frozen

    freeze.require_thawed(state)
    assert freeze.thaw(state) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"tonight\n", b"\xff", b'{"format": "geoplan/freeze/9"}', b"[" * 9000, b" " * 99999]
)
def test_marker_that_cannot_be_read_freezes_all_the_same(state: Path, content: bytes) -> None:
    state.mkdir(0o700)
    freeze.marker(state).write_bytes(content)

    with pytest.raises(PushRefusedError, match="who froze them cannot be read"):
        freeze.require_thawed(state)

    assert freeze.thaw(state) is not None
    freeze.require_thawed(state)


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_whatever_has_the_markers_name_freezes(state: Path, kind: str) -> None:
    state.mkdir(0o700)
    if kind == "link":
        freeze.marker(state).symlink_to(state / "nowhere")
    else:
        freeze.marker(state).mkdir()

    with pytest.raises(PushRefusedError):
        freeze.require_thawed(state)
    with pytest.raises(PushRefusedError):
        freeze.freeze(state, NOON)
    if kind == "folder":
        with pytest.raises(UnusableFileError, match=r"pushes stay frozen: cannot remove .*frozen\.json") as refused:
            freeze.thaw(state)
        assert "not frozen" not in f"{refused.value} {refused.value.hint}"
        assert freeze.frozen(state) is not None


def test_marker_that_could_not_be_written_freezes_nothing(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(path: Path, _: bytes) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(freeze, "write_private", no_room)
    with pytest.raises(UnusableFileError, match="No space left") as refused:
        freeze.freeze(state, NOON)
    assert "pushes are not frozen" in str(refused.value.hint)
    assert freeze.frozen(state) is None


def test_folder_that_others_can_write_to_is_refused(state: Path) -> None:
    state.mkdir()
    state.chmod(0o777)

    for use in (freeze.frozen, freeze.thaw, lambda folder: freeze.freeze(folder, NOON)):
        with pytest.raises(UnusableFileError, match="others can write"):
            use(state)
