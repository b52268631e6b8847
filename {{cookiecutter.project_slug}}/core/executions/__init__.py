"""Runs of idempotent tasks: one effect for a message, however often it arrives and whoever dies.

`once.IdempotentTask` is the base of such tasks, `leases` are the statements by which runs agree.
Messages whose lease ended are published again by the relay (`core/outbox/sweeping.py`). To lift it
out: this folder, `core/tasks/` and `core/outbox/`.
"""
