"""What the role does with what it is told, by a stand-in for geoplan that notes how it was called."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
import yaml

from tests.conftest import TOPOLOGIES, Geoplan
from tests.render.ansible.controller import calls, lint, play, pretend, require_ansible, set_up

ALL = ["shop", "bank", "clinic", "laboratory"]
FLEET = TOPOLOGIES / "fleet.yaml"
PASSWORD = "{{ 7 * 7 }} and $HOME, 'quoted' \"twice\""  # noqa: S105 - of nobody
HOSTILE = [
    "{{ lookup('ansible.builtin.pipe', 'touch owned') }}",
    "{% for x in y %}",
    "#jinja2:variable_start_string:'[['",
    "$HOME ~ `id` $(id) ; id",
    "-x",
    "no",
    "1:20",
    "{ no }",
    "'\"\\ # &",
    "!unsafe x",
    "??",
    "localhost",
    "geoplan",
    "[1:3]",
    f"{'long ' * 8}{{{{ {'x' * 16} }}}}",
    "'" * 64,
    "東京 and Tromsø",
]


@pytest.fixture(autouse=True)
def _has_ansible() -> None:
    require_ansible()


def ended(message: str, code: int = 0, **more: object) -> str:
    return json.dumps({"event": "ended", "message": message, "exit_code": code, **more}) + "\n"


def step(state: str) -> str:
    return json.dumps({"event": "step_ended", "message": "", "step": "s", "state": state}) + "\n"


def test_secrets_go_to_geoplan_alone(tmp_path: Path, geoplan: Geoplan) -> None:
    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", TOPOLOGIES / "section-5.4.yaml", "-o", folder)
    set_up(folder, "two-pairs-two-standalones", geoplan_executable=str(program))
    for options in ((), ("--check",)):
        run = play(folder, tmp_path, "-vvv", *options, GEOPLAN_PASSWORD=PASSWORD)
        assert not options or run.code, "what the stand-in tells is no comparison"
        (call,) = calls(program)
        program.with_name("calls").unlink()
        assert json.loads(call["stdin"]) == {"default": {"user": "bal", "password": PASSWORD}}
        assert call["arguments"][call["arguments"].index("--credentials") + 1] == "-"
        assert "--group" not in call["arguments"]
        assert call["above"]
        for text in (run.output, *call["above"], *call["arguments"]):
            assert PASSWORD not in text
            assert "7 * 7" not in text
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"7 * 7" in path.read_bytes()] == []


def test_secrets_come_from_vault(tmp_path: Path, geoplan: Geoplan) -> None:
    from ansible.parsing.vault import VaultLib, VaultSecret

    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", TOPOLOGIES / "section-5.4.yaml", "-o", folder)
    set_up(folder, "two-pairs-two-standalones", geoplan_executable=str(program))
    (tmp_path / "key").write_text("key of the vault")
    vault = VaultLib([("default", VaultSecret(b"key of the vault"))])
    kept = {"geoplan_credentials": {"default": {"apikey": "of all"}, "units": {"172.24.1.9": {"apikey": "its own"}}}}
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "geoplan.yaml").write_bytes(vault.encrypt(yaml.safe_dump(kept)))

    run = play(folder, tmp_path, "--vault-password-file", str(tmp_path / "key"))

    (call,) = calls(program)
    assert run.code == 0, run.output
    assert json.loads(call["stdin"]) == kept["geoplan_credentials"]


def hostile(folder: Path) -> Path:
    """Write a topology whose groups have names that mean something to Ansible, YAML or a shell."""
    names = [f"Site {number}" for number in range(len(HOSTILE))]
    sites = [{"name": name, "standalone": f"10.0.{number}.5"} for number, name in enumerate(names)]
    groups = {group: [name] for group, name in zip(HOSTILE, names, strict=True)}
    file = folder / "{{ 7 * 7 }}.yaml"
    file.write_text(yaml.safe_dump({"sites": sites, "groups": groups}, allow_unicode=True, sort_keys=False))
    return file


def test_no_name_is_a_template_or_a_command(tmp_path: Path, geoplan: Geoplan) -> None:
    folder, program, file = tmp_path / "x", pretend(tmp_path / "host"), hostile(tmp_path)
    regions = [word for name in HOSTILE for word in ("--region", f"all={name}")]
    assert geoplan("export", "ansible", file, "-o", folder, *regions).code == 0
    set_up(folder, "all-2", geoplan_executable=str(program))

    run = play(folder, tmp_path)

    assert run.code == 0, run.output
    found = calls(program)
    assert [call["arguments"][call["arguments"].index("--group") + 1] for call in found] == HOSTILE
    assert {Path(call["arguments"][1]).name for call in found} == {"7-7.topology"}
    assert Path(found[0]["arguments"][1]).read_bytes() == file.read_bytes()
    assert list(tmp_path.rglob("owned")) == []


@pytest.mark.parametrize(
    ("options", "pushed"),
    [
        ((), ["shop", "bank"]),
        (("--serial", "2", "--max-fail-percentage", "50"), ["shop", "bank", "clinic", "laboratory"]),
    ],
)
def test_a_group_that_fails_stops_those_after_it(
    options: tuple[str, ...], pushed: list[str], tmp_path: Path, geoplan: Geoplan
) -> None:
    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", FLEET, "-o", folder, *options)
    for host in ALL:
        set_up(folder, host, geoplan_executable=str(program))
    said = "geoplan: error: the push stopped part-way\n  hint: go on with: geoplan push --resume"
    stopped = [3, step("done") + ended("the push stopped part-way", 3), said]
    done = [0, step("in place") + step("done") + ended("done and verified"), ""]
    program.with_name("answers").write_text(json.dumps({"shop": done, "bank": stopped}))

    run = play(folder, tmp_path)

    assert run.code
    names = [call["arguments"][call["arguments"].index("--group") + 1] for call in calls(program)]
    assert sorted(names) == sorted(pushed)
    assert "go on with: geoplan push --resume" in run.output
    assert {name: (host.changed, host.failed) for name, host in run.hosts.items()} == {
        name: (int(name in {"shop", "bank"}), int(name == "bank")) for name in pushed
    }


def test_a_group_that_fails_stops_those_after_it_on_its_host(tmp_path: Path, geoplan: Geoplan) -> None:
    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", FLEET, "-o", folder, *(word for name in ALL for word in ("--region", f"all={name}")))
    set_up(folder, "all-2", geoplan_executable=str(program))
    journals = folder / "all-2 state" / "pushes"
    (journals / "backups").mkdir(parents=True)
    for name in ("000001-x.jsonl", "000001.units", "backups/10.1.1.5.backup"):
        (journals / name).write_text("of a push")
    (folder / "journals" / "all-2").mkdir(parents=True)  # as an older geoplan left it
    program.with_name("answers").write_text(json.dumps({"bank": [2, "", "geoplan: error: no such unit"]}))

    run = play(folder, tmp_path)

    assert run.code
    assert "bank: geoplan: error: no such unit" in run.output
    assert [call["arguments"][3] for call in calls(program)] == ["shop", "bank"]
    (fetched,) = (folder / "journals" / "all-2").iterdir()
    assert (fetched.name, stat.S_IMODE(fetched.stat().st_mode)) == ("000001-x.jsonl", 0o600)
    assert stat.S_IMODE(fetched.parent.stat().st_mode) == 0o700


def test_exactly_the_groups_that_are_unfinished_are_resumed(tmp_path: Path, geoplan: Geoplan) -> None:
    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", FLEET, "-o", folder, *(word for name in ALL for word in ("--region", f"all={name}")))
    window = ["--window", "Sat 22:00-04:00"]
    places = {"geoplan_endpoints": "lab.yaml", "geoplan_options": ["--use-proxies"]}
    set_up(folder, "all-2", geoplan_executable=str(program), geoplan_push_options=window, **places)
    program.with_name("answers").write_text(json.dumps({"bank --status": [0, '{"finished": false}', ""]}))

    run = play(folder, tmp_path, "-e", "geoplan_resume=true", GEOPLAN_PASSWORD=PASSWORD)

    assert run.code == 0, run.output
    asked = [call for call in calls(program) if "--status" in call["arguments"]]
    pushed = [call["arguments"] for call in calls(program) if "--status" not in call["arguments"]]
    assert [words[3] for words in pushed if "--resume" in words] == ["bank"]
    assert [words[3] for words in pushed] == [call["arguments"][3] for call in asked] == ALL
    assert all(words[-2:] == window for words in pushed)
    for call in asked:
        assert call["arguments"][-3:] == ["--endpoints", "lab.yaml", "--use-proxies"]
        assert call["stdin"] == "", "who only asks for journals needs no credentials"
        assert call["arguments"][call["arguments"].index("--state-dir") + 1] == str(folder / "all-2 state")


def test_a_group_is_not_pushed_where_nobody_knows_whether_it_is_unfinished(tmp_path: Path, geoplan: Geoplan) -> None:
    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", TOPOLOGIES / "section-5.4.yaml", "-o", folder)
    set_up(folder, "two-pairs-two-standalones", geoplan_executable=str(program))
    program.with_name("answers").write_text(json.dumps({" --status": [2, "", "geoplan: error: a damaged journal"]}))

    run = play(folder, tmp_path, "-e", "geoplan_resume=true")

    assert run.code
    assert "geoplan: error: a damaged journal" in run.output
    assert len(calls(program)) == 1


@pytest.mark.parametrize("options", [(), ("--check",), ("-e", "geoplan_resume=true")])
def test_a_program_that_is_not_there_is_named(options: tuple[str, ...], tmp_path: Path, geoplan: Geoplan) -> None:
    folder = tmp_path / "x"
    geoplan("export", "ansible", TOPOLOGIES / "section-5.4.yaml", "-o", folder)
    set_up(folder, "two-pairs-two-standalones", geoplan_executable="/nowhere/geoplan")

    run = play(folder, tmp_path, *options)

    assert run.code
    assert "/nowhere/geoplan could not be run" in run.output
    assert "geoplan_executable" in run.output


def compared(folder: Path, *differences: dict[str, str], **more: object) -> str:
    """Return what a comparison tells of the only host's first group in a folder."""
    text = (folder / "inventory.yaml").read_text()
    checksum = re.findall("sha256:[0-9a-f]{64}", text)[0]
    whole: dict[str, object] = {"in_place": not differences, "sites_to_resubmit": [], "pairs_to_finish": []}
    sites = [{"differences": differences}]
    return json.dumps(whole | {"checksum": checksum, "sites": sites, "findings": []} | more)


UNREAD = {"kind": "unreadable", "message": "10.1.1.5 could not be read: no answer"}
MISSING = {"kind": "missing", "message": "cluster 'Shop' is missing"}


@pytest.mark.parametrize(
    ("told", "changed", "failed"), [([UNREAD], 0, 1), ([UNREAD, MISSING], 1, 1), ([MISSING], 1, 0), ([], 0, 0)]
)
def test_a_comparison_fails_where_units_could_not_be_read(
    told: list[dict[str, str]], changed: int, failed: int, tmp_path: Path, geoplan: Geoplan
) -> None:
    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", TOPOLOGIES / "section-5.4.yaml", "-o", folder)
    host = "two-pairs-two-standalones"
    set_up(folder, host, geoplan_executable=str(program))
    program.with_name("answers").write_text(json.dumps({"": [int(bool(told)), compared(folder, *told), ""]}))

    run = play(folder, tmp_path, "--check")

    assert (run.code > 0, run.hosts[host].changed, run.hosts[host].failed) == (failed > 0, changed, failed)
    assert ("not compared: 10.1.1.5 could not be read: no answer" in run.output) == (failed > 0)


def test_findings_are_a_failure_unless_they_are_accepted(tmp_path: Path, geoplan: Geoplan) -> None:
    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", TOPOLOGIES / "section-5.4.yaml", "-o", folder)
    program.with_name("answers").write_text(json.dumps({"": [1, ended("done, with findings", 1), "look at it"]}))
    host = "two-pairs-two-standalones"
    for accepted in (False, True):
        set_up(folder, host, geoplan_executable=str(program), geoplan_accept_findings=accepted)
        run = play(folder, tmp_path)
        assert (run.code == 0, run.hosts[host].failed, run.hosts[host].changed) == (accepted, int(not accepted), 0)
        assert re.search("done, with findings", run.output)


def test_a_comparison_with_another_plan_is_a_failure(tmp_path: Path, geoplan: Geoplan) -> None:
    folder, program = tmp_path / "x", pretend(tmp_path / "host")
    geoplan("export", "ansible", TOPOLOGIES / "section-5.4.yaml", "-o", folder)
    set_up(folder, "two-pairs-two-standalones", geoplan_executable=str(program))
    told = {"checksum": "sha256:0", "in_place": True, "sites": [], "sites_to_resubmit": [], "findings": []}
    program.with_name("answers").write_text(json.dumps({"": [0, json.dumps(told), ""]}))

    run = play(folder, tmp_path, "--check")

    assert run.code
    assert "the plan has the checksum sha256:0" in run.output
    assert calls(program)[0]["arguments"][0] == "diff"


def test_the_linter_finds_nothing_and_would_find_something(tmp_path: Path, geoplan: Geoplan) -> None:
    folder = tmp_path / "x"
    assert geoplan("export", "ansible", hostile(tmp_path), "-o", folder, "--serial", "25%").code == 0
    linted = lint(folder, tmp_path)
    assert linted.code == 0, linted.output
    tasks = folder / "roles" / "geoplan" / "tasks" / "push.yml"
    tasks.write_text(tasks.read_text().replace("ansible.builtin.debug", "debug"))
    worse = lint(folder, tmp_path)
    assert worse.code
    assert "fqcn" in worse.output
