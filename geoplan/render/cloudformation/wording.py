"""Texts that AWS takes only certain characters in."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from geoplan.errors import GeoplanError
from geoplan.render.cloudformation.writing import OneLine

if TYPE_CHECKING:
    from geoplan.render.cloudformation.pairs import BalancedPair

MAX_DESCRIPTION = 255
DESCRIPTION_MARKS = set(" ._-:/()#,@[]+=&;{}!$*")  # EC2, AuthorizeSecurityGroupIngress
TAG_MARKS = set("_.:/=+-@")  # Elastic Load Balancing, Tag


def description(text: str) -> str:
    """Return a text that a security group or one of its rules can have for a description."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = (mark if mark.isalnum() or mark in DESCRIPTION_MARKS else "-" for mark in plain)
    return " ".join("".join(kept).split())[:MAX_DESCRIPTION]


def tags(pair: BalancedPair) -> list[OneLine]:
    """Return the tags of what belongs to a pair: its own, and a Name unless they have one.

    Raises :class:`GeoplanError` for a tag that load balancers cannot have.
    """
    for key, value in pair.aws.tags.items():
        wrong = next((mark for mark in key + value if not _fits_tag(mark)), None)
        if wrong:
            message = (
                f"the tag {key!r} of '{pair.site}' has {wrong!r}, which AWS does not take in a load balancer's tags"
            )
            hint = "write it with letters, digits, spaces and _ . : / = + - @ alone"
            raise GeoplanError(message, hint=hint)
    name = "".join(mark if _fits_tag(mark) else "-" for mark in pair.site)
    named = {"Name": name, **pair.aws.tags}
    return [OneLine(Key=key, Value=value) for key, value in named.items()]


def _fits_tag(mark: str) -> bool:
    return unicodedata.category(mark)[0] in "LNZ" or mark in TAG_MARKS
