"""Tasks that are really published."""

from tests.broker import published

__all__ = ["published"]
