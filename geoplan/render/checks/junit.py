"""JUnit XML, as CI systems list tests: a suite for each file, and in it a test for each fault."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from geoplan.diagnostics import LONGEST_TEXT, MAX_SHOWN, Severity
from geoplan.wording import count, shorten, shown, shown_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geoplan.diagnostics import Diagnostic
    from geoplan.topology.checks import CheckedFile

_NOT_IN_XML = re.compile("[\ufffe\uffff]")  # beside control characters, which are shown as their codes


def render(files: Sequence[CheckedFile]) -> str:
    """Return the report: errors fail, warnings pass and are told, and a file without either is one test that passes."""
    root = ElementTree.Element("testsuites", name="geoplan check")
    for file in files:
        _add_suite(root, file)
    for counted in ("tests", "failures", "errors"):
        root.set(counted, str(sum(int(suite.get(counted, "0")) for suite in root)))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _add_suite(root: ElementTree.Element, file: CheckedFile) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=_line(file.path))
    if file.unreadable:
        case = _case(suite, file.path, "can be read")
        told = ElementTree.SubElement(case, "error", message=_line(str(file.unreadable)), type="unreadable")
        told.text = _lines(f"{file.unreadable}\n  hint: {file.unreadable.hint}")
    for found in file.diagnostics[:MAX_SHOWN]:
        _add_fault(suite, found)
    if (more := len(file.diagnostics) - MAX_SHOWN) > 0:
        case = _case(suite, file.path, "has no more faults than are shown")
        ElementTree.SubElement(case, "failure", message=f"and {count(more, 'more fault')}", type="not shown")
    if not len(suite):
        _case(suite, file.path, "no errors")
    suite.set("tests", str(len(suite)))
    for counted, kind in (("failures", "failure"), ("errors", "error")):
        suite.set(counted, str(len(suite.findall(f"testcase/{kind}"))))


def _add_fault(suite: ElementTree.Element, found: Diagnostic) -> None:
    place = f" at {found.line}:{found.column}" if found.line else ""
    message = shorten(found.message, LONGEST_TEXT)
    case = _case(suite, found.path, f"{found.code}{place} {shorten(found.message)}", line=found.line)
    if found.severity is Severity.ERROR:
        told = ElementTree.SubElement(case, "failure", message=_line(message), type=found.code)
    else:
        told = ElementTree.SubElement(case, "system-out")
    told.text = _lines(str(found))


def _case(suite: ElementTree.Element, path: str, name: str, *, line: int | None = None) -> ElementTree.Element:
    attributes = {"classname": _line(path), "name": _line(name), "file": _line(path)}
    return ElementTree.SubElement(suite, "testcase", attributes | ({"line": str(line)} if line else {}))


def _line(text: str) -> str:
    return _in_xml(shown(text))


def _lines(text: str) -> str:
    return _in_xml(shown_lines(text))


def _in_xml(text: str) -> str:
    return _NOT_IN_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
