"""What a worker's first request need not do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]

FIRST_REQUEST = """
import sys
from wsgiref.util import setup_testing_defaults
from config.wsgi import application

environ = {"PATH_INFO": "/nowhere", "HTTP_HOST": "localhost"}
setup_testing_defaults(environ)
loaded = set(sys.modules)
b"".join(application(environ, lambda *_: None))
sys.stderr.write(" ".join(sorted(set(sys.modules) - loaded)))
"""


def test_the_first_request_imports_nothing_of_django_or_ours() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_REQUEST],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    late = [name for name in done.stderr.split() if not name.startswith("encodings.")]
    assert late == []
