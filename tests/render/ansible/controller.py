"""ansible-playbook and ansible-lint as processes of their own, which know nothing of this user's settings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

BIN = Path(sys.executable).parent
RECAP = re.compile(r"^(\S+)\s*: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


class Host(NamedTuple):
    """What the recap says of a host."""

    changed: int
    failed: int


class Run(NamedTuple):
    """How a playbook ended."""

    code: int
    output: str
    hosts: dict[str, Host]


def require_ansible() -> None:
    """Skip where Ansible is not installed; where GEOPLAN_REQUIRE_ANSIBLE is 1 it has to be."""
    if all(find_spec(name) for name in ("ansible", "ansiblelint")):
        return
    if os.environ.get("GEOPLAN_REQUIRE_ANSIBLE") == "1":
        pytest.fail("Ansible is not installed, and GEOPLAN_REQUIRE_ANSIBLE=1 asks for it")
    pytest.skip("Ansible is not installed: pip install 'geoplan[ansible]'")


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a controller whose home is a folder of the test's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "GEOPLAN_"))}
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    own = {"HOME": str(home), "ANSIBLE_HOME": str(home / "ansible"), "PATH": path, "LC_ALL": "C.UTF-8"}
    return kept | own | {"ANSIBLE_NOCOLOR": "1", "NO_COLOR": "1"}


def set_up(folder: Path, host: str, **variables: object) -> None:
    """Write what an operator knows of a host: here it is this machine."""
    known = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    own = {"geoplan_executable": str(BIN / "geoplan"), "geoplan_state_dir": str(folder / f"{host} state")}
    (folder / "host_vars").mkdir(exist_ok=True)
    (folder / "host_vars" / f"{host}.yaml").write_text(yaml.safe_dump(known | own | variables))


def pretend(folder: Path) -> Path:
    """Put a stand-in for geoplan into a folder, and return it: see :mod:`tests.render.ansible.pretender`."""
    folder.mkdir(exist_ok=True)
    program = folder / "geoplan"
    program.write_text(f"#!{sys.executable}\n" + Path(__file__).with_name("pretender.py").read_text())
    program.chmod(0o700)
    return program


def calls(program: Path) -> list[dict[str, Any]]:
    """Return how a stand-in was called, the first call first."""
    noted = program.with_name("calls")
    return [json.loads(line) for line in noted.read_text().splitlines()] if noted.exists() else []


def play(folder: Path, home: Path, *options: str, **variables: str) -> Run:
    """Run the playbook; ``variables`` are of the controller's environment."""
    command = [str(BIN / "ansible-playbook"), "-i", "inventory.yaml", "push.yaml", *options]
    run = subprocess.run(
        command,
        cwd=folder,
        env=environment(home) | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    hosts = {
        name: Host(int(changed), int(failed) + int(away)) for name, changed, away, failed in RECAP.findall(run.stdout)
    }
    return Run(run.returncode, run.stdout, hosts)


def lint(folder: Path, home: Path) -> Run:
    """Run ansible-lint, by its strictest profile, without a look at the network."""
    run = subprocess.run(
        [str(BIN / "ansible-lint"), "--offline", "--nocolor", "--strict", "--profile", "production"],
        cwd=folder,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(run.returncode, run.stdout, {})
