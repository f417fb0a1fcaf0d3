"""What every line of a journal is."""

from __future__ import annotations

import json
from typing import Any

from geoplan.push.values import Moment, Strict


class Record(Strict):
    """One line of a journal: what happened, and when by the clock of the machine that writes it."""

    event: str
    at: Moment

    def to_line(self) -> str:
        """Return it as one line of JSON, without its end; only what was given stands in it."""
        return json.dumps(self.as_plain(), ensure_ascii=True, separators=(",", ":"))

    def as_plain(self) -> dict[str, Any]:
        """Return it as JSON would hold it; only what was given stands in it."""
        return self.model_dump(exclude_unset=True) | {"at": self.at.isoformat(timespec="microseconds")}
