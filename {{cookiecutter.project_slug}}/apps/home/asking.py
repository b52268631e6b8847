"""Ask several things at once, and never wait longer than was said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait

from django.db import connections

# What was asked and has not answered yet: it is not asked again meanwhile, so that a frozen server
# holds one thread however often the page is loaded.
_open: dict[str, Future[object]] = {}


def ask_all[T](sources: Mapping[str, Callable[[], T]], seconds: float) -> dict[str, T | Exception]:
    """What each source returned or raised; `TimeoutError` for those that take longer.

    A name stands for one source in the whole process. The threads are daemons, unlike those of an
    executor: a process that ends waits for none of them.
    """
    deadline = time.monotonic() + seconds
    for name, source in sources.items():
        if name not in _open or _open[name].done():
            _open[name] = Future()
            threading.Thread(
                target=_answer, args=(_open[name], source), name=f"asking {name}", daemon=True
            ).start()
    futures = {name: _open[name] for name in sources}
    wait(futures.values(), timeout=max(0.0, deadline - time.monotonic()))
    return {name: _result(future, seconds) for name, future in futures.items()}  # type: ignore[misc]


def _result(future: Future[object], seconds: float) -> object:
    if not future.done():
        return TimeoutError(f"no answer within {seconds:g} s")
    return future.exception() or future.result()


def _answer(future: Future[object], source: Callable[[], object]) -> None:
    try:
        result = source()
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(result)
    finally:
        connections.close_all()  # this thread's own: nobody would use them again
