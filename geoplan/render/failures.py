"""Failures and what each costs as one HTML page that needs nothing else, with the picture in which they show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup, escape

from geoplan.render.diagram import svg
from geoplan.render.runbook.html import policy, styles_in
from geoplan.render.runbook.templating import asset, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.plan.model import Plan


class FailureRow(NamedTuple):
    """One failure, or two, in words, and what of the picture it is about: sites by their names, units by addresses."""

    failure: str
    lost: str
    ending: str
    is_fault: bool
    sites: tuple[str, ...]
    """The sites that are hit."""
    off: tuple[str, ...]
    """The units that are hit."""
    gone: tuple[str, ...]
    """The sites that are lost, and whose loss shows."""
    cut_off: tuple[str, ...]
    """The sites that are lost silently, or lose links."""
    briefly: tuple[str, ...]

    @property
    def data(self) -> str:
        """What the page's script has to know, as JSON."""
        fields = {"sites": self.sites, "off": self.off, "gone": self.gone, "cut": self.cut_off, "brief": self.briefly}
        named = {name: [svg.xml_text(each) for each in value] for name, value in fields.items()}
        return json.dumps(named, ensure_ascii=False)


class FailurePage(NamedTuple):
    """Everything that the page says."""

    scope: str
    verdict: Sequence[str]
    is_well: bool
    headings: tuple[str, str, str]
    rows: Sequence[FailureRow]
    left_out: str = ""
    """What is said of rows that are not shown."""


def render(plan: Plan, page: FailurePage) -> str:
    """Return the page: it works from a file, asks for nothing, and is a table where scripts are off."""
    style = asset("runbook.css", "failures.css")
    script = asset("failures.js")
    picture = svg.render(plan, is_marked=True)
    return (
        environment(escape, autoescape=True)
        .get_template("failures.html.jinja")
        .render(
            name=plan.topology,
            page=page,
            policy=policy([style, *styles_in(picture)], [script]),
            # All three are this package's own; what the picture has from the topology is escaped in it.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            picture=Markup(picture),  # noqa: S704
        )
    )
