"""Whatever a server answers, a command ends in time, in little memory, in words, and gives no secret away."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from geoplan.lab import Credentials
from geoplan.lab.device.network import Network
from geoplan.lab.lab import BackgroundLab
from geoplan.lab.serve.certificates import make_certificate
from geoplan.topology.loader import load_topology
from tests.hostile.answers import ANSWERS
from tests.hostile.processes import MAX_MEMORY, Ended, command
from tests.hostile.servers import UNIT, HostileUnit, bystander

OTHER = "10.0.0.2"
STANDALONES = "name: odd\nsites:\n- {name: A, standalone: 10.0.0.1}\n- {name: B, standalone: 10.0.0.2}\n"
PAIR = "name: odd\nsites:\n- {name: A, ha_pair: {master: 10.0.0.1, slave: 10.0.0.2}}\n"

COMMANDS = {
    "status": ["status"],
    "diff": ["diff"],
    "preflight": ["push", "--only-preflight"],
    "push": ["push", "--yes", "--accept-geo-merge"],
    "probe": ["probe"],
    "import": ["import", "--follow", "--within", "10.0.0.0/8"],
    "import of what is found": ["import", "--follow", "--within", "10.0.0.0/8"],
    "health check": ["status", "--format", "json"],
}
"""What is thrown at: a command is added by a row. At a push the unit turns hostile at the first change of it."""
QUICK: dict[str, float] = {"boot_seconds": 0.3, "failover_seconds": 0.1, "sync_seconds": 0.05}
SLICE = 3  # of so many answers one is thrown where all tests are run
MAX_OUTPUT = 200_000  # characters
LETTERS = 4  # in a row, that tell something of a secret, and stand in every spelling that leaves letters alone
SECRET = 'Pä"ss/w0rd&<x> of ours\\'  # noqa: S105 - of a lab


def cases_of(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Yield what is thrown at what: each answer at each command; of it a part where all tests are run."""
    part = config.getoption("--hostile", default=None)
    is_named = any("hostile" in argument for argument in config.args)
    names = list(COMMANDS)
    for number, answer in enumerate(ANSWERS):
        for place, name in enumerate(names):
            turn = (number + place) % len(names)
            if part == "full" or (part is None and is_named) or (turn == 0 and (is_named or number % SLICE == 0)):
                yield answer, name


@pytest.fixture
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    answer, name = request.param
    return answer, name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        chosen = list(cases_of(metafunc.config))
        metafunc.parametrize("case", chosen, ids=[" - ".join(case) for case in chosen], indirect=True)


def name_as_partner(network: Network, by: str, address: str) -> None:
    """Let a unit of the lab have an address on its partners list, as somebody may have entered it."""
    unit = network.unit(by)
    unit.configuration = unit.configuration.with_settings({"geopartners": (address,)})


def run(
    answer: str, name: str, folder: Path, secret: str = SECRET, *, follows: bool = True
) -> tuple[Ended, list[bytes], HostileUnit]:
    """Run a command where one unit is hostile; return how it ended, and what another host got."""
    topology, endpoints, state = folder / "odd.yaml", folder / "endpoints.yaml", folder / "state"
    topology.write_text(PAIR if name == "health check" else STANDALONES)
    credentials = Credentials("bal", secret)
    with (
        BackgroundLab(load_topology(topology), credentials=credentials, **QUICK) as lab,
        bystander() as (url, received),
    ):
        written = yaml.safe_load(lab.endpoints.to_yaml())
        own = written["units"][UNIT]
        row, is_health = ANSWERS[answer], name == "health check"
        with HostileUnit(row, url, secret, own["api"] if name == "push" else None, tls=not is_health).serving() as unit:
            if is_health:
                own["health"] = f"http://127.0.0.1:{unit.port}"
            else:
                own |= {"api": f"https://127.0.0.1:{unit.port}", "fingerprint": unit.certificate.fingerprint}
            endpoints.write_text(yaml.safe_dump(written))
            if name == "import of what is found":
                lab._call(lambda: name_as_partner(lab._lab.simulation.network, OTHER, UNIT))
            first, *options = COMMANDS[name] if follows else COMMANDS[name][:1]
            about = {
                "probe": [UNIT, "--report", str(folder / "report.json")],
                "import": [UNIT, OTHER],
                "import of what is found": [OTHER],
            }.get(name, [str(topology)])
            arguments = [first, *about, "--endpoints", str(endpoints), *options]
            kept = {key: value for key, value in os.environ.items() if not key.startswith("GEOPLAN_")}
            environment = kept | {
                "GEOPLAN_USER": "bal", "GEOPLAN_PASSWORD": secret, "GEOPLAN_STATE_DIR": str(state), "NO_COLOR": "1",
            }  # fmt: skip
            return command(arguments, environment, folder), received, unit


def test_a_hostile_answer_does_no_harm(case: tuple[str, str], tmp_path: Path) -> None:
    answer, name = case
    ended, elsewhere, unit = run(answer, name, tmp_path)

    assert unit.asked, ended.said
    assert ended.code in (0, 1, 2, 3, 4), ended.said
    assert "Traceback" not in ended.said
    assert ended.said.strip()
    assert len(ended.said) < MAX_OUTPUT
    assert all(character.isprintable() or character in "\n\t" for character in ended.said)
    assert 0 < ended.memory < MAX_MEMORY
    assert elsewhere == []
    assert sum(map(len, written_in(tmp_path))) < 10 * MAX_OUTPUT
    assert_nothing_of(SECRET, ended, tmp_path)


@pytest.mark.parametrize("answer", list(ANSWERS)[:2])
def test_nothing_is_sent_to_a_unit_that_is_only_found(answer: str, tmp_path: Path) -> None:
    """Not even a handshake: its socket hears nothing until somebody gives or confirms its address."""
    ended, elsewhere, unit = run(answer, "import of what is found", tmp_path, follows=False)
    assert (ended.code, f"{UNIT} (GEO partner of {OTHER})" in ended.said) == (1, True), ended.said
    assert (unit.asked, elsewhere) == (0, [])


def written_in(folder: Path) -> list[str]:
    """Return what a command has written: journals and all that lies beside them, backups apart."""
    kept = [folder / "report.json", *(folder / "state").rglob("*")]
    files = [path for path in kept if path.is_file() and "backup" not in str(path)]
    return [path.read_text(errors="replace") for path in files]


def assert_nothing_of(secret: str, ended: Ended, folder: Path) -> None:
    login = base64.b64encode(f"bal:{secret}".encode()).decode()
    letters = {part for part in re.split(r"[^A-Za-z0-9]+", secret) if len(part) >= LETTERS}
    windows = {secret[start : start + LETTERS + 2] for start in range(len(secret) - LETTERS - 1)}
    parts = letters | windows | {login[8:24], base64.b64encode(secret.encode()).decode()[4:20]}
    for text in (ended.said, ended.logged, *written_in(folder)):
        assert [part for part in parts if part in text] == []


ECHOES = [answer for answer in ANSWERS if answer.startswith(("the secret", "the request"))]
SECRETS = st.text(st.sampled_from("aZ9bY8cX7") | st.sampled_from("\"'\\&<>%+/=;#:@!$ äß"), min_size=12, max_size=40)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "health check"])
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.generate])
@given(SECRETS.map(str.strip).filter(lambda secret: len(secret) >= 12), st.sampled_from(ECHOES))
def test_no_command_gives_a_secret_away_that_a_unit_echoes(
    name: str, tmp_path_factory: pytest.TempPathFactory, secret: str, answer: str
) -> None:
    folder = tmp_path_factory.mktemp("echo")
    ended, _, unit = run(answer, name, folder, secret)
    assert unit.asked
    assert "Traceback" not in ended.said
    assert_nothing_of(secret, ended, folder)


MANY = 32
LARGE_ANSWERS = ["8 MB of keys", "50,000 clusters"]  # refused once it is whole, and before


@pytest.mark.parametrize("answer", LARGE_ANSWERS)
def test_many_hostile_units_need_no_more_memory_than_one(answer: str, tmp_path: Path) -> None:
    addresses = [f"10.0.1.{number}" for number in range(1, MANY + 1)]
    sites = [{"name": f"S{number}", "standalone": address} for number, address in enumerate(addresses)]
    topology, endpoints = tmp_path / "many.yaml", tmp_path / "endpoints.yaml"
    credentials = tmp_path / "credentials.yaml"
    topology.write_text(yaml.safe_dump({"sites": sites, "groups": {site["name"]: [site["name"]] for site in sites}}))
    certificate = make_certificate(UNIT)
    with ExitStack() as serving:
        units = [HostileUnit(ANSWERS[answer], "", SECRET, certificate=certificate) for _ in addresses]
        ports = [serving.enter_context(unit.serving()).port for unit in units]
        known = {"fingerprint": certificate.fingerprint}
        places = zip(addresses, ports, strict=True)
        written = {"units": {address: {"api": f"https://127.0.0.1:{port}", **known} for address, port in places}}
        endpoints.write_text(yaml.safe_dump(written))
        # Each has a login of its own: so none of them waits until another has taken the same.
        logins = {
            address: {"user": f"bal{port}", "password": SECRET} for address, port in zip(addresses, ports, strict=True)
        }
        credentials.write_text(yaml.safe_dump({"units": logins}))
        credentials.chmod(0o600)
        given = ["--endpoints", str(endpoints), "--credentials", str(credentials)]
        ended = command(["status", str(topology), *given], {**os.environ, "NO_COLOR": "1"}, tmp_path, speed=1)
    assert ended.code == 1, ended.said
    assert sum(unit.asked > 0 for unit in units) > MANY / 2
    assert ended.memory < 2 / 3 * MAX_MEMORY, ended.memory  # each answer that is kept would add its own
    assert len(ended.said) < MAX_OUTPUT


def test_at_least_sixty_answers_are_in_the_table() -> None:
    assert len(ANSWERS) >= 60


@pytest.mark.parametrize("name", COMMANDS)
def test_a_unit_that_is_not_hostile_is_read(name: str, tmp_path: Path) -> None:
    """Without this the others could pass because nothing is ever asked."""
    ended, _, unit = run("an answer beforehand", name, tmp_path)
    assert unit.asked
    assert "10.0.0.1" in ended.said or "odd" in ended.said
