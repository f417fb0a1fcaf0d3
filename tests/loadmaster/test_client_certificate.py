"""A client's certificate and its key: read, checked, and said what is wrong with them before any unit is asked."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from geoplan.errors import CredentialsError, GeoplanError, UnusableFileError
from geoplan.loadmaster.client_certificate import PASSWORD_VARIABLE, ClientCertificate, load_client_certificate
from tests.loadmaster.support import self_signed

PASSWORD = "hunter2"  # noqa: S105 - of a key that is made here


def loaded(certificate: Path | str, key: Path | None = None, *, password: str | None = None) -> ClientCertificate:
    environment = {} if password is None else {PASSWORD_VARIABLE: password}
    return load_client_certificate(str(certificate), None if key is None else str(key), environment)


def test_key_stands_in_the_same_file_or_in_one_of_its_own(tmp_path: Path) -> None:
    assert loaded(self_signed(tmp_path / "both.pem", "a")).key is None
    key = tmp_path / "key.pem"
    assert loaded(self_signed(tmp_path / "cert.pem", "a", key_path=key), key).key


def test_certificate_comes_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = self_signed(tmp_path / "both.pem", "a").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert loaded("-")


@pytest.mark.parametrize("is_apart", [False, True])
def test_key_that_others_can_read_is_refused(tmp_path: Path, is_apart: bool) -> None:
    key = tmp_path / "key.pem"
    certificate = self_signed(tmp_path / "cert.pem", "a", key_path=key if is_apart else None)
    (key if is_apart else certificate).chmod(0o640)
    with pytest.raises(CredentialsError, match="mode 0640"):
        loaded(certificate, key if is_apart else None)


def test_key_under_a_password_needs_it_from_the_environment(tmp_path: Path) -> None:
    sealed = self_signed(tmp_path / "both.pem", "a", password=PASSWORD.encode())
    assert loaded(sealed, password=PASSWORD)
    with pytest.raises(CredentialsError, match="protected by a password") as missing:
        loaded(sealed)
    assert PASSWORD_VARIABLE in (missing.value.hint or "")
    with pytest.raises(CredentialsError, match=r"the password of the key .* is wrong") as wrong:
        loaded(sealed, password=PASSWORD[:-1])
    assert PASSWORD[:-1] not in f"{wrong.value} {wrong.value.hint}"


def test_key_of_another_certificate_is_told(tmp_path: Path) -> None:
    first = self_signed(tmp_path / "first.pem", "a", key_path=tmp_path / "first.key")
    self_signed(tmp_path / "second.pem", "b", key_path=tmp_path / "second.key")
    with pytest.raises(UnusableFileError, match="is not that of"):
        loaded(first, tmp_path / "second.key")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff" * 9, b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN CERTIFICATE-----\n", b"x" * (2**20 + 1)],
)
def test_files_that_are_none_are_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(GeoplanError) as caught:
        loaded(path)
    assert caught.value.hint


def test_pipe_and_nothing_at_all_are_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "none"):
        with pytest.raises(UnusableFileError, match="cannot read the client certificate"):
            loaded(tmp_path / name)


def test_secrets_of_a_certificate_never_show(tmp_path: Path) -> None:
    path = self_signed(tmp_path / "both.pem", "a", password=PASSWORD.encode())
    shown = repr(loaded(path, password=PASSWORD))
    assert PASSWORD not in shown
    assert "BEGIN" not in shown
