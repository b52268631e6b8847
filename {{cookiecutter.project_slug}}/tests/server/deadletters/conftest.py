"""As for the outbox."""

from tests.server.outbox.conftest import ask, effects, published, queue, send, start_worker

__all__ = ["ask", "effects", "published", "queue", "send", "start_worker"]
