"""What has changed from one look to the next, as a program is told it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from geoplan.live.findings.kinds import Finding
    from geoplan.status.model import Seen, Status

FORMAT = "geoplan/notification/1"


@dataclass(frozen=True, slots=True)
class Changes:
    """Findings that have come and gone."""

    appeared: tuple[Finding, ...]
    gone: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return bool(self.appeared or self.gone)


def findings_in(seen: Seen) -> tuple[Finding, ...]:
    """Return all findings that stand: those of the look, and what a comparison with the plan has found besides."""
    compared = seen.drift.besides if seen.drift else ()
    return (*seen.status.findings, *beyond(compared, seen.status.findings))


def changes(before: tuple[Finding, ...], now: tuple[Finding, ...]) -> Changes:
    """Say which findings have come and gone; the words of one that stays, such as times in them, do not count."""
    return Changes(tuple(beyond(now, before)), tuple(beyond(before, now)))


def as_json(status: Status, told: Changes, *, is_first: bool) -> str:
    """Return one line of JSON; ``is_first`` says that nothing was told before, so that all there is has appeared."""
    content = {
        "format": FORMAT,
        "topology": status.topology,
        "checksum": status.checksum,
        "at": status.at.isoformat(timespec="milliseconds"),
        "first": is_first,
        "appeared": [asdict(finding) for finding in told.appeared],
        "gone": [asdict(finding) for finding in told.gone],
    }
    return json.dumps(content) + "\n"


def beyond(these: tuple[Finding, ...], those: tuple[Finding, ...]) -> Iterator[Finding]:
    """Yield what there is of these beyond those; of several alike, the very same ones meet."""
    left, same = Counter(map(_key, those)), frozenset(those)
    for finding in sorted(these, key=lambda each: each not in same):
        if left[_key(finding)]:
            left[_key(finding)] -= 1
        else:
            yield finding


def _key(finding: Finding) -> Hashable:
    return finding.kind, finding.sites, finding.units, finding.severity
