"""What a comparison of live units with the plan says: as text, as Markdown, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from shlex import quote
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.push.verify import Report, SiteReport

PUSH = "geoplan push TOPOLOGY"


def as_text(report: Report, push: str = PUSH) -> str:
    """Return a block for each site that differs, and a line that counts; ``push`` is the command that pushes."""
    lines: list[str] = []
    for site in report.sites:
        if site.differences or site.notes:
            lines.append(f"{site.site}{_on(site)}")
            lines += [f"  {difference.kind}: {difference.message}" for difference in site.differences]
            lines += [f"  note: {note.message}" for note in site.notes]
    if lines:
        lines.append("")
    return "\n".join([*lines, summary(report), *_finishing(report, push)]) + "\n"


def as_markdown(report: Report, push: str = PUSH) -> str:
    """Return a table with a row for each difference, for a ticket or a merge request; ``push`` as in the text."""
    lines = [f"# {_cell(report.topology)}: live units against the plan", "", summary(report), ""]
    if report.differences:
        lines += ["| site | unit | kind | what |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(found.site)} | {found.unit or ''} | {found.kind} | {_cell(found.message)} |"
            for found in report.differences
        ]
        lines.append("")
    lines += [f"- {_cell(note.site)}: {_cell(note.message)}" for note in report.notes]
    return "\n".join([*lines, *_as_code(_finishing(report, push))]).rstrip() + "\n"


def as_json(report: Report) -> str:
    """Return everything, for programs."""
    content = {
        "format": "geoplan/diff/1",
        "topology": report.topology,
        "checksum": report.checksum,
        "in_place": report.is_in_place,
        "sites": [asdict(site) for site in report.sites],
        "pairs_to_finish": list(report.pairs_to_finish),
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def summary(report: Report) -> str:
    """Say in one line how many sites differ."""
    differing = sum(bool(site.differences) for site in report.sites)
    total = len(report.sites)
    if not differing:
        return f"{report.topology}: all {total} sites are as planned" if total > 1 else f"{report.topology}: as planned"
    count = len(report.differences)
    return f"{report.topology}: {differing} of {total} sites differ from the plan, {count} difference{'s'[: count > 1]}"


def _finishing(report: Report, push: str) -> list[str]:
    """Name the command that would finish pairs; it reboots production, so it is never run on its own."""
    if not report.pairs_to_finish:
        return []
    options = " ".join(f"--reboot {quote('always=' + pair)}" for pair in report.pairs_to_finish)
    named = ", ".join(f"'{pair}'" for pair in report.pairs_to_finish)
    whose = "its master" if len(report.pairs_to_finish) == 1 else "their masters"
    return [f"to finish {named} (it reboots {whose}):", f"  {push} {options}"]


def _as_code(lines: list[str]) -> list[str]:
    """Return a sentence and a command as Markdown wants them."""
    return ["", _cell(lines[0]), "", f"    {lines[1].strip()}"] if lines else []


def _on(site: SiteReport) -> str:
    return f" (on {site.unit})" if site.unit else ""


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
