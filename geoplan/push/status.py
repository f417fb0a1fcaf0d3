"""What the journal tells of the last push, for people."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from geoplan.push.going_back import as_lines, going_back, submitted_on_slaves

if TYPE_CHECKING:
    from geoplan.push.history import History, Record

FORMAT = "geoplan/push-status/1"


def as_text(history: History, running: str | None = None) -> str:
    """Return when and by whom it was begun, how it ended, what it changed, and how to go back by hand.

    ``running`` says that a push on this topology is running now, and which.
    """
    began = history.records[0]
    counted = Counter(history.step_states.values())
    steps = ", ".join(f"{count} {state}" for state, count in counted.items()) or "none yet"
    lines = [
        f"began      {_moment(began)} by {began.fields.get('who', 'somebody')}",
        f"ended      {_moment(history.records[-1])}: {history.outcome}"
        if running is None or history.is_finished
        else f"running    {running}",
        f"plan       {history.checksum}",
        f"steps      {len(history.plan.steps)}: {steps}",
        f"journal    {history.path}",
    ]
    if files := list(history.backed_up.values()):
        lines.append(f"backups    {len(files)} in {Path(files[0]).parent}")
    changes = [record for record in history.records if record.event in ("changing", "rebooting", "resubmitted")]
    if changes:
        lines += ["", "changed, with what was there before:"]
        lines += [f"  {_moment(change)}  {_change(change)}" for change in changes]
    if owed := history.owed_pairs:
        lines += ["", f"pairs that are not finished: {', '.join(owed)}"]
    if units := going_back(history):
        lines += ["", *as_lines(units, submitted_on_slaves(history))]
    return "\n".join(lines) + "\n"


def as_plain(history: History | None, running: str | None = None) -> dict[str, object]:
    """Return the same as JSON would hold it; where there was no push yet, its outcome is nothing."""
    if history is None:
        return {"format": FORMAT, "outcome": None, "finished": True, "running": running, "pairs_to_finish": []}
    return {
        "format": FORMAT,
        "began": history.records[0].at.isoformat(),
        "who": history.who,
        "outcome": history.outcome,
        "finished": history.is_finished,
        "running": None if history.is_finished else running,
        "pairs_to_finish": list(history.owed_pairs),
        "checksum": history.checksum,
        "steps": dict(history.step_states),
        "journal": str(history.path),
        "backups": dict(history.backed_up),
        "changes": [
            {"at": record.at.isoformat(), "event": record.event, **record.fields}
            for record in history.records
            if record.event in ("changing", "rebooting", "resubmitted")
        ],
        "going_back": [asdict(unit) for unit in going_back(history)],
    }


def _moment(record: Record) -> str:
    return f"{record.at.astimezone():%Y-%m-%d %H:%M:%S}"


def _change(record: Record) -> str:
    fields = record.fields
    where = f"{fields.get('unit')}  {fields.get('site')}"
    match record.event:
        case "rebooting":
            return f"{where}: rebooted"
        case "resubmitted":
            return f"{where}: partners submitted again"
        case _:
            return f"{where}: {fields.get('what')} was {_value(fields.get('before'))}"


def _value(before: object) -> str:
    if isinstance(before, list):
        return ", ".join(map(str, before)) or "empty"
    if isinstance(before, dict) and "mode" in before:
        partner, port = (before.get(key) or "unset" for key in ("partner", "health_check_port"))
        return f"mode {before['mode']}, partner {partner}, health check port {port}"
    if isinstance(before, dict):
        return f"'{before.get('name')}' ({before.get('address')}) of type {before.get('type')}"
    return "not there"
