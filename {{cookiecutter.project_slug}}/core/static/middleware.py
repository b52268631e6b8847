"""How long a browser keeps a file whose name holds its hash."""

from __future__ import annotations

from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # no types
    """WhiteNoise, whose own ten years are more than caches keep and than anyone could take back."""

    # Seconds: a year, what RFC 2616 called "never expires" and CDNs have as their maximum.
    FOREVER = 31_536_000
