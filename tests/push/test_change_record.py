"""The record of a push is its journal in words: each kind of change once, and nothing that marks anything up."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from geoplan.plan.planner import make_plan
from geoplan.push import records as models
from geoplan.push.change_record import Ended, as_markdown, changes
from geoplan.push.history import History
from geoplan.push.records import AnyRecord, RecordedOptions
from geoplan.topology.loader import check_text
from tests.conftest import TOPOLOGIES
from tests.push.support import NOON

PLAN = make_plan(check_text((TOPOLOGIES / "section-5.3.yaml").read_bytes(), path="x", default_name="x").topology)  # type: ignore[arg-type]
ENDED = Ended(NOON, "ada@jump1", "done", 0, "to the network: these are real LoadMasters")
OF_SITE: dict[str, Any] = {"step": "1", "site": "A", "unit": "172.24.1.5"}
LISTS: dict[str, Any] = {"action": "set_geo_partners", "what": "geo_partners", "before": (), "after": ("172.24.1.9",)}


def record(event: str, *, seconds: float = 0, **fields: Any) -> AnyRecord:
    return models.make(event, NOON + timedelta(seconds=seconds), **fields)


def begun(**fields: Any) -> AnyRecord:
    plan, options = PLAN.model_dump(mode="json"), RecordedOptions()
    of_push: dict[str, Any] = {"who": "ada@jump1", "checksum": PLAN.checksum, "units": {"172.24.1.5": "172.24.1.5"}}
    return record("begin", format=models.FORMAT, plan=plan, options=options, **of_push, **fields)


def history(*records: AnyRecord) -> History:
    return History(Path("000012-x.jsonl"), records)


def test_change_that_was_read_back_is_told_from_one_that_was_not() -> None:
    changed = record("changed", site="A", step="1", unit="172.24.1.5", action="set_geo_partners")
    changing = record("changing", **OF_SITE, **LISTS)

    assert [each.is_read_back for each in changes([changing, changed, changing])] == [True, False]
    assert [each.is_read_back for each in changes([changing, changing, changed])] == [False, True]


def test_reboot_that_was_never_sent_is_none() -> None:
    rebooting, not_sent = record("rebooting", **OF_SITE), record("reboot_not_sent", **OF_SITE, why="refused")

    assert [each.unit for each in changes([rebooting, not_sent, rebooting])] == ["172.24.1.5"]
    assert changes([rebooting, not_sent]) == []


def test_secret_that_was_not_set_is_none_and_no_secret_is_told() -> None:
    setting, not_set = record("setting_secret", **OF_SITE), record("secret_not_set", **OF_SITE)

    (change,) = changes([setting, not_set, setting])
    assert (change.before, change.after) == ("", "")


def test_each_kind_of_change_is_told() -> None:
    own: dict[str, dict[str, Any]] = {
        "changing": LISTS,
        "rebooting": {},
        "resubmitting": {"before": None, "after": ("172.24.1.9",)},
        "seeding": {"source": "172.24.1.9", "file": "x"},
        "preferring": {"before": True, "after": False},
        "installing": {"before": "7.2.59.4", "after": "7.2.60.1"},
        "booting": {},
        "setting_secret": {},
    }
    found = changes([record(event, **OF_SITE, **fields) for event, fields in own.items()])

    assert len(found) == len(own)
    assert all(each.unit == "172.24.1.5" and "A" in each.what for each in found)


def test_who_approved_it_and_with_what() -> None:
    for flags, approval, told in (
        ((), None, "whoever began it"),
        (("--yes",), None, "--yes"),
        (("--checksum", "sha256:ab"), None, "`sha256:ab`"),
        (("--plan", "approved.json"), "sha256:cd", "`sha256:cd`, in `approved.json`"),
        (("--checksum", "sha256:cd", "--plan", "a.json"), "sha256:cd", "`sha256:cd`, in `a.json`"),
    ):
        ended = Ended(NOON, "x", "done", 0, "to the network", approval)
        assert f"| approved by | {told} |" in as_markdown(PLAN, ended, history(begun(flags=flags)))


def test_step_that_a_resumed_run_found_in_place_was_done_when_this_push_did_it() -> None:
    first, second, third = (step.id for step in PLAN.steps[:3])
    of_steps = [
        record("changed", seconds=1, site="A", step=first, unit="172.24.1.5", action="set_geo_partners"),
        record("rebooting", seconds=2, **OF_SITE | {"step": second}),
        record("step", seconds=3, id=second, site="A", state="done before"),
        *(record("step", seconds=60, id=each, site="A", state="in place") for each in (first, third)),
        record("step", seconds=60, id=second, site="A", state="done before"),
    ]
    written = as_markdown(PLAN, ENDED, history(begun(), *of_steps)).splitlines()

    told = [line.split(" | ")[2:5] for line in written if line.startswith(("| 1 |", "| 2 |", "| 3 |"))]
    assert [(unit, how) for unit, _, how in told] == [("172.24.1.5", "done"), ("172.24.1.5", "done"), ("", "in place")]
    assert sorted({at for _, at, _ in told}) == [at for _, at, _ in told], "the time at which it was done"
    assert len({at for _, at, _ in told}) == 3


def cells_of(markdown: str) -> list[int]:
    """Return how many cells each row of each table has, as a reader of Markdown sees them."""
    parser, rows = MarkdownIt("commonmark").enable("table"), []
    for token in parser.parse(markdown):
        if token.type == "tr_open":
            rows.append(0)
        elif token.type in ("td_open", "th_open"):
            rows[-1] += 1
    return rows


@given(
    st.text(min_size=1, max_size=30) | st.sampled_from(["a|b", "`", "``|`", "<b>", "[x](y)", "\x1b[31m\n| x |", "\\|"])
)
def test_whatever_a_journal_holds_stays_in_its_cell(text: str) -> None:
    of_site: dict[str, Any] = {"step": "1", "site": text, "unit": text}
    records = [begun(file=text, flags=("--site", text)), record("changing", **of_site, **LISTS)]
    ended = Ended(NOON, text, f"{text}\n```\n{text}", 3, "to the network", text, go_on=text)

    written = as_markdown(PLAN, ended, history(*records))
    plain = [begun(file="x", flags=("--site", "x")), record("changing", **OF_SITE, **LISTS)]
    expected = as_markdown(PLAN, Ended(NOON, "x", "x", 3, "to the network", "x", go_on="x"), history(*plain))

    assert cells_of(written) == cells_of(expected)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(written)
    assert not {"<a ", "<img", "<em>", "<b>", "\x1b"} & {
        each for each in ("<a ", "<img", "<em>", "<b>", "\x1b") if each in html
    }
