"""The live page of a status: the picture and the places of all else, which its script fills from what it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from geoplan.render.diagram import svg
from geoplan.render.runbook.html import policy, styles_in
from geoplan.render.runbook.templating import asset, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.plan.model import Plan


def render(plan: Plan, headings: Sequence[str], seconds: float) -> str:
    """Return the page; it asks nobody but the place that serves it.

    ``headings`` are those of a unit's cells, ``seconds`` those between two looks.
    """
    style = asset("runbook.css", "failures.css", "status.css")
    script = asset("live.js", "status.js")
    picture = svg.render(plan, is_marked=True)
    return (
        environment(escape, autoescape=True)
        .get_template("status.html.jinja")
        .render(
            name=plan.topology,
            checksum=plan.checksum,
            headings=headings,
            seconds=f"{seconds:g}",
            policy=policy(dict.fromkeys([style, *styles_in(picture)]), [script], "connect-src 'self'"),
            # All three are this package's own; what the picture has from the topology is escaped in it.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            picture=Markup(picture),  # noqa: S704
        )
    )
