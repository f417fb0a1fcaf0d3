"""No spelling of a secret that a unit echoes is shown, in whole or in part, and nothing else is masked."""

from __future__ import annotations

import base64
import html
import json
import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geoplan.loadmaster import ApiKey, LoadMaster, Secret, UserPassword
from geoplan.loadmaster.credentials import MASK, basic_authorization
from geoplan.loadmaster.masking import LONGEST_MASKED, SecretMask
from geoplan.loadmaster.wire import MAX_TEXT, Answer
from tests.loadmaster.support import access, ok, refused, run

TRICKY = 'Pä"ss\\w0rd&<x>'

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON, each character": lambda text: "".join(
        f"\\u{unit:04X}" for unit in memoryview(text.encode("utf-16-le")).cast("H")
    ),
    "JSON, slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON in HTML": lambda text: html.escape(json.dumps(text)[1:-1]),
    "HTML": html.escape,
    "HTML, without its ends": lambda text: html.escape(text).replace(";", ""),
    "HTML in HTML": lambda text: html.escape(html.escape(text)),
    "XML": escape,
    "decimal": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "hexadecimal": lambda text: "".join(f"&#x{ord(character):X};" for character in text),
    "not ASCII as references": lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
    "URL": lambda text: quote(text, safe=""),
    "URL, small letters": lambda text: quote(text, safe="").lower(),
    "form": quote_plus,
    "URL in URL": lambda text: quote(quote(text, safe=""), safe=""),
    "URL, each byte": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 of the login": lambda text: base64.b64encode(f"bal:{text}".encode()).decode().rstrip("="),
    "base64 in lines": lambda text: "\n".join(base64.b64encode(text.encode()).decode().rstrip("=")),
    "UTF-8 taken for Latin-1": lambda text: text.encode().decode("latin-1"),
    "no blanks": lambda text: "".join(text.split()),
    "other blanks": lambda text: " \t\n".join(text.split()),
    "underscores": lambda text: "_".join(text.split()),
    "capitals": lambda text: "".join(c.upper() if c.isascii() else c for c in text),
}

# What remains of some spellings on either side of the secret tells nothing of it.
SECRETS = st.text(
    st.sampled_from("abcXYZ0189")
    | st.sampled_from("\"'\\&<>%+/=_?;#:@ !")
    | st.characters(codec="utf-8", exclude_categories=["Cc"]),
    min_size=8,
    max_size=40,
).filter(lambda text: len("".join(text.split())) >= 6)


def mask_of(secret: str) -> SecretMask:
    return SecretMask(UserPassword("bal", Secret(secret)))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "secret", [TRICKY, "correct horse battery", "пароль от всего", "100%25 &amp; \\u0041", "a/b+c_d?e=f"]
)
def test_every_spelling_is_masked_in_a_sentence_and_nothing_else(secret: str, spelling: str) -> None:
    echo = SPELLINGS[spelling](secret)
    masked = mask_of(secret).sentence(f"<no> [{echo}] 7.2.59 &amp; so")
    assert masked.replace("+", "") == f"<no> [{MASK}] 7.2.59 &amp; so"  # a + of base64 may be left over at its end


@example("0000000;", "HTML, without its ends")
@example("0000000&", "HTML")
@example("0000000&", "HTML in HTML")
@example("0000000%", "URL in URL")
@example("0000000&am", "HTML, without its ends")
@example("00000000'0", "HTML, without its ends")
@example("00000000\\", "JSON in JSON")
@given(SECRETS, st.sampled_from(sorted(set(SPELLINGS) - {"no blanks", "other blanks", "underscores"})))
def test_a_secret_of_any_characters_is_masked_in_any_spelling(secret: str, spelling: str) -> None:
    if spelling == "capitals":
        secret = secret.lower()
    echo = SPELLINGS[spelling](secret)
    masked = mask_of(secret).sentence(f"before | {echo} | after")
    assert masked.startswith("before |")
    assert masked.endswith("| after")
    assert MASK in masked
    between = masked.removeprefix("before |").removesuffix("| after").replace(MASK, "")
    assert len("".join(between.split())) < 4, between


@pytest.mark.parametrize("secret", [TRICKY, "correct horse battery", "an-api-key-of-one-piece"])
def test_an_api_key_is_masked_as_a_password_is(secret: str) -> None:
    mask = SecretMask(ApiKey(Secret(secret)))
    assert mask.sentence(f"key {json.dumps(secret)}") == f'key "{MASK}"'


@pytest.mark.parametrize("length", [4, 5, 7, 8, 9, 10, 11, 12, 13])  # after 6 there is a backslash, which tells nothing
@pytest.mark.parametrize("ending", ["", "'", "...", "…"])
def test_the_beginning_of_a_secret_is_masked_where_the_unit_cut_it(length: int, ending: str) -> None:
    assert mask_of(TRICKY).sentence(f"bad password {TRICKY[:length]}{ending}") == f"bad password {MASK}{ending}"


def test_so_much_of_a_secret_that_it_can_be_nothing_else_is_masked_anywhere() -> None:
    assert mask_of("correct horse battery").sentence("cut to 'correct hor' by me") == f"cut to '{MASK}' by me"
    assert mask_of("correct horse battery").sentence("cut to 'correc' by me") == "cut to 'correc' by me"


def test_content_is_masked_wherever_it_is_text_or_a_number() -> None:
    answer = Answer(200, "", {"a": ["x", {"b": f"<{TRICKY}>"}], "n": 5, "yes": True, "nothing": None})
    assert mask_of(TRICKY).answer(answer).content == {
        "a": ["x", {"b": f"<{MASK}>"}], "n": 5, "yes": True, "nothing": None,
    }  # fmt: skip
    assert mask_of("12345678").answer(Answer(200, "", {"n": 12345678, "f": 12345678.5})).content == {
        "n": MASK,
        "f": MASK,
    }


def test_a_short_secret_leaves_the_numbers_and_names_of_a_unit_alone() -> None:
    answer = Answer(200, "not 443", {"port": "443", "geoclients": "10.4.43.1 10.1.443"})
    masked = mask_of("443").answer(answer)
    assert masked.content == answer.content
    assert masked.message == f"not {MASK}"


def test_names_that_begin_like_a_secret_stay() -> None:
    answer = Answer(200, "", {"name": "Dublin-LM"})
    assert mask_of("Dublin-LM-2024!").answer(answer) == answer


def test_a_message_is_masked_before_it_is_cut() -> None:
    for spelling in SPELLINGS.values():
        echo = spelling(TRICKY)
        for before in range(MAX_TEXT - len(echo) - 2, MAX_TEXT):
            message = mask_of(TRICKY).answer(Answer(400, "." * before + echo)).message
            assert set(message) <= set(".*+ ")  # two characters of base64 at most


@pytest.mark.parametrize("codec", ["utf-8", "iso-8859-1"])
def test_an_answer_is_masked_before_it_is_read(codec: str) -> None:
    body = f'<Error>wrong: {TRICKY}</Error> "{TRICKY}'.encode(codec)
    assert mask_of(TRICKY).raw(body) == f'<Error>wrong: {MASK}</Error> "{MASK}'.encode()


def test_an_answer_stays_as_it_came_where_no_secret_is_in_it() -> None:
    body = bytes(range(256)) * 3
    assert mask_of(TRICKY).raw(body) is body
    assert mask_of("Response").raw(b"<Response>") == b"<Response>"


def test_of_a_huge_text_with_a_secret_in_it_nothing_is_shown() -> None:
    assert mask_of(TRICKY).raw(b"x" * LONGEST_MASKED + html.escape(TRICKY).encode()) == MASK.encode()


def test_a_mask_shows_nothing() -> None:
    assert repr(mask_of(TRICKY)) == MASK
    assert mask_of("").sentence("text") == "text"


LISTS = {
    "clusters": lambda echo: ok(cluster=[{"IPAddress": "10.0.0.1", "Name": echo, "Type": "default", "Status": echo}]),
    "fqdns": lambda echo: ok(fqdn=[{"FullyQualifiedDomainName": f"{echo}.example.org"}]),
    "geo_partners": lambda echo: ok(geopartners=echo),
    "firmware": lambda echo: ok(version=echo),
    "boot_time": lambda echo: ok(boottime=echo),
    "ha_parameters": lambda echo: ok(Partner=echo, HaMode=echo),
    "partner_status": lambda echo: ok(partner=[{"ip": "10.0.0.1", "status": echo}, echo]),
    "geo_enabled": lambda echo: refused(f"who is {echo}"),
}


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_is_read_of_a_unit_holds_no_secret(what: str, spelling: str) -> None:
    secret = 'P"ss/w0rd&<x> of ours'  # noqa: S105
    echo = SPELLINGS[spelling](secret)

    async def act() -> object:
        connection = access(credentials=UserPassword("bal", Secret(secret)))
        transport = httpx.MockTransport(
            lambda http: (
                LISTS["firmware"]("7.2.59.4")
                if b'"version"' in http.content and what != "firmware"
                else LISTS[what](echo)
            )
        )
        async with LoadMaster(connection, transport=transport) as unit:
            try:
                return await getattr(unit, what)()
            except Exception as error:
                return (str(error), repr(error), getattr(error, "answer", ""), traceback.format_exception(error))

    read = repr(run(act()))
    assert echo not in read
    assert repr(echo)[1:-1] not in read
    assert "w0rd" not in read


UMLAUT = 'Pässw0rd"geheim'
OTHER_ECHOES: dict[str, Callable[[str], str]] = {
    "base64 of the request": lambda text: base64.b64encode(json.dumps({"apipass": text}).encode()).decode(),
    "its end alone": lambda text: f"…{text[3:]}",
    "its end in JSON": lambda text: json.dumps(text)[6:],
    "octal": lambda text: "".join(f"\\{ord(c):03o}" if c.isascii() else c for c in text),
    "braces": lambda text: "".join(f"\\u{{{ord(c):x}}}" for c in text),
    "eight digits": lambda text: "".join(f"\\U{ord(c):08x}" for c in text),
    "hexadecimal bytes": lambda text: text.encode().hex(),
}


@pytest.mark.parametrize("echo", OTHER_ECHOES)
@pytest.mark.parametrize("secret", [UMLAUT, "correct horse battery"])
def test_what_an_echo_leaves_of_a_secret_is_masked(echo: str, secret: str) -> None:
    said = mask_of(secret).sentence(f"you sent {OTHER_ECHOES[echo](secret)} to us")
    assert MASK in said
    assert not [part for part in (secret[3:11], secret[-6:]) if part in said]
    encoded = base64.b64encode(json.dumps(secret).encode()).decode()[4:16]
    assert encoded not in said
    assert secret.encode().hex()[:12] not in said


def test_a_header_of_bytes_beyond_utf_8_is_masked_as_it_is_sent() -> None:
    credentials = UserPassword("bal", Secret("sec\udcffret12345"))
    shown = SecretMask(credentials).sentence(f"got {basic_authorization(credentials)}")
    assert shown.rstrip("=") == f"got Basic {MASK}"


def test_a_key_of_an_answer_is_masked() -> None:
    answer = Answer(200, "", {"correct horse battery": 1, "a": {"correct horse battery": [1]}})
    assert mask_of("correct horse battery").answer(answer).content == {MASK: 1, "a": {MASK: [1]}}
