"""YAML 1.2 as topology files use it."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from geoplan import yaml12
from geoplan.yaml12 import MAX_DEPTH, MAX_VALUES, Place, PlainScalar, read_document


@pytest.mark.parametrize(
    "text", ["NO", "off", "Yes", "2001:10:20:30:40:50:10:20", "1:30", "2026-11-22", "0b1", "1_000"]
)
def test_what_yaml_1_1_converted_is_a_text(text: str) -> None:
    value = read_document(text).value

    assert value == text
    assert type(value) is str


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10", 10),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
    ],
)
def test_number_keeps_its_source_text(text: str, number: float) -> None:
    value = read_document(text).value

    assert isinstance(value, PlainScalar)
    assert value == text
    assert value.value == number
    assert type(value.value) is type(number)


def test_not_a_number_is_a_number_of_yaml() -> None:
    value = read_document(".NaN").value

    assert isinstance(value, PlainScalar)
    assert math.isnan(value.value)


@pytest.mark.parametrize(("text", "truth"), [("true", True), ("False", False)])
def test_truth_value_keeps_its_source_text(text: str, truth: bool) -> None:
    value = read_document(text).value

    assert isinstance(value, PlainScalar)
    assert value == text
    assert value.value is truth


@pytest.mark.parametrize("text", ["~", "null", "NULL", ""])
def test_null(text: str) -> None:
    assert read_document(f"key: {text}").value == {"key": None}


def test_quoted_scalar_is_a_text() -> None:
    assert type(read_document("'10'").value) is str


def test_number_of_thousands_of_digits_is_read() -> None:
    value = read_document("9" * 5000).value

    assert isinstance(value, PlainScalar)
    assert value.value == math.inf


def test_key_is_its_source_text() -> None:
    assert read_document("{2024: a, NO: b, ~: c, 1.0: d}").value == {"2024": "a", "NO": "b", "~": "c", "1.0": "d"}


def test_place_of_a_value_and_of_its_key() -> None:
    read = read_document("sites:\n  - name: A\n    standalone: 172.24.1.5\n")

    assert read.place_of(("sites", 0, "standalone")) == Place(2, 16, 2, 26)
    assert read.place_of_key(("sites", 0, "standalone")) == Place(2, 4, 2, 14)


def test_place_of_a_part_that_is_not_written_is_that_of_the_whole() -> None:
    read = read_document("standalone: 172.24.1.5")

    assert read.place_of(("standalone", "address")) == read.place_of(("standalone",))


def test_alias_has_its_own_place() -> None:
    read = read_document("[&a {k: v}, *a]")

    assert read.value == [{"k": "v"}, {"k": "v"}]
    assert read.place_of((1,)) == Place(0, 12, 0, 14)


def test_alias_as_key() -> None:
    assert read_document("{a: &x b, *x : c}").value == {"a": "b", "b": "c"}


def test_list_as_key_does_not_hide_what_follows() -> None:
    read = read_document("? [a, b]\n: x\nc: d\n")

    assert [fault.code for fault in read.faults] == ["GEO008"]
    assert read.value == {"c": "d"}


def test_two_duplicate_keys_are_both_reported() -> None:
    read = read_document("a: 1\na: 2\nb: 1\nb: 2\nc: 3\n")

    assert [(fault.code, fault.place.line) for fault in read.faults] == [("GEO006", 1), ("GEO006", 3)]
    assert read.value == {"a": "1", "b": "1", "c": "3"}


def test_alias_bomb_is_refused_before_it_is_built() -> None:
    levels = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    levels += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in pairwise("abcdefghi")]
    read = read_document("\n".join(levels))

    assert [fault.code for fault in read.faults] == ["GEO007"]
    assert read.value is None


class Nesting(NamedTuple):
    """A way to nest values: what opens a level, what closes it, and how far apart the levels stand."""

    opening: str
    closing: str = ""
    inmost: str = "x"
    width: int = 0

    def levels(self, depth: int) -> str:
        return self.opening * depth + self.inmost + self.closing * depth

    def unclosed(self, depth: int) -> str:
        return self.opening * depth

    def column(self, level: int) -> int:
        return level * (self.width or len(self.opening))


NESTINGS = {
    "list in brackets": Nesting("[", "]"),
    "list in brackets, spaced": Nesting("[ ", " ]"),
    "mapping in braces": Nesting("{a: ", "}"),
    "mapping in braces, long keys": Nesting("{" + "a" * 100 + ": ", "}"),
    "braces as keys": Nesting("{", "}", "a: b"),
    "list of dashes": Nesting("- "),
    "keys of keys": Nesting("? "),
}

beyond = pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 2 * MAX_DEPTH, 999, 1000, 1001, 1024, 1025, 20_000])
nestings = pytest.mark.parametrize("nesting", NESTINGS.values(), ids=list(NESTINGS))


def indented(depth: int) -> str:
    return "\n".join("  " * level + "a:" for level in range(depth))


@nestings
@pytest.mark.parametrize("depth", [1, MAX_DEPTH - 1, MAX_DEPTH])
def test_nesting_up_to_the_limit_is_read(nesting: Nesting, depth: int) -> None:
    assert "GEO003" not in {fault.code for fault in read_document(nesting.levels(depth)).faults}
    assert "GEO009" not in {fault.code for fault in read_document(nesting.levels(depth)).faults}


@nestings
@beyond
def test_deep_nesting_is_refused_at_its_limit(nesting: Nesting, depth: int) -> None:
    for text in (nesting.levels(depth), nesting.unclosed(depth)):
        read = read_document(text)

        assert [fault.code for fault in read.faults] == ["GEO009"]
        assert read.faults[0].place.column == nesting.column(MAX_DEPTH)
        assert read.value is None


@nestings
def test_nesting_without_end_is_refused_at_its_limit(nesting: Nesting) -> None:
    assert [fault.code for fault in read_document(nesting.unclosed(1_000_000 // len(nesting.opening))).faults] == [
        "GEO009"
    ]


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 999, 1001, 2000])
def test_deep_indentation_is_refused_at_its_limit(depth: int) -> None:
    assert not read_document(indented(MAX_DEPTH)).faults

    (fault,) = read_document(indented(depth)).faults
    assert (fault.code, fault.place.line) == ("GEO009", MAX_DEPTH)


@pytest.mark.parametrize("before", ["a:\n  - b: {c: ", "# [[[ a note\n- &a !!seq ", "---\n", "{a: [x, 'y ]', \"[\", "])
def test_nesting_is_counted_from_the_top_of_the_file(before: str) -> None:
    around = {"a:\n  - b: {c: ": 4, "# [[[ a note\n- &a !!seq ": 1, "---\n": 0, "{a: [x, 'y ]', \"[\", ": 2}[before]
    (fault,) = read_document(before + "[" * 2000).faults

    last_line = before.rpartition("\n")[2]
    assert (fault.code, fault.place.column) == ("GEO009", len(last_line) + MAX_DEPTH - around)


@pytest.mark.parametrize("own_limit", [MAX_DEPTH, MAX_DEPTH + 1, 100, 1000])
@nestings
def test_limit_of_the_parser_changes_nothing(nesting: Nesting, own_limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class LimitedLoader(yaml.SafeLoader):
        yaml_implicit_resolvers = yaml12.Yaml12Loader.yaml_implicit_resolvers

        def fetch_flow_collection_start(self, TokenClass: type[yaml.Token]) -> None:  # noqa: N803 - PyYAML's name
            if self.flow_level >= own_limit:
                raise yaml.scanner.ScannerError(None, None, "too deep for this parser", self.get_mark())
            super().fetch_flow_collection_start(TokenClass)

        def add_indent(self, column: int) -> bool:
            if len(self.indents) > own_limit:
                raise yaml.scanner.ScannerError(None, None, "too deep for this parser", self.get_mark())
            return bool(super().add_indent(column))

    monkeypatch.setattr(yaml12, "Yaml12Loader", LimitedLoader)

    assert "GEO003" not in {fault.code for fault in read_document(nesting.levels(MAX_DEPTH)).faults}
    (fault,) = read_document(nesting.levels(2000)).faults
    assert (fault.code, fault.place.column) == ("GEO009", nesting.column(MAX_DEPTH))


@pytest.mark.parametrize(
    "text",
    [
        "[a, '" + "[" * 40,
        '[a, "' + "[" * 40 + '\\"',
        "a: b " + "[" * 40 + "\nc",
        "[a # " + "[" * 40 + "\n %",
        "[" * MAX_DEPTH + "%",
        "[" + "[], " * 40 + "%",
        "k: |" + "[" * 40,
        "a: ]" + "[" * 40,
    ],
)
def test_brackets_that_nest_nothing_are_no_depth(text: str) -> None:
    assert [fault.code for fault in read_document(text).faults] == ["GEO003"]


def test_too_many_values_are_refused_while_they_are_read() -> None:
    read = read_document("[" + "a," * (MAX_VALUES + 10))

    assert [fault.code for fault in read.faults] == ["GEO007"]


# Characters that YAML 1.1 took for line breaks do not survive the way through its writer.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"), max_size=8)
trees = st.recursive(
    texts | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)


@given(trees)
def test_reads_back_what_pyyaml_writes(value: object) -> None:
    read = read_document(yaml.safe_dump(value))

    assert not read.faults
    assert read.value == value


def test_pure_python_loader_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "sites:\n  - {name: Tromsø, standalone: &a 2001:db8::5}\n  - [*a, 0o17, ~, true]\n"
    fast = read_document(text)

    class PureLoader(yaml.SafeLoader):
        yaml_implicit_resolvers = yaml12.Yaml12Loader.yaml_implicit_resolvers

    monkeypatch.setattr(yaml12, "Yaml12Loader", PureLoader)
    pure = read_document(text)

    assert pure.value == fast.value
    assert pure.place_of(("sites", 1, 1)) == fast.place_of(("sites", 1, 1))
