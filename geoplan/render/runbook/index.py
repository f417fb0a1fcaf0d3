"""The page that leads to the runbooks of a topology's groups, where each has a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from markupsafe import Markup, escape

from geoplan.plan.model import Action
from geoplan.render.runbook.html import policy
from geoplan.render.runbook.markdown import code, in_cell, name
from geoplan.render.runbook.prose import duration
from geoplan.render.runbook.templating import TEMPLATES, environment
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geoplan.plan.model import Plan


class Entry(NamedTuple):
    """One group's runbook."""

    group: str
    file: str
    """Its name, beside the index."""
    sites: int
    steps: int
    reboots: int
    seconds: float
    """Of the work by hand."""
    checksum: str
    """Of the group's plan, as ``push --group`` asks for it."""

    @property
    def link(self) -> str:
        """The file as a link writes it: no name begins another address."""
        return f"./{quote(self.file)}"

    @property
    def time(self) -> str:
        """How long the work by hand takes, in words."""
        return duration(self.seconds)


def entry_of(group: str, file: str, plan: Plan) -> Entry:
    """Return what the index says of a group."""
    return Entry(
        group=group,
        file=file,
        sites=len(plan.sites),
        steps=len(plan.steps),
        reboots=sum(step.action is Action.REBOOT_MASTER for step in plan.steps),
        seconds=plan.estimates.by_hand_seconds,
        checksum=plan.checksum,
    )


def markdown(topology: str, entries: Sequence[Entry]) -> str:
    """Return the index as GitHub Flavored Markdown."""
    return "\n".join(_markdown(topology, entries)) + "\n"


def html(topology: str, entries: Sequence[Entry]) -> str:
    """Return the index as a page that loads nothing."""
    style = (TEMPLATES / "runbook.css").read_text("utf-8")
    page = environment(escape, autoescape=True).get_template("index.html.jinja")
    return page.render(
        name=topology,
        summary=_summary(entries),
        entries=entries,
        policy=policy([style], []),
        style=Markup(style),  # noqa: S704 - this package's own
    )


def _markdown(topology: str, entries: Sequence[Entry]) -> Iterator[str]:
    yield from (f"# Runbooks: {name(topology)}", "", f"{_summary(entries)}.", "")
    yield from ("| Group | Sites | Steps | Reboots | By hand | Checksum |", "|---|---|---|---|---|---|")
    for entry in entries:
        group = f"[{in_cell(name(entry.group), entry.group)}]({entry.link})"
        numbers = (str(number) for number in (entry.sites, entry.steps, entry.reboots))
        yield f"| {' | '.join((group, *numbers, entry.time, code(entry.checksum)))} |"


def _summary(entries: Sequence[Entry]) -> str:
    reboots = sum(entry.reboots for entry in entries)
    rebooted = count(reboots, "reboot") if reboots else "no reboot"
    return f"{count(len(entries), 'group')}, {count(sum(entry.sites for entry in entries), 'site')}, {rebooted}"
