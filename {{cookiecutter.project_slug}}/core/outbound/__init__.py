"""Calls to other systems over HTTP, bounded in time, in retries and in what a dead one costs.

    partner = outbound.client(base_url="https://partner.example")  # once, at the top of a module
    partner.get("/orders/7")

`async_client()` is the same for coroutines; make it inside of the event loop that uses it. A call
takes 5 s at most, with its retries and its body. `make check` refuses a client that is made
anywhere else. To lift it out: this folder, `core/deadline/__init__.py`,
`core/cache/buckets.py` and its settings component.

Weighed: pybreaker never opens for coroutines, purgatory had no release since 2024, tenacity retries
without a budget and knows no request that must not be repeated; stamina is tenacity. httpx2's own
timeouts bound one read each: an answer that trickles never ends.
"""

from core.outbound.atomic import InTransactionError
from core.outbound.breaker import CircuitOpenError
from core.outbound.clients import AsyncClient, Client, async_client, client
from core.outbound.network import AddressRefusedError
from core.outbound.rates import RateLimit, RateLimitedError

__all__ = [
    "AddressRefusedError",
    "AsyncClient",
    "CircuitOpenError",
    "Client",
    "InTransactionError",
    "RateLimit",
    "RateLimitedError",
    "async_client",
    "client",
]
