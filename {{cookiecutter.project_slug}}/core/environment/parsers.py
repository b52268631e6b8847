"""Turn the text of a variable into a value, strictly.

Each parser raises `ValueError` with a phrase that follows the variable's name and never quotes the
value, so that a message can be printed without printing a secret.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


def _kind(words: str) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    def mark(parse: Callable[[str], T]) -> Callable[[str], T]:
        parse.kind = words  # type: ignore[attr-defined]
        return parse

    return mark


@_kind("text")
def text(value: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("holds a control character or a line break.")
    return value.strip()


@_kind("true or false")
def boolean(value: str) -> bool:
    word = value.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("is neither true nor false; write one of these two words.")


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """A whole number between two bounds, both allowed."""

    @_kind(f"whole number, {minimum} to {maximum}")
    def parse(value: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", value.strip(), re.ASCII):
            raise ValueError("is not a whole number.")
        number = int(value)
        if not minimum <= number <= maximum:
            raise ValueError(f"is outside {minimum} to {maximum}.")
        return number

    return parse


def choice(*words: str) -> Callable[[str], str]:
    """One of a few words, in any case; the canonical spelling is returned."""

    @_kind("one of " + ", ".join(words))
    def parse(value: str) -> str:
        for word in words:
            if word.lower() == value.strip().lower():
                return word
        raise ValueError("is none of " + ", ".join(words) + ".")

    return parse


def comma_list[T](parse_item: Callable[[str], T]) -> Callable[[str], list[T]]:
    """Items separated by commas; blanks around them are dropped, empty items too."""

    @_kind(f"{getattr(parse_item, 'kind', 'text')}, several separated by commas")
    def parse(value: str) -> list[T]:
        return [parse_item(item.strip()) for item in value.split(",") if item.strip()]

    return parse


@_kind("host name")
def host(value: str) -> str:
    """A host for ALLOWED_HOSTS: a name, an address, `.example.org`, or `*`."""
    if value == "*":
        return value
    bare = value.removeprefix(".")
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]", bare):
        raise ValueError("is not a host name: no scheme, port, path or blank belongs in it.")
    return value.lower()


@_kind("host name")
def host_name(value: str) -> str:
    """One host, spelt out."""
    if value == "*" or value.startswith("."):
        raise ValueError("stands for many hosts; name one.")
    return host(value)


@_kind("origin such as https://shop.example.org")
def origin(value: str) -> str:
    parts = split_url(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("needs a scheme and a host, such as https://shop.example.org.")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("is an origin: no path, query or fragment belongs in it.")
    return value.rstrip("/")


@_kind("IP address or CIDR range, or *")
def peer(value: str) -> str:
    if value == "*":
        return value
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(
            "is not an IP address or a CIDR range; a range starts at its first address, as in "
            "10.0.0.0/8."
        ) from None
    return value


@_kind("bucket name")
def bucket(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", value.strip(), re.ASCII):
        raise ValueError("is not a bucket's name: 3 to 63 of a-z, 0-9, dots and hyphens.")
    return value.strip()


@_kind("webhook secret")
def webhook_secret(value: str) -> str:
    """`whsec_` and the base64 of 24 bytes or more, as Standard Webhooks writes them."""
    value = value.strip()
    try:
        size = len(base64.b64decode(value.removeprefix("whsec_"), validate=True))
    except ValueError:
        size = 0
    if not value.startswith("whsec_") or size < 24:
        raise ValueError("is not whsec_ and the output of `openssl rand -base64 32`.")
    return value


@_kind("mailto:, https: or tel: address")
def contact(value: str) -> str:
    """An address by which a person is reached; one of mail may lack its `mailto:`."""
    value = value.strip()
    if not re.fullmatch(r"[!-~]+", value):
        raise ValueError("holds a blank, a control character or one beyond ASCII.")
    mail = value.removeprefix("mailto:")
    if re.fullmatch(r"[^@:/]+@[^@:/]+", mail):
        return f"mailto:{mail}"
    if re.fullmatch(r"https://[^/@]+(/.*)?|tel:[+0-9().-]+", value):
        return value
    raise ValueError("is no address of mail, no https:// page and no tel: number.")


def url(*schemes: str, path: str = "") -> Callable[[str], str]:
    """A URL with a host and one of `schemes`, kept as text."""

    @_kind("URL: " + ", ".join(f"{scheme}://" for scheme in schemes))
    def parse(value: str) -> str:
        parts = split_url(value)
        if parts.scheme not in schemes:
            raise ValueError("does not start with " + " or ".join(f"{s}://" for s in schemes) + ".")
        if not parts.hostname:
            raise ValueError("names no host.")
        if path and not re.fullmatch(path, parts.path):
            raise ValueError("does not end in a database number, such as /0.")
        return value.strip()

    return parse


def split_url(value: str) -> Any:
    value = value.strip()
    if re.search(r"[\s\x00-\x1f\x7f]", value):
        raise ValueError("holds a blank or a control character; percent-encode it.")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL: its port or its brackets are wrong.") from None
    if parts.netloc.count("@") > 1 or "@" in parts.path:
        raise ValueError("holds an `@` in its password; write it as %40.")
    if port == 0:
        raise ValueError("has port 0.")
    return parts
