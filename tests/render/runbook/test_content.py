"""The text of the runbook: what a file of it may hold, and that whatever is filled in comes out as it went in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError

from geoplan.plan.model import Action
from geoplan.render.runbook import content, steps
from geoplan.render.runbook.content import Section, mark, read
from geoplan.render.runbook.context import RunbookContext
from geoplan.render.runbook.prose import Label, Name, Pasted, Prose, Span, StepNumber, Url, Value
from tests.render.runbooks import behind_balancer, book_of, two_sites, usual_apis

KINDS = (str, Name, Value, Pasted, Label, Url, StepNumber)
FILES = sorted(content.CONTENT.glob("*.jinja"))

anything = st.text(st.characters(codec=None), max_size=30) | st.sampled_from(
    [
        "\x02Name:61\x03",
        "a\n# b",
        "\n- b",
        "  a  b ",
        "\x00",
        "\u2028",
        "{{ 1 / 0 }}",
        "{% raw %}",
        "<b>&amp;",
        "\ud800",
    ]
)


def sentence(text: str) -> Prose:
    return read(f"# Heading\n{text}")["Heading"].text


@given(anything, st.sampled_from(KINDS))
def test_any_value_comes_out_as_it_went_in(characters: str, kind: type[str]) -> None:
    value = kind(characters)
    if isinstance(value, Span):
        assert sentence(f"Before {mark(value)}, after.") == ("Before ", value, ", after.")
        assert type(sentence(mark(value))[0]) is kind
    else:
        assert sentence(f"Before {mark(value)}, after.") == (f"Before {value}, after.",)


@given(anything)
def test_any_name_is_a_heading_and_an_item_of_its_own(characters: str) -> None:
    name = Name(characters)
    sections = read(f"# check/{mark(name)}\nTitle\n- {mark(name)}\n- tick: {mark(name)}\n# Other")
    assert list(sections) == [f"check/{characters}", "Other"]
    assert sections[f"check/{characters}"].items == ((name,), ("tick: ", name))


@given(anything)
def test_any_name_stands_in_the_built_runbook_unchanged(characters: str) -> None:
    plan = two_sites("Quiet", "Plain", name="Quiet")
    sites = tuple(site.model_copy(update={"name": characters}) if site.name == "Quiet" else site for site in plan.sites)
    steps = tuple(
        step.model_copy(
            update={
                "site": characters if step.site == "Quiet" else step.site,
                "on": step.on.model_copy(update={"site": characters}) if step.on.site == "Quiet" else step.on,
            }
        )
        for step in plan.steps
    )
    clusters = tuple(
        cluster.model_copy(update={"site": characters, "name": characters}) if cluster.site == "Quiet" else cluster
        for cluster in plan.clusters
    )
    groups = tuple(group.model_copy(update={"sites": (characters, "Plain")}) for group in plan.groups)
    renamed = plan.model_copy(update={"sites": sites, "steps": steps, "clusters": clusters, "groups": groups})
    titles = [step.title for step in book_of(renamed).steps]
    assert [title[0] for title in titles if title[0] != "Plain"] == [characters] * len(
        [step for step in plan.steps if step.site == "Quiet"]
    )
    assert {type(title[0]) for title in titles} == {Name}


def test_lines_are_sentences_and_items() -> None:
    assert read("# One\nA\n  sentence.\n\n- First,\n  still first.\n- Second.\n# Two\n") == {
        "One": Section(Prose(("A sentence.",)), (Prose(("First, still first.",)), Prose(("Second.",)))),
        "Two": Section(Prose(), ()),
    }


@pytest.mark.parametrize("text", ["No heading", "- No heading", "# One\n# One"])
def test_text_without_a_heading_of_its_own_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"heading|called"):
        read(text)


@pytest.mark.parametrize("value", [None, 1.5, ("a",)])
def test_what_is_no_text_cannot_be_filled_in(value: object) -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        mark(value)


def test_variable_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        content.render("reboot_master", {})


def test_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TemplateNotFound):
        content.render("no_such_action", {})


def test_heading_that_nobody_reads_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = content.render
    monkeypatch.setattr(content, "render", lambda *given: {**whole(*given), "You sea": Section(Prose(), ())})
    plan = two_sites("A", "B")
    with pytest.raises(ValueError, match="You sea"):
        steps.write_steps(RunbookContext(plan, usual_apis(plan)))


def test_every_action_has_a_file() -> None:
    assert {action.value for action in Action} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_is_used_and_keeps_its_width(path: Path) -> None:
    text = path.read_text("utf-8")
    assert max(map(len, text.splitlines())) <= 120
    # Joined with ~, a mark and a plain string would be escaped as HTML is.
    assert not re.search(r"{[{%][^}]*~", text)
    used = {action.value for action in Action} | {"before", "verify", "overview"}
    asked_for = {name for other in FILES for name in re.findall(r'"(\w+)\.jinja"', other.read_text("utf-8"))}
    assert path.stem in used | asked_for


def test_lists_are_joined_as_a_sentence_is() -> None:
    ports = next(check for check in book_of(behind_balancer("A")).before if check.id == "virtual-services")
    assert ports.lines[0] == ("None on port ", "8444", " of ", "A", ", where the units answer the health check.")
    names = [Name("c"), Name("d"), Name("e")]
    assert sentence(content._listing(names)) == ("c", ", ", "d", " and ", "e")
    assert [type(part) for part in sentence(content._listing(names[:1]))] == [Name]
