"""The package's face, and what it may import."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import geoplan
from geoplan import loadmaster
from tests.code import MODULES, imports_of, part_of


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


def test_only_the_client_knows_its_libraries() -> None:
    for path in MODULES:
        packages = {name.split(".")[0] for name in imports_of(path)}
        own = {"httpx", "httpcore", "defusedxml", "keyring"} - ({"httpx"} if part_of(path) == "twin" else set())
        assert part_of(path) == "loadmaster" or not packages & own, path


def test_pinning_needs_no_http_client() -> None:
    script = "import sys, geoplan.cli.commands.trust, geoplan.loadmaster.tls; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert not {"httpx", "defusedxml", "keyring"} & set(printed.stdout.split())
