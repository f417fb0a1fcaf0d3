"""The inventory: which host pushes what, read as YAML that knows no template."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from geoplan.render.ansible import render
from geoplan.render.ansible.inventory import Part, Pushed, hosts_of, inventory

PUSHED = Pushed("fleet.topology", "0" * 64, "")


class Loader(yaml.SafeLoader):
    """Reads ``!unsafe`` as Ansible does: always as a text, and told apart from one that is a template."""


class Untouched(str):
    __slots__ = ()


Loader.add_constructor("!unsafe", lambda loader, node: Untouched(loader.construct_scalar(node)))  # type: ignore[arg-type]


def hosts(*groups: str | None, **regions: str) -> dict[str, list[str | None]]:
    text = inventory(PUSHED, [Part(group, "sha256:1") for group in groups], regions)
    read: Any = yaml.load(text, Loader)  # noqa: S506 - a safe loader, with one tag more
    found = {name: [part["group"] for part in of["geoplan_parts"]] for name, of in read["geoplan"]["hosts"].items()}
    marked = [isinstance(group, Untouched) for its in found.values() for group in its]
    assert marked == [
        group is not None and ("{" in group or group.startswith("#")) for its in found.values() for group in its
    ]
    return found


def test_each_group_has_a_host() -> None:
    assert hosts("Shop Dublin", "bank") == {"shop-dublin": ["Shop Dublin"], "bank": ["bank"]}


def test_a_region_has_a_host_for_its_groups_where_its_first_group_stands() -> None:
    found = hosts("a", "b", "c", "d", b="The North", d="The North")
    assert list(found.items()) == [("a", ["a"]), ("the-north", ["b", "d"]), ("c", ["c"])]


def test_a_region_and_a_group_of_one_name_are_two_hosts() -> None:
    assert hosts("north", "b", b="north") == {"north": ["north"], "north-2": ["b"]}


def test_a_name_that_a_host_can_have_is_the_hosts_name() -> None:
    regions = {"a": "jump1.example.net", "b": "10.0.0.5", "c": "Jump-2", "d": "jump_3", "e": "a..b", "f": "x.-y"}
    groups = ["a", "b", "c", "d", "e", "f"]
    found = hosts_of("t", [Part(group, "sha256:1") for group in groups], regions)
    assert [host.name for host in found] == ["jump1.example.net", "10.0.0.5", "jump-2", "jump-3", "a-b", "x-y"]
    assert [host.title for host in found if host.is_renamed] == ["jump_3", "a..b", "x.-y"]


def test_without_groups_the_whole_topology_has_a_host() -> None:
    assert hosts(None) == {"fleet": [None]}


@pytest.mark.parametrize("name", ["all", "ungrouped", "localhost", "geoplan", "ALL"])
def test_no_host_is_called_as_what_ansible_means_otherwise(name: str) -> None:
    assert hosts(name) == {f"{name.lower()}-2": [name]}


def test_a_host_has_a_name_that_no_program_takes_for_an_option() -> None:
    assert hosts("-x", "??", "!!", "[1:3]", "no", "12") == {
        "x": ["-x"],
        "group": ["??"],
        "group-2": ["!!"],
        "1-3": ["[1:3]"],
        "no": ["no"],
        "12": ["12"],
    }


@pytest.mark.parametrize(
    "name", ["{{ x }}", "no", "1.0", "'", '"\\n"', "a: b", "# a", "#jinja2: x", "é\U0001f600", "!unsafe x", "x" * 200]
)
def test_names_are_read_back_as_they_are_and_are_no_templates(name: str) -> None:
    assert list(hosts(name).values()) == [[name]]


def test_nothing_of_a_topology_stands_in_the_files_that_ansible_reads_templates_in() -> None:
    content = b"of a topology\n"
    one = render("one", content, [Part("shop", "sha256:1")], regions={})
    other = render("{{ other }}", content, [Part("{{ bank }}", "sha256:2")], regions={"{{ bank }}": "{{ north }}"})
    assert {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)} == {
        "inventory.yaml",
        "roles/geoplan/files/one.topology",
        "roles/geoplan/files/other.topology",
    }
