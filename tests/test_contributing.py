"""CONTRIBUTING.md is the map of the code: its tree, its walls and the files that it names for changes are true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text()
PACKAGE = ROOT / "geoplan"

EXAMPLES = {
    "a format of plans": r"\"lists\"",
    "a format of checks": r"\"junit\"",
    "a kind of fault in the lab": r"FaultKind\.FLAP|\"flap\"",
    "a format of pictures": r"\"dot\"",
    "a command of geoplan": r"\"trust\"",
    "a finding of status, diff and the checks before a push": r"FindingKind\.SSH_OFF|\bSSH_OFF =",
}
"""For some rows of *to add X, touch Y* a thing of that kind: only the files of the row may know it."""


def section(heading: str) -> str:
    return TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of a section's table, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def tree() -> list[str]:
    """Return the paths of the tree that the document draws; folders end in a slash."""
    (drawn,) = re.findall(r"^```text\n(.*?)^```$", section("The tree"), re.MULTILINE | re.DOTALL)
    paths: list[str] = []
    folders: list[str] = []
    for line in drawn.splitlines():
        indent, name = len(line) - len(line.lstrip()), line.split()[0]
        folders[indent // 2 :] = [name] if name.endswith("/") else []
        paths.append("".join(folders) if name.endswith("/") else "".join([*folders, name]))
    return paths


def named(cell: str) -> list[str]:
    """Return the paths that a cell names."""
    return re.findall(r"`([\w./]+)`", cell)


def matching(path: str) -> list[Path]:
    """Return the files or folders of a path, in which NAME stands for any name."""
    return list(ROOT.glob(path.replace("NAME", "*").rstrip("/")))


PATHS = sorted({*tree(), *(path for row in rows("To add X, touch Y") for cell in row[1:] for path in named(cell))})


@pytest.mark.parametrize("path", PATHS)
def test_what_is_named_is_there(path: str) -> None:
    assert matching(path)


def test_tree_has_every_package_and_every_file_at_the_top() -> None:
    packages = {f"{path.parent.relative_to(ROOT)}/" for path in PACKAGE.rglob("__init__.py")}
    files = {str(path.relative_to(ROOT)) for path in PACKAGE.glob("*.py") if path.name != "__main__.py"}

    assert (packages | files) - set(tree()) == set()


def test_eleven_changes_are_told() -> None:
    assert len(rows("To add X, touch Y")) == 11


@pytest.mark.parametrize("change", EXAMPLES)
def test_a_change_touches_only_what_is_named(change: str) -> None:
    (row,) = [row for row in rows("To add X, touch Y") if row[0] == change]
    touched = {path for cell in row[1:] for name in named(cell) for path in matching(name)}
    knowing = {path for path in PACKAGE.rglob("*.py") if re.search(EXAMPLES[change], path.read_text())}

    assert knowing
    assert {path for path in knowing if not touched & {path, *path.parents}} == set()


def imports_of(package: str) -> Iterator[str]:
    for path in (PACKAGE / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("geoplan."):
                yield str(node.module).split(".")[1]


def test_walls_are_those_of_the_code() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    walls = {named(row[0])[0]: set(named(row[1])) for row in rows("The walls")}
    walls["cli"] = packages

    assert walls.keys() == packages
    for package, allowed in walls.items():
        assert set(imports_of(package)) & packages - allowed - {package} == set(), package
