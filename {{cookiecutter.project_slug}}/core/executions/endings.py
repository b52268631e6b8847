"""Signals of a message's end, sent in the transaction that records it.

Both pass `key`, the message's id. A receiver costs each task what its statements cost, and what it
raises takes the effect, or the dead letter, back.
"""

from __future__ import annotations

from django.dispatch import Signal

completed = Signal()
given_up = Signal()
