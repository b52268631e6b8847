"""A scheduler for a beat that is stopped while it imports this: `beat --scheduler …`.

The signal waits for nothing. It is not sent before Celery handles it, when it ends any process.
"""

import signal

if callable(signal.getsignal(signal.SIGTERM)):
    signal.raise_signal(signal.SIGTERM)

# Below the signal, so that its handler finds a module without the class.
from tests.testapp.beat import QuickScheduler

__all__ = ["QuickScheduler"]
