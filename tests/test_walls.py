"""The walls between the packages, and what may be imported where."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest

import geoplan
from tests.code import HEAVY, MODULES, PACKAGE, imports_of, loaded_by, name_of, part_of

PARTS = {
    "topology", "plan", "render", "loadmaster", "live", "push", "status", "follow", "serve", "lab", "twin", "cli",
}  # fmt: skip

# What all may import, and what itself imports none of them.
LEAVES = {"addresses", "aws", "concurrency", "console", "diagnostics", "errors", "files", "vendor", "wording", "yaml12"}

# What each part may import of the others; cli alone joins them.
MAY_IMPORT = {
    "topology": set[str](),
    "plan": {"topology"},
    "render": {"topology", "plan"},
    "loadmaster": {"topology"},
    "live": {"topology", "plan", "loadmaster"},
    "push": {"topology", "plan", "loadmaster", "live"},
    "status": {"topology", "plan", "live"},
    "follow": {"plan", "live", "push"},
    "serve": set[str](),
    "lab": {"topology"},
    "twin": {"topology", "plan", "render", "loadmaster", "live", "push", "lab"},
    "cli": PARTS,
}

# Packages that only some parts of geoplan may know.
ONLY_IN = {
    "networkx": {"plan"},
    "jinja2": {"render"},
    "defusedxml": {"loadmaster"},
    "httpcore": {"loadmaster"},
    "httpx": {"loadmaster", "twin"},  # the twin is a transport behind the client, in place of a network
    "keyring": {"loadmaster"},
    "prometheus_client": {"status"},
    "ruamel": {"topology"},
    "starlette": {"lab"},
    "uvicorn": {"lab"},
    "click": {"cli"},
}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_what_its_part_may(path: Path) -> None:
    part = part_of(path)
    if part not in PARTS | LEAVES:
        return
    imported = {name.split(".")[1] for name in imports_of(path) if name.startswith("geoplan.")} & PARTS
    assert imported - {part} <= MAY_IMPORT.get(part, set())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_package_is_known_only_where_it_may_be(path: Path) -> None:
    for name in imports_of(path):
        package = name.split(".")[0]
        assert part_of(path) in ONLY_IN.get(package, {part_of(path)}), f"{path} imports {package}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    known = {name_of(path) for path in MODULES}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for path in MODULES:
        for name in imports_of(path):
            target = name if name in known else name.rpartition(".")[0]
            if target in known and target != name_of(path):
                graph.add_edge(name_of(path), target)
    assert [sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1] == []


def test_no_module_is_longer_than_a_concept() -> None:
    assert {name_of(path): lines for path in MODULES if (lines := len(path.read_text().splitlines())) > 400} == {}


@pytest.mark.parametrize("module", ["planner", "graph", "lists"])
def test_core_of_planning_knows_nothing_of_aws(module: str) -> None:
    text = (PACKAGE / "plan" / f"{module}.py").read_text()
    assert not re.findall(r"\baws\b|amazon|\bec2\b|cloudformation|balancer", text, re.IGNORECASE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["plan", "--help"],
        ["check", "--help"],
        ["export", "--help"],
        ["export", "cloudformation", "--help"],
    ],
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert not loaded_by(*arguments) & HEAVY


def test_plan_as_json_imports_no_table_or_template_engine() -> None:
    topology = Path(__file__).parent.parent / "topologies" / "section-5.4.yaml"
    assert not loaded_by("plan", str(topology), "--format", "json") & {"rich", "jinja2", "httpx", "starlette"}


def test_importing_the_library_imports_nothing_heavy() -> None:
    script = "import sys, geoplan; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert not set(printed.stdout.split()) & (HEAVY | {"click"})


def test_every_public_name_can_be_imported() -> None:
    for name in geoplan.__all__:
        assert getattr(geoplan, name) is not None
    assert set(dir(geoplan)) >= set(geoplan.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = geoplan.nothing


# Where URLs are put together: the console of AWS, proxies and sockets of the lab are no units.
PUTS_URLS_TOGETHER = {
    "topology/api.py", "render/runbook/ec2.py", "lab/serve/listener.py", "lab/serve/limits.py", "loadmaster/proxies.py",
    "cli/faults.py", "serve/loopback.py",
}  # fmt: skip


def urls_by_hand(source: str) -> list[int]:
    """Return the lines on which a host is put behind ``://``."""
    nodes = list(ast.walk(ast.parse(source)))
    ends = {id(node.values[-1]) for node in nodes if isinstance(node, ast.JoinedStr)}  # behind these comes no host
    return [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in ends
        if re.search(r"://($|[%{])", node.value)
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_url_of_a_unit_is_put_together_in_one_place(path: Path) -> None:
    """A URL made elsewhere forgets the port that the topology gives, and a password is typed at another one."""
    if str(path.relative_to(PACKAGE)) not in PUTS_URLS_TOGETHER:
        assert urls_by_hand(path.read_text()) == []


def test_no_text_of_the_runbook_puts_a_url_together() -> None:
    texts = sorted((PACKAGE / "render").rglob("*.jinja"))
    assert [path.name for path in texts if "://" in path.read_text()] == []


@pytest.mark.parametrize(
    "code", ["f'https://{host}'", "'https://' + host", "'https://%s/' % host", "'http://{}:{}'.format(host, 1)"]
)
def test_url_by_hand_is_seen(code: str) -> None:
    assert urls_by_hand(code) == [1]


FILLED_IN = "\ufffc"
OWN_COMMANDS = "|".join(path.stem.rstrip("_") for path in (PACKAGE / "cli" / "commands").glob("[!_]*.py"))
# Programs whose commands geoplan prints; a word in front of which they stand is an argument.
_TYPED = re.compile(
    rf"\b(?:geoplan (?:{OWN_COMMANDS})"
    r"|curl|openssl|aws (?:cloudformation|ec2|elbv2|s3)|ssh|scp|chmod|chown|rm|mv|cp|mkdir|kill|docker|sudo)"
    rf"(?: |(?={FILLED_IN}))"
)


def made_of_parts(tree: ast.AST) -> Iterator[str]:
    """Yield what of a module's texts is filled in: f-strings, sums, ``%`` and ``format``."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else FILLED_IN for part in values)
            case ast.BinOp(left=left, op=ast.Add() | ast.Mod(), right=right):
                yield from (str(side.value) for side in (left, right) if isinstance(side, ast.Constant))
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format" | "join")):
                yield text
            case ast.Constant(value=str(text)) if "%s" in text or "{}" in text:
                yield text
            case _:
                pass


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_but_one_makes_a_command_to_be_typed(path: Path) -> None:
    if name_of(path) == "geoplan.wording":
        return
    assert not {name.split(".")[0] for name in imports_of(path)} & {"shlex", "pipes"}, "use wording.shell_command"
    texts = [text for text in made_of_parts(ast.parse(path.read_text())) if _takes_arguments(text)]
    assert texts == [], "use wording.shell_command"


def _takes_arguments(text: str) -> bool:
    """Return whether something is filled in behind a program's name, in the same sentence."""
    rests = [text[found.end() :] for found in _TYPED.finditer(text)]
    return any(not rest or re.match(rf"[^.,;:]*(?:{FILLED_IN}|%s|\{{)", rest) for rest in rests)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.jinja")), ids=lambda path: path.name)
def test_no_template_makes_a_command_to_be_typed(path: Path) -> None:
    text = path.read_text()
    filled = re.findall(r"\{[{%].*?[}%]\}", text, re.DOTALL)
    assert not [part for part in filled if _TYPED.search(part)], "use command(…)"
    assert not re.search(rf"{_TYPED.pattern}[^.,;:\n]*\{{\{{", text), "use command(…)"


@pytest.mark.parametrize(
    ("written", "is_found"),
    [
        ('f"go on with geoplan push {path}"', True),
        ('"geoplan push " + path', True),
        ('"curl -k %s" % url', True),
        ('"chmod 600 {}".format(path)', True),
        ('f"rm {path}; then go on"', True),
        ('f"  curl{options} {url}"', True),
        ('f"{unit}: pin it with geoplan trust, or give {option}"', False),
        ('shell_command("rm", path)', False),
        ('"see geoplan diff --help"', False),
    ],
)
def test_wall_knows_a_command_that_is_put_together(written: str, *, is_found: bool) -> None:
    assert any(map(_takes_arguments, made_of_parts(ast.parse(written)))) is is_found


# On the screen of whoever watches, on this machine.
SEEN_AS_IT_HAPPENS = {"cli/following.py", "cli/status_telling.py", "lab/serve/process.py", "status/page.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_time_of_day_is_told_with_its_zone(path: Path) -> None:
    if path.relative_to(PACKAGE).as_posix() in SEEN_AS_IT_HAPPENS:
        return
    formats = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    times = [form for form in formats if isinstance(form, str) and re.search(r"%H:%M|%T", form)]
    assert [form for form in times if not re.search("%z|%Z", form) and form not in OF_UNITS] == []


OF_UNITS = {"%a %b %d %H:%M:%S %Y"}  # how a unit may tell when it was booted


@pytest.mark.parametrize("name", sorted(SEEN_AS_IT_HAPPENS))
def test_what_is_seen_as_it_happens_is_there(name: str) -> None:
    assert "%H:%M:%S" in (PACKAGE / name).read_text()
