"""JUnit XML is read by CI systems: errors fail, warnings do not, and the counts are those of what it holds."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from geoplan.diagnostics import MAX_SHOWN
from geoplan.render.checks import junit
from geoplan.topology.checks import CheckedFile, check_files
from geoplan.wording import is_control
from tests.conftest import ROOT, TOPOLOGIES
from tests.render.checks.files import PLACES, five_faults, hostile

WARNED = str(ROOT / "tests" / "topology" / "malformed" / "warning-firmware-differs.yaml")


def read(files: list[CheckedFile]) -> Element:
    root: Element = ElementTree.fromstring(junit.render(files).encode())
    for counting in (root, *root):
        cases = list(counting.iter("testcase"))
        assert counting.get("tests") == str(len(cases))
        assert counting.get("failures") == str(len(list(counting.iter("failure"))))
        assert counting.get("errors") == str(len(list(counting.iter("error"))))
    return root


def test_five_faults_fail_at_their_lines(tmp_path: Path) -> None:
    files = five_faults(tmp_path)
    suite, _ = read(files)

    cases = suite.findall("testcase")
    assert suite.get("name") == files[0].path
    assert [(case.get("line"), case.find("failure").get("type")) for case in cases] == [  # type: ignore[union-attr]
        (str(line), code) for line, _, code in PLACES
    ]
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(PLACES)


def test_a_file_that_cannot_be_read_is_an_error_and_no_failure(tmp_path: Path) -> None:
    _, suite = read(five_faults(tmp_path))

    (case,) = suite
    (error,) = case
    assert (error.tag, error.get("type")) == ("error", "unreadable")
    assert "No such file or directory" in str(error.text)


def test_good_file_is_one_test_that_passes() -> None:
    (suite,) = read(check_files([str(TOPOLOGIES / "section-5.4.yaml")]))

    assert [(case.get("name"), list(case)) for case in suite] == [("no errors", [])]


def test_warnings_pass_and_are_told() -> None:
    (suite,) = read(check_files([WARNED]))

    assert suite.get("failures") == "0"
    assert "warning: GEO" in str(suite.findtext("testcase/system-out"))


def test_nothing_steers_and_no_secret_gets_through(tmp_path: Path) -> None:
    root = read(hostile(tmp_path))

    told = [text for each in root.iter() for text in (*each.attrib.values(), each.text or "")]
    assert not [text for text in told if any(map(is_control, text.replace("\n", "")))]
    assert "hunter2" not in "".join(told)


def test_what_is_not_shown_fails_too(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    path.write_text("sites:\n" + "  - {}\n" * (MAX_SHOWN + 100))

    (suite,) = read(check_files([str(path)]))

    assert suite.get("failures") == str(MAX_SHOWN + 1)
