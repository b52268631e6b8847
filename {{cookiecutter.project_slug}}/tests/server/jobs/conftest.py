"""As for the outbox."""

from tests.server.outbox.conftest import ask, published, queue, start_worker

__all__ = ["ask", "published", "queue", "start_worker"]
