"""What YAML takes away from a secret is said at its line, and never what is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.loadmaster.credentials import read_credentials
from geoplan.loadmaster.plain_secrets import silent_losses
from geoplan.yaml12 import read_document


def losses(content: str) -> list[tuple[int, str]]:
    return list(silent_losses(read_document(content), content))


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("default:\n  password: pa:ss #1\n", 2, "' #' is a comment and no part of the password"),
        ("units:\n  10.0.0.1:\n    apikey: ab\t# c\n", 3, "' #' is a comment and no part of the apikey"),
        ("default:\n  user: me #2\n  password: x\n", 2, "' #' is a comment and no part of the user"),
        ("default: {password: pass #1\n  }\n", 1, "' #' is a comment"),
        ("default:\n  password: pass  \n", 2, "the blanks behind the password"),
        ("default:\n  password:  pass\n", 2, "the blanks before the password"),
        ("default:\n  password: one\n   two\n", 2, "goes over several lines"),
        ("default:\n  password: |\n    pass\n", 2, "holds a line break"),
        ('default: {password: "a\\tb"}\n', 1, "another control character"),
        ("default:\n  password: &ab cd\n", 2, "begins with & is read as a mark of YAML"),
        ("default:\n  password: ! cd\n", 2, "begins with ! is read as a mark of YAML"),
    ],
)
def test_what_is_lost_of_a_secret_is_said_at_its_line(content: str, line: int, words: str) -> None:
    ((found, reason),) = losses(content)
    assert found == line
    assert words in reason


@pytest.mark.parametrize(
    "content",
    [
        "default:\n  user:     bal\n  password: pa#ss\n",
        "default:\n  password: 'pa ss ' # a comment\n",
        'default: {user: bal, password: "pass #1" } # a comment\n',
        "default:\n  password: >-\n    pass #1\n",
        "default: {user: bal, password: pass}\nunits: {10.0.0.1: {apikey: a-b}}\n",
        "",
        "- 1\n",
    ],
)
def test_what_is_sent_as_it_is_written_needs_no_warning(content: str) -> None:
    assert losses(content) == []


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20))
def test_plain_secret_without_a_warning_is_sent_letter_by_letter(secret: str) -> None:
    content = f"default:\n  password: {secret}\n"
    document = read_document(content)
    match document.value:
        case {"default": {"password": str() as sent}} if secret[0] not in "'\"|>*" and not document.faults:
            assert sent == secret or losses(content)


def test_file_with_a_loss_is_read_with_a_warning_that_names_the_file_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "credentials.yaml"
    path.write_text("default:\n  password: hunter2 #hunter3\n")
    path.chmod(0o600)
    _, (warning,) = read_credentials(path)
    assert warning.startswith(f"{path}:2: ")
    assert "hunter" not in warning
