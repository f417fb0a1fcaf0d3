"""Stands in for geoplan on a host: it notes how it was called, and tells what a test wants it to tell.

Its folder has ``calls``, to which it adds a line of JSON for each call, and may have ``answers``: exit code, standard
output and standard error by group, and for ``--status`` those of ``GROUP --status``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def ancestors() -> list[str]:
    """Return the command lines of all processes above this one, up to the one that leads the session."""
    lines, process = [], os.getpid()
    while process > 1:
        lines.append(Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode())
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return lines


def main() -> int:
    arguments = sys.argv[1:]
    call = {"arguments": arguments, "stdin": sys.stdin.read(), "above": ancestors(), "environment": dict(os.environ)}
    with (HERE / "calls").open("a") as calls:
        calls.write(json.dumps(call) + "\n")
    group = arguments[arguments.index("--group") + 1] if "--group" in arguments else ""
    answers: dict[str, Any] = json.loads((HERE / "answers").read_text()) if (HERE / "answers").exists() else {}
    usual = '{"event": "ended", "message": "nothing to do", "exit_code": 0}'
    if "--status" in arguments:
        group, usual = f"{group} --status", '{"finished": true}'
    code, told, said = answers.get(group, [0, usual, ""])
    sys.stdout.write(told)
    sys.stderr.write(said)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
