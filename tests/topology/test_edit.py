"""A file keeps all that an edit does not touch, and says what its content says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geoplan import Topology
from geoplan.errors import GeoplanError
from geoplan.topology.edit import Inserted, commented, edited, require_editable
from geoplan.topology.loader import check_text
from geoplan.topology.types import is_name
from geoplan.topology.writer import topology_text
from geoplan.yaml12 import Loc
from tests.topologies import topologies

MINE = """\
# ours, see the wiki
name: mine   # of the north
sites:
  # the oldest
  - name: NO   # Norway
    ha_pair: {master: 10.0.0.1, slave: 10.0.0.2}   # both in the cellar

  - name: "B # x"
    standalone:
      address: 2001:10:20:30:40:50:10:20 # v6
  - {name: 2024, standalone: 10.0.0.9, cluster: {location: {latitude: 1e1, longitude: 0x10}}}
groups:
    g: [NO,
        "B # x"]   # end
    h: ['2024']
"""


def nothing(_document: Any) -> None:
    """Change nothing."""


def test_what_is_not_edited_stays() -> None:
    content, text = edited(MINE, nothing)
    assert text == MINE
    assert content["sites"][0]["name"] == "NO"


@pytest.mark.parametrize(
    "name", ["NO", "1e3", "a: b", "# x", "2001:10:20:30:40:50:10:20", "é", "{", "~", "1_000", "0o17"]
)
def test_names_that_are_put_in_come_out_again(name: str) -> None:
    def add(document: Any) -> None:
        document["sites"].append({"name": f"{name}.", "standalone": {"address": "10.0.0.10", "firmware": "7.2.59.4"}})
        document["groups"]["new"] = [f"{name}."]

    _, text = edited(MINE, add)
    checked = check_text(text.encode(), path="x", default_name="x")
    assert checked.topology is not None
    assert checked.topology.sites[-1].name == f"{name}."
    assert "    standalone: {address: 10.0.0.10, firmware: 7.2.59.4}" in text.splitlines()


@given(name=st.text(min_size=1, max_size=30).filter(is_name))
def test_any_name_is_put_into_any_kind_of_list(name: str) -> None:
    def add(document: Any) -> None:
        document["sites"].append({"name": f"{name}0", "standalone": "10.0.0.10"})
        document["groups"]["g"].append(Inserted(f"{name}0"))

    _, text = edited(MINE, add)
    checked = check_text(text.encode(), path="x", default_name="x")
    assert checked.topology is not None
    assert (checked.topology.groups or {})["g"][-1] == checked.topology.sites[-1].name == f"{name}0"


@given(topology=topologies(max_sites=5), name=st.text(min_size=1, max_size=20).filter(is_name))
def test_any_file_of_ours_can_be_edited(topology: Topology, name: str) -> None:
    text = topology_text(topology.model_dump(exclude_none=True, exclude_unset=True, mode="json"))

    def call(document: Any) -> None:
        document["name"] = name

    content, written = edited(text, call)
    assert content["name"] == name
    checked = check_text(written.encode(), path="x", default_name="x")
    assert checked.topology is not None
    assert checked.topology.model_copy(update={"name": topology.name}) == topology


CRLF = (
    "# ours\r\nname:   mine\r\nsites:\r\n# the oldest\r\n- name: 'One'     # c\r\n"
    '  ha_pair: {master: 10.0.0.1,   slave: "10.0.0.2"}\r\n-   name: Two\r\n    standalone:   &unused 10.0.0.3\r\n'
    "\r\n# the end"
)


def add_one(document: Any) -> None:
    document["sites"].append({"name": "new one", "standalone": {"address": "10.0.0.77"}})


ALONE = MINE.partition("groups:")[0]


@pytest.mark.parametrize("text", [ALONE, CRLF, CRLF.replace("\r\n", "\n"), ALONE.replace("\n", "\r\n")])
def test_what_is_not_edited_keeps_every_byte(text: str) -> None:
    assert edited(text, nothing)[1] == text
    written = edited(text, add_one)[1]
    ends = {"\r\n" in each for each in written.splitlines(keepends=True)}
    assert ends == {"\r\n" in text} or not written.endswith("\n")
    kept, after = text.splitlines(), written.splitlines()
    new = [line for line in after if "new one" in line or "10.0.0.77" in line]
    assert [line for line in after if line not in new] == kept
    assert len(new) <= 2


@settings(max_examples=25)
@given(
    topology=topologies(max_sites=4),
    end=st.sampled_from(["\n", "\r\n"]),
    wide=st.booleans(),
    comment=st.sampled_from(["", "   # c", "  # d: [e"]),
    deeper=st.sampled_from(["", "  "]),
)
def test_a_site_that_is_added_changes_no_line_of_the_others(
    topology: Topology, end: str, wide: bool, comment: str, deeper: str
) -> None:
    alone = topology.model_copy(update={"groups": None})
    wider = alone.model_dump(exclude_none=True, exclude_unset=True, mode="json")
    wider["sites"].append({"name": "new one", "standalone": "10.0.0.77"})
    assume(
        check_text(topology_text(wider).encode(), path="x", default_name="x").topology is not None
    )  # its address or name may be taken
    text = ""
    for line in topology_text(alone.model_dump(exclude_none=True, exclude_unset=True, mode="json")).splitlines():
        indent = deeper if line.startswith("  ") else ""
        text += indent + (line.replace(": {", ":  {") if wide else line) + (comment if line.endswith("}") else "") + end
    assert edited(text, nothing)[1] == text
    written = edited(text, lambda document: document["sites"].append({"name": "new one", "standalone": "10.0.0.77"}))[1]
    left = written.split(end)
    for line in text.split(end):
        assert line in left, (line, written)
        left.remove(line)
    assert "".join(left).strip() in (
        "- name: new one    standalone: 10.0.0.77",
        "- name: new one      standalone: 10.0.0.77",
    )


TAB = "sites:\n- name: A\t# of the north\n  standalone: 10.0.0.1\n"


def test_what_cannot_be_edited_is_refused_with_its_line() -> None:
    assert check_text(TAB.encode(), path="x", default_name="x").topology
    with pytest.raises(GeoplanError, match=r"^x\.yaml:2:\d+: it cannot be edited"):
        require_editable(TAB, "x.yaml")


def test_json_is_not_made_yaml() -> None:
    with pytest.raises(GeoplanError, match=r"^my\.json is JSON"):
        require_editable('{"sites": [{"name": "A", "standalone": "10.0.0.1"}]}', "my.json")
    require_editable("{sites: [{name: A, standalone: 10.0.0.1}]}", "my.yaml")


PIECES = st.sampled_from(
    ["\t", " ", "\t# c", "  # c", "\n", "\n\n", "# c\n", "\r\n", "'", '"', "&a ", "*a", "!!str ", "? ", "|", ">-",
     "---\n", "...\n", "%YAML 1.1\n", "<<: ", "{", "}", "[", "]", ", ", "- ", ": ", "\ufeff", "\x85", "\u2028", "é",
     "0o7", "1_0", "~"]
)  # fmt: skip


@settings(max_examples=60)
@given(data=st.data(), base=st.sampled_from([MINE, ALONE, CRLF, TAB]))
def test_whatever_is_read_is_edited_or_refused_in_words_first(data: st.DataObject, base: str) -> None:
    text = base
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.sampled_from([at for at, each in enumerate(text) if each in " \r\n:-[{,"]))
        odd = text[:at] + data.draw(PIECES) + text[at:]
        text = odd if check_text(odd.encode(), path="x", default_name="x").topology else text
    try:
        require_editable(text, "x")
    except GeoplanError:
        return

    def add(document: Any) -> None:
        add_one(document)
        if "groups" in document:
            document["groups"]["another"] = ["new one"]

    assert "10.0.0.77" in edited(text, add)[1]


def test_comment_stands_above_its_site_once_and_says_nothing_else() -> None:
    said: dict[Loc, list[str]] = {("sites", 1): ["odd\n- name: x"], ("sites", 2): ["on one line"]}
    written = commented(MINE, said)
    lines = written.splitlines()
    assert lines[lines.index('  - name: "B # x"') - 1].startswith("  # odd")
    assert [line for line in lines if "odd" not in line and "on one line" not in line] == MINE.splitlines()
    assert commented(written, said) == written
    deep: dict[Loc, list[str]] = {("sites", 0, "standalone"): ["why"]}
    assert commented("sites:\n- name: A\n  standalone: 10.0.0.1\n", deep) == (
        "sites:\n- name: A\n  # why\n  standalone: 10.0.0.1\n"
    )
    flow = "sites: [{name: A, standalone: 10.0.0.1}]\n"
    assert commented(flow, {("sites", 0): ["x"]}) == flow
