"""Sentences whose names, values and labels keep their kind, so that each format shows and escapes them its own way."""

from __future__ import annotations

from geoplan.wording import count


class Span(str):
    """A piece of a sentence that is more than words; its text is never escaped yet."""

    __slots__ = ()


class Name(Span):
    """What the topology calls something: it can hold any character."""

    __slots__ = ()


class Value(Span):
    """What is typed, pasted or read off, to the letter."""

    __slots__ = ()


class Pasted(Value):
    """A value that is worth a copy button."""

    __slots__ = ()


class Label(Span):
    """What the web interface has printed on it."""

    __slots__ = ()


class Url(Span):
    """An address to open in a browser."""

    __slots__ = ()


class StepNumber(Span):
    """A step, by its number."""

    __slots__ = ()


class Prose(tuple[str, ...]):
    """A sentence or more: plain words and spans in their order."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return the words alone."""
        return "".join(f"step {part}" if isinstance(part, StepNumber) else part for part in self)


def duration(seconds: float) -> str:
    """Say a time in seconds the way people do: ``45 seconds``, ``26 minutes``, ``1 hour 5 minutes``."""
    whole = round(seconds)
    if whole == 0:  # a topology's timing may leave something out
        return "a moment"
    if whole < 60:  # noqa: PLR2004 - seconds of a minute
        return count(whole, "second")
    minutes, rest = divmod(whole, 60)
    if minutes < 5 and rest:  # noqa: PLR2004 - short enough for the seconds to matter
        return f"{count(minutes, 'minute')} {count(rest, 'second')}"
    hours, minutes = divmod(minutes + (1 if rest else 0), 60)
    parts = [count(hours, "hour")] if hours else []
    if minutes:
        parts.append(count(minutes, "minute"))
    return " ".join(parts)
