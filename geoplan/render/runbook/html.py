"""The runbook as one HTML page that needs nothing else: styles, script and picture stand in it."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import unescape
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from geoplan.render.diagram import svg
from geoplan.render.runbook import wui
from geoplan.render.runbook.build import build
from geoplan.render.runbook.prose import Label, Name, Pasted, Prose, StepNumber, Url, Value, duration
from geoplan.render.runbook.templating import asset, environment
from geoplan.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jinja2 import Environment

    from geoplan.plan.model import Plan
    from geoplan.topology.api import UnitApi

_WRAPPINGS: dict[type, Markup] = {
    Name: Markup("<bdi>{0}</bdi>"),
    Value: Markup("<code>{0}</code>"),
    Pasted: Markup(
        '<span class="value"><code>{0}</code>'
        '<button type="button" class="copy" aria-label="Copy {0}">Copy</button></span>'
    ),
    Label: Markup("<b>{0}</b>"),
    Url: Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>'),
    StepNumber: Markup('<a href="#step-{0}">step {0}</a>'),
}


def render(plan: Plan, apis: Mapping[str, UnitApi], *, is_followed: bool = False, timeline: str = "") -> str:
    """Return the runbook as a page that works from a file, asks for nothing, and keeps its ticks in the browser.

    One that ``is_followed`` has its ticks from the place that serves it, and asks nobody else. ``timeline`` is the
    picture of the push as rehearsed, which :mod:`geoplan.render.diagram.timeline` draws.
    """
    style = asset("runbook.css", *(["follow.css"] if is_followed else []))
    script = asset("runbook.js", *(["live.js", "follow.js"] if is_followed else []))
    picture = svg.render(plan)
    return (
        _templates()
        .get_template("runbook.html.jinja")
        .render(
            book=build(plan, apis),
            wui=wui.NAMES,
            is_followed=is_followed,
            policy=policy(
                dict.fromkeys([style, *styles_in(picture), *styles_in(timeline)]),
                [script],
                "connect-src 'self'" if is_followed else "",
            ),
            # All four are this package's own; what the pictures have from the topology is escaped in them.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            picture=Markup(picture),  # noqa: S704
            timeline=Markup(timeline),  # noqa: S704
        )
    )


@cache
def _templates() -> Environment:
    templates = environment(_finalize, autoescape=True)
    templates.filters |= {"heading": _heading, "plain": str, "duration": duration, "counted": count}
    return templates


def _finalize(value: object) -> Markup:
    """Wrap a span in the element of its kind, and escape whatever is no markup yet."""
    if isinstance(value, Prose):
        return Markup().join(_finalize(part) for part in value)
    wrapping = _WRAPPINGS.get(type(value))
    return wrapping.format(str(value)) if wrapping else escape(value)


def _heading(title: Prose) -> Markup:
    """Write a title, in which only names and values are marked."""
    return Markup().join(escape(str(part)) if isinstance(part, Label) else _finalize(part) for part in title)


def policy(styles: Iterable[str], scripts: Iterable[str], connections: str = "") -> str:
    """Return a content security policy that allows what stands in the page and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hashes(styles)}",
            f"script-src {_hashes(scripts)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            *filter(None, [connections]),
        )
    )


def _hashes(texts: Iterable[str]) -> str:
    return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts)


def styles_in(picture: str) -> list[str]:
    """Return the style sheets of a picture, as the page that it stands in has to allow them."""
    return [unescape(style) for style in re.findall(r"<style>(.*?)</style>", picture, re.DOTALL)]
