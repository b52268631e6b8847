"""Many at the same moment, each on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection


def at_once[T](number: int, act: Callable[[int], T]) -> list[T | Exception]:
    """What `act(0)` to `act(number - 1)` returned or raised; all begin together.

    The rows they work on must be committed: `django_db(transaction=True)`.
    """
    together = threading.Barrier(number)

    def run(index: int) -> T | Exception:
        try:
            connection.ensure_connection()
            together.wait(timeout=30)
            return act(index)
        except Exception as error:  # for the test to judge
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))
