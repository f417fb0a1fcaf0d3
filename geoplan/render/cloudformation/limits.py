"""What AWS takes of a template: what is refused here, and what the one who deploys has to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.aws import (
    RULES_OF_GROUP,
    TEMPLATE_BYTES_IN_BUCKET,
    TEMPLATE_BYTES_IN_REQUEST,
    TEMPLATE_OUTPUTS,
    TEMPLATE_PARAMETERS,
    TEMPLATE_RESOURCES,
)
from geoplan.errors import GeoplanError
from geoplan.render.cloudformation.security_groups import most_rules_of_a_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geoplan.render.cloudformation.pairs import BalancedPair

ENTRIES = {"Parameters": TEMPLATE_PARAMETERS, "Resources": TEMPLATE_RESOURCES, "Outputs": TEMPLATE_OUTPUTS}


def size_of(text: str) -> int:
    """Return how large AWS takes a template to be, in bytes."""
    return len(text.encode())


def is_for_bucket(text: str) -> bool:
    """Return whether a template is too large for a request, so that it has to come out of an S3 bucket."""
    return size_of(text) > TEMPLATE_BYTES_IN_REQUEST.most


def require_to_fit(text: str, entries: Mapping[str, int], pairs: Sequence[BalancedPair]) -> None:
    """Check that AWS takes a template of so many entries a section; raises :class:`GeoplanError` with what helps."""
    counted = [(entries[name], limit) for name, limit in ENTRIES.items()]
    for count, limit in (*counted, (size_of(text), TEMPLATE_BYTES_IN_BUCKET)):
        if count > limit.most:
            whose = f"{len(pairs)} sites" if len(pairs) > 1 else f"'{pairs[0].site}'"
            raise GeoplanError(
                f"the template of {whose} is too large: AWS takes {limit.most:,} {limit.of}, and this has {count:,}",
                hint=_way_out(pairs, entries["Resources"]),
            )


def _way_out(pairs: Sequence[BalancedPair], resources: int) -> str:
    if len(pairs) > 1:
        return "write several templates, each for fewer sites: --site NAME, which can be given more than once"
    for_partners = len(pairs[0].units) * len(pairs[0].partners)  # a rule for each in each unit's group
    if for_partners > resources / 2:
        return "most belong to GEO units elsewhere: name fewer under extra_remote_geo_access, or make groups of sites"
    return "most belong to its listeners: give it fewer listeners, and another pair the others"


def crowded_groups(pairs: Sequence[BalancedPair]) -> Iterator[str]:
    """Yield a sentence for each kind of security group that gets more rules than AWS takes by default."""
    for pair in pairs:
        for whose, count in most_rules_of_a_group(pair):
            if count > RULES_OF_GROUP.most:
                yield (
                    f"a security group of {whose} of '{pair.site}' gets {count} rules; the default quota of AWS is "
                    f"{RULES_OF_GROUP.most}, beside those that are there already"
                )
