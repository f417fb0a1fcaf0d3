"""Pushes to units of every variant, in both wire formats: all end as planned, but for what a unit rightly stops."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from geoplan.errors import PushRefusedError, PushStoppedError
from geoplan.lab.variants import Variant
from geoplan.live.findings.compare import Kind
from geoplan.push.options import Options
from geoplan.push.run import PushResult
from geoplan.topology.model import Topology
from geoplan.twin.loop import run_simulated
from geoplan.twin.script import Script
from tests.conftest import TOPOLOGIES
from tests.simulation.world import World

V1, V2 = "7.2.48.3", "7.2.59.4"  # by its firmware a unit has APIv1 alone, or both
EXAMPLES = ("section-5.4", "aws-dublin-ohio")

UNTOLD = frozenset({Variant.PARTNERS_BY_NAME, Variant.PARTNERS_UNKNOWN})
"""Units that tell of no planned partner whether it is green: the push is carried out, and says what is not proven."""
LOGIN = "does not accept the credentials"
STOPPED = {
    # Standbys that take no login for reads are like those with another password.
    (Variant.STANDBYS_401, "section-5.4"): (PushRefusedError, LOGIN),
    (Variant.STANDBYS_401, "aws-dublin-ohio"): (PushStoppedError, LOGIN),
    # A slave is a standby as soon as it has its mode, and then nobody sees whether its parameters are right.
    (Variant.STANDBYS_403, "aws-dublin-ohio"): (PushStoppedError, "does not tell its HA parameters"),
}
"""What stops before its end, and the words of what is found."""


def example(name: str, firmware: str) -> Topology:
    """Return one of the topologies, all units with this firmware."""
    document = yaml.safe_load((TOPOLOGIES / f"{name}.yaml").read_text().replace(V2, firmware))
    return Topology.model_validate(document)


def push(folder: Path, topology: Topology, firmware: str, *variants: Variant, knows_hosts: bool = True) -> PushResult:
    """Return how a push ended, whose every request was watched for what no push may do."""

    async def carry_out() -> PushResult:
        script = Script(topology, firmware, Options(), variants=variants, knows_hosts=knows_hosts)
        script.unpaired = any(site.ha_pair and site.ha_pair.aws for site in topology.sites)  # so the push forms pairs
        script.has_key = Variant.KEY_IN_QUERY in variants
        world = World(script, 1, folder)
        result = await world._push(resume=False, kill_after=None)
        if Variant.NAMES_NORMALISED not in variants:
            world.check_clusters()
        assert not world.broken
        assert not world.red_in_any_state(), "whatever units tell, the links are there"
        return result

    return run_simulated(carry_out())


formats = pytest.mark.parametrize("firmware", [V1, V2], ids=["APIv1", "APIv2"])


pushes = pytest.mark.parametrize(
    ("variant", "name"),
    [
        (variant, name)
        for variant in Variant
        for name in EXAMPLES
        if not (variant in UNTOLD or (variant, name) in STOPPED)
    ],
)


@pushes
@formats
def test_push_to_units_of_a_variant(tmp_path: Path, variant: Variant, firmware: str, name: str) -> None:
    result = push(tmp_path, example(name, firmware), firmware, variant)
    differences = {(found.kind, found.subject) for found in result.report.differences}
    match variant, name:
        case Variant.NAMES_NORMALISED, "section-5.4":  # its names have blanks
            assert differences == {(Kind.DIFFERENT, "clusters")}
        case Variant.STANDBYS_RED, "aws-dublin-ohio":  # No Preferred Host: Ohio's slave stays active after its reboot
            assert differences <= {(Kind.RED, "partner_status")}
        case _:
            assert result.is_complete, differences


@pytest.mark.parametrize("name", EXAMPLES)
@formats
@pytest.mark.parametrize("variant", sorted(UNTOLD))
def test_push_to_units_that_tell_of_no_partner_is_carried_out_and_proves_nothing(
    tmp_path: Path, variant: Variant, firmware: str, name: str
) -> None:
    result = push(tmp_path, example(name, firmware), firmware, variant)
    assert not result.report.differences
    assert not result.is_complete


@formats
@pytest.mark.parametrize(("variant", "name"), STOPPED)
def test_push_stops_where_units_cannot_be_told_from_faulty_ones(
    tmp_path: Path, variant: Variant, firmware: str, name: str
) -> None:
    error, words = STOPPED[variant, name]
    with pytest.raises(error) as stopped:
        push(tmp_path, example(name, firmware), firmware, variant)
    assert words in " ".join([str(stopped.value), *map(str, getattr(stopped.value, "problems", ()))])


@formats
@pytest.mark.parametrize(
    "variant",
    [
        Variant.UTF_8,
        Variant.BARE_AMPERSAND,
        Variant.JSON_LATIN_1,
        Variant.JSON_CONTROL_CHARACTERS,
        Variant.BLANK_LINES,
        Variant.NUL_BYTES,
    ],
)
def test_names_of_any_letters_come_back_as_they_went_in_whatever_the_bytes(
    tmp_path: Path, variant: Variant, firmware: str
) -> None:
    document = yaml.safe_load((TOPOLOGIES / "section-5.4.yaml").read_text())
    document["sites"][2]["name"] = "Köln & Söhne €"
    result = push(tmp_path, Topology.model_validate(document), firmware, variant)
    assert result.is_complete


@formats
def test_partner_by_a_name_that_nobody_can_look_up_is_not_compared(tmp_path: Path, firmware: str) -> None:
    topology = example("section-5.4", firmware)
    result = push(tmp_path, topology, firmware, Variant.HA_PARTNER_BY_NAME, knows_hosts=False)
    assert result.is_complete
