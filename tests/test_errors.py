"""The errors that callers catch: the tree in the docstring is the tree of the classes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from geoplan import errors


def drawn() -> Iterator[tuple[str, str]]:
    """Yield each class of the drawing with the one that it stands under."""
    above: list[str] = []
    for line in str(errors.__doc__).splitlines():
        found = re.match(r"([│├└─ ]*)(\w+Error)\b", line)
        if found:
            depth = len(found[1]) // 4
            above[depth:] = [found[2]]
            yield found[2], above[depth - 1] if depth else "Exception"


def defined() -> dict[str, str]:
    classes = (each for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__)
    return {each.__name__: each.__base__.__name__ for each in classes if each.__base__}


def test_docstring_draws_the_classes() -> None:
    assert dict(drawn()) == defined()
    assert len(list(drawn())) == len(defined())


def test_drawing_names_the_exit_codes() -> None:
    codes = {name: getattr(errors, name).exit_code for name in defined()}
    others = {name: code for name, code in codes.items() if code != errors.GeoplanError.exit_code}

    assert others == {
        found[1]: int(found[2]) for found in re.finditer(r"(\w+Error).*\(exit code (\d)\)", str(errors.__doc__))
    }
    assert f"All others exit with {errors.GeoplanError.exit_code}." in str(errors.__doc__)
