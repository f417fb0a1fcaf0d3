"""How a unit writes: what its two wire formats show, whatever it is that they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geoplan.live.probe.answers import FORM_OF_KEY, LONG_URLS, UNKNOWN_COMMAND, V1, V2, ProbeAnswers, long_title
from geoplan.vendor import API_V2_SINCE, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geoplan.loadmaster.raw import RawAnswer


def api_formats(unit: ProbeAnswers) -> str | None:
    """Tell in which wire formats a unit answers."""
    version = parse_version(unit.value("version") or "")
    if unit.formats != (V1,):
        asked = {wire for wire, _ in unit.raw} & {V1, V2}
        return " and ".join(unit.formats) if len(unit.formats) == len(asked) else None
    refused = unit.raw[V2, "get version"]
    if version < API_V2_SINCE or refused.outcome == "unreachable":
        return None  # older firmware has APIv1 alone
    return f"{V1} alone; {V2} answers {how(refused)}"


def how(raw: RawAnswer) -> str:
    """Tell how a command failed, as a number where there is one."""
    if raw.answer is not None:
        return str(raw.answer.code)
    return f"HTTP {raw.status}" if raw.status is not None else raw.outcome


def failure_status(unit: ProbeAnswers) -> str | None:
    """Tell which HTTP status a refusal in APIv2 has."""
    raw = unit.raw.get((V2, UNKNOWN_COMMAND))
    if raw is None or raw.answer is None or raw.status is None:
        return None
    return "its code" if raw.status == raw.answer.code else f"HTTP {raw.status} with code {raw.answer.code}"


def unknown_command(unit: ProbeAnswers) -> str | None:
    """Tell the code for a command that no firmware has."""
    return told(how(raw) for raw in unit.both(UNKNOWN_COMMAND))


def xml_encoding(unit: ProbeAnswers) -> str | None:
    """Look at answers that go beyond ASCII: only there does the encoding show."""
    bodies = [raw.body for (wire, _), raw in unit.raw.items() if wire == V1 and not raw.body.isascii()]
    return told("UTF-8" if _is_utf8(body) else "ISO-8859-1" for body in bodies)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def framing(unit: ProbeAnswers) -> str | None:
    """Tell what stands around a document."""
    bodies = [raw.body for raw in unit.raw.values() if raw.body]
    around = {byte for body in bodies for byte in (*_before(body), *body[len(body.rstrip(b"\0 \t\r\n")) :])}
    if not bodies:
        return None
    return "the document alone" if around <= set(b"\r\n") and not any(map(_before, bodies)) else "blanks or NUL around"


def _before(body: bytes) -> bytes:
    return body[: len(body) - len(body.lstrip(b"\0 \t\r\n\xef\xbb\xbf"))]


def escapes(unit: ProbeAnswers) -> str | None:
    """Look at answers that hold what XML and JSON have to write in another way."""
    found = set()
    for (wire, _), raw in unit.raw.items():
        if wire == V1 and re.search(rb"&(?!#?\w+;)", raw.body):
            found.add("a bare & in XML")
        if wire == V2 and not _is_utf8(raw.body):
            found.add("JSON that is not UTF-8")
        if wire == V2 and re.search(
            rb"[\x00-\x1f]", raw.body.strip(b"\0 \t\r\n").replace(b"\n", b"").replace(b"\r", b"")
        ):
            found.add("control characters in JSON")
    return told(found) or ("as XML and JSON have them" if unit.formats else None)


def getall(unit: ProbeAnswers) -> str | None:
    """Tell whether all parameters come at once."""
    return told("answered" if raw.outcome == "success" else f"refused with {how(raw)}" for raw in unit.both("getall"))


def key_place(unit: ProbeAnswers) -> str | None:
    """Look at a unit that was asked with an API key, and took it in APIv1."""
    if not unit.has_key or V1 not in unit.formats:
        return None
    return "in the query alone" if (FORM_OF_KEY, "get version") in unit.raw else "in a form, too"


def longest_url(unit: ProbeAnswers) -> str | None:
    """Look at how long a URL may be. One that is too long may be refused, or the connection dropped."""
    asked = [unit.raw.get((V1, long_title(characters))) for characters in LONG_URLS]
    if (first := asked[0]) is None or first.outcome == "unreachable":
        return None
    taken = [characters for characters, raw in zip(LONG_URLS, asked, strict=True) if raw and raw.outcome == "success"]
    if not taken:
        return f"fewer than {LONG_URLS[0]}"
    return str(taken[-1]) if taken[-1] == LONG_URLS[0] else f"{taken[-1]} or more"


def told(found: Iterable[str]) -> str | None:
    """Return what was found as one text, each thing once; None for nothing."""
    return " or ".join(sorted(set(found))) or None
