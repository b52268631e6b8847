"""The client's address, as far as the proxies in front can be believed."""

from __future__ import annotations

from functools import cache, lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# Characters of X-Forwarded-For that are read, from its end: about twelve hops. The start is what
# the client sent and may be as long as the server lets a header be.
_READ = 512


def client_address(request: HttpRequest) -> str:
    """The address of the nearest peer that is not one of settings.FORWARDED_ALLOW_IPS.

    X-Forwarded-For is read from its end, where our own proxies wrote, and only as long as the peer
    that wrote it is trusted, so a client cannot choose its address. gunicorn leaves REMOTE_ADDR
    as the proxy's; uvicorn has done the same walk already, and then this changes nothing.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if not forwarded:
        return str(peer)
    return _walk(peer, forwarded[-_READ:], tuple(settings.FORWARDED_ALLOW_IPS))


def client_network(request: HttpRequest) -> str:
    """The client's address to count by; of IPv6 its /64, which one customer has whole."""
    address = client_address(request)
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    # All of IPv4 has one /64 where a socket or a proxy writes it as ::ffff:192.0.2.1.
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), 64), strict=False))


# A proxy sends few different chains at a time; the bound is for those that a client makes up.
@lru_cache(maxsize=1024)
def _walk(peer: str, forwarded: str, proxies: tuple[str, ...]) -> str:
    for hop in reversed(forwarded.split(",")):
        # A Unix socket has no address; only a proxy on this machine can use it.
        if peer and not _trusted(peer, proxies):
            break
        try:
            peer = str(ip_address(hop.strip()))
        except ValueError:
            break
    return peer


def _trusted(peer: str, proxies: tuple[str, ...]) -> bool:
    if "*" in proxies:
        return True
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in _networks(proxies))


@cache
def _networks(proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(proxy, strict=False) for proxy in proxies)
