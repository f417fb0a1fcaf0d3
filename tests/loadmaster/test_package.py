"""The package's face, and what it may import."""

from __future__ import annotations

import ast
import graphlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import geoplan
from geoplan import loadmaster
from tests.test_walls import MODULES, PACKAGE, imports_of, part_of


def test_every_public_name_can_be_imported() -> None:
    assert sorted(loadmaster.__all__) == loadmaster.__all__
    for name in loadmaster.__all__:
        assert getattr(loadmaster, name) is not None
    assert dir(loadmaster) == loadmaster.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = loadmaster.nothing


@pytest.mark.parametrize("package", [geoplan, loadmaster])
def test_type_checkers_find_each_public_name_where_it_is_imported_from(package: ModuleType) -> None:
    (block,) = [node for node in ast.parse(inspect.getsource(package)).body if isinstance(node, ast.If)]
    checked = {
        alias.asname: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert checked == vars(package)["_HOMES"]


@pytest.mark.parametrize("part", ["loadmaster", "cli", "render/diagram"])
def test_modules_import_one_another_in_no_circle_not_even_for_the_type_checker(part: str) -> None:
    modules = {path: ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in MODULES}
    own = {name for path, name in modules.items() if path.is_relative_to(PACKAGE / part) and path.stem != "__init__"}
    known = {
        name: {imported.rpartition(".")[0] for imported in all_imports_of(path)} & own
        for path, name in modules.items()
        if name in own
    }
    assert any(known.values())
    graphlib.TopologicalSorter(known).prepare()  # raises CycleError


def all_imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, whether it runs or is checked."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (f"{node.module}.{alias.name}.*" for alias in node.names)


def test_only_the_client_knows_its_libraries() -> None:
    for path in MODULES:
        packages = {name.split(".")[0] for name in imports_of(path)}
        assert part_of(path) == "loadmaster" or not packages & {"httpx", "httpcore", "defusedxml", "keyring"}, path


def test_pinning_needs_no_http_client() -> None:
    script = "import sys, geoplan.cli.commands.trust, geoplan.loadmaster.tls; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert not {"httpx", "defusedxml", "keyring"} & set(printed.stdout.split())
