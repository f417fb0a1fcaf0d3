"""The commands, as an operator types them."""

from __future__ import annotations

import gc
import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from geoplan import Plan, load_topology, make_plan
from geoplan.cli import COMMANDS, cli
from geoplan.cli.formats import FORMATS
from tests.benchmarks.test_speed import large_topology
from tests.conftest import TOPOLOGIES, Geoplan

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"
RECORDED = TOPOLOGIES / "section-5.4.lists.txt"


def test_help_lists_every_command_with_its_summary(geoplan: Geoplan) -> None:
    outcome = geoplan("--help")

    assert outcome.code == 0
    for name, summary in COMMANDS.items():
        assert name in outcome.stdout
        assert summary in outcome.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help(name: str, geoplan: Geoplan) -> None:
    outcome = geoplan(name, "--help")

    assert outcome.code == 0
    assert outcome.stdout.startswith(f"Usage: geoplan {name} ")


def test_command_that_a_program_runs_leaves_its_process_as_it_is(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)
    before, frozen = (gc.get_threshold(), dict(os.environ)), gc.get_freeze_count()
    geoplan("runbook", EXAMPLE, "-o", tmp_path / "runbook.md")

    assert (gc.get_threshold(), dict(os.environ)) == before
    assert gc.get_freeze_count() <= frozen  # what another test froze may have gone since


def test_version(geoplan: Geoplan) -> None:
    assert geoplan("--version").stdout.startswith("geoplan, version ")


def test_without_a_command_the_help_is_shown_and_it_exits_2(geoplan: Geoplan) -> None:
    outcome = geoplan()

    assert outcome.code == 2
    assert "Commands:" in outcome.stdout + outcome.stderr


def test_mistyped_command_is_answered_with_the_nearest(geoplan: Geoplan) -> None:
    outcome = geoplan("plna", EXAMPLE)

    assert outcome.code == 2
    assert "There is no command 'plna'. Did you mean 'plan'?" in outcome.stderr


def test_check_of_a_good_file(geoplan: Geoplan) -> None:
    assert geoplan("check", EXAMPLE) == (0, f"{EXAMPLE}: OK: no errors\n", "")


@pytest.mark.parametrize("code", ["GEO408", "geo408", "408"])
def test_check_explains_a_code(code: str, geoplan: Geoplan) -> None:
    outcome = geoplan("check", "--explain", code)

    assert outcome.code == 0
    assert outcome.stdout.startswith("GEO408 (error): A group has too many sites\n")
    assert "Source: GEO Feature Description" in outcome.stdout


def test_check_of_an_unknown_code(geoplan: Geoplan) -> None:
    outcome = geoplan("check", "--explain", "GEO999")

    assert outcome.code == 2
    assert "no diagnostic has the code GEO999" in outcome.stderr


def test_missing_file_exits_2_and_says_what_to_do(geoplan: Geoplan) -> None:
    outcome = geoplan("check", "nowhere.yaml")

    assert outcome.code == 2
    assert outcome.stdout == ""
    assert outcome.stderr.splitlines() == [
        "geoplan: error: cannot read nowhere.yaml: No such file or directory",
        "  hint: check the path and its permissions",
    ]


def test_directory_is_no_topology(geoplan: Geoplan, tmp_path: Path) -> None:
    outcome = geoplan("plan", tmp_path)

    assert outcome.code == 2
    assert "Is a directory" in outcome.stderr


def test_plan_from_standard_input_is_called_stdin(geoplan: Geoplan) -> None:
    outcome = geoplan("plan", "-", "--format", "json", stdin="sites: [{name: A, standalone: 10.0.0.1}]")

    assert json.loads(outcome.stdout)["topology"] == "stdin"


def test_fault_on_standard_input(geoplan: Geoplan) -> None:
    outcome = geoplan("plan", "-", stdin="sites: 1")

    assert outcome.code == 2
    assert outcome.stderr.startswith("stdin:1:8: error: GEO101 ")


def test_warnings_go_to_standard_error_and_do_not_stop_a_plan(geoplan: Geoplan) -> None:
    mixed = "sites: [{name: A, standalone: 10.0.0.1}, {name: B, standalone: 2001:db8::1}]"
    outcome = geoplan("plan", "-", "--format", "json", stdin=mixed)

    assert outcome.code == 0
    assert "warning: GEO504" in outcome.stderr
    assert len(json.loads(outcome.stdout)["sites"]) == 2


def test_plan_as_json_has_the_keys_of_the_design(geoplan: Geoplan) -> None:
    plan = json.loads(geoplan("plan", EXAMPLE, "--format", "json").stdout)

    keys = ["format", "topology", "checksum", "groups", "sites", "clusters", "steps"]
    assert list(plan)[: len(keys)] == keys
    assert plan["format"] == "geoplan/plan/1"
    assert set(plan["groups"][0]) >= {"name", "section", "sites"}
    assert set(plan["sites"][0]) >= {"name", "kind", "group", "units", "remote_geo_access", "geo_partners"}
    assert set(plan["sites"][0]["units"][0]) >= {"address", "role"}
    assert set(plan["clusters"][0]) >= {"group", "site", "name", "address", "type"}
    step_keys = {"number", "id", "action", "site", "on", "after", "section", "why", "note"}
    assert set(plan["steps"][0]) >= step_keys
    assert plan["steps"][0]["on"] == {"site": "HA Pair 1", "unit": "active"}
    assert plan["steps"][0]["id"] == "ha-pair-1/set-remote-geo-access"


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_plan_is_read_back_to_an_equal_one(form: str, geoplan: Geoplan) -> None:
    written = geoplan("plan", EXAMPLE, "--format", form).stdout
    read = Plan.model_validate_json(written) if form == "json" else Plan.model_validate(yaml.safe_load(written))

    assert read == make_plan(load_topology(EXAMPLE))


def test_schemas_fit_what_they_describe(geoplan: Geoplan) -> None:
    of_topologies = json.loads(geoplan("schema", "topology").stdout)
    of_plans = json.loads(geoplan("schema", "plan").stdout)

    for path in TOPOLOGIES.glob("*.yaml"):
        jsonschema.validate(yaml.safe_load(path.read_text()), of_topologies)
        jsonschema.validate(json.loads(geoplan("plan", path, "--format", "json").stdout), of_plans)


@pytest.mark.parametrize(
    "site",
    [
        {"name": "A"},
        {"name": "A", "standalone": "10.0.0.1", "ha_pair": {"master": "10.0.0.2", "slave": "10.0.0.3"}},
        {"name": "A", "standalone": {"firmware": "7.2.59.4"}},
        {"name": "A", "standalon": "10.0.0.1"},
        {"name": "", "standalone": "10.0.0.1"},
    ],
)
def test_schema_refuses_what_has_another_shape(site: dict[str, object], geoplan: Geoplan) -> None:
    schema = json.loads(geoplan("schema", "topology").stdout)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"sites": [site]}, schema)


def test_published_schema_is_the_present_one(geoplan: Geoplan) -> None:
    assert (TOPOLOGIES / "topology.schema.json").read_text() == geoplan("schema", "topology").stdout


def test_examples_name_the_published_schema() -> None:
    for path in TOPOLOGIES.glob("*.yaml"):
        assert path.read_text().startswith("# yaml-language-server: $schema=topology.schema.json\n")


def test_compare_with_the_documents_example(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", EXAMPLE, RECORDED, "--ordered")

    assert outcome == (0, f"{RECORDED}: the lists of 4 sites match the plan\n", "")


def test_compare_with_the_other_master_says_why_in_one_sentence(geoplan: Geoplan) -> None:
    swapped = EXAMPLE.read_text().replace(
        "master: 172.24.1.8, slave: 172.24.1.7", "master: 172.24.1.7, slave: 172.24.1.8"
    )
    outcome = geoplan("compare", "-", RECORDED, "--ordered", stdin=swapped)

    assert outcome.code == 1
    assert outcome.stdout == (
        "HA Pair 2: the recorded Remote GEO LoadMaster Access names 172.24.1.8, which the topology has as the slave, "
        "in place of the master 172.24.1.7: either the master is 172.24.1.8, or the record is wrong\n"
    )


def test_compare_as_json(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", TOPOLOGIES / "section-5.3.yaml", RECORDED, "--format", "json")

    report = json.loads(outcome.stdout)
    assert outcome.code == 1
    assert report["format"] == "geoplan/differences/1"
    assert {"site", "subject", "message", "missing", "extra"} == set(report["differences"][0])


def test_compare_with_something_else_exits_2(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", EXAMPLE, EXAMPLE)

    assert outcome.code == 2
    assert f"{EXAMPLE}:2:1: error: GEO601 " in outcome.stderr


def test_compare_reads_the_record_from_standard_input(geoplan: Geoplan) -> None:
    assert geoplan("compare", EXAMPLE, "-", stdin=RECORDED.read_text()).code == 0


def test_output_file_is_replaced_as_a_whole(geoplan: Geoplan, tmp_path: Path) -> None:
    target = tmp_path / "plan.json"
    target.write_text("old")
    target.chmod(0o640)
    outcome = geoplan("plan", EXAMPLE, "--format", "json", "-o", target)

    assert outcome == (0, "", "")
    assert Plan.model_validate_json(target.read_text())
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_new_output_file_has_the_usual_permissions(geoplan: Geoplan, tmp_path: Path) -> None:
    target = tmp_path / "plan.txt"
    mask = os.umask(0o027)
    try:
        geoplan("plan", EXAMPLE, "-o", target)
    finally:
        os.umask(mask)

    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_output_through_a_link_keeps_the_link(geoplan: Geoplan, tmp_path: Path) -> None:
    target, link = tmp_path / "plan.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    geoplan("plan", EXAMPLE, "-o", link)

    assert link.is_symlink()
    assert target.read_text() != "old"


def test_output_into_a_folder_that_is_not_there(geoplan: Geoplan, tmp_path: Path) -> None:
    outcome = geoplan("plan", EXAMPLE, "-o", tmp_path / "nowhere" / "plan.txt")

    assert outcome.code == 2
    assert "cannot write" in outcome.stderr
    assert "nothing was changed" in outcome.stderr


def test_output_of_a_faulty_topology_leaves_the_file_alone(geoplan: Geoplan, tmp_path: Path) -> None:
    target = tmp_path / "plan.txt"
    target.write_text("old")

    assert geoplan("plan", "-", "-o", target, stdin="sites: 1").code == 2
    assert target.read_text() == "old"


def test_interrupt_exits_130(monkeypatch: pytest.MonkeyPatch, geoplan: Geoplan) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "invoke", interrupted)
    outcome = geoplan("plan", EXAMPLE)

    assert outcome.code == 130
    assert outcome.stderr.strip() == "geoplan: interrupted"


def geoplan_process(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "geoplan", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ, **environment})


def test_closed_pipe_is_no_error(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_text(large_topology(100))  # more than a pipe holds
    command = f"{sys.executable} -m geoplan plan {large} --format json | head -c 10"
    ended = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)

    assert ended.stderr == b""
    assert ended.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", ["text", "json"])
def test_full_disk_behind_standard_output_is_told(form: str) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "geoplan", "plan", str(EXAMPLE), "--format", form]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)

    assert ended.returncode == 2
    assert ended.stderr == b"geoplan: error: cannot write standard output: No space left on device\n"


def test_closed_standard_output_is_no_traceback() -> None:
    command = f"{sys.executable} -m geoplan plan {EXAMPLE} >&-"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, check=False)

    assert ended.stderr == b""
    assert ended.returncode == 0


def test_reader_that_never_reads_is_no_error() -> None:
    command = f"{sys.executable} -m geoplan plan {EXAMPLE} --format json | true; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, check=False)

    assert ended.stderr == b""
    assert ended.returncode == 0


def test_topology_is_never_replaced_by_its_own_plan(geoplan: Geoplan, tmp_path: Path) -> None:
    topology = tmp_path / "topology.yaml"
    topology.write_text(EXAMPLE.read_text())
    (tmp_path / "link.yaml").symlink_to(topology)

    for output in (topology, tmp_path / "link.yaml"):
        outcome = geoplan("plan", topology, "--format", "yaml", "-o", output)
        assert outcome.code == 2
        assert "is the file that is read" in outcome.stderr
    assert topology.read_text() == EXAMPLE.read_text()


@pytest.mark.parametrize(("name", "start"), [("p.json", "{"), ("p.yml", "format: "), ("p.txt", "two-pairs")])
def test_ending_of_the_output_picks_the_format(name: str, start: str, geoplan: Geoplan, tmp_path: Path) -> None:
    geoplan("plan", EXAMPLE, "-o", tmp_path / name)

    assert (tmp_path / name).read_text().startswith(start)


@pytest.mark.parametrize("name", FORMATS)
def test_each_command_takes_the_formats_of_the_table(name: str, geoplan: Geoplan) -> None:
    names, by_ending = FORMATS[name]

    assert f"--format [{'|'.join(names)}]" in geoplan(name, "--help").stdout
    assert set((by_ending or {}).values()) <= set(names)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_endless_record_is_refused(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", EXAMPLE, "/dev/zero")

    assert outcome.code == 2
    assert "larger than 16 MiB" in outcome.stderr


def test_standard_input_is_called_stdin_everywhere(geoplan: Geoplan) -> None:
    assert geoplan("check", "-", stdin="sites: 1").stdout.endswith("stdin: 1 error\n")
    assert geoplan("compare", EXAMPLE, "-", stdin="A").stderr.startswith("stdin:1:1: error: GEO602 ")


def test_compare_reads_standard_input_once(geoplan: Geoplan) -> None:
    outcome = geoplan("compare", "-", "-")

    assert outcome.code == 2
    assert "cannot both be standard input" in outcome.stderr


@pytest.mark.parametrize("environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_names_come_out_in_utf_8_whatever_the_locale(environment: dict[str, str]) -> None:
    ended = geoplan_process("plan", TOPOLOGIES / "fleet.yaml", "--format", "lists", **environment)

    assert ended.returncode == 0
    assert "Clinic Tromsø" in ended.stdout.decode()


def on_a_terminal(*arguments: str | Path, columns: int, **environment: str) -> str:
    """Run geoplan on a terminal that is so wide, and return what appears there."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "geoplan", *map(str, arguments)], stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    printed = b""
    while True:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux's way of saying that the other end is closed
            break
        if not chunk:
            break
        printed += chunk
    os.close(leader)
    process.wait()
    return printed.decode()


def test_terminal_gets_colour_and_its_width() -> None:
    printed = on_a_terminal("plan", EXAMPLE, columns=72)

    assert "\x1b[" in printed


def test_no_color_is_honoured() -> None:
    assert "\x1b[" not in on_a_terminal("plan", EXAMPLE, columns=72, NO_COLOR="1")


def test_pipe_gets_plain_text() -> None:
    assert b"\x1b[" not in geoplan_process("plan", EXAMPLE, TERM="xterm-256color").stdout


def test_system_that_refuses_a_file_is_not_said_to_refuse_standard_output(
    geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_arguments: list[str]) -> object:
        raise PermissionError(13, "Permission denied", "/some/file")

    monkeypatch.setattr("geoplan.cli._invoke", refuse)
    ended = geoplan("--help")
    assert ended.code == 2
    assert ended.stderr == "geoplan: error: cannot use /some/file: Permission denied\n"
