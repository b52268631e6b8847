"""The queue of published tasks."""

from tests.broker import published, queue

__all__ = ["published", "queue"]
