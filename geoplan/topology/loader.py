"""A topology file to a :class:`Topology`; every fault in it at once, each with its place."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from geoplan.diagnostics import MAX_SHOWN, Diagnostic, Severity, ShownLine, without_secrets
from geoplan.errors import InvalidInputError
from geoplan.files import display_name, read_bounded
from geoplan.topology.codes import CODES
from geoplan.topology.finding import Finding
from geoplan.topology.model import Topology
from geoplan.topology.partial import partial_topology
from geoplan.topology.rules import broken_rules
from geoplan.vendor import MAX_NAME_LENGTH
from geoplan.wording import is_control
from geoplan.yaml12 import MAX_BYTES, Document, Place, YamlFault, read_document

if TYPE_CHECKING:
    from os import PathLike

TOP = Place(0, 0, 0, 0)


class CheckedTopology(NamedTuple):
    """What a file gives: its topology, unless an error stands among the diagnostics."""

    topology: Topology | None
    diagnostics: tuple[Diagnostic, ...]


def load_topology(path: str | PathLike[str]) -> Topology:
    """Read a topology file; ``-`` is standard input.

    Raises :class:`geoplan.InvalidInputError` with every fault of the file, or :class:`geoplan.UnusableFileError`
    where it cannot be read. Warnings do not stop it: :func:`check_topology` tells them.
    """
    checked = check_topology(path)
    if checked.topology is None:
        raise InvalidInputError(f"{display_name(path)} is not a usable topology", checked.diagnostics)
    return checked.topology


def check_topology(path: str | PathLike[str]) -> CheckedTopology:
    """Read a topology file and say everything that is wrong with it, warnings included; ``-`` is standard input."""
    name = display_name(path)
    return check_text(read_bounded(path, MAX_BYTES, is_stdin_allowed=True), path=name, default_name=Path(name).stem)


def check_text(content: bytes, *, path: str, default_name: str) -> CheckedTopology:
    """Read the content of a topology file; ``path`` is what the diagnostics call it."""
    text, document = _read_text(content)
    topology, findings = _validate(document.value, default_name)
    if any(fault.code == "GEO006" for fault in document.faults):
        # What stands behind a doubled key was not read, so a site may be in the group that it names.
        findings = [(code, finding) for code, finding in findings if code != "GEO404"]
    show = _Presenter(path, text, document)
    diagnostics = dict([*map(show.fault, document.faults), *(show.finding(*finding) for finding in findings)])
    if any(shown.severity is Severity.ERROR for shown in diagnostics):
        topology = None
    elif topology:
        topology.mark_well_formed()
    in_file_order = sorted(diagnostics, key=lambda shown: (shown.line, shown.column, shown.code, shown.message))
    shown = [show.with_source(found, diagnostics[found]) for found in in_file_order[:MAX_SHOWN]]
    return CheckedTopology(topology, (*shown, *in_file_order[MAX_SHOWN:]))


def _read_text(content: bytes) -> tuple[str, Document]:
    """Return the text and what it says as YAML."""
    if len(content) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 2**20} MiB"
        return "", _refused(YamlFault("GEO001", message, "check that it is the right file", TOP))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = content.decode("utf-8-sig", errors="replace")
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        line, column = before.count("\n"), len(before.rpartition("\n")[2])
        place = Place(line, column, line, column + 1)
        return text, _refused(YamlFault("GEO002", "the file is not UTF-8 text", "save it in UTF-8", place))
    document = read_document(text)
    if document.value is None and not document.faults:
        hint = "begin with 'sites:' and a site under it"
        return text, _refused(YamlFault("GEO004", "the file is empty", hint, TOP))
    return text, document


def _refused(fault: YamlFault) -> Document:
    return Document(faults=[fault])


def _validate(value: object, default_name: str) -> tuple[Topology | None, list[tuple[str, Finding]]]:
    """Build the topology, and find what is wrong with its shape and which rules it breaks."""
    if value is None:
        return None, []
    if isinstance(value, dict) and "name" not in value:
        value = {"name": usable_name(default_name), **value}
    findings = list(broken_rules(partial_topology(value)))
    try:
        return Topology.model_validate(value), findings
    except ValidationError as error:
        from geoplan.topology.schema_errors import shape_findings  # noqa: PLC0415 - only a file with faults needs it

        return None, [*shape_findings(error, value), *findings]


def usable_name(stem: str) -> str:
    """Return a file's stem as a name that the rules for names allow."""
    visible = "".join(character for character in stem if not is_control(character)).strip()
    return visible[:MAX_NAME_LENGTH].strip() or "topology"


class _Presenter:
    """Turns what was found into diagnostics, each with its place, and adds the line of the file that they stand in."""

    def __init__(self, path: str, text: str, document: Document) -> None:
        self._path = path
        self._text = text
        self._document = document
        self._shown: dict[int, ShownLine] = {}

    @cached_property
    def _lines(self) -> list[str]:
        return self._text.splitlines()

    def fault(self, fault: YamlFault) -> tuple[Diagnostic, Place]:
        """Show a fault of the YAML."""
        return self._diagnostic(fault.code, Finding((), fault.message, fault.hint), fault.place)

    def finding(self, code: str, finding: Finding) -> tuple[Diagnostic, Place]:
        """Show a fault of the topology."""
        find = self._document.place_of_key if finding.at_key else self._document.place_of
        return self._diagnostic(code, finding, find(finding.loc))

    def with_source(self, found: Diagnostic, place: Place) -> Diagnostic:
        """Add the line, or what stands around the fault in a very long one."""
        line = self._lines[place.line] if place.line < len(self._lines) else ""
        if place.line not in self._shown:
            self._shown[place.line] = ShownLine(line)
        end = place.end_column if place.end_line == place.line else len(line)
        source, caret, width = self._shown[place.line].around(min(place.column, len(line)), min(end, len(line)))
        return found._replace(source=source, caret=caret, width=width)

    def _diagnostic(self, code: str, finding: Finding, place: Place) -> tuple[Diagnostic, Place]:
        is_in_one_line = place.end_line == place.line and place.end_column > place.column
        diagnostic = Diagnostic(
            path=self._path,
            code=code,
            severity=CODES[code].severity,
            message=without_secrets(finding.message),
            hint=without_secrets(finding.hint),
            where=ShownLine(finding.where).masked,
            line=place.line + 1,
            column=place.column + 1,
            loc=finding.loc,
            end_column=place.end_column + 1 if is_in_one_line else None,
        )
        return diagnostic, place
