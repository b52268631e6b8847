"""Webhooks, out and in.

Decides: who may send what to whom. Reads WEBHOOK_SECRETS. Without it anybody may tell a customer
that the news is ours, and us that it is a customer's. To lift it out: take `core/webhooks/`.
"""

from config.env import env

# The first signs for those who know it alone; all of them sign, so that receivers can change.
WEBHOOK_SECRETS = env.WEBHOOK_SECRETS
# A URL of a customer must not reach our own network.
WEBHOOKS_TO_PUBLIC_ADDRESSES_ALONE = True
# Of each sender, by the `source` of its view: the new secret, and the old one while it changes.
INBOX_SECRETS: dict[str, list[str]] = {}
