"""Records of a journal: written in ASCII, read back equal, and nothing else is taken for one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.errors import UnusableFileError
from geoplan.push import records, values
from geoplan.push.history import History
from tests.push.observations import plan_of

PLAN = plan_of("5.3").model_dump(mode="json")
# Whatever the system gives: bytes beyond UTF-8 come as lone surrogates, and several characters end a line elsewhere.
text = st.one_of(
    st.text(),
    st.text(st.sampled_from('a\u2028\u2029\u0085\n\r"\\\x00')),
    st.binary().map(lambda content: content.decode(errors="surrogateescape")),
)
addresses = st.lists(text, max_size=3)
zones = st.sampled_from([UTC, timezone(timedelta(hours=-5))])
moments = st.datetimes(
    datetime(values.FIRST_YEAR, 1, 1),  # noqa: DTZ001 - as the strategy wants its bounds
    datetime(values.LAST_YEAR, 12, 31),  # noqa: DTZ001
    timezones=zones,
)
clusters = st.fixed_dictionaries(
    {"address": text, "name": text, "type": text}, optional={"latitude": st.floats(-90, 90), "longitude": st.none()}
)
ha = st.fixed_dictionaries({"mode": st.none() | text, "health_check_port": st.none() | st.integers(1, 65535)})
ANY_RECORD = st.one_of(
    st.tuples(st.just("resumed"), st.fixed_dictionaries({"who": text})),
    st.tuples(
        st.just("changing"),
        st.fixed_dictionaries(
            {
                "step": text,
                "site": text,
                "action": st.just("set_geo_partners"),
                "unit": text,
                "what": st.just("geo_partners"),
                "before": st.none() | addresses | clusters | ha,
                "after": addresses,
            }
        ),
    ),
    st.tuples(
        st.just("resubmitting"),
        st.fixed_dictionaries({"site": text, "unit": text, "after": addresses}, optional={"before": addresses}),
    ),
    st.tuples(st.just("green"), st.fixed_dictionaries({"site": text, "unit": text, "partners": addresses})),
    st.tuples(st.just("note"), st.fixed_dictionaries({"message": text}, optional={"kind": st.just("other")})),
    st.tuples(st.just("backup"), st.fixed_dictionaries({"unit": text, "file": text, "sha256": text})),
    st.tuples(
        st.just("step"), st.fixed_dictionaries({"id": text, "site": text, "state": st.sampled_from(["done", "failed"])})
    ),
    st.tuples(st.just("end"), st.fixed_dictionaries({"outcome": text}, optional={"unfinished_pairs": addresses})),
)


@given(ANY_RECORD, moments)
def test_what_is_written_is_one_line_of_ascii_and_comes_back_equal(
    written: tuple[str, dict[str, object]], at: datetime
) -> None:
    event, fields = written
    record = records.make(event, at, **fields)
    line = record.to_line().encode("ascii")
    assert b"\n" not in line
    assert records.parse(line) == record


@given(text, moments)
def test_a_journal_of_any_user_is_read_back(who: str, at: datetime) -> None:
    begin = {"format": records.FORMAT, "checksum": who, "options": {}, "units": {who: who}, "plan": PLAN}
    record = records.make("begin", at, who=who, **begin)
    assert History.parse(Path("journal"), record.to_line().encode("ascii") + b"\n").who == who


NOW = "2026-01-01T12:00:00+00:00"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[]",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 10_000,
        b"\xff",
        '{"event":"healthy","at":"%s","site":"\u2028"}'.encode(),
        json.dumps({"event": "healthy", "at": NOW}).encode(),
        json.dumps({"event": "healthy", "at": NOW, "site": 5}).encode(),
        json.dumps({"event": "healthy", "at": NOW, "site": ["A"]}).encode(),
        json.dumps({"event": "healthy", "at": NOW, "site": "A", "more": 1}).encode(),
        json.dumps({"event": "healthy", "at": "2026-01-01T12:00:00", "site": "A"}).encode(),
        json.dumps({"event": "healthy", "at": 5, "site": "A"}).encode(),
        json.dumps({"event": ["healthy"], "at": NOW, "site": "A"}).encode(),
        json.dumps({"event": "step", "at": NOW, "id": "a", "site": "A", "state": "odd"}).encode(),
        json.dumps({"at": NOW}).encode(),
    ],
)
def test_a_line_that_is_no_record_is_a_damaged_journal(line: bytes) -> None:
    begin = records.make(
        "begin", datetime.now(UTC), format=records.FORMAT, who="a", checksum="b", options={}, units={}, plan={}
    )
    content = begin.to_line().encode("ascii") + b"\n" + line + b"\n"
    with pytest.raises(UnusableFileError, match=":2: the journal is damaged") as raised:
        History.parse(Path("journal"), content)
    assert "move it away" in str(raised.value.hint)


@given(st.binary())
def test_whatever_a_file_holds_it_is_a_journal_or_is_refused(content: bytes) -> None:
    try:
        History.parse(Path("journal"), content + b"\n")
    except UnusableFileError:
        pass
    else:
        raise AssertionError("that is no journal")


@pytest.mark.parametrize("version", ["geoplan/journal/1", "geoplan/journal/3"])
def test_a_journal_of_another_version_is_refused_by_its_name(version: str) -> None:
    line = json.dumps({"event": "begin", "at": NOW, "format": version, "who": "a"}).encode() + b"\n"
    with pytest.raises(UnusableFileError, match=f"another version of geoplan: {version}"):
        History.parse(Path("journal"), line)


@pytest.mark.parametrize(
    ("event", "fields"),
    [("nothing", {}), ("healthy", {}), ("healthy", {"site": "A", "other": 1}), ("healthy", {"site": None})],
)
def test_an_unknown_event_or_field_is_a_fault_of_ours(event: str, fields: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="no such record"):
        records.make(event, datetime.now(UTC), **fields)
