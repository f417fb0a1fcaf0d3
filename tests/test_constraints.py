"""What a clone installs is pinned to the release, and what users may install is what passes."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.floors import PROJECT, floor, requirements

PINS = [
    Requirement(line)
    for line in (ROOT / "tests" / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
PYTHONS = ["3.11", "3.12", "3.13", "3.14", "3.15"]
FIELDS = {"sys_platform": "linux", "platform_python_implementation": "CPython", "extra": ""}


def pinned(name: str, python: str) -> str | None:
    """Return the release of a package that is installed with that Python, or None."""
    here = {**FIELDS, "python_version": python, "python_full_version": f"{python}.0"}
    pins = [
        pin
        for pin in PINS
        if canonicalize_name(pin.name) == canonicalize_name(name) and (not pin.marker or pin.marker.evaluate(here))
    ]
    assert len(pins) <= 1, f"{name} is pinned twice for Python {python}"
    return str(pins[0].specifier).removeprefix("==") if pins else None


def test_pins_are_releases() -> None:
    for pin in PINS:
        assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(pin.specifier)), pin
        assert not pin.extras


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_what_the_project_names_is_pinned_inside_its_range(requirement: Requirement, python: str) -> None:
    if requirement.marker and not requirement.marker.evaluate({**FIELDS, "python_version": python}):
        return
    release = pinned(requirement.name, python)

    assert release is not None
    assert requirement.specifier.contains(release)


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_range_has_a_floor_and_no_ceiling(requirement: Requirement) -> None:
    assert {specifier.operator for specifier in requirement.specifier} == {">="}
    assert floor(requirement)


def test_what_the_named_packages_need_in_turn_is_pinned() -> None:
    """Walk over what is installed: the pins are those of every Python, the walk that of this one."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    here = {**FIELDS, "python_version": python}
    if any(_is_installed(pin.name) and version(pin.name) != pinned(pin.name, python) for pin in PINS):
        pytest.skip("what is installed is not what is pinned")
    named = [
        requirement for requirement in requirements() if not requirement.marker or requirement.marker.evaluate(here)
    ]
    waiting = [(requirement.name, extra) for requirement in named for extra in ("", *requirement.extras)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen or not _is_installed(name):
            continue
        seen.add((name, extra))
        assert pinned(name, python), f"{name} is installed, and not pinned"
        for written in distribution(name).requires or ():
            needed = Requirement(written)
            if not needed.marker or needed.marker.evaluate({**here, "extra": extra}):
                waiting += [(needed.name, wanted) for wanted in ("", *needed.extras)]

    assert len(seen) > 50


def _is_installed(name: str) -> bool:
    """Return whether a package is there; the linters and the keyring need not be."""
    try:
        return bool(distribution(name))
    except PackageNotFoundError:
        return False


def test_what_builds_the_package_is_pinned() -> None:
    for written in tomllib.loads(PROJECT.read_text())["build-system"]["requires"]:
        assert {specifier.operator for specifier in Requirement(written).specifier} == {"=="}
