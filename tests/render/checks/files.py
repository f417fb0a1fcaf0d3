"""Checked files that every format has to render."""

from __future__ import annotations

from pathlib import Path

from geoplan.topology.checks import CheckedFile, check_files

FIVE_FAULTS = """\
name: five
sites:
  - name: A
    ha_pair: {master: 172.24.1.5, slave: 172.24.1.5}
  - name: a
    standalone: 172.24.1.999
  - name: "B, 100%: x"
    standalone: 172.24.1.7
    colour: red
    password: hunter2-hunter2
"""
PLACES = [(4, 42, "GEO206"), (5, 11, "GEO305"), (6, 17, "GEO201"), (9, 5, "GEO102"), (10, 5, "GEO105")]

HOSTILE = (
    'name: "\\e]0;x\\a"\n'
    "sites:\n"
    '  - name: "A\\r\\n::add-mask::x\\u2028\\u202e\\ufffe]]>"\n'
    "    standalone: 172.24.1.5\n"
    '    "%0A::error::x, y:z\\x1b[31m": 1\n'
    "    api: https://admin:hunter2-hunter2@172.24.1.5\n"
)
"""What a file of a stranger's pull request may hold."""


def five_faults(folder: Path) -> list[CheckedFile]:
    return _checked(folder / "five.yaml", FIVE_FAULTS)


def hostile(folder: Path) -> list[CheckedFile]:
    return _checked(folder / "50%, a:b\x1b\n::error::.yaml", HOSTILE)


def _checked(path: Path, text: str) -> list[CheckedFile]:
    path.write_text(text)
    return check_files([str(path), str(path.with_name("nowhere.yaml"))])
