"""The code of geoplan as tests of its structure read it: its modules, what each imports, and what a command loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import geoplan

PACKAGE = Path(geoplan.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

HEAVY = {
    "defusedxml", "httpx", "jinja2", "networkx", "prometheus_client", "pydantic", "rich", "starlette", "uvicorn",
    "yaml",
}  # fmt: skip


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, those for the type checker included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    return ".".join(("geoplan", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def loaded_by(*arguments: str) -> set[str]:
    """Return the top-level packages in memory at the end of a command."""
    script = (
        "import sys; from geoplan.cli import run; sys.stdout = open('/dev/null', 'w'); "
        "run(sys.argv[1:]); sys.stdout = sys.__stdout__; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    printed = subprocess.run([sys.executable, "-c", script, *arguments], check=True, capture_output=True, text=True)
    return set(printed.stdout.split())
