"""What Python prints by itself, as log lines: an uncaught exception is not forty loose lines."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

_logger = logging.getLogger("python")
_CANNOT_START = 3


def install_hooks() -> None:
    """Log uncaught exceptions, those of threads and of finalizers, and warnings.

    A hook that somebody else set (Sentry, a test runner) stays. May be called again.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _uncaught_in_thread
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = _unraisable
    logging.captureWarnings(True)


@contextmanager
def start_logged() -> Iterator[None]:
    """Log a RuntimeError of the block and exit with 3, which gunicorn reads as "cannot boot".

    gunicorn takes a RuntimeError of a preloaded application for one of its own: it prints its text
    to stderr, without traceback. Django raises them for a model or an app that is not set up. Other
    exceptions pass: gunicorn and Python's own hook show them whole.
    """
    try:
        yield
    except RuntimeError:
        _logger.critical("the application cannot start", exc_info=True)
        raise SystemExit(_CANNOT_START) from None


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _logger.critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if issubclass(args.exc_type, SystemExit):
        return
    _logger.error(
        "uncaught exception in a thread",
        exc_info=args.exc_value,
        extra={"thread_name": args.thread.name if args.thread else ""},
    )


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    _logger.error(
        args.err_msg or "exception ignored",
        exc_info=args.exc_value,
        extra={"raised_in": repr(args.object)},
    )
