"""What a unit says, without the secret that it was sent, however the unit spells it.

A unit can echo a request: as it came, with the escapes of JSON, XML, HTML or a URL, in base64, with its blanks
rewritten, or cut. So secret and text are compared by what all spellings have in common: escapes are resolved until
none is left, and what is rewritten on the way (blanks, backslashes, letters that are not ASCII) is left out.
"""

from __future__ import annotations

import base64
import html
import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, AnyStr, NamedTuple
from urllib.parse import quote

from geoplan.loadmaster.credentials import MASK, ApiKey, Secret, secrets_in_use
from geoplan.loadmaster.wire import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geoplan.loadmaster.credentials import Credentials
    from geoplan.loadmaster.wire import Answer, Node

SHORTEST_IN_CONTENT = 6
"""Characters. A shorter secret is part of too many names and numbers: it is masked in sentences alone."""
SURELY_ECHOED = 8
"""Characters of a secret that are an echo of it wherever they stand in a sentence, whatever follows."""
CUT_AT_END = 4
"""Characters of a secret that are an echo of it where a sentence ends with them."""
LONGEST_MASKED = 256 * 1024
"""Characters. Of a longer text that holds a secret nothing is shown."""
LEVELS, LEVELS_OF_LONG = 6, 1
"""How often an escape may have been escaped again; in a long text, of which nothing is shown, each costs seconds."""

_ESCAPE = re.compile(
    r"\\++(?:u\{(?P<braced>[0-9a-fA-F]{1,6})\}|U(?P<long>000[0-9a-fA-F]{5})|[uU](?P<json>[0-9a-fA-F]{4})"
    r"|x(?P<byte>[0-9a-fA-F]{2})|(?P<octal>[0-3][0-7]{2}))?"
    r"|&(?P<entity>\#[0-9]{1,9}|\#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,30});?"
    r"|%(?:u(?P<wide>[0-9a-fA-F]{4})|(?P<octet>[0-9a-fA-F]{2}))"
)
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")
_REWRITTEN = bytes([*range(0x21), 0x7F, *b"\\_+?"])
_ENDS = b"'\")>]}.,:;=-"  # what may close a sentence behind a secret that was cut


class SecretMask:
    """Masks one secret in what a unit says; nothing of it ever shows."""

    __slots__ = (
        "_begun",
        "_cut_in_value",
        "_forms",
        "_is_in_content",
        "_is_never_torn",
        "_literal",
        "_of_ascii",
        "_parts",
        "_plain",
        "_shortest",
    )

    def __init__(self, credentials: Credentials) -> None:
        secret = _secret_of(credentials).reveal()
        self._of_ascii = len(_common(secret, of_ascii=True)) >= SHORTEST_IN_CONTENT
        """Whether its ASCII characters suffice to tell it: whatever becomes of the others."""
        self._plain = _common(secret, of_ascii=self._of_ascii)
        """What all its spellings have in common."""
        self._is_in_content = len(secret) >= SHORTEST_IN_CONTENT
        self._is_never_torn = secret.isascii() and secret.isalnum()
        as_json, as_latin_1 = json.dumps(secret)[1:-1], secret.encode(errors="surrogatepass").decode("latin-1")
        written = {secret, as_json, as_latin_1, quote(secret, safe="", errors="replace")} - {""}
        if self._is_in_content:
            escaped = {form for form in written if len(form) >= SHORTEST_IN_CONTENT}
            written.update(part for form in escaped for part in _in_base64(credentials, form))
            written.update(encoded.hex() for encoded in (secret.encode(errors="surrogateescape"),))
        if len(bare := secret.replace(";", "")) >= SHORTEST_IN_CONTENT:  # entities without their ends
            written.update((bare, html.escape(secret).replace(";", "")))
        self._literal = sorted(written, key=len, reverse=True)
        self._begun = max(3, len(_common(secret[:CUT_AT_END], of_ascii=self._of_ascii)))
        surely = max(SHORTEST_IN_CONTENT, len(_common(secret[:SURELY_ECHOED], of_ascii=self._of_ascii)))
        starts = range(len(self._plain) - surely + 1) if len(self._plain) > surely else ()
        self._parts = [_Form(part) for part in dict.fromkeys(self._plain[start : start + surely] for start in starts)]
        """Any part so long is an echo in a sentence, wherever the unit cut it."""
        enough = min(CUT_AT_END, len(secret))
        forms = [_Form.of(form, of_ascii=self._of_ascii) for form in self._literal]
        self._forms = [form for form in forms if len(form.common) >= enough]
        sizes = (*map(len, self._literal), *(len(form.common) for form in self._forms))
        self._shortest = min(sizes, default=0)
        """Characters. What is shorter holds no spelling, but for entities: of all escapes they alone can grow."""
        self._cut_in_value = max(SURELY_ECHOED, -(-2 * len(self._plain) // 3))

    def __repr__(self) -> str:
        return MASK

    def sentence(self, text: str) -> str:
        """Return what a unit says in words without the secret, and without what a cut has left of it."""
        return self._masked(text, anywhere=True, at_end=self._begun)

    def raw(self, body: bytes) -> bytes:
        """Return an answer as it came without a secret that a parser could tear apart."""
        if self._is_never_torn or not self._is_in_content:
            return body
        text = body.decode("latin-1")  # every byte is a character, and comes back as it was
        masked = self._masked(text)
        return body if masked == text else masked.encode("latin-1")

    def answer(self, answer: Answer) -> Answer:
        """Return an answer that can be shown: its message is short and in one line."""
        message = clean(self.sentence(answer.message))
        if not self._is_in_content:
            return replace(answer, message=message)
        content = {self._masked(name): self._node(value) for name, value in answer.content.items()}
        return replace(answer, message=message, content=content)

    def _node(self, node: Node) -> Node:
        match node:
            case dict():
                return {self._masked(name): self._node(value) for name, value in node.items()}
            case list():
                return [self._node(value) for value in node]
            case str():
                return self._masked(node, at_end=self._cut_in_value)
            case int() | float() if not isinstance(node, bool):
                return node if self._masked(text := repr(node)) == text else MASK
            case _:
                return node

    def _masked(self, text: str, *, anywhere: bool = False, at_end: int | None = None) -> str:
        """Return a text without the secret, parts of it anywhere, or its first so many characters at the end."""
        shortest = at_end if at_end and at_end < self._shortest else self._shortest
        if len(text) < shortest and text.isascii() and "&" not in text:
            return text  # a part is longer than what is cut at the end
        parts = self._parts if anywhere else []
        if not any(form in text for form in self._literal):
            common = _common(text, of_ascii=self._of_ascii)
            is_cut = bool(at_end and self._cut_at_end(common, at_end))
            if not is_cut and not any(form.common in common for form in (*self._forms, *parts)):
                return text
        return self._without_echo(text, parts, at_end) if len(text) <= LONGEST_MASKED else MASK

    def _without_echo(self, text: str, parts: list[_Form], at_end: int | None) -> str:
        """Return a text without what of it stands for the secret."""
        resolved = _Resolved(text, of_ascii=self._of_ascii)
        common = resolved.common
        found = [(*span, form) for form in self._forms for span in _spans(form.common, common)]
        found += [(*span, form) for form in parts for span in _spans(form.common, common)]
        if at_end and (cut := self._cut_at_end(common, at_end)):
            found.append((*cut, _Form(b"")))
        # A literal alone could be the beginning of what an escape has made of the secret.
        spans = [span for form in self._literal for span in _spans(form, text)]
        spans += [resolved.span_in_text(*echo) for echo in found]
        masked: list[str] = []
        shown = 0
        for start, end in sorted(spans):
            masked += [text[shown:start], MASK] if start >= shown else []
            shown = max(shown, end)
        return "".join([*masked, text[shown:]])

    def _cut_at_end(self, common: bytes, needed: int) -> tuple[int, int] | None:
        """Return where a text ends with the beginning of the secret, if that has as many characters as needed."""
        for end in dict.fromkeys((len(common), len(common.rstrip(_ENDS)))):
            for length in range(min(end, len(self._plain) - 1), needed - 1, -1):
                if common[end - length : end] == self._plain[:length]:
                    return end - length, end
        return None


class Masks:
    """Masks what a unit is logged in to with, and every further secret that it was sent, in all that it says."""

    __slots__ = ("_masks",)

    def __init__(self, credentials: Credentials) -> None:
        self._masks = {_secret_of(credentials): SecretMask(credentials)}

    def learn(self, secrets: Iterable[Secret]) -> None:
        """Mask these as well from now on: a unit may echo what it was sent in any later answer."""
        for secret in secrets:
            if secret not in self._masks:
                self._masks[secret] = SecretMask(ApiKey(secret))

    def raw(self, body: bytes) -> bytes:
        """Return an answer as it came without a secret that a parser could tear apart."""
        for mask in self._masks.values():
            body = mask.raw(body)
        return body

    def answer(self, answer: Answer) -> Answer:
        """Return an answer that can be shown: its message is short and in one line."""
        for mask in self._masks.values():
            answer = mask.answer(answer)
        return answer


def _secret_of(credentials: Credentials) -> Secret:
    return credentials.key if isinstance(credentials, ApiKey) else credentials.password


def hide_all_secrets(text: str, others: Iterable[str] = ()) -> str:
    """Return a text without any secret that this process holds, and without those of ``others``."""
    for plain in sorted(secrets_in_use() | set(others), key=len, reverse=True):
        if plain:
            for form in (plain, repr(plain)[1:-1], ascii(plain)[1:-1]):
                text = text.replace(form, MASK)
            text = "\n".join(map(SecretMask(ApiKey(Secret(plain))).sentence, text.split("\n")))
    return re.sub(r"\b(Basic|Bearer) [A-Za-z0-9+/=_.-]+", rf"\1 {MASK}", text)


class _Form(NamedTuple):
    """One spelling of the secret: what it has in common with the others, and how much is left out at its ends."""

    common: bytes
    before: int = 0
    after: int = 0

    @classmethod
    def of(cls, text: str, *, of_ascii: bool) -> _Form:
        """Return what is known of a spelling."""
        kept = [place for place in _places(text) if _encoded(place.character, of_ascii=of_ascii)]
        if not kept:
            return cls(b"")
        before, after = text[: kept[0].start], text[kept[-1].end :]
        sizes = (len(part.encode(errors="surrogatepass")) for part in (before, after))
        return cls(_common(text, of_ascii=of_ascii), *sizes)


class _Resolved:
    """A text without escapes, and where in the text each part of it comes from."""

    def __init__(self, text: str, *, of_ascii: bool) -> None:
        self._end = len(text)
        self._places = _places(text)
        encoded = [_encoded(place.character, of_ascii=of_ascii) for place in self._places]
        self.common = b"".join(encoded)
        self._owners = [index for index, part in enumerate(encoded) for _ in part]

    def span_in_text(self, start: int, end: int, form: _Form) -> tuple[int, int]:
        """Return the place in the text of a part of what it has in common, with what is left out at its ends."""
        first, last = self._owners[start], self._owners[end - 1]
        lowest = self._owners[start - 1] + 1 if start else 0
        highest = self._owners[end] if end < len(self._owners) else len(self._places)
        before, after = max(lowest, first - form.before), min(highest, last + 1 + form.after)
        if form.before and before == lowest:
            begin = self._places[lowest - 1].end if lowest else 0
        else:
            begin = self._places[before].start
        if form.after and after == highest:
            finish = self._places[highest].start if highest < len(self._places) else self._end
        else:
            finish = self._places[after - 1].end
        return begin, finish


class _Place(NamedTuple):
    """A character once no escape is left, and where in a text it comes from."""

    character: str
    start: int
    end: int


def _common(text: str, *, of_ascii: bool) -> bytes:
    """Return what all spellings of a text have in common."""
    for _ in range(LEVELS if len(text) <= LONGEST_MASKED else LEVELS_OF_LONG):
        resolved = _ESCAPE.sub(_resolved, text) if "\\" in text or "&" in text or "%" in text else text
        if resolved == text:
            break
        text = resolved
    return _encoded(text, of_ascii=of_ascii)


def _places(text: str) -> list[_Place]:
    """Return the characters of a text once no escape is left."""
    places = [_Place(character, index, index + 1) for index, character in enumerate(text)]
    for _ in range(LEVELS):
        joined = "".join(place.character for place in places)
        resolved: list[_Place] = []
        done = 0
        for escape in _ESCAPE.finditer(joined):
            start, end = places[escape.start()].start, places[escape.end() - 1].end
            resolved += places[done : escape.start()]
            resolved += [_Place(character, start, end) for character in _resolved(escape)]
            done = escape.end()
        if not done:
            break
        places = [*resolved, *places[done:]]
    return places


def _encoded(text: str, *, of_ascii: bool) -> bytes:
    """Return a text as bytes, without what units rewrite; capitals do not count."""
    if of_ascii:
        encoded = text.encode("ascii", "ignore")
    else:  # JSON writes what lies beyond 16 bits as two halves
        encoded = _BEYOND_16_BITS.sub(_halves, text).encode(errors="surrogatepass")
    return encoded.translate(None, _REWRITTEN).lower()


def _halves(found: re.Match[str]) -> str:
    high, low = divmod(ord(found[0]) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def _resolved(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for; backslashes alone stand for what follows them."""
    code = escape["json"] or escape["wide"] or escape["byte"] or escape["octet"] or escape["braced"] or escape["long"]
    if code:
        return chr(min(int(code, 16), sys.maxunicode))
    if escape["octal"]:
        return chr(int(escape["octal"], 8))
    return html.unescape(escape[0]) if escape["entity"] else ""


def _spans(part: AnyStr, whole: AnyStr) -> Iterator[tuple[int, int]]:
    """Yield where a text has a part, also where one begins before another has ended."""
    start = whole.find(part)
    while start >= 0:
        yield start, start + len(part)
        start = whole.find(part, start + 1)


def _in_base64(credentials: Credentials, secret: str) -> Iterator[str]:
    """Yield a secret in base64, and what of it is the same whatever stands around it."""
    content = secret.encode(errors="surrogateescape")  # as it is sent
    around = [b"\0" * before + content for before in range(3)]
    user = None if isinstance(credentials, ApiKey) else credentials.user.encode(errors="surrogateescape")
    login = [] if user is None else [user + b":" + content]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield from (encode(whole).decode().rstrip("=") for whole in (content, *login))
        for before, padded in enumerate(around):
            yield encode(padded).decode()[(before * 8 + 5) // 6 : len(padded) * 8 // 6]
