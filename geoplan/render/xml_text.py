"""Text that XML can carry."""

from __future__ import annotations

import re

# What XML 1.0 leaves out, however it is escaped. A name may hold U+FFFE and U+FFFF, which are no control characters.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Replace the characters that no XML document may hold."""
    return _FORBIDDEN.sub("\ufffd", text)
