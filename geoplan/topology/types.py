"""The scalar values of a topology file: addresses, names, URLs and versions, each with its own check.

A failed check raises :class:`pydantic_core.PydanticCustomError` whose type is the code of the diagnostic.
"""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from socket import inet_aton
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from geoplan.addresses import url_fault
from geoplan.aws import REGION, TAG_VALUE_LENGTH
from geoplan.vendor import MAX_NAME_LENGTH
from geoplan.wording import is_control, shorten
from geoplan.yaml12 import typed

IpAddress = IPv4Address | IPv6Address

MAX_PORT = 65535
HTTPS = 443
THIS_NETWORK = 0  # the first octet of 0.0.0.0/8, "this network" (RFC 1122)


def fault(code: str, message: str, hint: str) -> PydanticCustomError:
    """Build the error that a diagnostic is made from; ``code`` is its GEO code."""
    context = {"message": message, "hint": hint}
    return PydanticCustomError(code, "{message}; {hint}", context)


def parse_address(text: str) -> IpAddress:
    """Read an IPv4 or IPv6 address that a LoadMaster can have.

    Raises a fault (GEO201 to GEO204) for anything else, so that a slip is named for what it is.
    """
    address = _read_address(text)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            hint = f"write {address.ipv4_mapped}"
            raise fault("GEO201", f"'{text}' is an IPv4 address in an IPv6 spelling", hint)
        if address.scope_id:
            hint = "write an address that the other sites can reach"
            raise fault("GEO201", f"'{text}' has a zone, which only its own host understands", hint)
    kind = _impossible_kind(address)
    if kind:
        hint = "write the address under which the other sites reach this unit"
        raise fault("GEO204", f"'{text}' is {kind} address, which no unit can have", hint)
    return address


def address_order(text: str) -> tuple[int, int]:
    """Return what addresses are sorted by: IPv4 before IPv6, then by number."""
    address = _read_address(text)
    return address.version, int(address)


def _read_address(text: str) -> IpAddress:
    try:
        return IPv6Address(text) if ":" in text and "/" not in text else IPv4Address(text)
    except AddressValueError:
        raise _address_fault(text) from None


def _address_fault(text: str) -> PydanticCustomError:
    host, slash, _ = text.partition("/")
    if slash and _is_address(host):
        return fault("GEO202", f"'{text}' has a prefix length", f"write the address alone: {host}")
    bracketed = re.fullmatch(r"\[([^]]*)](?::\d*)?", text)
    host = bracketed[1] if bracketed else text.rpartition(":")[0]
    if _is_address(host):
        return fault("GEO203", f"'{text}' is more than an address", f"write it without brackets and port: {host}")
    if _is_address(text.strip()):
        return fault("GEO201", f"there is a space around '{text.strip()}'", f"write it without: {text.strip()}")
    if not text.strip():
        return fault("GEO201", "the address is empty", "write an IPv4 or IPv6 address, for example 172.24.1.5")
    if re.fullmatch(r"[0-9.]+", text):
        hint = "write four numbers from 0 to 255 without leading zeros, for example 172.24.1.5"
    else:
        hint = "write an IPv4 or IPv6 address, for example 172.24.1.5; names are not looked up"
    return fault("GEO201", f"'{shorten(text)}' is not an address", hint)


def _is_address(text: str) -> bool:
    try:
        _ = IPv6Address(text) if ":" in text else IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _impossible_kind(address: IpAddress) -> str | None:
    """Name what rules an address out, with its article, or return None if a unit can have it."""
    if address.is_unspecified:
        return "an unspecified"
    if address.version == 4 and address.packed[0] == THIS_NETWORK:  # noqa: PLR2004 - IPv4
        return "a 0.0.0.0/8"
    if address.is_loopback:
        return "a loopback"
    if address.is_multicast:
        return "a multicast"
    if address.is_link_local:
        return "a link-local"
    if address == IPv4Address("255.255.255.255"):
        return "the broadcast"
    return None


def _check_address(text: str) -> str:
    parse_address(text)
    return text


# Characters that break a line, steer a terminal or turn the direction of writing: none belongs in a name.


def _check_name(text: str) -> str:
    if not text.strip():
        raise fault("GEO301", "the name is empty", "write the name that people know this by")
    if any(is_control(character) for character in text):
        raise fault("GEO303", "the name holds a control character", "write it with visible characters alone")
    if text != text.strip():
        raise fault("GEO304", "the name begins or ends with a space", f"write it as '{shorten(text.strip())}'")
    if len(text) > MAX_NAME_LENGTH:
        message = f"the name has {len(text)} characters, more than {MAX_NAME_LENGTH}"
        raise fault("GEO302", message, f"write a name of at most {MAX_NAME_LENGTH} characters")
    return text


def is_name(text: str) -> bool:
    """Return whether a text can be the name of a site, a group or a cluster."""
    try:
        _check_name(text)
    except PydanticCustomError:
        return False
    return True


def is_firmware(text: str) -> bool:
    """Return whether a text is a firmware version, as a topology has it."""
    return re.fullmatch(FIRMWARE_VERSION, text) is not None


def is_unit_address(text: str) -> bool:
    """Return whether a text is an address that a LoadMaster can have."""
    try:
        parse_address(text)
    except PydanticCustomError:
        return False
    return True


def host_of_url(address: str) -> str:
    """Return an address as it stands in a URL: one of IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


def place_of_url(text: str) -> tuple[str, int] | None:
    """Return the host, in one spelling, and the port of an HTTPS URL, or None where it is none."""
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        return None
    return (_host_in_one_spelling(host), port or HTTPS) if host else None


def _host_in_one_spelling(host: str) -> str:
    """Return a host as it is compared: an address of IPv4 is one in IPv6's clothes, too, and as one number or in hex.

    Whoever connects takes all of these, so each of them leads to the unit that has the address.
    """
    plain = host.lower().removesuffix(".")
    with suppress(ValueError):
        address = ip_address(plain)
        return str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)
    with suppress(OSError, UnicodeError):
        return str(IPv4Address(inet_aton(plain)))
    return plain


def _check_api_url(text: str) -> str:
    hint = "write https://HOST or https://HOST:PORT and nothing after it"
    if "@" in text:
        raise fault("GEO105", "the API's URL carries credentials", "leave them out; they come from the environment")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise fault("GEO106", "the API's URL cannot be read", hint) from None
    whole = url.path in ("", "/") and not url.query and not url.fragment and port != 0
    if url.scheme != "https" or not url.hostname or not whole or re.search(r"\s", text):
        raise fault("GEO106", f"'{shorten(text)}' is not the URL of a LoadMaster's API", hint)
    if reason := url_fault(text):
        raise fault("GEO106", f"the API's URL leads nowhere: {reason}", hint)
    return text.rstrip("/")


def _check_firmware(text: str) -> str:
    if not re.fullmatch(FIRMWARE_VERSION, text):
        hint = "write it as the unit shows it, for example 7.2.59.4"
        raise fault("GEO107", f"'{shorten(text)}' is not a firmware version", hint)
    return text


def _of_form(pattern: str, what: str, example: str) -> AfterValidator:
    """Check that a text has the form of an AWS identifier."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise fault(
                "GEO110", f"'{shorten(text)}' is not {what}", f"write it as AWS shows it, for example {example}"
            )
        return text

    return AfterValidator(check)


def _check_tag_key(text: str) -> str:
    _check_name(text)
    if text.lower().startswith("aws:"):
        raise fault("GEO110", f"'{shorten(text)}' is a tag that only AWS gives", "give the tag another name")
    return text


def _check_tag_value(text: str) -> str:
    if len(text) > TAG_VALUE_LENGTH.most:
        message = f"the tag's value has {len(text)} characters, more than {TAG_VALUE_LENGTH.most}"
        raise fault("GEO110", message, f"write at most {TAG_VALUE_LENGTH.most} characters")
    return text


Address = Annotated[str, AfterValidator(_check_address), Field(examples=["172.24.1.5", "2001:db8::5"])]
Name = Annotated[
    str,
    AfterValidator(_check_name),
    Field(min_length=None, json_schema_extra={"minLength": 1, "maxLength": MAX_NAME_LENGTH}),
]
ApiUrl = Annotated[str, AfterValidator(_check_api_url), Field(examples=["https://172.24.1.5"])]
FIRMWARE_VERSION = r"\d{1,9}(\.\d{1,9}){2,4}(\.[A-Za-z]{1,20})?"
Firmware = Annotated[str, AfterValidator(_check_firmware), Field(examples=["7.2.59.4"])]


def _whole(written: object) -> object:
    """Return a whole number, and everything else as text: a choice takes ``true`` and 1.0 for 1."""
    value = typed(written)
    return value if type(value) is int else str(written)


Port = Annotated[int, Field(strict=True, ge=1, le=MAX_PORT), BeforeValidator(typed)]
ApiVersion = Annotated[Literal[1, 2], BeforeValidator(_whole)]
Count = Annotated[int, Field(strict=True, ge=1), BeforeValidator(typed)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=86400, allow_inf_nan=False), BeforeValidator(typed)]
Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False), BeforeValidator(typed)]
Longitude = Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False), BeforeValidator(typed)]

HEX_ID = "(?:[0-9a-f]{8}|[0-9a-f]{17})"
PARTITION_OF_ARN = "arn:(?P<partition>aws(?:-[a-z]+)*):"
ACM_ARN = rf"{PARTITION_OF_ARN}acm:(?P<region>{REGION}):[0-9]{{12}}:certificate/[0-9a-f-]{{36}}"
IAM_ARN = rf"{PARTITION_OF_ARN}iam::[0-9]{{12}}:server-certificate/[\x21-\x7e]+"

Region = Annotated[str, _of_form(REGION, "a region of AWS", "eu-west-1"), Field(examples=["eu-west-1"])]
VpcId = Annotated[str, _of_form(f"vpc-{HEX_ID}", "the ID of a VPC", "vpc-0a1b2c3d4e5f60718")]
SubnetId = Annotated[str, _of_form(f"subnet-{HEX_ID}", "the ID of a subnet", "subnet-0a1b2c3d4e5f60718")]
InstanceId = Annotated[str, _of_form(f"i-{HEX_ID}", "the ID of an instance", "i-0a1b2c3d4e5f60718")]
AllocationId = Annotated[
    str, _of_form(f"eipalloc-{HEX_ID}", "the allocation ID of an Elastic IP", "eipalloc-0a1b2c3d4e5f60718")
]
CertificateArn = Annotated[
    str,
    _of_form(
        f"{ACM_ARN}|{IAM_ARN.replace('?P<partition>', '?:')}",
        "the ARN of a certificate",
        "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
    ),
]
TagKey = Annotated[str, AfterValidator(_check_tag_key)]
TagValue = Annotated[str, AfterValidator(_check_tag_value)]

# What a Network Load Balancer takes (Elastic Load Balancing, Network Load Balancers, target group health checks).
CheckInterval = Annotated[int, Field(strict=True, ge=5, le=300), BeforeValidator(typed)]
Threshold = Annotated[int, Field(strict=True, ge=2, le=10), BeforeValidator(typed)]
