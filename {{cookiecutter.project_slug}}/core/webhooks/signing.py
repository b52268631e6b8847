"""The signature of Standard Webhooks: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Mapping, Sequence

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
# Seconds that two clocks may be apart, as the specification's libraries allow.
SKEW = 300
# Characters of an id; those of the specification are about 30.
ID_LENGTH = 255


class BadSignatureError(ValueError):
    """The message is not of who has the secret, is too old, or was changed on the way."""


def sign(secrets: Sequence[str], message_id: str, body: bytes, at: int) -> dict[str, str]:
    """The three headers, with a signature for each secret, so that either side can change first."""
    signatures = (f"v1,{_signature(secret, message_id, at, body)}" for secret in secrets)
    return {ID: message_id, TIMESTAMP: str(at), SIGNATURE: " ".join(signatures)}


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> str:
    """The id of a message whose signature holds for one of `secrets`. Raises `BadSignatureError`.

    The reason is for our log: who forges learns nothing from it.
    """
    message_id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not 0 < len(message_id) <= ID_LENGTH or not message_id.isascii():
        raise BadSignatureError("no webhook-id")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise BadSignatureError("no webhook-timestamp")
    at = int(timestamp)
    if abs(time.time() - at) > SKEW:
        raise BadSignatureError("too old, or from the future")
    given = [
        word.removeprefix("v1,").encode()
        for word in headers.get(SIGNATURE, "")[:2_000].split()
        if word.startswith("v1,")
    ]
    expected = [_signature(secret, message_id, at, body).encode() for secret in secrets]
    # No early end: how long it takes must not tell which of them came close.
    matches = [hmac.compare_digest(one, other) for one in expected for other in given]
    if not any(matches):
        raise BadSignatureError("no signature of ours")
    return message_id


def _signature(secret: str, message_id: str, at: int, body: bytes) -> str:
    signed = f"{message_id}.{at}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if not key:
        raise ValueError("An empty secret: anybody could sign.")
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
