"""Ask a process on this machine whether it works: exit 0 or 1, without a word.

    python -I deploy/systemd/ask.py PORT [RELEASE]

A 200 of /livez, and not /readyz, which fails with the database: a start would then fail with it.
With RELEASE it asks /__version__ instead, at the management port of web: while two masters share
that port a new one answers only when it is ready, so the name of its release is the proof. The
standard library only: a machine need not have curl.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT = 3.0  # seconds; as Kubernetes gives a probe


def answers(port: int, release: str | None) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", "/__version__" if release else "/livez")
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            return False
        return release is None or json.loads(body)["version"] == release
    except (OSError, HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not answers(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
