"""Print the lowest releases that pyproject.toml allows, as a constraints file: pip cannot look for them by itself."""

from __future__ import annotations

import tomllib
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def requirements() -> list[Requirement]:
    """Return everything that the project and its extras need, the project's own extras aside."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    written = chain(project["dependencies"], *project["optional-dependencies"].values())
    return [needed for needed in map(Requirement, written) if needed.name != project["name"]]


def floor(requirement: Requirement) -> str:
    """Return the lowest release that a requirement allows."""
    (lowest,) = [specifier.version for specifier in requirement.specifier if specifier.operator == ">="]
    return lowest


if __name__ == "__main__":
    for requirement in requirements():
        marker = f"; {requirement.marker}" if requirement.marker else ""
        print(f"{requirement.name}=={floor(requirement)}{marker}")
