"""``geoplan push --freeze`` and ``--thaw``: no push of any kind begins in between, and looking stays allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geoplan.push import freeze
from geoplan.push.journal import who
from tests.conftest import TOPOLOGIES, Geoplan, Outcome
from tests.push.conftest import MakeSite, make_site
from tests.push.support import M1, Site

__all__ = ["make_site"]

EXAMPLE = TOPOLOGIES / "section-5.4.yaml"
REASON = "nobody pushes tonight"


def push(geoplan: Geoplan, site: Site, *options: str | Path) -> Outcome:
    return geoplan("push", site.topology, "--endpoints", site.endpoints, *options)


def test_frozen_pushes_stop_until_they_are_thawed(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    frozen = geoplan("push", "--freeze", "--reason", REASON)
    assert (frozen.code, frozen.stderr) == (0, "")
    assert frozen.stdout.startswith(f"pushes are frozen by {who()} since ")

    before = site.all_that_counts()
    refused = push(geoplan, site, "--yes")
    assert refused.code == 4
    assert f"frozen by {who()} since " in refused.stderr
    assert REASON in refused.stderr
    assert f"geoplan push --thaw --state-dir {site.state}" in refused.stderr
    assert site.journals() == []
    assert site.all_that_counts() == before

    thawed = geoplan("push", "--thaw")
    assert (thawed.code, thawed.stderr) == (0, "")
    assert thawed.stdout.startswith(f"thawed: pushes may begin again; pushes were frozen by {who()} since ")
    assert push(geoplan, site, "--yes").code == 0


OF_ALL_KINDS = [
    ("--yes",),
    ("--resume",),
    ("--undo",),
    ("--yes", "--secret", "--accept-links-down"),
    ("--yes", "--upgrade-to", "7.2.60.1", "--image", str(EXAMPLE)),
    ("--yes", "--upgrade-to", "7.2.60.1", "--back"),
    ("--yes", "--from", "live"),
    ("--yes", "--format", "json"),
]


@pytest.mark.parametrize("options", OF_ALL_KINDS, ids=" ".join)
def test_push_of_any_kind_stops_before_anything_is_sent(
    options: tuple[str, ...], geoplan: Geoplan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are no units at all: whatever asked one would say so."""
    monkeypatch.setenv("GEOPLAN_PASSWORD", "pw")
    geoplan("push", "--freeze")

    refused = geoplan("push", EXAMPLE, "--endpoints", "nowhere.yaml", *options)

    assert refused.code == 4
    assert "pushes are frozen" in refused.stderr


def test_drill_stops_before_its_reboot(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    assert push(geoplan, site, "--yes").code == 0
    site.settle()
    reboots = site.reboots
    geoplan("push", "--freeze")

    refused = geoplan("drill", site.topology, "--endpoints", site.endpoints, "--site", "HA Pair 1", "--yes")

    assert refused.code == 4
    assert "pushes are frozen" in refused.stderr
    assert "preflight: asking" not in refused.stdout + refused.stderr
    assert site.reboots == reboots


def test_looking_stays_allowed(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject(f"ignore,unit={M1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site, "--yes").code == 3
    geoplan("push", "--freeze", "--reason", REASON)

    assert push(geoplan, site, "--status").code == 0
    assert push(geoplan, site, "--dry-run", "--resume").code == 0
    history = geoplan("push", "--history")
    assert history.code == 0
    assert f"geoplan: note: pushes are frozen by {who()} since " in history.stderr
    assert push(geoplan, site, "--abandon", "--yes").code == 0, "it sends nothing to any unit"


def test_preflight_says_that_a_push_is_blocked(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    geoplan("push", "--freeze", "--reason", REASON)

    looked = push(geoplan, site, "--only-preflight")

    assert looked.code == 4
    assert f"all pushes: pushes are frozen by {who()}" in looked.stderr
    assert REASON in looked.stderr


def test_rehearsal_in_an_embedded_lab_is_no_push(geoplan: Geoplan) -> None:
    geoplan("push", "--freeze")

    assert geoplan("push", TOPOLOGIES / "section-5.1.yaml", "--lab", "--yes").code == 0


def test_freeze_while_somebody_is_asked_stops_the_push(
    geoplan: Geoplan, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site("5.3")

    def answer_after_a_while(*_: object, **__: object) -> bool:
        assert geoplan("push", "--freeze").code == 0
        return True

    monkeypatch.setattr("geoplan.cli.push_session.PushSession._is_agreed", answer_after_a_while)
    before = site.all_that_counts()

    assert push(geoplan, site).code == 4
    assert site.journals() == []
    assert site.all_that_counts() == before


def test_each_state_folder_has_its_own_freeze(geoplan: Geoplan, make_site: MakeSite, tmp_path: Path) -> None:
    site = make_site("5.1")
    assert geoplan("push", "--freeze", "--state-dir", tmp_path / "theirs").code == 0

    assert push(geoplan, site, "--only-preflight").code == 0
    assert push(geoplan, site, "--yes", "--state-dir", tmp_path / "theirs").code == 4
    assert freeze.frozen(site.state) is None


def test_push_under_way_goes_on_and_is_named(geoplan: Geoplan, make_site: MakeSite) -> None:
    site = make_site("5.3")
    site.lab.inject(f"ignore,unit={M1},command=set:geopartners,occurrence=1")
    assert push(geoplan, site, "--yes").code == 3
    with site.store.only_push("another"):
        frozen = geoplan("push", "--freeze")

    assert frozen.code == 0
    assert "geoplan: warning: push 1 of 'pair-and-standalone', begun by" in frozen.stderr


def test_programs_are_told(geoplan: Geoplan) -> None:
    told = json.loads(geoplan("push", "--freeze", "--reason", REASON, "--format", "json").stdout)
    assert (told["frozen"], told["who"], told["reason"]) == (True, who(), REASON)

    assert json.loads(geoplan("push", "--thaw", "--format", "json").stdout) == {
        "format": "geoplan/freeze/1",
        "frozen": False,
    }


def test_frozen_twice_is_refused_and_thawed_twice_is_not(geoplan: Geoplan) -> None:
    geoplan("push", "--freeze", "--reason", "first")

    assert geoplan("push", "--freeze", "--reason", "second").code == 4
    assert "first" in geoplan("push", "--thaw").stdout
    assert geoplan("push", "--thaw") == (0, "pushes were not frozen\n", "")


@pytest.mark.parametrize(
    "words",
    [
        ("--freeze", "--thaw"),
        ("--reason", "x"),
        ("--thaw", "--reason", "x"),
        ("--freeze", EXAMPLE),
        ("--freeze", "--yes"),
        ("--thaw", "--history"),
        ("--freeze", "--reason", ""),
        ("--freeze", "--reason", "x" * 501),
    ],
)
def test_what_does_not_fit_is_wrong_usage(words: tuple[str | Path, ...], geoplan: Geoplan) -> None:
    assert geoplan("push", *words).code == 2
    assert geoplan("push", "--thaw").stdout == "pushes were not frozen\n"
