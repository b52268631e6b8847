"""Webhooks in both directions, signed as standardwebhooks.com describes.

    webhooks.send("https://customer.example/hooks", "invoice.paid", {"id": 7})

    class PaymentHook(WebhookView):  # core/webhooks/receiving.py
        source = "payments"
        task = payment_arrived

Out: a message of the outbox in the caller's transaction, sent with retries, to public addresses
alone. In: the signature, the clock and the id are checked, the row and the task's message commit
together, and a second delivery is answered like the first. To lift it out: this folder,
`core/outbox/`, `core/outbound/`, its settings component.

Weighed: the package standardwebhooks compares as we do, but brings a client of its own (httpx,
attrs, dateutil) for twenty lines of hmac, and keeps no inbox; svix is a service.
"""

from __future__ import annotations

from typing import Any


def send(url: str, kind: str, data: dict[str, Any]) -> str:
    """Send `data` to `url` as an event `kind`, once the transaction commits. Returns its id.

    Raises `ImproperlyConfigured` without WEBHOOK_SECRETS.
    """
    from core.webhooks import sending  # models, which need a Django that is set up

    return sending.send(url, kind, data)
