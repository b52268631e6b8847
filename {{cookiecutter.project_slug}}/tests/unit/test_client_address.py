"""Whose address is logged: the nearest peer that is no proxy of ours."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from core.requests.address import client_address


def address(peer: str, forwarded: str | None) -> str:
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers))


@pytest.fixture(autouse=True)
def _proxies(settings: Settings) -> None:
    settings.FORWARDED_ALLOW_IPS = ["10.0.0.0/8", "::1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not a proxy of ours: not believed
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the first is the client's word
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),  # two proxies of ours
        ("10.0.0.1", "10.9.9.9", "10.9.9.9"),
        ("10.0.0.1", "1.1.1.1, <script>", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1\n", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "x" * 100_000 + ",198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", "198.51.100.1"),  # a proxy on a Unix socket
        ("", None, ""),
    ],
)
def test_the_client_is_the_nearest_peer_that_is_not_trusted(
    peer: str, forwarded: str | None, client: str
) -> None:
    assert address(peer, forwarded) == client


def test_with_every_peer_trusted_the_first_address_counts(settings: Settings) -> None:
    settings.FORWARDED_ALLOW_IPS = ["*"]
    assert address("203.0.113.9", "1.1.1.1, 198.51.100.1") == "1.1.1.1"
