"""An unfinished push given up by a person: its changes stay as they are, and what it owes stays owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geoplan.push import journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from geoplan.live.polling import Clock
    from geoplan.push.history import History
    from geoplan.push.store import Past, Store


def abandon(store: Store, clock: Clock, require_consent: Callable[[Past, History], None]) -> History | None:
    """End the unfinished push of a store's units, so that a new one may begin; return it, or None where there is none.

    ``require_consent`` raises unless its operator wants that; it is asked while no other push can begin.
    """
    unfinished = store.past().unfinished
    if unfinished is None:
        return None
    with store.only_push(unfinished.topology, unfinished.begin.units):
        past = store.past()  # as it is now that nobody else can change it
        if past.unfinished is not None and past.unfinished.path == unfinished.path:
            require_consent(past, past.unfinished)
        with journal.Journal(unfinished.path, clock) as opened:
            if not opened.history.is_finished:
                opened.write("end", outcome="abandoned", who=journal.who())
    return unfinished
