"""What hostile servers answer, a row each."""

from __future__ import annotations

import base64
import gzip
import html
import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from tests.hostile.servers import Answer, Talk

KIB, MIB = 2**10, 2**20


def http(body: bytes = b"", status: str = "200 OK", kind: str = "application/json", *more: str) -> bytes:
    """Return an answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


def told(content: Any, status: str = "200 OK") -> bytes:
    """Return JSON as an answer."""
    return http(json.dumps(content).encode(), status)


def then(*actions: Callable[[], None]) -> None:
    """Do one thing after the other."""
    for action in actions:
        action()


def says(*parts: bytes) -> Answer:
    return Answer(lambda talk: talk.send(*parts))


def endless(head: bytes, part: bytes) -> Answer:
    return Answer(lambda talk: talk.send_all_of(itertools.chain([head], itertools.repeat(part))))


def drips(part: bytes) -> Answer:
    return Answer(lambda talk: talk.drip(part))


def every_value(value: Any) -> Answer:
    """Answer whatever is asked for with one value, under every name by which it could be looked for."""

    def talk(talk: Talk) -> None:
        names = (talk.parameter or "x", "version", "geopartners", "geoclients", "cluster", "fqdn", "partner", "hamode")
        talk.send(told({"code": 200, "status": "ok", **dict.fromkeys(names, value)}))

    return Answer(talk)


def refuses_with(spell: Callable[[str], str], *, names: Callable[[str], str] | None = None) -> Answer:
    """Refuse with an echo of the secret, and put it under every name as well, as ``names`` spells it there."""

    def talk(talk: Talk) -> None:
        echo = spell(talk.secret)
        if talk.command.startswith(("list", "getgeo")):
            name = (names or spell)(talk.secret)
            cluster = {"IPAddress": "10.9.9.9", "Name": name, "Type": "default", "Status": name}
            talk.send(told({"code": 200, "cluster": [cluster], "fqdn": [{"name": name}], "partner": [name]}))
        elif talk.parameter == "version":
            talk.send(told({"code": 200, "version": "7.2.59.4"}))
        else:
            filler = "x" * (490 - len(echo) // 2)
            talk.send(told({"code": 422, "status": "fail", "message": f"{echo} {filler}{echo}"}, "422 No"))

    return Answer(talk)


def xml(body: str, declaration: str = '<?xml version="1.0" encoding="ISO-8859-1"?>') -> Answer:
    return says(http((declaration + body).encode("utf-8", "surrogatepass"), kind="text/xml"))


def redirect(status: str) -> Answer:
    def talk(talk: Talk) -> None:
        talk.send(http(b"", status, "text/html", f"Location: {talk.bystander}/accessv2?{talk.secret!a}"))

    return Answer(talk)


def entities() -> str:
    names = "abcdefghij"
    declared = "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(["lol", *names])
    )
    return (
        f'<!DOCTYPE x [<!ENTITY lol "lol">{declared}]><Response stat="200" code="ok"><Success>&j;</Success></Response>'
    )


def chunked(*chunks: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(chunks)


CLUSTERS = [
    {"IPAddress": f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", "Name": f"c{n}", "Type": "x"} for n in range(50_000)
]
OK = b'{"code": 200, "status": "ok", "version": "7.2.59.4"}'
UNENDING = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

ANSWERS: dict[str, Answer] = {
    # Without end
    "endless body": endless(UNENDING, b"x" * 64 * KIB),
    "endless JSON": endless(UNENDING + b'{"version": "', b"7." * 32 * KIB),
    "endless list": endless(UNENDING + b'{"geopartners": [', b"[]," * 16 * KIB),
    "endless XML": endless(UNENDING + b"<?xml version='1.0'?><Response>", b"<Success>" * 8 * KIB),
    "endless chunks": endless(chunked(), b"5\r\nxxxxx\r\n" * 8 * KIB),
    "endless head": endless(b"HTTP/1.1 200 OK\r\n", b"X-Header: x\r\n" * KIB),
    "endless header": endless(b"HTTP/1.1 200 OK\r\nX-Header: ", b"x" * 64 * KIB),
    "endless status line": endless(b"HTTP/1.1 200 ", b"x" * 64 * KIB),
    "endless 1xx": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * KIB),
    "endless 103": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * KIB),
    "endless blank lines": endless(b"", b"\r\n" * 32 * KIB),
    "endless trailers": endless(chunked(b"0\r\n"), b"X-Trailer: x\r\n" * KIB),
    "endless answers": endless(b"", http(OK) * KIB),
    # Slow
    "silence": Answer(lambda talk: talk.wait()),
    "silence before the handshake": Answer(lambda talk: talk.wait(), at_connect=True),
    "silence after the head": Answer(lambda talk: then(lambda: talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), talk.wait)),
    "dripping head": drips(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500),
    "dripping body": drips(UNENDING + b" " * 5000),
    "dripping chunks": drips(chunked(b"1\r\nx\r\n" * 1000)),
    # Cut off, or not HTTP
    "closed": Answer(lambda _talk: None),
    "closed before the handshake": Answer(lambda _talk: None, at_connect=True),
    "half a head": says(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "half a body": says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + OK),
    "half a chunk": says(chunked(b"ffff\r\n" + OK)),
    "garbage": says(bytes(range(256)) * 99),
    "plain HTTP": Answer(lambda talk: talk.send(http(OK)), at_connect=True),
    "SSH": Answer(lambda talk: talk.send(b"SSH-2.0-OpenSSH_9.6\r\n"), at_connect=True),
    "HTTP/0.9": says(OK),
    "HTTP/2 preface": says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    "HTTP/2 settings": says(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64\x00\x04\x40"),
    "HTTP/9.9": says(http(OK).replace(b"HTTP/1.1", b"HTTP/9.9")),
    "alert in the middle": Answer(lambda talk: then(lambda: talk.send(b"HTTP/1.1 200 OK\r\n"), lambda: talk.send_below_tls(b"\x15\x03\x03\x00\x02\x02\x28"))),
    "garbage below TLS": Answer(lambda talk: then(lambda: talk.send(http(OK)[:30]), lambda: talk.send_below_tls(b"\x17\x03\x03\xff\xff" + b"x" * 999))),
    "alert for the handshake": Answer(lambda talk: talk.send(b"\x15\x03\x03\x00\x02\x02\x46"), at_connect=True),
    "another certificate": Answer(lambda talk: talk.send(http(OK, "200 OK", "x/y", "Connection: close")), changes_certificate=True),
    # Of HTTP's tricks
    "chunked garbage": says(chunked(b"zzzz\r\nxx\r\n0\r\n\r\n")),
    "a chunk of negative length": says(chunked(b"-5\r\nxxxxx\r\n0\r\n\r\n")),
    "a chunk of huge length": says(chunked(b"f" * 16 + b"\r\nx\r\n")),
    "both lengths": says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two lengths": says(http(OK, "200 OK", "application/json", "Content-Length: 3")),
    "a negative length": says(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + OK),
    "a huge length": says(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n" + OK),
    "duplicate headers": says(http(OK, "200 OK", "application/json", *["Content-Type: text/xml"] * 99)),
    "huge headers": says(http(OK, "200 OK", "application/json", "X-Header: " + "x" * MIB)),
    "many cookies": says(http(OK, "200 OK", "application/json", *[f"Set-Cookie: c{n}=x" for n in range(500)])),
    "NUL in a header": says(http(OK, "200 OK", "application/json", "X: \0\0")),
    "a folded header": says(http(OK, "200 OK", "application/json", "X: y\r\n z")),
    "a gzip bomb": says(http(gzip.compress(b" " * 64 * MIB), "200 OK", "application/json", "Content-Encoding: gzip")),
    "gzip that is none": says(http(OK, "200 OK", "application/json", "Content-Encoding: gzip")),
    "an unknown encoding": says(http(OK, "200 OK", "application/json", "Content-Encoding: br, zstd, x")),
    "an answer beforehand": says(http(OK) + http(b'{"code": 200, "version": "1.2.3.4"}') * 3),
    "keep-alive for ever": says(http(OK, "200 OK", "application/json", "Keep-Alive: timeout=" + "9" * 99)),
    "an upgrade": says(http(b"", "101 Switching Protocols", "x/y", "Upgrade: websocket", "Connection: Upgrade")),
    "no content": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "status 999": says(http(OK, "999 \x1b[2J")),
    "status 0": says(http(OK, "000 No")),
    "status 1e3": says(http(OK, "1e3 No")),
    "redirect 301": redirect("301 Moved Permanently"),
    "redirect 302": redirect("302 Found"),
    "redirect 307": redirect("307 Temporary Redirect"),
    "redirect 308": redirect("308 Permanent Redirect"),
    "a login to another realm": says(http(b"", "401 No", "text/html", f'WWW-Authenticate: Basic realm="{"x" * KIB}\x1b[2J"')),
    "digest": says(http(b"", "401 No", "text/html", 'WWW-Authenticate: Digest realm="x", nonce="y", qop="auth"')),
    "a proxy's login": says(http(b"", "407 No", "text/html", 'Proxy-Authenticate: Basic realm="x"')),
    "too many requests": says(http(b"", "429 Slow", "text/html", "Retry-After: 99999999999999999999")),
    "out of service": says(http(b"", "503 No", "text/html", "Retry-After: -1")),
    # Of content
    "nothing": says(http()),
    "HTML": says(http(b"<!DOCTYPE html><html><body>" + b"<p>\x1b[31mlogin" * 99, kind="text/html")),
    "HTML as JSON": says(http(b"<html>" * 9)),
    "JSON as XML": says(http(OK, kind="text/xml")),
    "deep lists": says(http(b"[" * MIB)),
    "deep objects": says(http(b'{"a":' * MIB)),
    "deep inside": says(http(b'{"code": 200, "version": ' + b"[" * 500 + b"]" * 500 + b"}")),
    "8 MB of lists": says(http(b'{"code": 200, "version": "7.2.59.4", "x": [' + b"[]," * (8 * MIB // 3 - 99) + b"[]]}")),
    "8 MB of objects": says(http(b'{"code": 200, "version": "7.2.59.4", "x": [' + b'{"":0},' * (8 * MIB // 7 - 99) + b"0]}")),
    "8 MB of keys": says(http(b"{" + b",".join(b'"%d":0' % n for n in range(600_000)) + b"}")),
    "8 MB of elements": xml("<Response>" + "<a b='c'/>" * (8 * MIB // 10 - 99) + "</Response>"),
    "8 MB of escapes": says(http(b'{"code": 422, "message": "' + b"&amp;" * (8 * MIB // 5 - 99) + b'"}')),
    "8 MB of backslashes": says(http(b'{"code": 422, "message": "' + b"\\\\" * (4 * MIB - 99) + b'"}')),
    "8 MB of no": says(http(b'{"code": 200, "data": "' + b"no " * (8 * MIB // 3 - 99) + b'"}')),
    "100,000 partners": every_value(",".join(f"10.{n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(100_000))),
    "100,000 partners in a list": every_value([f"10.{n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(100_000)]),
    "50,000 clusters": every_value(CLUSTERS),
    "50,000 clusters with one name": every_value([{**cluster, "Name": "x"} for cluster in CLUSTERS]),
    "deep XML": xml("<Response>" + "<a>" * 100_000),
    "XML with entities": xml(entities()),
    "XML with a file": xml('<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><Response stat="200"><Success>&f;</Success></Response>'),
    "XML of a wrong charset": xml("<Response/>", '<?xml version="1.0" encoding="no-such"?>'),
    "XML of UTF-16 that is none": xml("<Response/>", '<?xml version="1.0" encoding="UTF-16"?>'),
    "XML with a bare &": xml('<Response stat="400" code="fail"><Error>a & b \udcff</Error></Response>'),
    "XML with a huge code": xml(f'<Response stat="{"9" * 5000}" code="ok"><Success><Data/></Success></Response>'),
    "not UTF-8": says(http(b'{"code": 200, "version": "\xff\xfe\x80"}')),
    "UTF-16": says(http(OK.decode().encode("utf-16"))),
    "UTF-32 that is none": says(http(b"\xff\xfe\0\0" + OK)),
    "NULs": says(http(b"\0" * 999 + OK + b"\0" * 999)),
    "half characters": every_value("\ud800\udfff\udfff"),
    "control characters": every_value("\x1b[2J\x1b]0;x\x07\r\n\u202e\u2028\x9b"),
    "1e999": says(http(b'{"code": 1e999, "version": 1e999}')),
    "NaN": says(http(b'{"code": NaN, "version": NaN}')),
    "5,000 digits": says(http(b'{"code": 200, "version": ' + b"9" * 5000 + b"}")),
    "5,000 digits in words": every_value("7." + "9" * 5000),
    "a huge code": says(http(b'{"code": 99999999999999999999, "version": "7.2"}')),
    "a negative code": says(told({"code": -200, "version": "7.2.59.4"})),
    "a code in a list": says(told({"code": [200], "version": "7.2.59.4"})),
    "a true code": says(told({"code": True, "version": "7.2.59.4"})),
    "no code": says(told({"version": "7.2.59.4"})),
    "two codes": says(http(b'{"code": 200, "code": 401, "CODE": 500}')),
    "a list": says(told([1, 2, 3])),
    "a text": says(told("7.2.59.4")),
    "null": says(told(None)),
    "true for all": every_value(value=True),
    "'true' for all": every_value("true"),
    "null for all": every_value(None),
    "an object for all": every_value({"a": {"b": ["c"]}}),
    "an object of lists for all": every_value([[], {}, [[]], [{}]]),
    "a number for all": every_value(-1e300),
    "a huge text for all": every_value("x" * MIB),
    "blanks for all": every_value(" \t\n\v\f\u2003\u3000" * 999),
    "not implemented": says(told({"code": 501, "message": "no"}, "501 No")),
    "unauthorized": says(told({"code": 401, "message": "no"}, "401 No")),
    "a long refusal": says(told({"code": 422, "message": "\x1b[31m" + "no " * MIB}, "422 No")),
    # Echoes
    "the secret": refuses_with(str),
    "the secret as JSON": refuses_with(json.dumps),
    "the secret as HTML": refuses_with(html.escape),
    "the secret of a form": refuses_with(quote_plus),
    "the secret in base64": refuses_with(lambda text: base64.b64encode(f"bal:{text}".encode()).decode()),
    # A name that begins like a secret stays: nobody could tell it from one that was chosen.
    "the secret in part": refuses_with(lambda text: text[:9], names=str),
    "the secret with other blanks": refuses_with(lambda text: "\t".join(text.split(" "))),
    "the secret in XML": Answer(
        lambda talk: talk.send(http(f'<Response stat="400" code="fail"><Error>{talk.secret}</Error></Response>'.encode()))
    ),
    "the request": Answer(lambda talk: talk.send(told({"code": 422, "message": f"{talk.head!r} {talk.body!r}"}))),
    "the request as it came": Answer(lambda talk: talk.send(http(talk.head + b"\r\n\r\n" + talk.body))),
    "the request in the status line": Answer(lambda talk: talk.send(b"HTTP/1.1 500 " + talk.body[:500] + b"\r\n\r\n")),
}  # fmt: skip
